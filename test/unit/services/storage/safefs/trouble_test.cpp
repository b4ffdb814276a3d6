// SPDX-License-Identifier: Apache-2.0
// Devices that fail, are full, or hold what nobody has written like that.
#include "../model.hpp"
#include "mounted.hpp"
#include "sealer.hpp"

#include <catch2/catch_test_macros.hpp>
#include <set>

using namespace test_storage;

namespace {

/// Plays while accesses [from, end) fail; then what was synced must be there after a mount.
/// Returns whether anything was refused, and counts where the file system went on without a mount.
bool play_with_failures(u64 seed, u64 from, u64 count, u64& accesses, u64& went_on) {
    MemoryDevice device{2u << 20};
    REQUIRE(Mounted::format(device).ok());
    device.accesses = 0;
    device.fail_from = from;
    device.fail_end = from + count;
    std::set<std::string> allowed;  // states since the last sync that returned
    bool has_failed = false;
    {
        Mounted mounted{device, 40};
        if (!mounted.mounted.ok()) {
            REQUIRE(mounted.mounted.status() == Error::Io);
            return true;
        }
        Player player{mounted.fs, seed, {.max_write = 9000, .max_offset = 30000, .sync_in = 6}};
        player.may_fail = true;
        allowed.insert(player.model.text());
        for (u32 i = 0; i < 120; ++i) {
            const auto did = player.play();
            if (did == Player::Did::Synced) {
                allowed.clear();
            }
            allowed.insert(player.model.text());
        }
        has_failed = player.has_failed;
        if (mounted.fs.sync().ok()) {  // not given up: what was refused has changed nothing
            went_on += has_failed ? 1 : 0;
            allowed = {player.model.text()};
            REQUIRE(text_of(mounted.fs) == player.model.text());
            REQUIRE(mounted.problems().empty());
        }
    }
    accesses = device.accesses;
    device.fail_end = 0;
    Mounted again{device, 40};
    REQUIRE(again.problems().empty());
    REQUIRE(allowed.contains(text_of(again.fs)));
    return has_failed;
}

Node make_file(FileSystem& fs, std::string_view name) {
    const auto made = fs.create(fs.root(), name, {});
    REQUIRE(made.ok());
    return made.value();
}

/// Writes files of one block until there is no space; returns how many.
u32 fill(FileSystem& fs, std::string_view prefix) {
    const Bytes block(4096, 7);
    for (u32 i = 0;; ++i) {
        const std::string name = std::string(prefix) + std::to_string(i);
        const auto made = fs.create(fs.root(), name, {});
        if (!made.ok()) {
            REQUIRE(made.status() == Error::NoSpace);
            return i;
        }
        const auto written = fs.write(made.value(), 0, block);
        if (!written.ok()) {
            REQUIRE(written.status() == Error::NoSpace);
            const auto gone = fs.unlink(fs.root(), name, Kind::File);
            REQUIRE(gone.ok());
            REQUIRE(fs.forget(gone.value()).ok());
            return i;
        }
    }
}

void fill_at_random(MemoryDevice& device) {
    REQUIRE(Mounted::format(device).ok());
    Mounted mounted{device};
    Player player{mounted.fs, 3, {.max_write = 5000, .max_offset = 90000}};
    for (u32 i = 0; i < 400; ++i) {
        player.play();
    }
    player.forget_all();
    REQUIRE(mounted.fs.sync().ok());
}

}  // namespace

TEST_CASE("an access that fails, whichever it is, loses nothing that was synced",
          "[services][storage][safefs]") {
    for (const u64 count : {u64{1}, u64{3}, u64{1000000}}) {
        u64 accesses = 1;
        u64 failed = 0;
        u64 went_on = 0;
        u64 from = 0;
        for (; from < accesses || from < 20; ++from) {
            INFO("from " << from << " count " << count);
            failed += play_with_failures(5, from, count, accesses, went_on) ? 1 : 0;
        }
        CHECK(failed > from / 4);
        CHECK((count > 3 || went_on > failed / 4));
        UNSCOPED_INFO("failed " << failed << " went on " << went_on << " of " << from);
    }
}

