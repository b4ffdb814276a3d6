// SPDX-License-Identifier: Apache-2.0
// The clock of <runtime/time.hpp> for tests.
#pragma once

#include <kernel/base/types.hpp>

namespace test {

/// What the counter shows, in thousandths of a second; sleeping advances it.
extern base::u64 clock_ticks;

}  // namespace test
