// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <rtl/stdint.h>
#include <stddef.h>

typedef size_t rtl_size_t;

#ifdef __cplusplus
#define RTL_NULL nullptr
#else
#define RTL_NULL ((void*)0)
#endif
