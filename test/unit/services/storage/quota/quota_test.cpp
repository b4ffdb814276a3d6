// SPDX-License-Identifier: Apache-2.0
#include "../listing.hpp"
#include "../model.hpp"
#include "../ramfs/memory.hpp"
#include "../safefs/mounted.hpp"

#include <catch2/catch_test_macros.hpp>
#include <services/storage/quota.hpp>

using namespace test_storage;

namespace {

constexpr u64 kBlock = 4096;

Node make_directory(FileSystem& fs) {
    const auto made = fs.create(fs.root(), "limited", {.kind = Kind::Directory, .mode = 0755});
    REQUIRE(made.ok());
    return made.value();
}

QuotaFs::Used count(FileSystem& fs, Node directory, u64 room = 5000) {
    std::vector<u64> scratch(room);
    QuotaFs fresh{fs, directory, {}};
    REQUIRE(fresh.begin(scratch).ok());
    return fresh.used();
}

/// A directory with limits in a ramfs.
struct Limited {
    explicit Limited(const QuotaFs::Limits& limits) : fs(all.fs, make_directory(all.fs), limits) {
        REQUIRE(fs.begin({}).ok());
    }

    Memory all{4000};
    QuotaFs fs;
};

void play(FileSystem& fs, u64 seed, const QuotaFs::Limits& limits, u64& refused) {
    const Node directory = make_directory(fs);
    QuotaFs quota{fs, directory, limits};
    REQUIRE(quota.begin({}).ok());
    Player player{quota, seed, {.max_write = 30000}};
    REQUIRE_NOTHROW(player.play(1500, [&] {
        player.forget_all();
        const auto found = count(fs, directory);
        REQUIRE(quota.used().bytes == found.bytes);
        REQUIRE(quota.used().nodes == found.nodes);
        REQUIRE((limits.bytes == 0 || found.bytes <= limits.bytes));
        REQUIRE((limits.nodes == 0 || found.nodes <= limits.nodes));
    }));
    refused += player.refused_for_space;
}

}  // namespace

TEST_CASE("a directory with limits does what maps do and keeps count",
          "[services][storage][quota]") {
    for (u64 seed = 1; seed <= 6; ++seed) {
        INFO("seed " << seed);
        const bool is_tight = seed % 2 == 0;
        const QuotaFs::Limits limits{.bytes = is_tight ? 300'000u : 0u,
                                     .nodes = is_tight ? 60u : 0u};
        u64 refused = 0;
        Memory memory{8000};
        play(memory.fs, seed, limits, refused);
        MemoryDevice device{32u << 20};
        REQUIRE(Mounted::format(device).ok());
        Mounted mounted{device, 64};
        play(mounted.fs, seed, limits, refused);
        CHECK((refused > 100) == is_tight);
    }
}

TEST_CASE("bytes beyond the limit are refused, what fits is written",
          "[services][storage][quota]") {
    Limited limited{{.bytes = 10 * kBlock + 100}};
    auto& fs = limited.fs;
    const Node file = make(fs, fs.root(), "f");
    const Bytes data(20 * kBlock, 1);
    CHECK(fs.write(file, 100, data).value() == 10 * kBlock - 100);
    CHECK(fs.stat(file).value().size == 10 * kBlock);
    CHECK(fs.used().bytes == 10 * kBlock);
    CHECK(fs.write(file, 10 * kBlock, data).status() == Error::Quota);
    CHECK(fs.write(file, 10 * kBlock, {}).value() == 0);
    CHECK(fs.write(file, ~u64{0}, data).status() == Error::Quota);
    CHECK(fs.write(file, 0, std::span(data).first(kBlock)).value() == kBlock);
    CHECK(fs.truncate(file, 10 * kBlock + 1).status() == Error::Quota);
    const NewNode link{.kind = Kind::SymbolicLink, .target = "t"};
    CHECK(fs.create(fs.root(), "l", link).status() == Error::Quota);
    CHECK(fs.create(fs.root(), "f", link).status() == Error::Exists);
    CHECK(fs.create(fs.root(), ".", link).status() == Error::Invalid);
    CHECK(fs.create(file, "x", link).status() == Error::NotADirectory);
    REQUIRE(fs.truncate(file, 8 * kBlock + 1).ok());
    CHECK(fs.used().bytes == 9 * kBlock);
    CHECK(fs.create(fs.root(), "l", link).ok());
    CHECK(fs.used().bytes == 10 * kBlock);
    CHECK(fs.truncate(file, 9 * kBlock).ok());
    CHECK(fs.truncate(file, 9 * kBlock + 1).status() == Error::Quota);
    const Node hole = make(fs, fs.root(), "hole");
    CHECK(fs.truncate(hole, 1).status() == Error::Quota);
    CHECK(fs.statfs().value().blocks == 10);
    CHECK(fs.statfs().value().available_blocks == 0);
    SECTION("what is in use without a name counts until it is forgotten") {
        REQUIRE(fs.unlink(fs.root(), "f", Kind::File).value() == file);
        CHECK(fs.used().bytes == 10 * kBlock);
        REQUIRE(fs.forget(file).ok());
        CHECK(fs.used().bytes == kBlock);
        CHECK(fs.statfs().value().free_blocks == 9);
        CHECK(fs.forget(hole).ok());
        CHECK(fs.used().nodes == 2);
        CHECK(fs.forget(file).status() == Error::Stale);
    }
    SECTION("a lower limit takes nothing away") {
        fs.set_limits({.bytes = 3 * kBlock});
        CHECK(fs.write(file, 8 * kBlock, std::span(data).first(kBlock)).value() == kBlock);
        CHECK(fs.truncate(file, 9 * kBlock + 1).status() == Error::Quota);
        CHECK(fs.statfs().value().free_blocks == 0);
    }
    SECTION("without a limit the file system's own holds") {
        fs.set_limits({});
        CHECK(fs.truncate(hole, 1u << 30).ok());
        CHECK(fs.statfs().value().blocks == limited.all.fs.statfs().value().blocks);
    }
}

