// SPDX-License-Identifier: Apache-2.0
// Devices for tests: memory that counts, fails when told to and records what is written to it, and
// a view of recorded memory with changes of its own.
#pragma once

#include <algorithm>
#include <cstring>
#include <functional>
#include <map>
#include <services/storage/device.hpp>
#include <vector>

namespace test_storage {

using namespace svc::storage;

using Bytes = std::vector<u8>;

/// What happened to a device: a write of one 4 KiB block, or a flush (no data).
struct Event {
    u64 block = 0;
    Bytes data{};

    [[nodiscard]] bool is_flush() const { return data.empty(); }
};

inline constexpr u32 kUnit = 4096;

class MemoryDevice final : public Device {
public:
    explicit MemoryDevice(u64 bytes, u32 block_bytes = 512)
        : contents(bytes), block_bytes_(block_bytes) {}

    [[nodiscard]] u32 block_bytes() const override { return block_bytes_; }

    [[nodiscard]] u64 block_count() const override { return contents.size() / block_bytes_; }

    Result<void> read(u64 first, std::span<u8> data) override {
        ++reads;
        if (fails()) {
            return Error::Io;
        }
        if (!is_inside(first, data.size())) {
            return Error::Invalid;
        }
        std::memcpy(data.data(), &contents[first * block_bytes_], data.size());
        return {};
    }

    Result<void> write(u64 first, std::span<const u8> data) override {
        ++writes;
        if (fails()) {
            return Error::Io;
        }
        if (!is_inside(first, data.size())) {
            return Error::Invalid;
        }
        bytes_written += data.size();
        std::memcpy(&contents[first * block_bytes_], data.data(), data.size());
        for (u64 at = 0; is_recording && at < data.size(); at += kUnit) {
            const auto unit = data.subspan(at, kUnit);
            events.push_back({(first * block_bytes_ + at) / kUnit, {unit.begin(), unit.end()}});
        }
        return {};
    }

    Result<void> flush() override {
        ++flushes;
        if (fails()) {
            return Error::Io;
        }
        if (is_recording) {
            events.push_back({});
        }
        return {};
    }

    Bytes contents;
    std::vector<Event> events;
    bool is_recording = false;
    u64 reads = 0;
    u64 writes = 0;
    u64 flushes = 0;
    u64 bytes_written = 0;

    /// Accesses so far; those from fail_from on, before fail_end, fail.
    u64 accesses = 0;
    u64 fail_from = ~u64{0};
    u64 fail_end = 0;

private:
    bool fails() {
        const u64 now = accesses++;
        return now >= fail_from && now < fail_end;
    }

    [[nodiscard]] bool is_inside(u64 first, u64 bytes) const {
        return bytes % block_bytes_ == 0 && first <= block_count() &&
               bytes / block_bytes_ <= block_count() - first;
    }

    u32 block_bytes_;
};

/// Memory as it was, with some blocks changed.
class OverlayDevice final : public Device {
public:
    explicit OverlayDevice(const Bytes& base) : base_(base) {}

    [[nodiscard]] u32 block_bytes() const override { return kUnit; }

    [[nodiscard]] u64 block_count() const override { return base_.size() / kUnit; }

    Result<void> read(u64 first, std::span<u8> data) override {
        if (first + data.size() / kUnit > block_count()) {
            return Error::Invalid;
        }
        for (u64 i = 0; i < data.size() / kUnit; ++i) {
            const auto found = changes.find(first + i);
            const u8* const from =
                found == changes.end() ? &base_[(first + i) * kUnit] : found->second.data();
            std::memcpy(&data[i * kUnit], from, kUnit);
        }
        return {};
    }

    Result<void> write(u64 first, std::span<const u8> data) override {
        if (first + data.size() / kUnit > block_count()) {
            return Error::Invalid;
        }
        for (u64 i = 0; i < data.size() / kUnit; ++i) {
            const auto unit = data.subspan(i * kUnit, kUnit);
            changes[first + i] = {unit.begin(), unit.end()};
        }
        return {};
    }

    Result<void> flush() override { return {}; }

    std::map<u64, Bytes> changes;

private:
    const Bytes& base_;
};

}  // namespace test_storage
