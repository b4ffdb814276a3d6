// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nk/inttypes.h>

/// A size in bytes or a number of elements: 32 bits, as sizes on the wire are.
typedef nk_uint32_t nk_size_t;

#ifdef __cplusplus
#define NK_NULL nullptr
#else
#define NK_NULL ((void*)0)
#endif
