// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <bit>
#include <cstring>
#include <new>
#include <services/storage/safefs/safefs.hpp>

namespace svc::storage::safefs {

namespace {

/// Cuts arrays from the memory that was handed over.
class Carver final {
public:
    explicit Carver(std::span<u8> memory) : memory_(memory) {}

    /// Empty if it does not fit.
    template <typename T> std::span<T> take(u64 count) {
        static_assert(std::is_trivially_destructible_v<T> && alignof(T) <= 8);
        const u64 bytes = (count * sizeof(T) + 7) / 8 * 8;
        if (count > memory_.size() || bytes > memory_.size()) {
            memory_ = {};
            return {};
        }
        void* const at = memory_.data();
        auto* const first = static_cast<T*>(at);
        for (u64 i = 0; i < count; ++i) {
            new (first + i) T;
        }
        memory_ = memory_.subspan(bytes);
        return {first, count};
    }

    [[nodiscard]] u64 left() const { return memory_.size(); }

private:
    std::span<u8> memory_;
};

u64 fixed_bytes(u64 blocks) {
    return Space::words(blocks) * sizeof(u64) + sizeof(CommitBlock) + kBlockBytes;
}

/// The device's size in blocks of ours, or 0 if we cannot use it.
u64 usable_blocks(const Device& device) {
    const u32 bytes = device.block_bytes();
    if (bytes < 512 || bytes > kBlockBytes || (bytes & (bytes - 1)) != 0) {
        return 0;
    }
    const u64 blocks = device.block_count() / (kBlockBytes / bytes);
    return blocks < kMinBlocks || blocks >= u64{1} << 32 ? 0 : blocks;
}

}  // namespace

u64 SafeFs::memory_bytes(const Device& device, u32 slots) {
    return fixed_bytes(usable_blocks(device)) + slots * Cache::kBytesPerSlot + 16;
}

Result<void> SafeFs::format(Device& device, const std::array<u64, 2>& seed, std::span<u8> memory) {
    const u64 blocks = usable_blocks(device);
    if (blocks == 0 || memory.size() < kBlockBytes) {
        return Error::Invalid;
    }
    BlockDevice target{device};
    std::memset(memory.data(), 0, kBlockBytes);
    Inode root;
    root.kind = static_cast<u8>(Kind::Directory);
    root.mode = 0755;
    root.links = 1;
    root.life = 1;
    root.parent = kRootDirectory;
    std::memcpy(memory.data() + inode_offset(kRootDirectory), &root, sizeof(root));
    const Place table{};
    const BlockPointer pointer{1, 0, checksum(table.key(), memory.first(kBlockBytes))};
    TRY(target.write(pointer.address, memory.first(kBlockBytes)));
    TRY(target.flush());
    auto* const block = new (memory.data()) CommitBlock;
    block->block_count = blocks;
    block->seed = seed;
    block->root.roots[0] = pointer;
    block->root.inode_count = kInodesPerBlock;
    return Commit::format(target, *block);
}

Result<void> SafeFs::mount(std::span<u8> memory) {
    BlockDevice& device = tree_.device();
    if (usable_blocks(device.raw()) == 0) {
        return Error::Invalid;
    }
    const u64 blocks = device.block_count();
    Carver carver{memory};
    const auto bitmaps = carver.take<u64>(Space::words(blocks));
    const auto commits = carver.take<CommitBlock>(1);
    const auto scratch = carver.take<u8>(kBlockBytes);
    const u64 slots = std::min<u64>(carver.left() / Cache::kBytesPerSlot, u64{1} << 20);
    if (slots < kMinSlots) {
        return Error::NoMemory;
    }
    const auto slot_memory = carver.take<Cache::Slot>(slots);
    const auto buckets = carver.take<u32>(slots);
    const auto cached = carver.take<u8>(slots * kBlockBytes);
    if (cached.empty()) {
        return Error::NoMemory;
    }
    tree_.cache().begin(slot_memory, buckets, cached);
    auto* const second = new (cached.data() + kBlockBytes) CommitBlock;
    TRY(commit_.begin(commits[0], *second));
    tree_.space().begin(static_cast<u32>(blocks), bitmaps);
    new (cached.data()) Root{commit_.block().root};
    directory_.begin(commit_.block().seed, scratch.data());
    for (u32 tree = 0; tree < kTrees; ++tree) {
        TRY(claim({kInodeTable, tree, tree, 0}, tree_.root().roots[tree]));
    }
    const auto top = inodes_.load(root());
    damaged_ = damaged_ || !top.ok() || top.value().kind != static_cast<u8>(Kind::Directory);
    if (damaged_) {
        return {};
    }
    TRY(replay_log());
    return has_orphans_ ? remove_orphans() : Result<void>{};
}

Result<void> SafeFs::claim(Place place, const BlockPointer& pointer) {
    if (pointer.is_hole()) {
        return {};
    }
    if (!tree_.space().claim(pointer.address)) {
        damaged_ = true;
        return {};
    }
    if (place.level == 0) {
        const u64 block = tree_begin(place.tree) + place.index;
        return place.file == kInodeTable ? claim_inodes(static_cast<u32>(block)) : Result<void>{};
    }
    for (u32 i = 0; i < kFanout; ++i) {
        const auto child = tree_.pointer(place.child(i));
        if (child.status() == Error::Damaged) {
            damaged_ = true;
            return {};
        }
        TRY(child);
        TRY(claim(place.child(i), child.value()));
    }
    return {};
}

Result<void> SafeFs::claim_inodes(u32 block) {
    if (block >= tree_.root().inode_count / kInodesPerBlock) {
        damaged_ = true;
        return {};
    }
    for (u32 i = 0; i < kInodesPerBlock; ++i) {
        const u32 number = block * kInodesPerBlock + i;
        const auto inode = number == 0 ? Result<Inode>(Error::Stale) : inodes_.load(number);
        if (inode.status() == Error::Stale) {
            continue;
        }
        if (inode.status() == Error::Damaged) {
            damaged_ = true;
            return {};
        }
        TRY(inode);
        has_orphans_ = has_orphans_ || inode.value().links == 0;
        for (u32 tree = 0; tree < kTrees; ++tree) {
            TRY(claim({number, tree, tree, 0}, inode.value().roots[tree]));
        }
    }
    return {};
}

Result<void> SafeFs::replay_log() {
    u32 at = 0;
    Commit::Logged logged;
    while (commit_.next_logged(at, logged)) {
        const LogRecord& record = logged.record;
        Item file{record.inode, {}};
        const auto inode = inodes_.load(Inodes::node(record.inode, record.life));
        const bool is_file = inode.ok() && inode.value().kind == static_cast<u8>(Kind::File);
        if (!is_file || record.offset > kMaxFileBytes - record.bytes) {
            damaged_ = true;
            return {};
        }
        file.inode = inode.value();
        replaying_ = true;
        const auto done = write_data(file, record.offset, logged.data, record.time_ns);
        replaying_ = false;
        if (done.ok() ? done.value() < record.bytes : done.status() != Error::Io) {
            damaged_ = true;
            return {};
        }
        TRY(done);
    }
    unlogged_ = false;
    return {};
}

Result<void> SafeFs::remove_orphans() {
    for (u32 number = kRootDirectory; number < tree_.root().inode_count; ++number) {
        Item item{number, {}};
        const auto inode = inodes_.load(number);
        if (inode.status() == Error::Stale || (inode.ok() && inode.value().links > 0)) {
            continue;
        }
        TRY(inode);
        item.inode = inode.value();
        TRY(begin_change(2 * kPathBlocks, Use::Shrinking));
        TRY(changed(delete_inode(item)));
    }
    return {};
}

}  // namespace svc::storage::safefs
