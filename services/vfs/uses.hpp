// SPDX-License-Identifier: Apache-2.0
// Who is used: by open files, working directories, mounts. A file system keeps a node without a
// name until it is told to forget it, and does not count; this does.
#pragma once

#include <services/vfs/mounts.hpp>

namespace svc::vfs {

class Uses final {
public:
    static constexpr u32 kMost = 1024;  ///< nodes in use at the same time

    explicit Uses(Mounts& mounts);

    /// One more user. Errors: TableFull.
    Result<void> take(Place place);

    /// One user less, who took it. After the last one the file system may forget the node, and
    /// free its space if it has no name.
    void release(Place place);

    /// `place` has lost its last name: its space is free now, or when nobody uses it any more.
    void lost_its_names(Place place);

    /// Somebody uses a node of this mount.
    [[nodiscard]] bool is_mount_used(u32 mount) const;

private:
    static constexpr u32 kBuckets = 256;

    struct Entry {
        Place place{};
        u32 users = 0;
        Entry* next = nullptr;
    };

    [[nodiscard]] Entry** find(Place place);

    Mounts& mounts_;
    Entry entries_[kMost]{};
    Entry* buckets_[kBuckets]{};
    Entry* free_ = nullptr;
};

}  // namespace svc::vfs
