// SPDX-License-Identifier: Apache-2.0
// Tables made by hand, damaged everywhere, and tables made by sfdisk where that is installed.
#include "memory_device.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <services/storage/crc32.hpp>
#include <services/storage/partition.hpp>
#include <unistd.h>

namespace {

using namespace test_storage;

constexpr u64 kBlocks = 4096;

template <typename T> void store(Bytes& bytes, std::size_t at, T value) {
    std::memcpy(&bytes[at], &value, sizeof(T));
}

u32 crc_of(const Bytes& bytes, std::size_t at, std::size_t size) {
    Crc32 crc;
    crc.add(std::span{bytes}.subspan(at, size));
    return crc.value();
}

/// A device with a table in the making.
struct Disk {
    explicit Disk(u32 block_bytes = 512, u64 blocks = kBlocks)
        : device(blocks * block_bytes, block_bytes), block(block_bytes) {}

    Bytes& bytes() { return device.contents; }

    void set_entry(u64 at, u32 index, u8 kind, u32 first, u32 count, u8 flags = 0) {
        const std::size_t place = at * block + 446 + 16 * index;
        bytes()[place] = flags;
        bytes()[place + 4] = kind;
        store(bytes(), place + 8, first);
        store(bytes(), place + 12, count);
        bytes()[at * block + 510] = 0x55;
        bytes()[at * block + 511] = 0xAA;
    }

    struct GptEntry {
        u64 first = 0;
        u64 last = 0;
        std::u16string name{};
        u8 type = 1;
    };

    void make_gpt(const std::vector<GptEntry>& entries, u32 entry_bytes = 128, u32 count = 128) {
        const u64 blocks = bytes().size() / block;
        const u64 array_blocks = (u64{entry_bytes} * count + block - 1) / block;
        set_entry(0, 0, 0xEE, 1, static_cast<u32>(blocks - 1));
        first_usable = 2 + array_blocks;
        last_usable = blocks - 2 - array_blocks;
        Bytes array(u64{entry_bytes} * count);
        for (std::size_t i = 0; i < entries.size(); ++i) {
            const std::size_t at = i * entry_bytes;
            std::memset(&array[at], entries[i].type, 16);
            std::memset(&array[at + 16], static_cast<int>(i + 1), 16);
            store(array, at + 32, entries[i].first);
            store(array, at + 40, entries[i].last);
            std::memcpy(&array[at + 56], entries[i].name.data(), entries[i].name.size() * 2);
        }
        put_copy(1, blocks - 1, 2, array, entry_bytes, count);
        put_copy(blocks - 1, 1, blocks - 1 - array_blocks, array, entry_bytes, count);
    }

    void
    put_copy(u64 at, u64 other, u64 entries_at, const Bytes& array, u32 entry_bytes, u32 count) {
        std::memcpy(&bytes()[entries_at * block], array.data(), array.size());
        const std::size_t place = at * block;
        std::memcpy(&bytes()[place], "EFI PART", 8);
        store(bytes(), place + 8, u32{0x10000});
        store(bytes(), place + 12, u32{92});
        store(bytes(), place + 24, at);
        store(bytes(), place + 32, other);
        store(bytes(), place + 40, first_usable);
        store(bytes(), place + 48, last_usable);
        store(bytes(), place + 72, entries_at);
        store(bytes(), place + 80, count);
        store(bytes(), place + 84, entry_bytes);
        store(bytes(), place + 88, crc_of(array, 0, array.size()));
        seal(at);
    }

    /// The header's sum, after a change.
    void seal(u64 at) {
        store(bytes(), at * block + 16, u32{0});
        store(bytes(), at * block + 16, crc_of(bytes(), at * block, 92));
    }

    PartitionTable read() {
        const auto table = read_partitions(device, found);
        REQUIRE(table.ok());
        return table.value();
    }

