// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The smaller and the larger of two values. The chosen one is computed twice.
#define rtl_min(a, b) ((a) < (b) ? (a) : (b))
#define rtl_max(a, b) ((a) > (b) ? (a) : (b))