TEST_CASE("a sync fails with each of its accesses, and what it left can be synced or mounted",
          "[services][storage][safefs]") {
    const Bytes data(5000, 'x');
    u32 repeated = 0;
    u32 given_up = 0;
    for (u64 n = 0;; ++n) {
        INFO("access " << n);
        MemoryDevice device{2u << 20};
        REQUIRE(Mounted::format(device).ok());
        Mounted mounted{device};
        const Node file = make_file(mounted.fs, "file");
        REQUIRE(mounted.fs.sync().ok());
        const std::string before = text_of(mounted.fs);
        REQUIRE(mounted.fs.write(file, 0, data).ok());
        const std::string after = text_of(mounted.fs);
        device.fail_from = device.accesses + n;
        device.fail_end = device.fail_from + 1;
        if (mounted.fs.sync().ok()) {
            REQUIRE(device.accesses <= device.fail_from);
            break;
        }
        const bool again = mounted.fs.sync().ok();
        ++(again ? repeated : given_up);
        CHECK((again || mounted.fs.write(file, 0, data).status() == Error::Io));
        Mounted found{device};
        CHECK(found.problems().empty());
        CHECK(text_of(found.fs) == (again ? after : before));
    }
    CHECK(repeated >= 4);
    CHECK(given_up == 1);  // the flush before the commit block
}

TEST_CASE("a full device refuses, and is usable again when something was removed",
          "[services][storage][safefs]") {
    MemoryDevice device{2u << 20};
    REQUIRE(Mounted::format(device).ok());
    Mounted mounted{device};
    auto& fs = mounted.fs;
    const u32 first = fill(fs, "a");
    REQUIRE(first > 300);
    REQUIRE(fs.sync().ok());
    SECTION("all files can be removed, and as many are made again") {
        for (u32 i = 0; i < first; ++i) {
            const auto gone = fs.unlink(fs.root(), "a" + std::to_string(i), Kind::File);
            REQUIRE(gone.ok());
            REQUIRE(fs.forget(gone.value()).ok());
        }
        CHECK(fill(fs, "b") + 2 >= first);
        CHECK(mounted.problems().empty());
    }
    SECTION("blocks that are there can be overwritten, files cut and renamed over each other") {
        const Bytes block(4096, 9);
        for (u32 round = 0; round < 3; ++round) {
            for (u32 i = 0; i < first; ++i) {
                const Node file = fs.lookup(fs.root(), "a" + std::to_string(i)).value();
                REQUIRE(fs.write(file, 0, block).ok());
            }
        }
        for (u32 i = 0; i + 1 < first; i += 2) {
            const auto gone = fs.rename(
                fs.root(), "a" + std::to_string(i), fs.root(), "a" + std::to_string(i + 1));
            REQUIRE(gone.ok());
            REQUIRE(fs.forget(gone.value()).ok());
            REQUIRE(fs.truncate(fs.lookup(fs.root(), "a" + std::to_string(i + 1)).value(), i).ok());
        }
        CHECK(mounted.problems().empty());
    }
    SECTION("small writes that were synced are there after a mount") {
        const Bytes line(100, 'l');
        for (u32 i = 0; i < 200; ++i) {
            const Node file = fs.lookup(fs.root(), "a" + std::to_string(i % 40)).value();
            REQUIRE(fs.write(file, i * 17 % 4000, line).ok());
            REQUIRE(fs.sync().ok());
            Mounted again{device};
            REQUIRE(again.problems().empty());
            REQUIRE(text_of(again.fs) == text_of(fs));
        }
    }
    SECTION("it mounts, and a file in use that has no name goes") {
        REQUIRE(fs.unlink(fs.root(), "a0", Kind::File).ok());
        REQUIRE(fs.sync().ok());
        Mounted again{device};
        REQUIRE(again.problems().empty());
        CHECK(again.fs.statfs().value().free_blocks > fs.statfs().value().free_blocks);
    }
}

TEST_CASE("a byte that changed in any block in use is noticed", "[services][storage][safefs]") {
    MemoryDevice device{1u << 20};
    fill_at_random(device);
    u64 used = 0;
    u64 noticed = 0;
    std::string text;
    {
        Mounted mounted{device};
        REQUIRE(mounted.problems().empty());
        used = mounted.report.blocks;
        text = text_of(mounted.fs);
    }
    std::vector<u64> memory;
    for (u64 block = 1; block + 1 < device.contents.size() / kUnit; ++block) {
        u8& byte = device.contents[block * kUnit + block * 37 % kUnit];
        byte ^= 0x10;
        Mounted mounted{device, 40, &memory};
        const bool is_sound = mounted.problems().empty();
        REQUIRE((!is_sound || text_of(mounted.fs) == text));
        noticed += is_sound ? 0 : 1;
        byte ^= 0x10;
    }
    CHECK(noticed == used);
}

