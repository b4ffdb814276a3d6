// SPDX-License-Identifier: Apache-2.0
// The end of handles, threads and processes. An ended process stops at once: its threads never run
// again, its name answers NotConnected. Taking it apart is then done in bounded steps by whoever
// enters the kernel next, and by idle CPUs.
#pragma once

#include <kernel/object/memory.hpp>
#include <kernel/sched/scheduler.hpp>

namespace kernel {

/// Closes one handle: what it alone kept alive ends.
void close_slot(Process& process, Slot& slot);
/// The process whose table holds a slot.
Process& process_of(const Slot& slot);
/// Ends one thread of a living process that has others.
void end_thread(Thread& thread);
/// Ends a process. Its observer is told when everything is given back.
void end_process(Process& process, const ExitInfo& info);

/// Whether there may be something for reap_step().
inline bool has_remains() {
    return !objects().ending.empty() || !objects().dying_memory.empty() ||
           scheduler().ended_threads > 0;
}

/// One bounded step of taking ended processes and memory objects apart; false: nothing to do, or
/// not before another CPU has entered the kernel, which then goes on.
bool reap_step();

}  // namespace kernel
