// SPDX-License-Identifier: Apache-2.0
// The calls of kernel/hal that are too hot for a function call.
#pragma once

#include <arch/frame.h>
#include <arch/percpu.h>
#include <kernel/hal/machine.hpp>

namespace arch {

/// The linear map: all RAM, writable, never executable, without the kernel image's own frames.
inline constexpr u64 kLinearBase = 0xFFFF'FF80'0000'0000;

/// The address at which the kernel reaches a physical byte of RAM.
template <typename T> inline T* linear(PhysAddr at) {
    return reinterpret_cast<T*>(kLinearBase + at.value);
}

inline PhysAddr physical(const void* linear_pointer) {
    return PhysAddr{reinterpret_cast<u64>(linear_pointer) - kLinearBase};
}

/// CNTVCT_EL0. [ARM] "CNTVCT_EL0"
inline Ticks now() {
    u64 value;
    asm volatile("isb\n\tmrs %0, cntvct_el0" : "=r"(value)::"memory");
    return Ticks{value};
}

/// What the thread that runs reads in TPIDR_EL0 from now on.
inline void set_thread_pointer(u64 value) { asm volatile("msr tpidr_el0, %0" ::"r"(value)); }

inline PerCpu* per_cpu() {
    PerCpu* value;
    asm("mrs %0, tpidr_el1" : "=r"(value));
    return value;
}

inline CpuId cpu_index() { return CpuId{per_cpu()->index}; }

}  // namespace arch
