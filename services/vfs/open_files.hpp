// SPDX-License-Identifier: Apache-2.0
// Open files of all processes. A file's number is its place here, and counts for the process only
// that opened it.
#pragma once

#include <services/vfs/place.hpp>

namespace svc::vfs {

/// Flags of open(), as AArch64 has them.
enum OpenFlag : u32 {
    kAccessMode = 3,
    kReadOnly = 0,
    kWriteOnly = 1,
    kReadWrite = 2,
    kCreate = 0100,
    kExclusive = 0200,
    kTruncate = 01000,
    kAppend = 02000,
    kNonBlocking = 04000,
    kDataSync = 010000,
    kDirectory = 040000,
    kNoFollow = 0100000,
    kDirect = 0200000,
    kSync = 04000000,
    kPathOnly = 010000000,
};

struct OpenFile {
    u64 owner = 0;  ///< SID of the process; 0: not open
    Place place{};
    Kind kind = Kind::None;
    u32 flags = 0;
    u64 position = 0;  ///< of a directory: 0, 1 behind ".", above that 2 and the cursor

    [[nodiscard]] bool can_read() const {
        return (flags & kPathOnly) == 0 && (flags & kAccessMode) != kWriteOnly;
    }

    [[nodiscard]] bool can_write() const {
        return (flags & kPathOnly) == 0 && (flags & kAccessMode) != kReadOnly;
    }
};

class OpenFiles final {
public:
    static constexpr u32 kMost = 512;
    static constexpr u32 kMostOfOne = 256;

    /// Errors: TableFull; TooManyFiles (of this owner).
    Result<u32> open(const OpenFile& file) {
        u32 free = kMost;
        u32 own = 0;
        for (u32 i = 0; i < kMost; ++i) {
            own += files_[i].owner == file.owner ? 1 : 0;
            free = files_[i].owner == 0 && free == kMost ? i : free;
        }
        if (own >= kMostOfOne) {
            return Error::TooManyFiles;
        }
        if (free == kMost) {
            return Error::TableFull;
        }
        files_[free] = file;
        return free;
    }

    /// Null: no open file of this owner's.
    [[nodiscard]] OpenFile* find(u64 owner, s32 number) {
        if (number < 0 || number >= static_cast<s32>(kMost) || files_[number].owner != owner ||
            owner == 0) {
            return nullptr;
        }
        return &files_[number];
    }

private:
    OpenFile files_[kMost]{};
};

}  // namespace svc::vfs
