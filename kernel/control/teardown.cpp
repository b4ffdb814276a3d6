// SPDX-License-Identifier: Apache-2.0
#include <arch/inline.hpp>
#include <kernel/control/teardown.hpp>
#include <kernel/diag/log.hpp>
#include <kernel/ipc/ipc.hpp>
#include <kernel/ipc/notice.hpp>
#include <kernel/irq/lines.hpp>
#include <kl/core/Notice.idl.hpp>

namespace kernel {

namespace {

enum class Phase : u32 {
    Threads,    // none of them will run again
    OtherCpus,  // CPUs that ran them have entered the kernel since
    Clients,
    Handles,
    Inspection,  // of what is left, by whoever asked for that
    Blocks,
    Memory,
    Regions,
    Tables,
    Last,
};

constexpr u32 kInitEndedCode = 135;  // what an emulator reports when nobody supervises any more
constexpr u32 kThreadsPerStep = 2;
constexpr u32 kHandlesPerStep = 4;
constexpr u32 kTableWorkPerStep = 8;

void release_process_shell(Process& process) {
    if (process.references == 0 && process.state == ProcessState::Ended) {
        end_object(process.sid);
        scheduler().timers.cancel(process.cpu_budget.timer);
        objects().processes.give(process);
    }
}

// What the closing of a handle means for the object that it named.

void release(Process& process) {
    --process.references;
    if (process.references == 0 && process.state == ProcessState::Building) {
        end_process(process, {EndReason::Terminated, 0, 0, 0});  // nobody can start it now
    } else if (process.references == 0 && is_kept(process)) {
        stop_keeping(process);
    } else {
        release_process_shell(process);
    }
}

void release(Thread& thread) {
    --thread.references;
    if (thread.phase() == state::kDead && thread.process == nullptr &&
        thread.home.owner == nullptr) {
        release_thread(thread);
    }
}

void release(MemoryObject& memory) { release_memory(memory); }

void release(DeviceRange& range) { release_device(range); }

void release(Line& line) { release_line(line); }

void release(Endpoint& endpoint) { --endpoint.references; }

void release(EventQueue& events) {
    if (--events.references == 0) {
        drop_events(events);
        end_object(events.sid);
        --events.process->subscription_count;
        endpoints().event_queues.give(events);
    }
}

void release(UserObject& object) {
    if (--object.references > 0) {
        return;
    }
    end_object(object.sid);
    Process* owner = objects().processes.find(object.owner_index);
    if (owner != nullptr && owner->sid == object.owner) {
        --owner->user_object_count;
    }
    if (object.channel != nullptr) {
        --object.channel->references;
    }
    objects().user_objects.give(object);
}

void release_badge(UserObject& badge) {
    if (--badge.carriers == 0) {
        signal(badge.sid, kl::core::Notice::BadgeClosed);
    }
    release(badge);
}

template <typename Visit> void each_thread(const Process& process, Visit&& visit) {
    for (Thread* next = next_thread(process.threads, 0); next != nullptr;
         next = next_thread(process.threads, next->index + 1)) {
        visit(*next);
    }
}

/// A closed listener must not be found by the fast path's comparison any more.
void forget_listener(Process& process, u32 handle) {
    each_thread(process, [handle](Thread& thread) {
        if (thread.listener_handle == handle) {
            thread.listener_handle = 0xFFFF'FFFF;
        }
    });
}

/// Whether the CPUs that ran something when it ended have since entered the kernel.
bool have_entered(const u64 (&entries)[kMaxCpus]) {
    for (u32 i = 0; i < kMaxCpus; ++i) {
        if (entries[i] != 0 && scheduler().cpus[i].entries < entries[i]) {
            arch::kick(CpuId{i});  // it may have taken the last one between two steps
            return false;
        }
    }
    return true;
}

/// Notes that CPU `i` must enter the kernel, and makes it.
void expect_entry(u64 (&entries)[kMaxCpus], u32 i) {
    entries[i] = scheduler().cpus[i].entries + 1;
    arch::kick(CpuId{i});
}

/// Takes a thread out of everything. A CPU that runs it at this moment, which need not be one that
/// did when its process ended, must enter the kernel before its block can go.
void remove(Thread& thread, u64 (&entries)[kMaxCpus]) {
    if (const Cpu* cpu = scheduler().running_on(thread); cpu != nullptr) {
        const auto i = static_cast<u32>(cpu - scheduler().cpus);
        if (CpuId{i} != arch::cpu_index()) {
            expect_entry(entries, i);
        }
    }
    ipc::remove_thread(thread);
}

/// Does something to the next kThreadsPerStep threads; true: that was all.
template <typename Visit> bool threads_step(Process& process, Visit&& visit) {
    for (u32 count = 0; count < kThreadsPerStep; ++count) {
        Thread* thread = next_thread(process.threads, process.teardown_cursor);
        if (thread == nullptr) {
            return true;
        }
        process.teardown_cursor = thread->index + 1;
        visit(*thread);
    }
    return false;
}

/// Single threads that ended in a living process: one of them, or of who waits for it, a step.
bool release_ended_thread() {
    ThreadSet& ended = scheduler().ended_threads;
    Thread* thread = next_thread(ended, 0);
    while (thread != nullptr && !have_entered(thread->kernel_state)) {
        thread = next_thread(ended, thread->index + 1);
    }
    if (thread == nullptr) {
        return false;
    }
    if (Thread* waiter = thread->followers.front(); waiter != nullptr) {
        const bool is_joining = waiter->wait_address == kWaitsForEnd;
        waiter->kernel_state[0] = static_cast<u32>(thread->exit_code);
        ipc::end_wait(*waiter, is_joining ? Status::Ok : Status::ResourceNotFound);
        return true;
    }
    ended.erase(thread->index);
    release_thread(*thread);
    return true;
}

bool handles_step(Process& process) {
    for (u32 count = 0; count < kHandlesPerStep; ++count) {
        if (process.teardown_cursor == process.handles.touched()) {
            return true;
        }
        Slot& slot = process.handles.at(process.teardown_cursor);
        if (slot.handle != 0 && !close_slot(process, slot)) {
            return false;
        }
        ++process.teardown_cursor;
    }
    return false;
}

void finish(Process& process) {
    frames().give(process.handle_memory, kHandleTableOrder);
    process.uncharge(u64{1} << kHandleTableOrder);
    KASSERT(process.used_pages == 0);
    process.handles = HandleTable{};
    const bool is_news = process.state != ProcessState::Kept;
    process.state = ProcessState::Ended;
    process.reaper_node.unlink();
    policy().entry->ended(process.sid.value);
    if (is_news) {
        signal(process.sid, kl::core::Notice::TaskEnded);
    }
    release_process_shell(process);
}

/// Puts the process aside if somebody who can see it asked for that; true: nobody does, or not any
/// more.
bool pass_inspection(Process& process) {
    if (!process.keeps_remains || process.exit.reason != EndReason::Fault ||
        process.references == 0 || process.state == ProcessState::Kept) {
        return true;
    }
    process.state = ProcessState::Kept;
    process.reaper_node.unlink();
    signal(process.sid, kl::core::Notice::TaskEnded);
    return false;
}

/// One step in the current phase; true: the phase is over.
bool phase_step(Process& process) {
    switch (static_cast<Phase>(process.teardown_phase)) {
    case Phase::Threads:
        return threads_step(process, [&process](Thread& thread) {
            if (thread.phase() != state::kDead) {
                remove(thread, process.cpu_entries);
            }
        });
    case Phase::OtherCpus:
        return have_entered(process.cpu_entries);
    case Phase::Clients:
        return process.port == nullptr || ipc::unbind_step(*process.port, process.teardown_cursor);
    case Phase::Handles:
        return handles_step(process);
    case Phase::Inspection:
        return pass_inspection(process);
    case Phase::Blocks:
        return threads_step(process, [&process](Thread& thread) {
            process.threads.erase(thread.index);
            thread.process = nullptr;
            release_thread(thread);
        });
    case Phase::Memory:
        if (MemoryObject* memory = process.owned_memory.front(); memory != nullptr) {
            disown_memory(*memory);
            return false;
        }
        return true;
    case Phase::Regions:
        if (Region* region = process.regions.back(); region != nullptr) {
            unmap_region_step(process, *region);
            return false;
        }
        return true;
    case Phase::Tables:
        return process.table.destroy_some(process, kTableWorkPerStep);
    case Phase::Last:
        break;
    }
    return true;
}

}  // namespace

void drop_events(EventQueue& events) {
    events.is_dropped = true;
    if (Thread* reader = events.readers.front(); reader != nullptr) {
        ipc::end_wait(*reader, Status::Ok);
    }
    detach_notices(events.attached);
}

bool close_slot(Process& process, Slot& slot) {
    for (u32 moved = 0; slot.first_child != kNoSlot; ++moved) {
        if (moved == kLinksPerStep) {
            return false;
        }
        move_slot(slot.first_child, slot.parent);
    }
    const Slot closed = slot;
    move_slot(slot_ref(process, slot), kNoSlot);
    process.handles.erase(slot);
    if (closed.type == SlotType::Listener) {
        forget_listener(process, closed.handle);
    }
    visit_object(closed, [](auto& object) { release(object); });
    if (closed.transfer != nullptr) {
        release_badge(*closed.transfer);
    }
    return true;
}

bool revoke_step(Slot& slot) {
    for (u32 done = 0; slot.first_child != kNoSlot; ++done) {
        if (done >= kLinksPerStep) {
            return false;
        }
        const SlotRef ref = slot.first_child;
        Slot& child = slot_at(ref);
        if (child.first_child != kNoSlot) {
            move_slot(child.first_child, child.parent);
            continue;
        }
        done += child.type == SlotType::Listener ? kLinksPerStep : 0;  // it takes as long
        close_slot(process_at(ref), child);
    }
    return true;
}

void end_thread(Thread& thread) {
    Process& process = *thread.process;
    __builtin_memset(thread.kernel_state, 0, sizeof(thread.kernel_state));
    remove(thread, thread.kernel_state);
    process.threads.erase(thread.index);
    thread.process = nullptr;
    scheduler().ended_threads.insert(thread.index);
    objects().has_remains = true;
}

void end_process(Process& process, const ExitInfo& info) {
    if (process.class_id == policy().entry->init_class) {
        log_line("kernel: stop reason=init-ended code=", static_cast<u64>(info.address));
        log_line("kernel: stop pc=", info.pc);
        arch::power_off(kInitEndedCode);
    }
    process.exit = info;
    process.state = ProcessState::Ending;
    // None of them is reached on the fast path any more.
    each_thread(process, [](Thread& thread) { thread.status |= flag::kEnding; });
    if (process.port != nullptr) {
        ipc::unbind(*process.port);
    }
    for (u32 i = 0; i < kMaxCpus; ++i) {
        const Thread* running = Scheduler::running(scheduler().cpus[i]);
        if (running != nullptr && running->process == &process && CpuId{i} != arch::cpu_index()) {
            expect_entry(process.cpu_entries, i);
        }
    }
    objects().ending.push_back(process);
    objects().has_remains = true;
}

bool is_kept(const Process& process) {
    return process.state == ProcessState::Kept && !process.reaper_node.is_linked();
}

void stop_keeping(Process& process) {
    objects().ending.push_back(process);
    objects().has_remains = true;
}

bool reap_step() {
    if (Process* process = objects().ending.front(); process != nullptr) {
        const bool is_over = phase_step(*process);
        if (!is_over && static_cast<Phase>(process->teardown_phase) == Phase::OtherCpus) {
            return false;  // the CPU that was kicked goes on with it
        }
        if (!is_over) {
            return true;
        }
        process->teardown_cursor = 0;
        if (static_cast<Phase>(++process->teardown_phase) == Phase::Last) {
            finish(*process);
        }
        return true;
    }
    if (MemoryObject* memory = objects().dying_memory.front(); memory != nullptr) {
        shrink_memory_step(*memory);
        return true;
    }
    objects().has_remains = scheduler().ended_threads.count() > 0;
    return release_ended_thread();
}

}  // namespace kernel
