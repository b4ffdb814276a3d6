// SPDX-License-Identifier: Apache-2.0
// Finding things in the tables: classes by name, methods by number, decisions by event. Every
// number that comes from a query is checked and clamped here and nowhere else.
#pragma once

#include <ksec/engine/bounded.hpp>
#include <ksec/format/tables.hpp>

namespace ksec::engine {

/// kNoClass when the policy does not know the name. O(log classes).
u16 find_class(const format::Policy& policy, const char* name, u32 length);

/// Null when out of range.
const format::Class* find_class_by_id(const format::Policy& policy, u16 id);

/// A method as a class serves it. `methods` null: no such endpoint or method.
struct MethodPlace {
    const MethodInfo* method;
    const format::MethodLayouts* layouts;
    u32 slot;  ///< index into a pair's decisions, or into the class's security decisions
};

/// Endpoints, implicit endpoints included.
MethodPlace
find_method(const format::Policy& policy, const format::Class& server, u16 endpoint, u16 method);

/// Security interfaces, by their own numbering.
MethodPlace find_security_method(const format::Class& owner, u16 security, u16 method);

/// The value that a map has for `source`. O(log exceptions).
u32 find_source(const format::SourceMap& map, u16 source);

/// The pair of a client and a server class; pair 0 denies everything.
const format::Pair&
find_pair(const format::Policy& policy, const format::Class& server, u16 client_class);

}  // namespace ksec::engine
