// SPDX-License-Identifier: Apache-2.0
// Directories as they are read.
#include <services/storage/fat/fat.hpp>
#include <services/storage/names.hpp>

namespace svc::storage::fat {

Result<u32> Fat::cluster_of(const Item& directory) const {
    if (is_root(directory)) {
        return volume_.root_directory();
    }
    const u32 cluster = volume_.cluster_of(directory.entry);
    return volume_.has(cluster) ? Result<u32>(cluster) : Result<u32>(Error::Damaged);
}

Result<Fat::Item> Fat::load_directory(Node node, std::string_view name) {
    TRY(check_name(name));
    TRY_VALUE(const Item item, load(node));
    return item.entry.is_directory() ? Result<Item>(item) : Result<Item>(Error::NotADirectory);
}

Result<Fat::Item> Fat::load_directory_to_change(Node node, std::string_view name) {
    TRY(check_new_name(name));
    return load_directory(node, name);
}

Result<Found> Fat::find(u32 directory, const LongName& name) {
    Walk entries = walk(directory);
    while (true) {
        TRY_VALUE(const bool is_there, entries.next());
        if (!is_there) {
            return Error::NoEntry;
        }
        if (equal_folded(entries.long_name(), name.view()) ||
            equals_short(entries.found().entry, name)) {
            return entries.found();
        }
    }
}

Result<Node> Fat::lookup(Node directory, std::string_view name) {
    TRY_VALUE(const Item item, load_directory(directory, name));
    if (name == ".") {
        return directory;
    }
    if (name == "..") {
        return find_parent(item);
    }
    LongName long_name;
    if (!long_name.assign(name)) {
        return Error::NoEntry;
    }
    TRY_VALUE(const u32 cluster, cluster_of(item));
    TRY_VALUE(const Found found, find(cluster, long_name));
    return nodes_.node_at(found.at, found.entry);
}

Result<u32> Fat::parent_of(u32 directory) {
    TRY_VALUE(const u8* const raw, cache_.read(volume_.cluster_at(directory) + kEntryBytes));
    Entry entry;
    std::memcpy(entry.raw.data(), raw, kEntryBytes);
    if (std::memcmp(raw, "..         ", kShortBytes) != 0 || !entry.is_directory()) {
        return Error::Damaged;
    }
    const u32 cluster = volume_.cluster_of(entry);
    if (cluster == 0 || cluster == volume_.root_directory()) {
        return volume_.root_directory();
    }
    return volume_.has(cluster) ? Result<u32>(cluster) : Result<u32>(Error::Damaged);
}

Result<Node> Fat::find_parent(const Item& directory) {
    if (is_root(directory)) {
        return root();
    }
    if (directory.at == 0) {
        return Error::NoEntry;
    }
    TRY_VALUE(const u32 cluster, cluster_of(directory));
    TRY_VALUE(const u32 parent, parent_of(cluster));
    if (parent == volume_.root_directory()) {
        return root();
    }
    TRY_VALUE(const u32 above, parent_of(parent));
    Walk entries = walk(above);
    while (true) {
        TRY_VALUE(const bool is_there, entries.next());
        if (!is_there) {
            return Error::Damaged;
        }
        const Found& found = entries.found();
        if (found.entry.is_directory() && volume_.cluster_of(found.entry) == parent) {
            return nodes_.node_at(found.at, found.entry);
        }
    }
}

Result<bool> Fat::is_below(u32 directory, u32 ancestor) {
    for (u32 depth = 0; depth < kMaxDepth; ++depth) {
        if (directory == ancestor || directory == volume_.root_directory()) {
            return directory == ancestor;
        }
        TRY_VALUE(directory, parent_of(directory));
    }
    return Error::TooManyLevels;
}

Result<bool> Fat::is_empty(const Entry& directory) {
    const u32 cluster = volume_.cluster_of(directory);
    if (!volume_.has(cluster)) {
        return Error::Damaged;
    }
    TRY_VALUE(const bool is_there, walk(cluster).next());
    return !is_there;
}

Result<u64> Fat::readdir(Node directory, u64 cursor, Listing& listing) {
    TRY_VALUE(const Item item, load_directory(directory, "."));
    if (cursor >= kMaxEntries || (item.at == 0 && !is_root(item))) {
        return cursor;
    }
    TRY_VALUE(const u32 cluster, cluster_of(item));
    Walk entries = walk(cluster, static_cast<u32>(cursor));
    while (true) {
        TRY_VALUE(const bool is_there, entries.next());
        if (!is_there) {
            return cursor;
        }
        const Found& found = entries.found();
        TextName name;
        if (!name.assign(entries.long_name()) && !name.assign_short(found.entry)) {
            continue;
        }
        const DirectoryEntry shown{.name = name.view(),
                                   .number = nodes_.node_at(found.at, found.entry).value,
                                   .kind =
                                       found.entry.is_directory() ? Kind::Directory : Kind::File,
                                   .cursor = entries.index()};
        if (listing.add(shown) == Listing::Answer::Full) {
            return cursor;
        }
        cursor = entries.index();
    }
}

}  // namespace svc::storage::fat
