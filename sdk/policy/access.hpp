// SPDX-License-Identifier: Apache-2.0
// Who may say what to whom, before any event happens: for each question the rules that would judge
// it, and whether they leave anything open. The common ground of graph, flow and diff.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <sdk/policyc/src/compile.hpp>
#include <string>
#include <tuple>
#include <vector>

namespace sdk::policy {

using policyc::psl::EventKind;

/// What is known without looking at a message or at state.
enum class Access : std::uint8_t {
    Denied,       ///< no rule, or one that always denies
    Conditional,  ///< depends on the message, on SIDs or on the state of models
    Granted,      ///< every message of the right structure
};

/// "denied", "conditional", "granted"
const char* spelling(Access access);

/// One kind of event between two classes. `client` calls `server`; a start is asked by `client` and
/// starts `server`; a security question has both the same.
struct Question {
    EventKind event = EventKind::Request;
    std::uint16_t client = 0;
    std::uint16_t server = 0;
    std::uint16_t endpoint = 0;
    std::uint16_t method = 0;
    bool is_implicit = false;

    friend auto operator<=>(const Question&, const Question&) = default;
};

/// The answer: what, and the rules that say so, in the order of evaluation.
struct Decision {
    Access access = Access::Denied;
    std::vector<const policyc::BoundRule*> rules{};
};

/// One method of a class, in words.
struct MethodName {
    std::string endpoint{};   ///< path; security: the owner's component path
    std::string interface{};  ///< empty for a start
    std::string method{};     ///< "main" for a start
};

/// All decisions of a policy. Points into the policy, which must live as long.
class AccessTable final {
public:
    explicit AccessTable(const policyc::Compilation& policy);

    /// O(rules of the method).
    [[nodiscard]] Decision decide(const Question& question) const;

    /// Every question there is about messages of `event` from `client` to `server`: declared
    /// endpoints, and for the kernel as client the implicit ones. Messages that cannot exist (an
    /// error without parameters) are left out.
    [[nodiscard]] std::vector<Question>
    questions(EventKind event, std::uint16_t client, std::uint16_t server) const;

    [[nodiscard]] MethodName name(const Question& question) const;

    [[nodiscard]] const policyc::Compilation& policy() const { return *policy_; }

private:
    /// event, server, is_implicit, endpoint, method
    using Key = std::tuple<EventKind, std::uint16_t, bool, std::uint16_t, std::uint16_t>;

    const policyc::Compilation* policy_;
    std::map<Key, std::vector<const policyc::BoundRule*>> rules_;
};

}  // namespace sdk::policy
