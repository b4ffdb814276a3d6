// SPDX-License-Identifier: Apache-2.0
#include <services/storage/fixed_names.hpp>
#include <services/storage/names.hpp>

namespace svc::storage {

Result<void> FixedNames::check_node(Node node) const {
    const bool is_one =
        node == root() || (node.value >= kFirstEntry && node.value - kFirstEntry < entry_count());
    return is_one ? Error::None : Error::Stale;
}

Result<u32> FixedNames::index_of(Node node) const {
    TRY(check_node(node));
    return node == root() ? Result<u32>(Error::IsADirectory)
                          : Result<u32>(static_cast<u32>(node.value - kFirstEntry));
}

Result<void> FixedNames::check_directory(Node directory, std::string_view name) const {
    TRY(check_name(name));
    TRY(check_node(directory));
    return directory == root() ? Error::None : Error::NotADirectory;
}

Result<Node> FixedNames::lookup(Node directory, std::string_view name) {
    TRY(check_directory(directory, name));
    if (name == "." || name == "..") {
        return root();
    }
    const u32 index = find_entry(name);
    return index == entry_count() ? Result<Node>(Error::NoEntry) : Result<Node>(node_of(index));
}

Result<u64> FixedNames::readdir(Node directory, u64 cursor, Listing& listing) {
    TRY(check_directory(directory, "."));
    while (cursor < entry_count()) {
        const Name shown = entry(static_cast<u32>(cursor));
        const DirectoryEntry next{shown.name, kFirstEntry + cursor, shown.kind, cursor + 1};
        if (listing.add(next) == Listing::Answer::Full) {
            break;
        }
        ++cursor;
    }
    return cursor;
}

Result<Node> FixedNames::create(Node directory, std::string_view name, const NewNode&) {
    TRY(check_new_name(name));
    TRY(check_directory(directory, name));
    return find_entry(name) == entry_count() ? Error::ReadOnly : Error::Exists;
}

Result<void> FixedNames::link(Node directory, std::string_view name, Node file) {
    TRY(check_node(file));
    return create(directory, name, {}).status();
}

Result<Node> FixedNames::unlink(Node directory, std::string_view name, Kind) {
    TRY(check_new_name(name));
    TRY(lookup(directory, name));
    return Error::ReadOnly;
}

Result<Node>
FixedNames::rename(Node from, std::string_view name, Node to, std::string_view new_name) {
    TRY(check_new_name(new_name));
    TRY(check_directory(to, new_name));
    return unlink(from, name, Kind::None);
}

}  // namespace svc::storage
