// SPDX-License-Identifier: Apache-2.0
// Interrupt lines that EL0 drivers own. A line's interrupt becomes a request on tessera.Irq; the
// line stays active, hence silent, until the driver has answered, so a storm costs its driver only.
// A line whose driver died stays silent until the next life attaches.
#pragma once

#include <kernel/ipc/notice.hpp>

namespace kernel {

struct Lines {
    Pool<Line, kMaxLines> pool;
};

Lines& lines();

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

/// Expires deadlines that have passed, at most kExpiredPerEntry of them.
void expire_timers();
/// Programs this CPU's timer for the next deadline or the end of the slice.
void program_timer();

}  // namespace kernel
