// SPDX-License-Identifier: Apache-2.0
#include <kernel/base/assert.hpp>
#include <kernel/object/handle_table.hpp>

namespace kernel {

namespace {

struct DenyRow {
    ksec::Row header;
    ksec::RowEntry entry;
};

constexpr DenyRow kDeny{{0, 0}, {~u64{0}, ~u64{0}}};

}  // namespace

constinit const ksec::Row* const kDenyRow = &kDeny.header;

void HandleTable::initialize(Slot* slots, u32 capacity) {
    KASSERT(capacity > 0 && (capacity & (capacity - 1)) == 0);
    slots_ = slots;
    capacity_ = capacity;
#pragma GCC unroll 8
    for (u32 i = 0; i < capacity; ++i) {
        slots[i].row = kDenyRow;
    }
    free_count_ = capacity;
}

Result<u32> HandleTable::insert(const Slot& content) {
    if (free_count_ == 0) {
        return Status::OutOfMemory;
    }
    const bool is_recycled = first_free_ != kEnd;
    const u32 index = is_recycled ? first_free_ : touched_++;
    Slot& slot = slots_[index];
    first_free_ = is_recycled ? slot.next.value : kEnd;
    --free_count_;
    ++used_;
    const auto generation = static_cast<u16>(slot.generation + 1);
    slot = content;
    slot.generation = generation;
    slot.handle = (u32{generation} << 16) | index;
    const bool callable = (content.type == SlotType::Client || content.type == SlotType::Kernel) &&
                          (content.rights & abi::rights::kCall) != 0 && content.row != nullptr;
    slot.row = callable ? content.row : kDenyRow;
    return slot.handle;
}

void HandleTable::erase(Slot& slot) {
    KASSERT(slot.handle != 0 && slot.first_child == kNoSlot);
    const u16 generation = slot.generation;
    slot = Slot{};
    slot.row = kDenyRow;
    slot.generation = generation;
    --used_;
    if (generation == 0xFFFF) {
        return;  // retired: the next value would repeat an old handle
    }
    slot.next = SlotRef{first_free_};
    first_free_ = index_of(slot);
    ++free_count_;
}

}  // namespace kernel
