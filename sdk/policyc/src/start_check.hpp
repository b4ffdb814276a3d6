// SPDX-License-Identifier: Apache-2.0
// What a start description declares, against what the policy knows and lets through.
#pragma once

#include "lowered.hpp"
#include "policy.hpp"

#include <string>
#include <vector>

namespace sdk::policyc {

/// A process to be started, by its class.
struct StartedTask {
    std::string class_name;
    lang::Span span;  ///< where it is declared
};

/// A channel from a client to a server, by their classes.
struct Channel {
    std::string client;
    std::string server;
    std::string id;
    lang::Span span;  ///< where it is declared
};

/// The processes of a system and the channels between them; those to the kernel left out.
struct StartDescription {
    std::vector<StartedTask> tasks;
    std::vector<Channel> channels;
};

/// Reports classes that the policy does not know, and warns of channels through which no request
/// can ever go.
void check_start(const Policy& policy,
                 const Lowered& lowered,
                 const StartDescription& start,
                 lang::Diagnostics& diagnostics);

}  // namespace sdk::policyc
