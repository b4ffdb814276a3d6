// SPDX-License-Identifier: Apache-2.0
// Status is part of what EL0 sees; it is declared in kernel/base because Result needs it.
#pragma once

#include <kernel/base/status.hpp>

namespace abi {

using base::Status;

}  // namespace abi
