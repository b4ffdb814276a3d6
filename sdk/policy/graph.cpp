// SPDX-License-Identifier: Apache-2.0
#include "graph.hpp"

#include "graph_dot.hpp"
#include "graph_model.hpp"
#include "graph_svg.hpp"
#include "words.hpp"

#include <CLI/CLI.hpp>
#include <filesystem>
#include <fmt/format.h>

namespace sdk::policy {

namespace {

struct GraphArguments {
    std::string policy = kDefaultPolicy;
    std::string system{};
    std::string start{};
    std::string output{};
    bool kernel = false;
};

Json to_json(const Graph& graph) {
    Json json{{"policy", graph.title}, {"nodes", Json::array()}, {"edges", Json::array()}};
    for (const GraphNode& node : graph.nodes) {
        Json entry{{"class", node.class_name}, {"in_cycle", node.is_in_cycle}};
        if (graph.has_system) {
            entry["tasks"] = node.tasks;
        }
        if (graph.has_start) {
            entry["reached"] = node.is_reached;
        }
        json["nodes"].push_back(std::move(entry));
    }
    for (const GraphEdge& edge : graph.edges) {
        Json entry{{"client", graph.nodes[edge.client].class_name},
                   {"server", graph.nodes[edge.server].class_name},
                   {"in_cycle", edge.is_in_cycle},
                   {"methods", Json::array()}};
        if (graph.has_start) {
            entry["reached"] = edge.is_reached;
        }
        for (const GraphLink& link : edge.links) {
            for (const GraphMethod& method : link.methods) {
                entry["methods"].push_back({{"interface", link.interface},
                                            {"endpoint", link.endpoint},
                                            {"method", method.name},
                                            {"conditional", method.is_conditional}});
            }
        }
        json["edges"].push_back(std::move(entry));
    }
    return json;
}

Result<Answer> run(const GraphArguments& arguments, const CommonOptions& options) {
    const std::string kind = std::filesystem::path(arguments.output).extension().string();
    if (!arguments.output.empty() && kind != ".svg" && kind != ".dot") {
        return Trouble{.cause = "cannot tell what to write into " + arguments.output,
                       .way_out = "end its name in .svg or .dot"};
    }
    const Result<PolicyPtr> policy = load(arguments.policy, options);
    if (!policy.ok()) {
        return policy.trouble();
    }
    GraphOptions graph_options{.kernel = arguments.kernel ? Kernel::Shown : Kernel::Left};
    std::optional<System> system;
    if (!arguments.system.empty()) {
        Result<System> read = load_system(arguments.system, options.include);
        if (!read.ok()) {
            return read.trouble();
        }
        system = std::move(read.value());
        graph_options.system = &*system;
    }
    if (!arguments.start.empty()) {
        const Result<std::uint16_t> start = find_class(policy.value()->policy(), arguments.start);
        if (!start.ok()) {
            return start.trouble();
        }
        graph_options.start = start.value();
    }
    Graph graph = make_graph(AccessTable(*policy.value()), graph_options);
    graph.title = std::filesystem::path(arguments.policy).filename().string();
    Answer answer{.json = to_json(graph)};
    const std::string text = kind == ".svg" ? graph_svg(graph) : graph_dot(graph);
    if (arguments.output.empty()) {
        answer.text = text;
        return answer;
    }
    const Result<std::string> written = write_whole(arguments.output, text);
    if (!written.ok()) {
        return written.trouble();
    }
    answer.note = fmt::format(
        "{}: {}, {}\n",
        arguments.output,
        graph.nodes.size() == 1 ? "1 class" : fmt::format("{} classes", graph.nodes.size()),
        counted(graph.edges.size(), "connection"));
    return answer;
}

}  // namespace

void add_graph(CLI::App& program, Task& task) {
    CLI::App& command = add_subcommand(program,
                                       "graph",
                                       "Draw who may call whom by which interface",
                                       {"graph -o policy.svg",
                                        "graph security.psl --system init.yaml -o policy.svg",
                                        "graph --from plant.Intruder -o reach.svg",
                                        "graph | dot -Tpdf > policy.pdf"});
    const auto arguments = std::make_shared<GraphArguments>();
    command.add_option("-p,--policy,policy", arguments->policy, "Policy (default security.psl)")
        ->type_name("FILE");
    command
        .add_option(
            "--system", arguments->system, "init.yaml: show its processes and channels only")
        ->type_name("FILE");
    command
        .add_option("--from", arguments->start, "Mark what this class reaches by a chain of calls")
        ->type_name("CLASS");
    command.add_flag("--kernel", arguments->kernel, "Show calls to the kernel too");
    command
        .add_option("-o,--output",
                    arguments->output,
                    "Write a .svg or .dot file; without it DOT goes to standard output")
        ->type_name("FILE");
    command.callback([&task, arguments] {
        task = [arguments](const CommonOptions& options, const Paint&) {
            return run(*arguments, options);
        };
    });
}

}  // namespace sdk::policy
