// SPDX-License-Identifier: Apache-2.0
#include "fake_kernel.hpp"

namespace fake {

bool Kernel::fails() { return ++calls == fail_at; }

u32 Kernel::add(Object object) {
    handles_[next_handle_] = std::move(object);
    return next_handle_++;
}

Task* Kernel::task_of(u32 handle) {
    const auto found = handles_.find(handle);
    return found == handles_.end() || found->second.kind != "task" ? nullptr
                                                                   : &tasks_[found->second.index];
}

Task* Kernel::find(const std::string& name) {
    for (Task& task : tasks_) {
        if (task.name == name && !task.has_ended) {
            return &task;
        }
    }
    return nullptr;
}

u64 Kernel::finish(const std::string& name, const svc::init::TaskEnd& end) {
    Task* task = find(name);
    task->has_ended = true;
    task->is_running = false;
    task->end = end;
    return task->badge;
}

u32 Kernel::open_handles(const std::string& kind) const {
    u32 count = 0;
    for (const auto& [handle, object] : handles_) {
        count += object.kind == kind ? 1 : 0;
    }
    return count;
}

Result<u32> Kernel::create_task(const svc::init::TaskRequest& request) {
    if (fails()) {
        return Status::OutOfMemory;
    }
    if (refused_classes.contains(std::string(request.eclass))) {
        return Status::ResourceNotFound;
    }
    if (find(std::string(request.name)) != nullptr) {
        return Status::AlreadyExists;
    }
    Task task;
    task.name = request.name;
    task.eclass = request.eclass;
    task.memory = request.memory;
    task.priority = request.priority;
    tasks_.push_back(std::move(task));
    return add({.kind = "task", .index = static_cast<u32>(tasks_.size() - 1)});
}

Result<void> Kernel::load_segment(const svc::init::SegmentRequest& request) {
    if (fails()) {
        return Status::OutOfMemory;
    }
    Task* task = task_of(request.task);
    const auto memory = handles_.find(request.memory);
    if (task == nullptr || memory == handles_.end()) {
        return Status::BadHandle;
    }
    if (task->is_running || request.address % 4096 != 0 || request.size % 4096 != 0) {
        return Status::InvalidArgument;
    }
    for (const auto& [address, mapping] : task->mappings) {
        if (request.address < address + mapping.size && address < request.address + request.size) {
            return Status::AlreadyExists;
        }
    }
    task->mappings[request.address] = {
        .size = request.size, .access = request.access, .content = memories_[memory->second.index]};
    return {};
}

Result<void> Kernel::limit_cpu(u32 task, const svc::init::CpuBudget& budget) {
    if (fails()) {
        return Status::InvalidArgument;
    }
    task_of(task)->cpu_budget = budget;
    return {};
}

Result<void> Kernel::set_entry(const svc::init::EntryRequest& request) {
    if (fails()) {
        return Status::InvalidArgument;
    }
    Task* task = task_of(request.task);
    task->entry = request.entry;
    task->stack = request.stack;
    task->argument = request.argument;
    return {};
}

Result<void> Kernel::resume(u32 handle) {
    if (fails()) {
        return Status::SecurityDisallow;
    }
    Task* task = task_of(handle);
    task->is_running = true;
    started.push_back(task->name);
    return {};
}

Result<void> Kernel::terminate(u32 handle) {
    Task* task = task_of(handle);
    if (task == nullptr) {
        return Status::BadHandle;
    }
    task->has_ended = true;
    task->is_running = false;
    task->end = {.reason = svc::init::EndReason::Terminated};
    return {};
}

Result<svc::init::TaskEnd> Kernel::get_end(u32 handle) {
    Task* task = task_of(handle);
    if (task == nullptr) {
        return Status::BadHandle;
    }
    if (!task->has_ended) {
        return Status::NotReady;
    }
    return task->end;
}

/// 1000 and the place in the order of creation.
Result<u64> Kernel::get_sid(u32 handle) {
    const Task* task = task_of(handle);
    if (task == nullptr) {
        return Status::BadHandle;
    }
    ++sids_asked;
    return 1000 + static_cast<u64>(task - tasks_.data());
}

Result<void> Kernel::watch(u32 handle, u64 badge) {
    if (fails()) {
        return Status::OutOfMemory;
    }
    task_of(handle)->badge = badge;
    return {};
}

Result<u32> Kernel::create_memory(u64 size) {
    if (fails() || size == 0 || size % 4096 != 0) {
        return Status::OutOfMemory;
    }
    memories_.emplace_back(size);
    return add({.kind = "memory", .index = static_cast<u32>(memories_.size() - 1)});
}

Result<std::span<u8>> Kernel::map(u32 memory, u64 size) {
    if (fails()) {
        return Status::OutOfMemory;
    }
    ++live_mappings;
    auto& bytes = memories_[handles_.at(memory).index];
    return std::span<u8>{bytes}.first(size);
}

void Kernel::unmap(std::span<u8>) { --live_mappings; }

Result<u32> Kernel::create_listener(u32 handle) {
    if (fails()) {
        return Status::OutOfMemory;
    }
    Task* task = task_of(handle);
    task->serves = true;
    task->handles.push_back("listener");
    return static_cast<u32>(0x0001'0000 + task->handles.size());
}

Status Kernel::write_line(u32 channel, std::string_view line, u64 deadline) {
    if (!console_answers.empty()) {
        const Status status = console_answers.front();
        console_answers.erase(console_answers.begin());
        if (status == Status::Timeout) {
            ticks = deadline;
        }
        return status;
    }
    const auto found = handles_.find(channel);
    if (found == handles_.end() || found->second.kind != "channel") {
        return Status::BadHandle;
    }
    console.emplace_back(line);
    return Status::Ok;
}

Result<u32> Kernel::connect(u32 client, u32 server) {
    if (fails()) {
        return Status::OutOfMemory;
    }
    Task* to = task_of(server);
    if (client == 0 && to != nullptr) {
        return to->serves ? add({.kind = "channel", .index = 0, .label = to->name})
                          : Result<u32>{Status::NotReady};
    }
    Task* from = task_of(client);
    if (from == nullptr || to == nullptr) {
        return Status::BadHandle;
    }
    if (!to->serves) {
        return Status::NotReady;
    }
    from->handles.push_back("channel " + to->name);
    return static_cast<u32>(0x0001'0000 + from->handles.size());
}

Result<u32> Kernel::create_heartbeat(u64 badge) {
    if (fails()) {
        return Status::OutOfMemory;
    }
    return add({.kind = "heartbeat", .label = "heartbeat " + std::to_string(badge)});
}

Result<u32> Kernel::give(u32 handle, u32 rights, u32 task) {
    if (fails()) {
        return Status::OutOfMemory;
    }
    Task* to = task_of(task);
    to->handles.push_back(handles_.at(handle).label + " rights " + std::to_string(rights));
    return static_cast<u32>(0x0001'0000 + to->handles.size());
}

void Kernel::close(u32 handle) { handles_.erase(handle); }

Result<u32> Kernel::register_mmio(u64 base, u64 size) {
    if (fails()) {
        return Status::OutOfMemory;
    }
    const std::string label = "mmio " + std::to_string(base) + "+" + std::to_string(size);
    if (base % 4096 != 0 || size % 4096 != 0 || !resources_.insert(label).second) {
        return Status::Busy;
    }
    return add({.kind = "mmio", .label = label});
}

Result<u32> Kernel::register_irq(u32 line, bool is_edge) {
    if (fails()) {
        return Status::OutOfMemory;
    }
    const std::string label = "irq " + std::to_string(line) + (is_edge ? " edge" : " level");
    if (!resources_.insert(label).second) {
        return Status::Busy;
    }
    return add({.kind = "irq", .label = label});
}

Result<svc::init::Entropy> Kernel::get_entropy() {
    if (fails()) {
        return Status::NotReady;
    }
    svc::init::Entropy entropy;
    for (u64& word : entropy.words) {
        random_ = random_ * 6364136223846793005u + 1442695040888963407u;
        word = random_ >> 11;
    }
    return entropy;
}

}  // namespace fake
