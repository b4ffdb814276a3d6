// SPDX-License-Identifier: Apache-2.0
// Partitions of a device: a master boot record with its chain of extended ones, or a GUID partition
// table, of which the copy at the end is used when the first is damaged. A table may say anything:
// what does not lie within the device, or within what the table itself calls usable, or upon a
// partition before it, is not handed out. Nothing is repaired. [UEFI] "GUID Partition Table (GPT)
// Disk Layout", "Legacy Master Boot Record (MBR)"
#pragma once

#include <array>
#include <services/storage/device.hpp>
#include <string_view>

namespace svc::storage {

using Guid = std::array<u8, 16>;  ///< as on the device: the first three fields little-endian

inline constexpr u32 kMaxPartitions = 128;     ///< entries of a table that are looked at
inline constexpr u32 kMaxPartitionName = 108;  ///< bytes of UTF-8: 36 units of UTF-16

struct Partition {
    u32 number = 0;  ///< from 1 on, as others count: logical ones of an MBR from 5 on
    u64 first = 0;   ///< in blocks of the device
    u64 count = 0;
    u8 kind = 0;  ///< of an MBR, else 0
    bool is_bootable = false;
    Guid type{};  ///< of a GPT, else 0, as the two below
    Guid id{};
    std::array<char, kMaxPartitionName> name_bytes{};
    u32 name_size = 0;

    [[nodiscard]] std::string_view name() const { return {name_bytes.data(), name_size}; }
};

enum class TableKind : u8 { None, Mbr, Gpt };

struct PartitionTable {
    TableKind kind = TableKind::None;
    u32 count = 0;              ///< partitions handed out
    u32 refused = 0;            ///< entries that lie where they must not, or for which was no room
    bool is_backup = false;     ///< GPT: the first copy is damaged
    bool is_chain_cut = false;  ///< MBR: the chain of extended records has no proper end
};

/// Reads the table of `device` and puts its partitions into `room`, in order of number. A device
/// without a table, as one that is a single file system, has kind None. Uses 4 KiB of stack.
/// Errors: Io, Damaged (it says that it has a GPT, and neither copy is sound).
Result<PartitionTable> read_partitions(Device& device, std::span<Partition> room);

/// One partition as a device, and nothing of what is around it.
class PartitionDevice final : public Device {
public:
    /// `whole` stays in use. What of the partition is not within it is not there.
    PartitionDevice(Device& whole, const Partition& partition);

    [[nodiscard]] u32 block_bytes() const override { return whole_.block_bytes(); }

    [[nodiscard]] u64 block_count() const override { return count_; }

    Result<void> read(u64 first, std::span<u8> data) override;
    Result<void> write(u64 first, std::span<const u8> data) override;

    /// Of the whole device.
    Result<void> flush() override { return whole_.flush(); }

private:
    [[nodiscard]] bool is_inside(u64 first, u64 bytes) const;

    Device& whole_;
    u64 first_ = 0;
    u64 count_ = 0;
};

}  // namespace svc::storage
