// SPDX-License-Identifier: Apache-2.0
// What a compiled policy says of an event, and whether that is what the source says: the same
// verdict, for the same reason, by the same rule.
#pragma once

#include <ksec/verdict.hpp>
#include <sdk/policyc/src/compile.hpp>
#include <sdk/policyc/src/interpreter.hpp>
#include <string>

namespace sdk::policy {

/// The answer of a module.
struct ModuleVerdict {
    bool is_granted = false;
    ksec::Record record{};  ///< when denied, or when a grant is worth recording
};

/// Asks the rules of a module. Reads no byte beyond the event's vectors.
ModuleVerdict
judge(const ksec::EntryTable& table, const policyc::InterpretedEvent& event, ksec::Effect effect);

/// How a channel grants a request or a response before any rule is asked, if it does.
enum class AtSight { No, ByTag, IfItFits };

/// What the kernel finds in the row of the channel.
AtSight granted_at_sight(const ksec::EntryTable& table, const policyc::InterpretedEvent& event);

/// A verdict and how it came about, in terms that interpreter and module share.
struct Account {
    bool is_granted = false;
    ksec::Reason reason{};                     ///< when denied, or Audited; else zero
    ksec::Defect defect = ksec::Defect::None;  ///< Malformed
    std::uint32_t parameter = 0;               ///< Malformed
    std::string rule{};  ///< "security.psl:4 grant ()": the one that denied, or is audited

    friend bool operator==(const Account&, const Account&) = default;
};

Account account_of(const policyc::Compilation& policy, const policyc::Interpretation& verdict);
Account account_of(const policyc::Compilation& policy, const ModuleVerdict& verdict);

/// "denied by security.psl:4 assert (message.percent <= 100)"
std::string describe(const Account& account);

}  // namespace sdk::policy
