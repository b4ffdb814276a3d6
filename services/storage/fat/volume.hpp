// SPDX-License-Identifier: Apache-2.0
// Where things are, from the boot sector. Everything is in bytes from the start of the device, and
// inside of it.
#pragma once

#include <services/storage/fat/format.hpp>

namespace svc::storage::fat {

struct Volume {
    u32 bits = 0;  ///< 12, 16 or 32
    u32 sector_bytes = 0;
    u32 cluster_bytes = 0;
    u32 clusters = 0;  ///< their numbers are 2 to clusters + 1
    u64 table_at = 0;  ///< the copy that is read
    u64 table_bytes = 0;
    u32 table_copies = 0;  ///< that are written, from table_at on
    u64 root_at = 0;       ///< FAT12 and FAT16
    u32 root_entries = 0;
    u32 root_cluster = 0;  ///< FAT32
    u64 data_at = 0;
    u64 end = 0;      ///< of the last cluster
    u64 info_at = 0;  ///< FSInfo, or 0
    u64 state_at = 0;
    std::array<u8, kLabelBytes> label{};

    /// Errors: NoDevice (not FAT, or nothing that we can use).
    static Result<Volume> parse(std::span<const u8, kBootBytes> boot, u64 device_bytes);

    [[nodiscard]] bool has(u32 cluster) const { return cluster - 2 < clusters; }

    [[nodiscard]] u64 cluster_at(u32 cluster) const {
        return data_at + u64{cluster - 2} * cluster_bytes;
    }

    /// A first cluster has 16 bits on FAT12 and FAT16, where others use the rest for other things.
    [[nodiscard]] u32 cluster_of(const Entry& entry) const {
        const u32 low = load16(&entry.raw[26]);
        return bits == 32 ? low | (u32{load16(&entry.raw[20])} << 16) : low;
    }

    /// A name for root directories that no cluster has.
    [[nodiscard]] u32 root_directory() const { return bits == 32 ? root_cluster : 0; }

    /// As ".." has it.
    [[nodiscard]] u32 parent_mark(u32 directory) const {
        return directory == root_directory() ? 0 : directory;
    }
};

}  // namespace svc::storage::fat
