// SPDX-License-Identifier: Apache-2.0
// An init.yaml of a set of files against the policies of that set. Nothing in it names its policy:
// those count that share the most folders with it, and what one of them finds right is right.
#pragma once

#include <sdk/policyc/src/compile.hpp>
#include <sdk/policyc/src/start_description.hpp>

namespace sdk::policy {

class StartedSystem final {
public:
    /// The init.yaml at `path`; messages call it `name`. `text` is what `entities` were read from.
    StartedSystem(const std::string& path,
                  const std::string& name,
                  const std::string& text,
                  const std::vector<imagec::Component>& entities);
    StartedSystem(const StartedSystem&) = delete;
    StartedSystem& operator=(const StartedSystem&) = delete;

    /// Holds it against the policy at `path`, unless that is another system's or a nearer one was
    /// there before. A policy with errors finds nothing wrong.
    void hold_against(const policyc::Compilation& policy, const std::string& path);

    /// Classes that none of the nearest policies knows, channels that none lets be used.
    [[nodiscard]] const lang::Diagnostics& found() const { return *found_; }

private:
    [[nodiscard]] bool is_system_of(const policyc::Policy& policy, const std::string& path) const;

    std::string path_;
    lang::Sources sources_{};
    policyc::StartDescription all_{};
    policyc::StartDescription suspected_{};  // by all of the nearest policies so far
    std::size_t nearest_ = 0;
    std::unique_ptr<lang::Diagnostics> found_ = std::make_unique<lang::Diagnostics>(sources_);
};

}  // namespace sdk::policy
