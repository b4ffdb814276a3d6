// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstring>
#include <services/storage/safefs/check.hpp>

namespace svc::storage::safefs {

void Checker::problem(u32 inode, const char* what) {
    if (report_.problems++ == 0) {
        report_.first_inode = inode;
        report_.first = what;
    }
}

Result<const u8*> Checker::read(Place place) {
    const auto block = fs_.tree_.read(place);
    if (block.status() == Error::Damaged) {
        problem(place.file, "a block fails its checksum");
        return nullptr;
    }
    return block;
}

Result<CheckReport> Checker::run() {
    const u32 count = inode_count(fs_);
    if (references_.size() < count) {
        return Error::NoMemory;
    }
    std::ranges::fill(references_, 0);
    if (fs_.damaged_) {
        problem(0, "the mount found pointers or metadata damaged");
    }
    for (u32 tree = 0; tree < kTrees; ++tree) {
        TRY(check_blocks({kInodeTable, tree, tree, 0}, {}));
    }
    for (u32 number = kRootDirectory; number < count; ++number) {
        const auto inode = fs_.inodes_.load(number);
        if (inode.status() == Error::Damaged) {
            problem(number, "an inode makes no sense");
        } else if (inode.status() != Error::Stale) {
            TRY(inode);
            TRY(check_inode(number, inode.value()));
        }
    }
    for (u32 number = kRootDirectory; number < count; ++number) {
        const auto inode = fs_.inodes_.load(number);
        const u32 links = inode.ok() && number != kRootDirectory ? inode.value().links : 0;
        if (references_[number] != links) {
            problem(number, "the number of names is not the number of links");
        }
        if (inode.ok() && inode.value().kind == static_cast<u8>(Kind::Directory)) {
            TRY(check_way_up(number));
        }
    }
    const Space& space = fs_.tree_.space();
    const u64 taken =
        fs_.tree_.device().block_count() - 2 - space.free_count() - space.pending_count();
    if (!fs_.damaged_ && taken != report_.blocks) {
        problem(0, "blocks that are taken are not those of the tree");
    }
    return report_;
}

Result<void> Checker::check_inode(u32 number, const Inode& inode) {
    for (u32 tree = 0; tree < kTrees; ++tree) {
        TRY(check_blocks({number, tree, tree, 0}, inode));
    }
    if (inode.kind != static_cast<u8>(Kind::Directory)) {
        ++report_.files;
        return {};
    }
    ++report_.directories;
    if (inode.links > 1) {
        problem(number, "a directory with several links");
    }
    return check_directory(number, inode);
}

Result<void> Checker::check_blocks(Place place, const Inode& inode) {
    TRY_VALUE(const u8* const block, read(place));
    if (block == nullptr) {
        return {};
    }
    ++report_.blocks;
    if (place.level == 0) {
        return check_data(place, block, inode);
    }
    for (u32 i = 0; i < kFanout; ++i) {
        TRY_VALUE(const u8* const again, read(place));
        BlockPointer child;
        if (again != nullptr) {
            std::memcpy(&child, again + place.child(i).offset_in_parent(), sizeof(child));
        }
        if (!child.is_hole()) {
            TRY(check_blocks(place.child(i), inode));
        }
    }
    return {};
}

Result<void> Checker::check_data(Place place, const u8* block, const Inode& inode) {
    if (place.file == kInodeTable) {
        return {};
    }
    const u64 begin = (tree_begin(place.tree) + place.index) * kBlockBytes;
    if (begin >= inode.size) {
        problem(place.file, "a block behind the end");
    } else if (inode.size - begin < kBlockBytes) {
        const auto rest = std::span{block, kBlockBytes}.subspan(inode.size - begin);
        if (std::ranges::any_of(rest, [](u8 byte) { return byte != 0; })) {
            problem(place.file, "bytes behind the end");
        }
    }
    return {};
}

Result<void> Checker::check_directory(u32 number, const Inode& inode) {
    u32 entries = 0;
    for (u64 bucket = 0; bucket < inode.size / kBlockBytes; ++bucket) {
        TRY(check_bucket(number, inode, bucket, entries));
    }
    if (entries != inode.entries) {
        problem(number, "a wrong number of entries");
    }
    return {};
}

Result<void> Checker::check_bucket(u32 number, const Inode& inode, u64 bucket, u32& entries) {
    std::array<u8, kBlockBytes> copy;
    TRY_VALUE(const u8* const block, read(place_of(number, bucket)));
    if (block == nullptr) {
        return {};
    }
    std::memcpy(copy.data(), block, kBlockBytes);
    BucketReader reader{copy.data()};
    for (Entry entry; reader.next(entry); ++entries) {
        TRY(check_entry(number, inode, bucket, entry));
    }
    if (reader.is_malformed()) {
        problem(number, "a malformed bucket");
    }
    return {};
}

Result<void> Checker::check_entry(u32 number, const Inode& inode, u64 bucket, const Entry& entry) {
    const bool is_its_hash = entry.hash == hash_name(fs_.commit_.block().seed, entry.name);
    if (!is_its_hash || fs_.directory_.bucket_of(number, inode, entry.hash).key() !=
                            place_of(number, bucket).key()) {
        problem(number, "a name in the wrong place");
    }
    const auto target = fs_.inodes_.load(entry.inode);
    if (target.status() == Error::Stale || target.status() == Error::Damaged) {
        problem(number, "a name of nothing");
        return {};
    }
    TRY(target);
    if (target.value().kind != static_cast<u8>(entry.kind)) {
        problem(number, "a name that tells another kind");
    }
    if (entry.kind == Kind::Directory && target.value().parent != number) {
        problem(entry.inode, "a directory that has another parent");
    }
    ++references_[entry.inode];
    return {};
}

Result<void> Checker::check_way_up(u32 number) {
    u32 steps = 0;
    while (number != kRootDirectory && steps++ < references_.size()) {
        const auto inode = fs_.inodes_.load(number);
        if (!inode.ok() || inode.value().links == 0) {
            return {};  // deleted and still in use, or a problem that was told
        }
        number = inode.value().parent;
    }
    if (number != kRootDirectory) {
        problem(number, "a circle of directories");
    }
    return {};
}

}  // namespace svc::storage::safefs
