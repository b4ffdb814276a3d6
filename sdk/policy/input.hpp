// SPDX-License-Identifier: Apache-2.0
// Reading what the questions are about: a policy with its descriptions, an init.yaml with its
// channels, and the names people write on the command line.
#pragma once

#include "command.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <sdk/policyc/src/compile.hpp>
#include <set>
#include <string>

namespace sdk::policy {

/// A compiled policy. Shared, since answers point into it.
using PolicyPtr = std::shared_ptr<const policyc::Compilation>;

inline constexpr const char* kDefaultPolicy = "security.psl";

/// What the options say about compiling a policy.
policyc::LoweringOptions lowering_of(const CommonOptions& options);

/// Compiles the policy at `path`, searching the folders of -I, its own folder, and the SDK's.
/// Trouble: it has errors (all of them are in `details`), or there is no such file.
Result<PolicyPtr> load(const std::string& path,
                       const CommonOptions& options,
                       const policyc::LoweringOptions& lowering);

/// The same, with the options' lowering.
Result<PolicyPtr> load(const std::string& path, const CommonOptions& options);

/// The class that a word of the command line means: its whole name, or the last part of it when
/// only one class ends so. Trouble: unknown (with a suggestion), or ambiguous (with the
/// candidates).
Result<std::uint16_t> find_class(const policyc::Policy& policy, const std::string& word);

/// Which of some names a word may mean.
struct NameMatch {
    std::vector<std::string> names{};  ///< one: that is meant
    std::string hint{};                ///< when there is none, what may have been meant
};

/// A name is meant by the whole of it, or else by its last part.
NameMatch match_name(const std::string& word, const std::vector<std::string>& names);

/// Processes and channels of an init.yaml, by class: what the system is made of.
struct System {
    std::map<std::string, std::set<std::string>> tasks{};      ///< class -> its tasks
    std::set<std::pair<std::string, std::string>> channels{};  ///< client class, server class
};

/// Trouble: the file is unreadable or no init.yaml.
Result<System> load_system(const std::string& path, const std::vector<std::string>& include);

/// "file:line" of a rule, the file as the policy names it.
std::string place_of(const policyc::Compilation& policy, const lang::Span& span);

/// Source text on one line: blanks, line ends and comments become one blank; Texts stay as they
/// are.
std::string text_of(const policyc::Compilation& policy, const lang::Span& span);

}  // namespace sdk::policy
