// SPDX-License-Identifier: Apache-2.0
// A thread and the scheduling context it owns. A thread in the kernel is a state in this block: it
// has no kernel stack. The context is what the thread runs on and what a Call lends to the server;
// the thread is what waits in run queues (docs/decisions/0004).
//
// A call links two threads for as long as the server works on it and has not gone back to Recv:
// client.server and server.client, always both. The server then runs on the client's context.
//
// The first part is the fast path's: its order follows kernel/ipc/fast.cpp. `status` is one word in
// which any bit besides the state means "something unusual", so one compare covers all of it.
#pragma once

#include <arch/fp.hpp>
#include <arch/frame.h>
#include <kernel/abi/call.hpp>
#include <kernel/base/list.hpp>
#include <kernel/object/process.hpp>
#include <kernel/time/timer_queue.hpp>

namespace kernel {

using base::CpuId;

struct Endpoint;
struct Thread;

/// States, in the low byte of Thread::status.
namespace state {
inline constexpr u32 kRunning = 0;      // runnable, or running on a CPU
inline constexpr u32 kWaitReceive = 1;  // in Recv, linked in its endpoint's waiters
inline constexpr u32 kWaitReply = 2;    // in Call, the server has the request
inline constexpr u32 kWaitSend = 3;     // in Call, queued at the endpoint
inline constexpr u32 kTransfer = 4;     // `peer` is copying from or to this thread
inline constexpr u32 kWaitSleep = 5;
inline constexpr u32 kWaitFutex = 6;
inline constexpr u32 kDormant = 7;  // not started
inline constexpr u32 kDead = 8;     // ended; freed by the teardown of its process
inline constexpr u32 kMask = 0xFF;
}  // namespace state

/// Flags, in the upper bits of Thread::status: each keeps the thread off the fast path.
namespace flag {
inline constexpr u32 kUsesFp = 1u << 8;    // owns vector registers
inline constexpr u32 kWork = 1u << 9;      // has a continuation to run before it sees EL0 again
inline constexpr u32 kTimed = 1u << 10;    // a deadline is armed
inline constexpr u32 kPinned = 1u << 11;   // may not run on every CPU
inline constexpr u32 kEnding = 1u << 12;   // its process has ended
inline constexpr u32 kBoosted = 1u << 13;  // inherits the priority of somebody who waits for it
inline constexpr u32 kInterruptible = 1u << 14;  // its Call or Recv names `sync_object`
inline constexpr u32 kHurried = 1u << 15;        // its client has a deadline
}  // namespace flag

inline constexpr u32 kPriorities = 256;
inline constexpr u32 kMaxChain = 16;

/// Length of a slice that does not end.
inline constexpr Ticks kNoSliceEnd{u64{1} << 62};

/// In Thread::wait_address: it waits for its leader's end. No word has this address.
inline constexpr u64 kWaitsForEnd = ~u64{0};

/// Whether the time of a context counts against a CPU budget.
enum class Meter : u8 {
    Off,  // its process has none
    On,
    Spent  // used up: it does not count any more, and the priority is 0 until it is there again
};

/// What a thread runs on: a priority, and what is left of a time slice. At most one thread runs on
/// a context at a time: its owner, or at the end of a chain of calls the last server.
struct Context {
    Thread* owner = nullptr;
    u8 priority = 0;
    Meter meter = Meter::Off;
    u8 policy = 0;       // how the owner shares its CPU (kl.core.Thread.SetSchedPolicy) ...
    u32 slice_us = 0;    // ... with which parameter
    Ticks slice{};       // length of its slices
    Ticks slice_left{};  // of the slice in which it was displaced; 0: a whole one
};

/// What a thread has still to do in the kernel, step by step.
enum class Work : u32 {
    None,
    CallCheck,    // stage and check the request, then offer it
    CallOffer,    // offer again: the receiver's buffer was bad
    CallCopy,     // copy to the receiver `peer`
    ReceiveCopy,  // the receiver copies from the client `peer`
    ReplyCheck,   // judge the staged response
    ReplyCopy,    // copy to the client `peer`
    ReceiveNext,  // after a reply: receive
    Kernel,       // a kernel method that takes several steps
};

/// Fixed parts of so many bytes are staged in the sender's own block, larger ones and arenas in a
/// block of frames.
inline constexpr u32 kSmallFixed = 256;

/// A message on its way: what is staged and what will be copied straight from the sender. What a
/// reset leaves as it was is read only as far as the tag says that it was filled.
struct Message {
    abi::Tag tag{};
    const ksec::Shape* shape = nullptr;
    u32 fixed_size = 0;
    u32 arena_size = 0;
    abi::Buffer arena_source{};  // not staged: read at delivery
    PhysAddr staged{};           // block holding the fixed part, then the staged arena; 0 = none
    u32 staged_order = 0;
    bool arena_staged = false;
    bool settled = false;          // granted for good: by the row, no model has a say
    u64 facts = 0;                 // what check() found out, for judge()
    u64 small[kSmallFixed / 8]{};  // fixed part, when there is no block
    u64 handle_sids[abi::kMaxHandlesPerMessage]{};
    u32 handle_rights[abi::kMaxHandlesPerMessage]{};

    /// An empty message of this tag and shape; it holds no block.
    void reset(abi::Tag of, const ksec::Shape* shaped) {
        tag = of;
        shape = shaped;
        fixed_size = 0;
        arena_size = 0;
        arena_source = {};
        staged = {};
        arena_staged = false;
        settled = false;
        facts = 0;
    }
};

/// Offset of the staged arena in the staged block.
inline constexpr u32 kStagedArenaOffset = abi::kMaxFixedBytes;

struct Thread {
    static constexpr SlotType kType = SlotType::Thread;

