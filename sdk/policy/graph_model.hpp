// SPDX-License-Identifier: Apache-2.0
// The graph of who may call whom: classes and, between them, the methods that some request may be
// granted for. Cycles and what a class can reach are worked out here, drawing is not.
#pragma once

#include "access.hpp"
#include "input.hpp"

#include <optional>

namespace sdk::policy {

struct GraphMethod {
    std::string name{};
    bool is_conditional = false;
};

/// Methods of one endpoint that a client may call.
struct GraphLink {
    std::string interface{};
    std::string endpoint{};
    std::vector<GraphMethod> methods{};
    std::string label{};  ///< the interface; with the endpoint where several of the server have it
};

struct GraphEdge {
    std::size_t client = 0;  ///< index among the nodes
    std::size_t server = 0;
    std::vector<GraphLink> links{};  ///< empty: a channel is declared and nothing is granted on it
    bool is_in_cycle = false;
    bool is_reached = false;
};

struct GraphNode {
    std::string class_name{};
    std::vector<std::string> tasks{};  ///< with an init.yaml only
    bool is_kernel = false;
    bool is_in_cycle = false;
    bool is_start = false;
    bool is_reached = false;
};

struct Graph {
    std::string title{};
    std::vector<GraphNode> nodes{};  ///< in the order of class names
    std::vector<GraphEdge> edges{};  ///< by client, then server
    bool has_start = false;
    bool has_system = false;
};

/// Whether the kernel, to which nearly everybody has an edge, is part of the graph.
enum class Kernel : std::uint8_t { Left, Shown };

struct GraphOptions {
    Kernel kernel = Kernel::Left;
    const System* system = nullptr;        ///< null: every channel that the policy permits
    std::optional<std::uint16_t> start{};  ///< mark what this class reaches by calls
};

/// Einit is part of the graph only when it has an edge; with a system, so is every class without a
/// process.
Graph make_graph(const AccessTable& access, const GraphOptions& options);

}  // namespace sdk::policy
