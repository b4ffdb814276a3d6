// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <kernel/abi/status.hpp>
#include <nk/errno.h>
#include <rtl/retcode.h>

namespace sdk::compat {

/// What a status of the three system calls is to programs that know nk_err_t.
nk_err_t error_of(abi::Status status);

/// The same for Retcode: the same number, but that a wrong handle is rcInvalidArgument.
Retcode retcode_of(abi::Status status);

}  // namespace sdk::compat
