// SPDX-License-Identifier: Apache-2.0
#include "builders.hpp"

#include <catch2/catch_test_macros.hpp>
#include <fmt/format.h>
#include <runtime/romfs.hpp>
#include <sdk/imagec/romfs_writer.hpp>

namespace sdk::imagec::test {

namespace {

Bytes two_files() {
    return make_romfs({{"alpha", bytes_of("first")}, {"dir/beta.names", Bytes(5000, 7)}}).value();
}

constexpr auto kSecond = romfs::kHeaderSize + romfs::kEntrySize;

}  // namespace

TEST_CASE("files are found by name and by index", "[sdk][imagec]") {
    const auto bytes = two_files();
    const auto files = romfs::Reader::open(bytes);
    REQUIRE(files.ok());
    CHECK(files.value().file_count() == 2);
    CHECK(files.value().size_bytes() == bytes.size());
    const auto file = files.value().find("dir/beta.names");
    REQUIRE(file.ok());
    CHECK(file.value().content.size() == 5000);
    CHECK(file.value().offset % romfs::kAlignment == 0);
    CHECK(files.value().find_at(0).value().name == "alpha");
    CHECK(files.value().find_at(2).status() == base::Status::ResourceNotFound);
    for (const auto* const name : {"", "alph", "alphaa", "zeta", "dir"}) {
        CHECK(files.value().find(name).status() == base::Status::ResourceNotFound);
    }
}

TEST_CASE("an empty file system and an empty file are sound", "[sdk][imagec]") {
    CHECK(romfs::Reader::open(make_romfs({}).value()).value().file_count() == 0);
    const auto bytes = make_romfs({{"empty", {}}}).value();
    CHECK(romfs::Reader::open(bytes).value().find("empty").value().content.empty());
    CHECK(romfs::Reader{}.file_count() == 0);
}

TEST_CASE("every file is found among many", "[sdk][imagec]") {
    RomfsFiles many;
    for (int i = 0; i < 100; ++i) {
        many.emplace(fmt::format("file-{}", i), bytes_of(fmt::format("{}", i)));
    }
    const auto bytes = make_romfs(many).value();
    const auto files = romfs::Reader::open(bytes);
    for (const auto& [name, content] : many) {
        const auto found = files.value().find(name);
        REQUIRE(found.ok());
        CHECK(std::equal(content.begin(), content.end(), found.value().content.begin()));
    }
}

TEST_CASE("the same files give the same bytes", "[sdk][imagec]") {
    CHECK(two_files() == two_files());
}

TEST_CASE("every damage to the table has its own flaw", "[sdk][imagec]") {
    auto bytes = two_files();
    auto flaw = romfs::Flaw::None;
    SECTION("short") {
        bytes.resize(20);
        flaw = romfs::Flaw::TooShort;
    }
    SECTION("cut off") {
        bytes.resize(bytes.size() - 1);
        flaw = romfs::Flaw::TooShort;
    }
    SECTION("table longer than all") {
        put_value(bytes, 16, std::uint64_t{0});
        flaw = romfs::Flaw::TooShort;
    }
    SECTION("magic") {
        bytes[0] ^= 1;
        flaw = romfs::Flaw::WrongMagic;
    }
    SECTION("version") {
        bytes[8] = 2;
        flaw = romfs::Flaw::WrongVersion;
    }
    SECTION("reserved") {
        bytes[24] = 1;
        flaw = romfs::Flaw::ReservedNotZero;
    }
    SECTION("count") {
        put_value(bytes, 12, std::uint32_t{0xffff'ffff});
        flaw = romfs::Flaw::TooManyFiles;
    }
    SECTION("total not aligned") {
        put_value(bytes, 16, std::uint64_t{8193});
        flaw = romfs::Flaw::NotAligned;
    }
    SECTION("name empty") {
        bytes[kSecond + 16] = 0;
        flaw = romfs::Flaw::BadName;
    }
    SECTION("name with a blank") {
        bytes[kSecond + 17] = ' ';
        flaw = romfs::Flaw::BadName;
    }
    SECTION("bytes after the name") {
        bytes[kSecond + 63] = 'x';
        flaw = romfs::Flaw::BadName;
    }
    SECTION("name unterminated") {
        std::fill_n(bytes.begin() + kSecond + 16, romfs::kNameSize, std::uint8_t{'x'});
        flaw = romfs::Flaw::BadName;
    }
    SECTION("order") {
        bytes[kSecond + 16] = 'A';
        flaw = romfs::Flaw::NamesNotSorted;
    }
    SECTION("offset not aligned") {
        bytes[kSecond] = 1;
        flaw = romfs::Flaw::NotAligned;
    }
    SECTION("offset in the table") {
        put_value(bytes, kSecond, std::uint64_t{0});
        flaw = romfs::Flaw::FileOutOfBounds;
    }
    SECTION("offset far away") {
        put_value(bytes, kSecond, std::uint64_t{1} << 63);
        flaw = romfs::Flaw::FileOutOfBounds;
    }
    SECTION("size") {
        put_value(bytes, kSecond + 8, ~std::uint64_t{0});
        flaw = romfs::Flaw::FileOutOfBounds;
    }
    SECTION("overlap") {
        put_value(bytes, romfs::kHeaderSize + 8, std::uint64_t{5000});
        flaw = romfs::Flaw::FilesOverlap;
    }
    CHECK(romfs::check(bytes) == flaw);
    CHECK(romfs::Reader::open(bytes).status() == base::Status::InvalidArgument);
    CHECK_FALSE(romfs::describe(flaw).empty());
}

TEST_CASE("the reader works in constant evaluation", "[sdk][imagec]") {
    static_assert(romfs::check({}) == romfs::Flaw::TooShort);
    SUCCEED();
}

TEST_CASE("names that cannot be kept, or occur twice, are refused", "[sdk][imagec]") {
    const TemporaryFile file(bytes_of("x"));
    RomfsFiles files;
    CHECK(add_romfs_file(files, "good", file.path()).ok());
    CHECK(add_romfs_file(files, "good", file.path()).failure().code == Code::RomfsNameTwice);
    for (const auto& name :
         {std::string{}, std::string("a b"), std::string(48, 'x'), std::string("a\0b", 3)}) {
        CHECK(add_romfs_file(files, name, file.path()).failure().code == Code::RomfsNameInvalid);
    }
}

TEST_CASE("too many files are refused", "[sdk][imagec]") {
    RomfsFiles files;
    for (int i = 0; i < 1025; ++i) {
        files.emplace(fmt::format("{}", i), Bytes{});
    }
    CHECK(make_romfs(files).failure().code == Code::RomfsTooManyFiles);
}

TEST_CASE("files that cannot be read or written are refused", "[sdk][imagec]") {
    CHECK(read_file("/nonexistent/file").failure().code == Code::FileUnreadable);
    CHECK(read_file("/").failure().code == Code::FileUnreadable);
    CHECK(write_file("/nonexistent/file", {}).failure().code == Code::FileUnwritable);
}

}  // namespace sdk::imagec::test
