// SPDX-License-Identifier: Apache-2.0
// The integers of IDL, and their literals as generated constants have them.
#pragma once

#include <nk/compiler.h>
#include <stdint.h>

typedef uint8_t nk_uint8_t;
typedef uint16_t nk_uint16_t;
typedef uint32_t nk_uint32_t;
typedef uint64_t nk_uint64_t;
typedef int8_t nk_sint8_t;
typedef int16_t nk_sint16_t;
typedef int32_t nk_sint32_t;
typedef int64_t nk_sint64_t;
typedef char nk_char_t;

#define NK_UINT8_C(literal) nk_cast_(nk_uint8_t, literal##U)
#define NK_UINT16_C(literal) nk_cast_(nk_uint16_t, literal##U)
#define NK_UINT32_C(literal) nk_cast_(nk_uint32_t, literal##U)
#define NK_UINT64_C(literal) nk_cast_(nk_uint64_t, literal##ULL)
#define NK_SINT8_C(literal) nk_cast_(nk_sint8_t, literal)
#define NK_SINT16_C(literal) nk_cast_(nk_sint16_t, literal)
#define NK_SINT32_C(literal) nk_cast_(nk_sint32_t, literal)
#define NK_SINT64_C(literal) nk_cast_(nk_sint64_t, literal##LL)
