// SPDX-License-Identifier: Apache-2.0
// What is refused, devices that fail or are full, and volumes that hold what nobody has written
// like that.
#include "../model.hpp"
#include "damage.hpp"
#include "mounted.hpp"
#include "tools.hpp"

#include <catch2/catch_test_macros.hpp>
#include <memory>
#include <random>
#include <set>

using namespace test_fat;
using test_storage::MemoryDevice;
using test_storage::Player;
using test_storage::text_of;

namespace {

constexpr u64 kMega = 1u << 20;

Node make_file(FileSystem& fs, Node directory, std::string_view name, u64 bytes = 0) {
    const auto made = fs.create(directory, name, {});
    REQUIRE(made.ok());
    const Bytes data(bytes, 'd');
    REQUIRE(fs.write(made.value(), 0, data).value() == bytes);
    return made.value();
}

Node make_directory(FileSystem& fs, Node directory, std::string_view name) {
    const auto made = fs.create(directory, name, {.kind = Kind::Directory});
    REQUIRE(made.ok());
    return made.value();
}

void remove(FileSystem& fs, std::string_view name) {
    const auto gone = fs.unlink(fs.root(), name, Kind::File);
    REQUIRE(gone.ok());
    REQUIRE(fs.forget(gone.value()).ok());
}

/// A formatted device and a file system on it.
struct Disk {
    explicit Disk(const fat::Format& how = {.bits = 12, .cluster_bytes = 1024},
                  u64 bytes = 2 * kMega)
        : device(bytes) {
        REQUIRE(Mounted::format(device, how).ok());
        mount();
    }

    fat::Fat& mount(const fat::Options& options = {}) {
        mounted = std::make_unique<Mounted>(device, 64, options);
        REQUIRE(mounted->mounted.ok());
        return mounted->fs;
    }

    MemoryDevice device;
    std::unique_ptr<Mounted> mounted;
};

}  // namespace

