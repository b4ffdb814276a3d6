// SPDX-License-Identifier: Apache-2.0
// Why an event was granted or denied, for people and as JSON.
#pragma once

#include "access.hpp"
#include "sequence.hpp"
#include "words.hpp"

namespace sdk::policy {

/// The rules' word for what ksec is asked.
policyc::psl::EventKind kind_of(ksec::Event event);

/// A rule that is about something very like the event, and what is different.
struct NearMiss {
    RuleWords rule{};
    std::string difference{};  ///< "it is about client lab.Hall"
};

/// For an event that no rule is about: the rules nearest to it, at most two.
std::vector<NearMiss> near_misses(const AccessTable& access, const ReadEvent& event);

/// The reason in lines, each beginning with `indentation`; for a denial the deciding rule comes
/// with the values it read, for a grant every rule that was asked.
std::string
reason_words(const AccessTable& access, const Step& step, const std::string& indentation);

/// {"verdict", "reason", "rules", ...}
Json verdict_json(const AccessTable& access, const Step& step);

}  // namespace sdk::policy
