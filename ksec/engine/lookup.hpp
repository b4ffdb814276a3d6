// SPDX-License-Identifier: Apache-2.0
// Finding things in the tables: classes by name, methods by number, decisions by event. Every
// number that comes from a query is checked and clamped here and nowhere else.
#pragma once

#include <kernel/abi/call.hpp>
#include <ksec/engine/bounded.hpp>
#include <ksec/format/tables.hpp>

namespace ksec::engine {

/// kNoClass when the policy does not know the name. O(log classes).
u16 find_class(const format::Policy& policy, const char* name, u32 length);

/// Null when out of range.
inline const format::Class* find_class_by_id(const format::Policy& policy, u16 id) {
    const u32 index = bounded(id, policy.class_count);
    return id < policy.class_count ? &policy.classes[index] : nullptr;
}

/// A method as a class serves it. `method` null: no such endpoint or method.
struct MethodPlace {
    const MethodInfo* method;
    const format::MethodLayouts* layouts;
    u32 slot;  ///< index into a pair's decisions, or into the class's security decisions
};

inline constexpr MethodPlace kNowhere{nullptr, nullptr, 0};

inline MethodPlace find_in(const format::Endpoint& endpoint, u16 method) {
    const u32 index = bounded(method, endpoint.method_count);
    if (method >= endpoint.method_count) {
        return kNowhere;
    }
    return {&endpoint.methods[index], &endpoint.layouts[index], endpoint.first_slot + index};
}

/// Endpoints, implicit endpoints included.
inline MethodPlace
find_method(const format::Policy& policy, const format::Class& server, u16 endpoint, u16 method) {
    if (endpoint >= abi::kIrqEndpoint) {
        const u32 number = u32{endpoint} - abi::kIrqEndpoint;
        const u32 index = bounded(number, format::kImplicitEndpointCount);
        if (number >= format::kImplicitEndpointCount) {
            return kNowhere;
        }
        MethodPlace place = find_in(policy.implicit_endpoints[index], method);
        place.slot += server.slot_count;
        return place;
    }
    const u32 index = bounded(endpoint, server.info.endpoint_count);
    return endpoint < server.info.endpoint_count ? find_in(server.endpoints[index], method)
                                                 : kNowhere;
}

/// Security interfaces, by their own numbering.
inline MethodPlace find_security_method(const format::Class& owner, u16 security, u16 method) {
    const u32 index = bounded(security, owner.security_count);
    return security < owner.security_count ? find_in(owner.security[index], method) : kNowhere;
}

/// The value that a map has for `source`. O(1).
inline u32 find_source(const format::SourceMap& map, u16 source) {
    if (map.exceptions == nullptr) {
        return map.otherwise;
    }
    const u16 displacement =
        map.exceptions[format::bucket_of_source(source, map.bits)].displacement;
    const format::Exception& found =
        map.exceptions[format::place_of_source(source, displacement, map.bits)];
    return found.source == source ? found.value : map.otherwise;
}

/// The pair of a client and a server class; pair 0 denies everything.
inline const format::Pair&
find_pair(const format::Policy& policy, const format::Class& server, u16 client_class) {
    return policy.pairs[find_source(server.pairs, client_class)];
}

}  // namespace ksec::engine
