// SPDX-License-Identifier: Apache-2.0
// Secondary CPUs start at secondary_entry, by PSCI or by the spin table, and find their own block
// by affinity (boot/start.S), so neither way has to hand anything over.
#include <arch/aarch64/boot/board.hpp>
#include <arch/aarch64/cpu/cpus.hpp>
#include <arch/aarch64/mmu/kernel_map.hpp>
#include <arch/aarch64/psci/psci.hpp>
#include <arch/inline.hpp>
#include <arch/system_register.hpp>

static_assert(PERCPU_COUNT == kernel::kMaxCpus);

extern "C" {
// Named by boot/start.S. No block matches before its CPU is known.
constinit arch::PerCpu per_cpu_blocks[PERCPU_COUNT]{};
extern base::u8 cpu_stacks[];
extern base::u8 secondary_entry[];
}

namespace arch {

namespace {

constexpr u64 kStackStride = 2 * STACK_GUARD_SIZE + STACK_SIZE + EMERGENCY_STACK_SIZE;
constexpr u64 kNoCpu = ~u64{0};

/// Whether the kernel may write here: asks the MMU. [ARM] "AT S1E1W", "PAR_EL1"
bool is_writable(const void* at) {
    u64 result;
    asm volatile("at s1e1w, %1\n\tisb\n\tmrs %0, par_el1" : "=r"(result) : "r"(at) : "memory");
    return (result & 1) == 0;
}

/// Hands the entry address to a CPU that polls for it in wfe, with its caches off.
bool release(PhysAddr where, u64 entry) {
    u64* slot = linear<u64>(where);
    if (where.value >= kLinearLimit || !is_writable(slot)) {
        return false;  // the tree names memory that is not RAM
    }
    __atomic_store_n(slot, entry, __ATOMIC_RELAXED);
    asm volatile("dc cvac, %0" ::"r"(slot) : "memory");
    send_event();
    return true;
}

}  // namespace

u64 own_mpidr() { return ARCH_READ(mpidr_el1) & 0xFF'00FF'FFFF; }

PerCpu& cpu_block(CpuId cpu) { return per_cpu_blocks[cpu.value]; }

void cpus_start_first() {
    u64 bottom = reinterpret_cast<u64>(cpu_stacks);
    for (u32 i = 0; i < PERCPU_COUNT; i++) {
        PerCpu& block = per_cpu_blocks[i];
        block.stack_top = bottom + STACK_GUARD_SIZE + STACK_SIZE;
        block.emergency_top = bottom + kStackStride;
        block.index = i;
        block.mpidr = i == 0 ? own_mpidr() : kNoCpu;
        bottom += kStackStride;
    }
}

void cpus_start() {
    for (u32 i = 0; i < cpu_count(); i++) {
        per_cpu_blocks[i].mpidr = this_board().cpus[i].mpidr;
    }
}

u32 cpu_count() { return this_board().cpu_count; }

bool start_cpu(CpuId cpu) {
    if (cpu.value == 0 || cpu.value >= cpu_count()) {
        return false;
    }
    const kernel::BoardCpu& which = this_board().cpus[cpu.value];
    const u64 entry = image_physical(secondary_entry).value;
    switch (which.start) {
    case kernel::CpuStart::Psci:
        return psci_cpu_on(which.mpidr, entry);
    case kernel::CpuStart::SpinTable:
        return release(which.release_address, entry);
    case kernel::CpuStart::None:
        break;
    }
    return false;
}

bool can_stop_cpus() { return this_board().psci != kernel::PsciConduit::None; }

void wait_for_interrupt() { asm volatile("dsb sy\n\twfi" ::: "memory"); }

bool interrupt_pending() { return (ARCH_READ(isr_el1) & 0xC0) != 0; }

}  // namespace arch
