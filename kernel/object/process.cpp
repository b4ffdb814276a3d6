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

Result<PhysAddr> Process::take_frame() {
    TRY(charge(1));
    auto frame = frames().take_zeroed();
    if (!frame.ok()) {
        uncharge(1);
    }
    return frame;
}

void Process::give_frame(PhysAddr frame) {
    frames().give(frame, 0);
    uncharge(1);
}

bool is_same_name(const char* a, const char* b) {
    while (*a == *b && *a != '\0') {
        ++a;
        ++b;
    }
    return *a == *b;
}

SlotRef slot_ref(const Process& process, const Slot& slot) {
    return SlotRef{(objects().processes.index_of(process) << 16) | process.handles.index_of(slot)};
}

Slot& slot_at(SlotRef ref) {
    Process* process = objects().processes.find(ref.value >> 16);
    KASSERT(process != nullptr);
    return process->handles.at(ref.value & 0xFFFF);
}

Result<u32> insert_handle(Process& process, const SlotContent& content) {
    TRY_VALUE(const u32 handle, process.handles.insert(content));
    if (content.parent != kNoSlot) {
        Slot& slot = *process.handles.find(handle);
        const SlotRef self = slot_ref(process, slot);
        Slot& parent = slot_at(content.parent);
        slot.next = parent.first_child;
        if (slot.next != kNoSlot) {
            slot_at(slot.next).previous = self;
        }
        parent.first_child = self;
    }
    return handle;
}

void unlink_slot(Process& process, Slot& slot) {
    const SlotRef self = slot_ref(process, slot);
    while (slot.first_child != kNoSlot) {
        const SlotRef child_ref = slot.first_child;
        Slot& child = slot_at(child_ref);
        slot.first_child = child.next;
        child.parent = slot.parent;
        child.previous = kNoSlot;
        child.next = kNoSlot;
        if (slot.parent != kNoSlot) {
            Slot& parent = slot_at(slot.parent);
            child.next = parent.first_child;
            if (child.next != kNoSlot) {
                slot_at(child.next).previous = child_ref;
            }
            parent.first_child = child_ref;
        }
    }
    if (slot.previous != kNoSlot) {
        slot_at(slot.previous).next = slot.next;
    } else if (slot.parent != kNoSlot && slot_at(slot.parent).first_child == self) {
        slot_at(slot.parent).first_child = slot.next;
    }
    if (slot.next != kNoSlot) {
        slot_at(slot.next).previous = slot.previous;
    }
    slot.parent = kNoSlot;
    slot.next = kNoSlot;
    slot.previous = kNoSlot;
}

}  // namespace kernel
