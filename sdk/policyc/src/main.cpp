// SPDX-License-Identifier: Apache-2.0
// policyc: a policy in PSL to the source of a ksec module.
#include "compile.hpp"
#include "emit.hpp"
#include "report.hpp"
#include "start_description.hpp"

#include <algorithm>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <iostream>
#include <string_view>

namespace {

using namespace sdk::policyc;

constexpr std::string_view kHelp =
    R"(usage: policyc [-I DIR]... --output FILE --names FILE [options] POLICY.psl

Compiles a security policy into the C++ source of a policy module (ksec.elf).

  -I DIR              search DIR for .psl, .edl, .cdl and .idl files; a.B stands in DIR/a/B.idl
  --output FILE       the module's source, to be linked with ksec/engine
  --names FILE        the names table: classes, methods and rules by number, for readable denials
  --report FILE       what the policy consists of and costs, as text ('-' for standard output)
  --report-json FILE  the same as JSON
  --init FILE         an init.yaml: reports classes that the policy does not know, and warns
                      of channels that no request can use
  --depfile FILE      the files read, as a make rule for --output
  --state-limit N     instructions that the rules on state of one message may take (default 500);
                      they run while the kernel is locked
  --record-all        a module for a run that is recorded: every kind of grant is recorded once
  --warn-unmatched    a section whose selectors can match nothing is a warning, and left out
  --symbol NAME       name of the entry table object (default ksec_entry_table)
  --check             compile and report only; write nothing
  --json              diagnostics as JSON on standard output
  --help              this text

examples:
  policyc -I sdk/interfaces -I sdk/policies --check security.psl
  policyc -I . -I sdk/interfaces -I sdk/policies \
          --output policy.cpp --names policy.names --report - security.psl

The exit status is 0 when the policy compiled, 1 when it has errors, 2 for a wrong command line.
Nothing is written when there is an error.
)";

struct Options {
    std::vector<std::string> include_directories;
    std::string output;
    std::string names;
    std::string report;
    std::string report_json;
    std::string depfile;
    std::string init;
    std::string state_limit = "500";
    std::string symbol = "ksec_entry_table";
    std::string policy;
    bool check_only = false;
    bool record_all = false;
    bool warn_unmatched = false;
    bool json = false;
    bool help = false;
};

int usage_error(const std::string& message) {
    std::cerr << "policyc: " << message << "; 'policyc --help' explains\n";
    return 2;
}

bool is_identifier(const std::string& text) {
    const auto is_word = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '_';
    };
    return !text.empty() && !(text[0] >= '0' && text[0] <= '9') &&
           std::ranges::all_of(text, is_word);
}

/// Fills `options`; the message says what is wrong, empty when nothing is.
std::string parse(const std::vector<std::string>& arguments, Options& options) {
    const std::pair<std::string_view, std::string*> with_value[] = {
        {"--output", &options.output},
        {"--names", &options.names},
        {"--report", &options.report},
        {"--report-json", &options.report_json},
        {"--depfile", &options.depfile},
        {"--init", &options.init},
        {"--state-limit", &options.state_limit},
        {"--symbol", &options.symbol},
    };
    for (std::size_t i = 0; i < arguments.size(); ++i) {
        const std::string& argument = arguments[i];
        if (argument == "--help" || argument == "-h") {
            options.help = true;
        } else if (argument == "--check") {
            options.check_only = true;
        } else if (argument == "--record-all") {
            options.record_all = true;
        } else if (argument == "--warn-unmatched") {
            options.warn_unmatched = true;
        } else if (argument == "--json") {
            options.json = true;
        } else if (argument == "-I") {
            if (++i == arguments.size()) {
                return "-I needs a directory";
            }
            options.include_directories.push_back(arguments[i]);
        } else if (argument.starts_with("-I")) {
            options.include_directories.push_back(argument.substr(2));
        } else if (argument.starts_with("-") && argument != "-") {
            const auto* const found = std::ranges::find(
                with_value, argument, [](const auto& entry) { return entry.first; });
            if (found == std::end(with_value)) {
                return "unknown option " + argument;
            }
            if (++i == arguments.size()) {
                return argument + " needs a value";
            }
            *found->second = arguments[i];
        } else if (!options.policy.empty()) {
            return "more than one policy: " + options.policy + " and " + argument;
        } else {
            options.policy = argument;
        }
    }
    if (options.help) {
        return {};
    }
    if (options.policy.empty()) {
        return "no policy given";
    }
    if (!options.check_only && (options.output.empty() || options.names.empty())) {
        return "--output and --names are needed, or --check";
    }
    if (!is_identifier(options.symbol)) {
        return "--symbol must be a C identifier";
    }
    const bool is_number = !options.state_limit.empty() && options.state_limit.size() <= 6 &&
                           options.state_limit.find_first_not_of("0123456789") == std::string::npos;
    if (!is_number) {
        return "--state-limit must be a number below a million";
    }
    return {};
}

