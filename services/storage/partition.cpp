// SPDX-License-Identifier: Apache-2.0
#include <cstring>
#include <services/storage/crc32.hpp>
#include <services/storage/partition.hpp>

namespace svc::storage {

namespace {

constexpr u32 kLargestBlock = 4096;

// [UEFI] "Legacy Master Boot Record (MBR)"
constexpr u32 kMbrEntries = 446;
constexpr u32 kMbrEntryBytes = 16;
constexpr u32 kMbrEntryCount = 4;
constexpr u32 kMbrSignature = 510;
constexpr u32 kFirstLogical = 5;
constexpr u8 kProtective = 0xEE;

// [UEFI] "GPT Header", "GPT Partition Entry Array"
constexpr u32 kHeaderBytes = 92;
constexpr u32 kHeaderCrc = 16;
constexpr u32 kEntryBytes = 128;
constexpr u32 kMostEntryBytes = 4096;
constexpr u32 kMostEntries = 1024;
constexpr u32 kNameUnits = 36;

constexpr bool is_extended(u8 kind) { return kind == 0x05 || kind == 0x0F || kind == 0x85; }

/// Little-endian, at any address.
template <typename T> T load(std::span<const u8> bytes, std::size_t at) {
    T value = 0;
    for (std::size_t i = 0; i < sizeof(T); ++i) {
        value = static_cast<T>(value | static_cast<T>(T{bytes[at + i]} << (8 * i)));
    }
    return value;
}

/// A device's block, and which one it is.
class Block final {
public:
    explicit Block(Device& device) : device_(device) {}

    Result<void> read(u64 number) {
        return device_.read(number, std::span{bytes_}.first(device_.block_bytes()));
    }

    [[nodiscard]] std::span<const u8> bytes() const {
        return std::span{bytes_}.first(device_.block_bytes());
    }

private:
    Device& device_;
    alignas(8) u8 bytes_[kLargestBlock];
};

/// Takes partitions that are sound.
class Collector final {
public:
    Collector(std::span<Partition> room, PartitionTable& table) : room_(room), table_(table) {}

    /// [begin, end) is where it may lie.
    void add(const Partition& partition, u64 begin, u64 end) {
        const bool is_inside = partition.count > 0 && partition.first >= begin &&
                               partition.first < end && partition.count <= end - partition.first;
        if (!is_inside || overlaps(partition) || table_.count == room_.size()) {
            ++table_.refused;
            return;
        }
        room_[table_.count++] = partition;
    }

private:
    [[nodiscard]] bool overlaps(const Partition& partition) const {
        for (const Partition& other : room_.first(table_.count)) {
            if (partition.first < other.first + other.count &&
                other.first < partition.first + partition.count) {
                return true;
            }
        }
        return false;
    }

    std::span<Partition> room_;
    PartitionTable& table_;
};

struct MbrEntry {
    u8 flags = 0;
    u8 kind = 0;
    u64 first = 0;  // relative to something
    u64 count = 0;

