// SPDX-License-Identifier: Apache-2.0
// Compares the reader with libfdt on one blob. Shared by the unit test and the fuzzer.
#pragma once

#include <runtime/fdt.hpp>
#include <span>
#include <string>

namespace fdt_test {

/// What the two disagree about, or empty. `blob` is 8-byte aligned, as libfdt wants it.
std::string compare_with_libfdt(std::span<const base::u8> blob);

}  // namespace fdt_test
