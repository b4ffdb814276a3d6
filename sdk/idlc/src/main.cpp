// SPDX-License-Identifier: Apache-2.0
// idlc: command line, and the order of the passes: find and resolve everything (sdk/lang), make all
// texts, then write. Exit status 0: done; 1: the descriptions have errors; 2: wrong command line.
#include "emit.hpp"
#include "emit_c.hpp"
#include "emit_manual.hpp"
#include "endpoint_table.hpp"
#include "names.hpp"
#include "output.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <lang/workspace.hpp>
#include <set>

namespace sdk::idlc {

namespace {

using lang::Code;
using lang::Package;
using lang::ProcessClass;
using lang::Word;

struct Options {
    std::vector<std::string> include_directories;
    std::vector<std::string> external_directories;
    std::vector<std::string> interfaces;
    std::vector<std::string> components;
    std::vector<std::string> classes;
    std::vector<std::string> files;
    std::string output = ".";
    std::string manifest;
    std::string endpoints;
    std::string depfile;
    bool c = false;
    bool manual = false;
    bool check = false;
    bool json = false;
};

class Run final {
public:
    explicit Run(const Options& options)
        : options_(options), diagnostics_(sources_), workspace_(sources_, diagnostics_) {}

    int run() {
        for (const std::string& directory : options_.include_directories) {
            workspace_.add_include_directory(directory);
        }
        if (options_.check) {
            check();
        } else {
            generate();
        }
        const std::string messages = diagnostics_.to_text(lang::colour_of_standard_error());
        std::fputs(messages.c_str(), stderr);
        if (options_.json) {
            print_json();
        } else if (options_.check) {
            std::printf("%zu files checked, %zu errors, %zu warnings\n",
                        options_.files.size(),
                        diagnostics_.error_count(),
                        diagnostics_.warning_count());
        }
        return diagnostics_.has_errors() ? 1 : 0;
    }

private:
    void check() {
        for (const std::string& file : options_.files) {
            workspace_.check_file(file);
        }
    }

    void print_json() {
        std::printf("{\"files\": %zu, \"errors\": %zu, \"warnings\": %zu, \"packages\": %zu,\n"
                    "\"diagnostics\": %s}\n",
                    options_.check ? options_.files.size() : workspace_.files_read().size(),
                    diagnostics_.error_count(),
                    diagnostics_.warning_count(),
                    workspace_.packages().size(),
                    diagnostics_.to_json().c_str());
    }

    bool is_name(const std::string& name) {
        if (!lang::is_qualified_name(name)) {
            diagnostics_.report<Code::BadNameSyntax>({}, Word{name});
            return false;
        }
        return true;
    }

    void generate() {
        if (options_.interfaces.empty() && options_.components.empty() &&
            options_.classes.empty()) {
            diagnostics_.report<Code::NothingToGenerate>({});
            return;
        }
        if (options_.manual) {
            generate_manual();
        } else if (options_.c) {
            generate_c();
        } else {
            generate_cpp();
        }
        if (!options_.endpoints.empty() && !diagnostics_.has_errors()) {
            list_endpoints();
        }
        if (!diagnostics_.has_errors()) {
            write();
        }
    }

    [[nodiscard]] Style style() const {
        return {.manifest = std::filesystem::path(options_.manifest).filename().string()};
    }

    /// Every header stands alone, so only what is named gets one.
    void generate_c() {
        for (const std::string& name : options_.interfaces) {
            const Package* const package =
                is_name(name) ? workspace_.find_package(name, {}) : nullptr;
            if (package != nullptr && !diagnostics_.has_errors()) {
                add(path_of(name) + ".idl.h", emit_c_interface(*package, style(), diagnostics_));
            }
        }
        for (const std::string& name : options_.components) {
            const lang::Component* const component =
                is_name(name) ? workspace_.find_component(name, {}) : nullptr;
            if (component != nullptr && !diagnostics_.has_errors()) {
                add(path_of(name) + ".cdl.h", emit_c_component(*component, style(), diagnostics_));
            }
        }
        for (const std::string& name : options_.classes) {
            const ProcessClass* const process =
                is_name(name) ? workspace_.find_class(name, {}) : nullptr;
            if (process != nullptr && !diagnostics_.has_errors()) {
                add(path_of(name) + ".edl.h", emit_c_class(*process, style(), diagnostics_));
            }
        }
    }

    void generate_manual() {
        for (const std::string& name : options_.classes) {
            const ProcessClass* const process =
                is_name(name) ? workspace_.find_class(name, {}) : nullptr;
            if (process == nullptr || diagnostics_.has_errors()) {
                continue;
            }
            add("README.md", emit_manual_index(*process));
            for (const lang::Endpoint& endpoint : process->endpoints) {
                add(manual_file(*endpoint.interface), emit_manual_page(*process, endpoint));
            }
        }
    }

    void list_endpoints() {
        std::string text;
        for (const std::string& name : options_.classes) {
            text += endpoint_lines(*workspace_.find_class(name, {}));
        }
        add(options_.endpoints, std::move(text));
    }

