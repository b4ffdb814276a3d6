// SPDX-License-Identifier: Apache-2.0
// The memory of a ramfs as pages, numbered from 1; 0 is none. A free page holds the number of the
// next one; pages that were never used are not touched.
#pragma once

#include <cstring>
#include <services/storage/result.hpp>
#include <span>

namespace svc::storage::ramfs {

inline constexpr u32 kPageBytes = 4096;

class Pages final {
public:
    void begin(std::span<u8> memory) {
        memory_ = memory;
        total_ = free_ = static_cast<u32>(memory.size() / kPageBytes);
    }

    [[nodiscard]] u32 total() const { return total_; }

    [[nodiscard]] u32 free_count() const { return free_; }

    [[nodiscard]] u8* data(u32 page) { return &memory_[u64{page - 1} * kPageBytes]; }

    /// A page that is free; there must be one. It holds anything.
    u32 take() {
        --free_;
        if (first_free_ == 0) {
            return ++used_;
        }
        const u32 page = first_free_;
        std::memcpy(&first_free_, data(page), sizeof(first_free_));
        return page;
    }

    /// The same, full of zeros.
    u32 take_cleared() {
        const u32 page = take();
        std::memset(data(page), 0, kPageBytes);
        return page;
    }

    void release(u32 page) {
        std::memcpy(data(page), &first_free_, sizeof(first_free_));
        first_free_ = page;
        ++free_;
    }

private:
    std::span<u8> memory_;
    u32 total_ = 0;
    u32 free_ = 0;
    u32 used_ = 0;  ///< no page above was ever taken
    u32 first_free_ = 0;
};

}  // namespace svc::storage::ramfs
