// SPDX-License-Identifier: Apache-2.0
// Address spaces as regions, and memory objects. Long operations are steps: each maps, unmaps or
// commits at most kPagesPerStep pages and says how far it got.
#pragma once

#include <kernel/object/process.hpp>

namespace kernel {

inline constexpr u32 kPagesPerStep = 4;
inline constexpr u64 kUserLimit = u64{1} << 39;
inline constexpr u64 kUserMinimum = 0x1'0000;    // the first 64 KiB stay unmapped
inline constexpr u64 kMapBase = 0x20'0000'0000;  // where the kernel chooses addresses, at least
inline constexpr u64 kMapChoice = u64{1} << 38;  // how far above a process may begin
inline constexpr u64 kMaxMapping = u64{1} << 34;

/// Whether [at, at+size) is page aligned, not empty, and inside the user half.
bool is_user_range(u64 at, u64 size);

/// Where a process's maps begin: one of 2^25 places, from a random number. Each lies in the first
/// half of what one table of pages maps, so that small maps need just the one.
constexpr u64 choose_map_base(u64 random) {
    constexpr u64 kTableReach = u64{1} << 21;
    return kMapBase + (random & (kMapChoice - 1) & ~(kTableReach / 2) & ~(base::kPageSize - 1));
}

/// The first region with one of `size` bytes from `at` on, or null. O(regions of the process).
Region* find_region(Process& process, VirtAddr at, u64 size = 1);
/// The anonymous region that holds all of a range and is not being unmapped. InvalidArgument.
Result<Region&> find_anonymous(Process& process, u64 address, u64 size);

struct RegionRequest {
    u64 address = 0;  // 0: the kernel chooses
    u64 size = 0;
    RegionKind kind = RegionKind::Anonymous;
    bool writable = false;
    bool executable = false;
    void* object = nullptr;
    u32 first_page = 0;
};

/// Reserves address space for a mapping; nothing is mapped yet. InvalidArgument, AlreadyExists,
/// OutOfMemory.
Result<Region&> reserve_region(Process& process, const RegionRequest& request);

/// Access of a region's pages as it was mapped.
arch::Access access_of(const Region& region);
/// Maps one page of a region. Anonymous pages are taken cleared and charged. AlreadyExists,
/// OutOfMemory.
Result<void> map_page(Process& process, const Region& region, u64 page, arch::Access access);
/// Maps the next pages of a region from page `done` on; returns pages done now. As map_page.
Result<u32> map_region_step(Process& process, Region& region, u32 done, arch::Access access);
/// Unmaps the last of `pages` pages of a region from `from` on, those that are there, at most
/// kPagesPerStep, and gives anonymous ones back. True: `pages` is 0. Tables that are missing cost a
/// step of one page each.
bool drop_pages_step(Process& process, const Region& region, u64 from, u64& pages);
/// Unmaps the last pages of a region, at most kPagesPerStep, and gives anonymous ones back. True:
/// the region is gone.
bool unmap_region_step(Process& process, Region& region);

/// Moves pages of ordinary writable memory of `from`, and what they cost, to an empty place in
/// memory of `to` that is reserved for such: up to `count`, at most kMovedPerStep, and none from
/// the first that is not as said on. Returns how many moved.
u32 move_pages(Process& from, UserAddr at, Process& to, UserAddr target, u32 count);
inline constexpr u32 kMovedPerStep = 64;

/// An empty memory object of `pages` pages, owned by `owner`. InvalidArgument (0 or too large),
/// OutOfMemory.
Result<MemoryObject&> create_memory(Process& owner);
/// Commits further pages, cleared and charged; `goal` is the final count. Returns the count now.
Result<u32> grow_memory_step(MemoryObject& memory, u32 goal);
/// The same for 2^order contiguous pages, committed at once and cleared from page `done` on, also
/// where no cache is asked; returns pages cleared now. OutOfMemory.
Result<u32> grow_block_step(MemoryObject& memory, u32 order, u32 done);
/// Makes an anonymous region's next pages, from `done` on, pages of an empty memory object, which
/// is charged for the list only; returns pages done now. All have the same access, and the region
/// stays as it is: become_memory makes it the object's. InvalidArgument (not there, or of another
/// access), OutOfMemory.
Result<u32> list_region_step(MemoryObject& memory, Region& region, u32 done);
/// The end of that: the pages are the object's, and the region maps it. O(1).
void become_memory(MemoryObject& memory, Region& region);
/// Gives back frames, at most kPagesPerStep; true: the object is gone.
bool shrink_memory_step(MemoryObject& memory);
/// Drops a reference; the last one queues the object for the reaper.
void release_memory(MemoryObject& memory);
/// Drops a reference to a device range; the last one frees it for registration.
void release_device(DeviceRange& range);
/// Forgets the owner: its budget gets the pages back, nobody pays from here on.
void disown_memory(MemoryObject& memory);

}  // namespace kernel
