// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <rtl/stdint.h>

/// A time or a length of time.
typedef struct RtlTimeSpec {
    rtl_uint64_t sec;
    rtl_uint64_t nsec;  ///< below 10^9
} RtlTimeSpec;

#define RTL_NSEC_PER_MSEC 1000000u
