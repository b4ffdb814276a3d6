// SPDX-License-Identifier: Apache-2.0
// A graph in the language of Graphviz, for who wants to draw it otherwise.
#pragma once

#include "graph_model.hpp"

namespace sdk::policy {

/// Complete text of a .dot file; the same for the same graph.
std::string graph_dot(const Graph& graph);

}  // namespace sdk::policy
