// SPDX-License-Identifier: Apache-2.0
// Physical memory in 4 KiB frames: a buddy allocator over all free RAM. Its free lists live in the
// free frames themselves, one byte of metadata per frame tells a free block's head and order.
// Frames are cleared when they are handed out, so nothing of the last owner is ever seen. Who pays
// is decided one level up (Process::charge).
#pragma once

#include <kernel/base/names.hpp>
#include <kernel/base/parts.hpp>
#include <kernel/hal/boot_info.hpp>

namespace kernel {

inline constexpr u32 kMaxOrder = 10;  // blocks of up to 4 MiB

class FrameAllocator final {
public:
    /// Takes over the ranges, its own metadata out of the largest one. Once, at start.
    void initialize(const MemoryRange* ranges, u32 count);

    /// 2^order contiguous frames, aligned to their size, not cleared. OutOfMemory. O(kMaxOrder).
    Result<PhysAddr> take_raw(u32 order);
    /// One cleared frame. OutOfMemory.
    Result<PhysAddr> take_zeroed();
    /// Gives a block back and joins it with free buddies. O(kMaxOrder).
    void give(PhysAddr block, u32 order);

    [[nodiscard]] u64 free_frames() const { return free_frames_; }

private:
    struct FreeBlock {
        PhysAddr next;
        PhysAddr previous;
    };

    static constexpr u8 kFreeHead = 0x80;

    [[nodiscard]] u64 index_of(PhysAddr frame) const { return (frame - base_).value >> 12; }

    [[nodiscard]] bool is_free_head(PhysAddr block, u32 order) const;
    void insert(PhysAddr block, u32 order);
    void remove(PhysAddr block, u32 order);
    void add_range(PhysAddr from, PhysAddr to);

    PhysAddr base_{};
    u64 frame_count_ = 0;
    u64 free_frames_ = 0;
    u8* marks_ = nullptr;
    PhysAddr heads_[kMaxOrder + 1]{};  // zero: none; frame 0 is never managed
};

inline FrameAllocator& frames() { return *g_parts.frames; }

}  // namespace kernel