    MemoryDevice device;
    u32 block;
    u64 first_usable = 0;
    u64 last_usable = 0;
    std::array<Partition, kMaxPartitions> found{};
};

/// Makes a table of a real tool; false: it is not there.
bool run_sfdisk(const std::string& script, Bytes& contents) {
    std::string tool;
    for (const char* path : {"/usr/sbin/sfdisk", "/sbin/sfdisk", "/usr/bin/sfdisk"}) {
        tool = tool.empty() && std::filesystem::exists(path) ? path : tool;
    }
    if (tool.empty()) {
        return false;
    }
    const auto folder = std::filesystem::temp_directory_path() /
                        ("tessera-partitions-" + std::to_string(::getpid()));
    std::filesystem::create_directory(folder);
    const std::string image = folder / "disk.img";
    const std::string input = folder / "script";
    std::ofstream{image, std::ios::binary}.write(std::bit_cast<const char*>(contents.data()),
                                                 static_cast<std::streamsize>(contents.size()));
    std::ofstream{input} << script;
    const int result =
        std::system((tool + " -q --no-tell-kernel --no-reread " + image + " < " + input).c_str());
    std::ifstream{image, std::ios::binary}.read(std::bit_cast<char*>(contents.data()),
                                                static_cast<std::streamsize>(contents.size()));
    std::filesystem::remove_all(folder);
    REQUIRE(result == 0);
    return true;
}

}  // namespace

