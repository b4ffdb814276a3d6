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

namespace task = kl::core::Task;

Result<Process&> task_of(Thread& caller, u32 handle) {
    return resolve<Process>(*caller.process, handle, abi::rights::kControl);
}

bool is_name_taken(const char* name) {
    for (u32 i = 0; i < kMaxProcesses; ++i) {
        const Process* process = objects().processes.find(i);
        if (process != nullptr && process->state < ProcessState::Ended &&
            is_same_name(process->name, name)) {
            return true;
        }
    }
    return false;
}

Outcome create(Thread& caller, const task::Create_Request& in, task::Create_Response& out) {
    char name[kNameBytes];
    copy_text(name, kNameBytes, text_of(caller, in.name), in.name.size);
    const u32 class_length = in.eclass.size > 0 ? in.eclass.size - 1 : 0;
    const u16 class_id = policy().entry->find_class(text_of(caller, in.eclass), class_length);
    if (class_id == ksec::kNoClass) {
        return answer(out, Status::ResourceNotFound);
    }
    if (in.priority >= kPriorities || name[0] == '\0') {
        return answer(out, Status::InvalidArgument);
    }
    if (is_name_taken(name)) {
        return answer(out, Status::AlreadyExists);
    }
    const auto made = create_process(name, class_id, in.memory / base::kPageSize, in.priority);
    if (!made.ok()) {
        return answer(out, made.status());
    }
    Process& process = made.value();
    process.references = 1;
    SlotContent content{};
    content.type = SlotType::Task;
    content.object = &process;
    content.rights = abi::rights::kAll;
    const auto handle = insert_handle(*caller.process, content);
    if (!handle.ok()) {
        process.references = 0;
        end_process(process, {EndReason::Terminated, 0, 0, 0});
        return answer(out, handle.status());
    }
    out.task = own_handle(handle.value());
    undo_handle(caller, handle.value());
    return answer(out, Status::Ok);
}

Outcome load_seg(Thread& caller, const task::LoadSeg_Request& in, task::LoadSeg_Response& out) {
    const auto found = task_of(caller, in.task.handle);
    if (!found.ok()) {
        return answer(out, found.status());
    }
    Process& process = found.value();
    if (process.state != ProcessState::Building) {
        return answer(out, Status::NotReady);
    }
    RegionRequest request{};
    const Status valid = prepare_memory_mapping(
        *caller.process, in.mdl.handle, in.offset, in.size, in.flags, request);
    if (valid != Status::Ok && caller.kernel_state[1] == 0) {
        return answer(out, valid);
    }
    if (in.address == 0) {
        return answer(out, Status::InvalidArgument);
    }
    request.address = in.address;
    u64 at = 0;
    const auto mapped = map_in_steps(caller, process, request, at);
    const bool is_over = !mapped.ok() || mapped.value() == Outcome::Done;
    return is_over ? answer(out, mapped.status()) : Outcome::More;
}

Outcome set_entry(Thread& caller, const task::SetEntry_Request& in, task::SetEntry_Response& out) {
    const auto found = task_of(caller, in.task.handle);
    if (!found.ok() || found.value().state != ProcessState::Building) {
        return answer(out, found.ok() ? Status::NotReady : found.status());
    }
    if (in.entry >= kUserLimit || in.stack > kUserLimit || in.stack % 16 != 0) {
        return answer(out, Status::InvalidArgument);
    }
    found.value().entry = in.entry;
    found.value().stack = in.stack;
    found.value().argument = in.argument;
    return answer(out, Status::Ok);
}

Outcome resume(Thread& caller, const task::Resume_Request& in, task::Resume_Response& out) {
    const auto found = task_of(caller, in.task.handle);
    if (!found.ok() || found.value().state != ProcessState::Building || found.value().entry == 0) {
        return answer(out, found.ok() ? Status::NotReady : found.status());
    }
    Process& process = found.value();
    const Parties parties{ksec::Event::Execute, party_of(*caller.process), party_of(process)};
    if (!grant_message(parties, Message{})) {
        return answer(out, Status::SecurityDisallow);
    }
    return answer(out, start_process(process).status());
}

Outcome exit(Thread& caller, const task::Exit_Request& in, task::Exit_Response&) {
    end_process(*caller.process, {EndReason::Exit, in.code, 0, 0});
    return Outcome::Gone;
}

Outcome
terminate(Thread& caller, const task::Terminate_Request& in, task::Terminate_Response& out) {
    const auto found = task_of(caller, in.task.handle);
    if (!found.ok()) {
        return answer(out, found.status());
    }
    if (found.value().state > ProcessState::Running) {
        return answer(out, Status::Ok);
    }
    end_process(found.value(), {EndReason::Terminated, 0, 0, 0});
    return &found.value() == caller.process ? Outcome::Gone : answer(out, Status::Ok);
}