    [[nodiscard]] bool is_empty() const { return kind == 0 || count == 0; }
};

MbrEntry mbr_entry(std::span<const u8> block, u32 index) {
    const auto bytes = block.subspan(kMbrEntries + index * kMbrEntryBytes, kMbrEntryBytes);
    return {.flags = bytes[0],
            .kind = bytes[4],
            .first = load<u32>(bytes, 8),
            .count = load<u32>(bytes, 12)};
}

bool is_mbr(std::span<const u8> block) {
    return block[kMbrSignature] == 0x55 && block[kMbrSignature + 1] == 0xAA;
}

/// The boot block of a FAT file system ends in the same two bytes.
bool is_fat(std::span<const u8> block) {
    constexpr char kName[] = {'F', 'A', 'T'};
    const bool jumps = block[0] == 0xEB || block[0] == 0xE9;
    return jumps && (std::memcmp(&block[54], kName, sizeof(kName)) == 0 ||
                     std::memcmp(&block[82], kName, sizeof(kName)) == 0);
}

Partition partition_of(const MbrEntry& entry, u32 number, u64 base) {
    return {.number = number,
            .first = base + entry.first,
            .count = entry.count,
            .kind = entry.kind,
            .is_bootable = (entry.flags & 0x80) != 0};
}

/// The logical partitions within `outer`: in each record one, and where the next record is, counted
/// from the begin of the whole chain. As many steps as there may be partitions, so that a chain
/// that bites its tail ends.
Result<void> read_chain(Device& device,
                        Block& block,
                        const MbrEntry& outer,
                        Collector& collector,
                        PartitionTable& table) {
    const u64 end = outer.first + outer.count;
    u64 at = outer.first;
    for (u32 number = kFirstLogical; number < kFirstLogical + kMaxPartitions; ++number) {
        if (at >= device.block_count()) {
            break;
        }
        TRY(block.read(at));
        if (!is_mbr(block.bytes())) {
            break;
        }
        const MbrEntry here = mbr_entry(block.bytes(), 0);
        const MbrEntry next = mbr_entry(block.bytes(), 1);
        if (!here.is_empty()) {
            const u64 limit = end < device.block_count() ? end : device.block_count();
            collector.add(partition_of(here, number, at), at + 1, limit);
        }
        if (next.is_empty()) {
            return {};
        }
        if (!is_extended(next.kind) || next.first >= outer.count) {
            break;
        }
        at = outer.first + next.first;
    }
    table.is_chain_cut = true;
    return {};
}

Result<void> read_mbr(Device& device,
                      Block& block,
                      const MbrEntry (&entries)[kMbrEntryCount],
                      Collector& collector,
                      PartitionTable& table) {
    const MbrEntry* outer = nullptr;
    for (u32 i = 0; i < kMbrEntryCount; ++i) {
        const MbrEntry& entry = entries[i];
        if (entry.is_empty()) {
            continue;
        }
        table.kind = TableKind::Mbr;
        if (!is_extended(entry.kind)) {
            collector.add(partition_of(entry, i + 1, 0), 1, device.block_count());
        } else if (outer == nullptr && entry.first > 0) {
            outer = &entry;
        } else {
            ++table.refused;
        }
    }
    return outer == nullptr ? Result<void>{} : read_chain(device, block, *outer, collector, table);
}

/// What of a sound header is needed.
struct GptHeader {
    u64 entries_at = 0;
    u32 entry_count = 0;
    u32 entry_bytes = 0;
    u32 entries_crc = 0;
    u64 first_usable = 0;
    u64 end_usable = 0;  // one behind the last
};

/// Damaged: its own sums or places are wrong.
Result<GptHeader> parse_header(std::span<const u8> block, u64 at, u64 block_count) {
    constexpr u8 kSignature[] = {'E', 'F', 'I', ' ', 'P', 'A', 'R', 'T'};
    constexpr u8 kZeros[4] = {};
    const u32 size = load<u32>(block, 12);
    if (std::memcmp(block.data(), kSignature, sizeof(kSignature)) != 0 || size < kHeaderBytes ||
        size > block.size()) {
        return Error::Damaged;
    }
    Crc32 crc;
    crc.add(block.first(kHeaderCrc));
    crc.add(kZeros);
    crc.add(block.subspan(kHeaderCrc + 4, size - kHeaderCrc - 4));
    const GptHeader header{.entries_at = load<u64>(block, 72),
                           .entry_count = load<u32>(block, 80),
                           .entry_bytes = load<u32>(block, 84),
                           .entries_crc = load<u32>(block, 88),
                           .first_usable = load<u64>(block, 40),
                           .end_usable = load<u64>(block, 48) + 1};
    const bool is_array = header.entry_count > 0 && header.entry_count <= kMostEntries &&
                          header.entry_bytes >= kEntryBytes &&
                          header.entry_bytes <= kMostEntryBytes &&
                          (header.entry_bytes & (header.entry_bytes - 1)) == 0;
    if (crc.value() != load<u32>(block, kHeaderCrc) || load<u64>(block, 24) != at || !is_array ||
        header.first_usable < 2 || header.first_usable >= header.end_usable ||
        header.end_usable > block_count) {
        return Error::Damaged;
    }
    const u64 bytes = u64{header.entry_count} * header.entry_bytes;
    const u64 blocks = (bytes + block.size() - 1) / block.size();
    const u64 from = header.entries_at;
    const bool is_before =
        from >= 2 && from < header.first_usable && blocks <= header.first_usable - from;
    const bool is_behind =
        from >= header.end_usable && from < block_count && blocks <= block_count - from;
    return is_before || is_behind ? Result<GptHeader>{header} : Error::Damaged;
}

/// UTF-16 to UTF-8; what is none, or no character to print, becomes '?'.
void set_name(std::span<const u8> units, Partition& partition) {
    for (u32 i = 0; i < kNameUnits; ++i) {
        u32 code = load<u16>(units, 2 * i);
        if (code == 0) {
            return;
        }
        const u32 next = i + 1 < kNameUnits ? load<u16>(units, 2 * i + 2) : u16{0};
        if (code >= 0xD800 && code < 0xDC00 && next >= 0xDC00 && next < 0xE000) {
            code = 0x1'0000 + ((code - 0xD800) << 10) + (next - 0xDC00);
            ++i;
        } else if ((code >= 0xD800 && code < 0xE000) || code < ' ' || code == 0x7F) {
            code = '?';
        }
        const u32 more = code < 0x80 ? 0u : code < 0x800 ? 1u : code < 0x1'0000 ? 2u : 3u;
        constexpr u8 kLead[] = {0x00, 0xC0, 0xE0, 0xF0};
        const auto put = [&partition](u32 byte) {
            partition.name_bytes[partition.name_size++] = static_cast<char>(byte);
        };
        put(kLead[more] | (code >> (6 * more)));
        for (u32 left = more; left > 0; --left) {
            put(0x80 | (code >> (6 * (left - 1)) & 0x3F));
        }
    }
}

void take_entry(std::span<const u8> entry,
                u32 number,
                const GptHeader& header,
                Collector& collector) {
    Partition partition{.number = number};
    std::memcpy(partition.type.data(), entry.data(), partition.type.size());
    if (partition.type == Guid{}) {
        return;
    }
    std::memcpy(partition.id.data(), &entry[16], partition.id.size());
    partition.first = load<u64>(entry, 32);
    const u64 last = load<u64>(entry, 40);
    partition.count = last >= partition.first ? last - partition.first + 1 : 0;
    partition.is_bootable = (load<u64>(entry, 48) & 4) != 0;
    set_name(entry.subspan(56, 2 * kNameUnits), partition);
    collector.add(partition, header.first_usable, header.end_usable);
}

/// Hands each entry to `take`, in order, and gives the array's sum. An entry never lies across
/// blocks unless it is larger than one; then only its first block is looked at.
template <typename Take>
Result<u32> each_entry(Device& device, Block& block, const GptHeader& header, Take take) {
    const u64 bytes = u64{header.entry_count} * header.entry_bytes;
    const u32 block_bytes = device.block_bytes();
    Crc32 crc;
    for (u64 at = 0; at < bytes; at += block_bytes) {
        TRY(block.read(header.entries_at + at / block_bytes));
        const u64 left = bytes - at;
        const auto part =
            block.bytes().first(left < block_bytes ? static_cast<u32>(left) : block_bytes);
        crc.add(part);
        for (u64 i = (at + header.entry_bytes - 1) / header.entry_bytes;
             i * header.entry_bytes < at + part.size();
             ++i) {
            const u64 from = i * header.entry_bytes - at;
            take(part.subspan(static_cast<std::size_t>(from), kEntryBytes),
                 static_cast<u32>(i + 1));
        }
    }
    return crc.value();
}

/// Reads the array twice: nothing of it counts before its sum is known to be right.
Result<void> read_gpt(Device& device, Block& block, u64 at, Collector& collector) {
    TRY(block.read(at));
    TRY_VALUE(const GptHeader header, parse_header(block.bytes(), at, device.block_count()));
    TRY_VALUE(const u32 crc, each_entry(device, block, header, [](std::span<const u8>, u32) {}));
    if (crc != header.entries_crc) {
        return Error::Damaged;
    }
    TRY_VALUE(const u32 again,
              each_entry(device, block, header, [&](std::span<const u8> entry, u32 number) {
                  if (number <= kMaxPartitions) {
                      take_entry(entry, number, header, collector);
                  }
              }));
    return again == crc ? Result<void>{} : Error::Damaged;
}

}  // namespace

Result<PartitionTable> read_partitions(Device& device, std::span<Partition> room) {
    PartitionTable table;
    if (device.block_count() == 0 || device.block_bytes() > kLargestBlock) {
        return table;
    }
    Block block{device};
    TRY(block.read(0));
    if (!is_mbr(block.bytes()) || is_fat(block.bytes())) {
        return table;
    }
    MbrEntry entries[kMbrEntryCount];
    bool has_gpt = false;
    for (u32 i = 0; i < kMbrEntryCount; ++i) {
        entries[i] = mbr_entry(block.bytes(), i);
        if ((entries[i].flags & 0x7F) != 0) {
            return table;  // something else that can be booted
        }
        has_gpt = has_gpt || entries[i].kind == kProtective;
    }
    Collector collector{room, table};
    if (!has_gpt) {
        TRY(read_mbr(device, block, entries, collector, table));
        return table;
    }
    table.kind = TableKind::Gpt;
    if (device.block_count() < 3) {
        return Error::Damaged;
    }
    if (!read_gpt(device, block, 1, collector).ok()) {
        table = {.kind = TableKind::Gpt, .is_backup = true};
        TRY(read_gpt(device, block, device.block_count() - 1, collector));
    }
    return table;
}

PartitionDevice::PartitionDevice(Device& whole, const Partition& partition) : whole_(whole) {
    const u64 end = whole.block_count();
    if (partition.first < end) {
        first_ = partition.first;
        count_ = partition.count < end - first_ ? partition.count : end - first_;
    }
}

bool PartitionDevice::is_inside(u64 first, u64 bytes) const {
    const u32 block = whole_.block_bytes();
    return bytes > 0 && bytes % block == 0 && first < count_ && bytes / block <= count_ - first;
}

Result<void> PartitionDevice::read(u64 first, std::span<u8> data) {
    return is_inside(first, data.size()) ? whole_.read(first_ + first, data) : Error::Invalid;
}

Result<void> PartitionDevice::write(u64 first, std::span<const u8> data) {
    return is_inside(first, data.size()) ? whole_.write(first_ + first, data) : Error::Invalid;
}

}  // namespace svc::storage