TEST_CASE("fat refuses with the error that says why", "[services][storage][fat]") {
    MemoryDevice empty{kMega};
    CHECK(Mounted{empty}.mounted.status() == Error::NoDevice);
    CHECK(Mounted::format(empty, {.bits = 32}).status() == Error::Invalid);
    CHECK(Mounted::format(empty, {.bits = 13}).status() == Error::Invalid);
    CHECK(Mounted::format(empty, {.label = "twelve chars"}).status() == Error::Invalid);
    CHECK(Mounted::format(empty, {.cluster_bytes = 700}).status() == Error::Invalid);
    Disk disk;
    {
        SlowClock clock;
        fat::Fat poor{disk.device, clock};
        std::vector<u64> little(6000);
        void* const at = little.data();
        CHECK(poor.mount({static_cast<u8*>(at), 100}).status() == Error::NoMemory);
        fat::Fat poor_too{disk.device, clock};
        CHECK(poor_too.mount({static_cast<u8*>(at), 48000}).status() == Error::NoMemory);
    }
    auto& fs = disk.mounted->fs;
    const Node root = fs.root();
    const Node file = make_file(fs, root, "file", 10);
    const Node directory = make_directory(fs, root, "directory");
    CHECK(fs.create(root, "", {}).status() == Error::Invalid);
    CHECK(fs.create(root, "a/b", {}).status() == Error::Invalid);
    CHECK(fs.create(root, "..", {}).status() == Error::Invalid);
    CHECK(fs.create(root, "a:b", {}).status() == Error::Invalid);
    CHECK(fs.create(root, "dot.", {}).status() == Error::Invalid);
    CHECK(fs.create(root, "space ", {}).status() == Error::Invalid);
    CHECK(fs.create(root, "\xff\xfe", {}).status() == Error::Invalid);
    CHECK(fs.create(root, "none", {.kind = Kind::None}).status() == Error::Invalid);
    CHECK(fs.create(root, std::string(256, 'n'), {}).status() == Error::NameTooLong);
    CHECK(fs.create(root, "l", {.kind = Kind::SymbolicLink, .target = "t"}).status() ==
          Error::NotSupported);
    CHECK(fs.create(file, "x", {}).status() == Error::NotADirectory);
    CHECK(fs.create(root, "FILE", {}).status() == Error::Exists);
    CHECK(fs.lookup(root, "nothing").status() == Error::NoEntry);
    CHECK(fs.lookup(root, std::string(256, 'n')).status() == Error::NameTooLong);
    CHECK(fs.link(root, "second", file).status() == Error::NotSupported);
    CHECK(fs.link(root, "second", directory).status() == Error::IsADirectory);
    CHECK(fs.read(directory, 0, {}).status() == Error::IsADirectory);
    CHECK(fs.write(directory, 0, {}).status() == Error::IsADirectory);
    CHECK(fs.truncate(directory, 0).status() == Error::IsADirectory);
    const Bytes byte(1);
    CHECK(fs.write(file, fat::kMaxFileBytes, byte).status() == Error::FileTooBig);
    CHECK(fs.write(file, fat::kMaxFileBytes - 1, byte).status() == Error::NoSpace);
    CHECK(fs.truncate(file, fat::kMaxFileBytes + 1).status() == Error::FileTooBig);
    CHECK(fs.truncate(file, fat::kMaxFileBytes).status() == Error::NoSpace);
    CHECK(fs.stat(file).value().size == 10);
    CHECK(fs.unlink(root, "file", Kind::Directory).status() == Error::NotADirectory);
    CHECK(fs.unlink(root, "directory", Kind::File).status() == Error::IsADirectory);
    CHECK(fs.unlink(root, "nothing", Kind::File).status() == Error::NoEntry);
    CHECK(fs.unlink(root, ".", Kind::Directory).status() == Error::Invalid);
    const Node inner = make_directory(fs, directory, "inner");
    CHECK(fs.unlink(root, "directory", Kind::Directory).status() == Error::NotEmpty);
    CHECK(fs.rename(root, "directory", inner, "x").status() == Error::Invalid);
    CHECK(fs.rename(root, "file", root, "directory").status() == Error::IsADirectory);
    CHECK(fs.rename(root, "directory", root, "file").status() == Error::NotADirectory);
    CHECK(fs.rename(root, "file", root, "a?b").status() == Error::Invalid);
    CHECK(fs.rename(root, "nothing", root, "x").status() == Error::NoEntry);
    make_directory(fs, root, "other");
    CHECK(fs.rename(root, "other", root, "directory").status() == Error::NotEmpty);
    const AttributeChange owner{.set = AttributeChange::kOwner, .owner = 7};
    CHECK(fs.set_attributes(file, owner).status() == Error::NotSupported);
    CHECK(fs.lookup(inner, "..").value() == directory);
    CHECK(fs.lookup(directory, "..").value() == root);
    CHECK(fs.lookup(root, "..").value() == root);
    CHECK(fs.unlink(directory, "inner", Kind::Directory).value() == inner);
    CHECK(fs.create(inner, "late", {}).status() == Error::NoEntry);
    CHECK(fs.lookup(inner, "..").status() == Error::NoEntry);
    CHECK(fs.forget(inner).ok());
    CHECK(fs.stat(inner).status() == Error::Stale);
    CHECK(fs.sync(inner).status() == Error::Stale);
    CHECK(fs.stat(Node{12345}).status() == Error::Stale);
    REQUIRE(fs.sync().ok());
    CHECK(fsck(disk.device.contents) == "");
    auto& fixed = disk.mount({.read_only = true});
    CHECK(fixed.create(root, "x", {}).status() == Error::ReadOnly);
    CHECK(fixed.statfs().value().read_only);
}

TEST_CASE("a node of fat stays what it is while it is renamed, replaced and removed",
          "[services][storage][fat]") {
    Disk disk;
    auto& fs = disk.mounted->fs;
    const Node directory = make_directory(fs, fs.root(), "directory");
    const Node a = make_file(fs, fs.root(), "a file with a long name", 3000);
    const Node b = make_file(fs, fs.root(), "b", 100);
    CHECK(fs.rename(fs.root(), "a file with a long name", directory, "A").value() == Node{});
    CHECK(fs.lookup(directory, "a").value() == a);
    CHECK(fs.stat(a).value().size == 3000);
    CHECK(fs.stat(a).value().number == a.value);
    CHECK(fs.rename(fs.root(), "b", directory, "a").value() == a);
    CHECK(fs.lookup(directory, "A").value() == b);
    CHECK(fs.stat(a).value().links == 0);
    Bytes data(5000);
    CHECK(fs.read(a, 0, data).value() == 3000);
    CHECK(fs.write(a, 3000, data).value() == 5000);
    CHECK(fs.stat(a).value().size == 8000);
    REQUIRE(fs.sync().ok());
    CHECK(fs.forget(a).ok());
    CHECK(fs.stat(a).status() == Error::Stale);
    // The same place again and again: never the same node.
    std::set<u64> values{a.value, b.value, directory.value};
    for (u32 i = 0; i < 300; ++i) {
        const Node node = make_file(fs, fs.root(), "again", 1);
        CHECK(values.insert(node.value).second);
        if (i % 3 == 0) {
            REQUIRE(fs.rename(fs.root(), "again", directory, "then").ok());
            REQUIRE(fs.rename(directory, "then", fs.root(), "again").ok());
            CHECK(fs.lookup(fs.root(), "again").value() == node);
        }
        remove(fs, "again");
        CHECK(fs.stat(node).status() == Error::Stale);
    }
    REQUIRE(fs.sync().ok());
    CHECK(fsck(disk.device.contents) == "");
}

