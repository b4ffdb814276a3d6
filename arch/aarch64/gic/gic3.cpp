// SPDX-License-Identifier: Apache-2.0
// GICv3: CPU interface in system registers, one redistributor per CPU, found by affinity. All
// lines are in group 1 non-secure, with affinity routing. LPIs and the ITS are not used.
#include <arch/aarch64/cpu/cpus.hpp>
#include <arch/aarch64/gic/gic.hpp>
#include <arch/aarch64/mmu/kernel_map.hpp>
#include <arch/inline.hpp>
#include <arch/system_register.hpp>

namespace arch::gic {

namespace {

constexpr u32 kEnableGroup1 = 1u << 1;
constexpr u32 kAffinityRouting = 1u << 4;
constexpr u32 kWritePending = 1u << 31;
constexpr u64 kRoute = 0x6000;

constexpr u64 kRedistributorControl = 0x0000;
constexpr u64 kRedistributorType = 0x0008;
constexpr u64 kWaker = 0x0014;
constexpr u32 kRedistributorWritePending = 1u << 3;
constexpr u32 kProcessorSleep = 1u << 1;
constexpr u32 kChildrenAsleep = 1u << 2;
constexpr u64 kTypeVirtualLpi = u64{1} << 1;
constexpr u64 kTypeLast = u64{1} << 4;
constexpr u64 kPrivateFrame = 0x1'0000;  // second 64 KiB of a redistributor: lines 0..31
constexpr u64 kFrames = 0x2'0000;
constexpr u64 kMaxWindow = 16 * kFrames;  // enough for the CPUs the kernel starts

struct Region {
    base::Mmio registers;
    u64 size = 0;
};

constinit Region regions[kernel::kMaxRedistributorRegions];
constinit u32 region_count = 0;
constinit u64 fixed_stride = 0;

/// Affinity as the distributor's routing registers and GICR_TYPER's upper half write it.
u64 affinity_of(u64 mpidr) { return mpidr & 0xFF'00FF'FFFF; }

u32 packed_affinity(u64 mpidr) {
    return static_cast<u32>((mpidr & 0xFF'FFFF) | ((mpidr >> 8) & 0xFF00'0000));
}

/// The running CPU's redistributor; absent when none has its affinity.
base::Mmio find_redistributor() {
    const u32 wanted = packed_affinity(per_cpu()->mpidr);
    for (u32 i = 0; i < region_count; i++) {
        u64 offset = 0;
        while (offset + kFrames <= regions[i].size) {
            const base::Mmio candidate = regions[i].registers.at(offset);
            const u64 type = candidate.read64(kRedistributorType);
            if (static_cast<u32>(type >> 32) == wanted) {
                return candidate;
            }
            if ((type & kTypeLast) != 0) {
                break;
            }
            const u64 natural = (type & kTypeVirtualLpi) != 0 ? 2 * kFrames : kFrames;
            offset += fixed_stride != 0 ? fixed_stride : natural;
        }
    }
    return {};
}

}  // namespace

const char* Version3::start(const kernel::BoardTree& board) {
    for (u32 i = 0; i < board.redistributor_count; i++) {
        const u64 size = board.redistributors[i].size.value;
        regions[i].size = size < kMaxWindow ? size : kMaxWindow;
        const Result<u64> window =
            kernel_map_device(board.redistributors[i].base, Bytes{regions[i].size});
        if (!window.ok()) {
            return "no window for the interrupt redistributors";
        }
        regions[i].registers = base::Mmio{window.value()};
    }
    region_count = board.redistributor_count;
    fixed_stride = board.redistributor_stride;
    const base::Mmio shared = distributor();
    shared.write32(kControl, kAffinityRouting);
    if (!wait_clear(shared, kControl, kWritePending)) {
        return "the interrupt distributor does not answer";
    }
    shared.write32(kControl, kAffinityRouting | kEnableGroup1);
    return wait_clear(shared, kControl, kWritePending)
               ? nullptr
               : "the interrupt distributor does not answer";
}

bool Version3::start_cpu() {
    const base::Mmio own = find_redistributor();
    if (!own.is_present()) {
        return false;
    }
    own.write32(kWaker, own.read32(kWaker) & ~kProcessorSleep);
    if (!wait_clear(own, kWaker, kChildrenAsleep)) {
        return false;
    }
    const base::Mmio lines = own.at(kPrivateFrame);
    reset_lines(lines, 0, kFirstShared);
    if (!wait_clear(own, kRedistributorControl, kRedistributorWritePending)) {
        return false;
    }
    ARCH_WRITE(s3_0_c12_c12_5, ARCH_READ(s3_0_c12_c12_5) | 1);  // ICC_SRE_EL1.SRE
    isb();
    if ((ARCH_READ(s3_0_c12_c12_5) & 1) == 0) {
        return false;  // the firmware kept the memory-mapped interface
    }
    ARCH_WRITE(s3_0_c4_c6_0, 0xFF);      // ICC_PMR_EL1: let all through
    ARCH_WRITE(s3_0_c12_c12_3, 0);       // ICC_BPR1_EL1
    ARCH_WRITE(s3_0_c12_c12_4, 1 << 1);  // ICC_CTLR_EL1.EOImode: drop and deactivate apart
    ARCH_WRITE(s3_0_c12_c12_7, 1);       // ICC_IGRPEN1_EL1
    isb();
    lines.write32(kSetEnable, bit_of(kKickLine) | bit_of(timer_line()));
    return true;
}

void Version3::finish_now(u32 acknowledged) {
    ARCH_WRITE(s3_0_c12_c12_1, acknowledged);
    ARCH_WRITE(s3_0_c12_c11_1, acknowledged);  // ICC_DIR_EL1
    isb();
}

void Version3::deactivate(u32 line) {
    ARCH_WRITE(s3_0_c12_c11_1, line);
    isb();
}

void Version3::route(u32 line, CpuId cpu) {
    distributor().write64(kRoute + u64{line} * 8, affinity_of(cpu_block(cpu).mpidr));
}

void Version3::kick(CpuId cpu) {
    const u64 mpidr = cpu_block(cpu).mpidr;
    const u64 level0 = mpidr & 0xFF;
    const u64 value = ((mpidr >> 32 & 0xFF) << 48) | ((level0 >> 4) << 44) |
                      ((mpidr >> 16 & 0xFF) << 32) | (u64{kKickLine} << 24) |
                      ((mpidr >> 8 & 0xFF) << 16) | (u64{1} << (level0 & 0xF));
    ARCH_WRITE(s3_0_c12_c11_5, value);  // ICC_SGI1R_EL1
    isb();
}

}  // namespace arch::gic
