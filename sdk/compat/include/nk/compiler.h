// SPDX-License-Identifier: Apache-2.0
// What C and C++ spell differently, once, so that headers and generated code read the same in both.
#pragma once

#ifdef __cplusplus
#define NK_BEGIN_DECLS extern "C" {
#define NK_END_DECLS }
#define nk_static_assert(condition, identifier) static_assert(condition, #identifier)
#define nk_alignof(type) alignof(type)
#define nk_cast_(type, value) (static_cast<type>(value))
#define nk_mutable_(type, pointer) (const_cast<type*>(pointer))
#else
#define NK_BEGIN_DECLS
#define NK_END_DECLS
#define nk_static_assert(condition, identifier) _Static_assert(condition, #identifier)
#define nk_alignof(type) _Alignof(type)
#define nk_cast_(type, value) ((type)(value))
#define nk_mutable_(type, pointer) ((type*)(pointer))
#endif

#define __nk_packed __attribute__((packed))
#define __nk_alignas(bytes) __attribute__((aligned(bytes)))

/// For a parameter or variable that is there on purpose and not used.
#define nk_unused(value) ((void)(value))

/// Number of elements of an array.
#define nk_array_size(array) (sizeof(array) / sizeof((array)[0]))

/// Around generated code: it has structures without a name, which ISO C++ does not know, and must
/// not disturb programs that make warnings errors.
#define NK_GENERATED_BEGIN_                                                                        \
    _Pragma("GCC diagnostic push") _Pragma("GCC diagnostic ignored \"-Wpedantic\"")                \
        _Pragma("GCC diagnostic ignored \"-Wpadded\"")
#define NK_GENERATED_END_ _Pragma("GCC diagnostic pop")
