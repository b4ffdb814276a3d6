// SPDX-License-Identifier: Apache-2.0
// A kernel as init sees it: tasks with mappings and handles, memory objects, resources. It keeps
// the rules that init depends on, counts every handle and mapping, and fails any call on request.
#pragma once

#include <functional>
#include <map>
#include <services/init/kernel.hpp>
#include <set>
#include <string>
#include <vector>

namespace fake {

using base::u32;
using base::u64;
using base::u8;
using svc::init::Access;
using svc::init::Result;
using svc::init::Status;

struct Mapping {
    u64 size = 0;
    Access access = Access::Read;
    std::vector<u8> content{};
};

struct Task {
    std::string name{};
    std::string eclass{};
    u64 memory = 0;
    u32 priority = 0;
    svc::init::CpuBudget cpu_budget{};
    std::map<u64, Mapping> mappings{};
    std::vector<std::string> handles{};  // what each handle given to it is
    u64 entry = 0;
    u64 stack = 0;
    u64 argument = 0;
    u64 badge = 0;
    bool serves = false;
    bool is_running = false;
    bool has_ended = false;
    svc::init::TaskEnd end{};
};

class Kernel final : public svc::init::Kernel {
public:
    Result<u32> create_task(const svc::init::TaskRequest& request) override;
    Result<void> limit_cpu(u32 task, const svc::init::CpuBudget& budget) override;
    Result<void> load_segment(const svc::init::SegmentRequest& request) override;
    Result<void> set_entry(const svc::init::EntryRequest& request) override;
    Result<void> resume(u32 task) override;
    Result<void> terminate(u32 task) override;
    Result<svc::init::TaskEnd> get_end(u32 task) override;
    Result<u64> get_sid(u32 task) override;
    Result<void> watch(u32 task, u64 badge) override;
    Result<u32> create_memory(u64 size) override;
    Result<std::span<u8>> map(u32 memory, u64 size) override;
    void unmap(std::span<u8> mapping) override;
    Result<u32> create_listener(u32 task) override;
    Result<u32> connect(u32 client, u32 server) override;
    Result<u32> create_heartbeat(u64 badge) override;
    Status write_line(u32 channel, std::string_view line, u64 deadline) override;
    Result<u32> give(u32 handle, u32 rights, u32 task) override;
    void close(u32 handle) override;
    Result<u32> register_mmio(u64 base, u64 size) override;
    Result<u32> register_irq(u32 line, bool is_edge) override;
    Result<svc::init::Entropy> get_entropy() override;

    u64 now() override { return ticks; }

    u64 frequency() override { return 1000; }

    /// The living task of that name; null when there is none.
    Task* find(const std::string& name);
    /// Ends it, as the kernel would report.
    u64 finish(const std::string& name, const svc::init::TaskEnd& end);

    /// The call with this number (from 1) fails; 0: none.
    u32 fail_at = 0;
    u32 calls = 0;
    u64 ticks = 1'000'000;
    u32 sids_asked = 0;
    std::set<std::string> refused_classes{};

    /// Handles of init that are open, by what they are.
    [[nodiscard]] u32 open_handles(const std::string& kind) const;
    u32 live_mappings = 0;
    std::vector<std::string> started{};
    std::vector<std::string> console{};     // lines that init wrote to it
    std::vector<Status> console_answers{};  // the next ones, before Ok

private:
    struct Object {
        std::string kind{};  // task, memory, mmio, irq
        u32 index = 0;
        std::string label{};
    };

    bool fails();
    u32 add(Object object);
    Task* task_of(u32 handle);

    std::map<u32, Object> handles_{};
    std::vector<Task> tasks_{};
    std::vector<std::vector<u8>> memories_{};
    std::set<std::string> resources_{};
    u32 next_handle_ = 0x0001'0010;
    u64 random_ = 0x1234'5678'9ABC'DEF0;
};

}  // namespace fake