TEST_CASE("more files without names than fat has memory for are refused",
          "[services][storage][fat]") {
    Disk disk;
    auto& fs = disk.mounted->fs;
    std::vector<Node> nodes;
    Error error = Error::None;
    for (u32 i = 0; i < 300 && error == Error::None; ++i) {
        make_file(fs, fs.root(), "f", 1);
        const auto gone = fs.unlink(fs.root(), "f", Kind::File);
        error = gone.status();
        if (gone.ok()) {
            nodes.push_back(gone.value());
        }
    }
    CHECK(error == Error::NoMemory);
    CHECK(nodes.size() == 256);
    for (const Node node : nodes) {
        CHECK(fs.stat(node).value().size == 1);
        CHECK(fs.forget(node).ok());
    }
    remove(fs, "f");
    REQUIRE(fs.sync().ok());
    CHECK(fsck(disk.device.contents) == "");
}

TEST_CASE("names of fat are found without their case and keep it", "[services][storage][fat]") {
    Disk disk;
    auto& fs = disk.mounted->fs;
    const Node file = make_file(fs,
                                fs.root(),
                                "Gr\xc3\xb6\xc3\x9f"
                                "e \xf0\x9f\x98\x80.Text");
    CHECK(fs.lookup(fs.root(),
                    "gR\xc3\x96\xc3\x9f"
                    "E \xf0\x9f\x98\x80.tEXT")
              .value() == file);
    REQUIRE(fs.rename(fs.root(),
                      "GR\xc3\x96\xc3\x9f"
                      "E \xf0\x9f\x98\x80.TEXT",
                      fs.root(),
                      "plain")
                .ok());
    REQUIRE(fs.rename(fs.root(), "plain", fs.root(), "PlAiN").ok());
    CHECK(fs.lookup(fs.root(), "plain").value() == file);
    CHECK(text_of(fs).find("/PlAiN") != std::string::npos);
    REQUIRE(fs.create(fs.root(), std::string(255, 'm'), {}).ok());
    CHECK(fs.lookup(fs.root(), std::string(255, 'M')).ok());
    for (u32 i = 0; i < 40; ++i) {  // short names of one basis
        REQUIRE(fs.create(fs.root(), "numbered file " + std::to_string(i), {}).ok());
    }
    CHECK(fs.lookup(fs.root(), "NUMBER~9").ok());
    REQUIRE(fs.sync().ok());
    CHECK(fsck(disk.device.contents) == "");
}

TEST_CASE("attributes that fat keeps are those that were set", "[services][storage][fat]") {
    Disk disk;
    auto& fs = disk.mounted->fs;
    const Node file = make_file(fs, fs.root(), "file");
    constexpr s64 kTime = 1'234'567'890'000'000'000;  // an even second
    REQUIRE(fs.set_attributes(file,
                              {.set = AttributeChange::kMode | AttributeChange::kModified |
                                      AttributeChange::kAccessed,
                               .mode = 0444,
                               .accessed_ns = kTime,
                               .modified_ns = kTime})
                .ok());
    REQUIRE(fs.sync().ok());
    auto& again = disk.mount({.owner = 5, .group = 6, .mode = 0660});
    const auto stat = again.stat(again.lookup(again.root(), "file").value()).value();
    CHECK(stat.mode == 0440);
    CHECK(stat.owner == 5);
    CHECK(stat.group == 6);
    CHECK(stat.modified_ns == kTime);
    CHECK(stat.accessed_ns == kTime - kTime % 86'400'000'000'000);
    for (s64 day = 0; day < 128 * 366; day += 13) {
        const s64 ns = fat::kFirstTimeNs + day * 86'400'000'000'000 + day * 1'234'560'000'000;
        const s64 kept = ns - ns % 10'000'000;
        const s64 last = 4'354'819'199'000'000'000;
        CHECK(fat::from_dos(fat::to_dos(ns)) == std::min(kept, last));
    }
    CHECK(fat::from_dos(fat::to_dos(0)) == fat::kFirstTimeNs);
    CHECK(fat::from_dos({0xffff, 0xffff, 255}) > fat::from_dos({0, 0, 0}));
}

