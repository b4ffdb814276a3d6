// SPDX-License-Identifier: Apache-2.0
// The read-only file system of an image: a header, a table of files sorted by name, then the files,
// each on a 4 KiB boundary so that init can hand single files to components as mappings. Written by
// sdk/imagec, read by init and services; both sides include this one header.
//
// The reader judges the whole table once, in open(); what it hands out afterwards lies inside the
// bytes it was given. It loads byte by byte: no alignment is assumed, no pointer is cast, and it
// runs in constant evaluation as well as at EL0 without a C library. Sorted names make the image
// reproducible and the lookup a binary search.
//
// Layout, little-endian: Header (32 bytes) | file_count entries of 64 bytes | padding | files.
#pragma once

#include <kernel/base/result.hpp>
#include <kernel/base/types.hpp>
#include <span>
#include <string_view>

namespace sdk::romfs {

using base::Result;
using base::Status;
using base::u32;
using base::u64;
using base::u8;

inline constexpr u64 kMagic = 0x314D'4F52'5353'4554;  // "TESSROM1"
inline constexpr u32 kVersion = 1;
inline constexpr u32 kMaxFiles = 1024;
inline constexpr u64 kAlignment = 4096;

// Offsets in the header and in an entry.
inline constexpr u64 kHeaderSize = 32;  // magic, version (u32), file_count (u32), total_size, zero
inline constexpr u64 kHeaderVersion = 8;
inline constexpr u64 kHeaderFileCount = 12;
inline constexpr u64 kHeaderTotalSize = 16;
inline constexpr u64 kHeaderReserved = 24;
inline constexpr u64 kEntrySize = 64;  // offset, size, name
inline constexpr u64 kEntryOffset = 0;
inline constexpr u64 kEntryFileSize = 8;
inline constexpr u64 kEntryName = 16;
inline constexpr u64 kNameSize = 48;  // at least one NUL at the end

/// Why bytes are not a file system.
enum class Flaw : u32 {
    None,
    TooShort,         ///< smaller than the header, the table or the size it states
    WrongMagic,       ///< not a ROM file system
    WrongVersion,     ///< written by another version of imagec
    ReservedNotZero,  ///< a reserved field is set
    TooManyFiles,     ///< more than kMaxFiles
    BadName,          ///< empty, unterminated, or with a character outside [A-Za-z0-9._-/]
    NamesNotSorted,   ///< out of order or twice the same
    NotAligned,       ///< a file or the whole does not stand on a 4 KiB boundary
    FileOutOfBounds,  ///< a file reaches past the end or into the table
    FilesOverlap,     ///< a file begins before the one listed before it ends
};

/// One clear phrase for a Flaw.
constexpr std::string_view describe(Flaw flaw) {
    switch (flaw) {
    case Flaw::None:
        return "valid";
    case Flaw::TooShort:
        return "truncated: smaller than it states";
    case Flaw::WrongMagic:
        return "no ROM file system (wrong magic number)";
    case Flaw::WrongVersion:
        return "written by another version of imagec";
    case Flaw::ReservedNotZero:
        return "a reserved field is not zero";
    case Flaw::TooManyFiles:
        return "more than 1024 files";
    case Flaw::BadName:
        return "a file name is empty, unterminated or has a character outside [A-Za-z0-9._-/]";
    case Flaw::NamesNotSorted:
        return "file names are not sorted, or one occurs twice";
    case Flaw::NotAligned:
        return "a file does not begin on a 4 KiB boundary";
    case Flaw::FileOutOfBounds:
        return "a file reaches past the end or into the table";
    case Flaw::FilesOverlap:
        return "two files overlap";
    }
    return "unknown flaw";
}

/// Little-endian load; the caller has checked the bounds.
template <typename T> constexpr T load(std::span<const u8> bytes, u64 offset) {
    T value = 0;
    for (u64 i = 0; i < sizeof(T); ++i) {
        value =
            static_cast<T>(value | static_cast<T>(static_cast<T>(bytes[offset + i]) << (8 * i)));
    }
    return value;
}

constexpr bool is_name_character(u8 c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-' || c == '/';
}

/// Length of the name in an entry, or 0 when it is no name.
constexpr u64 name_length(std::span<const u8> entry) {
    u64 length = 0;
    while (length < kNameSize && is_name_character(entry[kEntryName + length])) {
        ++length;
    }
    for (u64 i = length; i < kNameSize; ++i) {
        if (entry[kEntryName + i] != 0) {
            return 0;
        }
    }
    return length < kNameSize ? length : 0;
}

/// Order of the names of two valid entries: negative, 0 or positive.
constexpr int compare_names(std::span<const u8> a, std::span<const u8> b) {
    for (u64 i = 0; i < kNameSize; ++i) {
        const u8 left = a[kEntryName + i];
        const u8 right = b[kEntryName + i];
        if (left != right) {
            return left < right ? -1 : 1;
        }
    }
    return 0;
}

/// Judges all of `bytes`, which may be longer than the file system. O(files), reads only the table.
constexpr Flaw check(std::span<const u8> bytes) {
    if (bytes.size() < kHeaderSize) {
        return Flaw::TooShort;
    }
    if (load<u64>(bytes, 0) != kMagic) {
        return Flaw::WrongMagic;
    }
    if (load<u32>(bytes, kHeaderVersion) != kVersion) {
        return Flaw::WrongVersion;
    }
    if (load<u64>(bytes, kHeaderReserved) != 0) {
        return Flaw::ReservedNotZero;
    }
    const u32 count = load<u32>(bytes, kHeaderFileCount);
    if (count > kMaxFiles) {
        return Flaw::TooManyFiles;
    }
    const u64 total = load<u64>(bytes, kHeaderTotalSize);
    const u64 table_end = kHeaderSize + count * kEntrySize;
    if (total > bytes.size() || table_end > total) {
        return Flaw::TooShort;
    }
    if (total % kAlignment != 0) {
        return Flaw::NotAligned;
    }
    u64 end_of_previous = table_end;
    for (u32 i = 0; i < count; ++i) {
        const auto entry = bytes.subspan(kHeaderSize + i * kEntrySize, kEntrySize);
        if (name_length(entry) == 0) {
            return Flaw::BadName;
        }
        if (i > 0 && compare_names(bytes.subspan(kHeaderSize + (i - 1) * kEntrySize, kEntrySize),
                                   entry) >= 0) {
            return Flaw::NamesNotSorted;
        }
        const u64 offset = load<u64>(entry, kEntryOffset);
        const u64 size = load<u64>(entry, kEntryFileSize);
        if (offset % kAlignment != 0) {
            return Flaw::NotAligned;
        }
        if (offset < table_end || offset > total || size > total - offset) {
            return Flaw::FileOutOfBounds;
        }
        if (offset < end_of_previous) {
            return Flaw::FilesOverlap;
        }
        end_of_previous = offset + size;
    }
    return Flaw::None;
}

/// A file: borrowed views into the bytes that the Reader was opened on.
struct File {
    std::string_view name{};
    std::span<const u8> content{};
    u64 offset = 0;  ///< of the content from the start of the file system, multiple of 4096
};

/// A checked file system. Cheap to copy; the bytes must outlive it and must not change.
class Reader final {
public:
    constexpr Reader() = default;