/// Files that appear together or not at all: written beside their names, then renamed.
class Outputs final {
public:
    void add(const std::string& path, std::string text) {
        if (path == "-") {
            std::cout << text;
        } else if (!path.empty()) {
            files_.emplace_back(path, std::move(text));
        }
    }

    bool write() const {
        for (const auto& [path, text] : files_) {
            std::ofstream stream(path + ".new", std::ios::binary | std::ios::trunc);
            stream << text;
            stream.close();
            if (!stream) {
                std::cerr << "policyc: cannot write " << path << "\n";
                remove_new();
                return false;
            }
        }
        for (const auto& [path, text] : files_) {
            std::error_code error;
            std::filesystem::rename(path + ".new", path, error);
            if (error) {
                std::cerr << "policyc: cannot write " << path << ": " << error.message() << "\n";
                remove_new();
                return false;
            }
        }
        return true;
    }

private:
    void remove_new() const {
        for (const auto& [path, text] : files_) {
            std::error_code ignored;
            std::filesystem::remove(path + ".new", ignored);
        }
    }

    std::vector<std::pair<std::string, std::string>> files_;
};

std::string depfile_text(const std::string& target, const std::vector<std::string>& files) {
    const auto escape = [](const std::string& path) {
        std::string result;
        for (const char c : path) {
            if (c == ' ' || c == '#') {
                result += '\\';
            } else if (c == '$') {
                result += '$';
            }
            result += c;
        }
        return result;
    };
    std::string text = escape(target) + ":";
    for (const std::string& file : files) {
        text += " \\\n  " + escape(file);
    }
    return text + "\n";
}

void print_diagnostics(const sdk::lang::Diagnostics& diagnostics, const Options& options) {
    if (options.json) {
        std::cout << diagnostics.to_json() << "\n";
    } else {
        std::cerr << diagnostics.to_text(sdk::lang::colour_of_standard_error());
    }
}

int run(const Options& options) {
    Compilation compilation(
        options.policy,
        options.include_directories,
        {},
        {.most_state_cost = static_cast<std::uint32_t>(std::stoul(options.state_limit)),
         .records_run = options.record_all,
         .unmatched = options.warn_unmatched ? sdk::policyc::Unmatched::Warning
                                             : sdk::policyc::Unmatched::Error});
    if (!options.init.empty()) {
        compilation.check_start(
            [&options](sdk::lang::Sources& sources, sdk::lang::Diagnostics& diagnostics) {
                return read_start(options.init, options.include_directories, sources, diagnostics);
            });
    }
    print_diagnostics(compilation.diagnostics(), options);
    if (!compilation.ok()) {
        return 1;
    }
    const Lowered& lowered = compilation.lowered();
    Outputs outputs;
    if (!options.check_only) {
        const std::string source = std::filesystem::path(options.policy).filename().string();
        outputs.add(options.output, emit_module(lowered, options.symbol, source));
        outputs.add(options.names, emit_names(lowered));
        std::vector<std::string> files = compilation.files();
        if (!options.init.empty()) {
            files.push_back(options.init);
        }
        outputs.add(options.depfile, depfile_text(options.output, files));
    }
    outputs.add(options.report, report_text(lowered));
    outputs.add(options.report_json, report_json(lowered));
    return outputs.write() ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
    Options options;
    const std::string problem = parse({argv + 1, argv + argc}, options);
    if (!problem.empty()) {
        return usage_error(problem);
    }
    if (options.help) {
        std::cout << kHelp;
        return 0;
    }
    return run(options);
}
