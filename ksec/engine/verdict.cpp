// SPDX-License-Identifier: Apache-2.0
#include <kernel/abi/call.hpp>
#include <ksec/audit/level.hpp>
#include <ksec/audit/record.hpp>
#include <ksec/engine/comparison.hpp>
#include <ksec/engine/lookup.hpp>
#include <ksec/engine/scan.hpp>
#include <ksec/engine/state.hpp>
#include <ksec/engine/structure.hpp>
#include <ksec/engine/verdict.hpp>

namespace ksec::engine {

namespace {

using format::Outcome;
using format::RuleKind;

/// What one step of check() may use, in about instructions. The entry, one range or rule begun just
/// before the end, and the exit come on top and stay below the rest of 4,000.
constexpr s32 kStepFuel = 2800;
constexpr s32 kRuleCost = 45;  ///< around a rule's own code

static_assert(sizeof(Walk) <= sizeof(Progress::spare));
static_assert(kStepFuel >= static_cast<s32>(format::kMaxRuleCost) + kRuleCost);
static_assert(kStepFuel > kScanEntryCost + kRuleCost);

/// Where an event is decided.
struct Target {
    const format::Decision* decision = nullptr;  ///< null: no such class, endpoint or message
    const Shape* shape = nullptr;                ///< null: the event carries no message
    u16 layout = format::kNoLayout;
    u64 response = ~u64{0};  ///< a request's: tag of the response that will need no look; ~0
};

/// Whether a decision grants whatever a message of the right form says and a model thinks.
bool is_plain_grant(const format::Decision& decision) {
    return decision.count == 1 && decision.state_count == 0 &&
           decision.calls[0].kind == RuleKind::Grant;
}

/// What a RowEntry says of the response, for the pair and the method of a request.
u64 plain_response(const format::Policy& policy,
                   const format::Pair& pair,
                   const MethodPlace& place,
                   const Query& query) {
    const Shape& shape = place.method->response;
    const abi::Kind kind = abi::Kind::Response;
    if (!is_plain_grant(policy.decisions[pair.response[place.slot]])) {
        return ~u64{0};
    }
    if (shape.staging == Staging::Fixed && shape.handle_count == 0) {
        return abi::Tag::make_long(kind, query.endpoint, query.method, 0).value | kIfItFits;
    }
    return shape.staging == Staging::Registers && place.layouts->response == format::kNoLayout
               ? abi::Tag::make_short(kind, query.endpoint, query.method, shape.fixed_size).value
               : ~u64{0};
}

Target find_message_target(const format::Policy& policy, const Query& query) {
    const bool is_request = query.event == Event::Request;
    const u16 server_class = is_request ? query.dst_class : query.src_class;
    const u16 client_class = is_request ? query.src_class : query.dst_class;
    const format::Class* const server = find_class_by_id(policy, server_class);
    if (server == nullptr || find_class_by_id(policy, client_class) == nullptr) {
        return {};
    }
    const MethodPlace place = find_method(policy, *server, query.endpoint, query.method);
    if (place.method == nullptr) {
        return {};
    }
    const MethodInfo& method = *place.method;
    const format::MethodLayouts& layouts = *place.layouts;
    const format::Pair& pair = find_pair(policy, *server, client_class);
    const auto decision = [&](const u32* slots) { return &policy.decisions[slots[place.slot]]; };
    switch (query.event) {
    case Event::Request: {
        const u64 response = plain_response(policy, pair, place, query);
        return {decision(pair.request), &method.request, layouts.request, response};
    }
    case Event::Response:
        return {decision(pair.response), &method.response, layouts.response};
    default:
        return method.error.exists == 0
                   ? Target{}
                   : Target{decision(pair.error), &method.error, layouts.error};
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
            return {};
        }
        const MethodPlace place = find_security_method(*owner, query.endpoint, query.method);
        if (place.method == nullptr) {
            return {};
        }
        return {&policy.decisions[owner->security_decisions[place.slot]],
                &place.method->request,
                place.layouts->request};
    }
    case Event::Execute: {
        const format::Class* const started = find_class_by_id(policy, query.dst_class);
        if (started == nullptr || find_class_by_id(policy, query.src_class) == nullptr) {
            return {};
        }
        return {&policy.decisions[find_source(started->execute, query.src_class)]};
    }
    }
    return {};
}

/// Goes on with a scan. Its position lies where the structural check, now over, kept its own.
Verdict step_scan(const format::Policy& policy,
                  const format::RuleCall& call,
                  const Query& query,
                  Progress& progress,
                  u64& facts,
                  s32& fuel,
                  Record& record) {
    if (fuel < kScanEntryCost) {
        return Verdict::Again;
    }
    ScanPosition position{progress.offset, static_cast<u32>(progress.spare[0])};
    const Verdict end = engine::step_scan(policy.scans[call.scan], query, position, fuel, facts);
    progress.offset = position.offset;
    progress.spare[0] = position.state;
    if (end == Verdict::Denied) {
        audit::decided(record, query, call.rule, Reason::Error, {});
    }
    return end;
}

