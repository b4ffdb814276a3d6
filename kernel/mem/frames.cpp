// SPDX-License-Identifier: Apache-2.0
#include <arch/inline.hpp>
#include <kernel/base/assert.hpp>
#include <kernel/base/bits.hpp>
#include <kernel/mem/frames.hpp>

namespace kernel {

namespace {

constexpr u64 kFrame = base::kPageSize;

}  // namespace

void FrameAllocator::initialize(const MemoryRange* ranges, u32 count) {
    KASSERT(count > 0);
    PhysAddr low = ranges[0].base;
    PhysAddr high = low;
    u32 largest = 0;
    for (u32 i = 0; i < count; ++i) {
        low = ranges[i].base < low ? ranges[i].base : low;
        const PhysAddr end = ranges[i].base + ranges[i].size;
        high = high < end ? end : high;
        largest = ranges[largest].size < ranges[i].size ? i : largest;
    }
    base_ = low;
    frame_count_ = (high - low).value >> 12;
    const u64 mark_bytes = base::pages_for(Bytes{frame_count_}).bytes().value;
    KASSERT(mark_bytes < ranges[largest].size.value);
    const PhysAddr marks = ranges[largest].base;
    for (u64 offset = 0; offset < mark_bytes; offset += kFrame) {
        arch::zero_frame(marks + Bytes{offset});
    }
    marks_ = arch::linear<u8>(marks);
    for (u32 i = 0; i < count; ++i) {
        const PhysAddr from = i == largest ? marks + Bytes{mark_bytes} : ranges[i].base;
        add_range(from, ranges[i].base + ranges[i].size);
    }
}

void FrameAllocator::add_range(PhysAddr from, PhysAddr to) {
    from = PhysAddr{base::align_up(from.value, kFrame)};
    while (from.value + kFrame <= to.value) {
        if (from.value == 0) {  // frame 0 means "none" in the free lists
            from = from + Bytes{kFrame};
            continue;
        }
        u32 order = kMaxOrder;
        while (((from.value >> 12) & ((u64{1} << order) - 1)) != 0 ||
               from.value + (kFrame << order) > to.value) {
            --order;
        }
        insert(from, order);
        free_frames_ += u64{1} << order;
        from = from + Bytes{kFrame << order};
    }
}

bool FrameAllocator::is_free_head(PhysAddr block, u32 order) const {
    if (block < base_) {
        return false;
    }
    const u64 index = index_of(block);
    return index < frame_count_ && marks_[index] == (kFreeHead | order);
}

void FrameAllocator::insert(PhysAddr block, u32 order) {
    auto* node = arch::linear<FreeBlock>(block);
    node->next = heads_[order];
    node->previous = PhysAddr{};
    if (heads_[order].value != 0) {
        arch::linear<FreeBlock>(heads_[order])->previous = block;
    }
    heads_[order] = block;
    marks_[index_of(block)] = static_cast<u8>(kFreeHead | order);
}

void FrameAllocator::remove(PhysAddr block, u32 order) {
    auto* node = arch::linear<FreeBlock>(block);
    if (node->previous.value != 0) {
        arch::linear<FreeBlock>(node->previous)->next = node->next;
    } else {
        heads_[order] = node->next;
    }
    if (node->next.value != 0) {
        arch::linear<FreeBlock>(node->next)->previous = node->previous;
    }
    marks_[index_of(block)] = 0;
}

Result<PhysAddr> FrameAllocator::take_raw(u32 order) {
    u32 from = order;
    while (from <= kMaxOrder && heads_[from].value == 0) {
        ++from;
    }
    if (from > kMaxOrder) {
        return Status::OutOfMemory;
    }
    const PhysAddr block = heads_[from];
    remove(block, from);
    while (from > order) {
        --from;
        insert(block + Bytes{kFrame << from}, from);
    }
    free_frames_ -= u64{1} << order;
    return block;
}

Result<PhysAddr> FrameAllocator::take_zeroed() {
    auto frame = take_raw(0);
    if (frame.ok()) {
        arch::zero_frame(frame.value());
    }
    return frame;
}

void FrameAllocator::give(PhysAddr block, u32 order) {
    KASSERT(block.page_offset() == 0 && index_of(block) < frame_count_);
    KASSERT((marks_[index_of(block)] & kFreeHead) == 0);
    free_frames_ += u64{1} << order;
    while (order < kMaxOrder) {
        const PhysAddr buddy{block.value ^ (kFrame << order)};
        if (!is_free_head(buddy, order)) {
            break;
        }
        remove(buddy, order);
        block = buddy < block ? buddy : block;
        ++order;
    }
    insert(block, order);
}

}  // namespace kernel
