// SPDX-License-Identifier: Apache-2.0
// Which file system appears where. Mount 0 is the root of everything.
#pragma once

#include <kernel/base/types.hpp>
#include <services/vfs/place.hpp>
#include <span>
#include <string_view>

namespace svc::vfs {

/// A text of bounded length that somebody else may forget.
template <u32 kBytes> class Text final {
public:
    Text() = default;

    /// Cut at the end if it is longer.
    explicit Text(std::string_view text) : size_(text.size() < kBytes ? text.size() : kBytes) {
        for (u64 i = 0; i < size_; ++i) {
            characters_[i] = text[i];
        }
    }

    [[nodiscard]] std::string_view view() const { return {characters_, size_}; }

private:
    char characters_[kBytes]{};
    u64 size_ = 0;
};

struct Mount {
    static constexpr u64 kReadOnly = 1;  ///< of flags: MS_RDONLY; no other means anything here

    FileSystem* files = nullptr;  ///< null: there is no such mount
    Place covered{};              ///< the directory under its root; of mount 0: its root
    u64 flags = 0;
    Text<63> device{};
    Text<127> target{};
    Text<15> kind{};
};

class Mounts final {
public:
    static constexpr u32 kMost = 16;

    /// Errors: TableFull.
    Result<u32> add(const Mount& mount);

    /// Nobody uses it any more.
    void remove(u32 mount) { mounts_[mount] = {}; }

    /// What is seen at a directory: the root of the file system mounted there last, or itself.
    [[nodiscard]] Place enter(Place place) const;

    /// The directory under the root of its mount, if it is one; else itself.
    [[nodiscard]] Place leave(Place place) const;

    [[nodiscard]] bool is_covered(Place place) const { return enter(place) != place; }

    [[nodiscard]] FileSystem& files(Place place) const { return *mounts_[place.mount].files; }

    [[nodiscard]] bool is_read_only(Place place) const {
        return (mounts_[place.mount].flags & Mount::kReadOnly) != 0;
    }

    [[nodiscard]] Place root() const { return enter({0, mounts_[0].files->root()}); }

    /// All places for mounts, those without a file system too.
    [[nodiscard]] std::span<const Mount> all() const { return mounts_; }

private:
    Mount mounts_[kMost]{};
};

}  // namespace svc::vfs
