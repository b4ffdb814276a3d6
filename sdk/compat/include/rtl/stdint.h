// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stdint.h>

typedef uint8_t rtl_uint8_t;
typedef uint16_t rtl_uint16_t;
typedef uint32_t rtl_uint32_t;
typedef uint64_t rtl_uint64_t;
typedef int8_t rtl_int8_t;
typedef int16_t rtl_int16_t;
typedef int32_t rtl_int32_t;
typedef int64_t rtl_int64_t;
typedef uintptr_t rtl_uintptr_t;

#define RTL_UINT32_C(literal) UINT32_C(literal)
#define RTL_UINT64_C(literal) UINT64_C(literal)
