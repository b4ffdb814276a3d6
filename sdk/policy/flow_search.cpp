// SPDX-License-Identifier: Apache-2.0
#include "flow_search.hpp"

#include <algorithm>
#include <deque>

namespace sdk::policy {

namespace {

const lang::Message& message_of(const AccessTable& access, const Question& question) {
    const policyc::Selected selected{
        question.server, question.endpoint, question.method, question.is_implicit};
    return *policyc::message_of(access.policy().policy(), question.event, selected);
}

bool has_channel(const AccessTable& access,
                 const FlowOptions& options,
                 std::uint16_t client,
                 std::uint16_t server) {
    const std::uint16_t core = access.policy().policy().core_class;
    return !options.channels || client == core || server == core ||
           options.channels->contains({client, server});
}

/// What the policy may decide about an event; Denied, too, when its request is: nobody answers what
/// was never asked.
Decision decide(const AccessTable& access, const Question& question) {
    Question request = question;
    request.event = EventKind::Request;
    return access.decide(request).access == Access::Denied ? Decision{} : access.decide(question);
}

void add_carriers(const AccessTable& access,
                  const FlowOptions& options,
                  std::uint16_t client,
                  std::uint16_t server,
                  EventKind event,
                  Way way,
                  std::vector<Carrier>& result) {
    if (!has_channel(access, options, client, server)) {
        return;
    }
    for (const Question& question : access.questions(event, client, server)) {
        Decision decision = decide(access, question);
        const lang::Message& message = message_of(access, question);
        const std::uint64_t bytes = std::uint64_t{message.data_size} + message.arena_max;
        const bool carries =
            way == Way::Memory ? message.handle_count != 0 : bytes != 0 || !options.only_data;
        if (decision.access != Access::Denied && carries) {
            result.push_back({way, question, decision.access, bytes, std::move(decision.rules)});
        }
    }
}

/// Whether a message from one class to another, on these channels, may bring handles.
bool may_hand_over(const AccessTable& access,
                   const Channels& channels,
                   std::uint16_t from,
                   std::uint16_t to) {
    const FlowOptions options{.channels = channels};
    std::vector<Carrier> found;
    add_carriers(access, options, from, to, EventKind::Request, Way::Memory, found);
    add_carriers(access, options, to, from, EventKind::Response, Way::Memory, found);
    add_carriers(access, options, to, from, EventKind::Error, Way::Memory, found);
    return !found.empty();
}

/// Whether a class may ask the kernel to make processes.
bool may_start(const AccessTable& access, std::uint16_t starter) {
    const std::uint16_t core = access.policy().policy().core_class;
    return starter == core ||
           std::ranges::any_of(
               access.questions(EventKind::Request, starter, core), [&](const Question& question) {
                   const MethodName name = access.name(question);
                   return name.interface == "kl.core.Task" && name.method == "Resume" &&
                          access.decide(question).access != Access::Denied;
               });
}

void add_start(const AccessTable& access,
               std::uint16_t starter,
               std::uint16_t started,
               std::vector<Carrier>& result) {
    const Question question{EventKind::Execute, starter, started};
    Decision decision = access.decide(question);
    if (decision.access != Access::Denied && may_start(access, starter)) {
        result.push_back({Way::Start, question, decision.access, 0, std::move(decision.rules)});
    }
}

/// Breadth first from `from`; for each class reached, the class before it.
std::map<std::uint16_t, std::uint16_t>
search(const AccessTable& access, const FlowOptions& options, std::uint16_t from) {
    std::map<std::uint16_t, std::uint16_t> before{{from, from}};
    std::deque<std::uint16_t> open{from};
    const auto count = static_cast<std::uint16_t>(access.policy().policy().classes.size());
    while (!open.empty()) {
        const std::uint16_t current = open.front();
        open.pop_front();
        if (current != from && options.silent.contains(current)) {
            continue;
        }
        for (std::uint16_t next = 0; next < count; ++next) {
            if (!before.contains(next) &&
                !carriers_between(access, options, current, next).empty()) {
                before[next] = current;
                open.push_back(next);
            }
        }
    }
    return before;
}

}  // namespace

std::vector<Carrier> carriers_between(const AccessTable& access,
                                      const FlowOptions& options,
                                      std::uint16_t from,
                                      std::uint16_t to) {
    std::vector<Carrier> result;
    add_carriers(access, options, from, to, EventKind::Request, Way::Message, result);
    add_carriers(access, options, to, from, EventKind::Response, Way::Message, result);
    add_carriers(access, options, to, from, EventKind::Error, Way::Message, result);
    const std::uint16_t core = access.policy().policy().core_class;
    if (from != core && to != core) {  // which shares no memory that is handed over
        add_carriers(access, options, to, from, EventKind::Request, Way::Memory, result);
        add_carriers(access, options, from, to, EventKind::Response, Way::Memory, result);
        add_carriers(access, options, from, to, EventKind::Error, Way::Memory, result);
    }
    add_start(access, from, to, result);
    return result;
}

Channels channels_of(const AccessTable& access, const System& system) {
    const policyc::Policy& policy = access.policy().policy();
    Channels channels;
    for (const auto& [client, server] : system.channels) {
        const std::optional<std::uint16_t> from = policy.find_class(client);
        const std::optional<std::uint16_t> to = policy.find_class(server);
        if (from && to) {
            channels.emplace(*from, *to);
        }
    }
    for (bool is_growing = true; is_growing;) {
        Channels more = channels;
        for (const auto& [client, server] : channels) {
            for (const auto& [giver, taker] :
                 {std::pair{client, server}, std::pair{server, client}}) {
                if (giver == policy.core_class || !may_hand_over(access, channels, giver, taker)) {
                    continue;
                }
                more.emplace(taker, giver);
                for (auto at = channels.lower_bound({giver, 0});
                     at != channels.end() && at->first == giver;
                     ++at) {
                    more.emplace(taker, at->second);
                }
            }
        }
        is_growing = more.size() != channels.size();
        channels = std::move(more);
    }
    return channels;
}

std::optional<std::vector<Hop>> find_flow(const AccessTable& access,
                                          const FlowOptions& options,
                                          std::uint16_t from,
                                          std::uint16_t to) {
    const std::map<std::uint16_t, std::uint16_t> before = search(access, options, from);
    if (!before.contains(to)) {
        return std::nullopt;
    }
    std::vector<Hop> hops;
    for (std::uint16_t at = to; at != from; at = before.at(at)) {
        const std::uint16_t previous = before.at(at);
        hops.push_back({previous, at, carriers_between(access, options, previous, at)});
    }
    std::ranges::reverse(hops);
    return hops;
}

std::set<std::uint16_t>
reach_of(const AccessTable& access, const FlowOptions& options, std::uint16_t from) {
    std::set<std::uint16_t> result;
    for (const auto& [reached, previous] : search(access, options, from)) {
        if (reached != from) {
            result.insert(reached);
        }
    }
    return result;
}

}  // namespace sdk::policy
