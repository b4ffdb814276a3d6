// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <rtl/stdint.h>

/// A thread of this process.
typedef rtl_uint32_t Tid;
