// SPDX-License-Identifier: Apache-2.0
// What the VFS needs of a file system: nodes and names, no paths, no open files. Paths, mounts,
// permissions, locks, quotas and who has what open are the VFS's; one thread calls at a time.
//
// A node lives while it has a name or somebody uses it. The file system does not count users: it
// tells which node lost its last name (unlink, rename), and keeps the node until forget(). So it
// needs no memory for open files. Nodes without names that were not forgotten go at the next mount.
#pragma once

#include <services/storage/result.hpp>
#include <span>
#include <string_view>

namespace svc::storage {

/// Names a file, directory, symbolic link or device of one mounted file system. Zero names none. A
/// node that was deleted is not named again by the same value, so an old one gets Stale.
struct Node {
    u64 value = 0;

    friend constexpr bool operator==(Node, Node) = default;
};

inline constexpr u32 kMaxNameBytes = 255;

enum class Kind : u8 { None, File, Directory, SymbolicLink, CharacterDevice };

/// Times are nanoseconds since 1970.
struct Attributes {
    u64 number = 0;  ///< tells the nodes of one file system apart
    Kind kind = Kind::None;
    u16 mode = 0;  ///< the lower twelve bits of POSIX
    u32 owner = 0;
    u32 group = 0;
    u32 links = 0;  ///< names; 1 for a directory
    u64 size = 0;   ///< of a directory: what it occupies
    s64 accessed_ns = 0;
    s64 modified_ns = 0;  ///< contents
    s64 changed_ns = 0;   ///< attributes or contents
};

/// Which attributes are to be changed; those that are not set stay.
struct AttributeChange {
    enum : u32 { kMode = 1, kOwner = 2, kGroup = 4, kAccessed = 8, kModified = 16 };

    u32 set = 0;
    u16 mode = 0;
    u32 owner = 0;
    u32 group = 0;
    s64 accessed_ns = 0;
    s64 modified_ns = 0;

    /// Changes what has these members: Attributes, or what a file system keeps of them.
    template <typename T> constexpr void apply(T& to) const {
        to.mode = (set & kMode) != 0 ? mode : to.mode;
        to.owner = (set & kOwner) != 0 ? owner : to.owner;
        to.group = (set & kGroup) != 0 ? group : to.group;
        to.accessed_ns = (set & kAccessed) != 0 ? accessed_ns : to.accessed_ns;
        to.modified_ns = (set & kModified) != 0 ? modified_ns : to.modified_ns;
    }
};

struct NewNode {
    Kind kind = Kind::File;
    u16 mode = 0;
    u32 owner = 0;
    u32 group = 0;
    std::string_view target{};  ///< of a symbolic link; read() returns it
};

struct Usage {
    u32 block_bytes = 0;
    u64 blocks = 0;
    u64 free_blocks = 0;
    u64 available_blocks = 0;  ///< what files can still take
    bool read_only = false;
};

struct DirectoryEntry {
    std::string_view name;  ///< valid during Listing::add only
    u64 number = 0;         ///< as in Attributes
    Kind kind = Kind::None;
    u64 cursor = 0;  ///< where readdir goes on behind this entry; below 2^63
};

/// Takes entries of a directory.
class Listing {
public:
    enum class Answer : u8 { Taken, Full };

    /// Full: not taken, readdir stops before it.
    virtual Answer add(const DirectoryEntry& entry) = 0;

protected:
    ~Listing() = default;
};

class Clock {
public:
    /// Nanoseconds since 1970.
    virtual s64 now_ns() = 0;

protected:
    ~Clock() = default;
};

/// Every operation may also answer Io and Damaged, every one that changes something ReadOnly, every
/// one that takes a node Stale and every one that takes a name Invalid (empty, with a slash or NUL,
/// "." or
/// ".." where a name is made or removed), NameTooLong and, if `directory` is none, NotADirectory.
/// An operation that is refused has changed nothing; write() may have written a part and says so.
class FileSystem {
public:
    [[nodiscard]] virtual Node root() const = 0;

    /// "." and ".." are answered too; the root is its own parent. Errors: NoEntry.
    virtual Result<Node> lookup(Node directory, std::string_view name) = 0;

    /// Errors: Exists, NoSpace, Quota, NotSupported (the kind).
    virtual Result<Node> create(Node directory, std::string_view name, const NewNode& what) = 0;

    /// One more name for `file`. Errors: Exists, NoSpace, IsADirectory, TooManyLinks, NotSupported.
    virtual Result<void> link(Node directory, std::string_view name, Node file) = 0;

    /// Removes a name: of a directory if `kind` is Directory, of anything else otherwise. Works on
    /// a full device. Returns the node if that was its last name, else none. Errors: NoEntry,
    /// NotEmpty, IsADirectory, NotADirectory.
    virtual Result<Node> unlink(Node directory, std::string_view name, Kind kind) = 0;

    /// Moves a name; what had the new one is replaced in the same instant, and returned if that was
    /// its last name. Errors: NoEntry, NotEmpty, IsADirectory, NotADirectory, NoSpace, Invalid
    /// (into its own subtree).
    virtual Result<Node>
    rename(Node from, std::string_view name, Node to, std::string_view new_name) = 0;

    /// Returns how much was read; less than asked only at the end of the file.
    /// Errors: IsADirectory.
    virtual Result<u64> read(Node file, u64 offset, std::span<u8> data) = 0;

    /// Returns how much was written, less than asked when the device became full or failed halfway.
    /// Errors: IsADirectory, FileTooBig, NoSpace, Quota.
    virtual Result<u64> write(Node file, u64 offset, std::span<const u8> data) = 0;

    /// Shorter (works on a full device), or longer with zeros. Errors: IsADirectory, FileTooBig.
    virtual Result<void> truncate(Node file, u64 size) = 0;

    /// Hands out entries behind `cursor` (0: from the start), without "." and "..", until the end
    /// or Full. Returns the cursor of the last one taken, or `cursor`: nothing taken is the end. An
    /// entry that is there all the time is seen exactly once, whatever else comes and goes.
    virtual Result<u64> readdir(Node directory, u64 cursor, Listing& listing) = 0;

    virtual Result<Attributes> stat(Node node) = 0;

    virtual Result<void> set_attributes(Node node, const AttributeChange& change) = 0;

    /// Returns when the contents and attributes of `node`, and the way to it, are durable.
    virtual Result<void> sync(Node node) = 0;

    /// The same for everything.
    virtual Result<void> sync() = 0;

    virtual Result<Usage> statfs() = 0;

    /// Nobody uses `node` any more: if it has no name, its space becomes free.
    virtual Result<void> forget(Node node) = 0;

protected:
    ~FileSystem() = default;
};

}  // namespace svc::storage
