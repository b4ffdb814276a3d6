// SPDX-License-Identifier: Apache-2.0
// The kernel's side of asking ksec, and the only place that does (but for the fast path's one
// compare, which is ksec's own inline code). Every denial leaves an audit record here.
#pragma once

#include <kernel/base/parts.hpp>
#include <kernel/sched/endpoint.hpp>
#include <ksec/verdict.hpp>

namespace kernel {

/// What the kernel keeps about the policy module. Filled at start; EL0 does not run without it.
struct Policy {
    const ksec::EntryTable* entry = nullptr;
    Sid core_sid{};
    u64 granted = 0;
    u64 denied = 0;
    Notice* reader = nullptr;  // told when records wait (kl.core.Audit.Open)
    bool has_news = false;     // for the reader; told at the end of the entry, in nobody's middle
};

inline Policy& policy() { return *g_parts.policy; }

/// One side of a message.
struct Party {
    u16 class_id;
    Sid sid;
};

inline Party party_of(const Process& process) { return {process.class_id, process.sid}; }

inline Party core_party() { return {policy().entry->core_class, policy().core_sid}; }

/// Who speaks to whom about what: the part of a query that does not depend on the message. Of the
/// tag, endpoint and method count.
struct Parties {
    ksec::Event event;
    Party src;
    Party dst;
    abi::Tag tag{};
};

/// Pure part, one step. Denied is recorded; Granted leaves what was found out in message.facts.
ksec::Verdict check_message(const Parties& parties, Message& message, ksec::Progress& progress);

/// The state part of a message that is settled: there is none.
inline ksec::Verdict count_settled(ksec::Effect effect) {
    policy().granted += static_cast<u64>(effect);
    return ksec::Verdict::Granted;
}

/// State part. Denied is recorded; a dry denial is too, since it ends the call.
ksec::Verdict judge_message(const Parties& parties, const Message& message, ksec::Effect effect);
/// Both parts at once, for messages the kernel makes itself (short, bounded, not settled) and for
/// `execute`.
bool grant_message(const Parties& parties, const Message& message);

/// Records that a process used a handle it does not have, or a reply token that is not its own.
void record_misuse(const Process& process, ksec::Reason reason, u32 detail, abi::Tag tag);

/// Tells the reader of the records that have come since.
void tell_reader();

/// Nanoseconds since the counter started.
u64 nanoseconds_now();

}  // namespace kernel
