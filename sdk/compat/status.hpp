// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <kernel/abi/status.hpp>
#include <nk/errno.h>

namespace sdk::compat {

/// What a status of the three system calls is to programs that know nk_err_t.
nk_err_t error_of(abi::Status status);

}  // namespace sdk::compat
