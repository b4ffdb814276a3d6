// SPDX-License-Identifier: Apache-2.0
#include "program.hpp"

#include "check.hpp"
#include "command.hpp"
#include "diff.hpp"
#include "explain.hpp"
#include "flow.hpp"
#include "graph.hpp"
#include "propose.hpp"
#include "test.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <lang/diagnostics.hpp>
#include <sstream>

namespace sdk::policy {

namespace {

/// What stands on standard error when there is no answer.
std::string render(const Trouble& trouble) {
    std::string text = trouble.details;
    text += "tessera policy: " + trouble.cause + "\n";
    if (!trouble.way_out.empty()) {
        text += "  way out: " + trouble.way_out + "\n";
    }
    return text;
}

Outcome refuse(const Trouble& trouble, const CommonOptions& options) {
    Outcome outcome{.status = static_cast<int>(ExitStatus::Trouble)};
    if (!options.json) {
        outcome.errors = render(trouble);
        return outcome;
    }
    Json json{{"error", trouble.cause}, {"way_out", trouble.way_out}};
    if (!trouble.diagnostics.is_null()) {
        json["diagnostics"] = trouble.diagnostics;
    }
    outcome.output = json.dump(2) + "\n";
    return outcome;
}

/// A first word that is no subcommand: CLI11 would only say that one is missing.
std::optional<Trouble> find_unknown(const CLI::App& program,
                                    const std::vector<std::string>& arguments) {
    std::vector<std::string> names;
    for (const CLI::App* const command : program.get_subcommands({})) {
        names.push_back(command->get_name());
    }
    std::size_t first = 0;
    while (first + 1 < arguments.size() &&
           (arguments[first] == "--sdk" || arguments[first] == "--engine")) {
        first += 2;
    }
    if (first >= arguments.size() || arguments[first].starts_with("-") ||
        std::ranges::find(names, arguments[first]) != names.end()) {
        return std::nullopt;
    }
    const std::string hint = lang::closest(arguments[first], names);
    return Trouble{.cause = "there is no subcommand '" + arguments[first] + "'" +
                            (hint.empty() ? "" : ", did you mean '" + hint + "'?"),
                   .way_out = fmt::format("there are: {}", fmt::join(names, ", "))};
}

}  // namespace

Outcome run_program(const std::vector<std::string>& arguments) {
    CLI::App program("What a security policy permits: questions, answers and tests.\n"
                     "Exit status: 0 yes or done, 1 no, 2 no answer (the reason is printed).",
                     "tessera policy");
    CommonOptions options;
    Task task;
    add_check(program, task);
    add_diff(program, task);
    add_explain(program, task);
    add_flow(program, task);
    add_graph(program, task);
    add_propose(program, task);
    add_test(program, task);
    for (CLI::App* const command : program.get_subcommands({})) {
        command->add_option("-I", options.include, "Search this folder for descriptions too")
            ->type_name("DIR")
            ->allow_extra_args(false);
        command->add_flag("--json", options.json, "Answer as JSON");
    }
    program.add_option("--sdk", options.sdk, "Folder of the interfaces and policies of the system")
        ->type_name("DIR");
    program.add_option("--engine", options.engine, "Library of the policy module's engine")
        ->type_name("FILE");
    program.require_subcommand(1);

    if (const std::optional<Trouble> unknown = find_unknown(program, arguments)) {
        return refuse(*unknown, options);
    }
    try {
        std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());
        program.parse(reversed);
    } catch (const CLI::ParseError& error) {
        std::ostringstream output;
        std::ostringstream errors;
        const int code = program.exit(error, output, errors);
        return {.status = code == 0 ? 0 : static_cast<int>(ExitStatus::Trouble),
                .output = output.str(),
                .errors = errors.str()};
    }
    Result<Answer> result = task(options, paint_of_standard_output());
    if (!result.ok()) {
        return refuse(result.trouble(), options);
    }
    Answer& answer = result.value();
    return {.status = static_cast<int>(answer.status),
            .output = options.json ? answer.json.dump(2) + "\n" : answer.text,
            .errors = answer.note};
}

}  // namespace sdk::policy