TEST_CASE("whatever bytes of an image are changed, safefs neither crashes nor hangs",
          "[services][storage][safefs]") {
    MemoryDevice device{1u << 20};
    fill_at_random(device);
    Sealer places{device.contents};
    places.seal(0);
    places.seal(255);
    const Bytes sound = device.contents;
    u32 noticed = 0;
    std::vector<u64> memory;
    for (u64 seed = 0; seed < 600; ++seed) {
        INFO("seed " << seed);
        std::mt19937_64 random{seed};
        device.contents = sound;
        for (u64 i = 0; i <= random() % 4; ++i) {
            const u64 block = places.metadata[random() % places.metadata.size()];
            const u64 at = block * kUnit + random() % kUnit;
            const u64 length = std::min(1 + random() % 16, device.contents.size() - at);
            for (u64 j = 0; j < length; ++j) {
                device.contents[at + j] = static_cast<u8>(random() % 3 == 0 ? random() : j);
            }
        }
        if (seed % 4 != 0) {
            Sealer{device.contents}.seal(0);
            Sealer{device.contents}.seal(255);
        }
        Mounted mounted{device, 40, &memory};
        noticed += mounted.problems().empty() ? 0 : 1;
        if (mounted.mounted.ok()) {
            Player player{mounted.fs, seed, {}};
            player.may_fail = true;
            text_of(mounted.fs);
            for (u32 i = 0; i < 20; ++i) {
                try {
                    player.play();
                } catch (const std::runtime_error&) {
                    break;  // the model knows nothing of what was there
                }
            }
        }
    }
    CHECK(noticed > 300);
}

TEST_CASE("no pointer leads to a block that is in use or not there",
          "[services][storage][safefs]") {
    MemoryDevice device{1u << 20};
    REQUIRE(Mounted::format(device).ok());
    {
        Mounted mounted{device};
        const Bytes data(4096, 1);
        REQUIRE(mounted.fs.write(make_file(mounted.fs, "a"), 0, data).ok());
        REQUIRE(mounted.fs.write(make_file(mounted.fs, "b"), 0, data).ok());
        REQUIRE(mounted.fs.sync().ok());
    }
    CommitBlock newest;
    std::memcpy(&newest, device.contents.data(), sizeof(newest));
    u8* const table = &device.contents[newest.root.roots[0].address * u64{kUnit}];
    const auto set_address = [&](u32 inode, u32 address) {
        std::memcpy(table + inode * kInodeBytes + kRootsInInode, &address, sizeof(address));
        Sealer{device.contents}.seal(0);
        Mounted mounted{device};
        REQUIRE(mounted.mounted.ok());
        CHECK(mounted.fs.is_damaged());
        CHECK(mounted.fs.create(mounted.fs.root(), "x", {}).status() == Error::ReadOnly);
    };
    u32 first = 0;
    std::memcpy(&first, table + 2 * kInodeBytes + kRootsInInode, sizeof(first));
    for (const u32 address : {first, newest.root.roots[0].address, 255u, 256u, ~0u}) {
        set_address(3, address);
    }
}

TEST_CASE("a bucket of any content is read within its bytes", "[services][storage][safefs]") {
    u64 entries = 0;
    for (u64 seed = 0; seed < 2000; ++seed) {
        std::mt19937_64 random{seed};
        Bytes bucket(kBlockBytes);
        const u16 used = static_cast<u16>(random() % 4200);
        std::memcpy(bucket.data(), &used, sizeof(used));
        u64 hash = 0;
        for (u64 at = 8; at + 14 < bucket.size();) {
            hash += random() % 1000;
            std::memcpy(&bucket[at], &hash, sizeof(hash));
            bucket[at + 13] = static_cast<u8>(random() % 256);
            at += 14 + bucket[at + 13];
        }
        BucketReader reader{bucket.data()};
        for (Entry entry; reader.next(entry); ++entries) {
            REQUIRE(entry.end <= kBlockBytes);
            REQUIRE(std::string(entry.name).size() == entry.name.size());
        }
    }
    CHECK(entries > 10000);
}

