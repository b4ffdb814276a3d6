// SPDX-License-Identifier: Apache-2.0
#include "builders.hpp"

#include <catch2/catch_test_macros.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sdk/imagec/sdcard.hpp>

namespace sdk::imagec::test {

namespace {

namespace fs = std::filesystem;

/// A folder of its own that goes with the object.
class Folder final {
public:
    Folder() {
        const char* const place = std::getenv("TMPDIR");
        path_ = std::string(place == nullptr ? "/tmp" : place) + "/imagec-card-XXXXXX";
        REQUIRE(mkdtemp(path_.data()) != nullptr);
    }

    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;

    ~Folder() { fs::remove_all(path_); }

    [[nodiscard]] std::string at(const std::string& name) const { return path_ + "/" + name; }

    [[nodiscard]] std::string add(const std::string& name, View content) const {
        REQUIRE(write_file(at(name), content).ok());
        return at(name);
    }

private:
    std::string path_{};
};

CardInputs inputs(const Folder& folder) {
    return CardInputs{.image = folder.add("k.img", kernel()),
                      .config = folder.add("c.txt", bytes_of("arm_64bit=1\n")),
                      .output = folder.at("sd.img")};
}

/// The boot partition of a card, cut out where the partition table says.
Bytes boot_partition(View card) {
    constexpr std::size_t kSector = 512;
    const auto first = get_value<std::uint32_t>(card, 446 + 8) * kSector;
    const auto size = get_value<std::uint32_t>(card, 446 + 12) * kSector;
    REQUIRE(first + size <= card.size());
    const auto part = card.subspan(first, size);
    return {part.begin(), part.end()};
}

/// What fsck.vfat says of a file system that it may only read: 0 is sound.
int check_file_system(const Folder& folder, View partition) {
    const std::string file = folder.add("partition", partition);
    const std::string command = "PATH=$PATH:/usr/sbin:/sbin fsck.vfat -n '" + file + "' </dev/null";
    return std::system(command.c_str());
}

}  // namespace

TEST_CASE("the card's file system is sound and gives its files back", "[sdk][imagec]") {
    const Folder folder;
    auto wanted = inputs(folder);
    wanted.tree = folder.add("ours.dtb", Bytes(70'000, std::uint8_t{7}));
    REQUIRE(make_card(wanted).ok());
    const auto card = read_file(wanted.output).value();
    auto partition = boot_partition(card);
    CHECK(check_file_system(folder, partition) == 0);
    for (const auto& [name, source] : {std::pair{"kernel8.img", wanted.image},
                                       std::pair{"config.txt", wanted.config},
                                       std::pair{"bcm2711-rpi-4-b.dtb", wanted.tree}}) {
        const std::string copy = folder.at("copy");
        const std::string command = "mcopy -n -o -i '" + folder.at("partition") + "' '::" + name +
                                    "' '" + copy + "' </dev/null";
        REQUIRE(std::system(command.c_str()) == 0);
        CHECK(read_file(copy).value() == read_file(source).value());
    }
    // What is wrong is found: the first table says that a cluster of a file is free.
    const std::size_t table = get_value<std::uint16_t>(partition, 14) * std::size_t{512};
    partition[table + 3 * 4] ^= 0xFF;
    CHECK(check_file_system(folder, partition) != 0);
}

TEST_CASE("two cards of the same files are the same, whenever they are made", "[sdk][imagec]") {
    const Folder folder;
    auto wanted = inputs(folder);
    REQUIRE(make_card(wanted).ok());
    const auto first = read_file(wanted.output).value();
    fs::last_write_time(wanted.image, fs::file_time_type::clock::now() - std::chrono::hours(1000));
    REQUIRE(make_card(wanted).ok());
    CHECK(read_file(wanted.output).value() == first);
    CHECK(first.size() == 128U << 20);
    CHECK(first[510] == 0x55);
    CHECK(first[446] == 0x80);      // the boot partition is marked so
    CHECK(first[446 + 4] == 0x0c);  // FAT32
    CHECK(get_value<std::uint32_t>(first, 446 + 8) == 2048);
    CHECK(first[462 + 4] == 0xda);  // data without a file system
    CHECK(first[(1 << 20) + 510] == 0x55);
}

TEST_CASE("firmware files are taken along and missing ones refused", "[sdk][imagec]") {
    const Folder folder;
    auto wanted = inputs(folder);
    wanted.firmware = folder.at("");
    CHECK(make_card(wanted).failure().code == Code::CardFileMissing);
    static_cast<void>(folder.add("start4.elf", bytes_of("s")));
    static_cast<void>(folder.add("fixup4.dat", bytes_of("f")));
    static_cast<void>(folder.add("bcm2711-rpi-4-b.dtb", bytes_of("theirs")));
    CHECK(make_card(wanted).value().size() == 5);
    wanted.tree = folder.add("ours.dtb", bytes_of("ours"));
    const auto files = make_card(wanted).value();
    CHECK(files.size() == 5);
    CHECK(files.back().size == 4);
}

TEST_CASE("files that do not fit or are not there are refused and leave no card", "[sdk][imagec]") {
    const Folder folder;
    auto wanted = inputs(folder);
    wanted.image = folder.add("k.img", Bytes(std::size_t{61} << 20));
    CHECK(make_card(wanted).failure().code == Code::CardTooSmall);
    wanted.image = folder.at("absent");
    CHECK(make_card(wanted).failure().code == Code::FileUnreadable);
    CHECK_FALSE(fs::exists(wanted.output));
}

TEST_CASE("a tool that fails is named and leaves no card", "[sdk][imagec]") {
    const Folder folder;
    const auto wanted = inputs(folder);
    std::ofstream(folder.at("sfdisk")) << "#!/bin/sh\necho no such luck\nexit 3\n";
    fs::permissions(folder.at("sfdisk"), fs::perms::owner_all);
    const std::string path = std::getenv("PATH");
    setenv("PATH", (folder.at("") + ":" + path).c_str(), 1);
    const auto outcome = make_card(wanted);
    setenv("PATH", path.c_str(), 1);
    REQUIRE_FALSE(outcome.ok());
    CHECK(outcome.failure().code == Code::ToolFailed);
    CHECK(outcome.failure().cause.find("no such luck") != std::string::npos);
    CHECK_FALSE(fs::exists(wanted.output));
    CHECK_FALSE(fs::exists(wanted.output + ".partial"));
}

}  // namespace sdk::imagec::test
