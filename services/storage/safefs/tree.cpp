// SPDX-License-Identifier: Apache-2.0
// Recursion is along the way to the root: at most kPathBlocks calls deep.
#include <algorithm>
#include <cstring>
#include <new>
#include <services/storage/hash.hpp>
#include <services/storage/safefs/tree.hpp>

namespace svc::storage::safefs {

namespace {

u32 root_offset(Place place) { return place.tree * u32{sizeof(BlockPointer)}; }

/// The pointer to a tree's root in an inode.
u32 offset_in_table(Place root) {
    return inode_offset(root.file) + kRootsInInode + root_offset(root);
}

}  // namespace

Root& Tree::root() {
    void* const at = cache_.data(Cache::kRootSlot);
    return *std::launder(static_cast<Root*>(at));
}

BlockPointer Tree::pointer_at(Spot spot) {
    BlockPointer pointer;
    std::memcpy(&pointer, cache_.data(spot.slot) + spot.offset, sizeof(pointer));
    return pointer;
}

void Tree::set_pointer(Spot spot, const BlockPointer& pointer) {
    std::memcpy(cache_.data(spot.slot) + spot.offset, &pointer, sizeof(pointer));
}

Result<const u8*> Tree::read(Place place) {
    TRY_VALUE(const u32 slot, slot_to_read(place));
    return slot == Cache::kNone ? nullptr : static_cast<const u8*>(cache_.data(slot));
}

Result<u8*> Tree::change(Place place) {
    TRY_VALUE(const u32 slot, slot_to_change(place));
    return cache_.data(slot);
}

Result<BlockPointer> Tree::pointer(Place place) {
    if (place.is_root() && place.file == kInodeTable) {
        return pointer_at({Cache::kRootSlot, root_offset(place)});
    }
    const Place parent = place.is_root() ? inode_block(place.file) : place.parent();
    TRY_VALUE(const u32 slot, slot_to_read(parent));
    if (slot == Cache::kNone) {
        return BlockPointer{};
    }
    return pointer_at({slot, place.is_root() ? offset_in_table(place) : place.offset_in_parent()});
}

Result<u32> Tree::slot_to_read(Place place) {
    if (const u32 slot = cache_.find(place.key()); slot != Cache::kNone) {
        return slot;
    }
    TRY_VALUE(const BlockPointer found, pointer(place));
    if (found.is_hole()) {
        return Cache::kNone;
    }
    TRY_VALUE(const u32 slot, cache_.take(place.key()));
    TRY(load(place, found, slot));
    return slot;
}

Result<void> Tree::load(Place place, const BlockPointer& pointer, u32 slot) {
    const std::span<u8> block{cache_.data(slot), kBlockBytes};
    const bool in_range = pointer.address < device_.block_count();
    Result<void> read = in_range ? device_.read(pointer.address, block) : Error::Damaged;
    if (read.ok() && checksum(place.key(), block) != pointer.checksum) {
        read = Error::Damaged;
    }
    if (!read.ok()) {
        cache_.drop(place.key());
    }
    return read;
}

Result<Tree::Spot> Tree::parent_to_change(Place place) {
    if (!place.is_root()) {
        TRY_VALUE(const u32 slot, slot_to_change(place.parent()));
        return Spot{slot, place.offset_in_parent()};
    }
    if (place.file == kInodeTable) {
        return Spot{Cache::kRootSlot, root_offset(place)};
    }
    TRY_VALUE(const u32 slot, slot_to_change(inode_block(place.file)));
    return Spot{slot, offset_in_table(place)};
}

Result<u32> Tree::slot_to_change(Place place) {
    const u32 cached = cache_.find(place.key());
    if (cached != Cache::kNone && cache_.is_dirty(cached)) {
        return cached;
    }
    TRY_VALUE(const Spot spot, parent_to_change(place));
    cache_.pin(spot.slot);
    const Result<u32> slot = load_for_change(place, spot);
    cache_.unpin(spot.slot);
    return slot;
}

Result<u32> Tree::load_for_change(Place place, Spot spot) {
    const BlockPointer old = pointer_at(spot);
    BlockPointer fresh = old;
    if (!is_new(old)) {
        fresh = {space_.take(1).first, 0, 0};
        if (fresh.is_hole()) {
            return Error::NoSpace;
        }
    }
    u32 slot = cache_.find(place.key());
    if (slot == Cache::kNone) {
        Result<u32> taken = cache_.take(place.key());
        if (taken.ok() && old.is_hole()) {
            std::memset(cache_.data(taken.value()), 0, kBlockBytes);
        } else if (taken.ok()) {
            const Result<void> loaded = load(place, old, taken.value());
            taken = loaded.ok() ? taken : Result<u32>(loaded.status());
        }
        if (!taken.ok()) {
            if (!is_new(old)) {
                space_.release(fresh.address);
            }
            return taken;
        }
        slot = taken.value();
    }
    if (!is_new(old)) {
        set_pointer(spot, fresh);
        if (!old.is_hole()) {
            space_.release(old.address);
        }
    }
    cache_.set_dirty(slot, spot.slot, spot.offset);
    return slot;
}

Result<u32> Tree::read_run(Place place, std::span<u8> data) {
    if (cache_.find(place.key()) != Cache::kNone) {
        return 0u;
    }
    TRY_VALUE(const BlockPointer first, pointer(place));
    if (first.is_hole()) {
        std::ranges::fill(data.first(kBlockBytes), 0);
        return 1u;
    }
    const u32 most = std::min({static_cast<u32>(data.size() / kBlockBytes),
                               place.is_root() ? 1 : kFanout - place.index % kFanout});
    std::array<u64, kFanout> sums;
    u32 count = 0;
    for (; count < most; ++count) {
        Place next = place;
        next.index += count;
        TRY_VALUE(const BlockPointer found, pointer(next));
        if (found.address != first.address + count ||
            (count > 0 && cache_.find(next.key()) != Cache::kNone)) {
            break;
        }
        sums[count] = found.checksum;
    }
    if (u64{first.address} + count > device_.block_count()) {
        return Error::Damaged;
    }
    TRY(device_.read(first.address, data.first(u64{count} * kBlockBytes)));
    for (u32 i = 0; i < count; ++i) {
        if (checksum(place.key() + i, data.subspan(u64{i} * kBlockBytes, kBlockBytes)) != sums[i]) {
            return Error::Damaged;
        }
    }
    return count;
}

Result<u32> Tree::write_run(Place place, std::span<const u8> data) {
    TRY_VALUE(const Spot spot, parent_to_change(place));
    const Run run = space_.take(static_cast<u32>(data.size() / kBlockBytes));
    if (run.count == 0) {
        return Error::NoSpace;
    }
    const auto blocks = data.first(u64{run.count} * kBlockBytes);
    if (const auto written = device_.write(run.first, blocks); !written.ok()) {
        for (u32 i = 0; i < run.count; ++i) {
            space_.release(run.first + i);
        }
        return written.status();
    }
    cache_.pin(spot.slot);
    for (u32 i = 0; i < run.count; ++i) {
        const Spot at{spot.slot, spot.offset + i * u32{sizeof(BlockPointer)}};
        Place next = place;
        next.index += i;
        free_block(next, pointer_at(at));
        const auto block = blocks.subspan(u64{i} * kBlockBytes, kBlockBytes);
        set_pointer(at, {run.first + i, 0, checksum(next.key(), block)});
    }
    cache_.unpin(spot.slot);
    return run.count;
}

void Tree::free_block(Place place, const BlockPointer& pointer) {
    cache_.drop(place.key());
    if (!pointer.is_hole()) {
        space_.release(pointer.address);
    }
}

Result<void> Tree::free_whole(Place place, const BlockPointer& pointer) {
    for (u32 i = 0; place.level > 0 && i < kFanout; ++i) {
        TRY_VALUE(const u8* const block, read(place));
        BlockPointer child;
        std::memcpy(&child, block + place.child(i).offset_in_parent(), sizeof(child));
        if (!child.is_hole()) {
            TRY(free_whole(place.child(i), child));
        }
    }
    free_block(place, pointer);
    return {};
}

Result<void> Tree::free_below(Place place, u64 first) {
    const u64 child_blocks = u64{1} << (kFanoutBits * (place.level - 1));
    for (u32 i = 0; i < kFanout; ++i) {
        const Place child = place.child(i);
        const u64 begin = child.index * child_blocks;
        if (begin + child_blocks <= first) {
            continue;
        }
        TRY_VALUE(const BlockPointer old, pointer(child));
        if (old.is_hole()) {
            continue;
        }
        if (begin < first) {
            TRY(free_below(child, first));
            continue;
        }
        TRY(free_whole(child, old));
        TRY_VALUE(const Spot spot, parent_to_change(child));
        set_pointer(spot, {});
    }
    return {};
}

Result<void> Tree::free_root(Place root, u64 first) {
    TRY_VALUE(const BlockPointer old, pointer(root));
    if (old.is_hole()) {
        return {};
    }
    if (first > 0) {
        return free_below(root, first);
    }
    TRY(free_whole(root, old));
    TRY_VALUE(const Spot spot, parent_to_change(root));
    set_pointer(spot, {});
    return {};
}

Result<void> Tree::free_from(u32 file, u64 first) {
    for (u32 tree = 0; tree < kTrees; ++tree) {
        if (tree_begin(tree + 1) > first) {
            const u64 in_tree = first > tree_begin(tree) ? first - tree_begin(tree) : 0;
            TRY(free_root({file, tree, tree, 0}, in_tree));
        }
    }
    return {};
}

}  // namespace svc::storage::safefs