TEST_CASE("a full fat volume refuses, and is usable again when something was removed",
          "[services][storage][fat]") {
    Disk disk;
    auto& fs = disk.mounted->fs;
    u32 count = 0;
    const Bytes data(20000, 'f');
    u64 written = data.size();
    for (; written == data.size(); ++count) {
        const auto made = fs.create(fs.root(), "f" + std::to_string(count), {});
        REQUIRE(made.ok());
        const auto done = fs.write(made.value(), 0, data);
        written = done.ok() ? done.value() : 0;
        REQUIRE((done.ok() || done.status() == Error::NoSpace));
    }
    CHECK(count > 80);
    CHECK(fs.statfs().value().free_blocks == 0);
    CHECK(fs.create(fs.root(), "d", {.kind = Kind::Directory}).status() == Error::NoSpace);
    CHECK(fs.truncate(fs.lookup(fs.root(), "f1").value(), 300).ok());
    CHECK(fs.create(fs.root(), "d", {.kind = Kind::Directory}).ok());
    CHECK(fs.rename(fs.root(), "f2", fs.root(), "renamed over and over again").ok());
    for (u32 i = 3; i < count; ++i) {
        remove(fs, "f" + std::to_string(i));
    }
    CHECK(fs.write(fs.lookup(fs.root(), "f1").value(), 300, Bytes(kMega)).value() == kMega);
    u32 names = 0;  // the root of fixed size is full first
    Error error = Error::None;
    for (; error == Error::None; ++names) {
        error = fs.create(fs.root(), "n" + std::to_string(names), {}).status();
    }
    CHECK(error == Error::NoSpace);
    CHECK(names > 450);
    REQUIRE(fs.sync().ok());
    CHECK(fsck(disk.device.contents) == "");
}

TEST_CASE("readdir of fat shows each entry once while others come and go",
          "[services][storage][fat]") {
    Disk disk{{.bits = 12, .cluster_bytes = 512}};
    auto& fs = disk.mounted->fs;
    const Node directory = make_directory(fs, fs.root(), "d");
    constexpr u32 kStaying = 500;
    for (u32 i = 0; i < kStaying; ++i) {
        make_file(fs, directory, "stays here all the time " + std::to_string(i));
    }

    class Some final : public Listing {
    public:
        Answer add(const DirectoryEntry& entry) override {
            if (taken == 7) {
                return Answer::Full;
            }
            ++taken;
            seen.insert(std::string(entry.name));
            return Answer::Taken;
        }

        u32 taken = 0;
        std::multiset<std::string> seen;
    };

    Some some;
    u64 cursor = 0;
    for (u32 round = 0;; ++round) {
        some.taken = 0;
        const auto next = fs.readdir(directory, cursor, some);
        REQUIRE(next.ok());
        if (some.taken == 0) {
            break;
        }
        cursor = next.value();
        make_file(fs, directory, "comes" + std::to_string(round));
        if (round % 2 == 1) {
            const auto name = "comes" + std::to_string(round);
            REQUIRE(fs.forget(fs.unlink(directory, name, Kind::File).value()).ok());
        }
    }
    for (u32 i = 0; i < kStaying; ++i) {
        REQUIRE(some.seen.count("stays here all the time " + std::to_string(i)) == 1);
    }
    CHECK(fs.readdir(directory, ~u64{0} >> 1, some).ok());
}

TEST_CASE("an access to fat that fails, whichever it is, loses nothing that was synced",
          "[services][storage][fat]") {
    u64 failed = 0;
    u64 total = 300;
    for (u64 from = 0; from < total; from += 3) {
        INFO("from " << from);
        MemoryDevice device{kMega};
        REQUIRE(Mounted::format(device, {.bits = 12, .cluster_bytes = 1024}).ok());
        {
            Mounted mounted{device};
            const Bytes data(20000, 's');
            REQUIRE(
                mounted.fs.write(make_file(mounted.fs, mounted.fs.root(), "synced"), 0, data).ok());
            REQUIRE(mounted.fs.sync().ok());
            Player player{mounted.fs,
                          9,
                          {.max_write = 6000, .max_offset = 9000, .sync_in = 6, .is_plain = true}};
            player.may_fail = true;
            device.fail_from = device.accesses + from;
            device.fail_end = device.fail_from + 1 + from % 2 * 1000000;
            for (u32 i = 0; i < 150; ++i) {
                try {
                    player.play();
                } catch (const std::runtime_error&) {
                    break;  // given up: what is in memory may be half of an operation
                }
            }
            failed += player.has_failed ? 1 : 0;
            device.fail_end = 0;
        }
        Mounted again{device};
        REQUIRE(again.mounted.ok());
        REQUIRE(!again.fs.is_damaged());
        const auto synced = again.fs.lookup(again.fs.root(), "synced");
        REQUIRE(synced.ok());
        Bytes data(20000);
        REQUIRE(again.fs.read(synced.value(), 0, data).value() == data.size());
        REQUIRE(std::ranges::count(data, 's') == 20000);
        REQUIRE(again.fs.create(again.fs.root(), "goes on", {}).ok());
        REQUIRE(again.fs.sync().ok());
        REQUIRE(fsck(device.contents) == "");
    }
    CHECK(failed > 40);
}

