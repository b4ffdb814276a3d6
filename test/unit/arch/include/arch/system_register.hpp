// SPDX-License-Identifier: Apache-2.0
// What the page tables of arch/aarch64 need of a CPU, for the host: a CPU without features, whose
// walkers see every store at once.
#pragma once

#include <kernel/base/types.hpp>

#define ARCH_READ(name) (::base::u64{0})

namespace arch {

inline void dsb_ishst() {}

}  // namespace arch
