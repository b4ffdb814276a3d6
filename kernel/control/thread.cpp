// SPDX-License-Identifier: Apache-2.0
// kl.core.Thread and kl.core.Sync: threads of the calling process.
#include <arch/inline.hpp>
#include <kernel/control/service.hpp>
#include <kernel/control/teardown.hpp>
#include <kl/core/Sync.idl.hpp>
#include <kl/core/Thread.idl.hpp>

namespace kernel::control {

namespace {

namespace thread = kl::core::Thread;
namespace sync = kl::core::Sync;

constexpr u32 kWokenPerStep = 8;

/// The thread a method is about: the caller itself for handle 0.
Result<Thread&> thread_for(Thread& caller, u32 handle) {
    if (handle == abi::kInvalidHandle) {
        return caller;
    }
    TRY_VALUE(Thread & found, resolve<Thread>(*caller.process, handle, abi::rights::kControl));
    if (found.process != caller.process || found.phase() == state::kDead) {
        return Status::NotReady;
    }
    return found;
}

Outcome create(Thread& caller, const thread::Create_Request& in, thread::Create_Response& out) {
    Process& process = *caller.process;
    if (in.priority > process.priority || in.entry >= kUserLimit) {
        return answer(out, Status::InvalidArgument);
    }
    const auto made = create_thread(process, in.entry, in.stack, in.argument, in.tls, in.priority);
    if (!made.ok()) {
        return answer(out, made.status());
    }
    Thread& created = made.value();
    SlotContent content{};
    content.type = SlotType::Thread;
    content.object = &created;
    content.rights = abi::rights::kAll;
    const auto handle = insert_handle(process, content);
    if (!handle.ok()) {
        end_thread(created);
        return answer(out, handle.status());
    }
    created.references = 1;
    scheduler().wake(created);
    out.thread = own_handle(handle.value());
    undo_handle(caller, handle.value());
    return answer(out, Status::Ok);
}

Outcome exit(Thread& caller, const thread::Exit_Request& in, thread::Exit_Response&) {
    Process& process = *caller.process;
    if (process.thread_count == 1) {
        end_process(process, {EndReason::Exit, in.code, 0, 0});
    } else {
        end_thread(caller);
    }
    return Outcome::Gone;
}

Outcome
terminate(Thread& caller, const thread::Terminate_Request& in, thread::Terminate_Response& out) {
    const auto target = thread_for(caller, in.thread.handle);
    if (!target.ok() || &target.value() == &caller) {
        return answer(out, target.ok() ? Status::InvalidArgument : target.status());
    }
    end_thread(target.value());
    return answer(out, Status::Ok);
}

Outcome sleep(Thread& caller, const thread::Sleep_Request& in, thread::Sleep_Response& out) {
    if (in.deadline <= arch::now().value) {
        scheduler().end_slice();  // to the end of its queue
        return answer(out, Status::Ok);
    }
    scheduler().timers.arm(caller.timer, Ticks{in.deadline});
    caller.status |= flag::kTimed;
    scheduler().block(caller, state::kWaitSleep);
    return Outcome::Waits;
}

Outcome set_priority(Thread& caller,
                     const thread::SetPriority_Request& in,
                     thread::SetPriority_Response& out) {
    const auto target = thread_for(caller, in.thread.handle);
    if (!target.ok()) {
        return answer(out, target.status());
    }
    if (in.priority > caller.process->priority) {
        return answer(out, Status::InvalidArgument);
    }
    scheduler().reprioritize(target.value(), in.priority);
    return answer(out, Status::Ok);
}

Outcome set_affinity(Thread& caller,
                     const thread::SetAffinity_Request& in,
                     thread::SetAffinity_Response& out) {
    const auto target = thread_for(caller, in.thread.handle);
    if (!target.ok()) {
        return answer(out, target.status());
    }
    u64 online = 0;
    for (u32 i = 0; i < kMaxCpus; ++i) {
        online |= scheduler().cpus[i].online ? u64{1} << i : 0;
    }
    if ((in.mask & online) == 0) {
        return answer(out, Status::InvalidArgument);
    }
    scheduler().set_affinity(target.value(), in.mask, (in.mask & online) != online);
    return answer(out, Status::Ok);
}

thread::SetTls_Response set_tls(Thread& caller, const thread::SetTls_Request& in) {
    caller.frame.tls = in.tls;
    arch::set_thread_pointer(in.tls);
    return {.rc = static_cast<base::s32>(Status::Ok)};
}

/// The word a futex method is about. SourceFault, InvalidArgument.
Result<u32> load_word(Thread& caller, u64 address) {
    if (address % sizeof(u32) != 0 || address >= kUserLimit) {
        return Status::InvalidArgument;
    }
    u32 word = 0;
    TRY(copy_from_user(caller.process->table, base::UserAddr{address}, &word, sizeof(word)));
    return word;
}

Outcome wait(Thread& caller, const sync::Wait_Request& in, sync::Wait_Response& out) {
    const auto word = load_word(caller, in.address);
    if (!word.ok()) {
        return answer(out, word.status());
    }
    if (word.value() != in.expected) {
        return answer(out, Status::Busy);
    }
    if (in.deadline != 0) {
        scheduler().timers.arm(caller.timer, Ticks{in.deadline});
        caller.status |= flag::kTimed;
    }
    caller.wait_address = in.address;
    scheduler().block(caller, state::kWaitFutex);
    scheduler().futexes.add(caller);
    return Outcome::Waits;
}

/// caller.cursor counts those woken so far.
Outcome wake(Thread& caller, const sync::Wake_Request& in, sync::Wake_Response& out) {
    for (u32 i = 0; i < kWokenPerStep; ++i) {
        Thread* waiter = caller.cursor < in.count
                             ? scheduler().futexes.take(*caller.process, in.address)
                             : nullptr;
        if (waiter == nullptr) {
            out.woken = caller.cursor;
            return answer(out, Status::Ok);
        }
        ++caller.cursor;
        ipc::end_wait(*waiter, Status::Ok);
    }
    return Outcome::More;
}

constexpr MethodEntry kThreadMethods[] = {
    kMethod<create>,
    kMethod<exit>,
    kMethod<terminate>,
    kMethod<sleep>,
    kMethod<set_priority>,
    kMethod<set_affinity>,
    kMethod<set_tls>,
};
constexpr MethodEntry kSyncMethods[] = {kMethod<wait>, kMethod<wake>};

}  // namespace

constinit const Interface kThread = Served<kThreadMethods>::kInterface;
constinit const Interface kSync = Served<kSyncMethods>::kInterface;

}  // namespace kernel::control
