// SPDX-License-Identifier: Apache-2.0
#include "policy.hpp"

#include "audit.hpp"

#include <algorithm>
#include <filesystem>
#include <lang/psl_parser.hpp>
#include <set>

namespace sdk::policyc {

namespace {

using lang::Code;
using lang::Text;
using lang::Word;

constexpr const char* kCoreName = "kl.core.Core";
constexpr const char* kInitName = "Einit";
constexpr std::size_t kMaxClasses = 65534;

class Loader final {
public:
    Loader(lang::Workspace& workspace, lang::Diagnostics& diagnostics)
        : workspace_(workspace), diagnostics_(diagnostics) {}

    Policy run(const std::string& path) {
        if (lang::description_extension(path) != ".psl") {
            diagnostics_.report<Code::NotSecurityPolicy>({}, Word{path});
            return std::move(policy_);
        }
        if (const std::optional<std::uint32_t> file = workspace_.open_file(path, {})) {
            policy_.file_names[*file] = std::filesystem::path(path).filename().string();
            read(*file);
        }
        policy_.audit = check_audit(policy_, defaults_, profiles_, diagnostics_);
        finish_classes();
        bring_in_implicit();
        return std::move(policy_);
    }

private:
    void read(std::uint32_t file) {
        open_.insert(file);
        policy_.files.push_back(std::make_unique<psl::File>(psl::parse(file, diagnostics_)));
        const psl::File& parsed = *policy_.files.back();
        for (const psl::Declaration& declaration : parsed.declarations) {
            std::visit([this](const auto& node) { declare(node); }, declaration);
        }
        open_.erase(file);
    }

    void declare(const psl::ExecuteDecl& node) {
        if (node.interface.text() != "kl.core.Execute") {
            diagnostics_.report<Code::ExecuteInterface>(node.interface.span,
                                                        Word{node.interface.text()});
        }
    }

    void declare(const psl::UseFile& node) {
        const std::string name = node.name.text();
        const std::optional<lang::OpenedPolicy> file = workspace_.open_policy(name, node.name.span);
        if (!file) {
            return;
        }
        if (open_.contains(file->source)) {
            diagnostics_.report<Code::UseCycle>(node.name.span, Word{name});
            return;
        }
        if (!policy_.file_names.contains(file->source)) {
            std::string path = name;
            std::ranges::replace(path, '.', '/');
            const std::filesystem::path user = policy_.file_names.at(node.name.span.file);
            policy_.file_names[file->source] =
                (file->is_beside_user ? user.parent_path() / (path + ".psl")
                                      : std::filesystem::path(path + ".psl"))
                    .string();
            read(file->source);
        }
    }

    void declare(const psl::UseClass& node) { add_class(node.name.text(), node.name, node.span); }

    void declare(const psl::TaskClass& node) { add_class(node.name.text(), node.edl, node.span); }

    void declare(const psl::PolicyObject& node) {
        ObjectInfo info = check_object(node, diagnostics_);
        const auto [entry, is_new] = policy_.objects.try_emplace(node.name.text, std::move(info));
        if (!is_new) {
            diagnostics_
                .report<Code::DeclaredTwice>(
                    node.name.span, Text{"policy object"}, Word{node.name.text})
                .note(entry->second.node->name.span, "first declared here");
        }
    }

    void declare(const psl::AuditDefault& node) { defaults_.push_back(&node); }

    void declare(const psl::AuditProfile& node) { profiles_.push_back(&node); }

    void declare(const psl::Binding& node) { policy_.bindings.push_back(&node); }

    void declare(const psl::TestBlock& node) { policy_.tests.push_back(&node); }

    void add_class(const std::string& name,
                   const lang::QualifiedName& description,
                   const lang::Span& span) {
        const lang::ProcessClass* const found =
            workspace_.find_class(description.text(), description.span);
        if (found == nullptr) {
            missing_.insert(name);
            return;
        }
        const auto [entry, is_new] = classes_.try_emplace(name, PolicyClass{name, found, span});
        if (!is_new && entry->second.description != found) {
            diagnostics_.report<Code::DuplicateClass>(span, Word{name})
                .note(entry->second.span, "first declared here");
        }
    }

    void finish_classes() {
        for (auto& [name, entry] : classes_) {  // sorted by name, bytewise, as ksec searches
            policy_.classes.push_back(std::move(entry));
        }
        if (policy_.classes.size() > kMaxClasses) {
            diagnostics_.report<Code::TooManyClasses>({}, lang::Number{kMaxClasses});
            policy_.classes.clear();
            return;
        }
        policy_.core_class = require(kCoreName);
        policy_.init_class = require(kInitName);
    }

    std::uint16_t require(const char* name) {
        const std::optional<std::uint16_t> id = policy_.find_class(name);
        if (!id && !missing_.contains(name) && !policy_.files.empty()) {
            const lang::Span beginning{.file = policy_.files.front()->source};
            diagnostics_.report<Code::ClassNotBroughtIn>(beginning, Word{name});
        }
        return id.value_or(0);
    }

    void bring_in_implicit() {
        for (const lang::ImplicitEndpoint& endpoint : lang::kImplicitEndpoints) {
            const lang::Package* const found = workspace_.find_package(endpoint.interface, {});
            if (found != nullptr) {
                policy_.implicit.push_back(found);
            }
        }
    }

    lang::Workspace& workspace_;
    lang::Diagnostics& diagnostics_;
    Policy policy_;
    std::set<std::uint32_t> open_;
    std::map<std::string, PolicyClass> classes_;
    std::set<std::string> missing_;
    std::vector<const psl::AuditDefault*> defaults_;
    std::vector<const psl::AuditProfile*> profiles_;
};

}  // namespace

std::optional<std::uint16_t> Policy::find_class(const std::string& name) const {
    const auto found = std::ranges::lower_bound(classes, name, {}, &PolicyClass::name);
    if (found == classes.end() || found->name != name) {
        return std::nullopt;
    }
    return static_cast<std::uint16_t>(found - classes.begin());
}

std::vector<std::string> Policy::class_names() const {
    std::vector<std::string> names;
    for (const PolicyClass& entry : classes) {
        names.push_back(entry.name);
    }
    return names;
}

std::string Policy::model_of(const std::string& object) const {
    const auto found = objects.find(object);
    return found == objects.end() ? "" : found->second.model;
}

bool Policy::has_model(const std::string& model) const {
    return std::ranges::any_of(objects,
                               [&model](const auto& entry) { return entry.second.model == model; });
}

std::string Policy::object_of(const lang::QualifiedName& name) const {
    if (name.segments.size() > 1) {
        const std::string text = name.text();
        return text.substr(0, text.size() - name.last().text.size() - 1);
    }
    for (const auto& [object, info] : objects) {
        if (info.model == "Base") {
            return object;
        }
    }
    return {};
}

Policy
load_policy(const std::string& path, lang::Workspace& workspace, lang::Diagnostics& diagnostics) {
    return Loader(workspace, diagnostics).run(path);
}

}  // namespace sdk::policyc
