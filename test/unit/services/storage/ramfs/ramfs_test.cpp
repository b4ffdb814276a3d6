// SPDX-License-Identifier: Apache-2.0
#include "../listing.hpp"
#include "../model.hpp"
#include "memory.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace test_storage;

namespace {

std::string number(u64 i) { return std::to_string(i); }

}  // namespace

TEST_CASE("ramfs does what maps do, for random operations", "[services][storage][ramfs]") {
    for (u64 seed = 1; seed <= 8; ++seed) {
        INFO("seed " << seed);
        Memory memory{8000};
        Player player{memory.fs, seed, {}};
        REQUIRE_NOTHROW(player.play(3000, [] {}));
        CHECK(player.refused_for_space == 0);
    }
}

TEST_CASE("ramfs does what maps do when it is full", "[services][storage][ramfs]") {
    u64 refused = 0;
    for (u64 seed = 11; seed <= 20; ++seed) {
        INFO("seed " << seed);
        Memory memory{200};
        Player player{memory.fs, seed, {.max_write = 60000, .max_offset = 200000}};
        REQUIRE_NOTHROW(player.play(3000, [] {}));
        refused += player.refused_for_space;
    }
    CHECK(refused > 1000);
}

TEST_CASE("what is removed gives all of its memory back", "[services][storage][ramfs]") {
    Memory memory{6000};
    auto& fs = memory.fs;
    const u64 before = memory.free();
    const Node directory = make(fs, fs.root(), "d", Kind::Directory);
    const u64 empty = memory.free();
    for (u32 round = 0; round < 2; ++round) {
        for (u32 i = 0; i < 30000; ++i) {
            make(fs, directory, "file" + number(i));
        }
        CHECK(fs.stat(directory).value().size / 4096 < 1000);
        for (u32 i = 0; i < 30000; ++i) {
            const u32 which = round == 0 ? i : 29999 - i;
            REQUIRE(fs.lookup(directory, "file" + number(which)).ok());
            remove(fs, directory, "file" + number(which));
        }
        CHECK(memory.free() == empty);
    }
    const Bytes data(3'000'000, 9);
    CHECK(fs.write(make(fs, directory, "large"), 5'000'000'000, data).value() == data.size());
    CHECK(memory.free() < empty - 730);
    remove(fs, directory, "large");
    CHECK(memory.free() == empty);
    remove(fs, fs.root(), "d", Kind::Directory);
    CHECK(memory.free() == before);
}

TEST_CASE("holes take nothing and are zeros, also where memory was used before",
          "[services][storage][ramfs]") {
    Memory memory{64};
    auto& fs = memory.fs;
    const Node file = make(fs, fs.root(), "f");
    const u64 before = memory.free();
    const Bytes data(100, 7);
    REQUIRE(fs.write(file, ramfs::kMaxFileBytes - 100, data).ok());
    CHECK(fs.stat(file).value().size == ramfs::kMaxFileBytes);
    CHECK(before - memory.free() == 4);
    REQUIRE(fs.write(file, 5000, data).ok());
    CHECK(before - memory.free() == 7);
    Bytes found(20000);
    CHECK(fs.read(file, 0, found).value() == found.size());
    CHECK(std::ranges::count(found, 7) == 100);
    CHECK(std::ranges::count(found, 0) == 19900);
    CHECK(fs.read(file, ramfs::kMaxFileBytes - 200, found).value() == 200);
    CHECK(found[99] == 0);
    CHECK(found[100] == 7);
    REQUIRE(fs.truncate(file, 5050).ok());
    REQUIRE(fs.truncate(file, 6000).ok());
    CHECK(fs.read(file, 0, found).value() == 6000);
    CHECK(std::ranges::count(std::span(found).first(6000), 7) == 50);
    REQUIRE(fs.truncate(file, 0).ok());
    CHECK(memory.free() == before);
}

TEST_CASE("a full ramfs refuses without a trace and writes what fits",
          "[services][storage][ramfs]") {
    Memory memory{40};
    auto& fs = memory.fs;
    const Node file = make(fs, fs.root(), "f");
    const Bytes data(64 * 4096, 1);
    const u64 written = fs.write(file, 100, data).value();
    CHECK(memory.free() == 0);
    CHECK(written == (40 - 3) * 4096 - 100);  // but inodes, names and an index page
    CHECK(fs.stat(file).value().size == 100 + written);
    CHECK(fs.write(file, 100 + written, data).status() == Error::NoSpace);
    REQUIRE(fs.truncate(file, 36 * 4096).ok());
    CHECK(memory.free() == 1);
    CHECK(fs.write(file, u64{1} << 30, data).status() == Error::NoSpace);
    CHECK(memory.free() == 1);
    CHECK(fs.create(fs.root(), "d", {.kind = Kind::Directory}).ok());
    const Node directory = fs.lookup(fs.root(), "d").value();
    const NewNode link{.kind = Kind::SymbolicLink, .target = "t"};
    CHECK(fs.create(directory, "l", link).status() == Error::NoSpace);
    CHECK(memory.free() == 1);
    REQUIRE(fs.write(file, 36 * 4096, data).ok());
    CHECK(fs.create(directory, "x", {}).status() == Error::NoSpace);
    CHECK(fs.link(directory, "x", file).status() == Error::NoSpace);
    CHECK(fs.rename(fs.root(), "f", directory, "x").status() == Error::NoSpace);
    CHECK(fs.rename(fs.root(), "f", fs.root(), "g").ok());
    remove(fs, fs.root(), "g");
    CHECK(memory.free() == 38);
}

TEST_CASE("ramfs tells why it refuses", "[services][storage][ramfs]") {
    Memory none{3};
    CHECK(none.begun.status() == Error::NoMemory);
    Memory memory{2000};
    auto& fs = memory.fs;
    const Node root = fs.root();
    const Node file = make(fs, root, "file");
    const Bytes byte(1);
    CHECK(fs.lookup(root, "none").status() == Error::NoEntry);
    CHECK(fs.lookup(file, "x").status() == Error::NotADirectory);
    CHECK(fs.create(root, "", {}).status() == Error::Invalid);
    CHECK(fs.create(root, "a/b", {}).status() == Error::Invalid);
    CHECK(fs.create(root, std::string_view("a\0b", 3), {}).status() == Error::Invalid);
    CHECK(fs.create(root, ".", {}).status() == Error::Invalid);
    CHECK(fs.create(root, std::string(256, 'n'), {}).status() == Error::NameTooLong);
    CHECK(fs.create(root, std::string(255, 'n'), {}).ok());
    CHECK(fs.create(file, "x", {}).status() == Error::NotADirectory);
    CHECK(fs.create(root, "file", {}).status() == Error::Exists);
    CHECK(fs.create(root, "x", {.kind = Kind::None}).status() == Error::Invalid);
    const NewNode device{.kind = Kind::CharacterDevice};
    CHECK(fs.create(root, "x", device).status() == Error::NotSupported);
    CHECK(fs.create(root, "x", {.kind = Kind::SymbolicLink}).status() == Error::Invalid);
    const std::string target(4096, 't');
    const NewNode long_link{.kind = Kind::SymbolicLink, .target = target};
    CHECK(fs.create(root, "x", long_link).status() == Error::NameTooLong);
    CHECK(fs.read(root, 0, {}).status() == Error::IsADirectory);
    CHECK(fs.write(root, 0, {}).status() == Error::IsADirectory);
    CHECK(fs.truncate(root, 0).status() == Error::IsADirectory);
    CHECK(fs.write(file, ramfs::kMaxFileBytes, byte).status() == Error::FileTooBig);
    CHECK(fs.write(file, ~u64{0}, byte).status() == Error::FileTooBig);
    CHECK(fs.truncate(file, ramfs::kMaxFileBytes + 1).status() == Error::FileTooBig);
    CHECK(fs.unlink(root, "none", Kind::File).status() == Error::NoEntry);
    CHECK(fs.unlink(root, "file", Kind::Directory).status() == Error::NotADirectory);
    const Node directory = make(fs, root, "d", Kind::Directory);
    CHECK(fs.link(root, "e", directory).status() == Error::IsADirectory);
    CHECK(fs.link(root, "d", file).status() == Error::Exists);
    CHECK(fs.unlink(root, "d", Kind::File).status() == Error::IsADirectory);
    CHECK(fs.rename(root, "none", directory, "x").status() == Error::NoEntry);
    CHECK(fs.rename(root, "d", directory, "d").status() == Error::Invalid);
    CHECK(fs.rename(root, "d", root, "file").status() == Error::NotADirectory);
    CHECK(fs.rename(root, "file", root, "d").status() == Error::IsADirectory);
    make(fs, directory, "in");
    CHECK(fs.unlink(root, "d", Kind::Directory).status() == Error::NotEmpty);
    make(fs, root, "e", Kind::Directory);
    CHECK(fs.rename(root, "e", root, "d").status() == Error::NotEmpty);
    remove(fs, directory, "in");
    CHECK(fs.lookup(directory, "..").value() == root);
    CHECK(fs.lookup(root, "..").value() == root);
    const Node link =
        fs.create(root, "s", {.kind = Kind::SymbolicLink, .target = "to/there"}).value();
    CHECK(fs.stat(link).value().size == 8);
    CHECK(fs.write(link, 0, byte).status() == Error::Invalid);
    for (u32 i = 1; i < 65535; ++i) {
        REQUIRE(fs.link(directory, number(i), file).ok());
    }
    CHECK(fs.link(directory, "more", file).status() == Error::TooManyLinks);
    CHECK(fs.stat(file).value().links == 65535);
}

TEST_CASE("a node without a name stays until it is forgotten, then it is stale",
          "[services][storage][ramfs]") {
    Memory memory{100};
    auto& fs = memory.fs;
    const Node root = fs.root();
    const Node file = make(fs, root, "f");
    const Bytes data(10, 3);
    REQUIRE(fs.unlink(root, "f", Kind::File).value() == file);
    CHECK(fs.write(file, 0, data).value() == 10);
    CHECK(fs.stat(file).value().links == 0);
    CHECK(fs.link(root, "again", file).status() == Error::NoEntry);
    const Node directory = make(fs, root, "d", Kind::Directory);
    REQUIRE(fs.unlink(root, "d", Kind::Directory).value() == directory);
    CHECK(fs.create(directory, "x", {}).status() == Error::NoEntry);
    CHECK(fs.link(directory, "x", make(fs, root, "g")).status() == Error::NoEntry);
    CHECK(fs.rename(root, "g", directory, "x").status() == Error::NoEntry);
    CHECK(fs.lookup(directory, "..").status() == Error::NoEntry);
    REQUIRE(fs.forget(file).ok());
    REQUIRE(fs.forget(directory).ok());
    CHECK(fs.forget(fs.lookup(root, "g").value()).ok());
    CHECK(fs.lookup(root, "g").ok());
    make(fs, root, "new");
    std::mt19937_64 random{4};
    std::vector<Node> stale{file, directory, Node{}, Node{1u << 6}, Node{~u64{0}}, Node{63}};
    for (u32 i = 0; i < 10000; ++i) {
        stale.push_back({(random() % 100 << 28) | (random() & 0x0fff'ffff)});
    }
    for (const Node node : stale) {
        if (const auto stat = fs.stat(node); stat.ok()) {
            CHECK(stat.value().kind != Kind::None);
            continue;
        }
        REQUIRE(fs.read(node, 0, {}).status() == Error::Stale);
        REQUIRE(fs.write(node, 0, {}).status() == Error::Stale);
        REQUIRE(fs.truncate(node, 0).status() == Error::Stale);
        REQUIRE(fs.lookup(node, "x").status() == Error::Stale);
        REQUIRE(fs.link(root, "x", node).status() == Error::Stale);
        REQUIRE(fs.set_attributes(node, {}).status() == Error::Stale);
        REQUIRE(fs.sync(node).status() == Error::Stale);
        REQUIRE(fs.forget(node).status() == Error::Stale);
    }
    CHECK(fs.stat(file).status() == Error::Stale);
    CHECK(fs.stat(directory).status() == Error::Stale);
    CHECK(fs.sync(root).ok());
}

TEST_CASE("attributes are kept and times tell what changed", "[services][storage][ramfs]") {
    Memory memory{100};
    auto& fs = memory.fs;
    const Node file = fs.create(fs.root(), "f", {.mode = 0640, .owner = 5, .group = 6}).value();
    const Attributes made = fs.stat(file).value();
    CHECK(made.mode == 0640);
    CHECK(made.owner == 5);
    CHECK(made.group == 6);
    CHECK(made.modified_ns == fs.stat(fs.root()).value().modified_ns);
    const Bytes byte(1);
    REQUIRE(fs.write(file, 0, byte).ok());
    const Attributes written = fs.stat(file).value();
    CHECK(written.modified_ns > made.modified_ns);
    CHECK(written.accessed_ns == made.accessed_ns);
    AttributeChange change{.set = AttributeChange::kOwner | AttributeChange::kAccessed,
                           .mode = 0777,
                           .owner = 9,
                           .accessed_ns = 77};
    REQUIRE(fs.set_attributes(file, change).ok());
    const Attributes changed = fs.stat(file).value();
    CHECK(changed.owner == 9);
    CHECK(changed.group == 6);
    CHECK(changed.mode == 0640);
    CHECK(changed.accessed_ns == 77);
    CHECK(changed.changed_ns > written.changed_ns);
    CHECK(changed.modified_ns == written.modified_ns);
}

TEST_CASE("ramfs's readdir shows each entry once while others come and go",
          "[services][storage][ramfs]") {
    Memory memory{4000};
    auto& fs = memory.fs;
    constexpr u32 kStaying = 3000;
    for (u32 i = 0; i < kStaying; ++i) {
        make(fs, fs.root(), "stays" + number(i), i % 2 == 0 ? Kind::File : Kind::Directory);
    }
    for (u32 i = 0; i < 3000; ++i) {
        make(fs, fs.root(), "goes" + number(i));
    }
    NameListing some{7};
    u64 cursor = 0;
    for (u32 round = 0;; ++round) {
        some.taken = 0;
        const auto next = fs.readdir(fs.root(), cursor, some);
        REQUIRE(next.ok());
        if (some.taken == 0) {
            CHECK(next.value() == cursor);
            break;
        }
        cursor = next.value();
        for (u32 i = 0; i < 9; ++i) {
            make(fs, fs.root(), "comes" + number(round * 9 + i));
            if (round * 9 + i < 3000) {
                remove(fs, fs.root(), "goes" + number(round * 9 + i));
            }
        }
        if (round % 2 == 1) {
            remove(fs, fs.root(), "comes" + number(round));
        }
    }
    for (u32 i = 0; i < kStaying; ++i) {
        REQUIRE(some.seen.count("stays" + number(i)) == 1);
    }
    CHECK(some.kinds["stays0"] == Kind::File);
    CHECK(some.kinds["stays1"] == Kind::Directory);
    CHECK(fs.readdir(fs.root(), ~u64{0}, some).value() == ~u64{0});
}