    /// InvalidArgument: check() found a flaw. O(files).
    static constexpr Result<Reader> open(std::span<const u8> bytes) {
        if (check(bytes) != Flaw::None) {
            return Status::InvalidArgument;
        }
        return Reader{bytes.first(load<u64>(bytes, kHeaderTotalSize))};
    }

    [[nodiscard]] constexpr u32 file_count() const {
        return bytes_.empty() ? 0 : load<u32>(bytes_, kHeaderFileCount);
    }

    /// Size of the whole, multiple of 4096.
    [[nodiscard]] constexpr u64 size_bytes() const { return bytes_.size(); }

    /// The file at `index` in name order. ResourceNotFound: index is past the last.
    [[nodiscard]] Result<File> find_at(u32 index) const {
        if (index >= file_count()) {
            return Status::ResourceNotFound;
        }
        const auto entry = bytes_.subspan(kHeaderSize + index * kEntrySize, kEntrySize);
        const u64 offset = load<u64>(entry, kEntryOffset);
        return File{.name = name_of(entry),
                    .content = bytes_.subspan(offset, load<u64>(entry, kEntryFileSize)),
                    .offset = offset};
    }

    /// The file called `name`. ResourceNotFound: there is none. O(log files).
    [[nodiscard]] Result<File> find(std::string_view name) const {
        u32 low = 0;
        u32 high = file_count();
        while (low < high) {
            const u32 middle = low + (high - low) / 2;
            const auto entry = bytes_.subspan(kHeaderSize + middle * kEntrySize, kEntrySize);
            const int order = name_of(entry).compare(name);
            if (order == 0) {
                return find_at(middle);
            }
            if (order < 0) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        return Status::ResourceNotFound;
    }

private:
    constexpr explicit Reader(std::span<const u8> bytes) : bytes_(bytes) {}

    static std::string_view name_of(std::span<const u8> entry) {
        // Bytes and characters have the same representation; this is the one place that says so.
        const void* const name = entry.data() + kEntryName;
        return {static_cast<const char*>(name), name_length(entry)};
    }

    std::span<const u8> bytes_{};
};

}  // namespace sdk::romfs
