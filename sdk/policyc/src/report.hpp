// SPDX-License-Identifier: Apache-2.0
// What a compiled policy consists of and what it costs, as text and as JSON.
#pragma once

#include "lowered.hpp"

#include <string>

namespace sdk::policyc {

std::string report_text(const Lowered& policy);
std::string report_json(const Lowered& policy);

}  // namespace sdk::policyc
