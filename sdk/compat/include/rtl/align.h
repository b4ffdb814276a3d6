// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The nearest multiple of `alignment`, a power of two of the type of `value`.
#define rtl_align_down(value, alignment) ((value) & ~((alignment) - 1))
#define rtl_align_up(value, alignment) rtl_align_down((value) + ((alignment) - 1), (alignment))
