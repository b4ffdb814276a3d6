// SPDX-License-Identifier: Apache-2.0
// What an expression on a model's state yields.
#pragma once

namespace ksec::models {

/// Not known: the SID has no state there, or the key is unknown; then the expression fails and the
/// event is denied.
template <typename T> struct Answer {
    bool is_known;
    T value;
};

}  // namespace ksec::models
