// SPDX-License-Identifier: Apache-2.0
#include <kernel/abi/call.hpp>
#include <ksec/engine/lookup.hpp>

namespace ksec::engine {

namespace {

constexpr MethodPlace kNowhere{nullptr, nullptr, 0};

/// Byte order, shorter first when one begins the other; as policyc sorts.
int compare_names(const char* a, u32 a_length, const char* b, u32 b_length) {
    const u32 common = a_length < b_length ? a_length : b_length;
    for (u32 i = 0; i < common; ++i) {
        const int difference = static_cast<u8>(a[i]) - static_cast<u8>(b[i]);
        if (difference != 0) {
            return difference;
        }
    }
    return a_length < b_length ? -1 : (a_length > b_length ? 1 : 0);
}

MethodPlace find_in(const format::Endpoint& endpoint, u16 method) {
    const u32 index = bounded(method, endpoint.method_count);
    if (method >= endpoint.method_count) {
        return kNowhere;
    }
    return {&endpoint.methods[index], &endpoint.layouts[index], endpoint.first_slot + index};
}

}  // namespace

u16 find_class(const format::Policy& policy, const char* name, u32 length) {
    u32 low = 0;
    u32 high = policy.class_count;
    while (low < high) {
        const u32 middle = (low + high) / 2;
        const ClassInfo& info = policy.classes[middle].info;
        const int order = compare_names(name, length, info.name, info.name_length);
        if (order == 0) {
            return static_cast<u16>(middle);
        }
        if (order < 0) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return kNoClass;
}

const format::Class* find_class_by_id(const format::Policy& policy, u16 id) {
    const u32 index = bounded(id, policy.class_count);
    return id < policy.class_count ? &policy.classes[index] : nullptr;
}

MethodPlace
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
    if (endpoint >= server.info.endpoint_count) {
        return kNowhere;
    }
    return find_in(server.endpoints[index], method);
}

MethodPlace find_security_method(const format::Class& owner, u16 security, u16 method) {
    const u32 index = bounded(security, owner.security_count);
    if (security >= owner.security_count) {
        return kNowhere;
    }
    return find_in(owner.security[index], method);
}

u32 find_source(const format::SourceMap& map, u16 source) {
    u32 low = 0;
    u32 high = map.exception_count;
    while (low < high) {
        const u32 middle = (low + high) / 2;
        const format::Exception& exception = map.exceptions[middle];
        if (exception.source == source) {
            return exception.value;
        }
        if (source < exception.source) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return map.otherwise;
}

const format::Pair&
find_pair(const format::Policy& policy, const format::Class& server, u16 client_class) {
    return policy.pairs[find_source(server.pairs, client_class)];
}

}  // namespace ksec::engine
