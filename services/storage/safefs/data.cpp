// SPDX-License-Identifier: Apache-2.0
// Contents of files. Whole blocks go straight between the caller's memory and the device, parts of
// blocks through the cache. Bytes behind the end of a file are zero in its last block.
#include <algorithm>
#include <cstring>
#include <services/storage/safefs/safefs.hpp>

namespace svc::storage::safefs {

Result<u64> SafeFs::read(Node file, u64 offset, std::span<u8> data) {
    TRY_VALUE(const Inode inode, inodes_.load(file));
    if (inode.kind == static_cast<u8>(Kind::Directory)) {
        return Error::IsADirectory;
    }
    if (offset >= inode.size) {
        return u64{0};
    }
    data = data.first(std::min<u64>(data.size(), inode.size - offset));
    u64 done = 0;
    while (done < data.size()) {
        const auto some = read_some(Inodes::number(file), offset + done, data.subspan(done));
        if (!some.ok()) {
            return done > 0 ? Result<u64>(done) : some;
        }
        done += some.value();
    }
    return done;
}

Result<u64> SafeFs::read_some(u32 file, u64 offset, std::span<u8> data) {
    const Place place = place_of(file, offset / kBlockBytes);
    const u64 begin = offset % kBlockBytes;
    if (begin == 0 && data.size() >= kBlockBytes) {
        TRY_VALUE(const u32 blocks, tree_.read_run(place, data));
        if (blocks > 0) {
            return u64{blocks} * kBlockBytes;
        }
    }
    const u64 bytes = std::min<u64>(data.size(), kBlockBytes - begin);
    TRY_VALUE(const u8* const block, tree_.read(place));
    if (block == nullptr) {
        std::memset(data.data(), 0, bytes);
    } else {
        std::memcpy(data.data(), block + begin, bytes);
    }
    return bytes;
}

Result<SafeFs::Item> SafeFs::load_file_to_change(Node node) {
    TRY_VALUE(const Inode inode, inodes_.load(node));
    if (inode.kind != static_cast<u8>(Kind::File)) {
        const bool is_directory = inode.kind == static_cast<u8>(Kind::Directory);
        return is_directory ? Error::IsADirectory : Error::Invalid;
    }
    return Item{Inodes::number(node), inode};
}

Result<u64> SafeFs::write(Node file, u64 offset, std::span<const u8> data) {
    TRY_VALUE(Item item, load_file_to_change(file));
    if (data.size() > kMaxFileBytes || offset > kMaxFileBytes - data.size()) {
        return Error::FileTooBig;
    }
    if (data.empty()) {
        return u64{0};
    }
    const s64 now = clock_.now_ns();
    const bool was_logged = !unlogged_;
    TRY_VALUE(const u64 done, write_data(item, offset, data, now));
    if (was_logged && done == data.size()) {
        log_write(file, offset, data, now);
    }
    return done;
}

void SafeFs::log_write(Node file, u64 offset, std::span<const u8> data, s64 now) {
    const LogRecord record{.inode = Inodes::number(file),
                           .life = static_cast<u32>(file.value >> 32),
                           .offset = offset,
                           .time_ns = now,
                           .bytes = static_cast<u32>(data.size())};
    if (data.size() <= kLogBytes && commit_.add_to_log(record, data)) {
        log_grew_ = true;
        unlogged_ = false;
    }
}

Result<u64> SafeFs::write_data(Item& file, u64 offset, std::span<const u8> data, s64 now) {
    u64 done = 0;
    while (done < data.size()) {
        const auto some = write_some(file, offset + done, data.subspan(done));
        if (!some.ok()) {
            return done > 0 ? Result<u64>(done) : Result<u64>(some.status());
        }
        done += some.value();
        file.inode.size = std::max(file.inode.size, offset + done);
        file.inode.modified_ns = file.inode.changed_ns = now;
        TRY(changed(store(file)));
    }
    return done;
}

Result<u64> SafeFs::write_some(Item& file, u64 offset, std::span<const u8> data) {
    const Place place = place_of(file.number, offset / kBlockBytes);
    const u64 begin = offset % kBlockBytes;
    if (begin == 0 && data.size() >= kBlockBytes) {
        const u64 together = place.is_root() ? 1 : kFanout - place.index % kFanout;
        const u64 blocks = std::min<u64>(data.size() / kBlockBytes, together);
        const auto all = write_blocks(place, data.first(blocks * kBlockBytes));
        return all.status() == Error::NoSpace ? write_blocks(place, data.first(kBlockBytes)) : all;
    }
    return write_part(place, begin, data.first(std::min(data.size(), kBlockBytes - begin)));
}

Result<u64> SafeFs::write_blocks(Place place, std::span<const u8> data) {
    TRY_VALUE(const BlockPointer old, tree_.pointer(place));
    const u64 blocks = data.size() / kBlockBytes;
    const Use use = blocks > 1 || old.is_hole() ? Use::Growing : Use::Shrinking;
    TRY(begin_change(blocks + 2 * kPathBlocks, use));
    TRY_VALUE(const u32 done, tree_.write_run(place, data));
    return u64{done} * kBlockBytes;
}

Result<u64> SafeFs::write_part(Place place, u64 offset, std::span<const u8> data) {
    TRY_VALUE(const BlockPointer old, tree_.pointer(place));
    TRY(begin_change(2 * kPathBlocks, old.is_hole() ? Use::Growing : Use::Shrinking));
    TRY_VALUE(u8* const block, tree_.change(place));
    std::memcpy(block + offset, data.data(), data.size());
    return u64{data.size()};
}

Result<void> SafeFs::truncate(Node file, u64 size) {
    TRY_VALUE(Item item, load_file_to_change(file));
    if (size > kMaxFileBytes) {
        return Error::FileTooBig;
    }
    const Use use = size > item.inode.size ? Use::Growing : Use::Shrinking;
    TRY(begin_change(3 * kPathBlocks, use));
    return changed(cut(item, size));
}

Result<void> SafeFs::cut(Item& file, u64 size) {
    if (size < file.inode.size) {
        TRY(tree_.free_from(file.number, (size + kBlockBytes - 1) / kBlockBytes));
    }
    const u64 end = size % kBlockBytes;
    if (size < file.inode.size && end > 0) {
        const Place last = place_of(file.number, size / kBlockBytes);
        TRY_VALUE(const BlockPointer pointer, tree_.pointer(last));
        if (!pointer.is_hole()) {
            TRY_VALUE(u8* const block, tree_.change(last));
            std::memset(block + end, 0, kBlockBytes - end);
        }
    }
    file.inode.size = size;
    file.inode.modified_ns = file.inode.changed_ns = clock_.now_ns();
    return store(file);
}

}  // namespace svc::storage::safefs
