// SPDX-License-Identifier: Apache-2.0
#include "judge.hpp"

#include "files.hpp"
#include "started_system.hpp"

#include <algorithm>
#include <deque>
#include <filesystem>
#include <fmt/format.h>
#include <lang/idl_parser.hpp>
#include <lang/psl_parser.hpp>
#include <set>
#include <tuple>

namespace sdk::policy {

namespace {

using lang::Code;
using lang::Diagnostic;
using lang::Diagnostics;
using lang::Text;
using lang::Word;

class Judge final {
public:
    Judge(const FileSet& set, const JudgeOptions& options)
        : set_(set), options_(options), reports_(set.files().size()), colour_(options.colour) {}

    std::vector<FileReport> run() {
        mark_roots();
        for (std::size_t i = 0; i < set_.files().size(); ++i) {
            if (set_.files()[i].kind == FileKind::Composition) {
                judge_composition(i);  // the policies have something to say about it
            }
        }
        for (std::size_t i = 0; i < set_.files().size(); ++i) {
            judge_file(i);
        }
        // A circle of policies that use each other has no root: its files are still unjudged.
        for (std::size_t i = 0; i < set_.files().size(); ++i) {
            if (set_.files()[i].kind == FileKind::Policy && !judged_.contains(i)) {
                judge_policy(i);
            }
        }
        for (const auto& [index, system] : systems_) {
            take(index, system.found());
        }
        for (std::size_t i = 0; i < set_.files().size(); ++i) {
            if (!set_.files()[i].keeps_lines && reports_[i].errors + reports_[i].warnings != 0) {
                reports_[i].note = "lines are those of the expanded template";
            }
        }
        return std::move(reports_);
    }

private:
    void mark_roots() {
        for (std::size_t i = 0; i < set_.files().size(); ++i) {
            for (const std::string& name : set_.files()[i].uses) {
                const std::ptrdiff_t used = set_.find_policy(set_.files()[i], name);
                if (used >= 0 && static_cast<std::size_t>(used) != i) {
                    used_.insert(static_cast<std::size_t>(used));
                }
            }
        }
    }

    void judge_file(std::size_t index) {
        const CheckedFile& file = set_.files()[index];
        switch (file.kind) {
        case FileKind::Policy:
            if (options_.syntax_only) {
                judge_syntax(index);
            } else if (!used_.contains(index)) {
                judge_policy(index);
            }
            break;
        case FileKind::Description:
            if (options_.syntax_only) {
                judge_syntax(index);
            } else {
                judge_description(index);
            }
            break;
        case FileKind::Composition:
            break;
        case FileKind::Other: {
            lang::Sources sources;
            Diagnostics diagnostics{sources};
            diagnostics.report<Code::WrongFileType>({}, Word{file.path});
            take(index, diagnostics);
            break;
        }
        }
    }

    void judge_syntax(std::size_t index) {
        const CheckedFile& file = set_.files()[index];
        judged_.insert(index);
        lang::Sources sources;
        Diagnostics diagnostics{sources};
        if (std::optional<std::string> text = set_.text_of(file, diagnostics)) {
            const std::uint32_t source = sources.add(file.path, std::move(*text));
            if (file.extension == ".psl") {
                static_cast<void>(lang::psl::parse(source, diagnostics));
            } else if (file.extension == ".idl") {
                static_cast<void>(lang::idl::parse_package(source, diagnostics));
            } else {
                using Kind = lang::idl::ClassFile::Kind;
                const Kind kind = file.extension == ".edl" ? Kind::Process : Kind::Component;
                static_cast<void>(lang::idl::parse_class(source, kind, diagnostics));
            }
        }
        take(index, diagnostics);
    }

    /// Compiles a policy that no other one of the set uses. One that brings in neither the kernel
    /// nor init is a part of some policy elsewhere: what its names mean is not known here.
    void judge_policy(std::size_t index) {
        const CheckedFile& file = set_.files()[index];
        judged_.insert(index);
        const policyc::Compilation compilation(
            file.path, search_path(file), set_.overlay_for(file), options_.lowering);
        for (const std::string& path : compilation.files()) {
            if (const std::ptrdiff_t used = set_.find(path); used >= 0) {
                judged_.insert(static_cast<std::size_t>(used));
            }
        }
        const auto is_missing = [](const Diagnostic& one) {
            return one.code == Code::ClassNotBroughtIn;
        };
        if (std::ranges::count_if(compilation.diagnostics().all(), is_missing) == 2) {
            take(index, compilation.diagnostics(), Meaning::Unknown);
            reports_[index].note = "part of a policy: its syntax only";
            return;
        }
        take(index, compilation.diagnostics());
        for (auto& [ignored, system] : systems_) {
            system.hold_against(compilation, file.path);
        }
    }

