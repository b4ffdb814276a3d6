// SPDX-License-Identifier: Apache-2.0
// Registers of an EL0 thread. The layout is the AArch64 one: tests speak of x0 to x30 as well.
#pragma once

#include <arch/aarch64/include/arch/frame.h>
