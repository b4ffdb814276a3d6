// SPDX-License-Identifier: Apache-2.0
#include <arch/inline.hpp>
#include <kernel/control/teardown.hpp>
#include <kernel/diag/log.hpp>
#include <kernel/ipc/ipc.hpp>
#include <kernel/irq/lines.hpp>
#include <kl/core/Notice.idl.hpp>

namespace kernel {

namespace {

enum class Phase : u32 {
    Threads,    // none of them will run again
    OtherCpus,  // CPUs that ran them have entered the kernel since
    Blocks,     // so their blocks can go
    Clients,
    Handles,
    Memory,
    Regions,
    Tables,
    Last,
};

constexpr u32 kInitEndedCode = 135;  // what an emulator reports when nobody supervises any more
constexpr u32 kThreadsPerStep = 8;
constexpr u32 kHandlesPerStep = 16;
constexpr u32 kTableFramesPerStep = 32;

void release_process_shell(Process& process) {
    if (process.references == 0 && process.state == ProcessState::Ended) {
        if (process.observer != nullptr && process.observer->endpoint == nullptr) {
            endpoints().notices.give(*process.observer);
            process.observer = nullptr;
        }
        if (process.observer == nullptr) {
            objects().processes.give(process);
        }
    }
}

void drop_task(Process& process) {
    --process.references;
    if (process.references == 0) {
        if (process.observer != nullptr) {
            detach_notice(*process.observer);
        }
        if (process.state == ProcessState::Building) {
            end_process(process, {EndReason::Terminated, 0, 0, 0});  // nobody can start it now
        } else {
            release_process_shell(process);
        }
    }
}

void drop_thread(Thread& thread) {
    --thread.references;
    if (thread.phase() == state::kDead && thread.process == nullptr &&
        thread.home.owner == nullptr) {
        release_thread(thread);
    }
}

/// A closed listener must not be found by the fast path's comparison any more.
void forget_listener(Process& process, u32 handle) {
    for (u32 i = 0; i < kMaxThreads; ++i) {
        Thread* thread = scheduler().threads.find(i);
        if (thread != nullptr && thread->process == &process && thread->listener_handle == handle) {
            thread->listener_handle = 0xFFFF'FFFF;
        }
    }
}

/// Takes up to kThreadsPerStep threads out of everything; true when all are out.
bool threads_step(Process& process) {
    u32 removed = 0;
    for (u32& i = process.teardown_cursor; i < kMaxThreads; ++i) {
        Thread* thread = scheduler().threads.find(i);
        if (thread == nullptr || thread->process != &process || thread->phase() == state::kDead) {
            continue;
        }
        ipc::remove_thread(*thread);
        if (++removed == kThreadsPerStep) {
            return false;
        }
    }
    return true;
}

bool blocks_step(Process& process) {
    for (u32& i = process.teardown_cursor; i < kMaxThreads; ++i) {
        Thread* thread = scheduler().threads.find(i);
        if (thread != nullptr && thread->process == &process) {
            --process.thread_count;
            thread->process = nullptr;
            release_thread(*thread);
        }
    }
    return true;
}

/// Whether the CPUs that ran something when it ended have since entered the kernel.
bool have_entered(const u64 (&entries)[kMaxCpus]) {
    for (u32 i = 0; i < kMaxCpus; ++i) {
        if (entries[i] != 0 && scheduler().cpus[i].entries < entries[i]) {
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

/// Single threads that ended in a living process: one of them, or of who waits for it, a step.
bool release_ended_thread() {
    Scheduler& all = scheduler();
    for (u32 i = 0; all.ended_threads > 0 && i < kMaxThreads; ++i) {
        Thread* thread = all.threads.find(i);
        if (thread != nullptr && thread->phase() == state::kDead && thread->process == nullptr &&
            thread->home.owner != nullptr && have_entered(thread->kernel_state)) {
            if (Thread* waiter = thread->followers.front(); waiter != nullptr) {
                const bool is_joining = waiter->wait_address == kWaitsForEnd;
                waiter->kernel_state[0] = static_cast<u32>(thread->exit_code);
                ipc::end_wait(*waiter, is_joining ? Status::Ok : Status::ResourceNotFound);
                return true;
            }
            thread->home.owner = nullptr;
            --all.ended_threads;
            release_thread(*thread);
            return true;
        }
    }
    return false;
}

bool handles_step(Process& process) {
    for (u32 count = 0; count < kHandlesPerStep; ++count) {
        if (process.teardown_cursor == process.handles.capacity()) {
            return true;
        }
        Slot& slot = process.handles.at(process.teardown_cursor++);
        if (slot.handle != 0) {
            close_slot(process, slot);
        }
    }
    return false;
}

void finish(Process& process) {
    frames().give(process.handle_memory, kHandleTableOrder);
    process.uncharge(u64{1} << kHandleTableOrder);
    KASSERT(process.used_pages == 0);
    process.handles = HandleTable{};
    process.state = ProcessState::Ended;
    process.reaper_node.unlink();
    policy().entry->ended(process.sid.value);
    if (process.observer != nullptr && process.observer->endpoint != nullptr) {
        raise_notice(*process.observer, kl::core::Notice::TaskEnded);
    }
    release_process_shell(process);
}

/// One step in the current phase; true: the phase is over.
bool phase_step(Process& process) {
    switch (static_cast<Phase>(process.teardown_phase)) {
    case Phase::Threads:
        return threads_step(process);
    case Phase::OtherCpus:
        return have_entered(process.cpu_entries);
    case Phase::Blocks:
        return blocks_step(process);
    case Phase::Clients:
        return process.port == nullptr || ipc::unbind_step(*process.port, process.teardown_cursor);
    case Phase::Handles:
        return handles_step(process);
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
        arch::leave_user_space();
        return process.table.destroy_some(process, kTableFramesPerStep);
    case Phase::Last:
        break;
    }
    return true;
}

}  // namespace

Process& process_of(const Slot& slot) {
    for (u32 i = 0; i < kMaxProcesses; ++i) {
        Process* process = objects().processes.find(i);
        if (process != nullptr && &slot >= process->handles.slots() &&
            &slot < process->handles.slots() + process->handles.capacity()) {
            return *process;
        }
    }
    KASSERT(false);
    __builtin_unreachable();
}

void close_slot(Process& process, Slot& slot) {
    const SlotType type = slot.type;
    void* object = slot.object;
    const u32 handle = slot.handle;
    unlink_slot(process, slot);
    process.handles.erase(slot);
    switch (type) {
    case SlotType::Client:
        --static_cast<Endpoint*>(object)->references;
        break;
    case SlotType::Listener:
        --static_cast<Endpoint*>(object)->references;
        forget_listener(process, handle);
        break;
    case SlotType::Task:
        drop_task(*static_cast<Process*>(object));
        break;
    case SlotType::Thread:
        drop_thread(*static_cast<Thread*>(object));
        break;
    case SlotType::Memory:
        release_memory(*static_cast<MemoryObject*>(object));
        break;
    case SlotType::Mmio:
        release_device(*static_cast<DeviceRange*>(object));
        break;
    case SlotType::Irq:
        release_line(*static_cast<Line*>(object));
        break;
    case SlotType::Kernel:
    case SlotType::Security:
    case SlotType::Sync:
    case SlotType::Free:
        break;
    }
}

void end_thread(Thread& thread) {
    Process& process = *thread.process;
    for (u64& entries : thread.kernel_state) {
        entries = 0;
    }
    if (const Cpu* cpu = scheduler().running_on(thread); cpu != nullptr) {
        const auto i = static_cast<u32>(cpu - scheduler().cpus);
        if (CpuId{i} != arch::cpu_index()) {
            expect_entry(thread.kernel_state, i);
        }
    }
    ipc::remove_thread(thread);
    --process.thread_count;
    thread.process = nullptr;
    ++scheduler().ended_threads;
}

void end_process(Process& process, const ExitInfo& info) {
    if (process.class_id == policy().entry->init_class) {
        log_line("kernel: stop reason=init-ended code=", static_cast<u64>(info.address));
        log_line("kernel: stop pc=", info.pc);
        arch::power_off(kInitEndedCode);
    }
    process.exit = info;
    process.state = ProcessState::Ending;
    for (u32 i = 0; i < kMaxThreads; ++i) {  // none of them is reached on the fast path any more
        Thread* thread = scheduler().threads.find(i);
        if (thread != nullptr && thread->process == &process) {
            thread->status |= flag::kEnding;
        }
    }
    if (process.port != nullptr) {
        ipc::unbind(*process.port);
    }
    for (u32 i = 0; i < kMaxCpus; ++i) {
        const Thread* running = Scheduler::running(scheduler().cpus[i]);
        if (running != nullptr && running->process == &process && CpuId{i} != arch::cpu_index()) {
            expect_entry(process.cpu_entries, i);
        }
    }
    process.teardown_phase = 0;
    process.teardown_cursor = 0;
    objects().ending.push_back(process);
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
    return release_ended_thread();
}

}  // namespace kernel
