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

    /// `open_count`: of the owner. Errors: TableFull; TooManyFiles (of this owner).
    Result<u32> open(const OpenFile& file, u32& open_count) {
        if (open_count >= kMostOfOne) {
            return Error::TooManyFiles;
        }
        while (first_free_ < kMost && files_[first_free_].owner != 0) {
            ++first_free_;
        }
        if (first_free_ == kMost) {
            return Error::TableFull;
        }
        ++open_count;
        files_[first_free_] = file;
        return first_free_++;
    }

    /// `open_count`: of its owner.
    void close(OpenFile& file, u32& open_count) {
        const auto number = static_cast<u32>(&file - files_);
        first_free_ = number < first_free_ ? number : first_free_;
        --open_count;
        file = {};
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
    u32 first_free_ = 0;  // none below is
};

}  // namespace svc::vfs
