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

enum class AnswerForm { Text, Json };

/// What stands on standard error when there is no answer.
std::string render(const Trouble& trouble) {
    std::string text = trouble.details;
    text += "tessera policy: " + trouble.cause + "\n";
    if (!trouble.way_out.empty()) {
        text += "  way out: " + trouble.way_out + "\n";
    }
    return text;
}

/// JSON is UTF-8; a file's name or a word of the command line may be anything.
std::string text_of(const Json& json) {
    return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

Outcome refuse(const Trouble& trouble, AnswerForm form) {
    Outcome outcome{.status = static_cast<int>(ExitStatus::Trouble)};
    if (form == AnswerForm::Text) {
        outcome.errors = render(trouble);
        return outcome;
    }
    Json json{{"error", trouble.cause}, {"way_out", trouble.way_out}};
    if (!trouble.diagnostics.is_null()) {
        json["diagnostics"] = trouble.diagnostics;
    }
    outcome.output = text_of(json);
    return outcome;
}

/// What the command line asks for, also when nothing else of it can be understood.
AnswerForm form_of(const std::vector<std::string>& arguments) {
    const auto end = std::ranges::find(arguments, "--");
    return std::find(arguments.begin(), end, "--json") == end ? AnswerForm::Text : AnswerForm::Json;
}

std::string did_you_mean(const std::string& word, const std::vector<std::string>& names) {
    const std::string hint = lang::closest(word, names);
    return hint.empty() ? "" : ", did you mean '" + hint + "'?";
}

std::vector<std::string> names_of_subcommands(const CLI::App& program) {
    std::vector<std::string> names;
    for (const CLI::App* const command : program.get_subcommands({})) {
        names.push_back(command->get_name());
    }
    return names;
}

Trouble refuse_subcommand(const CLI::App& program, const std::string& cause) {
    return {.cause = cause,
            .way_out =
                fmt::format("there are: {}", fmt::join(names_of_subcommands(program), ", "))};
}

/// A first word that is no subcommand: CLI11 would only say that one is missing.
std::optional<Trouble> find_unknown(const CLI::App& program,
                                    const std::vector<std::string>& arguments) {
    const std::vector<std::string> names = names_of_subcommands(program);
    std::size_t first = 0;
    while (first + 1 < arguments.size() &&
           (arguments[first] == "--sdk" || arguments[first] == "--engine")) {
        first += 2;
    }
    if (first >= arguments.size() || arguments[first].starts_with("-") ||
        std::ranges::find(names, arguments[first]) != names.end()) {
        return std::nullopt;
    }
    return refuse_subcommand(program,
                             "there is no subcommand '" + arguments[first] + "'" +
                                 did_you_mean(arguments[first], names));
}

/// Why the first word that no option or argument of the command takes is too much.
std::string explain_extra(const CLI::App& command, const std::string& word) {
    if (!word.starts_with("-")) {
        return "'" + word + "' is one word too many";
    }
    std::vector<std::string> names;
    for (const CLI::Option* const option : command.get_options()) {
        for (const std::string& name : option->get_lnames()) {
            names.push_back("--" + name);
        }
    }
    return "there is no option '" + word + "'" + did_you_mean(word, names);
}

/// A command line that CLI11 does not understand.
Trouble explain(const CLI::App& program, const CLI::ParseError& error) {
    const std::vector<CLI::App*> chosen = program.get_subcommands();
    const CLI::App& command = chosen.empty() ? program : *chosen.front();
    const std::vector<std::string> extra = command.remaining();
    if (extra.empty() && chosen.empty() && error.get_name() == "RequiredError") {
        return refuse_subcommand(program, "a subcommand is missing");
    }
    const std::string name = chosen.empty() ? "" : command.get_name() + " ";
    return {.cause = extra.empty() ? error.what() : explain_extra(command, extra.front()),
            .way_out = "tessera policy " + name + "--help shows what there is"};
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
        command
            ->add_option("--state-limit",
                         options.state_limit,
                         "Instructions for the rules on state of one message, as policyc's")
            ->type_name("N")
            ->check(CLI::Range(1, 999'999));
        command->add_flag("--warn-unmatched",
                          options.warn_unmatched,
                          "Warn of selectors that can match nothing, and leave their sections out");
        command->add_flag("--json", options.json, "Answer as JSON");
    }
    program.add_option("--sdk", options.sdk, "Folder of the interfaces and policies of the system")
        ->type_name("DIR");
    program.add_option("--engine", options.engine, "Library of the policy module's engine")
        ->type_name("FILE");
    program.require_subcommand(1);

    if (const std::optional<Trouble> unknown = find_unknown(program, arguments)) {
        return refuse(*unknown, form_of(arguments));
    }
    try {
        std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());
        program.parse(reversed);
    } catch (const CLI::ParseError& error) {
        if (error.get_exit_code() != 0) {
            return refuse(explain(program, error), form_of(arguments));
        }
        std::ostringstream help;
        program.exit(error, help, help);
        return {.output = help.str()};
    }
    Result<Answer> result = task(options, paint_of_standard_output());
    if (!result.ok()) {
        return refuse(result.trouble(), options.json ? AnswerForm::Json : AnswerForm::Text);
    }
    Answer& answer = result.value();
    return {.status = static_cast<int>(answer.status),
            .output = options.json ? text_of(answer.json) : answer.text,
            .errors = answer.note};
}

}  // namespace sdk::policy
