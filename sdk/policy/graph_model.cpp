// SPDX-License-Identifier: Apache-2.0
#include "graph_model.hpp"

#include <algorithm>
#include <functional>

namespace sdk::policy {

namespace {

/// Links by endpoint, from what requests of `client` to `server` may be granted. What the kernel
/// tells everybody (interrupts, events, faults) is no news.
std::vector<GraphLink>
links_between(const AccessTable& access, std::uint16_t client, std::uint16_t server) {
    std::vector<GraphLink> links;
    for (const Question& question : access.questions(EventKind::Request, client, server)) {
        const Decision decision = access.decide(question);
        if (decision.access == Access::Denied || question.is_implicit) {
            continue;
        }
        const MethodName name = access.name(question);
        if (links.empty() || links.back().endpoint != name.endpoint) {
            links.push_back({name.interface, name.endpoint, {}});
        }
        links.back().methods.push_back({name.method, decision.access == Access::Conditional});
    }
    const auto& endpoints = access.policy().policy().classes[server].description->endpoints;
    for (GraphLink& link : links) {
        const auto has_it = [&](const lang::Endpoint& endpoint) {
            return endpoint.interface->name == link.interface;
        };
        const bool is_only = std::ranges::count_if(endpoints, has_it) == 1;
        link.label = is_only ? link.interface : link.interface + " (" + link.endpoint + ")";
    }
    return links;
}

/// Strongly connected components by Tarjan's algorithm; a policy has some hundred classes, so the
/// depth of recursion is no concern.
class Components final {
public:
    explicit Components(const Graph& graph)
        : number_(graph.nodes.size()), low_(graph.nodes.size()), component_(graph.nodes.size()),
          next_(graph.nodes.size()) {
        for (const GraphEdge& edge : graph.edges) {
            if (!edge.links.empty()) {
                next_[edge.client].push_back(edge.server);
            }
        }
        for (std::size_t node = 0; node < number_.size(); ++node) {
            if (number_[node] == 0) {
                visit(node);
            }
        }
    }

    [[nodiscard]] bool same(std::size_t a, std::size_t b) const {
        return component_[a] == component_[b];
    }

private:
    void visit(std::size_t node) {
        number_[node] = low_[node] = ++counter_;
        stack_.push_back(node);
        for (const std::size_t next : next_[node]) {
            if (number_[next] == 0) {
                visit(next);
                low_[node] = std::min(low_[node], low_[next]);
            } else if (component_[next] == 0) {
                low_[node] = std::min(low_[node], number_[next]);
            }
        }
        if (low_[node] != number_[node]) {
            return;
        }
        ++components_;
        for (;;) {
            const std::size_t member = stack_.back();
            stack_.pop_back();
            component_[member] = components_;
            if (member == node) {
                break;
            }
        }
    }

    std::vector<std::size_t> number_;
    std::vector<std::size_t> low_;
    std::vector<std::size_t> component_;  ///< 0: not known yet
    std::vector<std::vector<std::size_t>> next_;
    std::vector<std::size_t> stack_;
    std::size_t counter_ = 0;
    std::size_t components_ = 0;
};

void mark_cycles(Graph& graph) {
    const Components components(graph);
    for (GraphEdge& edge : graph.edges) {
        edge.is_in_cycle = !edge.links.empty() && components.same(edge.client, edge.server);
        if (edge.is_in_cycle) {
            graph.nodes[edge.client].is_in_cycle = true;
            graph.nodes[edge.server].is_in_cycle = true;
        }
    }
}

void mark_reached(Graph& graph, std::size_t start) {
    std::vector<std::size_t> open{start};
    graph.nodes[start].is_reached = true;
    while (!open.empty()) {
        const std::size_t node = open.back();
        open.pop_back();
        for (GraphEdge& edge : graph.edges) {
            if (edge.client != node || edge.links.empty()) {
                continue;
            }
            edge.is_reached = true;
            if (!graph.nodes[edge.server].is_reached) {
                graph.nodes[edge.server].is_reached = true;
                open.push_back(edge.server);
            }
        }
    }
}

}  // namespace

Graph make_graph(const AccessTable& access, const GraphOptions& options) {
    const policyc::Policy& policy = access.policy().policy();
    Graph graph;
    graph.has_system = options.system != nullptr;
    std::vector<std::optional<std::size_t>> place(policy.classes.size());
    const auto is_left_out = [&](std::uint16_t id) {
        return id == policy.core_class && options.kernel == Kernel::Left && options.start != id;
    };
    std::map<std::pair<std::uint16_t, std::uint16_t>, std::vector<GraphLink>> links;
    std::vector<bool> has_edge(policy.classes.size());
    for (std::uint16_t client = 0; client < policy.classes.size(); ++client) {
        for (std::uint16_t server = 0; server < policy.classes.size(); ++server) {
            const std::pair names{policy.classes[client].name, policy.classes[server].name};
            if (client == policy.core_class && server == policy.core_class) {
                continue;  // "any class" includes the kernel, which does not call itself
            }
            const bool is_about_kernel = client == policy.core_class || server == policy.core_class;
            const bool is_declared =
                options.system != nullptr && options.system->channels.contains(names);
            if (is_left_out(client) || is_left_out(server) ||
                (options.system != nullptr && !is_declared && !is_about_kernel)) {
                continue;
            }
            std::vector<GraphLink> found = links_between(access, client, server);
            if (!found.empty() || (is_declared && !is_about_kernel)) {
                has_edge[client] = has_edge[server] = true;
                links.emplace(std::pair{client, server}, std::move(found));
            }
        }
    }
    for (std::uint16_t id = 0; id < policy.classes.size(); ++id) {
        const bool is_wanted = has_edge[id] || options.start == id;
        if (is_left_out(id) || (id == policy.init_class && !is_wanted)) {
            continue;
        }
        if (options.system != nullptr && !is_wanted &&
            !options.system->tasks.contains(policy.classes[id].name)) {
            continue;  // known to the policy, but no part of this system
        }
        GraphNode node{.class_name = policy.classes[id].name, .is_kernel = id == policy.core_class};
        if (options.system != nullptr) {
            const auto tasks = options.system->tasks.find(node.class_name);
            if (tasks != options.system->tasks.end()) {
                node.tasks.assign(tasks->second.begin(), tasks->second.end());
            }
        }
        place[id] = graph.nodes.size();
        graph.nodes.push_back(std::move(node));
    }
    for (auto& [pair, found] : links) {
        graph.edges.push_back({*place[pair.first], *place[pair.second], std::move(found)});
    }
    mark_cycles(graph);
    if (options.start) {
        graph.has_start = true;
        graph.nodes[*place[*options.start]].is_start = true;
        mark_reached(graph, *place[*options.start]);
    }
    return graph;
}

}  // namespace sdk::policy
