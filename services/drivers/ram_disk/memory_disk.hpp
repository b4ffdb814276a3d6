// SPDX-License-Identifier: Apache-2.0
// Memory as a block::Disk: every transfer is over at once.
#pragma once

#include <cstring>
#include <services/block/disk.hpp>

namespace svc::ram_disk {

using base::u64;
using base::u8;

/// Its serial number is that of its contents: a client that comes back after the driver died finds
/// another one, and knows by it that what it wrote is gone.
class MemoryDisk final : public block::Disk {
public:
    /// `memory` stays in use; what is left behind its last whole sector is not used.
    MemoryDisk(std::span<u8> memory, std::string_view name, u64 life)
        : memory_(memory), name_(name) {
        geometry_.sectors = memory.size() / block::kSectorUnit;
        constexpr char kDigits[] = "0123456789abcdef";
        std::memcpy(geometry_.serial.data(), "ram-", 4);
        for (block::u32 i = 0; i < 16; ++i) {
            geometry_.serial[4 + i] = static_cast<u8>(kDigits[life >> (60 - 4 * i) & 0xF]);
        }
    }

    [[nodiscard]] std::string_view name() const override { return name_; }

    [[nodiscard]] const block::Geometry& geometry() const override { return geometry_; }

    [[nodiscard]] bool works() const override { return geometry_.sectors > 0; }

    [[nodiscard]] bool is_stuck() const override { return false; }

    block::Begun begin(const block::Transfer& transfer) override {
        if (transfer.operation == block::Operation::Flush) {
            return block::Begun::Good;
        }
        u8* const place = memory_.data() + transfer.sector * block::kSectorUnit;
        if (transfer.operation == block::Operation::Read) {
            std::memcpy(transfer.memory.data(), place, transfer.memory.size());
        } else {
            std::memcpy(place, transfer.memory.data(), transfer.memory.size());
        }
        return block::Begun::Good;
    }

private:
    std::span<u8> memory_;
    std::string_view name_;
    block::Geometry geometry_{};
};

}  // namespace svc::ram_disk
