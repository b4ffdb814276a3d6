// SPDX-License-Identifier: Apache-2.0
#include "compile.hpp"

#include <iterator>
#include <utility>

namespace sdk::policyc {

using lang::Code;

Compilation::Compilation(const std::string& path,
                         const std::vector<std::string>& include_directories,
                         lang::Overlay overlay,
                         const LoweringOptions& options) {
    workspace_.use_overlay(std::move(overlay));
    for (const std::string& directory : include_directories) {
        workspace_.add_include_directory(directory);
    }
    policy_ = load_policy(path, workspace_, diagnostics_);
    if (policy_.classes.empty() || policy_.implicit.size() != std::size(lang::kImplicitEndpoints)) {
        return;  // nothing to resolve names in; that was reported
    }
    if (options.unmatched == Unmatched::Warning) {
        diagnostics_.downgrade({Code::UnknownClass,
                                Code::NoSuchInterface,
                                Code::NoSuchComponent,
                                Code::NoSuchEndpoint,
                                Code::NoSuchMethod,
                                Code::SelectsNothing,
                                Code::NoSecurityInterface});
    }
    rules_ = bind_rules(policy_, diagnostics_);
    diagnostics_.downgrade({});
    lowered_ = lower(policy_, rules_, options, diagnostics_);
}

}  // namespace sdk::policyc
