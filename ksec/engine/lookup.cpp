// SPDX-License-Identifier: Apache-2.0
#include <ksec/engine/lookup.hpp>

namespace ksec::engine {

namespace {

/// Byte order, shorter first when one begins the other; as policyc sorts.
int compare_names(const char* a, u32 a_length, const char* b, u32 b_length) {
    const u32 common = a_length < b_length ? a_length : b_length;
    const int order = __builtin_memcmp(a, b, common);
    return order != 0 ? order : a_length < b_length ? -1 : a_length > b_length ? 1 : 0;
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

}  // namespace ksec::engine
