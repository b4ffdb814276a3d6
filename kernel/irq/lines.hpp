// SPDX-License-Identifier: Apache-2.0
// Interrupt lines that EL0 drivers own. A line's interrupt becomes a request on tessera.Irq; the
// line stays active, hence silent, until the driver has answered, so a storm costs its driver only.
// A line whose driver died stays silent until the next life attaches.
#pragma once

#include <kernel/base/parts.hpp>
#include <kernel/ipc/notice.hpp>

namespace kernel {

/// The registered lines, by number.
class Lines final {
public:
    /// Null: nobody registered it. O(1).
    [[nodiscard]] Line* find(base::IrqLine number) const {
        return number.value < kNumbers ? by_number_[number.value % kNumbers] : nullptr;
    }

    /// A new line of that number, which is free and exists. Null: all are in use.
    [[nodiscard]] Line* take(base::IrqLine number) {
        Line* line = number.value < kNumbers ? pool_.take() : nullptr;
        if (line != nullptr) {
            line->number = number;
            by_number_[number.value] = line;
        }
        return line;
    }

    void give(Line& line) {
        by_number_[line.number.value] = nullptr;
        pool_.give(line);
    }

private:
    static constexpr u32 kNumbers = 1024;  // [GIC] interrupt ids, and a power of two

    Line* by_number_[kNumbers]{};
    Pool<Line, kMaxLines> pool_;
};

inline Lines& lines() { return *g_parts.lines; }

/// Registers a line. InvalidArgument, Busy, OutOfMemory.
Result<Line&> register_line(base::IrqLine number, bool is_edge);
/// Routes it to a listener. Busy, OutOfMemory.
Result<void> attach_line(Line& line, Endpoint& endpoint, u64 badge);
void detach_line(Line& line);
void enable_line(Line& line);
void disable_line(Line& line);
/// Drops a reference; the last one detaches and disables.
void release_line(Line& line);

/// Takes every interrupt that is pending on this CPU, timer included. Bounded: at most
/// kTakenPerEntry, the rest interrupts again.
void take_interrupts();

/// What one interrupt is about.
void take_interrupt(arch::Pending pending);

/// The driver that waits for this interrupt has it, and this CPU. Null: nothing has happened.
inline Thread* interrupt_directly(arch::Pending pending) {
    Line* line = pending.source == arch::Source::Line ? lines().find(pending.line) : nullptr;
    if (line == nullptr || line->notice == nullptr) {
        return nullptr;
    }
    line->is_active = true;  // the long way does it again
    return raise_directly(*line->notice, pending.line.value);
}

/// Expires deadlines that have passed, at most kExpiredPerEntry of them.
void expire_timers();

}  // namespace kernel
