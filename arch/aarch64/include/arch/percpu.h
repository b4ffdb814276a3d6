// SPDX-License-Identifier: Apache-2.0
// What TPIDR_EL1 points at, one per CPU. Read by assembler and C++.
#pragma once

#define PERCPU_STACK_TOP 0
#define PERCPU_EMERGENCY_TOP 8
#define PERCPU_INDEX 16
#define PERCPU_MPIDR 24
#define PERCPU_PREDICTOR 32
#define PERCPU_KERNEL 40
#define PERCPU_SIZE 48
#define PERCPU_COUNT 4  // kernel::kMaxCpus

// Of each CPU, in this order: unmapped guard, kernel stack, unmapped guard, emergency stack.
#define STACK_GUARD_SIZE 4096
#define STACK_SIZE 8192
#define EMERGENCY_STACK_SIZE 4096

#ifndef __ASSEMBLER__
#include <cstddef>
#include <cstdint>

namespace arch {

struct PerCpu {
    std::uint64_t stack_top;      // kernel stack, guard page below
    std::uint64_t emergency_top;  // for EL1 aborts only, guard page below
    std::uint32_t index;
    std::uint32_t reserved;
    std::uint64_t mpidr;      // affinity fields of MPIDR_EL1
    std::uint64_t predictor;  // what DEFEND in trap/vectors.S does
    void* kernel;             // the kernel's own data of this CPU
};

static_assert(offsetof(PerCpu, stack_top) == PERCPU_STACK_TOP);
static_assert(offsetof(PerCpu, emergency_top) == PERCPU_EMERGENCY_TOP);
static_assert(offsetof(PerCpu, index) == PERCPU_INDEX);
static_assert(offsetof(PerCpu, mpidr) == PERCPU_MPIDR);
static_assert(offsetof(PerCpu, predictor) == PERCPU_PREDICTOR);
static_assert(offsetof(PerCpu, kernel) == PERCPU_KERNEL);
static_assert(sizeof(PerCpu) == PERCPU_SIZE);

}  // namespace arch
#endif
