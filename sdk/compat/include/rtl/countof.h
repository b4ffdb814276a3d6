// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Number of elements of an array.
#define rtl_countof(array) (sizeof(array) / sizeof((array)[0]))
