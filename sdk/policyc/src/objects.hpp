// SPDX-License-Identifier: Apache-2.0
// What policy objects are configured to be: types and config of every object, checked, with names
// resolved to numbers. Compiler and interpreter both start from this.
#pragma once

#include <cstdint>
#include <lang/diagnostics.hpp>
#include <lang/integer.hpp>
#include <lang/psl_ast.hpp>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace sdk::policyc {

namespace psl = lang::psl;

/// An integer type, or Boolean.
struct Scalar {
    unsigned bits = 0;  ///< 8, 16, 32, 64; Boolean: 1
    bool is_signed = false;
    bool is_boolean = false;
};

/// Base, Pred, Bool, Math, Struct and Regex: nothing to configure.
struct PlainConfig {};

/// A finite state machine per SID.
struct FlowConfig {
    std::vector<std::string> states;
    std::size_t initial = 0;
    std::vector<std::vector<std::size_t>> transitions;  ///< from each state, sorted
};

/// Sets of entries. An entry is one scalar or several, named (a dictionary) or not (a tuple).
struct HashSetConfig {
    std::vector<Scalar> fields;
    std::vector<std::string> names;  ///< of the fields; empty: one scalar, or a tuple
    bool is_tuple = false;
    std::uint32_t set_size = 0;
    std::uint32_t pool_size = 0;
};

/// Tables from fixed keys to integers.
struct StaticMapConfig {
    Scalar value;
    std::vector<std::pair<std::string, lang::Integer>> keys;  ///< in the order written
    std::uint32_t pool_size = 0;
};

/// Integrity levels: a degree and a set of categories.
struct MicConfig {
    std::vector<std::string> degrees;  ///< low to high
    std::vector<std::string> categories;
};

/// Roles, what they may do, and which of them include others.
struct RbacConfig {
    std::vector<std::string> roles;
    std::vector<std::string> permissions;
    std::vector<std::vector<std::size_t>> inherits;  ///< roles that a role includes directly
    std::vector<std::vector<std::size_t>> holds;     ///< permissions of a role itself
};

/// A bucket of tokens for each SID.
struct RateLimitConfig {
    std::uint64_t rate = 1;  ///< tokens gained per period
    std::uint64_t period_ns = 1;
    std::uint64_t burst = 1;  ///< most tokens
};

/// Times when something is allowed.
struct TimeWindowConfig {
    struct Window {
        std::uint64_t from_ns = 0;
        std::uint64_t to_ns = 0;  ///< not included
    };

    bool is_wall = false;  ///< wall clock instead of time since power-on
    std::uint64_t origin_ns = 0;
    std::uint64_t period_ns = 0;  ///< 0: once
    std::vector<Window> windows;  ///< from the start of each period
};

using ObjectConfig = std::variant<PlainConfig,
                                  FlowConfig,
                                  HashSetConfig,
                                  StaticMapConfig,
                                  MicConfig,
                                  RbacConfig,
                                  RateLimitConfig,
                                  TimeWindowConfig>;

/// One policy object.
struct ObjectInfo {
    const psl::PolicyObject* node = nullptr;
    std::string model;
    ObjectConfig config;
};

/// By name.
using Objects = std::map<std::string, ObjectInfo>;

// What the run-time models have room for: states of a Flow, categories and degrees of a Mic, roles
// and permissions of an Rbac, windows of a TimeWindow.
inline constexpr std::uint32_t kMaxStates = 64;
inline constexpr std::uint32_t kMaxCategories = 64;
inline constexpr std::uint32_t kMaxDegrees = 255;
inline constexpr std::uint32_t kMaxRoles = 64;
inline constexpr std::uint32_t kMaxPermissions = 1024;
inline constexpr std::uint32_t kMaxWindows = 16;

/// Checks one object; reports everything wrong with it.
ObjectInfo check_object(const psl::PolicyObject& node, lang::Diagnostics& diagnostics);

/// Whether objects of this model have state: what concerns them belongs to the state part of a
/// verdict.
bool has_state(const std::string& model);

/// The names of all models, for suggestions.
std::vector<std::string> model_names();

}  // namespace sdk::policyc
