// SPDX-License-Identifier: Apache-2.0
// Layout of a compiled policy: constant tables that sdk/policyc emits as C++ and ksec/engine walks.
//
//   Policy ─┬─ classes[] ── endpoints[] ── methods: MethodInfo + layouts of the three messages
//           │       ├────── pairs:   client class -> Pair (decisions per method slot, Row)
//           │       ├────── execute: initiator class -> decision
//           │       └────── security_decisions
//           ├─ decisions[] ── calls: the rules that one event must pass
//           └─ layouts[] ── fields: what the structural check must look at
//
// Slots: the methods of a class are numbered through its endpoints in order; the implicit endpoints
// (interrupt, event, fault) follow. A pair's arrays are indexed by slot, so judging costs the same
// whatever the number of rules. Growth is linear: a class names a default pair for the clients no
// rule mentions and lists the others; equal arrays, rows and decisions are shared.
//
// Everything lies in read-only memory and is trusted; indices that depend on a message or on a
// query are checked and then clamped (engine/bounded.hpp).
#pragma once

#include <ksec/verdict.hpp>

namespace ksec::format {

/// What a part of a message needs checked. Plain numbers and handles need nothing.
enum class FieldKind : u8 {
    Bytes = 0,     ///< range: inside, aligned, at most `limit` bytes
    Text = 1,      ///< as Bytes (limit counts the NUL), UTF-8, one NUL, at the end
    Sequence = 2,  ///< range of whole elements, at most `limit`; `inner` checks each
    Array = 3,     ///< `limit` elements in place; `inner` checks each
    Union = 4,     ///< UInt32 member index below `limit`; layout `inner + index` checks the member
};

inline constexpr u16 kNoLayout = 0xFFFF;

struct Field {
    FieldKind kind;
    u8 alignment;   ///< of the range's start in the arena: 1, 2, 4 or 8
    u16 parameter;  ///< index among the method's parameters, for the record
    u32 offset;     ///< in the enclosing structure
    u32 limit;
    u32 stride;  ///< Sequence, Array: bytes per element; Union: where its storage begins
    u16 inner;   ///< index into Policy::layouts; kNoLayout = nothing to check inside
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

enum class Outcome : u32 { Grant = 0, Deny = 1, Error = 2 };

/// Evaluates one rule. Reads the staged message only; writes what it looked at to values[0..3].
using RuleCode = Outcome (*)(const Query& query, u64* values);

enum class RuleKind : u16 {
    Grant = 0,
    Deny = 1,
    Code = 2,
};

/// What a rule's code may cost at most, in instructions; policyc refuses dearer ones.
inline constexpr u32 kMaxRuleCost = 2500;

/// One rule that an event must pass.
struct RuleCall {
    RuleCode code;  ///< RuleKind::Code only
    u32 rule;       ///< index in the names table
    RuleKind kind;
    u8 value_count;
    u8 reserved;
    u32 cost;  ///< worst-case instructions of `code`
    u32 reserved2;
};

/// The rules bound to an event, in the order of the policy. Entry 0 of Policy::decisions has no
/// rules and denies.
struct Decision {
    const RuleCall* calls;
    u32 count;
    u32 reserved;
};

inline constexpr u32 kNoDecision = 0;

/// Decisions of one (client class, server class) pair by slot, and the pair's row.
struct Pair {
    const u32* request;
    const u32* response;
    const u32* error;
    const Row* row;
};

/// What clients the default does not speak for get; sorted by class.
struct Exception {
    u16 source;
    u16 reserved;
    u32 value;
};

/// Source class -> index (of a Pair, or of a Decision).
struct SourceMap {
    const Exception* exceptions;
    u32 exception_count;
    u32 otherwise;
};

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

inline constexpr u32 kImplicitEndpointCount = 3;
inline constexpr u32 kVersion = 1;

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
};

/// A Row with room for its entries behind it.
template <u32 Count> struct RowTable {
    Row row;
    RowEntry entries[Count];
};

}  // namespace ksec::format
