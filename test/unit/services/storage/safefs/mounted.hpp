// SPDX-License-Identifier: Apache-2.0
// A mounted safefs with its memory and a clock that ticks at each look.
#pragma once

#include "../ticking_clock.hpp"

#include <services/storage/safefs/check.hpp>
#include <stdexcept>
#include <string>
#include <vector>

namespace test_storage {

using namespace svc::storage;

class Mounted final {
public:
    /// Only after format(). `kept` is memory to use instead of its own, for tests that mount often.
    explicit Mounted(Device& device, u32 slots = 64, std::vector<u64>* kept = nullptr)
        : fs(device, clock_) {
        auto& memory = kept == nullptr ? memory_ : *kept;
        memory.resize((safefs::SafeFs::memory_bytes(device, slots) + 7) / 8);
        void* const at = memory.data();
        mounted = fs.mount({static_cast<u8*>(at), memory.size() * 8});
    }

    static Result<void> format(Device& device) {
        std::vector<u64> memory(safefs::kBlockBytes / 8);
        void* const at = memory.data();
        return safefs::SafeFs::format(
            device, {0x1234, 0x5678}, {static_cast<u8*>(at), safefs::kBlockBytes});
    }

    /// What the full check finds, or nothing.
    std::string problems() {
        if (!mounted.ok()) {
            return "not mounted: " + std::to_string(static_cast<u32>(mounted.status()));
        }
        std::vector<u32> references(safefs::Checker::inode_count(fs));
        const auto checked = safefs::Checker{fs, references}.run();
        if (!checked.ok()) {
            return "no check: " + std::to_string(static_cast<u32>(checked.status()));
        }
        report = checked.value();
        return report.problems == 0
                   ? ""
                   : std::string(report.first) + " at inode " + std::to_string(report.first_inode) +
                         ", problems " + std::to_string(report.problems);
    }

private:
    TickingClock clock_;
    std::vector<u64> memory_;

public:
    safefs::SafeFs fs;
    Result<void> mounted;
    safefs::CheckReport report;
};

}  // namespace test_storage
