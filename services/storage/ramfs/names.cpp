// SPDX-License-Identifier: Apache-2.0
// Directories and names. A directory that was removed has no parent and takes no more names.
#include <services/storage/names.hpp>
#include <services/storage/ramfs/ramfs.hpp>

namespace svc::storage::ramfs {

namespace {

constexpr u32 kMaxLinks = 65535;
constexpr u64 kMaxTarget = kPageBytes - 1;

}  // namespace

void RamFs::touch(Inode& inode) { inode.modified_ns = inode.changed_ns = clock_.now_ns(); }

Result<Inode*> RamFs::find_directory(Node node, std::string_view name) {
    TRY(check_name(name));
    Inode* const inode = inodes_.find(node);
    if (inode == nullptr) {
        return Error::Stale;
    }
    return inode->kind == Kind::Directory ? Result<Inode*>(inode)
                                          : Result<Inode*>(Error::NotADirectory);
}

Result<Inode*> RamFs::find_directory_to_change(Node node, std::string_view name) {
    TRY(check_new_name(name));
    return find_directory(node, name);
}

Result<u32> RamFs::find_name(const Inode& directory, const Directory::Key& key) {
    TRY_VALUE(const Entry entry, directory_.find(directory, key));
    return u32{entry.inode};
}

Result<Node> RamFs::lookup(Node directory, std::string_view name) {
    TRY_VALUE(const Inode* const parent, find_directory(directory, name));
    if (name == ".") {
        return directory;
    }
    u32 number = parent->parent;
    if (name != "..") {
        TRY_VALUE(number, find_name(*parent, directory_.key(name)));
    }
    return number == 0 ? Result<Node>(Error::NoEntry)
                       : Result<Node>(Inodes::node(number, inodes_.at(number)));
}

Result<u64> RamFs::readdir(Node directory, u64 cursor, Listing& listing) {
    TRY_VALUE(const Inode* const inode, find_directory(directory, "."));
    return directory_.list(*inode, cursor, listing);
}

Result<Node> RamFs::create(Node directory, std::string_view name, const NewNode& what) {
    TRY_VALUE(Inode* const parent, find_directory_to_change(directory, name));
    const auto key = directory_.key(name);
    if (directory_.find(*parent, key).ok()) {
        return Error::Exists;
    }
    const bool is_link = what.kind == Kind::SymbolicLink;
    if (!is_link && what.kind != Kind::File && what.kind != Kind::Directory) {
        return what.kind == Kind::None ? Error::Invalid : Error::NotSupported;
    }
    if (is_link && (what.target.empty() || what.target.size() > kMaxTarget)) {
        return what.target.empty() ? Error::Invalid : Error::NameTooLong;
    }
    if (parent->links == 0) {
        return Error::NoEntry;
    }
    TRY(directory_.make_fit(*parent, key));
    return add_new(directory, key, what);
}

Result<Node> RamFs::add_new(Node directory, const Directory::Key& key, const NewNode& what) {
    Inode& parent = *inodes_.find(directory);
    const bool is_link = what.kind == Kind::SymbolicLink;
    if (pages_.free_count() < inodes_.pages_to_take() + (is_link ? 1 : 0)) {
        directory_.unmake_fit(parent, key);
        return Error::NoSpace;
    }
    u32 number = 0;
    Inode& inode = *inodes_.take(number);
    inode.kind = what.kind;
    inode.mode = what.mode;
    inode.owner = what.owner;
    inode.group = what.group;
    inode.links = 1;
    inode.parent = what.kind == Kind::Directory ? Inodes::number(directory) : 0;
    if (is_link) {
        set_target(inode, what.target);
    }
    touch(parent);
    inode.accessed_ns = inode.modified_ns = inode.changed_ns = parent.changed_ns;
    directory_.add(parent, key, number, what.kind);
    return Inodes::node(number, inode);
}

void RamFs::set_target(Inode& inode, std::string_view target) {
    const u32 page = pages_.take_cleared();
    std::memcpy(pages_.data(page), target.data(), target.size());
    index_.set(inode, 0, page);
    inode.size = target.size();
}

Result<void> RamFs::link(Node directory, std::string_view name, Node file) {
    TRY_VALUE(Inode* const parent, find_directory_to_change(directory, name));
    Inode* const inode = inodes_.find(file);
    if (inode == nullptr || inode->kind == Kind::Directory) {
        return inode == nullptr ? Error::Stale : Error::IsADirectory;
    }
    if (inode->links == 0 || parent->links == 0) {
        return Error::NoEntry;
    }
    const auto key = directory_.key(name);
    if (directory_.find(*parent, key).ok()) {
        return Error::Exists;
    }
    if (inode->links == kMaxLinks) {
        return Error::TooManyLinks;
    }
    TRY(directory_.make_fit(*parent, key));
    directory_.add(*parent, key, Inodes::number(file), inode->kind);
    ++inode->links;
    touch(*parent);
    inode->changed_ns = parent->changed_ns;
    return {};
}

Node RamFs::drop_link(u32 number) {
    Inode& inode = inodes_.at(number);
    --inode.links;
    inode.parent = 0;
    inode.changed_ns = clock_.now_ns();
    return inode.links > 0 ? Node{} : Inodes::node(number, inode);
}

Result<Node> RamFs::unlink(Node directory, std::string_view name, Kind kind) {
    TRY_VALUE(Inode* const parent, find_directory_to_change(directory, name));
    const auto key = directory_.key(name);
    TRY_VALUE(const u32 number, find_name(*parent, key));
    const Inode& inode = inodes_.at(number);
    if ((inode.kind == Kind::Directory) != (kind == Kind::Directory)) {
        return inode.kind == Kind::Directory ? Error::IsADirectory : Error::NotADirectory;
    }
    if (inode.entries > 0) {
        return Error::NotEmpty;
    }
    directory_.remove(*parent, key);
    touch(*parent);
    return drop_link(number);
}

void RamFs::destroy(u32 number) {
    index_.free_from(inodes_.at(number), 0);
    inodes_.release(number);
}

Result<void> RamFs::forget(Node node) {
    const Inode* const inode = inodes_.find(node);
    if (inode == nullptr) {
        return Error::Stale;
    }
    if (inode->links == 0) {
        destroy(Inodes::number(node));
    }
    return {};
}

bool RamFs::is_below(u32 directory, u32 ancestor) {
    const u32 root = Inodes::number(root_);
    while (directory != ancestor && directory != root && directory != 0) {
        directory = inodes_.at(directory).parent;
    }
    return directory == ancestor;
}

Result<void> RamFs::check_replacing(const Inode& moved, const Inode& replaced) {
    const bool is_directory = moved.kind == Kind::Directory;
    if ((replaced.kind == Kind::Directory) != is_directory) {
        return is_directory ? Error::NotADirectory : Error::IsADirectory;
    }
    return replaced.entries > 0 ? Error::NotEmpty : Error::None;
}

Result<Node> RamFs::rename(Node from, std::string_view name, Node to, std::string_view new_name) {
    TRY_VALUE(Inode* const source, find_directory_to_change(from, name));
    TRY_VALUE(Inode* const target, find_directory_to_change(to, new_name));
    const auto key = directory_.key(name);
    const auto new_key = directory_.key(new_name);
    TRY_VALUE(const u32 number, find_name(*source, key));
    Inode& moved = inodes_.at(number);
    const bool is_directory = moved.kind == Kind::Directory;
    if (is_directory && is_below(Inodes::number(to), number)) {
        return Error::Invalid;
    }
    const auto old = find_name(*target, new_key);
    if (old.ok()) {
        if (old.value() == number) {
            return Node{};
        }
        TRY(check_replacing(moved, inodes_.at(old.value())));
        directory_.replace(*target, new_key, number, moved.kind);
    } else {
        if (target->links == 0) {
            return Error::NoEntry;
        }
        TRY(directory_.make_fit(*target, new_key));
        directory_.add(*target, new_key, number, moved.kind);
    }
    directory_.remove(*source, key);
    touch(*source);
    touch(*target);
    moved.changed_ns = target->changed_ns;
    moved.parent = is_directory ? Inodes::number(to) : 0;
    return old.ok() ? drop_link(old.value()) : Node{};
}

}  // namespace svc::storage::ramfs
