// SPDX-License-Identifier: Apache-2.0
// What GICv2 and GICv3 have in common: the distributor's arrays, and the kernel's view.
#include <arch/aarch64/gic/gic.hpp>
#include <arch/aarch64/mmu/kernel_map.hpp>
#include <arch/inline.hpp>
#include <arch/system_register.hpp>

namespace arch {

namespace {

struct State {
    base::Mmio distributor;
    u32 version = 0;
    u32 lines = 0;  // interrupt ids that exist
    u32 timer_line = 0;
};

constinit State state;

bool is_version3() { return state.version == 3; }

/// Whether the distributor is one of version 2. The tree may be another machine's.
bool is_distributor2(base::Mmio distributor) {
    const u32 version = distributor.read32(gic::kIdentity2) >> 4 & 0xF;
    return version == 1 || version == 2;  // 1: the same registers, without virtualization
}

void set_bit(u64 array, u32 line) {
    state.distributor.write32(gic::bit_register(array, line), gic::bit_of(line));
}

}  // namespace

namespace gic {

base::Mmio distributor() { return state.distributor; }

u32 timer_line() { return state.timer_line; }

void reset_lines(base::Mmio block, u32 from, u32 to) {
    for (u32 line = from; line < to; line += 32) {
        block.write32(bit_register(kClearEnable, line), ~0u);
        block.write32(bit_register(kClearPending, line), ~0u);
        block.write32(bit_register(kClearActive, line), ~0u);
        if (is_version3()) {
            block.write32(bit_register(kGroup, line), ~0u);
        }
    }
    for (u32 line = from; line < to; line += 4) {
        block.write32(kPriority + line, kIrqPriority * 0x0101'0101);
    }
}

bool wait_clear(base::Mmio block, u64 offset, u32 mask) {
    for (u32 tries = 1'000'000; tries != 0; tries--) {
        if ((block.read32(offset) & mask) == 0) {
            return true;
        }
    }
    return false;
}

}  // namespace gic

const char* gic_start(const kernel::BoardTree& board) {
    const Result<u64> window = kernel_map_device(board.gic_distributor.base, Bytes{0x10000});
    if (!window.ok()) {
        return "no window for the interrupt distributor";
    }
    state.distributor = base::Mmio{window.value()};
    if (is_distributor2(state.distributor) != (board.gic_version == 2)) {
        return "the interrupt controller is not of the version that the device tree names";
    }
    state.version = board.gic_version;
    state.timer_line = board.timer_line.value;
    const u32 lines = 32 * ((state.distributor.read32(gic::kType) & 0x1F) + 1);
    state.lines = lines < kFirstSpecial ? lines : kFirstSpecial;
    state.distributor.write32(gic::kControl, 0);
    gic::reset_lines(state.distributor, kFirstShared, state.lines);
    for (u32 line = kFirstShared; line < state.lines; line += 16) {
        state.distributor.write32(gic::kConfiguration + line / 4, 0);  // level
    }
    return is_version3() ? gic::Version3::start(board) : gic::Version2::start(board);
}

bool gic_start_cpu() {
    return is_version3() ? gic::Version3::start_cpu() : gic::Version2::start_cpu();
}

namespace {

/// What was taken and is private to this CPU.
template <typename Version> [[gnu::noinline]] Pending finish_private(u32 taken, u32 line) {
    Source source = Source::None;
    if (line == state.timer_line) {
        stop_timer();  // a level: it would be pending again at once
        source = Source::Timer;
    } else if (line == kKickLine) {
        source = Source::Kick;
    }
    Version::finish_now(taken);
    return {source, IrqLine{line}};
}

/// Apart for each version, so that the quicker one needs no stack.
template <typename Version, u32 kLineMask> [[gnu::noinline]] Pending take() {
    const u32 taken = Version::take();
    const u32 line = taken & kLineMask;
    if (line >= kFirstSpecial) {
        return {Source::None, IrqLine{line}};
    }
    if (line < kFirstShared) {
        return finish_private<Version>(taken, line);
    }
    Version::drop(taken);
    return {Source::Line, IrqLine{line}};
}

}  // namespace

Pending irq_take() {
    return is_version3() ? take<gic::Version3, 0xFF'FFFF>() : take<gic::Version2, 0x3FF>();
}

void irq_finish(IrqLine line) {
    if (!irq_is_assignable(line)) {
        return;
    }
    is_version3() ? gic::Version3::deactivate(line.value) : gic::Version2::deactivate(line.value);
}

bool irq_is_assignable(IrqLine line) {
    return line.value >= kFirstShared && line.value < state.lines;
}

void irq_enable(IrqLine line, CpuId cpu, bool edge) {
    if (!irq_is_assignable(line)) {
        return;
    }
    const u32 number = line.value;
    const base::Mmio block = state.distributor;
    set_bit(gic::kClearEnable, number);
    const u64 configuration = gic::kConfiguration + u64{number / 16} * 4;
    const u32 edge_bit = 2u << (2 * (number % 16));
    const u32 old = block.read32(configuration);
    block.write32(configuration, edge ? old | edge_bit : old & ~edge_bit);
    is_version3() ? gic::Version3::route(number, cpu) : gic::Version2::route(number, cpu);
    // What the last owner of the line left behind is not the next one's.
    set_bit(gic::kClearPending, number);
    set_bit(gic::kClearActive, number);
    set_bit(gic::kSetEnable, number);
}

void irq_disable(IrqLine line) {
    if (!irq_is_assignable(line)) {
        return;
    }
    set_bit(gic::kClearEnable, line.value);
    dsb_sy();
}

void kick(CpuId cpu) {
    if (cpu == cpu_index() || cpu.value >= cpu_count()) {
        return;
    }
    // The other CPU must see what it is kicked for.
    dsb_sy();
    is_version3() ? gic::Version3::kick(cpu) : gic::Version2::kick(cpu);
}

}  // namespace arch
