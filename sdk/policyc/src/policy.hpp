// SPDX-License-Identifier: Apache-2.0
// A whole policy: the declarations of the main file and of every file it uses, in one sequence, and
// the process classes they bring in. Names of classes, objects and audit profiles are resolved
// here; bindings are not (bindings.hpp).
#pragma once

#include "audit.hpp"
#include "objects.hpp"

#include <cstdint>
#include <lang/diagnostics.hpp>
#include <lang/model.hpp>
#include <lang/psl_ast.hpp>
#include <lang/workspace.hpp>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace sdk::policyc {

namespace psl = lang::psl;

/// A class known to the policy, by the name the policy gives it.
struct PolicyClass {
    std::string name;
    const lang::ProcessClass* description = nullptr;
    lang::Span span;
};

struct Policy {
    std::vector<std::unique_ptr<psl::File>> files;  ///< in the order they were read
    std::vector<const psl::Binding*> bindings;      ///< in the order of evaluation
    std::vector<PolicyClass> classes;               ///< sorted by name; a class's id is its index
    std::vector<const lang::Package*> implicit;     ///< interfaces of lang::kImplicitEndpoints
    std::vector<const psl::TestBlock*> tests;       ///< `assert` blocks, in the order they stand
    Objects objects;
    std::map<std::uint32_t, std::string> file_names;  ///< source number -> name without a directory
    AuditTable audit;
    std::uint16_t core_class = 0;
    std::uint16_t init_class = 0;

    /// The id of a class, if the policy knows it.
    [[nodiscard]] std::optional<std::uint16_t> find_class(const std::string& name) const;

    /// All class names, for suggestions.
    [[nodiscard]] std::vector<std::string> class_names() const;

    /// The model of a policy object; empty when there is no such object.
    [[nodiscard]] std::string model_of(const std::string& object) const;

    /// Whether some object has this model.
    [[nodiscard]] bool has_model(const std::string& model) const;

    /// The object that a rule or expression belongs to: "s" of "s.add", and for a bare name the
    /// one with model Base; empty when there is none.
    [[nodiscard]] std::string object_of(const lang::QualifiedName& name) const;
};

/// Reads a policy and everything it uses. Errors are reported; the result is complete when none
/// were.
Policy
load_policy(const std::string& path, lang::Workspace& workspace, lang::Diagnostics& diagnostics);

}  // namespace sdk::policyc
