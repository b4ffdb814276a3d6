// SPDX-License-Identifier: Apache-2.0
// What operations cost the device, in hundredths of a write or a flush each: the figures of
// docs/decisions/0016-a-file-system-of-our-own.md.
#include "../memory_device.hpp"
#include "mounted.hpp"

#include <catch2/catch_test_macros.hpp>
#include <optional>

using namespace test_storage;

namespace {

struct Cost {
    u64 writes;  ///< of 4 KiB blocks
    u64 flushes;
    u64 requests;

    [[nodiscard]] std::string text() const {
        return std::to_string(writes) + " writes " + std::to_string(flushes) + " flushes " +
               std::to_string(requests) + " requests";
    }
};

class Bench final {
public:
    Bench() : device(u64{64} << 20) {
        REQUIRE(Mounted::format(device).ok());
        mounted.emplace(device, 512);
        // As on a gateway: a few thousand files, so that the table of inodes has two levels.
        for (u32 i = 0; i < 3000; ++i) {
            make("file" + std::to_string(i));
        }
        REQUIRE(fs().sync().ok());
    }

    safefs::SafeFs& fs() { return mounted->fs; }

    Node make(const std::string& name) {
        const auto made = fs().create(fs().root(), name, {});
        REQUIRE(made.ok());
        return made.value();
    }

    void remove(const std::string& name) {
        const auto gone = fs().unlink(fs().root(), name, Kind::File);
        REQUIRE(gone.ok());
        REQUIRE(fs().forget(gone.value()).ok());
    }

    void write(Node file, u64 offset, u64 bytes) {
        const Bytes data(bytes, static_cast<u8>(offset));
        REQUIRE(fs().write(file, offset, data).value() == bytes);
    }

    /// Hundredths for each of `count` calls of `operation`, each followed by a sync.
    template <typename Operation> Cost synced(u64 count, Operation operation) {
        return measured(count, [&](u64 i) {
            operation(i);
            REQUIRE(fs().sync().ok());
        });
    }

    /// The same with one sync at the end.
    template <typename Operation> Cost measured(u64 count, Operation operation) {
        const u64 bytes = device.bytes_written;
        const u64 flushes = device.flushes;
        const u64 writes = device.writes;
        for (u64 i = 0; i < count; ++i) {
            operation(i);
        }
        REQUIRE(fs().sync().ok());
        return {.writes = 100 * (device.bytes_written - bytes) / kUnit / count,
                .flushes = 100 * (device.flushes - flushes) / count,
                .requests = 100 * (device.writes - writes) / count};
    }

    MemoryDevice device;
    std::optional<Mounted> mounted;
};

}  // namespace

TEST_CASE("operations cost the device what the decision record says",
          "[services][storage][safefs]") {
    Bench bench;
    const Node log = bench.make("log");
    bench.write(log, 0, 600000);
    REQUIRE(bench.fs().sync().ok());
    const auto append = [&](u64 i) { bench.write(log, 600000 + i * 100, 100); };
    CHECK(bench.synced(2000, append).text() == "115 writes 103 flushes 115 requests");
    const auto append_more = [&](u64 i) { bench.write(log, 800000 + i * 1000, 1000); };
    CHECK(bench.synced(200, append_more).text() == "224 writes 125 flushes 224 requests");
    const Node big = bench.make("big");
    const auto stream = [&](u64 i) { bench.write(big, i << 20, 1 << 20); };
    CHECK(bench.measured(20, stream).text() == "25750 writes 10 flushes 350 requests");
    const auto at_random = [&](u64 i) { bench.write(big, i * 7919 % 5000 * 4096, 4096); };
    CHECK(bench.synced(200, at_random).text() == "593 writes 200 flushes 593 requests");
    CHECK(bench.measured(2000, at_random).text() == "101 writes 0 flushes 101 requests");
    const auto create = [&](u64 i) { bench.make("m" + std::to_string(i)); };
    CHECK(bench.measured(1000, create).text() == "6 writes 0 flushes 6 requests");
    const auto create_synced = [&](u64 i) { bench.make("s" + std::to_string(i)); };
    CHECK(bench.synced(100, create_synced).text() == "597 writes 200 flushes 597 requests");
    const auto remove = [&](u64 i) { bench.remove("s" + std::to_string(i)); };
    CHECK(bench.synced(100, remove).text() == "597 writes 200 flushes 597 requests");
}
