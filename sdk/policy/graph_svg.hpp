// SPDX-License-Identifier: Apache-2.0
// A graph as an SVG picture: one file, no scripts, no outside references.
#pragma once

#include "graph_model.hpp"

namespace sdk::policy {

/// Complete text of an .svg file; the same for the same graph.
std::string graph_svg(const Graph& graph);

}  // namespace sdk::policy
