// SPDX-License-Identifier: Apache-2.0
// The machine behind test/mock_arch, as tests see it. One machine a process; a test starts with
// reset(). Nothing here runs by itself: the clock stands still, no interrupt arrives, and the CPUs
// take turns when the test says so.
#pragma once

#include <arch/percpu.h>
#include <deque>
#include <kernel/base/types.hpp>
#include <kernel/hal/boot_info.hpp>
#include <kernel/hal/entry.hpp>
#include <kernel/hal/machine.hpp>
#include <map>
#include <mock/fp_state.hpp>
#include <mock/ghost_tlb.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace mock {

using base::Asid;
using base::Bytes;
using base::CpuId;
using base::IrqLine;
using base::PhysAddr;
using base::Ticks;
using base::u32;
using base::u64;
using base::u8;
using base::VirtAddr;

inline constexpr PhysAddr kMemoryBase{0x4000'0000};
inline constexpr Bytes kMemorySize{64u << 20};
inline constexpr u64 kTicksPerSecond = 62'500'000;

/// Thrown where a real machine would stop: a failed KASSERT, or misuse of kernel/hal.
struct Stop {
    std::string reason;
};

/// Thrown by wait_for_interrupt when nothing is pending, and by stop_cpu: the test has the CPU
/// back.
struct Idle {};

/// Thrown by power_off and reset.
struct PowerOff {
    u32 code = 0;
    bool reset = false;
};

/// Thrown when the lock was taken `lock_limit` times: the kernel waits for another CPU, or for
/// ever.
struct Spinning {};

/// Thrown by enter_thread, from which a real CPU does not come back either.
struct Entered {
    arch::Frame* frame = nullptr;
};

/// State of one interrupt line.
struct Line {
    bool enabled = false;
    bool edge = false;
    bool pending = false;
    bool active = false;  ///< taken and not yet finished
    CpuId cpu{};
    u32 taken = 0;     ///< how often irq_take returned it
    u32 finished = 0;  ///< how often irq_finish was called
};

struct Cpu {
    arch::PerCpu per_cpu{};
    std::optional<Ticks> timer;  ///< what set_timer asked for
    bool kicked = false;         ///< an SGI is pending
    bool started = false;
    u32 timers_set = 0;  ///< calls of set_timer
    u32 kicks = 0;       ///< SGIs sent to it
    u32 waits = 0;       ///< calls of wait_for_interrupt
    arch::FpState fp{};
    bool fp_enabled = false;
    u32 user_space_left = 0;  ///< calls of leave_user_space
    u64 user_space = 0;       ///< the root that is loaded, with its ASID; 0: the empty space
};

/// What tlb_drop_page and tlb_drop_space were asked for; a whole space has no page.
struct TlbDrop {
    Asid asid{};
    std::optional<VirtAddr> page;

    friend bool operator==(const TlbDrop&, const TlbDrop&) = default;
};

struct KernelPage {
    PhysAddr frame{};
    arch::Access access{};
};

class Machine final {
public:
    /// Everything as at power-on; RAM holds the byte 0xA5 throughout, so that a frame that was not
    /// cleared shows.
    void reset(u32 cpu_count = 1);

    // --- what a test does ------------------------------------------------------------------------

    /// The CPU on which the kernel runs from now on.
    void select(CpuId cpu);

    void advance(Ticks by) { clock_ = Ticks{clock_.value + by.value}; }

    void set_clock(Ticks to) { clock_ = to; }

    /// Each reading of the clock moves it on by this many ticks, for code that polls.
    void set_clock_step(Ticks step) { clock_step_ = step; }

    /// A device raises its line.
    void raise(IrqLine line) { lines[line.value].pending = true; }

    /// Interrupts a CPU would take now.
    [[nodiscard]] bool is_pending(CpuId cpu) const;
    /// RAM for the frame allocator: all of it but the first `reserved` bytes.
    [[nodiscard]] kernel::BootInfo boot_info(Bytes reserved) const;

    /// The selected CPU comes to EL0 with these tables loaded.
    void load_user_space(u64 root);
    /// Stops when a CPU has these tables loaded: they are about to go.
    void require_unloaded(u64 root) const;

    /// Text written by console_write, taken out.
    std::string take_console() { return std::exchange(console, {}); }

    Cpu cpus[kernel::kMaxCpus];
    std::map<u32, Line> lines;
    std::vector<TlbDrop> tlb_drops;
    GhostTlb* tlb = nullptr;                                ///< of a test that wants one
    std::vector<PhysAddr> synced_frames;                    ///< by sync_code
    std::vector<PhysAddr> flushed_frames;                   ///< by flush_frame
    std::map<u64, KernelPage> kernel_pages;                 ///< by map_kernel_page
    std::vector<std::pair<PhysAddr, Bytes>> device_ranges;  ///< is_device_range
    u32 assignable_from = 32;                               ///< irq_is_assignable: these lines ...
    u32 assignable_to = 288;                                ///< ... up to, not including, this one
    bool start_cpu_succeeds = true;
    bool can_stop_cpus = true;
    std::string boot_arguments;
    u64 entropy_seed = 1;
    std::string console;
    u32 zeroed_frames = 0;
    u64 copied_bytes = 0;
    u32 lock_holds = 0;
    u32 lock_limit = ~u32{0};

    // --- what the headers in arch/ do ------------------------------------------------------------

    [[nodiscard]] Cpu& current() { return cpus[selected_]; }

    [[nodiscard]] u32 cpu_count() const { return cpu_count_; }

    Ticks read_clock();
    /// Host address of `size` bytes of RAM. Stops when they are not all RAM of one frame that is
    /// in the linear map, or misaligned.
    [[nodiscard]] void* memory_at(PhysAddr at, u64 size, u64 alignment);
    [[nodiscard]] PhysAddr physical_of(const void* pointer) const;
    [[nodiscard]] bool is_memory(PhysAddr at, u64 size) const;
    void leave_linear_map(PhysAddr frame);
    u32 acquire(u32& word);
    void release(u32& word, u32 ticket);

    [[nodiscard]] bool is_locked() const { return held_ != nullptr; }

private:
    u32 selected_ = 0;
    u32 cpu_count_ = 1;
    Ticks clock_{};
    Ticks clock_step_{};
    u32* held_ = nullptr;
    std::vector<bool> unmapped_;  // frames that have left the linear map
};

Machine& machine();

/// Ends the test: a kernel bug, or misuse of the mock.
[[noreturn]] void stop(std::string reason);

/// Runs `body` in a child process and tells whether it stopped; for stops inside destructors, which
/// no exception can leave. `body` must not use Catch2.
bool stops_in_child(void (*body)());

}  // namespace mock
