// SPDX-License-Identifier: Apache-2.0
// Directories and names. Each operation first looks at everything, then makes room, then changes.
#include <cstring>
#include <services/storage/names.hpp>
#include <services/storage/safefs/safefs.hpp>

namespace svc::storage::safefs {

namespace {

constexpr u32 kMaxDepth = 4096;  // of directories, so that a circle in a damaged one ends
constexpr u32 kMaxLinks = 65535;
constexpr u64 kMaxTarget = kBlockBytes - 1;

bool is_directory(const Inode& inode) { return inode.kind == static_cast<u8>(Kind::Directory); }

}  // namespace

Result<SafeFs::Item> SafeFs::load_directory(Node node, std::string_view name) {
    TRY(check_name(name));
    TRY_VALUE(const Inode inode, inodes_.load(node));
    return is_directory(inode) ? Result<Item>(Item{Inodes::number(node), inode})
                               : Result<Item>(Error::NotADirectory);
}

Result<SafeFs::Item> SafeFs::load_directory_to_change(Node node, std::string_view name) {
    TRY(check_new_name(name));
    return load_directory(node, name);
}

Result<SafeFs::Item> SafeFs::load_target(const Item& directory, std::string_view name) {
    TRY_VALUE(const auto found, directory_.find(directory.number, directory.inode, name));
    const auto inode = inodes_.load(found.inode);
    if (inode.status() == Error::Stale) {
        return Error::Damaged;
    }
    TRY(inode);
    if (inode.value().links == 0 || inode.value().kind != static_cast<u8>(found.kind)) {
        return Error::Damaged;
    }
    return Item{found.inode, inode.value()};
}

Result<Node> SafeFs::lookup(Node directory, std::string_view name) {
    TRY_VALUE(const Item parent, load_directory(directory, name));
    if (name == ".") {
        return directory;
    }
    if (name == "..") {
        TRY_VALUE(const Inode above, inodes_.load(parent.inode.parent));
        return Inodes::node(parent.inode.parent, above.life);
    }
    TRY_VALUE(const Item item, load_target(parent, name));
    return Inodes::node(item.number, item.inode.life);
}

Result<u64> SafeFs::readdir(Node directory, u64 cursor, Listing& listing) {
    TRY_VALUE(const Item item, load_directory(directory, "."));
    return directory_.list(item.number, item.inode, cursor, listing);
}

Result<void> SafeFs::make_fit(Item& directory, std::string_view name, u64 blocks) {
    if (directory.inode.links == 0) {
        return Error::NoEntry;
    }
    while (true) {
        TRY_VALUE(const auto fit, directory_.fit(directory.number, directory.inode, name));
        if (fit == Directory::Fit::Fits) {
            return begin_change(blocks, Use::Growing);
        }
        TRY(begin_change(blocks + Directory::blocks_to_double(directory.inode), Use::Growing));
        TRY(changed(directory_.double_size(directory.number, directory.inode)));
    }
}

Result<Node> SafeFs::create(Node directory, std::string_view name, const NewNode& what) {
    TRY_VALUE(Item parent, load_directory_to_change(directory, name));
    const auto found = directory_.find(parent.number, parent.inode, name);
    if (found.status() != Error::NoEntry) {
        return found.ok() ? Error::Exists : found.status();
    }
    const bool is_link = what.kind == Kind::SymbolicLink;
    if (what.kind == Kind::None || (is_link && what.target.empty())) {
        return Error::Invalid;
    }
    if (what.kind == Kind::CharacterDevice) {
        return Error::NotSupported;
    }
    if (is_link && what.target.size() > kMaxTarget) {
        return Error::NameTooLong;
    }
    TRY(make_fit(parent, name, 5 * kPathBlocks));
    Item item;
    TRY_VALUE(item.number, inodes_.find_free());
    TRY_VALUE(const u32 last_life, inodes_.last_life(item.number));
    item.inode.kind = static_cast<u8>(what.kind);
    item.inode.mode = what.mode;
    item.inode.owner = what.owner;
    item.inode.group = what.group;
    item.inode.links = 1;
    item.inode.life = last_life + 1 == 0 ? 1 : last_life + 1;
    item.inode.parent = what.kind == Kind::Directory ? parent.number : 0;
    const s64 now = clock_.now_ns();
    item.inode.accessed_ns = item.inode.modified_ns = item.inode.changed_ns = now;
    parent.inode.modified_ns = parent.inode.changed_ns = now;
    TRY(changed(write_new(item, is_link ? what.target : std::string_view{})));
    TRY(changed(directory_.add(parent.number, parent.inode, name, {item.number, what.kind})));
    TRY(changed(store(parent)));
    return Inodes::node(item.number, item.inode.life);
}

Result<void> SafeFs::write_new(const Item& item, std::string_view target) {
    Inode inode = item.inode;
    inode.size = target.size();
    TRY(inodes_.store(item.number, inode));
    if (!target.empty()) {
        TRY_VALUE(u8* const block, tree_.change(place_of(item.number, 0)));
        std::memcpy(block, target.data(), target.size());
    }
    return {};
}

Result<void> SafeFs::link(Node directory, std::string_view name, Node file) {
    TRY_VALUE(Item parent, load_directory_to_change(directory, name));
    Item item{Inodes::number(file), {}};
    TRY_VALUE(item.inode, inodes_.load(file));
    if (is_directory(item.inode)) {
        return Error::IsADirectory;
    }
    if (item.inode.links == 0 || item.inode.links >= kMaxLinks) {
        return item.inode.links == 0 ? Error::NoEntry : Error::TooManyLinks;
    }
    const auto found = directory_.find(parent.number, parent.inode, name);
    if (found.status() != Error::NoEntry) {
        return found.ok() ? Error::Exists : found.status();
    }
    TRY(make_fit(parent, name, 3 * kPathBlocks));
    ++item.inode.links;
    item.inode.changed_ns = clock_.now_ns();
    parent.inode.modified_ns = parent.inode.changed_ns = item.inode.changed_ns;
    TRY(changed(store(item)));
    const Directory::Found target{item.number, static_cast<Kind>(item.inode.kind)};
    TRY(changed(directory_.add(parent.number, parent.inode, name, target)));
    return changed(store(parent));
}

Result<Node> SafeFs::drop_link(Item& item) {
    --item.inode.links;
    item.inode.changed_ns = clock_.now_ns();
    TRY(changed(store(item)));
    return item.inode.links > 0 ? Node{} : Inodes::node(item.number, item.inode.life);
}

Result<Node> SafeFs::unlink(Node directory, std::string_view name, Kind kind) {
    TRY_VALUE(Item parent, load_directory_to_change(directory, name));
    TRY_VALUE(Item item, load_target(parent, name));
    if (is_directory(item.inode) != (kind == Kind::Directory)) {
        return is_directory(item.inode) ? Error::IsADirectory : Error::NotADirectory;
    }
    if (is_directory(item.inode) && item.inode.entries > 0) {
        return Error::NotEmpty;
    }
    TRY(begin_change(3 * kPathBlocks, Use::Shrinking));
    TRY(changed(directory_.remove(parent.number, parent.inode, name)));
    parent.inode.modified_ns = parent.inode.changed_ns = clock_.now_ns();
    TRY(changed(store(parent)));
    return drop_link(item);
}

Result<void> SafeFs::forget(Node node) {
    Item item{Inodes::number(node), {}};
    TRY_VALUE(item.inode, inodes_.load(node));
    if (item.inode.links > 0) {
        return {};
    }
    TRY(begin_change(2 * kPathBlocks, Use::Shrinking));
    return changed(delete_inode(item));
}

Result<void> SafeFs::delete_inode(Item& item) {
    TRY(tree_.free_from(item.number, 0));
    const u32 life = item.inode.life;
    item.inode = Inode{};
    item.inode.life = life;
    inodes_.set_free(item.number);
    return store(item);
}

Result<bool> SafeFs::is_below(Node directory, u32 ancestor) {
    u32 number = Inodes::number(directory);
    for (u32 depth = 0; depth < kMaxDepth; ++depth) {
        if (number == ancestor || number == kRootDirectory) {
            return number == ancestor;
        }
        TRY_VALUE(const Inode inode, inodes_.load(number));
        number = inode.parent;
    }
    return Error::TooManyLevels;
}

Result<void> SafeFs::check_replacing(const Item& moved, const Item& replaced) {
    if (is_directory(replaced.inode) != is_directory(moved.inode)) {
        return is_directory(moved.inode) ? Error::NotADirectory : Error::IsADirectory;
    }
    return is_directory(replaced.inode) && replaced.inode.entries > 0 ? Error::NotEmpty
                                                                      : Error::None;
}

Result<Node> SafeFs::rename(Node from, std::string_view name, Node to, std::string_view new_name) {
    TRY_VALUE(Item source, load_directory_to_change(from, name));
    TRY_VALUE(Item target, load_directory_to_change(to, new_name));
    TRY_VALUE(Item moved, load_target(source, name));
    if (is_directory(moved.inode)) {
        TRY_VALUE(const bool is_inside, is_below(to, moved.number));
        if (is_inside) {
            return Error::Invalid;
        }
    }
    auto replaced = load_target(target, new_name);
    if (replaced.ok()) {
        if (replaced.value().number == moved.number) {
            return Node{};
        }
        TRY(check_replacing(moved, replaced.value()));
        TRY(begin_change(6 * kPathBlocks, Use::Shrinking));
    } else if (replaced.status() == Error::NoEntry) {
        TRY(make_fit(target, new_name, 6 * kPathBlocks));
    } else {
        return replaced.status();
    }
    Item& there = from == to ? target : source;  // one directory: one copy of its inode
    TRY(changed(move(there, name, target, new_name, moved, replaced.ok())));
    return replaced.ok() ? drop_link(replaced.value()) : Result<Node>(Node{});
}

Result<void> SafeFs::move(Item& from,
                          std::string_view name,
                          Item& to,
                          std::string_view new_name,
                          Item& moved,
                          bool replaces) {
    const Directory::Found entry{moved.number, static_cast<Kind>(moved.inode.kind)};
    if (replaces) {
        TRY(directory_.replace(to.number, to.inode, new_name, entry));
    } else {
        TRY(directory_.add(to.number, to.inode, new_name, entry));
    }
    TRY(directory_.remove(from.number, from.inode, name));
    const s64 now = clock_.now_ns();
    from.inode.modified_ns = from.inode.changed_ns = now;
    to.inode.modified_ns = to.inode.changed_ns = now;
    moved.inode.changed_ns = now;
    moved.inode.parent = is_directory(moved.inode) ? to.number : 0;
    TRY(store(from));
    TRY(store(to));
    return store(moved);
}

}  // namespace svc::storage::safefs
