// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nk/assert.h>

/// Ends the process at once when `condition` does not hold.
#define rtl_assert(condition) nk_assert(condition)
