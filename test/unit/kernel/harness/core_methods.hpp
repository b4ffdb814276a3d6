// SPDX-License-Identifier: Apache-2.0
// Declares the methods of kl.core.Core to a test's policy, from what idlc generated.
#pragma once

#include "policy.hpp"

namespace kernel_test {

/// All methods that the tests call, with the shapes of their IDL.
void add_core_methods(Policy& policy);

}  // namespace kernel_test
