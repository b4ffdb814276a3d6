// SPDX-License-Identifier: Apache-2.0
// A device in memory that somebody handed over: for files that need not outlive the process, and as
// the device of examples and tests.
#pragma once

#include <cstring>
#include <services/storage/device.hpp>

namespace svc::storage {

class RamDisk final : public Device {
public:
    /// `memory` stays in use; what is left of it behind the last whole block is not.
    explicit RamDisk(std::span<u8> memory, u32 block_bytes = 4096)
        : memory_(memory), block_bytes_(block_bytes) {}

    [[nodiscard]] u32 block_bytes() const override { return block_bytes_; }

    [[nodiscard]] u64 block_count() const override { return memory_.size() / block_bytes_; }

    Result<void> read(u64 first, std::span<u8> data) override {
        if (!is_inside(first, data.size())) {
            return Error::Invalid;
        }
        std::memcpy(data.data(), memory_.data() + first * block_bytes_, data.size());
        return {};
    }

    Result<void> write(u64 first, std::span<const u8> data) override {
        if (!is_inside(first, data.size())) {
            return Error::Invalid;
        }
        std::memcpy(memory_.data() + first * block_bytes_, data.data(), data.size());
        return {};
    }

    Result<void> flush() override { return {}; }

private:
    [[nodiscard]] bool is_inside(u64 first, u64 bytes) const {
        return bytes > 0 && bytes % block_bytes_ == 0 && first < block_count() &&
               bytes / block_bytes_ <= block_count() - first;
    }

    std::span<u8> memory_;
    u32 block_bytes_;
};

}  // namespace svc::storage
