// SPDX-License-Identifier: Apache-2.0
// What init asks of the kernel, as a seam: kernel_services.cpp calls kl.core.*, a host test puts a
// simulated kernel behind it. Handles are init's own unless a comment says "of the task".
#pragma once

#include <kernel/base/result.hpp>
#include <kernel/base/types.hpp>
#include <span>
#include <string_view>

namespace svc::init {

using base::Result;
using base::s32;
using base::Status;
using base::u32;
using base::u64;
using base::u8;

/// Access of a mapping; never write and execute together.
enum class Access : u32 { Read, ReadWrite, ReadExecute };

struct TaskRequest {
    std::string_view name{};
    std::string_view eclass{};
    std::string_view program{};
    u64 memory = 0;
    u32 priority = 0;
};

/// How long a task's threads may run in each period; in microseconds. An amount of 0: no limit.
struct CpuBudget {
    u32 amount = 0;
    u32 period = 0;
};

struct SegmentRequest {
    u32 task = 0;
    u32 memory = 0;  ///< memory object, mapped from its start
    u64 address = 0;
    u64 size = 0;
    Access access = Access::Read;
};

struct EntryRequest {
    u32 task = 0;
    u64 entry = 0;
    u64 stack = 0;
    u64 argument = 0;
};

enum class EndReason : u32 { Exit = 0, Terminated = 1, Fault = 2 };

struct TaskEnd {
    EndReason reason = EndReason::Exit;
    s32 code = 0;  ///< of an exit; for a fault the syndrome (ESR_EL1)
    u64 address = 0;
    u64 pc = 0;
};

struct Entropy {
    u64 words[4]{};
};

/// Each operation fails as the kl.core method that it stands for.
class Kernel {
public:
    Kernel() = default;
    Kernel(const Kernel&) = delete;
    Kernel& operator=(const Kernel&) = delete;

    virtual Result<u32> create_task(const TaskRequest& request) = 0;
    virtual Result<void> limit_cpu(u32 task, const CpuBudget& budget) = 0;
    virtual Result<void> load_segment(const SegmentRequest& request) = 0;
    virtual Result<void> set_entry(const EntryRequest& request) = 0;
    virtual Result<void> resume(u32 task) = 0;
    virtual Result<void> terminate(u32 task) = 0;
    virtual Result<TaskEnd> get_end(u32 task) = 0;
    virtual Result<u64> get_sid(u32 task) = 0;
    /// The end of `task` is reported with `badge`.
    virtual Result<void> watch(u32 task, u64 badge) = 0;

    /// A zeroed memory object.
    virtual Result<u32> create_memory(u64 size) = 0;
    /// All of a memory object, writable.
    virtual Result<std::span<u8>> map(u32 memory, u64 size) = 0;
    virtual void unmap(std::span<u8> mapping) = 0;

    /// Handle of the task.
    virtual Result<u32> create_listener(u32 task) = 0;
    /// Handle of the client; a `client` of 0 is init itself.
    virtual Result<u32> connect(u32 client, u32 server) = 0;
    /// A client handle whose calls are init's endpoint Heartbeat, with this badge.
    virtual Result<u32> create_heartbeat(u64 badge) = 0;
    /// A line on the console behind a channel of init's own, or Timeout at `deadline`. Errors as
    /// drivers.Console.Write.
    virtual Status write_line(u32 channel, std::string_view line, u64 deadline) = 0;
    /// Handle of the task.
    virtual Result<u32> give(u32 handle, u32 rights, u32 task) = 0;
    virtual void close(u32 handle) = 0;

    virtual Result<u32> register_mmio(u64 base, u64 size) = 0;
    virtual Result<u32> register_irq(u32 line, bool is_edge) = 0;

    virtual Result<Entropy> get_entropy() = 0;
    /// CNTVCT.
    virtual u64 now() = 0;
    /// Its counts in a second; not 0.
    virtual u64 frequency() = 0;

protected:
    ~Kernel() = default;
};

}  // namespace svc::init
