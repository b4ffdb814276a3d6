// SPDX-License-Identifier: Apache-2.0
// A policy ready to be printed: the tables of ksec/format with vectors for pointers. Everything is
// numbered; equal things have been merged. Produced by lower(), consumed by emit and report.
#pragma once

#include <cstdint>
#include <ksec/format/tables.hpp>
#include <string>
#include <vector>

namespace sdk::policyc {

using base::u16;
using base::u32;
using base::u64;
using base::u8;

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

struct LoweredCall {
    ksec::format::RuleKind kind = ksec::format::RuleKind::Grant;
    u32 rule = ksec::kNoRule;
    u32 code = 0;  ///< index into Lowered::codes; RuleKind::Code only
    u8 value_count = 0;
    u32 cost = 0;

    friend auto operator<=>(const LoweredCall&, const LoweredCall&) = default;
};

using LoweredDecision = std::vector<LoweredCall>;

/// Body of one rule function.
struct LoweredCode {
    std::string body;
    u32 rule = 0;  ///< the first rule that needed it, for the comment
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
};

struct Lowered {
    u64 hash = 0;
    u16 core_class = 0;
    u16 init_class = 0;
    std::vector<LoweredClass> classes;  ///< sorted by name
    std::vector<LoweredEndpoint> implicit_endpoints;
    std::vector<LoweredLayout> layouts;
    std::vector<LoweredCode> codes;
    std::vector<LoweredDecision> decisions;  ///< 0 has no rules
    std::vector<std::vector<u32>> arrays;    ///< decisions by slot, shared by pairs
    std::vector<LoweredRow> rows;            ///< 0 grants nothing
    std::vector<LoweredPair> pairs;          ///< 0 denies everything
    std::vector<LoweredRule> rules;
};

}  // namespace sdk::policyc
