// SPDX-License-Identifier: Apache-2.0
// One small system on the real kernel: what can happen next, what happens, and what must hold
// afterwards. A step is one hold of the kernel lock (or an exit to user code), so two CPUs
// interleave exactly where the kernel lets them. A ghost notes for each thread what it asked for,
// and each answer of the kernel is held against it.
#pragma once

#include "memory.hpp"
#include "scenario.hpp"

#include <test/unit/kernel/harness/system.hpp>

namespace explore {

using kernel_test::System;
using kernel_test::Thread;

inline constexpr u32 kMaxThreads = 4;
inline constexpr u32 kMaxCpus = 2;
inline constexpr u32 kProcesses = 2;

enum class Act : u8 {
    CallPlain,   ///< short, granted by the row: the fast path when it may
    CallJudged,  ///< short, judged
    CallTimed,   ///< short, granted by the row, with a deadline
    CallLong,    ///< an arena that is copied in two steps
    CallLongTimed,
    CallHandle,  ///< carries a handle
    CallSync,    ///< short, and ends when the sync object of the process is set
    Receive,
    ReceiveTimed,
    ReplyReceive,
    Reply,
    ReplyAgain,  ///< with a token that was answered before
    ExitThread,
    ExitProcess,
    Fault,
    Revoke,  ///< all that was derived from the server's own channel
    Sleep,
    WaitWord,       ///< until another thread of the process wakes it
    WaitWordTimed,  ///< ... or the deadline has passed
    WakeWord,       ///< the first who waits
    HandOver,       ///< wakes the first who waits, and waits
    Lock,           ///< takes the lock if it is free, else waits for its owner
    Unlock,
    Suspend,  ///< itself
    Resume,   ///< the first of its process that is suspended
    Join,     ///< waits for the end of the next thread of its process
    Weaken,   ///< its own priority
    Pin,      ///< itself to the other CPU
    Unpin,
    SetSync,  ///< the sync object of its process
    ClearSync,
    GoOn,  ///< the CPU's kernel: an interrupt, the next step, or waking up
    SliceEnds,
    ReapTime,    ///< time passes to the next step of teardown
    TimePasses,  ///< until the next deadline
    PolicyTurns,
    DeviceRaises,
};

inline constexpr u8 kActs = static_cast<u8>(Act::DeviceRaises) + 1;

/// One step: what, and on which CPU.
struct Step {
    Act act{};
    u8 cpu = 0;

    friend bool operator==(const Step&, const Step&) = default;
};

/// In words, of the one who does it.
std::string name_of(Act act);

/// Something that must never be seen.
struct Violation {
    std::string what;
};

class World final {
public:
    explicit World(const Scenario& scenario);
    ~World();

    /// Everything that can happen now. Appended to `to`.
    void find_steps(std::vector<Step>& to) const;
    /// Lets it happen. Throws Violation.
    void take(Step step);
    /// Everything that must hold between steps. Throws Violation.
    void check();
    /// Of what tells states apart, the same for states that differ by a renaming of equal threads
    /// and of CPUs only.
    [[nodiscard]] u64 hash() const;

    struct Snapshot;
    void save(Snapshot& into) const;
    void restore(const Snapshot& from);

    /// Back to the start.
    void restart() { restore(*start_); }

    /// "cpu 1: thread 2 of p1 replies" and the like, before the step is taken.
    [[nodiscard]] std::string describe(Step step) const;

    [[nodiscard]] std::size_t pages() const { return memory_->pages(); }

private:
    /// What a CPU does.
    enum class Mode : u8 {
        User,
        Idle,
        Between,
        Refused,  ///< the fast path refused, and nothing was changed
    };

    /// What a thread asked for.
    enum class Wants : u8 { Nothing, Answer, Request, ReplyDone, KernelAnswer };

    struct Ghost {
        Wants wants = Wants::Nothing;
        Act act{};
        // of its call
        bool granted = false;     ///< by judge(), since the policy last changed
        bool denied = false;      ///< by judge(), once
        bool delivered = false;   ///< a server has the request
        bool answered = false;    ///< ... and has replied
        bool is_cut_off = false;  ///< its channel had been revoked before
        bool was_set = false;     ///< the sync object that it names, since it began
        // of what it serves
        bool was_current = false;  ///< the call was open when it replied
        u8 held_client = 0;        ///< whose request it has; kMaxThreads: the device's
        u8 past_client = 0;
        u64 held = 0;  ///< the token of that request; 0: none
        u64 held_tag = 0;
        u64 past = 0;  ///< the token that it answered last
        u64 past_tag = 0;
        u64 deadline = 0;
        u32 to_wake = 0;  ///< how many it is to wake
    };

