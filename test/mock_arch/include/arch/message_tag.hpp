// SPDX-License-Identifier: Apache-2.0
// The tag that the fast path finds in a register: the test puts it there.
#pragma once

#include <cstdint>
#include <mock/machine.hpp>

namespace arch {

inline std::uint64_t message_tag() { return mock::machine().current().x9; }

}  // namespace arch
