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
    const policyc::Policy& policy = access.policy().policy();
    return options.system == nullptr || client == policy.core_class ||
           server == policy.core_class ||
           options.system->channels.contains(
               {policy.classes[client].name, policy.classes[server].name});
}

void add_carriers(const AccessTable& access,
                  const FlowOptions& options,
                  std::uint16_t client,
                  std::uint16_t server,
                  EventKind event,
                  std::vector<Carrier>& result) {
    for (const Question& question : access.questions(event, client, server)) {
        Decision decision = access.decide(question);
        Question request = question;
        request.event = EventKind::Request;
        if (decision.access == Access::Denied || access.decide(request).access == Access::Denied) {
            continue;  // nobody answers what was never asked
        }
        const lang::Message& message = message_of(access, question);
        const std::uint64_t bytes = std::uint64_t{message.data_size} + message.arena_max;
        if (bytes != 0 || !options.only_data) {
            result.push_back({question, decision.access, bytes, std::move(decision.rules)});
        }
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
    if (has_channel(access, options, from, to)) {
        add_carriers(access, options, from, to, EventKind::Request, result);
    }
    if (has_channel(access, options, to, from)) {
        add_carriers(access, options, to, from, EventKind::Response, result);
        add_carriers(access, options, to, from, EventKind::Error, result);
    }
    return result;
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
