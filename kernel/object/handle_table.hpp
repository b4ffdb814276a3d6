// SPDX-License-Identifier: Apache-2.0
// Names a process holds for kernel objects. A handle is slot index plus generation in 32 bits, so
// a stale one is recognised instead of reaching a newer object; a slot whose generation would wrap
// is retired. The row pointer of every slot that is not a callable channel is the all-denying row,
// so the fast path need not ask what kind of slot it found.
//
// Slots form a derivation tree through (process, slot) references: a copy or a transfer hangs below
// its source, and Revoke closes everything below a slot.
#pragma once

#include <kernel/abi/rights.hpp>
#include <kernel/base/names.hpp>
#include <ksec/verdict.hpp>

namespace kernel {

enum class SlotType : u8 {
    Free,
    Kernel,
    Security,
    Client,
    Listener,
    Task,
    Thread,
    Memory,
    Mmio,
    Irq,
    Sync,
    User,    // an object that a process made for its clients
    Badge,   // what marks handles that were handed on with it
    Events,  // where events of objects collect until they are fetched
    Number,  // a handle without an object
};

/// Names a slot of any process: process index and slot index.
using SlotRef = base::Id<struct SlotRefTag, u32>;
inline constexpr SlotRef kNoSlot{0xFFFF'FFFF};

struct UserObject;

/// One handle. The first 40 bytes are what the fast path reads.
struct alignas(64) Slot {
    u32 handle = 0;  // 0: free
    u32 rights = 0;
    void* object = nullptr;
    const ksec::Row* row = nullptr;
    u64 badge = 0;
    u32 life = 0;  // Client: life of the server's name that this channel has met
    u16 generation = 0;
    SlotType type = SlotType::Free;
    u8 reserved = 0;
    SlotRef parent = kNoSlot;
    SlotRef first_child = kNoSlot;
    SlotRef next = kNoSlot;  // sibling; in a free slot the index of the next free one
    SlotRef previous = kNoSlot;
    UserObject* transfer = nullptr;  // the badge it was handed on with, or what it was copied from
};

static_assert(sizeof(Slot) == 64);

inline constexpr u32 kSlotShift = 6;  // log2(sizeof(Slot)), for the fast path

struct Process;

class HandleTable final {
public:
    /// `slots` is cleared memory for `capacity` (a power of two, at most 65536) entries.
    void initialize(Slot* slots, u32 capacity);

    /// The live slot that `handle` names, or null. O(1); the index is clamped by masking.
    [[nodiscard]] Slot* find(u32 handle) const {
        Slot& slot = at(handle);
        return handle != 0 && slot.handle == handle ? &slot : nullptr;
    }

    /// Slot by index, live or not; the index is masked.
    [[nodiscard]] Slot& at(u32 index) const { return slots_[index & (capacity_ - 1)]; }

    /// A new handle for what `content` names; the caller counts the object's reference.
    /// OutOfMemory: the table is full.
    Result<u32> insert(const Slot& content);
    /// Empties a live slot; links were dissolved before.
    void erase(Slot& slot);

    [[nodiscard]] u32 index_of(const Slot& slot) const { return static_cast<u32>(&slot - slots_); }

    [[nodiscard]] u32 capacity() const { return capacity_; }

    /// Slots from this index on have never been used.
    [[nodiscard]] u32 touched() const { return touched_; }

    [[nodiscard]] u32 used() const { return used_; }

    [[nodiscard]] u32 free() const { return free_count_; }

    [[nodiscard]] Slot* slots() const { return slots_; }

private:
    static constexpr u32 kEnd = 0xFFFF'FFFF;

    Slot* slots_ = nullptr;
    u32 capacity_ = 0;
    u32 first_free_ = kEnd;
    u32 touched_ = 0;
    u32 used_ = 0;
    u32 free_count_ = 0;
};

/// The row that grants nothing, for slots that are no channel.
extern const ksec::Row* const kDenyRow;

}  // namespace kernel