    /// All of the state that is not the kernel's.
    struct Outside {
        Ghost ghosts[kMaxThreads]{};
        Mode modes[kMaxCpus]{};
        Thread* current[kMaxCpus]{};
        u64 refused[kMaxCpus]{};  ///< with which syndrome to take the long way
        Limits left{};
        bool is_denying = false;
        bool is_revoked[kProcesses]{};  ///< all channels to it
        bool is_set[kProcesses]{};      ///< its sync object, as far as it was told
    };

    class Hasher;  // state_hash.cpp

    // world.cpp
    void build();
    void set_up_policy();
    void set_up_channel(u32 from, u32 to);
    void find_renamings();
    [[nodiscard]] bool lives(u32 thread) const;
    [[nodiscard]] u32 number_of(const Thread* thread) const;
    void find_thread_steps(u32 thread, u8 cpu, std::vector<Step>& to) const;
    void find_call_steps(u8 cpu, std::vector<Step>& to) const;
    void find_lock_steps(u32 thread, u8 cpu, std::vector<Step>& to) const;
    void find_word_steps(u8 cpu, std::vector<Step>& to) const;
    void find_sync_steps(u32 thread, u8 cpu, std::vector<Step>& to) const;
    void find_change_steps(u32 thread, u8 cpu, std::vector<Step>& to) const;
    void find_server_steps(u32 thread, u8 cpu, std::vector<Step>& to) const;

    // acts.cpp
    void happen(Step step);
    void turn_policy();
    void go_on(u8 cpu);
    void act(u32 thread, Step step);
    void call(u32 thread, Step step);
    void set_request(u32 thread, abi::Tag tag);
    void receive(u32 thread, Step step);
    void reply(u32 thread, Step step);
    void set_reply(u32 thread, bool again);
    void set_room(u32 thread);
    void call_core(u32 thread, Step step, u16 endpoint, u16 method, std::span<const u64> words);
    void act_in_core(u32 thread, Step step);
    void change_self(u32 thread, Step step, u16 method, u64 value);
    void lock(u32 thread, Step step);
    void unlock(u32 thread, Step step);
    void act_on_thread(u32 thread, Step step, u16 method, u32 target);
    void act_on_sync(u32 thread, Step step);
    [[nodiscard]] u32 lock_word(u32 process) const;
    void set_lock_word(u32 process, u32 value);
    [[nodiscard]] u32 find_suspended(u32 process) const;
    [[nodiscard]] u32 next_of(u32 thread) const;
    [[nodiscard]] u32 count_waiting(u32 process) const;
    bool call_fast(Thread& self, u8 cpu);
    bool reply_fast(Thread& self, u8 cpu);
    void pass(u8 cpu, Thread& from, arch::Frame& to, u64 badge, u64 token);
    void refuse(u8 cpu, u64 syndrome);
    void enter_slowly(u8 cpu, u64 syndrome);
    void note(u8 cpu, kernel_test::Exit exit);

    // answers.cpp
    ksec::Verdict judge(const ksec::Query& query, ksec::Effect effect);
    void settle_answers();
    void settle_answer(u32 thread);
    [[nodiscard]] bool is_answered(u32 thread) const;
    [[nodiscard]] bool is_open(u64 token, u32 client) const;
    void check_answer(u32 thread, base::Status status) const;
    void check_core(u32 thread) const;
    void check_lock(u32 thread, base::Status rc) const;
    void check_reply(const Ghost& server, base::Status status) const;
    void check_receive(const Ghost& server, base::Status status) const;
    void take_request(u32 server);
    [[nodiscard]] u32 sender_of(u32 server, abi::Tag tag) const;
    [[nodiscard]] bool is_quiet() const;
    void check_liveness() const;
    void check_cpu(u8 cpu) const;
    void check_waiting(u32 index) const;
    [[nodiscard]] bool is_sync_changing(u32 process) const;
    void check_lines() const;
    void check_handle(u32 server) const;
    void check_frames();

    const Scenario& scenario_;
    System system_;
    std::unique_ptr<Memory> memory_;
    std::unique_ptr<Snapshot> start_;
    u32 thread_count_ = 0;
    u8 process_of_[kMaxThreads]{};
    Thread* threads_[kMaxThreads]{};
    kernel::Process* processes_[kProcesses]{};
    u64 sids_[kMaxThreads]{};
    u32 handles_[kMaxThreads]{};  ///< of itself, in the table of its process
    u32 listeners_[kProcesses]{};
    u32 syncs_[kProcesses]{};
    u32 channels_[kProcesses]{};   ///< to the other process
    u32 revocable_[kProcesses]{};  ///< the channel that the other's was derived from
    std::vector<std::vector<u8>> renamings_;
    u64 all_frames_ = 0;
    Outside now_{};
};

struct World::Snapshot {
    Memory::Snapshot memory;
    mock::Machine machine;
    Outside outside;
};

}  // namespace explore
