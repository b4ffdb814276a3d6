// SPDX-License-Identifier: Apache-2.0
// Vector registers of one thread or CPU.
#pragma once

#include <kernel/base/types.hpp>

namespace arch {

struct alignas(16) FpState {
    base::u64 vectors[32][2]{};
    base::u64 control = 0;
    base::u64 status = 0;

    friend bool operator==(const FpState&, const FpState&) = default;
};

}  // namespace arch
