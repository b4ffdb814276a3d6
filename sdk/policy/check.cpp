// SPDX-License-Identifier: Apache-2.0
#include "check.hpp"

#include "input.hpp"
#include "judge.hpp"
#include "words.hpp"

#include <CLI/CLI.hpp>
#include <filesystem>
#include <fmt/format.h>
#include <memory>

namespace sdk::policy {

namespace {

struct Options {
    std::vector<std::string> paths{};
    std::vector<std::string> definitions{};
    bool syntax_only = false;
    bool empty_tokens = false;
};

const char* verdict_of(const FileReport& report) {
    return report.errors != 0 ? "errors" : report.warnings != 0 ? "warnings" : "ok";
}

std::string describe(const CheckedFile& file, const FileReport& report, const Paint& paint) {
    std::string text = report.text;
    const char* const colour = report.errors != 0     ? paint.bad
                               : report.warnings != 0 ? paint.bold
                                                      : paint.good;
    text += fmt::format("{}{:<8}{} {}", colour, verdict_of(report), paint.plain, file.path);
    if (report.errors + report.warnings != 0) {
        text += " (";
        text += report.errors == 0 ? "" : counted(report.errors, "error");
        text += report.errors != 0 && report.warnings != 0 ? ", " : "";
        text += report.warnings == 0 ? "" : counted(report.warnings, "warning");
        text += ")";
    }
    return text + (report.note.empty() ? "" : " - " + report.note) + "\n";
}

struct Totals {
    std::size_t ok = 0;
    std::size_t with_warnings = 0;
    std::size_t with_errors = 0;
    std::size_t errors = 0;
    std::size_t warnings = 0;

    void add(const FileReport& report) {
        errors += report.errors;
        warnings += report.warnings;
        (report.errors != 0 ? with_errors : report.warnings != 0 ? with_warnings : ok) += 1;
    }
};

Result<TemplateOptions> template_options(const Options& options) {
    TemplateOptions result;
    result.undefined = options.empty_tokens ? Undefined::Nothing : Undefined::Stays;
    for (const std::string& argument : options.definitions) {
        const auto definition = parse_definition(argument);
        if (!definition) {
            return Trouble{.cause = "-D " + argument + " defines nothing",
                           .way_out = "write -D NAME=text, -D NAME+=text for @NAME+@ alone, or "
                                      "-D '$<...>=text'"};
        }
        result.definitions[definition->first] = definition->second;
    }
    return result;
}

Result<Answer> run(const Options& options, const CommonOptions& common, const Paint& paint) {
    const Result<TemplateOptions> templates = template_options(options);
    if (!templates.ok()) {
        return templates.trouble();
    }
    for (const std::string& folder : common.include) {
        std::error_code error;
        if (!std::filesystem::is_directory(folder, error)) {
            return Trouble{.cause = "-I " + folder + " is no folder", .way_out = "check the name"};
        }
    }
    const Result<FileSet> found = FileSet::collect(options.paths, templates.value());
    if (!found.ok()) {
        return found.trouble();
    }
    const FileSet& set = found.value();
    if (!set.unreadable().empty()) {
        return Trouble{.cause = "cannot look into " + set.unreadable()[0],
                       .way_out = "check its permissions"};
    }
    if (set.files().empty()) {
        return Trouble{.cause = "there is nothing to check in " + options.paths[0],
                       .way_out = "files end in .psl, .edl, .cdl, .idl or .yaml, templates in .in"};
    }
    JudgeOptions judging{.syntax_only = options.syntax_only,
                         .colour = *paint.plain == '\0' ? lang::Diagnostics::Colour::Never
                                                        : lang::Diagnostics::Colour::Always,
                         .include = common.include,
                         .lowering = lowering_of(common)};
    for (const char* const part : {"/interfaces", "/policies"}) {
        if (!common.sdk.empty()) {
            judging.system.push_back(common.sdk + part);
        }
    }
    const std::vector<FileReport> reports = judge(set, judging);
    Answer answer;
    Totals totals;
    Json results = Json::array();
    for (std::size_t i = 0; i < reports.size(); ++i) {
        const CheckedFile& file = set.files()[i];
        totals.add(reports[i]);
        answer.text += describe(file, reports[i], paint);
        Json entry{{"file", file.path},
                   {"kind", spelling(file.kind)},
                   {"verdict", verdict_of(reports[i])},
                   {"errors", reports[i].errors},
                   {"warnings", reports[i].warnings},
                   {"messages", reports[i].messages}};
        if (!reports[i].note.empty()) {
            entry["note"] = reports[i].note;
        }
        results.push_back(std::move(entry));
    }
    answer.text += fmt::format("{}: {} ok, {} with warnings, {} with errors\n",
                               counted(reports.size(), "file"),
                               totals.ok,
                               totals.with_warnings,
                               totals.with_errors);
    answer.json = {{"files", reports.size()},
                   {"ok", totals.ok},
                   {"with_warnings", totals.with_warnings},
                   {"with_errors", totals.with_errors},
                   {"errors", totals.errors},
                   {"warnings", totals.warnings},
                   {"results", std::move(results)}};
    answer.status = totals.with_errors == 0 ? ExitStatus::Yes : ExitStatus::No;
    return answer;
}

}  // namespace

void add_check(CLI::App& program, Task& task) {
    CLI::App& command = add_subcommand(
        program,
        "check",
        "Whether policies, descriptions and init.yaml files are correct",
        {"check security.psl",
         "check --syntax-only --json solutions/",
         "check -D INIT_EXTERNAL_ENTITIES='use kl.VfsNet._' einit/src/security.psl.in resources"});
    const auto options = std::make_shared<Options>();
    command
        .add_option("PATH",
                    options->paths,
                    ".psl, .edl, .cdl, .idl and .yaml files, templates of them (.in), or folders")
        ->required();
    command
        .add_option("-D",
                    options->definitions,
                    "The value of @NAME@ and {{ NAME }} in templates; without =text it is TRUE")
        ->type_name("NAME=TEXT")
        ->allow_extra_args(false);
    command.add_flag(
        "--empty-tokens", options->empty_tokens, "@NAME@ without a value stands for nothing");
    command.add_flag("--syntax-only", options->syntax_only, "Do not look at what names mean");
    command.callback([options, &task] {
        task = [options](const CommonOptions& common, const Paint& paint) {
            return run(*options, common, paint);
        };
    });
}

}  // namespace sdk::policy
