// SPDX-License-Identifier: Apache-2.0
// Locks on ranges of bytes, as fcntl() has them: a process's, on a file, whichever of its
// descriptors it was set through. They are advice: reads and writes do not look at them.
#pragma once

#include <services/vfs/place.hpp>
#include <span>

namespace svc::vfs {

enum class LockKind : u8 { Shared, Exclusive };

/// Bytes [begin, end) of a file.
struct Lock {
    u64 owner = 0;  ///< the process's SID; 0: no lock
    Place place{};
    LockKind kind = LockKind::Shared;
    u64 begin = 0;
    u64 end = 0;
};

class Locks final {
public:
    static constexpr u32 kMost = 256;

    /// A lock of somebody else's that keeps `wanted` from being set; null: there is none.
    [[nodiscard]] const Lock* find_conflict(const Lock& wanted) const;

    /// Replaces what the owner had on these bytes. Errors: TryAgain (a conflict), TableFull: ENOLCK
    /// would say more, but nothing has changed.
    Result<void> set(const Lock& lock);

    /// Takes the owner's locks off these bytes; what is left of them on both sides stays. The kind
    /// does not matter. Errors: TableFull (one became two).
    Result<void> clear(const Lock& range);

    /// All of an owner's on a file.
    void clear_file(u64 owner, Place place);

private:
    [[nodiscard]] Lock* find_free();
    [[nodiscard]] bool has_room(const Lock& range, u32 needed) const;
    void cut(const Lock& range);

    [[nodiscard]] std::span<Lock> used() { return std::span{locks_}.first(end_); }

    Lock locks_[kMost]{};
    u32 end_ = 0;  // none is behind it: most often there are few, or none
};

}  // namespace svc::vfs