TEST_CASE("what is refused has its own error", "[services][storage][safefs]") {
    MemoryDevice device{1u << 20};
    Mounted none{device};
    CHECK(none.mounted.status() == Error::NoDevice);
    REQUIRE(Mounted::format(device).ok());
    std::vector<u64> little(1000);
    TickingClock clock;
    safefs::SafeFs poor{device, clock};
    void* const at = little.data();
    CHECK(poor.mount({static_cast<u8*>(at), 8000}).status() == Error::NoMemory);
    MemoryDevice tiny{4096 * 64};
    CHECK(Mounted::format(tiny).status() == Error::Invalid);

    Mounted mounted{device};
    auto& fs = mounted.fs;
    const Node file = make_file(fs, "file");
    CHECK(fs.create(fs.root(), "", {}).status() == Error::Invalid);
    CHECK(fs.create(fs.root(), "a/b", {}).status() == Error::Invalid);
    CHECK(fs.create(fs.root(), "..", {}).status() == Error::Invalid);
    const NewNode tty{.kind = Kind::CharacterDevice};
    CHECK(fs.create(fs.root(), "tty", tty).status() == Error::NotSupported);
    CHECK(fs.create(fs.root(), std::string(256, 'n'), {}).status() == Error::NameTooLong);
    CHECK(fs.create(fs.root(), std::string(255, 'n'), {}).ok());
    CHECK(fs.create(file, "x", {}).status() == Error::NotADirectory);
    CHECK(fs.create(fs.root(), "file", {}).status() == Error::Exists);
    CHECK(fs.read(fs.root(), 0, {}).status() == Error::IsADirectory);
    CHECK(fs.write(fs.root(), 0, {}).status() == Error::IsADirectory);
    const Bytes byte(1);
    CHECK(fs.write(file, safefs::kMaxFileBytes, byte).status() == Error::FileTooBig);
    CHECK(fs.write(file, safefs::kMaxFileBytes - 1, byte).ok());
    CHECK(fs.stat(file).value().size == safefs::kMaxFileBytes);
    CHECK(fs.truncate(file, 0).ok());
    CHECK(fs.truncate(file, safefs::kMaxFileBytes + 1).status() == Error::FileTooBig);
    CHECK(fs.unlink(fs.root(), "file", Kind::Directory).status() == Error::NotADirectory);
    const Node directory = fs.create(fs.root(), "d", {.kind = Kind::Directory}).value();
    CHECK(fs.link(fs.root(), "e", directory).status() == Error::IsADirectory);
    CHECK(fs.unlink(fs.root(), "d", Kind::File).status() == Error::IsADirectory);
    CHECK(fs.rename(fs.root(), "d", directory, "d").status() == Error::Invalid);
    CHECK(fs.lookup(directory, "..").value() == fs.root());
    CHECK(fs.unlink(fs.root(), "d", Kind::Directory).value() == directory);
    CHECK(fs.create(directory, "late", {}).status() == Error::NoEntry);
    CHECK(fs.forget(directory).ok());
    CHECK(fs.stat(directory).status() == Error::Stale);
    CHECK(mounted.problems().empty());
}

TEST_CASE("readdir shows each entry once while others come and go", "[services][storage][safefs]") {
    MemoryDevice device{8u << 20};
    REQUIRE(Mounted::format(device).ok());
    Mounted mounted{device, 128};
    auto& fs = mounted.fs;
    constexpr u32 kStaying = 2000;
    for (u32 i = 0; i < kStaying; ++i) {
        make_file(fs, "stays" + std::to_string(i));
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
        const auto next = fs.readdir(fs.root(), cursor, some);
        REQUIRE(next.ok());
        if (some.taken == 0) {
            break;
        }
        cursor = next.value();
        for (u32 i = 0; i < 5; ++i) {
            make_file(fs, "comes" + std::to_string(round * 5 + i));
        }
        if (round % 2 == 1) {
            REQUIRE(fs.unlink(fs.root(), "comes" + std::to_string(round), Kind::File).ok());
        }
    }
    for (u32 i = 0; i < kStaying; ++i) {
        REQUIRE(some.seen.count("stays" + std::to_string(i)) == 1);
    }
    CHECK(mounted.problems().empty());
}
