// SPDX-License-Identifier: Apache-2.0
// kl.core.Task: processes are built by their parent, piece by piece, and start only when ksec
// grants `execute`.
#include <arch/inline.hpp>
#include <kernel/abi/clock.hpp>
#include <kernel/control/service.hpp>
#include <kernel/control/teardown.hpp>
#include <kl/core/Task.idl.hpp>

namespace kernel::control {

namespace {

using namespace kl::core::Task;

/// One that does not run yet.
Result<Process&> new_task(Thread& caller, u32 handle) {
    TRY_VALUE(Process & process, resolve<Process>(*caller.process, handle, abi::rights::kControl));
    return process.state == ProcessState::Building ? Result<Process&>{process} : Status::NotReady;
}

/// One that is kept after its end.
Result<Process&> kept_task(Thread& caller, u32 handle) {
    TRY_VALUE(Process & process, resolve<Process>(*caller.process, handle, abi::rights::kControl));
    return is_kept(process) ? Result<Process&>{process} : Status::NotReady;
}

bool is_name_taken(const char* name) {
    for (u32 i = 0; i < kMaxProcesses; ++i) {
        const Process* process = objects().processes.find(i);
        if (process != nullptr && process->state < ProcessState::Kept &&
            is_same_name(process->name, name)) {
            return true;
        }
    }
    return false;
}

Result<Outcome> create(Thread& caller, const Create_Request& in, Create_Response& out) {
    u64& named_class = caller.kernel_state[0];  // by the first step, plus one
    if (named_class == 0) {
        const base::Text name = text_of(caller, in.eclass);
        const u16 found = policy().entry->find_class(name.data(), static_cast<u32>(name.size()));
        named_class = u64{found} + 1;
        return found == ksec::kNoClass ? Result<Outcome>{Status::ResourceNotFound} : Outcome::More;
    }
    const auto class_id = static_cast<u16>(named_class - 1);
    alignas(u64) char name[kNameBytes]{};
    copy_text(name, kNameBytes, text_of(caller, in.name));
    if (in.priority >= kPriorities || name[0] == '\0') {
        return Status::InvalidArgument;
    }
    if (is_name_taken(name)) {
        return Status::AlreadyExists;
    }
    TRY_VALUE(Process & process,
              create_process(name, class_id, in.memory / base::kPageSize, in.priority));
    const auto handle = name_object(*caller.process, process, abi::rights::kAll);
    if (!handle.ok()) {
        end_process(process, {EndReason::Terminated, 0, 0, 0});
        return handle.status();
    }
    copy_text(process.path, kPathBytes, text_of(caller, in.path));
    out.task = give_handle(caller, handle.value());
    return Outcome::Done;
}

Result<Outcome> load_seg(Thread& caller, const LoadSeg_Request& in, LoadSeg_Response&) {
    TRY_VALUE(Process & process, new_task(caller, in.task.handle));
    if (in.address == 0) {
        return Status::InvalidArgument;
    }
    u64 at = 0;
    return map_memory(caller, process, {in.mdl, in.offset, in.size, in.address, in.flags}, at);
}

Result<Outcome> vm_reserve(Thread& caller, const VmReserve_Request& in, VmReserve_Response& out) {
    TRY_VALUE(Process & process, new_task(caller, in.task.handle));
    return allocate_memory(caller, process, {in.hint, in.size, in.flags}, out.at);
}

Result<Outcome> vm_free(Thread& caller, const VmFree_Request& in, VmFree_Response&) {
    TRY_VALUE(Process & process, new_task(caller, in.task.handle));
    return free_region(caller, process, in.address, in.size);
}

Result<Outcome> set_env(Thread& caller, const SetEnv_Request& in, SetEnv_Response&) {
    TRY_VALUE(Process & process, new_task(caller, in.task.handle));
    if (process.environment != 0) {
        return Status::AlreadyExists;
    }
    u64 at = 0;
    const auto mapped =
        map_memory(caller, process, {in.mdl, 0, in.size, 0, kl::core::VMM::Read}, at);
    if (mapped.ok() && mapped.value() == Outcome::Done) {
        process.environment = at;
        process.environment_size = in.size;
    }
    return mapped;
}

Result<Outcome> free_self_env(Thread& caller, const FreeSelfEnv_Request&, FreeSelfEnv_Response&) {
    Process& process = *caller.process;
    const auto freed = free_region(caller, process, process.environment, process.environment_size);
    if (freed.ok() && freed.value() == Outcome::Done) {
        process.environment = 0;
    }
    return freed;
}

Result<Outcome> set_entry(Thread& caller, const SetEntry_Request& in, SetEntry_Response&) {
    TRY_VALUE(Process & process, new_task(caller, in.task.handle));
    if (in.entry >= kUserLimit || in.stack > kUserLimit || in.stack % 16 != 0) {
        return Status::InvalidArgument;
    }
    process.entry = in.entry;
    process.stack = in.stack;
    process.argument = in.argument;
    return Outcome::Done;
}

Result<Outcome> resume(Thread& caller, const Resume_Request& in, Resume_Response&) {
    TRY_VALUE(Process & process, new_task(caller, in.task.handle));
    if (process.entry == 0) {
        return Status::NotReady;
    }
    const Parties parties{ksec::Event::Execute, party_of(*caller.process), party_of(process)};
    if (!grant_message(parties, Message{})) {
        return Status::SecurityDisallow;
    }
    TRY(start_process(process));
    return Outcome::Done;
}

Result<Outcome> exit(Thread& caller, const Exit_Request& in, Exit_Response&) {
    end_process(*caller.process, {EndReason::Exit, in.code, 0, 0});
    return Outcome::Gone;
}

Result<Outcome> terminate(Thread& caller, const Terminate_Request& in, Terminate_Response&) {
    TRY_VALUE(Process & process,
              resolve<Process>(*caller.process, in.task.handle, abi::rights::kControl));
    if (process.state > ProcessState::Running) {
        return Outcome::Done;
    }
    end_process(process, {EndReason::Terminated, 0, 0, 0});
    return &process == caller.process ? Outcome::Gone : Outcome::Done;
}

Result<Outcome>
get_exit_info(Thread& caller, const GetExitInfo_Request& in, GetExitInfo_Response& out) {
    TRY_VALUE(const Process& process,
              resolve<Process>(*caller.process, in.task.handle, abi::rights::kControl));
    if (process.state < ProcessState::Ending) {
        return Status::NotReady;
    }
    out.reason = static_cast<u32>(process.exit.reason);
    out.code = process.exit.code;
    out.address = process.exit.address;
    out.pc = process.exit.pc;
    return Outcome::Done;
}

void describe(const Process& process, TaskInfo& info) {
    info.sid = process.sid.value;
    const u64 rate = arch::ticks_per_second();
    info.cpuTimeNs =
        process.cpu_ticks / rate * 1'000'000'000 + process.cpu_ticks % rate * 1'000'000'000 / rate;
    info.state = process.state >= ProcessState::Ending ? 2 : static_cast<u32>(process.state);
    info.priority = process.priority;
    info.threads = process.threads.count();
    info.pagesUsed = static_cast<u32>(process.used_pages);
    info.pagesBudget = static_cast<u32>(process.budget_pages);
    info.handles = process.handles.used();
    info.classId = process.class_id;
    info.exitCode = process.exit.code;
    __builtin_memcpy(&info.name, process.name, kNameBytes);
}

Result<Outcome>
get_tasks_list(Thread& caller, const GetTasksList_Request&, GetTasksList_Response& out) {
    constexpr u64 kSize = sizeof(TaskInfo);
    constexpr u64 kStep = 8 * kSize;
    u64& size = caller.kernel_state[0];  // of the list so far
    if (caller.cursor == 0) {
        TRY(begin_response_arena(caller, static_cast<u32>(objects().processes.used() * kSize)));
        scheduler().charge_all();
    }
    u8* const list = ipc::staged_fixed(caller.message) + kStagedArenaOffset;
    const u64 room = caller.message.arena_size;  // new ones may come between two steps
    const u64 stop = room - size < kStep ? room : size + kStep;
    for (; size < stop && caller.cursor < kMaxProcesses; ++caller.cursor) {
        if (const Process* process = objects().processes.find(caller.cursor); process != nullptr) {
            TaskInfo info{};
            describe(*process, info);
            __builtin_memcpy(list + size, &info, kSize);
            size += kSize;
        }
    }
    if (size < room && caller.cursor < kMaxProcesses) {
        return Outcome::More;
    }
    out.tasks = {0, static_cast<u32>(size)};
    caller.message.arena_size = out.tasks.size;
    return Outcome::Done;
}

Result<Outcome>
keep_after_fault(Thread& caller, const KeepAfterFault_Request& in, KeepAfterFault_Response&) {
    TRY_VALUE(Process & process, new_task(caller, in.task.handle));
    process.keeps_remains = true;
    return Outcome::Done;
}

Result<Outcome> get_thread_context(Thread& caller,
                                   const GetThreadContext_Request& in,
                                   GetThreadContext_Response& out) {
    TRY_VALUE(const Process& process, kept_task(caller, in.task.handle));
    const Thread* thread = next_thread(process.threads, 0);
    for (u32 i = 0; thread != nullptr && i < in.index; ++i) {
        thread = next_thread(process.threads, thread->index + 1);
    }
    if (thread == nullptr) {
        return Status::ResourceNotFound;
    }
    constexpr u32 kSize = NumRegisters * sizeof(u64);
    TRY_VALUE(u8* const registers, begin_response_arena(caller, kSize));
    const arch::Frame& frame = thread->frame;
    const u64 special[] = {frame.sp, frame.pc, frame.pstate};
    __builtin_memcpy(registers, frame.x, sizeof(frame.x));
    __builtin_memcpy(registers + sizeof(frame.x), frame.x19_x30, sizeof(frame.x19_x30));
    __builtin_memcpy(registers + kSize - sizeof(special), special, sizeof(special));
    out.thread = thread_id(*thread);
    out.registers = {0, kSize};
    return Outcome::Done;
}

Result<Outcome>
read_memory(Thread& caller, const ReadMemory_Request& in, ReadMemory_Response& out) {
    TRY_VALUE(const Process& process, kept_task(caller, in.task.handle));
    if (in.size == 0 || in.size > MaxRead) {
        return Status::InvalidArgument;
    }
    TRY_VALUE(u8* const data, begin_response_arena(caller, in.size));
    TRY(copy_from_user(process.table, base::UserAddr{in.address}, data, in.size));
    out.data = {0, in.size};
    return Outcome::Done;
}

Result<Outcome> terminate_after_freezing(Thread& caller,
                                         const TerminateAfterFreezing_Request& in,
                                         TerminateAfterFreezing_Response&) {
    TRY_VALUE(Process & process, kept_task(caller, in.task.handle));
    stop_keeping(process);
    return Outcome::Done;
}

Result<Outcome> get_name(Thread& caller, const GetName_Request& in, GetName_Response& out) {
    TRY_VALUE(const Process& process, controlled_task(caller, in.task.handle));
    return answer_text(caller, text_in(process.name, kNameBytes), out.name);
}

Result<Outcome> get_path(Thread& caller, const GetPath_Request& in, GetPath_Response& out) {
    TRY_VALUE(const Process& process, controlled_task(caller, in.task.handle));
    return answer_text(caller, text_in(process.path, kPathBytes), out.path);
}

Result<Outcome> get_initial_priority(Thread& caller,
                                     const GetInitialThreadPriority_Request& in,
                                     GetInitialThreadPriority_Response& out) {
    TRY_VALUE(const Process& process, controlled_task(caller, in.task.handle));
    out.priority = process.first_priority;
    return Outcome::Done;
}

Result<Outcome> set_initial_priority(Thread& caller,
                                     const SetInitialThreadPriority_Request& in,
                                     SetInitialThreadPriority_Response&) {
    TRY_VALUE(Process & process, new_task(caller, in.task.handle));
    if (in.priority > process.priority) {
        return Status::InvalidArgument;
    }
    process.first_priority = in.priority;
    return Outcome::Done;
}

Result<Outcome> set_initial_policy(Thread& caller,
                                   const SetInitialThreadSchedPolicy_Request& in,
                                   SetInitialThreadSchedPolicy_Response&) {
    TRY_VALUE(Process & process, new_task(caller, in.task.handle));
    if (slice_of(in.kind, in.parameter).value == 0 || in.priority > process.priority) {
        return Status::InvalidArgument;
    }
    process.first_priority = in.priority;
    process.first_policy = in.kind;
    process.first_slice_us = in.parameter;
    return Outcome::Done;
}

/// Whoever knows the seed learns nothing, and a bad one does no harm: it is added to a number that
/// only the kernel knows.
Result<Outcome> reseed_aslr(Thread&, const ReseedAslr_Request& in, ReseedAslr_Response&) {
    u64& seed = system_state().placement_seed;
    seed = std::rotl(seed, 1) ^ in.seed;
    return Outcome::Done;
}

Result<Outcome>
get_next_region(Thread& caller, const GetNextVmRegion_Request& in, GetNextVmRegion_Response& out) {
    TRY_VALUE(Process & process, controlled_task(caller, in.task.handle));
    for (const Region& region : process.regions) {
        if (region.base.value + region.pages.bytes().value > in.address) {
            return describe_region(process, region, region.base.value, out);
        }
    }
    return Status::ResourceNotFound;
}

Result<Outcome>
set_cpu_budget(Thread& caller, const SetCpuBudget_Request& in, SetCpuBudget_Response&) {
    TRY_VALUE(Process & process, new_task(caller, in.task.handle));
    const bool is_period = in.period >= MinCpuPeriod && in.period <= MaxCpuPeriod;
    if (!is_period || in.amount == 0 || in.amount > u64{in.period} * kMaxCpus) {
        return Status::InvalidArgument;
    }
    limit_cpu(process, ticks_of(in.amount), ticks_of(in.period));
    return Outcome::Done;
}

Result<Outcome> get_info(Thread& caller, const GetInfo_Request&, GetInfo_Response& out) {
    out.sid = caller.process->sid.value;
    out.pagesLeft = caller.process->budget_pages - caller.process->used_pages;
    return Outcome::Done;
}

/// The first of the random numbers that are a process's own.
u64 secret_of(const Process& process) { return arch::kEntropyOfProcesses + 4 * process.sid.value; }

/// Where the clock page will be.
Result<Region&> reserve_clock(Process& process) {
    return reserve_region(process,
                          {.address = abi::kClockAddress,
                           .size = base::kPageSize,
                           .kind = RegionKind::Memory,
                           .object = system_state().clock});
}

constexpr MethodEntry kMethods[] = {
    kMethod<create>,
    kMethod<load_seg>,
    kMethod<set_entry>,
    kMethod<resume>,
    kMethod<exit>,
    kMethod<terminate>,
    kMethod<get_exit_info>,
    kMethod<get_tasks_list>,
    kMethod<get_info>,
    kMethod<vm_reserve>,
    kMethod<vm_free>,
    kUnserved,  // LoadElfSyms
    kUnserved,  // LoadElfHdr
    kMethod<set_env>,
    kMethod<free_self_env>,
    kMethod<get_thread_context>,
    kMethod<get_next_region>,
    kMethod<terminate_after_freezing>,
    kMethod<get_name>,
    kMethod<get_path>,
    kMethod<get_initial_priority>,
    kMethod<set_initial_priority>,
    kMethod<set_initial_policy>,
    kMethod<reseed_aslr>,
    kUnserved,  // GetElfSyms
    kMethod<set_cpu_budget>,
    kMethod<keep_after_fault>,
    kMethod<read_memory>,
};

}  // namespace

Result<Process&> create_process(const char* name, u16 class_id, u64 budget_pages, u32 priority) {
    Process* process = objects().processes.take();
    if (process == nullptr) {
        return Status::OutOfMemory;
    }
    process->sid = objects().next_sid();
    process->map_base = choose_map_base(arch::boot_entropy(secret_of(*process) + 2) ^
                                        system_state().placement_seed);
    process->class_id = class_id;
    process->budget_pages = budget_pages;
    process->priority = priority;
    process->first_priority = priority;
    copy_text(process->name, kNameBytes, text_in(name, kNameBytes));
    const auto give_up = [process](Status status) {
        objects().processes.give(*process);
        return status;
    };
    const auto slots = process->take_block(kHandleTableOrder);
    if (!slots.ok()) {
        return give_up(slots.status());
    }
    process->handle_memory = slots.value();
    for (u32 i = 0; i < 1u << kHandleTableOrder; ++i) {
        arch::zero_frame(slots.value() + PageCount{i}.bytes());
    }
    process->handles.initialize(arch::linear<Slot>(slots.value()), kHandlesPerProcess);
    const u16 asid = static_cast<u16>(objects().processes.index_of(*process) + 1);
    const auto table = arch::PageTable::create(*process, base::Asid{asid});
    if (!table.ok()) {
        frames().give(slots.value(), kHandleTableOrder);
        return give_up(table.status());
    }
    process->table = table.value();
    const ksec::Row* row = policy().entry->row(class_id, policy().entry->core_class);
    [[maybe_unused]] const auto kernel_channel = insert_handle(*process,
                                                               {.rights = abi::rights::kCall,
                                                                .object = &endpoints().core,
                                                                .row = row,
                                                                .type = SlotType::Kernel});
    ++endpoints().core.references;
    if (const auto reserved = reserve_clock(*process); !reserved.ok()) {
        end_process(*process, {EndReason::Terminated, 0, 0, 0});
        return reserved.status();
    }
    return *process;
}

Result<void> start_process(Process& process) {
    process.pointer_key[0] = arch::boot_entropy(secret_of(process));
    process.pointer_key[1] = arch::boot_entropy(secret_of(process) + 1);
    const Region* clock = find_region(process, base::VirtAddr{abi::kClockAddress});
    const bool is_there = clock != nullptr && clock->object == system_state().clock;  // not freed
    const auto mapped = is_there ? map_page(process, *clock, 0, access_of(*clock)) : Result<void>{};
    if (!mapped.ok() && mapped.status() != Status::AlreadyExists) {  // by an attempt before
        return mapped.status();
    }
    TRY_VALUE(
        Thread & first,
        create_thread(
            process, process.entry, process.stack, process.argument, 0, process.first_priority));
    set_policy(first, process.first_policy, process.first_slice_us);
    first.frame.x[1] = process.environment;
    first.frame.x[2] = process.environment_size;
    process.state = ProcessState::Running;
    scheduler().wake(first);
    return {};
}

constinit const Interface kTask = Served<kMethods>::kInterface;

}  // namespace kernel::control
