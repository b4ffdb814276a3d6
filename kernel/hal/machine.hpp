// SPDX-License-Identifier: Apache-2.0
// What the kernel asks of a machine. Declared once here, defined by arch/aarch64 and, for host
// tests, by test/mock_arch. The few calls of the hot path are inline and stand in <arch/inline.hpp>
// of either; PageTable stands in <arch/page_table.hpp> and satisfies the concept below.
//
// Unless said otherwise: any CPU, interrupts masked, no allocation, O(1).
#pragma once

#include <concepts>
#include <kernel/base/result.hpp>
#include <kernel/base/text.hpp>
#include <kernel/base/types.hpp>

namespace arch {

using base::Asid;
using base::Bytes;
using base::CpuId;
using base::IrqLine;
using base::PageCount;
using base::PhysAddr;
using base::Result;
using base::Ticks;
using base::u32;
using base::u64;
using base::UserAddr;
using base::VirtAddr;

/// Access of a mapping. Write and execute together do not exist.
struct Access {
    bool read = false;
    bool write = false;
    bool execute = false;
    bool device = false;    // Device-nGnRE; otherwise Normal, write-back ...
    bool uncached = false;  // ... or not cached
};

enum class Intent : u32 { Read, Write };

/// Gives and takes 4 KiB frames for page tables; the kernel charges them to a process.
template <typename T>
concept FrameSource = requires(T source, PhysAddr frame) {
    { source.take_frame() } -> std::same_as<Result<PhysAddr>>;  // zeroed; OutOfMemory
    { source.give_frame(frame) };
};

// --- time --------------------------------------------------------------------------------------

/// CNTFRQ_EL0, read once at boot.
u64 ticks_per_second();
/// Raises this CPU's timer interrupt at `when` (or at once when past). One timer a CPU.
void set_timer(Ticks when);
void stop_timer();

// --- CPUs --------------------------------------------------------------------------------------

/// CPUs that the board describes, at most kMaxCpus of them.
u32 cpu_count();
/// Starts a secondary CPU; it enters kernel::run_cpu(cpu). False: the firmware refused.
bool start_cpu(CpuId cpu);
/// Whether stop_cpu() works, and start_cpu() brings a CPU back after it.
bool can_stop_cpus();
/// Switches this CPU off. The kernel lock is not held, nothing of a thread is left on it.
[[noreturn]] void stop_cpu();
/// Makes `cpu` enter the kernel soon (an SGI). No-op for the own CPU.
void kick(CpuId cpu);
/// Sleeps until an interrupt is pending; returns with interrupts still masked.
void wait_for_interrupt();
/// True when an interrupt is pending on this CPU: long work then leaves by a continuation.
bool interrupt_pending();

// --- interrupt controller ------------------------------------------------------------------------

enum class Source : u32 { None, Timer, Kick, Line };

struct Pending {
    Source source = Source::None;
    IrqLine line{};
};

/// Takes the highest pending interrupt and drops its priority. Timer and Kick are finished (also
/// deactivated) here; a Line stays active until irq_finish. None: spurious.
Pending irq_take();
/// Deactivates a line that irq_take returned. Any CPU.
void irq_finish(IrqLine line);
/// Whether EL0 may own this line at all (a shared peripheral interrupt that exists).
bool irq_is_assignable(IrqLine line);
/// Configures and enables a line, routed to `cpu`.
void irq_enable(IrqLine line, CpuId cpu, bool edge);
void irq_disable(IrqLine line);

// --- memory --------------------------------------------------------------------------------------

/// Clears one 4 KiB frame through the linear map.
void zero_frame(PhysAddr frame);
/// Copies between two ranges of the linear map that do not overlap; each inside one frame.
void copy_linear(PhysAddr to, PhysAddr from, Bytes size);
/// As memcpy, quick for much: 80 instructions a KiB.
void copy_bytes(void* to, const void* from, u64 size);
/// Makes stores to a frame visible to instruction fetch on all CPUs.
void sync_code(PhysAddr frame);
/// Writes what caches hold of a frame to memory and drops it from them.
void flush_frame(PhysAddr frame);
/// Drops translations of one page / of a whole space, on all CPUs, and waits for it.
void tlb_drop_page(Asid asid, VirtAddr page, u32 count = 1);
void tlb_drop_space(Asid asid);
/// True when [base, base+size) is neither RAM nor the kernel's own devices (GIC, panic UART may be
/// shared): EL0 may be given it as device memory.
bool is_device_range(PhysAddr base, Bytes size);

/// Points this CPU at an address space with nothing in it: before the tables it used are freed, and
/// when it idles.
void leave_user_space();

/// During start only, first CPU: maps one frame of free RAM or of the payload, whose content is in
/// place, at kKsecBase or up to 1 GiB above. The frame leaves the linear map, so that it has this
/// one address and access. InvalidArgument (outside, not RAM, writable and executable),
/// AlreadyExists, OutOfMemory (boot tables used up).
Result<void> map_kernel_page(VirtAddr at, PhysAddr frame, Access access);

/// Makes read-only what nobody writes after the start: the kernel's own tables, and every variable
/// in the section .sealed. First CPU, once; nothing is mapped for the kernel from then on.
void seal_kernel();

// --- power, console, entropy
// -----------------------------------------------------------------------

/// What the machine was started with: for `board` the board's name, else the value of a word of the
/// boot arguments (base::value_of). It stays where it is. O(arguments).
base::Text boot_argument(base::Text name);
/// What an address inside the kernel would be had the kernel not been moved when it started; any
/// other as it is. For people and tools, who know the kernel as it was linked.
u64 as_linked(u64 address);
[[noreturn]] void power_off(u32 code);
[[noreturn]] void reset();
/// The panic console. Polls with a time limit.
void console_write(const char* text, u64 length);
/// A number for each index, from the boot seed (DTB rng-seed, kaslr-seed) by a one-way function:
/// who knows some learns nothing of the others. As good as the time of the boot when there is no
/// seed.
u64 boot_entropy(u64 index);

/// First index of those that serve one purpose; GetEntropy counts up from 0.
inline constexpr u64 kEntropyOfStart = u64{1} << 60;
inline constexpr u64 kEntropyOfCpus = u64{2} << 60;
inline constexpr u64 kEntropyOfProcesses = u64{3} << 60;

// --- page tables
// -----------------------------------------------------------------------------------

/// What the kernel needs of an EL0 address space (39 bits, 4 KiB pages).
template <typename T, typename Source>
concept PageTableLike = requires(T table,
                                 const T& view,
                                 Source& source,
                                 VirtAddr at,
                                 PhysAddr frame,
                                 Access access,
                                 Intent intent,
                                 UserAddr user,
                                 Asid asid) {
    // An empty table; takes its root frame.
    { T::create(source, asid) } -> std::same_as<Result<T>>;
    // Maps one page. AlreadyExists, OutOfMemory.
    { table.map(at, frame, access, source) } -> std::same_as<Result<void>>;
    // Unmaps one page and drops its translation everywhere. ResourceNotFound.
    { table.unmap(at) } -> std::same_as<Result<PhysAddr>>;
    // Changes access (break-before-make where needed). ResourceNotFound.
    { table.protect(at, access) } -> std::same_as<Result<void>>;
    // Physical address of a user address for EL0 access of this kind to Normal memory; walks the
    // tables, so a hostile address is only an error. SourceFault.
    { view.find(user, intent) } -> std::same_as<Result<PhysAddr>>;
    // Frame and access at a page, device memory included. ResourceNotFound.
    { view.look_up(at) };
    // Pages from an unmapped one downwards for which there is no table; at least 1.
    { view.gap_below(at) } -> std::same_as<u64>;
    // Moves pages that EL0 may write, up to the first that is none, to empty places of another
    // space; returns how many.
    { table.move_pages(at, table, at, u32{}, source) } -> std::same_as<u32>;
    // Gives table frames back, at most `budget` of them; true when all are gone.
    { table.destroy_some(source, u32{}) } -> std::same_as<bool>;
    // What goes into TTBR0.
    { view.root() } -> std::same_as<u64>;
    { view.asid() } -> std::same_as<Asid>;
};

}  // namespace arch
