// SPDX-License-Identifier: Apache-2.0
// What is on the device, as in [FAT]: a boot sector with the parameter block, copies of the table
// of clusters, on FAT12 and FAT16 a root directory of fixed size, and the clusters, numbered
// from 2. A directory is an array of entries of 32 bytes; a long name is kept in entries of its own
// before the one that it belongs to.
#pragma once

#include <array>
#include <cstring>
#include <services/storage/result.hpp>
#include <span>

namespace svc::storage::fat {

/// Without std::has_single_bit, which calls a function of the compiler's library where there are no
/// vector registers.
constexpr bool is_power_of_two(u64 value) { return value != 0 && (value & (value - 1)) == 0; }

using base::s64;

inline u16 load16(const u8* at) { return static_cast<u16>(at[0] | (at[1] << 8)); }

inline u32 load32(const u8* at) { return load16(at) | (u32{load16(at + 2)} << 16); }

inline void store16(u8* at, u32 value) {
    at[0] = static_cast<u8>(value);
    at[1] = static_cast<u8>(value >> 8);
}

inline void store32(u8* at, u32 value) {
    store16(at, value);
    store16(at + 2, value >> 16);
}

// [FAT] "Boot Sector and BPB": offsets in the first sector.
inline constexpr u32 kBootBytes = 512;
inline constexpr u32 kSectorBytesAt = 11;
inline constexpr u32 kClusterSectorsAt = 13;
inline constexpr u32 kReservedAt = 14;
inline constexpr u32 kTablesAt = 16;
inline constexpr u32 kRootEntriesAt = 17;
inline constexpr u32 kSectors16At = 19;
inline constexpr u32 kMediaAt = 21;
inline constexpr u32 kTableSectors16At = 22;
inline constexpr u32 kHiddenAt = 28;
inline constexpr u32 kSectors32At = 32;
inline constexpr u32 kTableSectors32At = 36;
inline constexpr u32 kFlags32At = 40;
inline constexpr u32 kVersion32At = 42;
inline constexpr u32 kRootCluster32At = 44;
inline constexpr u32 kInfo32At = 48;
inline constexpr u32 kBackup32At = 50;
inline constexpr u32 kSignatureAt = 510;
inline constexpr u32 kSignature = 0xaa55;
/// Where what follows the parameters begins: drive number, state, 0x29, serial, label, type.
inline constexpr u32 kTail16At = 36;
inline constexpr u32 kTail32At = 64;
inline constexpr u32 kStateInTail = 1;  ///< bit 0: not unmounted
inline constexpr u32 kLabelInTail = 7;
inline constexpr u32 kLabelBytes = 11;

// [FAT] "FSInfo sector structure".
inline constexpr u32 kInfoLead = 0x4161'5252;
inline constexpr u32 kInfoMiddle = 0x6141'7272;
inline constexpr u32 kInfoMiddleAt = 484;
inline constexpr u32 kInfoFreeAt = 488;
inline constexpr u32 kInfoNextAt = 492;
inline constexpr u32 kInfoTail = 0xaa55'0000;
inline constexpr u32 kInfoTailAt = 508;
inline constexpr u32 kUnknown = ~0u;

/// What the table says of a cluster, whatever its width.
inline constexpr u32 kFree = 0;
inline constexpr u32 kBad = 0x0fff'fff7;
inline constexpr u32 kEnd = 0x0fff'ffff;
inline constexpr u32 kMost12 = 4084;  ///< clusters of FAT12
inline constexpr u32 kMost16 = 65524;
inline constexpr u32 kMost32 = 0x0fff'fff4;

// [FAT] "Directory structure".
inline constexpr u32 kEntryBytes = 32;
inline constexpr u32 kMaxEntries = 65536;  ///< of a directory
inline constexpr u8 kDeleted = 0xe5;
inline constexpr u8 kIsE5 = 0x05;  ///< stands for a first byte of 0xe5
inline constexpr u32 kShortBytes = 11;

enum : u8 {
    kReadOnlyBit = 0x01,
    kHiddenBit = 0x02,
    kSystemBit = 0x04,
    kLabelBit = 0x08,
    kDirectoryBit = 0x10,
    kArchiveBit = 0x20,
    kLongName = 0x0f,
    kLongNameMask = 0x3f,
    kLowerBase = 0x08,  ///< in the byte of cases: the short name is shown so
    kLowerExtension = 0x10,
};

// [FAT] "Long File Name Implementation".
inline constexpr u32 kUnitsPerEntry = 13;
inline constexpr u32 kMaxUnits = 255;
inline constexpr u32 kMaxLongEntries = 20;
inline constexpr u8 kLastLong = 0x40;

/// One entry of a directory, as it is stored.
struct Entry {
    std::array<u8, kEntryBytes> raw{};

    [[nodiscard]] u8 attributes() const { return raw[11]; }

    [[nodiscard]] bool is_directory() const { return (raw[11] & kDirectoryBit) != 0; }

    [[nodiscard]] u32 size() const { return load32(&raw[28]); }

    void set_size(u32 size) { store32(&raw[28], size); }

    void set_cluster(u32 cluster) {
        store16(&raw[20], cluster >> 16);
        store16(&raw[26], cluster);
    }

    /// Day, time of day and hundredths of the creation, in this order of weight.
    [[nodiscard]] u64 created() const {
        return (u64{load16(&raw[16])} << 24) | (u64{load16(&raw[14])} << 8) | raw[13];
    }

    [[nodiscard]] s64 created_ns() const;
    void set_created_ns(s64 ns);  ///< kept to 10 ms
    [[nodiscard]] s64 modified_ns() const;
    void set_modified_ns(s64 ns);  ///< kept to 2 s
    [[nodiscard]] s64 accessed_ns() const;
    void set_accessed_ns(s64 ns);  ///< kept to a day
};

/// Times outside of 1980 to 2107 become the nearest that can be kept.
struct DosTime {
    u16 date = 0;
    u16 time = 0;
    u8 hundredths = 0;  ///< below 200, since `time` has steps of two seconds
};

DosTime to_dos(s64 ns);
s64 from_dos(const DosTime& time);

inline constexpr s64 kFirstTimeNs = 315'532'800'000'000'000;  ///< 1980

}  // namespace svc::storage::fat
