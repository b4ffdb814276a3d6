// SPDX-License-Identifier: Apache-2.0
// The hot calls of kernel/hal, on the mock machine.
#pragma once

#include <arch/percpu.h>
#include <kernel/hal/machine.hpp>
#include <mock/machine.hpp>

namespace arch {

/// The host address of a physical byte of RAM. Stops when there is no RAM, the frame has left the
/// linear map, or the byte is no place for a T.
template <typename T> inline T* linear(PhysAddr at) {
    if constexpr (std::is_void_v<T>) {
        return mock::machine().memory_at(at, 1, 1);
    } else {
        return static_cast<T*>(mock::machine().memory_at(at, sizeof(T), alignof(T)));
    }
}

inline PhysAddr physical(const void* linear_pointer) {
    return mock::machine().physical_of(linear_pointer);
}

inline Ticks now() { return mock::machine().read_clock(); }

inline void set_thread_pointer(u64) {}

inline PerCpu* per_cpu() { return &mock::machine().current().per_cpu; }

inline CpuId cpu_index() { return CpuId{per_cpu()->index}; }

}  // namespace arch
