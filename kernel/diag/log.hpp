// SPDX-License-Identifier: Apache-2.0
// The kernel's few lines on the panic console: at start, and when it stops.
#pragma once

#include <kernel/base/types.hpp>

namespace kernel {

/// Writes `text` followed by a word or a number (decimal below 2^32, otherwise hexadecimal).
void log_line(const char* text, const char* word);
void log_line(const char* text, base::u64 number);

}  // namespace kernel
