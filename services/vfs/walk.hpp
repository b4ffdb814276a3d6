// SPDX-License-Identifier: Apache-2.0
// From a path to a place: components, symbolic links, mounts, and the right to look into each
// directory on the way. [POSIX] "Pathname Resolution"
#pragma once

#include <services/vfs/mounts.hpp>

namespace svc::vfs {

/// Who asks, and for what: the owner's, the group's or the others' bits of a file decide. Nobody
/// stands above them.
struct User {
    enum : u32 { kRead = 4, kWrite = 2, kSearch = 1, kExecute = 1 };

    u32 user = 0;
    u32 group = 0;

    /// Errors: Access.
    [[nodiscard]] Result<void> check(const Attributes& attributes, u32 wanted) const;
};

/// What a path names.
struct Found {
    Place directory{};             ///< where its last component stands
    std::string_view name{};       ///< the last component; empty: "." or ".." or "/" or nothing
    Place place{};                 ///< nowhere: there is no such name
    Kind kind = Kind::None;        ///< of `place`
    bool wants_directory = false;  ///< it ends in a slash
};

/// One path. What it found refers to its memory.
class Walk final {
public:
    static constexpr u64 kPathBytes = 1024;
    static constexpr u32 kMaxLinks = 16;

    enum class Link : u8 { Follow, Keep };  ///< a symbolic link at the end

    Walk(const Mounts& mounts, Place root, User user) : mounts_(mounts), root_(root), user_(user) {}

    /// Begins at `start` unless the path is absolute. Finds nothing at the end without an error;
    /// on the way that is NoEntry. Errors: NoEntry, NotADirectory, Access, TooManyLevels,
    /// NameTooLong, and those of the file systems.
    Result<Found> find(Place start, std::string_view path, Link link);

private:
    Result<Place> parent(Place place);
    Result<std::string_view> expand(Place link, std::string_view rest);
    Result<void> check_search(Place directory);
    [[nodiscard]] Result<Kind> kind_of(Place place) const;

    const Mounts& mounts_;
    Place root_;
    User user_;
    char texts_[2][kPathBytes];  ///< of the path with a link replaced: one is read, one is written
    u32 written_ = 0;
    u32 links_ = 0;
};

}  // namespace svc::vfs
