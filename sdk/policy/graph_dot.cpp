// SPDX-License-Identifier: Apache-2.0
#include "graph_dot.hpp"

#include <fmt/format.h>

namespace sdk::policy {

namespace {

/// For a quoted text of DOT; "\n" stays a line end.
std::string quoted(const std::string& text) {
    std::string result;
    for (const char c : text) {
        if (c == '"' || c == '\\') {
            result += '\\';
        }
        result += c;
    }
    return result;
}

std::string label_of(const GraphNode& node) {
    std::string label = quoted(node.class_name);
    for (const std::string& task : node.tasks) {
        label += "\\n" + quoted(task);
    }
    return label;
}

std::string label_of(const GraphEdge& edge) {
    std::string label;
    for (const GraphLink& link : edge.links) {
        for (const GraphMethod& method : link.methods) {
            label += fmt::format("{}.{}{}\\l",
                                 quoted(link.label),
                                 quoted(method.name),
                                 method.is_conditional ? " *" : "");
        }
    }
    return label.empty() ? "(nothing granted)" : label;
}

}  // namespace

std::string graph_dot(const Graph& graph) {
    std::string text = fmt::format("digraph \"{}\" {{\n"
                                   "    // A * marks a method that is granted under a condition.\n"
                                   "    node [shape=box style=rounded fontname=\"sans-serif\"]\n"
                                   "    edge [fontname=\"sans-serif\" fontsize=10]\n",
                                   quoted(graph.title));
    for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
        const GraphNode& node = graph.nodes[i];
        text += fmt::format("    n{} [label=\"{}\"", i, label_of(node));
        if (node.is_start) {
            text += " penwidth=3";
        }
        if (node.is_in_cycle) {
            text += " color=red";
        }
        if (graph.has_start) {
            text += node.is_reached ? " style=\"rounded,filled\" fillcolor=lightblue"
                                    : " fontcolor=gray";
        }
        text += "]\n";
    }
    for (const GraphEdge& edge : graph.edges) {
        text +=
            fmt::format("    n{} -> n{} [label=\"{}\"", edge.client, edge.server, label_of(edge));
        if (edge.links.empty()) {
            text += " style=dashed color=gray fontcolor=gray";
        } else if (edge.is_in_cycle) {
            text += " color=red";
        }
        if (edge.is_reached) {
            text += " penwidth=2";
        }
        text += "]\n";
    }
    return text + "}\n";
}

}  // namespace sdk::policy