    void judge_description(std::size_t index) {
        const CheckedFile& file = set_.files()[index];
        lang::Sources sources;
        Diagnostics diagnostics{sources};
        lang::Workspace workspace{sources, diagnostics};
        workspace.use_overlay(set_.overlay_for(file));
        for (const std::string& folder : search_path(file)) {
            workspace.add_include_directory(folder);
        }
        workspace.check_file(file.path);
        take(index, diagnostics);
    }

    void judge_composition(std::size_t index) {
        const CheckedFile& file = set_.files()[index];
        lang::Sources sources;
        Diagnostics diagnostics{sources};
        const std::optional<std::string> text = set_.text_of(file, diagnostics);
        if (!text) {
            take(index, diagnostics);
            return;
        }
        // A refusal shows the line of the file of that name: better none than the wrong one.
        const std::string name = file.keeps_lines ? file.path : file.path + " (expanded)";
        const auto parsed =
            imagec::parse_init_yaml(*text, name, search_path(file), imagec::MacroIds::MayStayNames);
        if (!parsed.ok()) {
            for (const imagec::Diagnostic& failure : parsed.failures()) {
                take(index, failure);
            }
            return;
        }
        for (const imagec::Diagnostic& failure : imagec::find_lost_connections(parsed.value())) {
            take(index, failure);
        }
        systems_.emplace_back(std::piecewise_construct,
                              std::forward_as_tuple(index),
                              std::forward_as_tuple(file.path, name, *text, parsed.value()));
    }

    [[nodiscard]] std::vector<std::string> search_path(const CheckedFile& file) const {
        std::vector<std::string> folders = options_.include;
        const std::string own = std::filesystem::path(file.path).parent_path().string();
        folders.push_back(own.empty() ? "." : own);
        folders.insert(folders.end(), options_.system.begin(), options_.system.end());
        return folders;
    }

    enum class Meaning {
        Known,
        Unknown,  ///< of classes and rules: messages about that are left out
    };

    static bool is_about_meaning(Code code) {
        constexpr unsigned kFirst = 4000;
        return static_cast<unsigned>(code) >= kFirst && code != Code::UseCycle;
    }

    /// Hands each message to the file it is about; those about other files to `index`.
    void take(std::size_t index, const Diagnostics& diagnostics, Meaning meaning = Meaning::Known) {
        for (const Diagnostic* one : diagnostics.ordered()) {
            if (meaning == Meaning::Unknown && is_about_meaning(one->code)) {
                continue;
            }
            const bool is_placed = one->span.is_known();
            const std::string path =
                is_placed ? diagnostics.sources().get(one->span.file).name() : std::string{};
            const std::ptrdiff_t owner = is_placed ? set_.find(path) : -1;
            const std::size_t at = owner >= 0 ? static_cast<std::size_t>(owner) : index;
            if (is_placed &&
                !seen_.emplace(path, one->span.begin, one->code, one->message).second) {
                continue;
            }
            FileReport& report = reports_[at];
            (one->severity == lang::Severity::Error ? report.errors : report.warnings) += 1;
            report.text += diagnostics.to_text(*one, colour_);
            report.messages.push_back(Json::parse(diagnostics.to_json(*one), nullptr, false));
        }
        const std::size_t counted = diagnostics.error_count() + diagnostics.warning_count();
        if (counted > diagnostics.all().size()) {
            reports_[index].note =
                fmt::format("{} more messages are not shown", counted - diagnostics.all().size());
        }
    }

    void take(std::size_t index, const imagec::Diagnostic& failure) {
        FileReport& report = reports_[index];
        report.errors += 1;
        report.text += imagec::render(failure);
        report.messages.push_back(to_json(failure));
    }

    const FileSet& set_;
    const JudgeOptions& options_;
    std::vector<FileReport> reports_;
    Diagnostics::Colour colour_;
    std::deque<std::pair<std::size_t, StartedSystem>> systems_;  // by their files
    std::set<std::size_t> used_;                                 // by another policy of the set
    std::set<std::size_t> judged_;                               // policies
    std::set<std::tuple<std::string, std::uint32_t, Code, std::string>> seen_;
};

}  // namespace

std::vector<FileReport> judge(const FileSet& set, const JudgeOptions& options) {
    return Judge(set, options).run();
}

}  // namespace sdk::policy
