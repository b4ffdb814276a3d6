// SPDX-License-Identifier: Apache-2.0
// Channels that a start description declares, against what the policy lets through them.
#pragma once

#include "lowered.hpp"
#include "policy.hpp"

#include <string>
#include <vector>

namespace sdk::policyc {

/// A channel from a client to a server, by their classes.
struct Channel {
    std::string client;
    std::string server;
    std::string id;
    lang::Span span;  ///< where it is declared
};

/// Warns of channels through which no request can ever go. Reports classes that the policy does not
/// know.
void check_channels(const Policy& policy,
                    const Lowered& lowered,
                    const std::vector<Channel>& channels,
                    lang::Diagnostics& diagnostics);

}  // namespace sdk::policyc
