// SPDX-License-Identifier: Apache-2.0
// The seam's real side: kl.core.* by Call.
#pragma once

#include <services/init/kernel.hpp>

namespace svc::init {

class KernelServices final : public Kernel {
public:
    Result<u32> create_task(const TaskRequest& request) override;
    Result<void> limit_cpu(u32 task, const CpuBudget& budget) override;
    Result<void> load_segment(const SegmentRequest& request) override;
    Result<void> set_entry(const EntryRequest& request) override;
    Result<void> resume(u32 task) override;
    Result<void> terminate(u32 task) override;
    Result<TaskEnd> get_end(u32 task) override;
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
    Result<Entropy> get_entropy() override;
    u64 now() override;
    u64 frequency() override;

    /// init's own listener, on which ends of tasks are reported. As Handle.CreateListener.
    Result<u32> open_listener();
    /// Serves an endpoint of kl.core.Core as `number` of init's own. As Handle.Route.
    Status take_endpoint(u32 endpoint, u32 number);

private:
    u32 listener_ = 0;
};

}  // namespace svc::init
