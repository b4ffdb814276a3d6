// SPDX-License-Identifier: Apache-2.0
#include "module_verdict.hpp"

#include <fmt/format.h>
#include <kernel/abi/call.hpp>

namespace sdk::policy {

namespace {

using ksec::Reason;
using policyc::InterpretedEvent;

std::uint32_t size_of(const std::vector<std::uint8_t>& bytes) {
    return static_cast<std::uint32_t>(bytes.size());
}

ksec::Staging staging_of(const ksec::EntryTable& table, const InterpretedEvent& event) {
    const bool is_request = event.event == ksec::Event::Request;
    const bool is_security = event.event == ksec::Event::Security;
    const auto endpoint = static_cast<std::uint16_t>(
        is_security ? ksec::kSecurityEndpoint + event.endpoint : event.endpoint);
    const ksec::MethodInfo* const info =
        event.event == ksec::Event::Execute
            ? nullptr
            : table.method_info(
                  is_request ? event.dst_class : event.src_class, endpoint, event.method);
    if (info == nullptr) {
        return ksec::Staging::Registers;
    }
    return event.event == ksec::Event::Response ? info->response.staging
           : event.event == ksec::Event::Error  ? info->error.staging
                                                : info->request.staging;
}

ksec::Query query_of(const ksec::EntryTable& table, const InterpretedEvent& event) {
    ksec::Query query{};
    query.event = event.event;
    query.src_class = event.src_class;
    query.dst_class = event.dst_class;
    query.src_sid = event.src_sid;
    query.dst_sid = event.dst_sid;
    query.endpoint = event.endpoint;
    query.method = event.method;
    query.now_ns = event.now_ns;
    // A vector's bytes come from operator new, aligned as the engine wants them.
    query.message.fixed = event.fixed.empty() ? nullptr : event.fixed.data();
    query.message.fixed_size = size_of(event.fixed);
    query.message.arena_size = size_of(event.arena);
    query.message.arena = staging_of(table, event) == ksec::Staging::Arena && !event.arena.empty()
                              ? event.arena.data()
                              : nullptr;
    query.message.handle_count = static_cast<std::uint32_t>(event.handle_sids.size());
    query.message.flags = event.travels_long ? ksec::kTravelsLong : 0;
    query.message.handle_sids = event.handle_sids.data();
    query.message.handle_rights = event.handle_rights.data();
    return query;
}

/// How a row names a message of this shape.
std::uint64_t tag_in_row(abi::Kind kind, const InterpretedEvent& event, const ksec::Shape& shape) {
    return shape.staging == ksec::Staging::Registers
               ? abi::Tag::make_short(kind, event.endpoint, event.method, shape.fixed_size).value
               : abi::Tag::make_long(kind, event.endpoint, event.method, 0).value | ksec::kIfItFits;
}

/// What the row of the channel holds for the method of a request or of a response, if anything.
const ksec::RowEntry* find_entry(const ksec::EntryTable& table,
                                 const InterpretedEvent& event,
                                 const ksec::MethodInfo& method) {
    const bool is_request = event.event == ksec::Event::Request;
    const ksec::Row* const row = is_request ? table.row(event.src_class, event.dst_class)
                                            : table.row(event.dst_class, event.src_class);
    const std::uint64_t request = tag_in_row(abi::Kind::Request, event, method.request);
    const ksec::RowEntry* const entry = ksec::find_entry(row, request);
    return entry->request == request ? entry : nullptr;
}

std::string rule_at(const policyc::Compilation& policy, const lang::Span& span) {
    if (!span.is_known()) {
        return {};
    }
    const lang::Sources& sources = policy.diagnostics().sources();
    return fmt::format("{}:{} {}",
                       policy.policy().file_names.at(span.file),
                       sources.get(span.file).position(span.begin).line,
                       sources.text(span));
}

std::string rule_numbered(const policyc::Compilation& policy, std::uint32_t number) {
    const auto& rules = policy.lowered().rules;
    if (number == ksec::kNoRule) {
        return {};
    }
    return number < rules.size() ? rules[number].place + " " + rules[number].text
                                 : fmt::format("rule {}, which does not exist", number);
}

}  // namespace

ModuleVerdict
judge(const ksec::EntryTable& table, const InterpretedEvent& event, ksec::Effect effect) {
    ksec::Query query = query_of(table, event);
    ksec::Progress progress{};
    ModuleVerdict result;
    ksec::Verdict verdict = ksec::Verdict::Again;
    while (verdict == ksec::Verdict::Again) {
        verdict = table.check(&query, &progress, &result.record);
    }
    if (verdict == ksec::Verdict::Granted) {
        query.facts = progress.facts;
        result.is_granted = table.judge(&query, effect, &result.record) == ksec::Verdict::Granted;
    }
    return result;
}

AtSight granted_at_sight(const ksec::EntryTable& table, const InterpretedEvent& event) {
    const bool is_request = event.event == ksec::Event::Request;
    if ((!is_request && event.event != ksec::Event::Response) || !event.handle_sids.empty()) {
        return AtSight::No;
    }
    const std::uint16_t server = is_request ? event.dst_class : event.src_class;
    const ksec::MethodInfo* const method = table.method_info(server, event.endpoint, event.method);
    const ksec::RowEntry* const entry =
        method == nullptr ? nullptr : find_entry(table, event, *method);
    if (entry == nullptr) {
        return AtSight::No;
    }
    const std::uint64_t granted = is_request ? entry->request : entry->response;
    const abi::Kind kind = is_request ? abi::Kind::Request : abi::Kind::Response;
    const std::uint32_t size = size_of(event.fixed);
    if (!event.travels_long) {
        const abi::Tag tag = abi::Tag::make_short(kind, event.endpoint, event.method, size);
        const bool is_short = size <= abi::kShortBytes && event.arena.empty();
        return is_short && granted == tag.value ? AtSight::ByTag : AtSight::No;
    }
    const abi::Tag tag = abi::Tag::make_long(kind, event.endpoint, event.method, 0);
    const bool fits =
        granted == (tag.value | ksec::kIfItFits) && table.fits(server,
                                                               event.endpoint,
                                                               event.method,
                                                               event.event,
                                                               event.fixed.data(),
                                                               size,
                                                               size_of(event.arena)) != nullptr;
    return fits ? AtSight::IfItFits : AtSight::No;
}

Account account_of(const policyc::Compilation& policy, const policyc::Interpretation& verdict) {
    Account account{.is_granted = verdict.is_granted};
    if (verdict.is_granted) {
        if (verdict.is_audited) {
            account.reason = Reason::Audited;
            account.rule = rule_at(policy, verdict.audited_by);
        }
        return account;
    }
    account.reason = verdict.reason;
    if (verdict.reason == Reason::Malformed) {
        account.defect = verdict.defect;
        account.parameter = verdict.parameter;
    }
    account.rule = rule_at(policy, verdict.decided_by);
    return account;
}

Account account_of(const policyc::Compilation& policy, const ModuleVerdict& verdict) {
    const ksec::Record& record = verdict.record;
    Account account{.is_granted = verdict.is_granted, .reason = static_cast<Reason>(record.reason)};
    if (account.reason == Reason::Malformed) {
        account.defect = static_cast<ksec::Defect>(record.defect);
        account.parameter = record.detail;
    }
    if (account.reason != Reason{}) {
        account.rule = rule_numbered(policy, record.rule);
    }
    return account;
}

std::string describe(const Account& account) {
    if (account.is_granted) {
        return account.rule.empty() ? "granted" : "granted and recorded for " + account.rule;
    }
    switch (account.reason) {
    case Reason::Rule:
        return "denied by " + account.rule;
    case Reason::Error:
        return "denied as an expression fails in " + account.rule;
    case Reason::NoRule:
        return "denied as no rule is about it";
    case Reason::Malformed:
        return fmt::format("denied as malformed (defect {}, parameter {})",
                           static_cast<unsigned>(account.defect),
                           static_cast<std::int32_t>(account.parameter));
    default:
        return fmt::format("denied for reason {}", static_cast<unsigned>(account.reason));
    }
}

}  // namespace sdk::policy
