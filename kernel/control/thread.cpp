// SPDX-License-Identifier: Apache-2.0
// kl.core.Thread: threads of the calling process.
#include <arch/inline.hpp>
#include <kernel/control/service.hpp>
#include <kernel/control/teardown.hpp>
#include <kl/core/Thread.idl.hpp>

namespace kernel::control {

namespace {

using namespace kl::core::Thread;

/// The thread a method is about: the caller itself for handle 0.
Result<Thread&> thread_for(Thread& caller, const abi::HandleDescriptor& named) {
    if (named.handle == abi::kInvalidHandle) {
        return caller;
    }
    TRY_VALUE(Thread & found,
              resolve<Thread>(*caller.process, named.handle, abi::rights::kControl));
    if (found.process != caller.process || found.phase() == state::kDead) {
        return Status::NotReady;
    }
    return found;
}

/// A new handle of a thread of the caller's process, taken back if the response is denied.
Result<abi::HandleDescriptor> name_thread(Thread& caller, Thread& named) {
    TRY_VALUE(const u32 handle, name_object(*caller.process, named, abi::rights::kAll));
    return give_handle(caller, handle);
}

Result<Outcome> create(Thread& caller, const Create_Request& in, Create_Response& out) {
    Process& process = *caller.process;
    if (in.priority > process.priority || in.entry >= kUserLimit) {
        return Status::InvalidArgument;
    }
    TRY_VALUE(Thread & created,
              create_thread(process, in.entry, in.stack, in.argument, in.tls, in.priority));
    const auto handle = name_thread(caller, created);
    if (!handle.ok()) {
        end_thread(created);
        return handle.status();
    }
    scheduler().wake(created);
    out.thread = handle.value();
    return Outcome::Done;
}

Result<Outcome> exit(Thread& caller, const Exit_Request& in, Exit_Response&) {
    Process& process = *caller.process;
    caller.exit_code = in.code;
    if (process.threads.count() == 1) {
        end_process(process, {EndReason::Exit, in.code, 0, 0});
    } else {
        end_thread(caller);
    }
    return Outcome::Gone;
}

Result<Outcome> terminate(Thread& caller, const Terminate_Request& in, Terminate_Response&) {
    TRY_VALUE(Thread & target, thread_for(caller, in.thread));
    if (&target == &caller) {
        return Status::InvalidArgument;
    }
    end_thread(target);
    return Outcome::Done;
}

/// Whether it sleeps, or only goes to the end of its queue: the deadline is over.
bool begin_sleep(Thread& caller, u64 deadline) {
    if (deadline <= arch::now().value) {
        scheduler().end_slice();
        return false;
    }
    scheduler().timers.arm(caller.timer, Ticks{deadline});
    caller.status |= flag::kTimed;
    scheduler().pause(caller, state::kWaitSleep);
    return true;
}

Result<Outcome> sleep(Thread& caller, const Sleep_Request& in, Sleep_Response&) {
    return begin_sleep(caller, in.deadline) ? Outcome::Waits : Outcome::Done;
}

QuickWords sleep_quickly(Thread& caller, u64 deadline, u64, u64) {
    take_stock(caller);
    begin_sleep(caller, deadline);
    answer_later(caller, 0);
}

Result<Outcome> set_priority(Thread& caller, const SetPriority_Request& in, SetPriority_Response&) {
    TRY_VALUE(Thread & target, thread_for(caller, in.thread));
    if (in.priority > caller.process->priority) {
        return Status::InvalidArgument;
    }
    scheduler().reprioritize(target, in.priority);
    return Outcome::Done;
}

Result<Outcome> set_affinity(Thread& caller, const SetAffinity_Request& in, SetAffinity_Response&) {
    TRY_VALUE(Thread & target, thread_for(caller, in.thread));
    const u64 online = scheduler().online_mask();
    if ((in.mask & online) == 0) {
        return Status::InvalidArgument;
    }
    const u64 mask = in.mask & online;
    scheduler().set_affinity(target, mask != online ? mask : ~u64{0}, mask != online);
    return Outcome::Done;
}

SetTls_Response set_tls(Thread& caller, const SetTls_Request& in) {
    caller.frame.tls = in.tls;
    arch::set_thread_pointer(in.tls);
    return {.rc = static_cast<base::s32>(Status::Ok)};
}

Result<Outcome> attach(Thread& caller, const Attach_Request&, Attach_Response& out) {
    TRY_VALUE(out.thread, name_thread(caller, caller));
    return Outcome::Done;
}

Result<Outcome> suspend(Thread& caller, const Suspend_Request&, Suspend_Response&) {
    scheduler().block(caller, state::kDormant);
    return Outcome::Waits;
}

Result<Outcome> resume(Thread& caller, const Resume_Request& in, Resume_Response&) {
    TRY_VALUE(Thread & target, thread_for(caller, in.thread));
    if (target.phase() != state::kDormant) {
        return Status::NotReady;
    }
    ipc::end_wait(target, Status::Ok);
    return Outcome::Done;
}

Result<Outcome> wait(Thread& caller, const Wait_Request& in, Wait_Response& out) {
    const auto named = resolve<Thread>(*caller.process, in.thread.handle, abi::rights::kControl);
    if (named.ok() && named.value().phase() == state::kDead) {
        out.code = named.value().exit_code;
        return Outcome::Done;
    }
    TRY_VALUE(Thread & target, thread_for(caller, in.thread));
    if (in.timeoutMs == 0) {
        return Status::Timeout;
    }
    const u64 limit = arch::now().value + arch::ticks_per_second() * in.timeoutMs / 1000;
    const Ticks deadline{in.timeoutMs == NoLimit ? 0 : limit};
    TRY(scheduler().follow(caller, target, kWaitsForEnd, deadline));
    return Outcome::Waits;
}

GetTcb_Response get_tcb(Thread& caller, const GetTcb_Request&) {
    return {.tcb = caller.frame.tls, .rc = static_cast<base::s32>(Status::Ok)};
}

Result<Outcome> get_info(Thread& caller, const GetInfo_Request& in, GetInfo_Response& out) {
    TRY_VALUE(const Thread& target, thread_for(caller, in.thread));
    const u32 phase = target.phase();
    out.id = thread_id(target);
    out.state = phase == state::kRunning ? Ready : phase == state::kDormant ? Suspended : Waits;
    const Region* region = find_region(*caller.process, base::VirtAddr{target.stack - 1});
    if (region != nullptr) {
        out.stack = region->base.value;
        out.stackSize = target.stack - out.stack;
    }
    return Outcome::Done;
}

Result<Outcome>
get_affinity(Thread& caller, const GetAffinity_Request& in, GetAffinity_Response& out) {
    TRY_VALUE(const Thread& target, thread_for(caller, in.thread));
    out.mask = target.affinity & scheduler().online_mask();
    return Outcome::Done;
}

Result<Outcome>
set_sched_policy(Thread& caller, const SetSchedPolicy_Request& in, SetSchedPolicy_Response&) {
    TRY_VALUE(Thread & target, thread_for(caller, in.thread));
    if (slice_of(in.kind, in.parameter).value == 0 || in.priority > caller.process->priority) {
        return Status::InvalidArgument;
    }
    set_policy(target, in.kind, in.parameter);
    scheduler().reprioritize(target, in.priority);
    return Outcome::Done;
}

Result<Outcome>
get_sched_policy(Thread& caller, const GetSchedPolicy_Request& in, GetSchedPolicy_Response& out) {
    TRY_VALUE(const Thread& target, thread_for(caller, in.thread));
    out.kind = target.home.policy;
    out.priority = target.own_priority;
    out.parameter = target.home.slice_us;
    return Outcome::Done;
}

constexpr MethodEntry kMethods[] = {
    kMethod<create>,
    kMethod<exit>,
    kMethod<terminate>,
    kMethodOrQuick<sleep, sleep_quickly>,
    kMethod<set_priority>,
    kMethod<set_affinity>,
    kMethod<set_tls>,
    kMethod<attach>,
    kMethod<suspend>,
    kMethod<resume>,
    kMethod<wait>,
    kMethod<get_tcb>,
    kMethod<get_info>,
    kMethod<on_line<DetachIrq_Request, DetachIrq_Response, detach_line>>,
    kMethod<get_affinity>,
    kMethod<set_sched_policy>,
    kMethod<get_sched_policy>,
};

}  // namespace

Ticks slice_of(u32 kind, u32 microseconds) {
    const bool is_slice = microseconds >= ShortestSlice && microseconds <= LongestSlice;
    if (kind == RoundRobin && is_slice) {
        return ticks_of(microseconds);
    }
    return microseconds != 0  ? Ticks{}
           : kind == Standard ? scheduler().slice_length
           : kind == Fifo     ? kNoSliceEnd
                              : Ticks{};
}

void set_policy(Thread& thread, u32 kind, u32 microseconds) {
    thread.home.policy = static_cast<u8>(kind);
    thread.home.slice_us = microseconds;
    scheduler().set_slice(thread, slice_of(kind, microseconds));
}

constinit const Interface kThread = Served<kMethods>::kInterface;

}  // namespace kernel::control
