// SPDX-License-Identifier: Apache-2.0
// What operations cost the device, in hundredths of a request each: the figures of
// services/storage/fat/README.md. FAT16 of 64 MiB, clusters of 4 KiB, blocks of 512 bytes, a cache
// of 256 blocks.
#include "../memory_device.hpp"
#include "mounted.hpp"

#include <catch2/catch_test_macros.hpp>
#include <optional>
#include <string>

using namespace test_fat;
using test_storage::Bytes;
using test_storage::MemoryDevice;

namespace {

class Bench final {
public:
    Bench() : device(u64{64} << 20) {
        REQUIRE(Mounted::format(device, {.bits = 16, .cluster_bytes = 4096}).ok());
        mounted.emplace(device, 256);
        directory = fs().create(fs().root(), "d", {.kind = Kind::Directory}).value();
        for (u32 i = 0; i < 100; ++i) {
            make("file with number " + std::to_string(i));
        }
        REQUIRE(fs().sync().ok());
    }

    fat::Fat& fs() { return mounted->fs; }

    Node make(const std::string& name) {
        const auto made = fs().create(directory, name, {});
        REQUIRE(made.ok());
        return made.value();
    }

    void write(Node file, u64 offset, u64 bytes) {
        const Bytes data(bytes, static_cast<u8>(offset));
        REQUIRE(fs().write(file, offset, data).value() == bytes);
    }

    /// For each of `count` calls, with `node` synced after each of them if there is one.
    template <typename Operation> std::string cost(u64 count, Node node, Operation operation) {
        const u64 before[] = {device.reads, device.writes, device.bytes_written, device.flushes};
        for (u64 i = 0; i < count; ++i) {
            operation(i);
            REQUIRE((node == Node{} || fs().sync(node).ok()));
        }
        REQUIRE((node == Node{} ? fs().sync() : fs().sync(node)).ok());
        const auto each = [&](u64 now, u64 then) {
            return std::to_string(100 * (now - then) / count);
        };
        return each(device.reads, before[0]) + " reads " + each(device.writes, before[1]) +
               " writes of " + each((device.bytes_written - before[2]) / 512, 0) + " blocks " +
               each(device.flushes, before[3]) + " flushes";
    }

    MemoryDevice device;
    std::optional<Mounted> mounted;
    Node directory;
};

}  // namespace

TEST_CASE("operations on fat cost the device what its README says", "[services][storage][fat]") {
    Bench bench;
    auto& fs = bench.fs();
    const Node root = fs.root();
    const Node log = bench.make("log");
    CHECK(bench.cost(400, root, [&](u64 i) { bench.write(log, i * 100, 100); }) ==
          "0 reads 205 writes of 224 blocks 200 flushes");
    CHECK(bench.cost(400, {}, [&](u64 i) { bench.write(log, 40000 + i * 100, 100); }) ==
          "0 reads 1 writes of 21 blocks 0 flushes");
    const Node big = bench.make("big");
    CHECK(bench.cost(16, {}, [&](u64 i) { bench.write(big, i << 20, 1 << 20); }) ==
          "112 reads 137 writes of 205043 blocks 18 flushes");
    Bytes buffer(1 << 20);
    CHECK(bench.cost(16, {}, [&](u64 i) { REQUIRE(fs.read(big, i << 20, buffer).ok()); }) ==
          "100 reads 0 writes of 0 blocks 0 flushes");
    const auto at_random = [&](u64 i) { bench.write(big, i * 7919 % 4000 * 4096, 4096); };
    CHECK(bench.cost(200, root, at_random) == "0 reads 201 writes of 901 blocks 200 flushes");
    CHECK(bench.cost(200, {}, at_random) == "0 reads 101 writes of 802 blocks 1 flushes");
    const auto read_random = [&](u64 i) {
        REQUIRE(fs.read(big, i * 7919 % 4000 * 4096, std::span(buffer).first(4096)).ok());
    };
    CHECK(bench.cost(200, {}, read_random) == "100 reads 0 writes of 0 blocks 0 flushes");
    const auto name = [](u64 i) { return "a long name of three entries " + std::to_string(i); };
    CHECK(bench.cost(100, root, [&](u64 i) { bench.make(name(i)); }) ==
          "25 reads 213 writes of 257 blocks 107 flushes");
    CHECK(bench.cost(100, {}, [&](u64 i) { bench.make(name(i + 100)); }) ==
          "25 reads 9 writes of 56 blocks 6 flushes");
    const auto rename = [&](u64 i) {
        REQUIRE(fs.rename(bench.directory, name(i), bench.directory, name(i + 200)).ok());
    };
    CHECK(bench.cost(100, root, rename) == "0 reads 228 writes of 229 blocks 127 flushes");
    const auto remove = [&](u64 i) {
        const auto gone = fs.unlink(bench.directory, name(i + 200), Kind::File);
        REQUIRE(gone.ok());
        REQUIRE(fs.forget(gone.value()).ok());
    };
    CHECK(bench.cost(100, root, remove) == "0 reads 200 writes of 200 blocks 100 flushes");
}
