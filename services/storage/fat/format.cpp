// SPDX-License-Identifier: Apache-2.0
// A new file system, in the layout that [FAT] recommends.
#include <algorithm>
#include <services/storage/fat/fat.hpp>

namespace svc::storage::fat {

namespace {

constexpr u32 kMedia = 0xf8;
constexpr u32 kFixedRootEntries = 512;
constexpr u64 kMegabyte = 1u << 20;

struct Layout {
    u32 bits = 0;
    u32 sector = 0;
    u32 cluster_sectors = 0;
    u32 reserved = 0;
    u32 root_sectors = 0;
    u32 table_sectors = 0;
    u32 clusters = 0;
    u64 sectors = 0;

    [[nodiscard]] u32 root_entries() const { return bits == 32 ? 0 : kFixedRootEntries; }

    [[nodiscard]] u32 data() const { return reserved + 2 * table_sectors + root_sectors; }
};

/// The tables depend on the number of clusters, and this on what the tables leave.
bool place_tables(Layout& layout) {
    layout.table_sectors = 1;
    while (true) {
        if (layout.data() + layout.cluster_sectors > layout.sectors) {
            return false;
        }
        layout.clusters =
            static_cast<u32>((layout.sectors - layout.data()) / layout.cluster_sectors);
        const u64 bytes = (u64{layout.clusters + 2} * layout.bits + 7) / 8;
        const auto needed = static_cast<u32>((bytes + layout.sector - 1) / layout.sector);
        if (needed <= layout.table_sectors) {
            return true;
        }
        layout.table_sectors = needed;
    }
}

bool has_fitting_count(const Layout& layout) {
    const u32 count = layout.clusters;
    // Some others count a few more or less, so [FAT] advises to stay away from the limits.
    return layout.bits == 12   ? count <= kMost12 - 16
           : layout.bits == 16 ? count > kMost12 + 16 && count <= kMost16 - 16
                               : count > kMost16 + 16 && count <= kMost32;
}

Result<Layout> choose(const Device& device, const Format& how) {
    Layout layout{.bits = how.bits, .sector = device.block_bytes()};
    layout.sectors = device.block_count();
    const u64 bytes = layout.sectors * layout.sector;
    if (layout.bits == 0) {
        layout.bits = bytes < 8 * kMegabyte ? 12 : bytes < 512 * kMegabyte ? 16 : 32;
    }
    if ((layout.bits != 12 && layout.bits != 16 && layout.bits != 32) ||
        layout.sectors > 0xffff'ffff || layout.sector < 512 || layout.sector > 4096) {
        return Error::Invalid;
    }
    layout.reserved = layout.bits == 32 ? 32 : 1;
    layout.root_sectors = layout.root_entries() * kEntryBytes / layout.sector;
    const u32 first = how.cluster_bytes != 0 ? how.cluster_bytes : std::max(layout.sector, 512u);
    const u32 last = how.cluster_bytes != 0 ? how.cluster_bytes : 65536;
    // At best 4 KiB and more on FAT32, else the smallest clusters that are few enough.
    const u32 least =
        layout.bits == 32 && bytes >= 260 * kMegabyte ? std::max(first, 4096u) : first;
    for (u32 cluster = how.cluster_bytes != 0 ? first : least; cluster <= last; cluster *= 2) {
        layout.cluster_sectors = cluster / layout.sector;
        if (!is_power_of_two(cluster) || layout.cluster_sectors == 0 ||
            layout.cluster_sectors > 128) {
            return Error::Invalid;
        }
        if (place_tables(layout) && has_fitting_count(layout)) {
            return layout;
        }
    }
    return Error::Invalid;
}

void put_label(u8* at, std::string_view label, std::string_view none) {
    std::memset(at, ' ', kLabelBytes);
    const auto text = label.empty() ? none : label.substr(0, kLabelBytes);
    std::transform(text.begin(), text.end(), at, [](char c) {
        return static_cast<u8>(fold(static_cast<u8>(c)));
    });
}

void fill_boot(const Layout& layout, const Format& how, u8* boot) {
    const u32 tail = layout.bits == 32 ? kTail32At : kTail16At;
    // A jump over the parameters to a loop, for those who start from it.
    boot[0] = 0xeb;
    boot[1] = static_cast<u8>(tail + 24);
    boot[2] = 0x90;
    boot[tail + 26] = 0xeb;
    boot[tail + 27] = 0xfe;
    std::memcpy(boot + 3, "TESSERA ", 8);
    store16(boot + kSectorBytesAt, layout.sector);
    boot[kClusterSectorsAt] = static_cast<u8>(layout.cluster_sectors);
    store16(boot + kReservedAt, layout.reserved);
    boot[kTablesAt] = 2;
    store16(boot + kRootEntriesAt, layout.root_entries());
    const bool is_small = layout.bits != 32 && layout.sectors < 0x10000;
    const u32 sectors = static_cast<u32>(layout.sectors);
    store16(boot + kSectors16At, is_small ? sectors : 0);
    store32(boot + kSectors32At, is_small ? 0 : sectors);
    boot[kMediaAt] = kMedia;
    store16(boot + 24, 32);  // geometry, which nobody uses any more
    store16(boot + 26, 64);
    if (layout.bits == 32) {
        store32(boot + kTableSectors32At, layout.table_sectors);
        store32(boot + kRootCluster32At, 2);
        store16(boot + kInfo32At, 1);
        store16(boot + kBackup32At, 6);
    } else {
        store16(boot + kTableSectors16At, layout.table_sectors);
    }
    boot[tail] = 0x80;
    boot[tail + 2] = 0x29;
    store32(boot + tail + 3, how.serial);
    put_label(boot + tail + kLabelInTail, how.label, "NO NAME");
    const std::string_view type = layout.bits == 12   ? "FAT12   "
                                  : layout.bits == 16 ? "FAT16   "
                                                      : "FAT32   ";
    std::memcpy(boot + tail + 18, type.data(), type.size());
    store16(boot + kSignatureAt, kSignature);
}

void fill_info(const Layout& layout, u8* info) {
    store32(info, kInfoLead);
    store32(info + kInfoMiddleAt, kInfoMiddle);
    store32(info + kInfoFreeAt, layout.clusters - 1);
    store32(info + kInfoNextAt, 3);
    store32(info + kInfoTailAt, kInfoTail);
}

void fill_table(const Layout& layout, u8* table) {
    if (layout.bits == 12) {
        store32(table, 0xff'ff00 | kMedia);
    } else if (layout.bits == 16) {
        store32(table, 0xffff'ff00 | kMedia);
    } else {
        store32(table, 0x0fff'ff00 | kMedia);
        store32(table + 4, kEnd);
        store32(table + 8, kEnd);  // the root
    }
}

}  // namespace

Result<void> Fat::format(Device& device, const Format& how, Clock& clock, std::span<u8> memory) {
    TRY_VALUE(const Layout layout, choose(device, how));
    const u64 room = memory.size() / layout.sector * layout.sector;
    if (room == 0 || how.label.size() > kLabelBytes) {
        return Error::Invalid;
    }
    // The boot sector comes last, so that nobody takes half of it for a file system.
    const auto sector = memory.first(layout.sector);
    const u64 end = layout.data() + (layout.bits == 32 ? layout.cluster_sectors : 0);
    std::ranges::fill(memory, u8{0});
    for (u64 at = 0; at < end; at += room / layout.sector) {
        TRY(device.write(at, memory.first(std::min(room, (end - at) * layout.sector))));
    }
    const auto write = [&](u64 at) -> Result<void> {
        TRY(device.write(at, sector));
        std::ranges::fill(sector, u8{0});
        return {};
    };
    for (u32 copy = 0; copy < 2; ++copy) {
        fill_table(layout, sector.data());
        TRY(write(layout.reserved + u64{copy} * layout.table_sectors));
    }
    if (!how.label.empty()) {
        Entry label;
        put_label(label.raw.data(), how.label, "");
        label.raw[11] = kLabelBit;
        label.set_modified_ns(clock.now_ns());
        std::copy(label.raw.begin(), label.raw.end(), sector.begin());
        TRY(write(layout.bits == 32 ? layout.data() : layout.data() - layout.root_sectors));
    }
    const u32 copies = layout.bits == 32 ? 2 : 1;
    for (u32 copy = copies; copy-- > 0;) {
        if (layout.bits == 32) {
            fill_info(layout, sector.data());
            TRY(write(u64{copy} * 6 + 1));
        }
        TRY(copy == 0 ? device.flush() : Result<void>{});
        fill_boot(layout, how, sector.data());
        TRY(write(u64{copy} * 6));
    }
    return device.flush();
}

}  // namespace svc::storage::fat
