// SPDX-License-Identifier: Apache-2.0
// The system description: the board's tree with a /components node that says all init needs to
// know, in the order in which init starts them.
#pragma once

#include <sdk/imagec/component.hpp>
#include <string>
#include <vector>

namespace sdk::imagec {

struct SystemInputs {
    View board{};              // flattened tree
    std::string board_name{};  // for diagnostics
    View solution{};           // flattened tree with /components; empty for none
    std::string solution_name{};
    std::vector<Component> entities{};  // of init.yaml
};

struct System {
    Bytes tree{};                         // flattened
    std::vector<Component> components{};  // in start order, devices as paths
};

/// Merges, resolves, checks and orders. Component*, Device*, ConnectionTargetUnknown, TaskTwice,
/// MemoryBudget, Tree*.
Outcome<System> make_system(const SystemInputs& inputs);

/// Servers before clients; tasks that need each other in a circle keep their order.
std::vector<Component> order_components(std::vector<Component> components);

/// The components of a finished description. TreeInvalid, Component*.
Outcome<std::vector<Component>> list_components(View tree, const std::string& name);

/// Judges a finished description as init will meet it: as list_components, and servers exist.
Completion check_tree(View tree, const std::string& name);

}  // namespace sdk::imagec
