// SPDX-License-Identifier: Apache-2.0
// The kernel on the mock machine with processes as a test wants them, and the entries into it. What
// runs next is the caller's to decide: harness.hpp lets one thing happen at a time, test/explore
// everything that can.
#pragma once

#include "policy.hpp"

#include <kernel/boot/state.hpp>
#include <kernel/ipc/ipc.hpp>
#include <memory>
#include <mock/machine.hpp>
#include <string>

namespace kernel_test {

using base::Bytes;
using base::Status;
using base::UserAddr;
using kernel::Endpoint;
using kernel::Process;
using kernel::Slot;
using kernel::Thread;

inline constexpr u64 kUserMemory = 0x10'0000;  ///< readable and writable in every process
inline constexpr u32 kUserPages = 32;

/// How a CPU came out of the kernel, or did not.
enum class Exit : u8 {
    User,     ///< a thread runs on
    Idle,     ///< nothing to run: waits for an interrupt
    Between,  ///< used up its lock holds: in the kernel, between two steps
};

class System {
public:
    explicit System(u32 cpu_count = 1);
    ~System();
    System(const System&) = delete;
    System& operator=(const System&) = delete;

    /// A running process with one thread at `priority` and kUserPages of memory.
    Thread& add_process(const std::string& name, u16 class_id, u32 priority = 100);
    /// Another thread of a process.
    Thread& add_thread(Process& process, u32 priority = 100);
    /// The listener of the name of a process.
    u32 add_listener(Process& server);
    /// A channel of `client` to `server`; derived from a handle of another process, or a root.
    u32 add_channel(Process& client,
                    Process& server,
                    kernel::SlotRef parent = kernel::kNoSlot,
                    u32 more_rights = 0);
    /// The handle of the kernel's own channel.
    static constexpr u32 kKernelHandle = 0x0001'0000;

    void select(u32 cpu);

    [[nodiscard]] u32 selected() const { return selected_; }

    /// Who is on the selected CPU now; null when it idles or is in the kernel.
    [[nodiscard]] Thread* running() const { return current_[selected_]; }

    [[nodiscard]] Thread* running_on(u32 cpu) const { return current_[cpu]; }

    /// The selected CPU runs `thread` from now on, by what is none of the entries below: the fast
    /// path, or going back to an earlier state.
    void set_running(Thread* thread) {
        current_[selected_] = thread;
        if (thread != nullptr) {
            mock::machine().load_user_space(thread->frame.ttbr);
        }
    }

    // --- entries of the selected CPU. They throw what the mock machine throws when the kernel
    // stops, and return after at most `lock_holds` holds of the kernel lock.

    /// An interrupt, or waking up from idling, or going on between two steps.
    Exit enter_by_interrupt(u32 lock_holds);
    /// A Call of `thread`, which runs there, as the vectors take it: the fast path, a quick method
    /// of the kernel, or an exception.
    Exit enter_by_call(Thread& thread, u32 lock_holds);
    /// An exception of `thread`, which runs there.
    Exit enter_by_exception(Thread& thread, u64 syndrome, u64 address, u32 lock_holds);

    /// The kernel's state, for snapshots.
    [[nodiscard]] std::byte* state() const { return state_.get(); }

    Policy policy;

protected:
    template <typename Function> Exit enter(u32 lock_holds, Function&& function);

    std::unique_ptr<std::byte[], void (*)(std::byte*)> state_;
    Thread* current_[kernel::kMaxCpus]{};
    u32 selected_ = 0;
};

/// The endpoint of that name, or null.
kernel::Endpoint* endpoint_named(const std::string& name);

/// ESR_EL1 of an SVC.
constexpr u64 svc(u32 immediate) { return (u64{0x15} << 26) | (u64{1} << 25) | immediate; }

constexpr abi::Tag request_tag(u16 endpoint, u16 method, u32 fixed_size) {
    return abi::Tag::make_short(abi::Kind::Request, endpoint, method, fixed_size);
}

constexpr abi::Tag response_tag(u16 endpoint, u16 method, u32 fixed_size) {
    return abi::Tag::make_short(abi::Kind::Response, endpoint, method, fixed_size);
}

/// A tag with some bits more.
constexpr abi::Tag with(abi::Tag tag, u64 bits) { return abi::Tag{tag.value | bits}; }

constexpr abi::Tag accepting(abi::Tag tag, u32 handles) { return with(tag, u64{handles} << 52); }

inline abi::Buffer buffer(u64 address, u32 size) { return {UserAddr{address}, size}; }

}  // namespace kernel_test
