// SPDX-License-Identifier: Apache-2.0
// Names of results, for people.
#pragma once

#include <kernel/base/status.hpp>
#include <string_view>

namespace sdk {

/// "Ok", "SecurityDisallow", ...; "unknown" for a number that is none.
[[nodiscard]] std::string_view name_of(base::Status status);

}  // namespace sdk
