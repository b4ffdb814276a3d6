// SPDX-License-Identifier: Apache-2.0
// Inodes, 56 to a page, found without a table: the number of an inode is its page and its place in
// it. A page goes back when its last inode does, so whoever makes a million files and removes them
// has taken nothing. A node's value is number and life; lives are counted over all inodes, so a
// page that holds inodes again gives none the life of an old one.
#pragma once

#include <array>
#include <services/storage/file_system.hpp>
#include <services/storage/ramfs/pages.hpp>

namespace svc::storage::ramfs {

struct Inode {
    u64 life = 0;
    s64 accessed_ns = 0;
    s64 modified_ns = 0;
    s64 changed_ns = 0;
    u64 size = 0;  ///< of a directory: of its buckets
    u32 root = 0;  ///< page of the tree, or 0
    u32 owner = 0;
    u32 group = 0;
    u32 parent = 0;   ///< of a directory that has a name
    u32 entries = 0;  ///< of a directory
    u16 links = 0;    ///< 0: deleted when nobody uses it any more
    u16 mode = 0;
    Kind kind = Kind::None;
    u8 height = 0;  ///< index pages from the root down to a data page
    u8 bits = 0;    ///< of a directory: of a hash, to choose a bucket by
};

inline constexpr u32 kInodesPerPage = 56;
inline constexpr u32 kNumberBits = 28;
inline constexpr u32 kSlotBits = 6;

/// Pages beyond are not used: 16 GiB.
inline constexpr u32 kMaxPages = (1u << (kNumberBits - kSlotBits)) - 1;

class Inodes final {
public:
    explicit Inodes(Pages& pages) : pages_(pages) {}

    /// Bytes that begin() needs for so many pages.
    static constexpr u64 map_bytes(u64 pages) { return pages / 8 + 1; }

    /// `map` holds zeros and stays in use.
    void begin(std::span<u8> map) { map_ = map; }

    /// Null if there is none, or it is of another life.
    Inode* find(Node node);

    /// The inode with a number that find_number() or a directory gave.
    Inode& at(u32 number);

    /// An inode without a life; null when no page is free.
    Inode* take(u32& number);

    void release(u32 number);

    /// How many pages take() may need.
    [[nodiscard]] u32 pages_to_take() const { return first_ == 0 ? 1 : 0; }

    [[nodiscard]] static Node node(u32 number, const Inode& inode) {
        return {(inode.life << kNumberBits) | number};
    }

    static constexpr u32 number(Node node) {
        return static_cast<u32>(node.value & ((1u << kNumberBits) - 1));
    }

private:
    struct Page {
        u64 used = 0;   ///< a bit for each
        u32 newer = 0;  ///< in the list of pages with a free one
        u32 older = 0;
        std::array<u64, 6> reserved{};
        std::array<Inode, kInodesPerPage> inodes{};
    };

    static_assert(sizeof(Page) == kPageBytes);

    Page& page(u32 number);
    void link(u32 number);
    void unlink(u32 number);

    Pages& pages_;
    std::span<u8> map_;  ///< a bit for each page that holds inodes
    u32 first_ = 0;      ///< page with a free inode
    u64 life_ = 0;
};

}  // namespace svc::storage::ramfs
