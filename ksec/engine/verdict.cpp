// SPDX-License-Identifier: Apache-2.0
#include <ksec/audit/record.hpp>
#include <ksec/engine/lookup.hpp>
#include <ksec/engine/structure.hpp>
#include <ksec/engine/verdict.hpp>

namespace ksec::engine {

namespace {

using base::s32;

/// What one step of check() may use, in about instructions. The entry, one range or rule begun just
/// before the end, and the exit come on top and stay below the rest of 4,000.
constexpr s32 kStepFuel = 2800;
constexpr s32 kRuleCost = 25;  ///< around a rule's own code

static_assert(sizeof(Walk) <= sizeof(Progress::spare));
static_assert(kStepFuel >= static_cast<s32>(format::kMaxRuleCost) + kRuleCost);

/// Where an event is decided.
struct Target {
    const format::Decision* decision;  ///< null: there is no such class
    const Shape* shape;                ///< null: the event carries no message
    u16 layout;
    bool is_known;  ///< false: no such endpoint, method or message
};

constexpr Target kUnknown{nullptr, nullptr, format::kNoLayout, false};

const format::Decision& decision_at(const format::Policy& policy, u32 index) {
    return policy.decisions[index];
}

Target find_message_target(const format::Policy& policy, const Query& query) {
    const bool is_request = query.event == Event::Request;
    const u16 server_class = is_request ? query.dst_class : query.src_class;
    const u16 client_class = is_request ? query.src_class : query.dst_class;
    const format::Class* const server = find_class_by_id(policy, server_class);
    if (server == nullptr || find_class_by_id(policy, client_class) == nullptr) {
        return kUnknown;
    }
    const MethodPlace place = find_method(policy, *server, query.endpoint, query.method);
    if (place.method == nullptr) {
        return kUnknown;
    }
    const format::Pair& pair = find_pair(policy, *server, client_class);
    switch (query.event) {
    case Event::Request:
        return {&decision_at(policy, pair.request[place.slot]),
                &place.method->request,
                place.layouts->request,
                true};
    case Event::Response:
        return {&decision_at(policy, pair.response[place.slot]),
                &place.method->response,
                place.layouts->response,
                true};
    default:
        return {&decision_at(policy, pair.error[place.slot]),
                &place.method->error,
                place.layouts->error,
                place.method->error.exists != 0};
    }
}

Target find_target(const format::Policy& policy, const Query& query) {
    switch (query.event) {
    case Event::Request:
    case Event::Response:
    case Event::Error:
        return find_message_target(policy, query);
    case Event::Security: {
        const format::Class* const owner = find_class_by_id(policy, query.src_class);
        if (owner == nullptr) {
            return kUnknown;
        }
        const MethodPlace place = find_security_method(*owner, query.endpoint, query.method);
        if (place.method == nullptr) {
            return kUnknown;
        }
        return {&decision_at(policy, owner->security_decisions[place.slot]),
                &place.method->request,
                place.layouts->request,
                true};
    }
    case Event::Execute: {
        const format::Class* const started = find_class_by_id(policy, query.dst_class);
        if (started == nullptr || find_class_by_id(policy, query.src_class) == nullptr) {
            return kUnknown;
        }
        return {&decision_at(policy, find_source(started->execute, query.src_class)),
                nullptr,
                format::kNoLayout,
                true};
    }
    }
    return kUnknown;
}

/// Runs the rules from `first` on. Again: `first` says where to go on.
Verdict run_rules(
    const format::Decision& decision, const Query& query, u32& first, s32& fuel, Record& record) {
    for (u32 i = first; i < decision.count; ++i) {
        const format::RuleCall& call = decision.calls[i];
        const s32 cost = static_cast<s32>(call.cost) + kRuleCost;
        if (fuel < cost) {
            first = i;
            return Verdict::Again;
        }
        fuel -= cost;
        u64 values[kRecordValues] = {};
        format::Outcome outcome = format::Outcome::Deny;
        switch (call.kind) {
        case format::RuleKind::Grant:
            outcome = format::Outcome::Grant;
            break;
        case format::RuleKind::Deny:
            break;
        case format::RuleKind::Code:
            outcome = call.code(query, values);
            break;
        }
        if (outcome != format::Outcome::Grant) {
            audit::refused(record,
                           call,
                           outcome == format::Outcome::Error ? Reason::Error : Reason::Rule,
                           values);
            return Verdict::Denied;
        }
    }
    return Verdict::Granted;
}

/// The structural part of a step. Granted: go on with the rules.
Verdict step_structure(const format::Policy& policy,
                       const Query& query,
                       const Target& target,
                       Progress& progress,
                       s32& fuel,
                       Record& record) {
    if (target.layout == format::kNoLayout) {
        const Defect defect = check_sizes(query.message, *target.shape);
        if (defect == Defect::None) {
            return Verdict::Granted;
        }
        audit::malformed(record, defect, kNoParameter);
        return Verdict::Denied;
    }
    Walk walk;
    __builtin_memcpy(&walk, progress.spare, sizeof(walk));
    const Finding found =
        check_structure(policy, query.message, *target.shape, target.layout, walk, fuel);
    if (found.verdict == Verdict::Denied) {
        audit::malformed(record, found.defect, found.parameter);
    } else if (found.verdict == Verdict::Again) {
        __builtin_memcpy(progress.spare, &walk, sizeof(walk));
    }
    return found.verdict;
}

}  // namespace

Verdict
check(const format::Policy& policy, const Query& query, Progress& progress, Record& record) {
    s32 fuel = kStepFuel;
    audit::begin(record, query);
    const Target target = find_target(policy, query);
    if (!target.is_known) {
        audit::malformed(record, Defect::UnknownMethod, kNoParameter);
        return Verdict::Denied;
    }
    // progress.item: 0 = in the structure; n = rule n - 1 comes next.
    if (progress.item == 0) {
        if (target.shape != nullptr) {
            const Verdict verdict = step_structure(policy, query, target, progress, fuel, record);
            if (verdict != Verdict::Granted) {
                return verdict;
            }
        }
        if (target.decision->count == 0) {
            audit::no_rule(record);
            return Verdict::Denied;
        }
    }
    u32 first = progress.item == 0 ? 0 : progress.item - 1;
    const Verdict verdict = run_rules(*target.decision, query, first, fuel, record);
    progress.item = first + 1;
    return verdict;
}

Verdict judge(const format::Policy& policy,
              const Query& query,
              [[maybe_unused]] Effect effect,
              Record& record) {
    audit::begin(record, query);
    const Target target = find_target(policy, query);
    if (!target.is_known) {
        audit::malformed(record, Defect::UnknownMethod, kNoParameter);
        return Verdict::Denied;
    }
    if (target.decision->count == 0) {
        audit::no_rule(record);
        return Verdict::Denied;
    }
    return Verdict::Granted;
}

const MethodInfo*
method_info(const format::Policy& policy, u16 class_id, u16 endpoint, u16 method) {
    const format::Class* const owner = find_class_by_id(policy, class_id);
    if (owner == nullptr) {
        return nullptr;
    }
    const u32 security = u32{endpoint} - kSecurityEndpoint;
    if (endpoint >= kSecurityEndpoint && security < owner->security_count) {
        return find_security_method(*owner, static_cast<u16>(security), method).method;
    }
    return find_method(policy, *owner, endpoint, method).method;
}

const Row* row(const format::Policy& policy, u16 src_class, u16 dst_class) {
    const format::Class* const server = find_class_by_id(policy, dst_class);
    if (server == nullptr || find_class_by_id(policy, src_class) == nullptr) {
        return policy.pairs[0].row;
    }
    return find_pair(policy, *server, src_class).row;
}

const ClassInfo* class_info(const format::Policy& policy, u16 id) {
    const format::Class* const found = find_class_by_id(policy, id);
    return found == nullptr ? nullptr : &found->info;
}

u16 class_by_name(const format::Policy& policy, const char* name, u32 length) {
    return find_class(policy, name, length);
}

}  // namespace ksec::engine
