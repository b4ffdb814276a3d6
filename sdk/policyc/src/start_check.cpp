// SPDX-License-Identifier: Apache-2.0
#include "start_check.hpp"

#include <algorithm>

namespace sdk::policyc {

using lang::Code;
using lang::Word;

namespace {

/// Whether a decision denies whatever the message and the state are.
bool always_denies(const LoweredDecision& decision) {
    return decision.is_empty() || std::ranges::any_of(decision.calls, [](const LoweredCall& call) {
               return call.kind == ksec::format::RuleKind::Deny && call.guard.width == 0;
           });
}

/// Whether some request from one class to the other may be granted.
bool can_send(const Lowered& lowered, u16 client, u16 server) {
    const LoweredMap& pairs = lowered.classes[server].pairs;
    const auto found =
        std::ranges::find(pairs.exceptions, client, &ksec::format::Exception::source);
    const u32 pair = found == pairs.exceptions.end() ? pairs.otherwise : found->value;
    const std::vector<u32>& slots = lowered.arrays[lowered.pairs[pair].request];
    // The implicit endpoints, last of the slots, belong to the kernel.
    const u32 count =
        std::min<u32>(lowered.classes[server].slot_count, static_cast<u32>(slots.size()));
    return std::any_of(slots.begin(), slots.begin() + count, [&lowered](u32 decision) {
        return !always_denies(lowered.decisions[decision]);
    });
}

}  // namespace

void check_start(const Policy& policy,
                 const Lowered& lowered,
                 const StartDescription& start,
                 lang::Diagnostics& diagnostics) {
    for (const StartedTask& task : start.tasks) {
        if (!policy.find_class(task.class_name)) {
            diagnostics.report<Code::UnknownClass>(task.span, Word{task.class_name})
                .hint(lang::closest(task.class_name, policy.class_names()));
        }
    }
    for (const Channel& channel : start.channels) {
        const std::optional<u16> client = policy.find_class(channel.client);
        const std::optional<u16> server = policy.find_class(channel.server);
        if (client && server && !can_send(lowered, *client, *server)) {
            diagnostics.report<Code::ChannelNeverUsed>(
                channel.span, Word{channel.client}, Word{channel.server}, Word{channel.id});
        }
    }
}

}  // namespace sdk::policyc
