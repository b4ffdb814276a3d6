// SPDX-License-Identifier: Apache-2.0
// Where a program and its surroundings stand in its address space: two regions, each at a random
// page of its own range, so that an address of one says nothing of the other. Below the stack
// nothing is mapped, nor between the parts of the second region.
#pragma once

#include <kernel/base/bits.hpp>
#include <kernel/base/types.hpp>
#include <runtime/elf.hpp>

namespace sdk {

inline constexpr u64 kStackBytes = 64u << 10;
inline constexpr u64 kImageFloor = u64{0x20} << 32;
inline constexpr u64 kImagePages = u64{1} << 26;  ///< 256 GiB of choice
inline constexpr u64 kStackFloor = u64{0x61} << 32;
inline constexpr u64 kStackPages = u64{1} << 24;  ///< 64 GiB of choice
inline constexpr u64 kUserLimit = u64{1} << 39;

static_assert(kImageFloor + kImagePages * base::kPageSize + kMaxProgramBytes <= kStackFloor);
static_assert(kStackFloor + kStackPages * base::kPageSize + (u64{1} << 32) < kUserLimit);

/// Hands out addresses of the second region, upwards, each with an unmapped page before it.
class Placement final {
public:
    Placement(u64 image_random, u64 stack_random)
        : image_(kImageFloor + image_random % kImagePages * base::kPageSize),
          next_(kStackFloor + stack_random % kStackPages * base::kPageSize) {}

    [[nodiscard]] u64 image() const { return image_; }

    /// Address for `size` bytes, a multiple of the page size and below 4 GiB in sum.
    [[nodiscard]] u64 take(u64 size) {
        const u64 address = next_ + base::kPageSize;
        next_ = address + size;
        return address;
    }

private:
    u64 image_;
    u64 next_;
};

}  // namespace sdk
