// SPDX-License-Identifier: Apache-2.0
#include <arch/inline.hpp>
#include <kernel/object/memory.hpp>

namespace kernel {

namespace {

constexpr u64 kGuard = base::kPageSize;  // left free behind every region the kernel places
constexpr u32 kListedPerStep = 64;

u64 end_of(const Region& region) { return region.base.value + region.pages.bytes().value; }

bool overlaps(const Region& region, u64 at, u64 size) {
    return at < end_of(region) && region.base.value < at + size;
}

/// The lowest address from process.map_base on with room for `size` bytes and a guard page on both
/// sides.
Result<u64> choose_address(const Process& process, u64 size) {
    u64 at = process.map_base;
    for (const Region& region : process.regions) {
        if (end_of(region) <= at) {
            continue;
        }
        if (at + size + kGuard <= region.base.value) {
            break;
        }
        at = end_of(region) + kGuard;
    }
    if (at + size > kUserLimit) {
        return Status::OutOfMemory;
    }
    return at;
}

void insert_by_address(Process& process, Region& region) {
    Region* after = process.regions.back();
    while (after != nullptr && after->base > region.base) {
        after = process.regions.previous(*after);
    }
    if (after == nullptr) {
        process.regions.push_front(region);
    } else {
        process.regions.insert_after(*after, region);
    }
}

void count_mapping(const Region& region, bool adding) {
    if (region.kind == RegionKind::Device) {
        auto& range = *static_cast<DeviceRange*>(region.object);
        if (adding) {
            ++range.references;
        } else {
            release_device(range);
        }
    }
    if (region.kind != RegionKind::Memory) {
        return;
    }
    auto& memory = *static_cast<MemoryObject*>(region.object);
    const u32 one = adding ? 1 : ~u32{0};
    memory.references += adding ? 1 : 0;
    memory.writable_mappings += region.writable ? one : 0;
    memory.executable_mappings += region.executable ? one : 0;
    if (!adding) {
        release_memory(memory);
    }
}

/// Where the frame of a page is listed. The frame of the list is charged. OutOfMemory.
Result<PhysAddr&> list_entry(MemoryObject& memory, u32 page) {
    PhysAddr& index = memory.index[page / 512];
    if (index.value == 0) {
        TRY_VALUE(index, memory.owner->take_frame());
    }
    return arch::linear<PhysAddr>(index)[page % 512];
}

}  // namespace

bool is_user_range(u64 at, u64 size) {
    return at % base::kPageSize == 0 && size % base::kPageSize == 0 && size > 0 &&
           size <= kMaxMapping && at >= kUserMinimum && at <= kUserLimit - size;
}

Region* find_region(Process& process, VirtAddr at, u64 size) {
    for (Region& region : process.regions) {
        if (overlaps(region, at.value, size)) {
            return &region;
        }
    }
    return nullptr;
}

Result<Region&> reserve_region(Process& process, const RegionRequest& request) {
    const bool is_anywhere = request.address == 0;
    u64 address = is_anywhere ? kMapBase : request.address;
    if (!is_user_range(address, request.size) || (request.writable && request.executable)) {
        return Status::InvalidArgument;
    }
    if (is_anywhere) {
        TRY_VALUE(address, choose_address(process, request.size));
    } else if (find_region(process, VirtAddr{address}, request.size) != nullptr) {
        return Status::AlreadyExists;
    }
    Region* region = process.region_count < kRegionsPerProcess ? objects().regions.take() : nullptr;
    if (region == nullptr) {
        return Status::OutOfMemory;
    }
    region->base = VirtAddr{address};
    region->pages = base::pages_for(Bytes{request.size});
    region->kind = request.kind;
    region->writable = request.writable;
    region->executable = request.executable;
    region->object = request.object;
    region->first_page = request.first_page;
    region->serial = ++objects().last_region;
    ++process.region_count;
    insert_by_address(process, *region);
    count_mapping(*region, true);
    return *region;
}

Result<Region&> find_anonymous(Process& process, u64 address, u64 size) {
    Region* region =
        is_user_range(address, size) ? find_region(process, VirtAddr{address}) : nullptr;
    if (region == nullptr || region->kind != RegionKind::Anonymous || region->leaving ||
        address + size > end_of(*region)) {
        return Status::InvalidArgument;
    }
    return *region;
}

arch::Access access_of(const Region& region) {
    arch::Access access{};
    access.read = true;
    access.write = region.writable;
    access.execute = region.executable;
    access.device = region.kind == RegionKind::Device;
    access.uncached = region.kind == RegionKind::Memory &&
                      static_cast<const MemoryObject*>(region.object)->is_uncached;
    return access;
}

Result<void> map_page(Process& process, const Region& region, u64 page, arch::Access access) {
    PhysAddr frame{};
    switch (region.kind) {
    case RegionKind::Anonymous: {
        TRY_VALUE(frame, process.take_frame());
        break;
    }
    case RegionKind::Memory:
        frame = static_cast<MemoryObject*>(region.object)
                    ->frame(region.first_page + static_cast<u32>(page));
        break;
    case RegionKind::Device:
        frame = static_cast<DeviceRange*>(region.object)->base + PageCount{page}.bytes();
        break;
    }
    if (access.execute) {
        arch::sync_code(frame);
    }
    const auto mapped =
        process.table.map(region.base + PageCount{page}.bytes(), frame, access, process);
    if (!mapped.ok() && region.kind == RegionKind::Anonymous) {
        process.give_frame(frame);
    }
    return mapped;
}

Result<u32> map_region_step(Process& process, Region& region, u32 done, arch::Access access) {
    const u32 goal = static_cast<u32>(region.pages.value);
    KASSERT(done <= goal);
    const u32 stop = goal - done < kPagesPerStep ? goal : done + kPagesPerStep;
    for (; done < stop; ++done) {
        TRY(map_page(process, region, done, access));
    }
    return done;
}

bool drop_pages_step(Process& process, const Region& region, u64 from, u64& pages) {
    for (u32 count = 0; count < kPagesPerStep && pages > 0; ++count) {
        const VirtAddr at{from + (pages - 1) * base::kPageSize};
        const auto frame = process.table.unmap(at);
        if (frame.ok() && region.kind == RegionKind::Anonymous) {
            process.give_frame(frame.value());
        }
        const u64 free = frame.ok() ? 1 : process.table.gap_below(at);
        pages -= free < pages ? free : pages;
    }
    return pages == 0;
}

bool unmap_region_step(Process& process, Region& region) {
    region.leaving = true;
    if (!drop_pages_step(process, region, region.base.value, region.pages.value)) {
        return false;
    }
    count_mapping(region, false);
    region.node.unlink();
    --process.region_count;
    objects().regions.give(region);
    return true;
}

u32 move_pages(Process& from, UserAddr at, Process& to, UserAddr target, u32 count) {
    count = count < kMovedPerStep ? count : kMovedPerStep;
    const u64 size = PageCount{count}.bytes().value;
    const auto left = find_anonymous(from, at.value, size);
    const auto entered = find_anonymous(to, target.value, size);
    if (!left.ok() || !entered.ok() || !to.charge(count).ok()) {
        return 0;
    }
    ++left.value().changes;
    ++entered.value().changes;
    const VirtAddr source{at.value};
    const u32 moved = from.table.move_pages(source, to.table, VirtAddr{target.value}, count, to);
    to.uncharge(count - moved);
    from.uncharge(moved);
    return moved;
}

Result<MemoryObject&> create_memory(Process& owner) {
    MemoryObject* memory = objects().memory_objects.take();
    if (memory == nullptr) {
        return Status::OutOfMemory;
    }
    memory->sid = objects().next_sid();
    memory->owner = &owner;
    owner.owned_memory.push_back(*memory);
    return *memory;
}

Result<u32> grow_memory_step(MemoryObject& memory, u32 goal) {
    const u32 left = goal - memory.page_count;
    const u32 stop = memory.page_count + (left < kPagesPerStep ? left : kPagesPerStep);
    while (memory.page_count < stop) {
        TRY_VALUE(PhysAddr & entry, list_entry(memory, memory.page_count));
        TRY_VALUE(entry, memory.owner->take_frame());
        ++memory.page_count;
    }
    return memory.page_count;
}

Result<u32> grow_block_step(MemoryObject& memory, u32 order, u32 done) {
    const u32 goal = 1u << order;
    if (memory.page_count == 0) {
        TRY_VALUE(memory.block, memory.owner->take_block(order));
        memory.page_count = goal;
    }
    // The kernel's own view of them stays cached: it does not look again before they are free.
    for (const u32 stop = done + kPagesPerStep; done < goal && done < stop; ++done) {
        arch::zero_frame(memory.frame(done));
        arch::flush_frame(memory.frame(done));
    }
    return done;
}

Result<u32> list_region_step(MemoryObject& memory, Region& region, u32 done) {
    const u32 left = static_cast<u32>(region.pages.value) - done;
    for (const u32 stop = done + (left < kListedPerStep ? left : kListedPerStep); done < stop;
         ++done) {
        const auto page = memory.owner->table.look_up(region.base + PageCount{done}.bytes());
        if (!page.ok()) {
            return Status::InvalidArgument;
        }
        const arch::Access access = page.value().access;
        if (done == 0) {
            region.writable = access.write;
            region.executable = access.execute;
        }
        if (!access.read || access.write != region.writable ||
            access.execute != region.executable) {
            return Status::InvalidArgument;
        }
        TRY_VALUE(PhysAddr & entry, list_entry(memory, done));
        entry = page.value().frame;
    }
    return done;
}

void become_memory(MemoryObject& memory, Region& region) {
    memory.page_count = static_cast<u32>(region.pages.value);
    region.kind = RegionKind::Memory;
    region.object = &memory;
    region.first_page = 0;
    count_mapping(region, true);
}

bool shrink_memory_step(MemoryObject& memory) {
    const auto give = [&memory](PhysAddr frame) {
        frames().give(frame, 0);
        if (memory.owner != nullptr) {
            memory.owner->uncharge(1);
        }
    };
    for (u32 count = 0; count < kPagesPerStep && memory.page_count > 0; ++count) {
        give(memory.frame(memory.page_count - 1));
        --memory.page_count;
    }
    if (memory.page_count > 0) {
        return false;
    }
    for (PhysAddr& index : memory.index) {
        if (index.value != 0) {
            give(index);
            index = PhysAddr{};
        }
    }
    memory.owner_node.unlink();
    memory.dying_node.unlink();
    end_object(memory.sid);
    objects().memory_objects.give(memory);
    return true;
}

void release_memory(MemoryObject& memory) {
    if (--memory.references == 0) {
        objects().dying_memory.push_back(memory);
        objects().has_remains = true;
    }
}

void release_device(DeviceRange& range) {
    if (--range.references == 0) {
        end_object(range.sid);
        objects().device_ranges.give(range);
    }
}

void disown_memory(MemoryObject& memory) {
    u64 held = memory.page_count;
    for (const PhysAddr& index : memory.index) {
        held += index.value != 0 ? 1 : 0;
    }
    memory.owner->uncharge(held);
    memory.owner = nullptr;
    memory.owner_node.unlink();
}

}  // namespace kernel
