// SPDX-License-Identifier: Apache-2.0
// What -fstack-protector-strong needs. A function that finds its canary changed ends the process by
// a fault: whatever it would return to is no longer to be trusted.
#include <runtime/stack_guard.hpp>

// NOLINTBEGIN(bugprone-reserved-identifier,readability-identifier-naming): the compilers' names
extern "C" {
[[noreturn]] void __stack_chk_fail();
constinit base::u64 __stack_chk_guard = 0;

void __stack_chk_fail() { __builtin_trap(); }
}

// NOLINTEND(bugprone-reserved-identifier,readability-identifier-naming)

namespace sdk {

void set_stack_guard(base::u64 random) {
    __stack_chk_guard = random & ~base::u64{0xFF};  // a NUL ends overlong texts
}

}  // namespace sdk
