// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stdbool.h>

typedef bool rtl_bool;

#define rtl_true true
#define rtl_false false
