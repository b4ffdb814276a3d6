// SPDX-License-Identifier: Apache-2.0
// The passes in order: load, bind, lower. What main() does, for tests too.
#pragma once

#include "bindings.hpp"
#include "lower.hpp"
#include "lowered.hpp"
#include "policy.hpp"
#include "start_check.hpp"

#include <string>
#include <vector>

namespace sdk::policyc {

/// One run of the compiler. The parts refer to each other, so it stays where it is.
class Compilation final {
public:
    /// Compiles the policy at `path`; look at diagnostics() for how it went. The overlay may say
    /// what that file contains, too.
    Compilation(const std::string& path,
                const std::vector<std::string>& include_directories,
                lang::Overlay overlay = {},
                const LoweringOptions& options = {});
    Compilation(const Compilation&) = delete;
    Compilation& operator=(const Compilation&) = delete;

    [[nodiscard]] const lang::Diagnostics& diagnostics() const { return diagnostics_; }

    [[nodiscard]] bool ok() const { return !diagnostics_.has_errors(); }

    [[nodiscard]] const Policy& policy() const { return policy_; }

    [[nodiscard]] const std::vector<BoundRule>& rules() const { return rules_; }

    [[nodiscard]] const Lowered& lowered() const { return lowered_; }

    /// Checks the start description that `read` returns against the policy.
    template <typename Read> void check_start(Read read) {
        const StartDescription start = read(sources_, diagnostics_);
        if (ok()) {
            policyc::check_start(policy_, lowered_, start, diagnostics_);
        }
    }

    /// Every file read, the policy first.
    [[nodiscard]] const std::vector<std::string>& files() const { return workspace_.files_read(); }

private:
    lang::Sources sources_;
    lang::Diagnostics diagnostics_{sources_};
    lang::Workspace workspace_{sources_, diagnostics_};
    Policy policy_;
    std::vector<BoundRule> rules_;
    Lowered lowered_;
};

}  // namespace sdk::policyc
