// SPDX-License-Identifier: Apache-2.0
#include <arch/inline.hpp>
#include <kernel/object/process.hpp>

namespace kernel {

PhysAddr MemoryObject::frame(u32 page) const {
    KASSERT(page < page_count);
    if (block.value != 0) {
        return block + PageCount{page}.bytes();
    }
    return arch::linear<PhysAddr>(index[page / 512 % kIndexFrames])[page % 512];
}

Result<void> Process::charge(u64 pages) {
    if (pages > budget_pages - used_pages) {
        return Status::OutOfMemory;
    }
    used_pages += pages;
    return {};
}

void Process::uncharge(u64 pages) {
    KASSERT(pages <= used_pages);
    used_pages -= pages;
}

Result<PhysAddr> Process::take_block(u32 order) {
    TRY(charge(u64{1} << order));
    auto block = frames().take_raw(order);
    if (!block.ok()) {
        uncharge(u64{1} << order);
    }
    return block;
}

Result<PhysAddr> Process::take_frame() {
    TRY_VALUE(const PhysAddr frame, take_block(0));
    arch::zero_frame(frame);
    return frame;
}

void Process::give_frame(PhysAddr frame) {
    frames().give(frame, 0);
    uncharge(1);
}

bool is_same_name(const char* a, const char* b) {
    for (u32 at = 0; at < kNameBytes; at += sizeof(u64)) {
        u64 left;
        u64 right;
        __builtin_memcpy(&left, __builtin_assume_aligned(a + at, sizeof(left)), sizeof(left));
        __builtin_memcpy(&right, __builtin_assume_aligned(b + at, sizeof(right)), sizeof(right));
        if (left != right) {
            return false;
        }
    }
    return true;
}

SlotRef slot_ref(const Process& process, const Slot& slot) {
    return SlotRef{(objects().processes.index_of(process) << 16) | process.handles.index_of(slot)};
}

Process& process_at(SlotRef ref) {
    Process* process = objects().processes.find(ref.value >> 16);
    KASSERT(process != nullptr);
    return *process;
}

Slot& slot_at(SlotRef ref) { return process_at(ref).handles.at(ref.value & 0xFFFF); }

Result<u32> insert_handle(Process& process, const Slot& content) {
    TRY_VALUE(const u32 handle, process.handles.insert(content));
    if (content.parent != kNoSlot) {
        Slot& slot = *process.handles.find(handle);
        slot.parent = kNoSlot;
        move_slot(slot_ref(process, slot), content.parent);
    }
    return handle;
}

void move_slot(SlotRef self, SlotRef parent) {
    Slot& slot = slot_at(self);
    if (slot.previous != kNoSlot) {
        slot_at(slot.previous).next = slot.next;
    } else if (slot.parent != kNoSlot) {
        slot_at(slot.parent).first_child = slot.next;
    }
    if (slot.next != kNoSlot) {
        slot_at(slot.next).previous = slot.previous;
    }
    slot.parent = parent;
    slot.previous = kNoSlot;
    slot.next = kNoSlot;
    if (parent == kNoSlot) {
        return;
    }
    Slot& above = slot_at(parent);
    slot.next = above.first_child;
    if (slot.next != kNoSlot) {
        slot_at(slot.next).previous = self;
    }
    above.first_child = self;
}

Result<UserObject&> create_user_object(Process& owner, u64 context) {
    UserObject* made =
        owner.user_object_count < kUserObjectsPerProcess ? objects().user_objects.take() : nullptr;
    if (made == nullptr) {
        return Status::OutOfMemory;
    }
    ++owner.user_object_count;
    made->sid = objects().next_sid();
    made->owner = owner.sid;
    made->owner_index = objects().processes.index_of(owner);
    made->context = context;
    return *made;
}

}  // namespace kernel
