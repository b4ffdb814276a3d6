// SPDX-License-Identifier: Apache-2.0
// The message tag where the fast path finds it: still in x9, which -ffixed-x9 keeps away from the
// compiler in that one file, together with the payload registers x10-x15 and x18.
#pragma once

#include <cstdint>

namespace arch {

inline std::uint64_t message_tag() {
    std::uint64_t tag;
    asm("mov %0, x9" : "=r"(tag));
    return tag;
}

}  // namespace arch
