// SPDX-License-Identifier: Apache-2.0
// kl.core.Sync, and kl.core.IPC at the end. Threads of one process wait for its words to change. A
// lock is a word that holds the id of the thread that has it, and abi::kLockIsAwaited when others
// wait: these follow that thread, which inherits from them. While the mark is set only the kernel
// changes the word, so it needs no atomic exchange with EL0.
#include <arch/inline.hpp>
#include <kernel/control/service.hpp>
#include <kl/core/Core.endpoints.hpp>
#include <kl/core/IPC.idl.hpp>
#include <kl/core/Sync.idl.hpp>

namespace kernel::control {

namespace {

using namespace kl::core::Sync;

constexpr u32 kServedPerStep = 8;
constexpr abi::Tag kWakeTag = abi::Tag::make_short(abi::Kind::Request,
                                                   kl::core::Core::endpoint::sync_Sync,
                                                   static_cast<u16>(Method::Wake),
                                                   sizeof(Wake_Request));

/// The word at an address. InvalidArgument: not aligned. SourceFault.
[[gnu::always_inline]] inline Result<u32> load_word(const Thread& caller, u64 address) {
    if (address % sizeof(u32) != 0) {
        return Status::InvalidArgument;
    }
    const arch::PageTable& table = caller.process->table;
    TRY_VALUE(const PhysAddr at, table.find(base::UserAddr{address}, arch::Intent::Read));
    return __atomic_load_n(arch::linear<u32>(at), __ATOMIC_RELAXED);
}

/// Whether it is `expected`. InvalidArgument, SourceFault; Busy: it is not.
inline Result<void> compare_word(const Thread& caller, u64 address, u32 expected) {
    TRY_VALUE(const u32 word, load_word(caller, address));
    if (word != expected) {
        return Status::Busy;
    }
    return {};
}

[[gnu::always_inline]] inline Result<void>
begin_wait(Thread& caller, u64 address, u32 expected, u64 deadline) {
    TRY(compare_word(caller, address, expected));
    scheduler().wait_for(caller, address, Ticks{deadline});
    return {};
}

Result<Outcome> wait(Thread& caller, const Wait_Request& in, Wait_Response&) {
    TRY(begin_wait(caller, in.address, in.expected, in.deadline));
    return Outcome::Waits;
}

QuickWords wait_quickly(Thread& caller, u64 address, u64 expected, u64 deadline) {
    take_stock(caller);
    const auto begun = begin_wait(caller, address, static_cast<u32>(expected), deadline);
    if (!begun.ok()) {
        return {static_cast<u32>(begun.status()), 0};
    }
    answer_later(caller, 0);
}

/// It waits for a word no longer.
inline void release(Thread& waiter) {
    scheduler().cancel_timer(waiter);
    ipc::resume_kernel_request(waiter, static_cast<u32>(Status::Ok));
}

/// Of those who wait for a word, wakes some and lets some wait for `target`; counts both in
/// caller.cursor. True: that is all.
bool serve_waiters(Thread& caller, u64 address, u64 wakes, u64 moves = 0, u64 target = 0) {
    for (u32 i = 0; i < kServedPerStep && caller.cursor < wakes + moves; ++i) {
        Thread* waiter = scheduler().futexes.take(*caller.process, address);
        if (waiter == nullptr) {
            return true;
        }
        if (caller.cursor++ < wakes) {
            release(*waiter);
        } else {
            waiter->wait_address = target;
            scheduler().futexes.add(*waiter);
        }
    }
    return caller.cursor == wakes + moves;
}

Result<Outcome> wake(Thread& caller, const Wake_Request& in, Wake_Response& out) {
    const bool is_done = serve_waiters(caller, in.address, in.count);
    out.woken = caller.cursor;
    return is_done ? Outcome::Done : Outcome::More;
}

QuickWords wake_quickly(Thread& caller, u64 address, u64 count, u64) {
    take_stock(caller);
    if (static_cast<u32>(count) != 1) {  // perhaps more than a step: the long way
        caller.frame.x[9] = kWakeTag.value;
        caller.frame.x[10] = address;
        caller.frame.x[11] = static_cast<u32>(count);
        ipc::call(caller);
        go_on();
    }
    Thread* waiter = scheduler().futexes.take(*caller.process, address);
    if (waiter == nullptr) {
        return {0, 0};
    }
    release(*waiter);
    if (!scheduler().keeps_cpu(this_cpu())) {
        answer_later(caller, 1);
    }
    return {1, 0};
}

/// The caller waits before the other is woken, so this CPU is free for whom it wakes.
[[gnu::always_inline]] inline Result<void>
begin_wake_and_wait(Thread& caller, u64 other, u64 address, u32 expected) {
    TRY(compare_word(caller, address, expected));
    Thread* woken = scheduler().futexes.take(*caller.process, other);
    scheduler().wait_for(caller, address, Ticks{});
    if (woken != nullptr) {
        release(*woken);
    }
    return {};
}

Result<Outcome>
wake_and_wait(Thread& caller, const WakeAndWait_Request& in, WakeAndWait_Response&) {
    TRY(begin_wake_and_wait(caller, in.other, in.address, in.expected));
    return Outcome::Waits;
}

QuickWords wake_and_wait_quickly(Thread& caller, u64 other, u64 address, u64 expected) {
    take_stock(caller);
    const auto begun = begin_wake_and_wait(caller, other, address, static_cast<u32>(expected));
    if (!begun.ok()) {
        return {static_cast<u32>(begun.status()), 0};
    }
    answer_later(caller, 0);
}

Result<Outcome> requeue(Thread& caller, const Requeue_Request& in, Requeue_Response& out) {
    if (in.target % sizeof(u32) != 0 || in.target == in.address) {
        return Status::InvalidArgument;
    }
    if (caller.cursor == 0) {
        TRY(compare_word(caller, in.address, in.expected));
    }
    const bool is_done = serve_waiters(caller, in.address, in.wake, in.move, in.target);
    out.woken = caller.cursor < in.wake ? caller.cursor : in.wake;
    out.moved = caller.cursor - out.woken;
    return is_done ? Outcome::Done : Outcome::More;
}

Result<Outcome> lock(Thread& caller, const Lock_Request& in, Lock_Response&) {
    if ((in.expected & abi::kLockIsAwaited) == 0) {
        return Status::InvalidArgument;
    }
    TRY(compare_word(caller, in.address, in.expected));
    Thread* owner = find_thread(*caller.process, in.expected & ~abi::kLockIsAwaited);
    if (owner == nullptr) {
        return Status::ResourceNotFound;
    }
    TRY(scheduler().follow(caller, *owner, in.address, Ticks{in.deadline}));
    return Outcome::Waits;
}

/// The strongest of those who wait gets the lock, and the others follow it.
Result<Outcome> unlock(Thread& caller, const Unlock_Request& in, Unlock_Response&) {
    TRY_VALUE(const u32 word, load_word(caller, in.address));
    if ((word & ~abi::kLockIsAwaited) != thread_id(caller)) {
        return Status::NotReady;
    }
    Thread* next = caller.find_follower(in.address, nullptr);
    Thread* each = next == nullptr ? nullptr : caller.find_follower(in.address, next);
    const u32 value =
        next == nullptr ? 0 : thread_id(*next) | (each != nullptr ? abi::kLockIsAwaited : 0);
    TRY(copy_to_user(caller.process->table, base::UserAddr{in.address}, &value, sizeof(value)));
    while (each != nullptr) {
        Thread& moved = *each;
        each = caller.find_follower(in.address, each);
        moved.leader = next;
        scheduler().futexes.move(moved);
    }
    if (next != nullptr) {
        ipc::end_wait(*next, Status::Ok);
        scheduler().settle(next);
    }
    return Outcome::Done;
}

constexpr MethodEntry kMethods[] = {
    kMethodOrQuick<wait, wait_quickly>,
    kMethodOrQuick<wake, wake_quickly>,
    kMethod<requeue>,
    kMethod<lock>,
    kMethod<unlock>,
    kMethodOrQuick<wake_and_wait, wake_and_wait_quickly>,
};

// --- kl.core.IPC: a sync object is its slot, whose badge says whether it is set ------------------

using namespace kl::core::IPC;

constexpr u32 kLookedAtPerStep = 16;  // threads

Result<Outcome> create_sync_object(Thread& caller,
                                   const CreateSyncObject_Request&,
                                   CreateSyncObject_Response& out) {
    TRY_VALUE(out.sync.handle, name_object(*caller.process, endpoints().core, 0, SlotType::Sync));
    undo_handle(caller, out.sync.handle);
    return Outcome::Done;
}

/// caller.cursor counts the threads that have been looked at.
Result<Outcome>
set_interrupt(Thread& caller, const SetInterrupt_Request& in, SetInterrupt_Response&) {
    TRY_VALUE(Slot & sync, find_sync(*caller.process, in.sync.handle));
    sync.badge = 1;
    for (u32 i = 0; i < kLookedAtPerStep; ++i, ++caller.cursor) {
        Thread* thread = scheduler().threads.find(caller.cursor);
        const u32 phase = thread == nullptr ? state::kDead : thread->phase();
        if ((phase == state::kWaitSend || phase == state::kWaitReceive) &&
            ipc::is_interrupted(*thread)) {
            ipc::end_wait(*thread, Status::IpcInterrupt);
        }
    }
    return caller.cursor < kMaxThreads ? Outcome::More : Outcome::Done;
}

Result<Outcome>
clear_interrupt(Thread& caller, const ClearInterrupt_Request& in, ClearInterrupt_Response&) {
    TRY_VALUE(Slot & sync, find_sync(*caller.process, in.sync.handle));
    sync.badge = 0;
    return Outcome::Done;
}

constexpr MethodEntry kIpcMethods[] = {
    kMethod<create_sync_object>, kMethod<set_interrupt>, kMethod<clear_interrupt>};

}  // namespace

constinit const Interface kSync = Served<kMethods>::kInterface;
constinit const Interface kIpc = Served<kIpcMethods>::kInterface;

}  // namespace kernel::control