TEST_CASE("damaged tables, entries and boot sectors end in errors or bounded answers",
          "[services][storage][fat]") {
    for (const u32 bits : {12u, 16u, 32u}) {
        const Bytes sound = sound_image(bits);
        u32 refused = 0;
        u32 found = 0;
        for (u64 seed = 0; seed < (bits == 32 ? 60 : 300); ++seed) {
            INFO("bits " << bits << " seed " << seed);
            std::mt19937_64 random{seed};
            MemoryDevice device{sound.size()};
            device.contents = sound;
            Bytes changes(4 + random() % 60);
            std::ranges::generate(changes, [&] { return static_cast<u8>(random()); });
            damage(device.contents, changes);
            Mounted mounted{device};
            if (!mounted.mounted.ok()) {
                ++refused;
                continue;
            }
            use_everything(mounted.fs);
            found += mounted.fs.is_damaged() ? 1 : 0;
        }
        CHECK(refused + found > 0);
    }
}

TEST_CASE("chains in circles, chains that meet and sizes beyond chains are noticed",
          "[services][storage][fat]") {
    Disk disk{{.bits = 16, .cluster_bytes = 512}, 8 * kMega};
    make_file(disk.mounted->fs, disk.mounted->fs.root(), "a", 2000);
    make_file(disk.mounted->fs, disk.mounted->fs.root(), "b", 2000);
    const Node inner = make_directory(disk.mounted->fs, disk.mounted->fs.root(), "d");
    make_file(disk.mounted->fs, inner, "c", 10);
    REQUIRE(disk.mounted->fs.sync().ok());
    auto& bytes = disk.device.contents;
    u8* const table = &bytes[512];
    Bytes data(4000);
    const auto open = [&](const char* name) {
        auto& fs = disk.mount();
        return fs.lookup(fs.root(), name).value();
    };
    SECTION("a file's chain is shorter than its size") {
        fat::store16(table + 2 * 3, 0xffff);
        const Node a = open("A");
        CHECK(disk.mounted->fs.read(a, 0, data).value() == 1024);
        CHECK(disk.mounted->fs.read(a, 1024, data).status() == Error::Damaged);
        CHECK(disk.mounted->fs.write(a, 2000, data).status() == Error::Damaged);
    }
    SECTION("a chain leads to a free cluster and to one outside") {
        for (const u32 value : {0u, 1u, 0xfff0u, 0xfff7u}) {
            const Bytes before = bytes;
            fat::store16(table + 2 * 2, value);
            const Node a = open("A");
            CHECK(disk.mounted->fs.read(a, 512, data).status() == Error::Damaged);
            CHECK(disk.mounted->fs.truncate(a, 0).ok());
            bytes = before;
        }
    }
    SECTION("a directory goes in a circle") {
        fat::store16(table + 2 * 10, 10);
        for (u32 i = 64; i < 512; i += 32) {
            bytes[fat_data_at(bytes) + 8 * 512 + i] = fat::kDeleted;
        }
        const Node d = open("d");

        class Count final : public Listing {
        public:
            Answer add(const DirectoryEntry&) override {
                ++count;
                return Answer::Taken;
            }

            u32 count = 0;
        };

        Count count;
        (void)disk.mounted->fs.readdir(d, 0, count);
        CHECK(count.count < 65536);
        CHECK(disk.mounted->fs.create(d, "x", {}).ok());
    }
    SECTION("two files share clusters of a volume that was not unmounted") {
        fat::store16(table + 2 * 3, 7);
        bytes[fat::kTail16At + fat::kStateInTail] |= 1;
        auto& fs = disk.mount();
        CHECK(fs.is_damaged());
        CHECK(fs.create(fs.root(), "x", {}).status() == Error::ReadOnly);
        CHECK(fs.read(fs.lookup(fs.root(), "b").value(), 0, data).ok());
    }
}
