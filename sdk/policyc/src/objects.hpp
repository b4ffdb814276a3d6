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

/// Models Base, Pred, Bool, Math, Struct and Regex have nothing to configure.
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

using ObjectConfig =
    std::variant<PlainConfig, FlowConfig, HashSetConfig, StaticMapConfig, MicConfig>;

/// One policy object.
struct ObjectInfo {
    const psl::PolicyObject* node = nullptr;
    std::string model;
    ObjectConfig config;
};

/// By name.
using Objects = std::map<std::string, ObjectInfo>;

/// Most entries a HashSet's set may have, most keys of a StaticMap, most states of a Flow, most
/// categories of a Mic: what the run-time models have room for.
inline constexpr std::uint32_t kMaxStates = 64;
inline constexpr std::uint32_t kMaxCategories = 56;
inline constexpr std::uint32_t kMaxDegrees = 255;

/// Checks one object; reports everything wrong with it.
ObjectInfo check_object(const psl::PolicyObject& node, lang::Diagnostics& diagnostics);

/// The names of all models, for suggestions.
std::vector<std::string> model_names();

}  // namespace sdk::policyc
