// SPDX-License-Identifier: Apache-2.0
// Layout of a compiled policy: constant tables that sdk/policyc emits as C++ and ksec/engine walks.
//
//   Policy ─┬─ classes[] ── endpoints[] ── methods: MethodInfo + layouts of the three messages
//           │       ├────── pairs:   client class -> Pair (decisions per method slot, Row)
//           │       ├────── execute: initiator class -> decision
//           │       └────── security_decisions
//           ├─ decisions[] ─┬ calls:       pure rules, run by check()
//           │               └ state_calls: rules that read or change models, run by judge()
//           ├─ scans[]: texts to match with automata;  audits[]: who wants to know what
//           ├─ objects[]: the models' objects, told of each SID's end
//           ├─ state: what judge() may change beside the objects
//           └─ layouts[] ── fields: what the structural check must look at
//
// Slots: the methods of a class are numbered through its endpoints in order; the implicit endpoints
// (interrupt, event, fault) follow. A pair's arrays are indexed by slot, so judging costs the same
// whatever the number of rules. Growth is linear: a class names a default pair for the clients no
// rule mentions and lists the others; equal arrays, rows and decisions are shared.
//
// Facts carry what one rule found out to later ones, and from check() to judge(): 63 bits, zero at
// the start, which policyc divides into fields. A call with a guard runs only when a field has a
// value; that is how `choice` and long expressions in state rules are compiled. By convention 0 in
// a field says "nothing yet", so that a call inside a choice that did not run does not run either.
//
// Everything lies in read-only memory and is trusted; indices that depend on a message or on a
// query are checked and then clamped (engine/bounded.hpp). Only the objects' storage, the state and
// the journal are writable; judge() and ended() change what persists through the journal only.
#pragma once

#include <ksec/verdict.hpp>

namespace ksec::models {

class Journal;
class SidObject;

}  // namespace ksec::models

