// SPDX-License-Identifier: Apache-2.0
// The verdict on each file of a set. Every file is judged with all it refers to, and each message
// is kept once, with the file that it is about.
#pragma once

#include "checked_files.hpp"

#include <sdk/policyc/src/lower.hpp>

namespace sdk::policy {

struct JudgeOptions {
    bool syntax_only = false;
    lang::Diagnostics::Colour colour = lang::Diagnostics::Colour::Never;  ///< of the texts
    std::vector<std::string> include{};  ///< searched before the folder of each file
    std::vector<std::string> system{};   ///< searched after it: the SDK's
    policyc::LoweringOptions lowering{};
};

/// What there is to say about one file.
struct FileReport {
    std::size_t errors = 0;
    std::size_t warnings = 0;
    std::string text{};             ///< the messages for people
    Json messages = Json::array();  ///< the same for programs
    std::string note{};             ///< how it was judged, when not in the usual way
};

/// One report a file, in their order. Costs as much as compiling each policy, and each description
/// with what it needs, once.
std::vector<FileReport> judge(const FileSet& set, const JudgeOptions& options);

}  // namespace sdk::policy