TEST_CASE("the sum is the one that everybody has", "[services][storage]") {
    constexpr u8 kText[] = {'1', '2', '3', '4', '5', '6', '7', '8', '9'};
    Crc32 crc;
    crc.add(kText);
    CHECK(crc.value() == 0xCBF4'3926);
}

TEST_CASE("a device without a table has none", "[services][storage]") {
    Disk disk;
    CHECK(disk.read().kind == TableKind::None);
    disk.bytes()[510] = 0x55;
    disk.bytes()[511] = 0xAA;  // as a file system's boot block without code
    CHECK(disk.read().kind == TableKind::None);
    SECTION("nor one with something else where the entries would be") {
        std::memcpy(&disk.bytes()[446], "Remove disks or other media.", 28);
        CHECK(disk.read().kind == TableKind::None);
    }
    SECTION("nor a FAT file system") {
        disk.set_entry(0, 0, 0x0C, 63, 100);
        disk.bytes()[0] = 0xEB;
        std::memcpy(&disk.bytes()[82], "FAT32", 5);
        CHECK(disk.read().kind == TableKind::None);
    }
    Disk none{512, 0};
    CHECK(none.read().kind == TableKind::None);
}

TEST_CASE("a device that fails is an error", "[services][storage]") {
    Disk disk;
    disk.device.fail_from = 0;
    disk.device.fail_end = 1;
    CHECK(read_partitions(disk.device, disk.found).status() == Error::Io);
}

TEST_CASE("primary partitions have their numbers", "[services][storage]") {
    Disk disk;
    disk.set_entry(0, 0, 0x0C, 64, 1000, 0x80);
    disk.set_entry(0, 2, 0x83, 2000, 2096);
    const PartitionTable table = disk.read();
    CHECK(table.kind == TableKind::Mbr);
    REQUIRE(table.count == 2);
    CHECK(table.refused == 0);
    CHECK(disk.found[0].number == 1);
    CHECK(disk.found[0].first == 64);
    CHECK(disk.found[0].count == 1000);
    CHECK(disk.found[0].kind == 0x0C);
    CHECK(disk.found[0].is_bootable);
    CHECK(disk.found[1].number == 3);
    CHECK(disk.found[1].first == 2000);
    CHECK(disk.found[1].count == 2096);
    CHECK_FALSE(disk.found[1].is_bootable);
}

TEST_CASE("partitions that lie where they must not are refused", "[services][storage]") {
    Disk disk;
    disk.set_entry(0, 0, 0x83, 100, 100);
    SECTION("beyond the end") { disk.set_entry(0, 1, 0x83, 4000, 97); }
    SECTION("behind the end") { disk.set_entry(0, 1, 0x83, 4096, 1); }
    SECTION("around all") { disk.set_entry(0, 1, 0x83, 0xFFFF'FFFF, 0xFFFF'FFFF); }
    SECTION("over the table") { disk.set_entry(0, 1, 0x83, 0, 10); }
    SECTION("over another") { disk.set_entry(0, 1, 0x83, 199, 10); }
    SECTION("around another") { disk.set_entry(0, 1, 0x83, 50, 1000); }
    SECTION("in another") { disk.set_entry(0, 1, 0x83, 150, 1); }
    const PartitionTable table = disk.read();
    CHECK(table.count == 1);
    CHECK(table.refused == 1);
    CHECK(disk.found[0].first == 100);
}

TEST_CASE("logical partitions count from 5", "[services][storage]") {
    Disk disk;
    disk.set_entry(0, 0, 0x83, 10, 90);
    disk.set_entry(0, 1, 0x05, 1000, 2000);
    disk.set_entry(1000, 0, 0x83, 1, 99);
    disk.set_entry(1000, 1, 0x05, 500, 200);
    disk.set_entry(1500, 0, 0x82, 10, 50);
    SECTION("in a chain that ends") {
        const PartitionTable table = disk.read();
        REQUIRE(table.count == 3);
        CHECK_FALSE(table.is_chain_cut);
        CHECK(disk.found[1].number == 5);
        CHECK(disk.found[1].first == 1001);
        CHECK(disk.found[1].count == 99);
        CHECK(disk.found[2].number == 6);
        CHECK(disk.found[2].first == 1510);
        CHECK(disk.found[2].count == 50);
    }
    SECTION("in one that bites its tail") {
        disk.set_entry(1500, 1, 0x05, 0, 10);
        disk.bytes()[1500 * 512 + 446 + 16 + 12] = 10;
        const PartitionTable table = disk.read();
        CHECK(table.is_chain_cut);
        CHECK(table.count == 3);
    }
    SECTION("in one that leaves its place") {
        disk.set_entry(1500, 1, 0x05, 2000, 10);
        CHECK(disk.read().is_chain_cut);
    }
    SECTION("in one that leads to what is no record") {
        disk.bytes()[1500 * 512 + 510] = 0;
        const PartitionTable table = disk.read();
        CHECK(table.is_chain_cut);
        CHECK(table.count == 2);
    }
    SECTION("not outside of the extended one") {
        disk.set_entry(1500, 0, 0x82, 10, 1600);
        const PartitionTable table = disk.read();
        CHECK(table.count == 2);
        CHECK(table.refused == 1);
    }
    SECTION("of one extended one only") {
        disk.set_entry(0, 2, 0x0F, 3500, 100);
        const PartitionTable table = disk.read();
        CHECK(table.count == 3);
        CHECK(table.refused == 1);
    }
    SECTION("of one that begins behind the end") {
        disk.set_entry(0, 1, 0x05, 5000, 100);
        const PartitionTable table = disk.read();
        CHECK(table.is_chain_cut);
        CHECK(table.count == 1);
    }
}

TEST_CASE("a GPT is read in blocks of any size", "[services][storage]") {
    const u32 block = GENERATE(512u, 1024u, 4096u);
    const u32 entry = GENERATE(128u, 256u, 1024u);
    INFO(block << " " << entry);
    Disk disk{block};
    disk.make_gpt({{1500, 1599, u"boot"}, {1600, 1600, u"gr\u00FC\u00DFe \U0001F600"}}, entry);
    const PartitionTable table = disk.read();
    CHECK(table.kind == TableKind::Gpt);
    CHECK_FALSE(table.is_backup);
    REQUIRE(table.count == 2);
    CHECK(disk.found[0].number == 1);
    CHECK(disk.found[0].first == 1500);
    CHECK(disk.found[0].count == 100);
    CHECK(disk.found[0].name() == "boot");
    CHECK(disk.found[0].type[15] == 1);
    CHECK(disk.found[0].id[0] == 1);
    CHECK(disk.found[1].number == 2);
    CHECK(disk.found[1].count == 1);
    CHECK(disk.found[1].name() == "gr\xC3\xBC\xC3\x9F"
                                  "e \xF0\x9F\x98\x80");
}

TEST_CASE("a name of the worst characters fits", "[services][storage]") {
    Disk disk;
    std::u16string name(36, u'\uFFFD');
    SECTION("three bytes each") {}
    SECTION("halves of pairs") { name = std::u16string(36, char16_t{0xD800}); }
    SECTION("control characters") { name = std::u16string(36, u'\n'); }
    disk.make_gpt({{100, 200, name}});
    CHECK(disk.read().count == 1);
    CHECK(disk.found[0].name_size <= kMaxPartitionName);
    CHECK(disk.found[0].name_size >= 36);
    CHECK(disk.found[0].name().find('\n') == std::string_view::npos);
}

TEST_CASE("entries of a GPT that lie where they must not are refused", "[services][storage]") {
    Disk disk;
    Disk::GptEntry wrong;
    SECTION("over the table") { wrong = {33, 50}; }
    SECTION("over its copy") { wrong = {3000, 4063}; }
    SECTION("behind the end") { wrong = {5000, 5001}; }
    SECTION("backwards") { wrong = {50, 49}; }
    SECTION("around all") { wrong = {34, ~u64{0}}; }
    SECTION("over another") { wrong = {150, 300}; }
    disk.make_gpt({{100, 200}, wrong, {400, 500}});
    const PartitionTable table = disk.read();
    CHECK(table.count == 2);
    CHECK(table.refused == 1);
    CHECK(disk.found[1].number == 3);
}

TEST_CASE("the copy is used if the first is damaged", "[services][storage]") {
    Disk disk;
    disk.make_gpt({{100, 200}});
    SECTION("signature") { disk.bytes()[512] ^= 1; }
    SECTION("sum") { disk.bytes()[512 + 16] ^= 1; }
    SECTION("anything in the header") { disk.bytes()[512 + 60] ^= 1; }
    SECTION("an entry") { disk.bytes()[1024 + 40] ^= 1; }
    SECTION("an entry that is not used") { disk.bytes()[1024 + 127 * 128] ^= 1; }
    SECTION("size of the header") {
        store(disk.bytes(), 512 + 12, u32{513});
        disk.seal(1);
    }
    SECTION("a copy of another place") {
        store(disk.bytes(), 512 + 24, u64{2});
        disk.seal(1);
    }
    SECTION("no entries") {
        store(disk.bytes(), 512 + 80, u32{0});
        disk.seal(1);
    }
    SECTION("entries without end") {
        store(disk.bytes(), 512 + 80, ~u32{0});
        disk.seal(1);
    }
    SECTION("small entries") {
        store(disk.bytes(), 512 + 84, u32{64});
        disk.seal(1);
    }
    SECTION("crooked entries") {
        store(disk.bytes(), 512 + 84, u32{129});
        disk.seal(1);
    }
    SECTION("entries over the header") {
        store(disk.bytes(), 512 + 72, u64{1});
        disk.seal(1);
    }
    SECTION("entries in what is usable") {
        store(disk.bytes(), 512 + 72, u64{3});
        disk.seal(1);
    }
    SECTION("entries behind the end") {
        store(disk.bytes(), 512 + 72, ~u64{0});
        disk.seal(1);
    }
    SECTION("nothing usable") {
        store(disk.bytes(), 512 + 48, u64{10});
        disk.seal(1);
    }
    SECTION("usable beyond the end") {
        store(disk.bytes(), 512 + 48, ~u64{0});
        disk.seal(1);
    }
    SECTION("usable from the table on") {
        store(disk.bytes(), 512 + 40, u64{0});
        disk.seal(1);
    }
    SECTION("it cannot be read") {
        disk.device.fail_from = 1;
        disk.device.fail_end = 2;
    }
    const PartitionTable table = disk.read();
    CHECK(table.is_backup);
    REQUIRE(table.count == 1);
    CHECK(disk.found[0].first == 100);
    disk.bytes()[(kBlocks - 1) * 512] ^= 1;
    disk.device.fail_from = disk.device.fail_end = 0;
    disk.bytes()[512] = 'X';
    CHECK(read_partitions(disk.device, disk.found).status() == Error::Damaged);
}

TEST_CASE("a table of more partitions than there is room says so", "[services][storage]") {
    Disk disk;
    disk.make_gpt({{100, 200}, {300, 400}, {500, 600}});
    const auto table = read_partitions(disk.device, std::span{disk.found}.first(2));
    REQUIRE(table.ok());
    CHECK(table.value().count == 2);
    CHECK(table.value().refused == 1);
}

TEST_CASE("a partition is a device and nothing around it", "[services][storage]") {
    Disk disk;
    PartitionDevice part{disk.device, {.first = 100, .count = 10}};
    CHECK(part.block_count() == 10);
    CHECK(part.block_bytes() == 512);
    Bytes data(1024, 7);
    REQUIRE(part.write(8, data).ok());
    CHECK(disk.bytes()[108 * 512] == 7);
    CHECK(disk.bytes()[110 * 512 - 1] == 7);
    Bytes back(1024);
    REQUIRE(part.read(8, back).ok());
    CHECK(back == data);
    CHECK(part.flush().ok());
    CHECK(disk.device.flushes == 1);
    CHECK(part.write(9, data).status() == Error::Invalid);
    CHECK(part.read(10, back).status() == Error::Invalid);
    CHECK(part.read(~u64{0} - 99, back).status() == Error::Invalid);
    CHECK(part.read(0, std::span{back}.first(100)).status() == Error::Invalid);
    CHECK(part.read(0, std::span{back}.first(0)).status() == Error::Invalid);
    CHECK(PartitionDevice{disk.device, {.first = 4090, .count = 10}}.block_count() == 6);
    CHECK(PartitionDevice{disk.device, {.first = 5000, .count = 10}}.block_count() == 0);
    CHECK(PartitionDevice{disk.device, {.first = 1, .count = ~u64{0}}}.block_count() == 4095);
}

TEST_CASE("tables of sfdisk are read", "[services][storage]") {
    Disk disk{512, 131072};
    const std::string begin = GENERATE("label: dos\n", "label: gpt\n");
    const bool is_gpt = begin == "label: gpt\n";
    const std::string script =
        is_gpt ? begin + "size=1MiB, name=\"first part\"\nsize=2MiB, type=linux\nsize=3MiB\n"
               : begin + "size=1MiB, type=c, bootable\nsize=1MiB\nsize=1MiB\n"
                         "size=20MiB, type=5\nsize=2MiB\nsize=3MiB\nsize=4MiB, type=82\n";
    if (!run_sfdisk(script, disk.bytes())) {
        SKIP("sfdisk is not installed");
    }
    const PartitionTable table = disk.read();
    CHECK(table.refused == 0);
    CHECK_FALSE(table.is_backup);
    CHECK_FALSE(table.is_chain_cut);
    constexpr u64 kMiB = 2048;
    if (is_gpt) {
        CHECK(table.kind == TableKind::Gpt);
        REQUIRE(table.count == 3);
        CHECK(disk.found[0].name() == "first part");
        CHECK(disk.found[2].count == 3 * kMiB);
        std::memset(&disk.bytes()[512], 0, 33 * 512);
        CHECK(disk.read().is_backup);
        CHECK(disk.found[2].first == 4 * kMiB);
    } else {
        CHECK(table.kind == TableKind::Mbr);
        REQUIRE(table.count == 6);
        CHECK(disk.found[0].is_bootable);
        CHECK(disk.found[0].kind == 0x0C);
        CHECK(disk.found[3].number == 5);
        CHECK(disk.found[3].count == 2 * kMiB);
        CHECK(disk.found[4].number == 6);
        CHECK(disk.found[4].count == 3 * kMiB);
        CHECK(disk.found[5].kind == 0x82);
        CHECK(disk.found[5].count == 4 * kMiB);
    }
}