TEST_CASE("nodes beyond the limit are refused", "[services][storage][quota]") {
    Limited limited{{.nodes = 3}};
    auto& fs = limited.fs;
    const Node file = make(fs, fs.root(), "a");
    const Node directory = make(fs, fs.root(), "d", Kind::Directory);
    make(fs, directory, "b");
    CHECK(fs.create(fs.root(), "c", {}).status() == Error::Quota);
    CHECK(fs.create(directory, "c", {.kind = Kind::Directory}).status() == Error::Quota);
    CHECK(fs.link(directory, "again", file).ok());
    remove(fs, fs.root(), "a");
    CHECK(fs.create(fs.root(), "c", {}).status() == Error::Quota);
    remove(fs, directory, "again");
    CHECK(fs.create(fs.root(), "c", {}).ok());
    const auto replaced = fs.rename(directory, "b", fs.root(), "c");
    REQUIRE(fs.forget(replaced.value()).ok());
    remove(fs, fs.root(), "d", Kind::Directory);
    CHECK(fs.used().nodes == 1);
}

TEST_CASE("the usage that is found is the usage that was kept, links and deep trees included",
          "[services][storage][quota]") {
    Limited limited{{}};
    auto& fs = limited.fs;
    const Bytes data(5000, 1);
    Node directory = fs.root();
    for (u32 depth = 0; depth < 100; ++depth) {
        for (u32 i = 0; i < 3; ++i) {
            REQUIRE(fs.write(make(fs, directory, "f" + std::to_string(i)), 0, data).ok());
            make(fs, directory, "d" + std::to_string(i), Kind::Directory);
        }
        REQUIRE(fs.link(fs.root(), "l" + std::to_string(depth), fs.lookup(directory, "f0").value())
                    .ok());
        directory = fs.lookup(directory, "d" + std::to_string(depth % 3)).value();
    }
    CHECK(fs.used().nodes == 600);
    CHECK(fs.used().bytes == 300 * 2 * kBlock);
    const auto found = count(limited.all.fs, fs.root(), 100);
    CHECK(found.nodes == 600);
    CHECK(found.bytes == fs.used().bytes);
    std::vector<u64> little(99);
    QuotaFs poor{limited.all.fs, fs.root(), {}};
    CHECK(poor.begin(little).status() == Error::NoMemory);
    QuotaFs none{limited.all.fs, fs.lookup(fs.root(), "f1").value(), {}};
    CHECK(none.begin({}).status() == Error::NotADirectory);
}

TEST_CASE("nothing crosses the border of a directory with limits", "[services][storage][quota]") {
    Limited limited{{}};
    auto& fs = limited.fs;
    auto& all = limited.all.fs;
    const Node outside = make(all, all.root(), "outside", Kind::Directory);
    make(all, outside, "f");
    const Node file = make(fs, fs.root(), "in");
    const Node deep = make(fs, fs.root(), "deep", Kind::Directory);
    CHECK(fs.rename(outside, "f", fs.root(), "g").status() == Error::CrossDevice);
    CHECK(fs.rename(fs.root(), "in", outside, "g").status() == Error::CrossDevice);
    CHECK(fs.rename(fs.root(), "in", all.root(), "g").status() == Error::CrossDevice);
    CHECK(fs.link(outside, "g", file).status() == Error::CrossDevice);
    CHECK(fs.link(all.root(), "g", file).status() == Error::CrossDevice);
    CHECK(fs.link(deep, "g", file).ok());
    CHECK(fs.rename(fs.root(), "in", deep, "h").ok());
    CHECK(fs.lookup(fs.root(), "..").value() == fs.root());
    CHECK(fs.lookup(deep, "..").value() == fs.root());
    CHECK(fs.rename(file, "in", deep, "h").status() == Error::NotADirectory);
    CHECK(fs.rename(fs.root(), std::string(256, 'n'), deep, "h").status() == Error::NameTooLong);
    const Node gone = make(fs, fs.root(), "gone", Kind::Directory);
    REQUIRE(fs.unlink(fs.root(), "gone", Kind::Directory).ok());
    CHECK(fs.link(gone, "x", file).status() == Error::NoEntry);
    NameListing listing;
    CHECK(fs.readdir(fs.root(), 0, listing).ok());
    CHECK(listing.seen == std::multiset<std::string>{"deep"});
    Bytes byte(1);
    CHECK(fs.read(file, 0, byte).value() == 0);
    CHECK(fs.set_attributes(file, {}).ok());
    CHECK(fs.sync(file).ok());
    CHECK(fs.sync().ok());
    CHECK(fs.write(fs.root(), 0, byte).status() == Error::IsADirectory);
    CHECK(fs.truncate(fs.root(), 0).status() == Error::IsADirectory);
}
