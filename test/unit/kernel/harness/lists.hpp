// SPDX-License-Identifier: Apache-2.0
// What tests ask of intrusive lists and no kernel does.
#pragma once

#include <kernel/base/list.hpp>

namespace test {

template <typename List> base::u64 length_of(const List& list) {
    base::u64 count = 0;
    for (const auto& each : list) {
        static_cast<void>(each);
        ++count;
    }
    return count;
}

template <typename List, typename T> bool is_on(const List& list, const T& element) {
    for (const T& each : list) {
        if (&each == &element) {
            return true;
        }
    }
    return false;
}

}  // namespace test
