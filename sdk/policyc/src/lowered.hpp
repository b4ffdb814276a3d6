// SPDX-License-Identifier: Apache-2.0
// A policy ready to be printed: the tables of ksec/format with vectors for pointers. Everything is
// numbered; equal things have been merged. Produced by lower(), consumed by emit and report.
#pragma once

#include "lookups.hpp"
#include "objects.hpp"
#include "regex.hpp"

#include <bitset>
#include <cstdint>
#include <ksec/format/tables.hpp>
#include <string>
#include <vector>

namespace sdk::policyc {

using base::u16;
using base::u32;
using base::u64;
using base::u8;

/// A set of run-time levels.
using AuditLevels = std::bitset<ksec::format::kAuditLevels>;

/// Layout of a fixed part, an element or a union member.
struct LoweredLayout {
    std::vector<ksec::format::Field> fields;
    u32 size = 0;
};

struct LoweredShape {
    u32 fixed_size = 0;
    u32 arena_max = 0;
    ksec::Staging staging = ksec::Staging::Registers;
    bool exists = false;
    std::vector<u16> handle_offsets;
    u16 layout = ksec::format::kNoLayout;
    std::vector<std::string> parameters;  ///< names, by the index that a record has

    /// Whether the message travels in registers.
    [[nodiscard]] bool is_short() const;
};

struct LoweredMethod {
    std::string name;
    LoweredShape request;
    LoweredShape response;
    LoweredShape error;
};

struct LoweredEndpoint {
    std::string path;
    std::string interface;
    u32 first_slot = 0;
    std::vector<LoweredMethod> methods;
};

/// Lets a call run when a field of the facts holds a value; width 0: always.
struct LoweredGuard {
    u8 shift = 0;
    u8 width = 0;
    u16 value = 0;

    friend auto operator<=>(const LoweredGuard&, const LoweredGuard&) = default;
};

/// A call of the pure part.
struct LoweredCall {
    ksec::format::RuleKind kind = ksec::format::RuleKind::Grant;
    u32 rule = ksec::kNoRule;
    u32 code = 0;  ///< index into Lowered::codes; Code and Facts only
    u8 value_count = 0;
    u32 cost = 0;
    u32 scan = 0;  ///< index into Lowered::scans or comparisons; Scan and Comparison only
    LoweredGuard guard;

    friend auto operator<=>(const LoweredCall&, const LoweredCall&) = default;
};

/// A call of the state part.
struct LoweredStateCall {
    ksec::format::RuleKind kind = ksec::format::RuleKind::Grant;
    u32 rule = ksec::kNoRule;
    u32 code = 0;  ///< index into Lowered::codes; Code and Facts only
    u8 value_count = 0;
    u32 cost = 0;
    LoweredGuard guard;
    u16 audit = 0;      ///< index into Lowered::audits
    LoweredGuard sets;  ///< Facts: the field, its value left 0
    std::vector<Lookup> lookups;

    friend auto operator<=>(const LoweredStateCall&, const LoweredStateCall&) = default;
};

struct LoweredDecision {
    std::vector<LoweredCall> calls;
    std::vector<LoweredStateCall> state_calls;

    [[nodiscard]] bool is_empty() const { return calls.empty() && state_calls.empty(); }

    /// What the state part may cost, with the engine's share; of cases that exclude each other the
    /// dearest.
    [[nodiscard]] u64 state_cost() const;

    /// The same with the dearest call only. One rule of a model is never refused for its price,
    /// though those of Mic alone come to more than an event's rules should.
    [[nodiscard]] u64 least_state_cost() const;

    friend auto operator<=>(const LoweredDecision&, const LoweredDecision&) = default;
};

/// Body of one rule function.
struct LoweredCode {
    std::string body;
    u32 rule = 0;  ///< the first rule that needed it, for the comment
    bool is_state = false;
};

/// A text of a message and the automaton it is matched with.
struct LoweredScan {
    u32 automaton = 0;  ///< index into Lowered::automata
    u32 text = 0;       ///< index into Lowered::texts
    u8 shift = 0;
    u8 width = 0;
    u32 otherwise = 0;
    u32 failed = 0;

    friend auto operator<=>(const LoweredScan&, const LoweredScan&) = default;
};

/// A policy object with state.
struct LoweredObject {
    std::string name;
    std::string model;
    ObjectConfig config;
    u32 slots = 1;               ///< SIDs it has room for
    bool is_configured = false;  ///< the policy says how many
    u32 class_count = 0;         ///< classes whose events take a place
    u64 bytes = 0;               ///< of writable memory
};

struct LoweredRow {
    u64 shift = 0;
    u64 mask = 16;
    std::vector<ksec::RowEntry> entries;
    std::vector<u64> left_out;  ///< request tags that collided; they take the long way
};

/// Decisions of a (client, server) pair by slot; indices into Lowered::arrays and rows.
struct LoweredPair {
    u32 request = 0;
    u32 response = 0;
    u32 error = 0;
    u32 row = 0;

    friend auto operator<=>(const LoweredPair&, const LoweredPair&) = default;
};

struct LoweredMap {
    u32 otherwise = 0;
    std::vector<ksec::format::Exception> exceptions;
};

struct LoweredClass {
    std::string name;
    std::vector<LoweredEndpoint> endpoints;
    std::vector<LoweredEndpoint> security;
    std::vector<u32> security_decisions;
    LoweredMap pairs;
    LoweredMap execute;
    u32 slot_count = 0;
    u32 request_fixed_max = 0;
    u32 request_arena_max = 0;
    u32 request_handles_max = 0;
};

/// One rule of the source, as people see it.
struct LoweredRule {
    std::string place;  ///< file:line
    std::string text;
    std::vector<std::string> values;  ///< what Record::values mean
    u32 cost = 0;                     ///< dearest of its functions
    bool is_state = false;            ///< belongs to the state part
};

struct Lowered {
    u64 hash = 0;
    u16 core_class = 0;
    u16 init_class = 0;
    std::vector<LoweredClass> classes;  ///< sorted by name
    std::vector<LoweredEndpoint> implicit_endpoints;
    std::vector<LoweredLayout> layouts;
    std::vector<LoweredCode> codes;
    std::vector<std::string> texts;  ///< bodies of functions that find a text
    std::vector<Automaton> automata;
    std::vector<LoweredScan> scans;
    std::vector<ksec::format::Comparison> comparisons;
    std::vector<AuditLevels> audits{{}};  ///< levels at which a grant is recorded; 0 is not used
    bool records_run = false;             ///< the only plan is to record every kind of grant
    std::vector<LoweredObject> objects;
    u32 audit_level = 0;
    std::vector<LoweredDecision> decisions;  ///< 0 has no rules
    std::vector<std::vector<u32>> arrays;    ///< decisions by slot, shared by pairs
    std::vector<LoweredRow> rows;            ///< 0 grants nothing
    std::vector<LoweredPair> pairs;          ///< 0 denies everything
    std::vector<LoweredRule> rules;
};

}  // namespace sdk::policyc
