// SPDX-License-Identifier: Apache-2.0
// Memory and texts, as in <string.h> and, for rtl_strlcpy, as BSD has it.
#pragma once

#include <nk/compiler.h>
#include <rtl/stddef.h>

NK_BEGIN_DECLS

void* rtl_memcpy(void* target, const void* source, rtl_size_t size);
void* rtl_memset(void* target, int value, rtl_size_t size);
int rtl_memcmp(const void* left, const void* right, rtl_size_t size);

rtl_size_t rtl_strlen(const char* text);
rtl_size_t rtl_strnlen(const char* text, rtl_size_t max);
int rtl_strcmp(const char* left, const char* right);
int rtl_strncmp(const char* left, const char* right, rtl_size_t max);

/// Copies at most `size` characters and fills the rest with zeros: without room for it, no zero
/// ends the copy.
char* rtl_strncpy(char* target, const char* source, rtl_size_t size);

/// Copies what fits into `size` characters, the zero at the end included, and returns the length
/// of `source`.
rtl_size_t rtl_strlcpy(char* target, const char* source, rtl_size_t size);

NK_END_DECLS
