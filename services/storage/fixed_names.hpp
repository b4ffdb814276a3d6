// SPDX-License-Identifier: Apache-2.0
// A file system of one directory whose names are fixed: what comes is only contents and attributes.
// An entry has an index from 0 on, which is its place in readdir too.
#pragma once

#include <services/storage/file_system.hpp>

namespace svc::storage {

class FixedNames : public FileSystem {
public:
    [[nodiscard]] Node root() const final { return {1}; }

    Result<Node> lookup(Node directory, std::string_view name) final;
    Result<u64> readdir(Node directory, u64 cursor, Listing& listing) final;

    // Refused: Exists (create), else ReadOnly.
    Result<Node> create(Node directory, std::string_view name, const NewNode& what) final;
    Result<void> link(Node directory, std::string_view name, Node file) final;
    Result<Node> unlink(Node directory, std::string_view name, Kind kind) final;
    Result<Node> rename(Node from, std::string_view name, Node to, std::string_view new_name) final;

    Result<void> sync(Node node) final { return check_node(node); }

    Result<void> sync() final { return {}; }

    Result<void> forget(Node node) final { return check_node(node); }

protected:
    ~FixedNames() = default;

    struct Name {
        std::string_view name;
        Kind kind = Kind::None;
    };

    [[nodiscard]] virtual u32 entry_count() const = 0;
    [[nodiscard]] virtual Name entry(u32 index) const = 0;

    /// Index of a name; entry_count() if there is none.
    [[nodiscard]] virtual u32 find_entry(std::string_view name) const = 0;

    [[nodiscard]] static constexpr Node node_of(u32 index) { return {kFirstEntry + index}; }

    /// Errors: Stale.
    Result<void> check_node(Node node) const;

    /// Index of the entry that a node is. Errors: Stale, IsADirectory.
    Result<u32> index_of(Node node) const;

private:
    static constexpr u64 kFirstEntry = 2;

    Result<void> check_directory(Node directory, std::string_view name) const;
};

}  // namespace svc::storage
