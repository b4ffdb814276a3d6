// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <services/storage/fat/fat.hpp>

namespace svc::storage::fat {

Result<Fat::Item> Fat::load(Node node) {
    Item item{.node = node};
    if (node.value == kRoot) {
        item.entry.raw[11] = kDirectoryBit;
        item.entry.set_cluster(volume_.root_directory());
        return item;
    }
    const Nodes::Known* const known = nodes_.find(node);
    if (known != nullptr && known->at == 0) {
        item.entry = known->entry;
        return item;
    }
    item.at = known != nullptr ? known->at : Nodes::place(node);
    const bool is_inside =
        item.at >= volume_.data_at || (volume_.bits != 32 && item.at >= volume_.root_at);
    if (!is_inside || item.at >= volume_.end) {
        return Error::Stale;
    }
    TRY_VALUE(const u8* const raw, cache_.read(item.at));
    std::memcpy(item.entry.raw.data(), raw, kEntryBytes);
    const bool is_live = raw[0] != 0 && raw[0] != kDeleted && (raw[11] & kLabelBit) == 0;
    if (!is_live || (known == nullptr && !(Nodes::make(item.at, item.entry) == node))) {
        return Error::Stale;
    }
    return item;
}

Result<void> Fat::store(const Item& item) {
    if (item.at == 0) {
        if (Nodes::Known* const known = nodes_.find(item.node); known != nullptr) {
            known->entry = item.entry;
        }
        return {};
    }
    TRY_VALUE(u8* const raw, cache_.change(item.at, Rank::Entry));
    std::memcpy(raw, item.entry.raw.data(), kEntryBytes);
    return {};
}

Result<void> Fat::begin_change() {
    if (options_.read_only || damaged_) {
        return Error::ReadOnly;
    }
    if (cache_.has_lost()) {
        return Error::Io;
    }
    if (pending_count_ + 8 > pending_.size()) {  // what one operation adds
        TRY(settle());
    }
    if (!is_marked_) {
        TRY(mark(Table::Mark::Dirty));
        TRY(cache_.commit());
        is_marked_ = true;
    }
    return {};
}

Result<void> Fat::changed(Result<void> result) {
    if (!result.ok()) {
        cache_.give_up();
    }
    return result;
}

Result<void> Fat::mark(Table::Mark mark) {
    if (volume_.state_at != 0) {
        TRY_VALUE(u8* const state, cache_.change(volume_.state_at, Rank::Table));
        *state = static_cast<u8>(mark == Table::Mark::Dirty ? *state | 1 : *state & ~1);
    }
    return table_.set_mark(mark);
}

Result<void> Fat::settle() {
    TRY(cache_.commit());
    // In the order in which they came: a chain may have been cut before it was given up.
    for (u32 i = 0; i < pending_count_; ++i) {
        TRY(changed(finish(pending_[i])));
    }
    pending_count_ = 0;
    return {};
}

Result<void> Fat::finish(const Pending& pending) {
    for (u32 i = 0; i < pending.entries; ++i) {
        TRY_VALUE(u8* const raw,
                  cache_.change(pending.entries_at + u64{i} * kEntryBytes, Rank::Entry));
        raw[0] = kDeleted;
    }
    if (pending.last != 0) {
        TRY(table_.set(pending.last, kEnd));
    }
    return pending.chain != 0 ? table_.free_chain(pending.chain) : Result<void>{};
}

Result<void> Fat::sync(Node node) {
    if (cache_.has_lost()) {
        return Error::Io;
    }
    TRY(load(node));
    return settle();
}

Result<void> Fat::sync() {
    if (cache_.has_lost()) {
        return Error::Io;
    }
    TRY(settle());
    if (!is_marked_) {
        return {};
    }
    TRY(cache_.commit());  // what had to wait
    if (nodes_.orphans() > 0 || keeps_mark_) {
        return {};
    }
    TRY(changed(write_info()));
    TRY(changed(mark(Table::Mark::Clean)));
    TRY(cache_.commit());
    is_marked_ = false;
    return {};
}

Result<Usage> Fat::statfs() {
    if (pending_count_ > 0 && !cache_.has_lost()) {
        TRY(settle());
    }
    TRY_VALUE(const u32 free, table_.free_count(Table::Trust::Hints));
    return Usage{.block_bytes = volume_.cluster_bytes,
                 .blocks = volume_.clusters,
                 .free_blocks = free,
                 .available_blocks = free,
                 .read_only = options_.read_only || damaged_ || cache_.has_lost()};
}

u16 Fat::mode(const Entry& entry) const {
    const bool is_fixed = !entry.is_directory() && (entry.attributes() & kReadOnlyBit) != 0;
    return static_cast<u16>(is_fixed ? options_.mode & ~0222 : options_.mode);
}

Result<u64> Fat::directory_bytes(const Item& item) {
    TRY_VALUE(const u32 directory, cluster_of(item));
    if (directory == 0) {
        return u64{volume_.root_entries} * kEntryBytes;
    }
    u64 bytes = 0;
    while (bytes < u64{kMaxEntries} * kEntryBytes) {
        const auto index = static_cast<u32>(bytes / volume_.cluster_bytes);
        TRY_VALUE(const Run run, table_.locate(directory, index, kMaxEntries));
        if (run.count == 0) {
            break;
        }
        bytes += u64{run.count} * volume_.cluster_bytes;
    }
    return std::min(bytes, u64{kMaxEntries} * kEntryBytes);
}

Result<Attributes> Fat::stat(Node node) {
    TRY_VALUE(const Item item, load(node));
    const bool is_directory = item.entry.is_directory();
    u64 size = item.entry.size();
    if (is_directory) {
        TRY_VALUE(size, directory_bytes(item));
    }
    return Attributes{.number = node.value,
                      .kind = is_directory ? Kind::Directory : Kind::File,
                      .mode = mode(item.entry),
                      .owner = options_.owner,
                      .group = options_.group,
                      .links = item.at != 0 || is_root(item) ? 1u : 0u,
                      .size = size,
                      .accessed_ns = item.entry.accessed_ns(),
                      .modified_ns = item.entry.modified_ns(),
                      .changed_ns = item.entry.modified_ns()};
}

Result<void> Fat::set_attributes(Node node, const AttributeChange& change) {
    TRY_VALUE(Item item, load(node));
    const auto has = [&](u32 what) { return (change.set & what) != 0; };
    if ((has(AttributeChange::kOwner) && change.owner != options_.owner) ||
        (has(AttributeChange::kGroup) && change.group != options_.group)) {
        return Error::NotSupported;
    }
    TRY(begin_change());
    Entry& entry = item.entry;
    if (has(AttributeChange::kMode) && !entry.is_directory()) {
        const u32 others = entry.attributes() & ~kReadOnlyBit;
        entry.raw[11] = static_cast<u8>((change.mode & 0200) != 0 ? others : others | kReadOnlyBit);
    }
    if (has(AttributeChange::kAccessed)) {
        entry.set_accessed_ns(change.accessed_ns);
    }
    if (has(AttributeChange::kModified)) {
        entry.set_modified_ns(change.modified_ns);
    }
    return changed(store(item));
}

Result<void> Fat::forget(Node node) {
    TRY_VALUE(const Item item, load(node));
    Nodes::Known* const known = nodes_.find(node);
    if (known == nullptr) {
        return {};
    }
    const u32 chain = volume_.cluster_of(item.entry);
    if (known->at == 0 && chain != 0) {
        TRY(begin_change());
        pending_[pending_count_++] = {.chain = chain};
    }
    nodes_.forget(*known);
    return {};
}

}  // namespace svc::storage::fat
