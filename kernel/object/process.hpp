// SPDX-License-Identifier: Apache-2.0
// A process: one address space, one handle table, one budget, its threads. Everything made on its
// behalf is charged here and given back when it ends. An ended process is taken apart in bounded
// steps (kernel/control/teardown) and stays as a shell until the last handle to it is closed.
#pragma once

#include <arch/page_table.hpp>
#include <kernel/base/list.hpp>
#include <kernel/base/parts.hpp>
#include <kernel/mem/frames.hpp>
#include <kernel/mem/pool.hpp>
#include <kernel/object/handle_table.hpp>
#include <kernel/object/thread_set.hpp>
#include <kernel/time/timer_queue.hpp>

namespace kernel {

struct Endpoint;
struct Thread;
struct MemoryObject;

inline constexpr u32 kMaxProcesses = 64;
inline constexpr u32 kMaxRegions = 2048;
inline constexpr u32 kMaxMemoryObjects = 512;
inline constexpr u32 kMaxDeviceRanges = 128;
inline constexpr u32 kRegionsPerProcess = 128;
inline constexpr u32 kThreadsPerProcess = 64;
inline constexpr u32 kHandlesPerProcess = 256;
inline constexpr u32 kHandleTableOrder = 2;  // 256 slots of 64 bytes
inline constexpr u32 kUserObjects = 1024;
inline constexpr u32 kUserObjectsPerProcess = 256;  // badges included
inline constexpr u32 kNameBytes = 64;
inline constexpr u32 kPathBytes = 256;

static_assert((base::kPageSize << kHandleTableOrder) == kHandlesPerProcess * sizeof(Slot));

/// Memory that can be mapped in several processes. Its frames are listed in index frames, so it
/// needs no contiguous memory, or are one block. All of it is charged to its creator until it is
/// destroyed.
struct MemoryObject {
    static constexpr SlotType kType = SlotType::Memory;
    static constexpr u32 kIndexFrames = 8;
    static constexpr u32 kMaxPages = kIndexFrames * 512;  // 16 MiB

    u32 references = 0;  // handles and mappings
    u32 page_count = 0;  // committed so far while being built or taken apart
    Sid sid{};
    Process* owner = nullptr;  // who pays; null once that process is gone
    u32 writable_mappings = 0;
    u32 executable_mappings = 0;
    PhysAddr index[kIndexFrames]{};
    PhysAddr block{};          // 0: none
    bool is_uncached = false;  // however it is mapped
    base::ListNode owner_node;
    base::ListNode dying_node;

    [[nodiscard]] PhysAddr frame(u32 page) const;
};

/// A range of device registers that EL0 may be given, as kl.core.IO registered it.
struct DeviceRange {
    static constexpr SlotType kType = SlotType::Mmio;

    u32 references = 0;
    u32 reserved = 0;
    Sid sid{};
    PhysAddr base{};
    Bytes size{};
};

/// What a process made for its clients: an object of its own kind, or a badge. It cannot be used
/// any more once its owner has ended: SIDs are never used again.
struct UserObject {
    static constexpr SlotType kType = SlotType::User;

    u32 references = 0;  // handles; of a badge also those handed on with it
    u32 carriers = 0;    // badge: handles that were handed on with it, and their copies
    Sid sid{};
    Sid owner{};
    u32 owner_index = 0;
    u32 handle = 0;  // the owner's own
    u64 context = 0;
    Endpoint* channel = nullptr;  // where a Call goes; null: it cannot be called
    u32 life = 0;                 // of the channel, then
    u16 endpoint = 0;             // the one that can be called
    bool is_revoked = false;      // badge: nothing is handed on with it any more
};

enum class RegionKind : u8 { Anonymous, Memory, Device };

/// A range of one address space, mapped or (anonymous ones, page by page) only reserved; regions of
/// a process never overlap.
struct Region {
    VirtAddr base{};
    PageCount pages{};
    RegionKind kind = RegionKind::Anonymous;
    bool writable = false;
    bool executable = false;
    void* object = nullptr;  // MemoryObject or DeviceRange
    u32 first_page = 0;      // of the memory object
    u32 serial = 0;          // tells a region from an earlier one at the same address
    bool leaving = false;    // being unmapped: nothing is mapped into it any more
    u32 changes = 0;         // of single pages, by number
    base::ListNode node;
};

/// How much time the threads of a process may run in each period, at their own priorities: beyond
/// that they run at priority 0 until the period is over. A period begins when the process first
/// runs after the last. What was used too much is missing in the next.
struct CpuBudget {
    Ticks amount{};  // 0: unlimited
    Ticks period{};
    u64 end = 0;      // value of Process::cpu_ticks at which it is used up
    Ticks renewal{};  // end of the period; 0: the next has not begun
    bool is_spent = false;
    u32 cursor = kMaxThreads;  // threads from here on have not been told whether it is
    Timer timer{.use = TimerUse::Budget};
};

/// Kept: its threads, handles and channels are gone, registers and memory are there for inspection.
enum class ProcessState : u32 { Building = 0, Running = 1, Ending = 2, Kept = 3, Ended = 4 };

enum class EndReason : u32 { Exit = 0, Terminated = 1, Fault = 2 };

struct ExitInfo {
    EndReason reason = EndReason::Exit;
    base::s32 code = 0;
    u64 address = 0;
    u64 pc = 0;
};

struct Process {
    static constexpr SlotType kType = SlotType::Task;

