// SPDX-License-Identifier: Apache-2.0
#pragma once

#define __rtl_unused __attribute__((unused))
#define __rtl_packed __attribute__((packed))

/// `condition`, which nearly always holds.
#define rtl_likely(condition) __builtin_expect(!!(condition), 1)

/// `condition`, which hardly ever holds.
#define rtl_unlikely(condition) __builtin_expect(!!(condition), 0)
