// SPDX-License-Identifier: Apache-2.0
// Judges events of PAL one after another, as a system that has just started would.
#pragma once

#include "event_reader.hpp"

namespace sdk::policy {

/// One event and its verdict.
struct Step {
    ReadEvent event{};
    policyc::Interpretation verdict{};
};

class Sequence final {
public:
    /// The kernel and Einit are there already, unless one of `cases` starts them itself.
    Sequence(const policyc::Policy& policy,
             const std::vector<const std::vector<lang::psl::TestCase>*>& cases);

    /// Judges the next event, with effect. A process is started only when that is granted. Nothing:
    /// the case is no event, which was reported.
    std::optional<Step> run(const lang::psl::TestCase& test, lang::Diagnostics& diagnostics);

    /// Starts a process of a class in Einit's name, when there is none yet. Nothing: there is one.
    std::optional<Step> ensure_started(std::uint16_t class_id);

    /// What the kernel did before the first event.
    [[nodiscard]] const std::vector<Step>& boot() const { return boot_; }

private:
    Step judge(ReadEvent event);

    const policyc::Policy* policy_;
    policyc::Interpreter interpreter_;
    Processes processes_;
    std::vector<Step> boot_;
};

}  // namespace sdk::policy
