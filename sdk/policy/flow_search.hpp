// SPDX-License-Identifier: Apache-2.0
// The search behind `flow`: shortest chain of messages from one class to another. What it finds is
// what the policy cannot exclude; whether a program in between does pass on what it learns is its
// own affair, and why classes may be declared silent.
#pragma once

#include "access.hpp"
#include "input.hpp"

#include <optional>
#include <set>

namespace sdk::policy {

/// How a message, or a process start, carries something.
enum class Way : std::uint8_t {
    Message,  ///< in its parameters, or by coming at all
    Memory,   ///< it went the other way and brought a handle: of memory, perhaps, that both use now
    Start,    ///< in the program, arguments and environment that who starts a process chooses
};

/// One kind of event that carries something from `from` to `to`.
struct Carrier {
    Way way = Way::Message;
    Question question{};
    Access access = Access::Denied;
    std::uint64_t data_bytes = 0;  ///< most bytes of parameters it brings
    std::vector<const policyc::BoundRule*> rules{};
};

/// One step of a chain and everything that may carry it.
struct Hop {
    std::uint16_t from = 0;
    std::uint16_t to = 0;
    std::vector<Carrier> carriers{};
};

/// Client class, server class.
using Channels = std::set<std::pair<std::uint16_t, std::uint16_t>>;

struct FlowOptions {
    std::optional<Channels> channels{};  ///< none: every channel that the policy permits
    std::set<std::uint16_t> silent{};    ///< classes trusted not to pass anything on
    bool only_data = false;              ///< messages without parameters do not count
};

/// The channels of a system, and those that come to be when a message that the policy may grant
/// hands them on: its receiver may then call whom the sender may, and the sender.
Channels channels_of(const AccessTable& access, const System& system);

/// Everything that may carry information directly from one class to another, in the order of the
/// descriptions: requests of `from`, then responses and errors to calls of `to`, then memory handed
/// over the other way, and the start of `to` by `from`.
std::vector<Carrier> carriers_between(const AccessTable& access,
                                      const FlowOptions& options,
                                      std::uint16_t from,
                                      std::uint16_t to);

/// A shortest chain; among equals, the one by classes first in the alphabet. Nothing: there is
/// none. `from` and `to` differ.
std::optional<std::vector<Hop>> find_flow(const AccessTable& access,
                                          const FlowOptions& options,
                                          std::uint16_t from,
                                          std::uint16_t to);

/// Every class to which information of `from` may come, without `from`.
std::set<std::uint16_t>
reach_of(const AccessTable& access, const FlowOptions& options, std::uint16_t from);

}  // namespace sdk::policy
