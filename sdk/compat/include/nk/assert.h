// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nk/compiler.h>

/// Ends the process at once when `condition` does not hold.
#define nk_assert(condition) ((condition) ? (void)0 : __builtin_trap())
