// SPDX-License-Identifier: Apache-2.0
// What docs/invariants.md says of threads, contexts and endpoints, asked of the kernel's state
// between two steps.
#pragma once

#include "system.hpp"

namespace kernel_test {

/// The first invariant that does not hold, in words, with the threads as they are; empty: all hold.
std::string find_violation(const System& system);
/// One line for each CPU and thread.
std::string describe_threads();

}  // namespace kernel_test
