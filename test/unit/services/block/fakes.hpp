// SPDX-License-Identifier: Apache-2.0
// What the server stands between: a disk that completes when it is told, and sessions without a
// kernel.
#pragma once

#include <catch2/catch_test_macros.hpp>
#include <deque>
#include <map>
#include <services/block/server.hpp>
#include <vector>

namespace test_block {

using namespace svc::block;
using base::Status;

class FakeDisk final : public Disk {
public:
    explicit FakeDisk(std::string_view name) : name_(name) {
        shape.sectors = 1000;
        shape.has_cache = true;
    }

    [[nodiscard]] std::string_view name() const override { return name_; }

    [[nodiscard]] const Geometry& geometry() const override { return shape; }

    [[nodiscard]] bool works() const override { return is_working; }

    [[nodiscard]] bool is_stuck() const override { return is_stuck_now; }

    Begun begin(const Transfer& transfer) override {
        if (begun.size() == capacity) {
            return Begun::Full;
        }
        if (answer == Begun::Later) {
            begun.push_back(transfer);
        }
        seen.push_back(transfer);
        return answer;
    }

    Geometry shape{};
    bool is_working = true;
    bool is_stuck_now = false;
    std::size_t capacity = 4;
    Begun answer = Begun::Later;
    std::deque<Transfer> begun{};
    std::vector<Transfer> seen{};

private:
    std::string_view name_;
};

class FakeSessions final : public Sessions {
public:
    base::Result<Session> make(u64 number) override {
        if (fails) {
            return Status::OutOfMemory;
        }
        auto& memory = live[number];
        memory.assign(kBufferBytes, 0);
        CHECK((number & kSessionBit) != 0);
        const u32 handle = static_cast<u32>(number) * 16;
        return Session{.object = handle,
                       .badge = handle + 1,
                       .buffer = handle + 2,
                       .memory = memory,
                       .device_address = (number & ~kSessionBit) << 20};
    }

    void end(const Session& session) override { live.erase(kSessionBit | session.object / 16); }

    bool fails = false;
    std::map<u64, std::vector<u8>> live{};
};

}  // namespace test_block
