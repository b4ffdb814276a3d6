// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <kernel/base/types.hpp>

namespace sdk {

/// Chooses the canary of this process. Once, by a function that does not return, before there is
/// another thread: no function that checks its canary may see it change.
void set_stack_guard(base::u64 random);

}  // namespace sdk