    void generate_cpp() {
        for (const std::string& name : options_.interfaces) {
            if (is_name(name)) {
                want(workspace_.find_package(name, {}));
            }
        }
        std::vector<const ProcessClass*> classes;
        for (const std::string& name : options_.classes) {
            if (!is_name(name)) {
                continue;
            }
            if (const ProcessClass* process = workspace_.find_class(name, {})) {
                classes.push_back(process);
                for (const lang::Endpoint& endpoint : process->endpoints) {
                    want(endpoint.interface);
                }
                for (const lang::SecurityEndpoint& owner : process->security) {
                    want(owner.interface);
                }
            }
        }
        ImplicitPackages implicit;
        if (!classes.empty()) {
            for (std::size_t i = 0; i < std::size(lang::kImplicitEndpoints); ++i) {
                implicit.packages[i] =
                    workspace_.find_package(lang::kImplicitEndpoints[i].interface, {});
                want(implicit.packages[i]);
            }
        }
        if (diagnostics_.has_errors()) {
            return;
        }
        for (const Package* package : wanted_) {
            emit(*package, style());
        }
        for (const ProcessClass* process : classes) {
            add(path_of(process->name) + ".endpoints.hpp",
                emit_endpoints(*process, implicit, style()));
            add(path_of(process->name) + ".edl.hpp", emit_class(*process, implicit, style()));
        }
    }

    /// Remembers a package and what it imports, unless another run makes their headers.
    void want(const Package* package) {
        if (package == nullptr || is_external(*package) || !seen_.insert(package).second) {
            return;
        }
        for (const Package* other : package->imports) {
            want(other);
        }
        wanted_.push_back(package);
    }

    [[nodiscard]] bool is_external(const Package& package) const {
        const std::string& path = sources_.get(package.source).name();
        const std::string relative = path_of(package.name) + ".idl";
        const std::string root =
            path.size() > relative.size() ? path.substr(0, path.size() - relative.size()) : "./";
        return std::ranges::any_of(options_.external_directories,
                                   [&](const std::string& directory) {
                                       std::error_code error;
                                       return std::filesystem::equivalent(root, directory, error);
                                   });
    }

    void emit(const Package& package, const Style& style) {
        const std::string path = path_of(package.name);
        add(path + ".idl.hpp", emit_types(package, style));
        add(path + ".views.hpp", emit_views(package, style));
        add(path + ".client.hpp", emit_client(package, style));
        add(path + ".server.hpp", emit_server(package, style));
    }

    void add(const std::string& file, std::string text) {
        const bool fresh = files_.emplace(options_.output + "/" + file, std::move(text)).second;
        if (!fresh) {
            diagnostics_.report<Code::OutputClash>({}, Word{file});
        }
    }

    void write() {
        if (!write_files(files_, diagnostics_)) {
            return;
        }
        std::string target = files_.empty() ? options_.output : files_.begin()->first;
        if (!options_.manifest.empty()) {
            target = options_.manifest;
            std::string text = "// Made by idlc whenever a binding beside it changes.\n"
                               "#pragma once\n";
            for (const auto& [path, content] : files_) {
                text += "// " + path.substr(options_.output.size() + 1) + "\n";
            }
            if (!write_file(options_.manifest, text, diagnostics_)) {
                return;
            }
        }
        if (!options_.depfile.empty()) {
            static_cast<void>(write_file(
                options_.depfile, make_rule(target, workspace_.files_read()), diagnostics_));
        }
    }

    const Options& options_;
    lang::Sources sources_;
    lang::Diagnostics diagnostics_;
    lang::Workspace workspace_;
    std::set<const Package*> seen_;
    std::vector<const Package*> wanted_;
    std::map<std::string, std::string> files_;
};

int main(int argc, char** argv) {
    Options options;
    CLI::App app{"Turns EDL, CDL and IDL descriptions into the C++20 or C binding, or checks them.",
                 "idlc"};
    app.add_option("-I", options.include_directories, "search here for a/b/C.idl, .cdl, .edl")
        ->type_name("DIR")
        ->allow_extra_args(false);
    app.add_option("--external",
                   options.external_directories,
                   "bindings of what is found in this include directory exist already")
        ->type_name("DIR")
        ->allow_extra_args(false);
    app.add_option("--interface", options.interfaces, "make the binding of this IDL package")
        ->type_name("NAME")
        ->allow_extra_args(false);
    app.add_flag("--c", options.c, "make headers for C, of exactly what is named");
    app.add_option("--component", options.components, "make the header of this CDL component")
        ->type_name("NAME")
        ->allow_extra_args(false);
    app.add_option("--class", options.classes, "make the dispatcher of this EDL class")
        ->type_name("NAME")
        ->allow_extra_args(false);
    app.add_flag("--manual", options.manual, "make the reference manual of this EDL class");
    app.add_option("--output", options.output, "root of what is written")->type_name("DIR");
    app.add_option(
           "--manifest", options.manifest, "also write this header, which all others include")
        ->type_name("FILE");
    app.add_option("--endpoints",
                   options.endpoints,
                   "also write the names of all endpoints of the classes, below the output root")
        ->type_name("FILE");
    app.add_option("--depfile", options.depfile, "also write what was read, for ninja")
        ->type_name("FILE");
    app.add_flag("--check", options.check, "only check FILE...");
    app.add_flag("--json", options.json, "print totals and messages as JSON");
    app.add_option("FILE", options.files, "files to check");
    try {
        app.parse(argc, argv);
        if (!options.c && !options.components.empty()) {
            throw CLI::ValidationError("--component is for --c only");
        }
        if (options.manual && (options.c || options.classes.size() != 1)) {
            throw CLI::ValidationError("--manual is for one --class, without --c");
        }
        if (options.check == options.files.empty()) {
            throw CLI::ValidationError(options.check ? "--check needs at least one FILE"
                                                     : "FILE is for --check only");
        }
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? 0 : 2;
    }
    while (options.output.size() > 1 && options.output.ends_with('/')) {
        options.output.pop_back();
    }
    return Run{options}.run();
}

}  // namespace

}  // namespace sdk::idlc

int main(int argc, char** argv) { return sdk::idlc::main(argc, argv); }
