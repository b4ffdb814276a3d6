// SPDX-License-Identifier: Apache-2.0
#include <services/audit/task_directory.hpp>

namespace svc::audit {

std::string_view TaskDirectory::find(u64 sid) {
    if (sid == 0) {
        return {};
    }
    if (find_entry(sid) == nullptr && !asked_) {
        asked_ = true;
        refresh();
    }
    const Entry* const entry = find_entry(sid);
    return entry != nullptr ? entry->name.view() : std::string_view{};
}

const TaskDirectory::Entry* TaskDirectory::find_entry(u64 sid) const {
    for (const Entry& entry : entries_) {
        if (entry.sid == sid) {
            return &entry;
        }
    }
    return nullptr;
}

void TaskDirectory::refresh() {
    const auto reply = kernel_.GetTasksList();
    if (!reply.ok()) {
        return;
    }
    for (const auto& task : reply.value().tasks) {
        if (find_entry(task.sid) != nullptr) {
            continue;
        }
        const void* const bytes = &task.name[0];
        const std::string_view name{static_cast<const char*>(bytes), sizeof(task.name)};
        entries_[next_] = {.sid = task.sid, .name = sdk::Name<63>{name.substr(0, name.find('\0'))}};
        next_ = (next_ + 1) % kCapacity;
    }
}

}  // namespace svc::audit
