// SPDX-License-Identifier: Apache-2.0
// A bounded queue between a device and its clients. Used from one thread.
#pragma once

#include <bit>
#include <kernel/base/types.hpp>

namespace sdk::driver {

using base::u32;

/// First in, first out; `capacity` elements, a power of two.
template <typename T, u32 capacity>
    requires(std::has_single_bit(capacity))
class Ring final {
public:
    [[nodiscard]] bool empty() const { return head_ == tail_; }

    [[nodiscard]] u32 size() const { return tail_ - head_; }

    [[nodiscard]] u32 room() const { return capacity - size(); }

    /// False: it is full, and `value` was not taken.
    [[nodiscard]] bool push(T value) {
        if (room() == 0) {
            return false;
        }
        elements_[tail_ % capacity] = value;
        ++tail_;
        return true;
    }

    /// Element `index` from the front; `index` < size().
    [[nodiscard]] T at(u32 index) const { return elements_[(head_ + index) % capacity]; }

    /// Takes `count` elements off the front; at most size().
    void drop(u32 count) { head_ += count < size() ? count : size(); }

private:
    T elements_[capacity]{};
    u32 head_ = 0;  // both count for ever; their difference is the size
    u32 tail_ = 0;
};

}  // namespace sdk::driver
