// SPDX-License-Identifier: Apache-2.0
// GICv2 (GIC-400): memory-mapped CPU interface. In the non-secure view bit 0 of both control
// registers enables group 1, which is all the interrupts the firmware left us; without security
// extensions it enables group 0. The kernel needs to know neither.
#include <arch/aarch64/gic/gic.hpp>
#include <arch/aarch64/mmu/kernel_map.hpp>
#include <arch/inline.hpp>

namespace arch::gic {

namespace {

constexpr u64 kTargets = 0x800;
constexpr u64 kSoftware = 0xF00;

constexpr u64 kCpuControl = 0x0000;
constexpr u64 kCpuPriorityMask = 0x0004;
constexpr u64 kCpuBinaryPoint = 0x0008;
constexpr u64 kCpuAcknowledge = 0x000C;
constexpr u64 kCpuEnd = 0x0010;
constexpr u64 kCpuDeactivate = 0x1000;
constexpr u32 kCpuEnable = 1u << 0;
constexpr u32 kCpuSplitEnd = 1u << 9;  // EOImode, EOImodeNS

constinit base::Mmio cpu_interface;
constinit u8 target_of_cpu[kernel::kMaxCpus];  // CPU interface bit of each CPU

/// The bit of the running CPU: what its own, read-only target fields say.
u8 own_target() {
    for (u32 line = 0; line < kFirstShared; line += 4) {
        u32 targets = distributor().read32(kTargets + line);
        targets |= targets >> 16;
        targets |= targets >> 8;
        if ((targets & 0xFF) != 0) {
            return static_cast<u8>(targets);
        }
    }
    return 1;  // a controller for one CPU has no target fields
}

}  // namespace

const char* Version2::start(const kernel::BoardTree& board) {
    const Result<u64> window = kernel_map_device(board.gic_cpu_interface.base, Bytes{0x2000});
    if (!window.ok()) {
        return "no window for the interrupt controller's CPU interface";
    }
    cpu_interface = base::Mmio{window.value()};
    distributor().write32(kControl, 1);
    return nullptr;
}

bool Version2::start_cpu() {
    target_of_cpu[cpu_index().value] = own_target();
    reset_lines(distributor(), 0, kFirstShared);
    cpu_interface.write32(kCpuPriorityMask, 0xFF);
    cpu_interface.write32(kCpuBinaryPoint, 0);
    cpu_interface.write32(kCpuControl, kCpuEnable | kCpuSplitEnd);
    distributor().write32(kSetEnable, bit_of(kKickLine) | bit_of(timer_line()));
    return true;
}

u32 Version2::take() { return cpu_interface.read32(kCpuAcknowledge); }

void Version2::drop(u32 acknowledged) { cpu_interface.write32(kCpuEnd, acknowledged); }

void Version2::finish_now(u32 acknowledged) {
    cpu_interface.write32(kCpuEnd, acknowledged);
    cpu_interface.write32(kCpuDeactivate, acknowledged);
}

void Version2::deactivate(u32 line) { cpu_interface.write32(kCpuDeactivate, line); }

void Version2::route(u32 line, CpuId cpu) {
    const u8 target = cpu.value < kernel::kMaxCpus ? target_of_cpu[cpu.value] : u8{0};
    // A CPU that has not started yet has no bit: the running one takes the line.
    distributor().write8(kTargets + line, target != 0 ? target : target_of_cpu[cpu_index().value]);
}

void Version2::kick(CpuId cpu) {
    distributor().write32(kSoftware, (u32{target_of_cpu[cpu.value]} << 16) | kKickLine);
}

}  // namespace arch::gic
