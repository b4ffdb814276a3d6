// SPDX-License-Identifier: Apache-2.0
// Reading init.yaml for the channels in it.
#pragma once

#include "channels.hpp"

namespace sdk::policyc {

/// The channels of the init.yaml at `path`, those to the kernel left out. Reports a file that
/// cannot be read or is wrong. `include_directories` are searched for headers that it names.
std::vector<Channel> read_channels(const std::string& path,
                                   const std::vector<std::string>& include_directories,
                                   lang::Sources& sources,
                                   lang::Diagnostics& diagnostics);

}  // namespace sdk::policyc
