// SPDX-License-Identifier: Apache-2.0
#include <services/storage/safefs/safefs.hpp>

namespace svc::storage::safefs {

Node SafeFs::root() const { return Inodes::node(kRootDirectory, 1); }

Result<void> SafeFs::begin_change(u64 blocks, Use use) {
    if (damaged_) {
        return Error::ReadOnly;
    }
    if (failed_) {
        return Error::Io;
    }
    if (replaying_) {
        return {};  // it was made when this was done first, and a commit would end the log
    }
    const u64 needed = blocks + (use == Use::Growing ? kReserveBlocks : 0);
    const Space& space = tree_.space();
    if (space.free_count() < needed && space.pending_count() > 0) {
        TRY(commit());
    }
    return space.free_count() < needed ? Error::NoSpace : Error::None;
}

Result<void> SafeFs::changed(Result<void> result) {
    unlogged_ = true;
    failed_ = failed_ || !result.ok();
    return result;
}

Result<void> SafeFs::store(const Item& item) { return inodes_.store(item.number, item.inode); }

Result<void> SafeFs::commit() {
    TRY(tree_.cache().write_all());
    if (const auto flushed = tree_.device().flush(); !flushed.ok()) {
        failed_ = true;
        return flushed;
    }
    unlogged_ = true;
    tree_.space().close();  // before the write: even if it fails, it may come true
    TRY(commit_.write_root(tree_.root()));
    TRY(tree_.device().flush());
    commit_.confirm();
    tree_.space().commit();
    unlogged_ = false;
    log_grew_ = false;
    return {};
}

Result<void> SafeFs::sync() {
    if (failed_) {
        return Error::Io;
    }
    if (unlogged_) {
        return commit();
    }
    if (!log_grew_) {
        return {};
    }
    TRY(commit_.write_log());
    if (const auto flushed = tree_.device().flush(); !flushed.ok()) {
        failed_ = true;
        return flushed;
    }
    commit_.confirm();
    log_grew_ = false;
    return {};
}

Result<void> SafeFs::sync(Node) { return sync(); }

Result<Usage> SafeFs::statfs() {
    const Space& space = tree_.space();
    const u64 free = u64{space.free_count()} + space.pending_count();
    return Usage{.block_bytes = kBlockBytes,
                 .blocks = tree_.device().block_count(),
                 .free_blocks = free,
                 .available_blocks = free < kReserveBlocks ? 0 : free - kReserveBlocks,
                 .read_only = damaged_ || failed_};
}

Result<Attributes> SafeFs::stat(Node node) {
    TRY_VALUE(const Inode inode, inodes_.load(node));
    return Attributes{.number = Inodes::number(node),
                      .kind = static_cast<Kind>(inode.kind),
                      .mode = inode.mode,
                      .owner = inode.owner,
                      .group = inode.group,
                      .links = inode.links,
                      .size = inode.size,
                      .accessed_ns = inode.accessed_ns,
                      .modified_ns = inode.modified_ns,
                      .changed_ns = inode.changed_ns};
}

Result<void> SafeFs::set_attributes(Node node, const AttributeChange& change) {
    Item item{Inodes::number(node), {}};
    TRY_VALUE(item.inode, inodes_.load(node));
    TRY(begin_change(kPathBlocks, Use::Shrinking));
    change.apply(item.inode);
    item.inode.changed_ns = clock_.now_ns();
    return changed(store(item));
}

}  // namespace svc::storage::safefs
