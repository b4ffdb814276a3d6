// SPDX-License-Identifier: Apache-2.0
// Reading init.yaml for the processes and channels in it.
#pragma once

#include "start_check.hpp"

#include <sdk/imagec/component.hpp>

namespace sdk::policyc {

/// What the init.yaml at `path` declares. Reports a file that cannot be read or is wrong.
/// `include_directories` are searched for headers that it names.
StartDescription read_start(const std::string& path,
                            const std::vector<std::string>& include_directories,
                            lang::Sources& sources,
                            lang::Diagnostics& diagnostics);

/// The same of entities that were read from the source numbered `file`; channels to tasks that are
/// not among them are left out.
StartDescription describe_start(const std::vector<imagec::Component>& entities,
                                std::uint32_t file,
                                const lang::Sources& sources);

}  // namespace sdk::policyc
