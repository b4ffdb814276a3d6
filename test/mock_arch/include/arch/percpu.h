// SPDX-License-Identifier: Apache-2.0
// What per_cpu() points at; the same fields as on AArch64.
#pragma once

#include <arch/aarch64/include/arch/percpu.h>
