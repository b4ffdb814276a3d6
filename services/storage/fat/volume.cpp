// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <services/storage/fat/volume.hpp>

namespace svc::storage::fat {

namespace {

constexpr u64 kMostBytes = u64{1} << 41;  // so that 36 bits tell all entries apart
constexpr u32 kMostTables = 4;

bool is_power(u32 value, u32 least, u32 most) {
    return value >= least && value <= most && is_power_of_two(value);
}

/// What FAT32 has more. Returns whether it makes sense.
bool read_fat32(Volume& volume, const u8* boot, u32 tables, u32 reserved) {
    volume.bits = 32;
    volume.root_cluster = load32(boot + kRootCluster32At) & kEnd;
    const u32 flags = load16(boot + kFlags32At);
    if ((flags & 0x80) != 0) {  // one copy is in use, the others are not kept equal
        if ((flags & 15) >= tables) {
            return false;
        }
        volume.table_at += volume.table_bytes * (flags & 15);
        volume.table_copies = 1;
    }
    const u32 info = load16(boot + kInfo32At);
    volume.info_at = info > 0 && info < reserved ? u64{info} * volume.sector_bytes : 0;
    volume.state_at = kTail32At + kStateInTail;
    return load16(boot + kVersion32At) == 0;
}

}  // namespace

Result<Volume> Volume::parse(std::span<const u8, kBootBytes> boot_sector, u64 device_bytes) {
    const u8* const boot = boot_sector.data();
    Volume volume;
    volume.sector_bytes = load16(boot + kSectorBytesAt);
    const u32 cluster_sectors = boot[kClusterSectorsAt];
    const u32 reserved = load16(boot + kReservedAt);
    const u32 tables = boot[kTablesAt];
    if (load16(boot + kSignatureAt) != kSignature || !is_power(volume.sector_bytes, 512, 4096) ||
        !is_power(cluster_sectors, 1, 128) || reserved == 0 || tables == 0 ||
        tables > kMostTables) {
        return Error::NoDevice;
    }
    volume.cluster_bytes = cluster_sectors * volume.sector_bytes;
    const u32 sectors16 = load16(boot + kSectors16At);
    const u64 sectors = sectors16 != 0 ? sectors16 : load32(boot + kSectors32At);
    // The rule is the number of clusters; but only FAT32 has no 16-bit size of the table, and
    // others go by that.
    const u32 table16 = load16(boot + kTableSectors16At);
    const u64 table_sectors = table16 != 0 ? table16 : load32(boot + kTableSectors32At);
    volume.root_entries = load16(boot + kRootEntriesAt);
    const u64 root_sectors =
        (u64{volume.root_entries} * kEntryBytes + volume.sector_bytes - 1) / volume.sector_bytes;
    const u64 first = reserved + tables * table_sectors + root_sectors;
    if (table_sectors == 0 || first + cluster_sectors > sectors ||
        sectors * volume.sector_bytes > std::min(device_bytes, kMostBytes)) {
        return Error::NoDevice;
    }
    volume.table_at = u64{reserved} * volume.sector_bytes;
    volume.table_bytes = table_sectors * volume.sector_bytes;
    volume.table_copies = tables;
    volume.root_at = volume.table_at + tables * volume.table_bytes;
    volume.data_at = first * volume.sector_bytes;
    const u64 clusters = (sectors - first) / cluster_sectors;
    u32 most = kMost32;
    if (table16 == 0) {
        if (volume.root_entries != 0 || !read_fat32(volume, boot, tables, reserved)) {
            return Error::NoDevice;
        }
    } else {
        most = clusters <= kMost12 ? kMost12 : kMost16;
        volume.bits = clusters <= kMost12 ? 12 : 16;
        volume.state_at = kTail16At + kStateInTail;
    }
    if (clusters > most || (table16 != 0 && volume.root_entries == 0)) {
        return Error::NoDevice;
    }
    const u64 room = volume.table_bytes * 8 / volume.bits;
    volume.clusters = static_cast<u32>(std::min(clusters, room < 2 ? 0 : room - 2));
    volume.end = volume.data_at + u64{volume.clusters} * volume.cluster_bytes;
    if (volume.clusters == 0 || (volume.bits == 32 && !volume.has(volume.root_cluster))) {
        return Error::NoDevice;
    }
    const u32 tail = volume.bits == 32 ? kTail32At : kTail16At;
    std::copy_n(boot + tail + kLabelInTail, kLabelBytes, volume.label.begin());
    return volume;
}

}  // namespace svc::storage::fat