namespace ksec::format {

/// What a part of a message needs checked. Plain numbers and handles that may always be there need
/// nothing.
enum class FieldKind : u8 {
    Bytes = 0,     ///< range: inside, aligned, at most `limit` bytes
    Text = 1,      ///< as Bytes (limit counts the NUL), UTF-8, one NUL, at the end
    Sequence = 2,  ///< range of whole elements, at most `limit`; `inner` checks each
    Array = 3,     ///< `limit` elements in place; `inner` checks each
    Union = 4,     ///< UInt32 member index below `limit`; layout `inner + index`, whose offsets
                   ///< are the union's, checks the member
    List = 5,    ///< UInt32 count, at most `limit`; behind kListHeader `inner` checks each element
    Handle = 6,  ///< HandleDescriptor that may name a handle only while the UInt32 at `stride` is
                 ///< `limit` to `inner`: of a union's member, of an element of a List
};

inline constexpr u32 kListHeader = 8;  ///< bytes from a List's count to its first element

inline constexpr u16 kNoLayout = 0xFFFF;

struct Field {
    FieldKind kind;
    u8 alignment;   ///< of the range's start in the arena: 1, 2, 4 or 8
    u16 parameter;  ///< index among the method's parameters, for the record
    u32 offset;     ///< in the enclosing structure
    u32 limit;
    u32 stride;  ///< Sequence, Array, List: bytes per element; Handle: place of the number
    u16 inner;  ///< index into Policy::layouts; kNoLayout = nothing to check inside; Handle: number
    u16 reserved;
};

/// The fields of a fixed part, of an element or of a union member, nested structures flattened.
struct Layout {
    const Field* fields;
    u32 field_count;
    u32 size;  ///< bytes
};

/// How deep arrays, sequences and unions may nest, the fixed part included.
inline constexpr u32 kMaxDepth = 5;

struct MethodLayouts {
    u16 request;
    u16 response;
    u16 error;
};

struct Endpoint {
    const MethodInfo* methods;
    const MethodLayouts* layouts;
    u32 first_slot;
    u16 method_count;
    u16 reserved;
};

enum class Outcome : u32 {
    Grant = 0,
    Deny = 1,
    Error = 2,  ///< an expression failed: denied, with Reason::Error
    Quiet = 3,  ///< state calls: granted, and not to be recorded whatever the plan says (`omit`)
};

/// What the code of an event's rules works on, beside the query.
struct Run {
    u64 facts;                  ///< fields that policyc has laid out; bit 63 is the engine's
    u64 values[kRecordValues];  ///< what the rule looked at, for the record; zero at its start
};

/// Set when a rule has been called, as opposed to none being bound in the branches taken.
inline constexpr u64 kCalledFact = u64{1} << 63;
inline constexpr u32 kFactBits = 63;

/// A field of Run::facts: `width` bits from bit `shift` on. Width 0 holds 0 and nothing else.
struct FactField {
    u8 shift;
    u8 width;
};

constexpr u32 get_fact(u64 facts, FactField field) {
    return static_cast<u32>((facts >> field.shift) & ((u64{1} << field.width) - 1));
}

/// Puts `value`, which fits, into the field.
constexpr void set_fact(u64& facts, FactField field, u32 value) {
    const u64 mask = ((u64{1} << field.width) - 1) << field.shift;
    facts = (facts & ~mask) | ((u64{value} << field.shift) & mask);
}

/// Lets a call run when the field holds the value. All zero: always.
struct Guard {
    FactField field;
    u16 value;
};

/// Evaluates one pure rule, or computes facts. Reads the staged message and the facts only; writes
/// what it looked at to run.values.
using RuleCode = Outcome (*)(const Query& query, Run& run);

/// Evaluates one rule that reads or changes model state. Straight-line but for loops over small
/// configured sizes. Every change goes through the journal.
using StateCode = Outcome (*)(const Query& query, Run& run, models::Journal& journal);

enum class RuleKind : u16 {
    Grant = 0,
    Deny = 1,
    Code = 2,
    Facts = 3,       ///< code that sets facts and is no rule: Grant goes on, Error denies
    Scan = 4,        ///< pure part only: Policy::scans[scan] is matched; no rule either
    Comparison = 5,  ///< pure part only: Policy::comparisons[scan] holds
};

/// How a number compares with a constant; sets of orders are sums.
inline constexpr u8 kBelow = 1;
inline constexpr u8 kEqual = 2;
inline constexpr u8 kAbove = 4;

/// A rule on one number of the fixed part and a constant. Such rules are most of a large policy; as
/// rows they need no code each. The fixed part consists of words of 8 bytes.
struct Comparison {
    u64 constant;    ///< sign-extended
    u32 word;        ///< offset of the word in which the number lies
    u8 bits_above;   ///< of the word, above the number
    u8 bits_around;  ///< of the word, above and below the number
    u8 is_signed;
    u8 grants;  ///< set of the orders for which the rule grants
};

/// What a rule's code may cost at most, in instructions; policyc refuses dearer ones.
inline constexpr u32 kMaxRuleCost = 2500;

/// One pure rule that an event must pass, or a step towards one.
struct RuleCall {
    RuleCode code;  ///< Code and Facts only
    u32 rule;       ///< index in the names table
    RuleKind kind;
    u8 value_count;
    u8 reserved;
    u32 cost;  ///< worst-case instructions of `code`
    u32 scan;  ///< Scan: index in Policy::scans; Comparison: in Policy::comparisons
    Guard guard = {};
};

/// One rule of the state part, or a step towards one. A pure rule whose grants a profile may want
/// has a Grant here, with the same guard, that names the plan: check() records no grants.
struct StateCall {
    StateCode code;  ///< Code and Facts only
    u32 rule;        ///< index in the names table
    RuleKind kind;   ///< not Scan, not Comparison
    u8 value_count;
    u8 reserved;
    u32 cost;  ///< worst-case instructions of `code`
    Guard guard;
    u16 audit;  ///< index in Policy::audits; 0 = grants are of no interest, as for Facts
    u16 reserved2;
    u32 reserved3;
};

/// The rules bound to an event, pure ones and state ones, each in the order of the policy. Entry 0
/// of Policy::decisions has no rules and denies. A decision without state calls costs judge()
/// nothing more than finding it.
struct Decision {
    const RuleCall* calls;
    u32 count;
    u32 reserved;
    const StateCall* state_calls = nullptr;
    u32 state_count = 0;
    u32 reserved2 = 0;
};

inline constexpr u32 kNoDecision = 0;

/// Decisions of one (client class, server class) pair by slot, and the pair's row.
struct Pair {
    const u32* request;
    const u32* response;
    const u32* error;
    const Row* row;
};

/// What a class for which the default does not speak gets.
struct Exception {
    u16 source;        ///< kNoClass: a free place
    u16 displacement;  ///< of the sources whose bucket this is
    u32 value;
};

/// Source class -> index (of a Pair, or of a Decision). A perfect hash: the place of a source
/// follows from its bucket's displacement, which policyc has chosen, so finding it costs the same
/// whatever the number of exceptions.
struct SourceMap {
    const Exception* exceptions;  ///< null: there are none
    u32 bits;                     ///< of a place: there are 1 << bits
    u32 otherwise;
};

/// The bucket of a source, among 1 << bits.
constexpr u32 bucket_of_source(u16 source, u32 bits) {
    const u32 hash = source * 0x9E37'79B1u;
    return static_cast<u32>(u64{hash} >> (32 - bits));
}

/// Where a source stands, given its bucket's displacement.
constexpr u32 place_of_source(u16 source, u16 displacement, u32 bits) {
    u32 hash = (source | u32{displacement} << 16) * 0x85EB'CA6Bu;
    hash = (hash ^ hash >> 15) * 0xC2B2'AE35u;
    return static_cast<u32>(u64{hash} >> (32 - bits));
}

struct Class {
    ClassInfo info;
    const Endpoint* endpoints;
    const Endpoint* security;       ///< security interfaces, numbered on their own
    const u32* security_decisions;  ///< by slot of `security`
    SourceMap pairs;                ///< by client, this class being the server
    SourceMap execute;              ///< by initiator, this class being started
    u16 security_count;
    u16 reserved;
    u32 slot_count;  ///< own methods; the implicit endpoints' follow
};

/// A deterministic automaton over bytes, for one or several patterns at once. State 0 is dead: no
/// text that reaches it matches. Made by sdk/policyc (regex).
struct Dfa {
    const u8* classes;   ///< [256]: byte -> class
    const u16* next;     ///< [state * class_count + class] -> state
    const u16* accepts;  ///< [state] -> number of the first pattern that matches, from 1; 0 = none;
                         ///< 0 for state 0
    u16 class_count;
    u16 state_count;
    u16 start;
    u16 reserved;
};

/// Bytes to match: a text without its NUL, or the bytes of a message's `bytes`.
struct ScanText {
    Outcome outcome;  ///< Error: there is no such text (index outside, inactive union member)
    const u8* at;
    u32 size;
};

/// Finds the text. Pure and cheap (at most kMaxTextCost): it runs again in each step.
using TextCode = ScanText (*)(const Query& query);

inline constexpr u32 kMaxTextCost = 400;

/// What a scan leaves in its field. A text that no pattern matches leaves `otherwise`; one that
/// cannot be found leaves `failed`, or denies the event with Reason::Error when `failed` is 0.
struct Scan {
    const Dfa* dfa;
    TextCode text;
    FactField field;
    u16 otherwise;
    u16 failed;
    u16 reserved;
};

inline constexpr u32 kAuditLevels = 256;  ///< run-time levels are UInt8

/// At which run-time levels a granted call is recorded: bit n % 64 of granted[n / 64] for level n.
/// Calls that are recorded at the same levels share one.
struct Audit {
    u64 granted[kAuditLevels / 64];
    Reason reason;  ///< Audited, or Recorded in a module that records a run
};

/// What judge() changes, beside the objects. One per policy, in writable memory.
struct State {
    u64 audit_level;  ///< below kAuditLevels; at the start: the number in `audit default`
};

inline constexpr u32 kImplicitEndpointCount = 3;

struct Policy {
    u64 hash;
    u32 class_count;  ///< at least 1; sorted by name
    u32 decision_count;
    u32 pair_count;
    u16 layout_count;
    u16 core_class;
    u16 init_class;
    u16 reserved;
    u32 reserved2;
    const Class* classes;
    const Decision* decisions;
    const Pair* pairs;
    const Layout* layouts;
    const Endpoint* implicit_endpoints;  ///< kImplicitEndpointCount, slots from 0
    const Scan* scans = nullptr;
    const Comparison* comparisons = nullptr;
    const Audit* audits = nullptr;  ///< entry 0 is never looked at
    const models::SidObject* const* objects = nullptr;
    void (*end_sid)(const models::SidObject& object, models::Journal& journal, u64 sid) =
        nullptr;  ///< models::end_sid when there are objects: who has none links no map
    u32 object_count = 0;
    u32 reserved3 = 0;
    State* state = nullptr;              ///< needed when a decision has state calls
    models::Journal* journal = nullptr;  ///< needed when a decision has state calls, or for objects
};

/// A Row with room for its entries behind it.
template <u32 Count> struct RowTable {
    Row row;
    RowEntry entries[Count];
};

}  // namespace ksec::format
