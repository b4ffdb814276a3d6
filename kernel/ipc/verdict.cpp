// SPDX-License-Identifier: Apache-2.0
#include <arch/inline.hpp>
#include <kernel/diag/audit_ring.hpp>
#include <kernel/ipc/ipc.hpp>
#include <kernel/ipc/notice.hpp>
#include <kernel/ipc/verdict.hpp>

namespace kernel {

namespace {

constexpr u64 kNanosecondsPerSecond = 1'000'000'000;

ksec::Query make_query(const Parties& parties, const Message& message) {
    return {
        .event = parties.event,
        .reserved = {},
        .src_class = parties.src.class_id,
        .dst_class = parties.dst.class_id,
        .src_sid = parties.src.sid.value,
        .dst_sid = parties.dst.sid.value,
        .endpoint = parties.tag.endpoint(),
        .method = parties.tag.method(),
        .reserved2 = 0,
        .now_ns = nanoseconds_now(),
        .message =
            {
                .fixed = ipc::staged_fixed(message),
                .fixed_size = message.fixed_size,
                .arena_size = message.arena_size,
                .arena = message.arena_staged && message.arena_size > 0
                             ? arch::linear<u8>(message.staged) + kStagedArenaOffset
                             : nullptr,
                .handle_count = message.tag.handle_count(),
                .flags = message.tag.is_long() ? ksec::kTravelsLong : 0,
                .handle_sids = message.handle_sids,
                .handle_rights = message.handle_rights,
            },
        .facts = message.facts,
    };
}

void store_record(const ksec::Record& record) {
    audit_ring().push(record, nanoseconds_now());
    policy().has_news = true;
}

void conclude(ksec::Verdict verdict, const ksec::Record& record) {
    if (verdict == ksec::Verdict::Denied) {
        ++policy().denied;
        store_record(record);
    } else if (record.reason == static_cast<u8>(ksec::Reason::Audited) ||
               (record.reason == static_cast<u8>(ksec::Reason::Recorded) &&
                audit_ring().is_first_of_kind(record))) {
        store_record(record);
    }
}

ksec::Verdict check_query(const ksec::Query& query, ksec::Progress& progress) {
    ksec::Record record;
    const ksec::Verdict verdict = policy().entry->check(&query, &progress, &record);
    conclude(verdict, record);
    return verdict;
}

ksec::Verdict judge_query(const ksec::Query& query, ksec::Effect effect) {
    ksec::Record record;
    const ksec::Verdict verdict = policy().entry->judge(&query, effect, &record);
    conclude(verdict, record);
    if (verdict == ksec::Verdict::Granted && effect == ksec::Effect::Commit) {
        ++policy().granted;
    }
    return verdict;
}

}  // namespace

void tell_reader() {
    Policy& state = policy();
    state.has_news = false;
    if (state.reader != nullptr) {
        raise_notice(*state.reader, 1);
    }
}

u64 nanoseconds_now() {
    const u64 rate = arch::ticks_per_second();
    const u64 ticks = arch::now().value;
    return ticks / rate * kNanosecondsPerSecond + ticks % rate * kNanosecondsPerSecond / rate;
}

ksec::Verdict check_message(const Parties& parties, Message& message, ksec::Progress& progress) {
    const ksec::Verdict verdict = check_query(make_query(parties, message), progress);
    if (verdict == ksec::Verdict::Granted) {
        message.facts = progress.facts;
        message.settled = progress.is_settled != 0;
    }
    return verdict;
}

ksec::Verdict judge_message(const Parties& parties, const Message& message, ksec::Effect effect) {
    return message.settled ? count_settled(effect)
                           : judge_query(make_query(parties, message), effect);
}

bool grant_message(const Parties& parties, const Message& message) {
    ksec::Query query = make_query(parties, message);
    ksec::Progress progress;
    ksec::start(progress);
    if (check_query(query, progress) != ksec::Verdict::Granted) {
        return false;
    }
    if (progress.is_settled != 0) {
        ++policy().granted;
        return true;
    }
    query.facts = progress.facts;
    return judge_query(query, ksec::Effect::Commit) == ksec::Verdict::Granted;
}

void record_misuse(const Process& process, ksec::Reason reason, u32 detail, abi::Tag tag) {
    ksec::Record record{};
    record.event = static_cast<u8>(ksec::Event::Request);
    record.reason = static_cast<u8>(reason);
    record.src_class = process.class_id;
    record.dst_class = ksec::kNoClass;
    record.endpoint = tag.endpoint();
    record.method = tag.method();
    record.rule = ksec::kNoRule;
    record.src_sid = process.sid.value;
    record.detail = detail;
    ++policy().denied;
    store_record(record);
}

}  // namespace kernel