/// Runs the pure calls that are left; progress.item is the number of the next, plus one.
Verdict run_calls(const format::Policy& policy,
                  const format::Decision& decision,
                  const Query& query,
                  Progress& progress,
                  s32& fuel,
                  Record& record) {
    format::Run run{progress.facts, {}};
    for (u32 item = progress.item; item <= decision.count; ++item) {
        const format::RuleCall& call = decision.calls[item - 1];
        const s32 cost = static_cast<s32>(call.cost) + kRuleCost;
        if (fuel < cost) {
            progress.item = item;
            progress.facts = run.facts;
            return Verdict::Again;
        }
        if (!may_run(run.facts, call.guard)) {
            fuel -= kRuleCost;
            continue;
        }
        fuel -= cost;
        Outcome outcome = Outcome::Grant;
        switch (call.kind) {
        case RuleKind::Scan:
            if (const Verdict verdict =
                    step_scan(policy, call, query, progress, run.facts, fuel, record);
                verdict != Verdict::Granted) {
                progress.item = item;
                progress.facts = run.facts;
                return verdict;
            }
            continue;
        case RuleKind::Facts:
            outcome = start_rule(run, call)(query, run);
            break;
        case RuleKind::Code:
            outcome = start_rule(run, call)(query, run);
            run.facts |= format::kCalledFact;
            break;
        case RuleKind::Comparison:
            outcome = compare(policy.comparisons[call.scan], query, run.values[0]);
            run.facts |= format::kCalledFact;
            break;
        case RuleKind::Grant:
            run.facts |= format::kCalledFact;
            break;
        case RuleKind::Deny:
            outcome = Outcome::Deny;
            run = {};
            break;
        }
        if (outcome != Outcome::Grant) {
            audit::decided(
                record, query, call.rule, reason_of(outcome), {run.values, call.value_count});
            return Verdict::Denied;
        }
    }
    progress.facts = run.facts;
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
        audit::malformed(record, query, defect, kNoParameter);
        return Verdict::Denied;
    }
    Walk walk{};
    if (progress.offset != 0) {  // paused before
        __builtin_memcpy(&walk, progress.spare, sizeof(walk));
    }
    const Finding found =
        check_structure(policy, query.message, *target.shape, target.layout, walk, fuel);
    if (found.verdict == Verdict::Denied) {
        audit::malformed(record, query, found.defect, found.parameter);
    } else if (found.verdict == Verdict::Again) {
        __builtin_memcpy(progress.spare, &walk, sizeof(walk));
        progress.offset = 1;
    }
    return found.verdict;
}

}  // namespace

Verdict
check(const format::Policy& policy, const Query& query, Progress& progress, Record& record) {
    s32 fuel = kStepFuel;
    record.reason = 0;
    const Target target = find_target(policy, query);
    if (target.decision == nullptr) {
        audit::malformed(record, query, Defect::UnknownMethod, kNoParameter);
        return Verdict::Denied;
    }
    // progress.item: 0 = in the structure; n = call n - 1 comes next.
    if (progress.item == 0) {
        if (target.shape != nullptr) {
            const Verdict verdict = step_structure(policy, query, target, progress, fuel, record);
            if (verdict != Verdict::Granted) {
                return verdict;
            }
        }
        progress.item = 1;
        progress.offset = 0;
        progress.spare[0] = 0;
        progress.facts = 0;
    }
    const Verdict verdict = run_calls(policy, *target.decision, query, progress, fuel, record);
    if (verdict != Verdict::Granted) {
        return verdict;
    }
    progress.is_settled = target.decision->state_count == 0 ? 1 : 0;
    progress.response = target.response;
    if (progress.is_settled != 0 && (progress.facts & format::kCalledFact) == 0) {
        audit::no_rule(record, query);
        return Verdict::Denied;
    }
    return Verdict::Granted;
}

Verdict judge(const format::Policy& policy, const Query& query, Effect effect, Record& record) {
    record.reason = 0;
    const Target target = find_target(policy, query);
    if (target.decision == nullptr) {
        audit::malformed(record, query, Defect::UnknownMethod, kNoParameter);
        return Verdict::Denied;
    }
    const format::Decision& decision = *target.decision;
    if (decision.state_count != 0) {
        return judge_state(policy, decision, query, effect, record);
    }
    if (decision.count == 0) {
        audit::no_rule(record, query);
        return Verdict::Denied;
    }
    return Verdict::Granted;
}

void ended(const format::Policy& policy, u64 sid) {
    for (u32 i = 0; i < policy.object_count; ++i) {
        policy.end_sid(*policy.objects[i], *policy.journal, sid);
        policy.journal->commit();
    }
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

const MethodInfo* fits(u16 class_id,
                       u16 endpoint,
                       u16 method,
                       Event event,
                       const u8* fixed,
                       u32 fixed_size,
                       u32 arena_size,
                       const format::Policy& policy) {
    const format::Class* const server = find_class_by_id(policy, class_id);
    if (server == nullptr) {
        return nullptr;
    }
    const MethodPlace place = find_method(policy, *server, endpoint, method);
    if (place.method == nullptr) {
        return nullptr;
    }
    const bool is_request = event == Event::Request;
    const Shape& shape = is_request ? place.method->request : place.method->response;
    if (shape.staging != Staging::Fixed || shape.handle_count != 0 ||
        shape.fixed_size != fixed_size || shape.arena_max < arena_size) {
        return nullptr;
    }
    const u16 layout = is_request ? place.layouts->request : place.layouts->response;
    const bool has_form =
        layout == format::kNoLayout || are_buffers(policy.layouts[layout], fixed, arena_size);
    return has_form ? place.method : nullptr;
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
