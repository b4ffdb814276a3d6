// SPDX-License-Identifier: Apache-2.0
// Threads by their index, one bit each: whose they are is found without asking all there are.
#pragma once

#include <kernel/base/types.hpp>

namespace kernel {

inline constexpr base::u32 kMaxThreads = 256;

class ThreadSet final {
public:
    /// One that is not in the set.
    void insert(base::u32 index) {
        words_[index / 64] |= bit(index);
        ++count_;
    }

    /// One that is in the set.
    void erase(base::u32 index) {
        words_[index / 64] &= ~bit(index);
        --count_;
    }

    [[nodiscard]] base::u32 count() const { return count_; }

    /// The first index in the set from `from` on; kMaxThreads: none. O(kMaxThreads / 64).
    [[nodiscard]] base::u32 next(base::u32 from) const {
        while (from < kMaxThreads) {
            const base::u64 left = words_[from / 64] >> from % 64;
            if (left != 0) {
                return from + static_cast<base::u32>(__builtin_ctzll(left));
            }
            from = (from / 64 + 1) * 64;
        }
        return kMaxThreads;
    }

private:
    static base::u64 bit(base::u32 index) { return base::u64{1} << index % 64; }

    base::u64 words_[kMaxThreads / 64]{};
    base::u32 count_ = 0;
};

}  // namespace kernel
