// SPDX-License-Identifier: Apache-2.0
// KASSERT: the stop for kernel bugs. It stays in release builds, since a kernel that goes on with a
// broken invariant no longer isolates anybody. Never used on input from EL0, which gets a Status.
#pragma once

#include <kernel/base/types.hpp>

namespace base {

/// Reports and stops; each environment defines it: the kernel writes its panic record, a host test
/// fails, init prints and exits. `condition` and `file` are NUL-terminated literals.
[[noreturn]] void assert_failed(const char* condition, const char* file, u32 line);

}  // namespace base

/// Stops when `condition` is false. Usable in constant expressions, where failing does not compile.
#define KASSERT(condition)                                                                         \
    do {                                                                                           \
        if (!(condition)) [[unlikely]] {                                                           \
            ::base::assert_failed(#condition, __FILE__, __LINE__);                                 \
        }                                                                                          \
    } while (false)