    u32 references = 0;
    ProcessState state = ProcessState::Building;
    Sid sid{};
    u16 class_id = ksec::kNoClass;
    u16 reserved = 0;
    u32 priority = 0;  // highest its threads may have
    arch::PageTable table{};
    u64 pointer_key[2]{};  // signs its return addresses, where the CPU can
    u64 map_base = 0;      // where the kernel begins to look for room
    HandleTable handles{};
    PhysAddr handle_memory{};
    u64 budget_pages = 0;
    u64 used_pages = 0;
    u32 region_count = 0;
    ThreadSet threads;                          // those not yet given back, in whatever state
    base::List<Region, &Region::node> regions;  // by address
    base::List<MemoryObject, &MemoryObject::owner_node> owned_memory;
    Endpoint* port = nullptr;  // the server name this life is bound to
    ExitInfo exit{};
    u64 cpu_ticks = 0;
    CpuBudget cpu_budget{};
    // the first thread, until Resume
    u64 entry = 0;
    u64 stack = 0;
    u64 argument = 0;
    u64 environment = 0;  // where its arguments and environment are mapped; 0: nowhere
    u64 environment_size = 0;
    u32 first_priority = 0;
    u32 first_policy = 0;  // as kl.core.Thread.SetSchedPolicy
    u32 first_slice_us = 0;
    u32 user_object_count = 0;   // that it made and that are still there
    u32 subscription_count = 0;  // of its listeners and notices
    u32 teardown_phase = 0;
    u32 teardown_cursor = 0;
    bool keeps_remains = false;   // after a fault
    u64 cpu_entries[kMaxCpus]{};  // entry counts of the CPUs that ran it when it ended
    base::ListNode reaper_node;
    alignas(u64) char name[kNameBytes]{};
    char path[kPathBytes]{};  // of its program, as its parent said

    /// Takes `pages` from the budget. OutOfMemory.
    Result<void> charge(u64 pages);
    void uncharge(u64 pages);
    /// 2^order contiguous frames, charged, not cleared. OutOfMemory.
    Result<PhysAddr> take_block(u32 order);
    /// A cleared frame, charged. OutOfMemory.
    Result<PhysAddr> take_frame();
    void give_frame(PhysAddr frame);
};

static_assert(arch::FrameSource<Process>);

struct ObjectPools {
    Pool<Process, kMaxProcesses> processes;
    Pool<Region, kMaxRegions> regions;
    Pool<MemoryObject, kMaxMemoryObjects> memory_objects;
    Pool<DeviceRange, kMaxDeviceRanges> device_ranges;
    Pool<UserObject, kUserObjects> user_objects;
    base::List<MemoryObject, &MemoryObject::dying_node> dying_memory;  // for the reaper
    base::List<Process, &Process::reaper_node> ending;
    bool has_remains = false;  // there may be work for the reaper
    u64 last_sid = 0;
    u32 last_region = 0;

    Sid next_sid() { return Sid{++last_sid}; }
};

inline ObjectPools& objects() { return *g_parts.objects; }

/// Whether two names are the same, each in kNameBytes, aligned as a u64, zero behind its end.
/// O(kNameBytes).
bool is_same_name(const char* a, const char* b);

/// The slot's reference for derivation links.
SlotRef slot_ref(const Process& process, const Slot& slot);
/// The slot and its process behind a reference; the reference is live by construction.
Slot& slot_at(SlotRef ref);
Process& process_at(SlotRef ref);

/// Inserts a handle and links it below `parent` (kNoSlot: a root). OutOfMemory.
Result<u32> insert_handle(Process& process, const Slot& content);
/// Moves a slot, with all below it, from its place in the derivation tree to below `parent`
/// (kNoSlot: it becomes a root). O(1).
void move_slot(SlotRef self, SlotRef parent);

/// The object behind a SID has ended: ksec forgets it, who subscribed to it hears of it. Defined in
/// kernel/ipc.
void end_object(Sid sid);

/// An object or badge that `owner` makes, without a handle as yet. OutOfMemory: it has
/// kUserObjectsPerProcess, or all have all.
Result<UserObject&> create_user_object(Process& owner, u64 context);

/// The slot of a handle, of this type unless that is Free. BadHandle, WrongType, NoCapability.
inline Result<Slot&>
find_slot(Process& process, u32 handle, u32 needed_rights, SlotType type = SlotType::Free) {
    Slot* slot = process.handles.find(handle);
    if (slot == nullptr) {
        return Status::BadHandle;
    }
    if (type != SlotType::Free && slot->type != type) {
        return Status::WrongType;
    }
    const bool is_enough = (slot->rights & needed_rights) == needed_rights;
    return is_enough ? Result<Slot&>{*slot} : Status::NoCapability;
}

/// The slot of a sync object, which is all there is of it. BadHandle, WrongType.
inline Result<Slot&> find_sync(Process& process, u32 handle) {
    return find_slot(process, handle, 0, SlotType::Sync);
}

/// The object of type T behind `handle`. BadHandle, WrongType, NoCapability.
template <typename T>
Result<T&> resolve(Process& process, u32 handle, u32 needed_rights, SlotType type = T::kType) {
    TRY_VALUE(const Slot& slot, find_slot(process, handle, needed_rights, type));
    return *static_cast<T*>(slot.object);
}

}  // namespace kernel
