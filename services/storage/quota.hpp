// SPDX-License-Identifier: Apache-2.0
// A directory of a file system as a file system with limits of its own: how many nodes are below
// it, and how many bytes they have. Each file and symbolic link counts with its size, holes
// included, rounded up to 4 KiB; a directory counts as a node only. What has no name but is in use
// counts until it is forgotten.
//
// begin() finds the usage by walking the tree; from then on it is kept, so changes must come
// through here. A file that also has a name outside counts as long as it exists.
#pragma once

#include <services/storage/file_system.hpp>

namespace svc::storage {

class QuotaFs final : public FileSystem {
public:
    /// 0: no limit.
    struct Limits {
        u64 bytes = 0;  ///< a multiple of 4096; what is more is not used
        u64 nodes = 0;
    };

    struct Used {
        u64 bytes = 0;
        u64 nodes = 0;
    };

    /// `root` is a directory of `fs`.
    QuotaFs(FileSystem& fs, Node root, const Limits& limits)
        : fs_(fs), root_(root), limits_(limits) {}

    /// Finds what is used. `scratch` has room for the files below with several names: it keeps
    /// them from being counted twice, and is free again afterwards.
    /// Errors: NoMemory (`scratch` is too small), NotADirectory, Damaged (a circle), Io.
    Result<void> begin(std::span<u64> scratch);

    [[nodiscard]] const Used& used() const { return used_; }

    /// What is above a new limit stays and cannot grow.
    void set_limits(const Limits& limits) { limits_ = limits; }

    [[nodiscard]] Node root() const override { return root_; }

    // As of the file system behind. Errors: also Quota (what grows), CrossDevice (a directory that
    // is not below the root; of files the caller must know it).
    Result<Node> lookup(Node directory, std::string_view name) override;
    Result<Node> create(Node directory, std::string_view name, const NewNode& what) override;
    Result<void> link(Node directory, std::string_view name, Node file) override;
    Result<Node> unlink(Node directory, std::string_view name, Kind kind) override;
    Result<Node>
    rename(Node from, std::string_view name, Node to, std::string_view new_name) override;

    Result<u64> read(Node file, u64 offset, std::span<u8> data) override {
        return fs_.read(file, offset, data);
    }

    Result<u64> write(Node file, u64 offset, std::span<const u8> data) override;
    Result<void> truncate(Node file, u64 size) override;

    Result<u64> readdir(Node directory, u64 cursor, Listing& listing) override {
        return fs_.readdir(directory, cursor, listing);
    }

    Result<Attributes> stat(Node node) override { return fs_.stat(node); }

    Result<void> set_attributes(Node node, const AttributeChange& change) override {
        return fs_.set_attributes(node, change);
    }

    Result<void> sync(Node node) override { return fs_.sync(node); }

    Result<void> sync() override { return fs_.sync(); }

    /// In blocks of 4 KiB: the limits, or the file system if that has less.
    Result<Usage> statfs() override;
    Result<void> forget(Node node) override;

private:
    Result<void> check_inside(Node directory);

    /// How far a file may reach.
    [[nodiscard]] u64 end_limit(u64 size) const;

    /// The size of a file became another.
    void resized(u64 before, u64 after);

    FileSystem& fs_;
    Node root_;
    Limits limits_;
    Used used_{};
};

}  // namespace svc::storage