Outcome get_exit_info(Thread& caller,
                      const task::GetExitInfo_Request& in,
                      task::GetExitInfo_Response& out) {
    const auto found = task_of(caller, in.task.handle);
    if (!found.ok() || found.value().state < ProcessState::Ending) {
        return answer(out, found.ok() ? Status::NotReady : found.status());
    }
    const ExitInfo& info = found.value().exit;
    out.reason = static_cast<u32>(info.reason);
    out.code = info.code;
    out.address = info.address;
    out.pc = info.pc;
    return answer(out, Status::Ok);
}

void describe(const Process& process, task::TaskInfo& info) {
    info.sid = process.sid.value;
    const u64 rate = arch::ticks_per_second();
    info.cpuTimeNs =
        process.cpu_ticks / rate * 1'000'000'000 + process.cpu_ticks % rate * 1'000'000'000 / rate;
    info.state = process.state >= ProcessState::Ending ? 2 : static_cast<u32>(process.state);
    info.priority = process.priority;
    info.threads = process.thread_count;
    info.pagesUsed = static_cast<u32>(process.used_pages);
    info.pagesBudget = static_cast<u32>(process.budget_pages);
    info.handles = process.handles.used();
    info.classId = process.class_id;
    info.exitCode = process.exit.code;
    __builtin_memcpy(&info.name, process.name, kNameBytes);
}

Outcome get_tasks_list(Thread& caller,
                       const task::GetTasksList_Request&,
                       task::GetTasksList_Response& out) {
    const u32 count = objects().processes.used();
    const u32 size = count * static_cast<u32>(sizeof(task::TaskInfo));
    const auto arena = begin_response_arena(caller, size);
    if (!arena.ok()) {
        return answer(out, arena.status());
    }
    scheduler().charge_all();
    u8* at = arena.value();
    for (u32 i = 0; i < kMaxProcesses; ++i) {
        if (const Process* process = objects().processes.find(i); process != nullptr) {
            task::TaskInfo info{};
            describe(*process, info);
            __builtin_memcpy(at, &info, sizeof(info));
            at += sizeof(info);
        }
    }
    out.tasks = {0, size};
    return answer(out, Status::Ok);
}

Outcome get_info(Thread& caller, const task::GetInfo_Request&, task::GetInfo_Response& out) {
    out.sid = caller.process->sid.value;
    out.pagesLeft = caller.process->budget_pages - caller.process->used_pages;
    return answer(out, Status::Ok);
}

Result<u32> map_clock(Process& process) {
    RegionRequest request{};
    request.address = abi::kClockAddress;
    request.size = base::kPageSize;
    request.kind = RegionKind::Memory;
    request.object = system_state().clock;
    TRY_VALUE(Region & region, reserve_region(process, request));
    return map_region_step(process, region, 0, access_of(region));
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
};

}  // namespace

Result<Process&> create_process(const char* name, u16 class_id, u64 budget_pages, u32 priority) {
    Process* process = objects().processes.take();
    if (process == nullptr) {
        return Status::OutOfMemory;
    }
    process->sid = objects().next_sid();
    const u64 secret = arch::kEntropyOfProcesses + 4 * process->sid.value;
    process->pointer_key[0] = arch::boot_entropy(secret);
    process->pointer_key[1] = arch::boot_entropy(secret + 1);
    process->map_base = choose_map_base(arch::boot_entropy(secret + 2));
    process->class_id = class_id;
    process->budget_pages = budget_pages;
    process->priority = priority;
    copy_text(process->name, kNameBytes, name, kNameBytes);
    const auto give_up = [process](Status status) {
        objects().processes.give(*process);
        return status;
    };
    if (const auto charged = process->charge(u64{1} << kHandleTableOrder); !charged.ok()) {
        return give_up(charged.status());
    }
    const auto slots = frames().take_raw(kHandleTableOrder);
    if (!slots.ok()) {
        return give_up(slots.status());
    }
    process->handle_memory = slots.value();
    process->handles.initialize(arch::linear<Slot>(slots.value()), kHandlesPerProcess);
    const u16 asid = static_cast<u16>(objects().processes.index_of(*process) + 1);
    const auto table = arch::PageTable::create(*process, base::Asid{asid});
    if (!table.ok()) {
        frames().give(slots.value(), kHandleTableOrder);
        return give_up(table.status());
    }
    process->table = table.value();
    SlotContent content{};
    content.type = SlotType::Kernel;
    content.object = &endpoints().core;
    content.rights = abi::rights::kCall;
    content.row = policy().entry->row(class_id, policy().entry->core_class);
    [[maybe_unused]] const auto kernel_channel = insert_handle(*process, content);
    if (const auto mapped = map_clock(*process); !mapped.ok()) {
        end_process(*process, {EndReason::Terminated, 0, 0, 0});
        return mapped.status();
    }
    return *process;
}

Result<void> start_process(Process& process) {
    TRY_VALUE(Thread & first,
              create_thread(
                  process, process.entry, process.stack, process.argument, 0, process.priority));
    process.state = ProcessState::Running;
    scheduler().wake(first);
    return {};
}

constinit const Interface kTask = Served<kMethods>::kInterface;

}  // namespace kernel::control
