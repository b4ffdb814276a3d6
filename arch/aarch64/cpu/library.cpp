// SPDX-License-Identifier: Apache-2.0
// What compilers and the standard library's headers call when something is wrong beyond repair.
// The exception that brk raises makes the kernel write its panic record, with this place in it.
#include <cstddef>

namespace {

[[noreturn]] void stop() { __builtin_trap(); }

}  // namespace

// NOLINTBEGIN(bugprone-reserved-identifier,readability-identifier-naming): names that the C++ ABI
// and the two libraries prescribe
extern "C" {
[[noreturn]] void abort();
[[noreturn]] void __cxa_pure_virtual();
[[noreturn]] void __stack_chk_fail();

void abort() { stop(); }

void __cxa_pure_virtual() { stop(); }

void __stack_chk_fail() { stop(); }
}

namespace std {

// Bounds checks of the containers, where they are switched on: libstdc++ and libc++.
[[noreturn]] void __glibcxx_assert_fail(const char* file,
                                        int line,
                                        const char* function,
                                        const char* condition) noexcept;

inline namespace __1 {
[[noreturn]] void __libcpp_verbose_abort(const char* format, ...);
}

void __glibcxx_assert_fail(const char*, int, const char*, const char*) noexcept { stop(); }

void __1::__libcpp_verbose_abort(const char*, ...) { stop(); }

}  // namespace std

// NOLINTEND(bugprone-reserved-identifier,readability-identifier-naming)
