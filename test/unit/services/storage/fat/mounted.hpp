// SPDX-License-Identifier: Apache-2.0
// A mounted FAT file system with its memory and a clock.
#pragma once

#include <services/storage/fat/fat.hpp>
#include <vector>

namespace test_fat {

using namespace svc::storage;

/// 2026, one millisecond at each look.
class SlowClock final : public Clock {
public:
    s64 now_ns() override { return now += 1'000'000; }

    s64 now = 1'790'000'000'000'000'000;
};

class Mounted final {
public:
    /// Only after format(). `kept` is memory to use instead of its own, for tests that mount often.
    explicit Mounted(Device& device,
                     u32 slots = 64,
                     const fat::Options& options = {},
                     std::vector<u64>* kept = nullptr)
        : fs(device, clock) {
        auto& memory = kept == nullptr ? memory_ : *kept;
        memory.resize((fat::Fat::memory_bytes(device, slots) + 7) / 8);
        void* const at = memory.data();
        mounted = fs.mount({static_cast<u8*>(at), memory.size() * 8}, options);
    }

    static Result<void> format(Device& device, const fat::Format& how) {
        SlowClock clock;
        std::vector<u8> memory(65536);
        return fat::Fat::format(device, how, clock, memory);
    }

    SlowClock clock;

private:
    std::vector<u64> memory_;

public:
    fat::Fat fs;
    Result<void> mounted;
};

}  // namespace test_fat
