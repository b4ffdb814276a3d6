// SPDX-License-Identifier: Apache-2.0
// The end of handles, threads and processes. An ended process stops at once: its threads never run
// again, its name answers NotConnected. Taking it apart is then done in bounded steps by whoever
// enters the kernel next, and by idle CPUs.
#pragma once

#include <kernel/object/memory.hpp>
#include <kernel/sched/scheduler.hpp>

namespace kernel {

struct EventQueue;

/// Handles that one step lifts or closes.
inline constexpr u32 kLinksPerStep = 5;

/// Closes one handle: what it alone kept alive ends, what was derived from it hangs below its
/// parent from now on. False: that is more than a step's worth; call again.
bool close_slot(Process& process, Slot& slot);
/// One step of closing all that was derived from a handle, in all processes; true: nothing is left.
/// Whoever is first in line hands its own children to `slot` before it is closed, so no step looks
/// for leaves; and a step closes more than all other CPUs can derive meanwhile.
bool revoke_step(Slot& slot);
/// Nothing collects in the queue any more; who waits there looks again.
void drop_events(EventQueue& events);
/// Ends one thread of a living process that has others.
void end_thread(Thread& thread);
/// Ends a process. Who subscribed is told when everything is given back.
void end_process(Process& process, const ExitInfo& info);

/// Whether an ended process is there to be looked at: its threads will not run again, and their
/// registers and the memory of the process are as they were.
bool is_kept(const Process& process);
/// The rest of one that is kept goes as well.
void stop_keeping(Process& process);

/// One bounded step of taking ended processes and memory objects apart; false: nothing to do, or
/// not before another CPU has entered the kernel, which then goes on.
bool reap_step();

}  // namespace kernel
