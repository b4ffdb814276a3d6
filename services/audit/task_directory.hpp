// SPDX-License-Identifier: Apache-2.0
// Names of processes by SID, remembered beyond their end: a denial is often the last thing that
// its process did. Asked of the kernel when a SID is unknown, once a batch.
#pragma once

#include <kl/core/Task.client.hpp>
#include <services/audit/explain.hpp>

namespace svc::audit {

class TaskDirectory final : public TaskNames {
public:
    explicit TaskDirectory(kl::core::Task::Proxy& kernel) : kernel_(kernel) {}

    /// A new batch of records begins: unknown SIDs may be asked for again.
    void begin_batch() { asked_ = false; }

    [[nodiscard]] std::string_view find(u64 sid) override;

private:
    static constexpr u32 kCapacity = 128;  // twice as many as live at a time

    struct Entry {
        u64 sid = 0;
        sdk::Name<63> name{};
    };

    [[nodiscard]] const Entry* find_entry(u64 sid) const;
    void refresh();

    kl::core::Task::Proxy& kernel_;
    Entry entries_[kCapacity]{};
    u32 next_ = 0;  // the oldest entry makes room
    bool asked_ = false;
};

}  // namespace svc::audit