    // --- read and written by the fast path -----------------------------------------------------
    arch::Frame frame{};
    u64 token = 0;             // (call number << 16) | thread index; bumped when a call ends
    abi::Buffer room_fixed{};  // where a long message may go
    abi::Buffer room_arena{};
    u64 expected_response = 0;  // tag that needs no further look
    u64 request_tag = 0;        // of the call being answered
    u32 status = state::kDormant;
    u32 listener_handle = 0xFFFF'FFFF;  // what the last Recv named
    Slot* slots = nullptr;              // the process's handle table
    u64 slot_mask = 0;                  // byte mask: (capacity - 1) << kSlotShift
    Context* context = nullptr;         // runs on it; stale while the thread waits in Recv
    Thread* client = nullptr;           // whose call it works on, and on whose context it runs
    Thread* server = nullptr;           // who works on its call
    Endpoint* listener = nullptr;
    Thread* next_waiter = nullptr;
    Endpoint* target = nullptr;  // client: whom the call in progress goes to
    u32 accepted_handles = 0;
    // --- the rest ------------------------------------------------------------------------------
    Process* process = nullptr;
    u32 references = 0;
    u32 index = 0;
    Sid sid{};
    Context home{};
    u64 stack = 0;        // SP at its start
    u8 own_priority = 0;  // that of `home` while its budget lasts
    bool queued = false;  // in the run queue of `level`
    u8 level = 0;
    u8 inherited = 0;        // strongest priority among those who wait for this thread
    CpuId cpu{};             // whose queue, when pinned
    Thread* peer = nullptr;  // the other thread of a copy in progress
    u64 affinity = ~u64{0};
    Timer timer{};
    u32 sync_object = 0;  // handle that its Call or Recv names
    u64 target_badge = 0;
    u32 target_life = 0;
    SlotType callee = SlotType::Free;  // what the call in progress goes to
    Message message{};                 // the request or response this thread is sending
    ksec::Progress progress{};
    Work work = Work::None;
    u32 cursor = 0;        // bytes of the arena copied, or steps done
    bool in_call = false;  // entered by SVC: vector registers need no saving
    bool fp_saved = false;
    u64 wait_address = 0;      // of the word that it waits for; kWaitsForEnd: for the leader's end
    Thread* leader = nullptr;  // who has that lock, or is to end; null: a plain wait
    base::s32 exit_code = 0;
    u64 reply_token = 0;        // of the reply in progress
    u64 kernel_state[4]{};      // cursor of a kernel method
    base::ListNode run_node;    // run queue
    base::ListNode queue_node;  // endpoint's callers, waiters for a word, or followers
    base::List<Thread, &Thread::queue_node> followers;  // threads whose leader it is, by priority
    arch::FpState fp{};

    [[nodiscard]] u32 phase() const { return status & state::kMask; }

    void set_phase(u32 next) { status = (status & ~state::kMask) | next; }

    /// The first of the followers behind `last` (null: of all) that wait for this address, or null.
    [[nodiscard]] Thread* find_follower(u64 address, const Thread* last) const {
        Thread* each = last == nullptr ? followers.front() : followers.next(*last);
        while (each != nullptr && each->wait_address != address) {
            each = followers.next(*each);
        }
        return each;
    }

    /// The priority at which it runs or waits.
    [[nodiscard]] u32 effective() const {
        return context->priority > inherited ? context->priority : inherited;
    }
};

static_assert(offsetof(Thread, frame) == 0);
static_assert(offsetof(Thread, token) == THREAD_TOKEN);
static_assert(offsetof(Thread, room_fixed) == THREAD_ROOM);
static_assert(offsetof(Thread, room_arena) == THREAD_ROOM + 8);
static_assert(offsetof(Thread, expected_response) == THREAD_RESPONSE);

inline Thread& thread_of(arch::Frame* frame) { return *reinterpret_cast<Thread*>(frame); }

/// A dormant thread of `process`, charged to its thread budget, with its handle table in reach of
/// the fast path. OutOfMemory.
Result<Thread&>
create_thread(Process& process, u64 entry, u64 stack, u64 argument, u64 tls, u32 priority);
/// Gives `home` the priority and the meter that its process's CPU budget allows.
void set_meter(Thread& thread);
/// The threads of a set that are there, from index `from` on: the first; null: none.
Thread* next_thread(const ThreadSet& set, u32 from);
/// What names a thread to its process, in 30 bits: another thread in the same block gets another
/// id.
u32 thread_id(const Thread& thread);
/// The living thread of `process` with that id, or null.
Thread* find_thread(const Process& process, u32 id);
/// Gives a dead thread's block back once nothing refers to it.
void release_thread(Thread& thread);

/// Fills the frame with the result of a system call: everything caller-saved is zero but these.
inline void set_result(Thread& thread, Status status, u64 badge = 0, u64 token = 0) {
    arch::Frame& frame = thread.frame;
    frame.x[0] = static_cast<u64>(static_cast<base::s64>(static_cast<base::s32>(status)));
    frame.x[1] = badge;
    frame.x[2] = token;
    frame.x[3] = 0;
#pragma GCC unroll 8
    for (u32 i = 4; i < 18; i += 2) {
        frame.x[i] = 0;
        frame.x[i + 1] = 0;
    }
    frame.x[18] = 0;
    frame.pstate = 0;
}

}  // namespace kernel
