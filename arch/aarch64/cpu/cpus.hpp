// SPDX-License-Identifier: Apache-2.0
// The CPUs of the machine: their per-CPU blocks and how the secondaries start.
#pragma once

#include <arch/percpu.h>
#include <kernel/hal/board_tree.hpp>
#include <kernel/hal/machine.hpp>

namespace arch {

/// The first CPU's stacks and affinity. Before all else: exceptions need them.
void cpus_start_first();

/// Takes the list of CPUs over; the first one is running.
void cpus_start();

/// Affinity fields of the running CPU's MPIDR_EL1.
u64 own_mpidr();

/// The block of a CPU; `cpu` < kMaxCpus.
PerCpu& cpu_block(CpuId cpu);

/// Chooses the canary, for all CPUs. Entropy must be there; the callers never return, because no
/// function that checks its canary may see it change.
void canary_start();
/// Gives this CPU the vectors that it needs. Returns its branch defence in words, with a line's
/// end.
const char* protect_cpu();
/// Prints what this CPU has, in one line.
void protection_report(const char* defence);

}  // namespace arch
