// SPDX-License-Identifier: Apache-2.0
#include "../listing.hpp"
#include "../memory_device.hpp"
#include "image.hpp"

#include <catch2/catch_test_macros.hpp>
#include <services/storage/romfs/romfs.hpp>

using namespace test_storage;
using romfs::RomFs;

namespace {

const std::map<std::string, std::string> kFiles{{"a/b/dhcpcd.conf", "option ntp"},
                                                {"a/z", "second"},
                                                {"a/zz/", "no name"},
                                                {"b/..", "not shown"},
                                                {"b/empty", ""},
                                                {"program",
                                                 std::string("\x7f"
                                                             "ELF",
                                                             4) +
                                                     "..."},
                                                {"z", "hidden by a/z"},
                                                {"zoo", std::string(10000, 'z')}};

std::string text(RomFs& fs, std::string_view name, u64 offset = 0, u64 most = 20000) {
    const auto node = fs.lookup(fs.root(), name);
    REQUIRE(node.ok());
    std::string data(most, '?');
    void* const at = data.data();
    const auto got = fs.read(node.value(), offset, {static_cast<u8*>(at), most});
    REQUIRE(got.ok());
    data.resize(got.value());
    return data;
}

}  // namespace

TEST_CASE("romfs shows the files of the image by their base names", "[services][storage][romfs]") {
    const Bytes image = rom_image(kFiles);
    RomFs fs{sdk::romfs::Reader::open(image).value()};
    NameListing all;
    CHECK(fs.readdir(fs.root(), 0, all).value() == 5);
    CHECK(all.seen == std::multiset<std::string>{"dhcpcd.conf", "empty", "program", "z", "zoo"});
    CHECK(all.kinds["zoo"] == Kind::File);
    NameListing some{2};
    CHECK(fs.readdir(fs.root(), 2, some).value() == 4);
    CHECK(fs.readdir(fs.root(), ~u64{0}, some).value() == ~u64{0});
    CHECK(text(fs, "dhcpcd.conf") == "option ntp");
    CHECK(text(fs, "dhcpcd.conf", 7) == "ntp");
    CHECK(text(fs, "dhcpcd.conf", 10).empty());
    CHECK(text(fs, "dhcpcd.conf", ~u64{0}).empty());
    CHECK(text(fs, "z") == "second");
    CHECK(text(fs, "empty").empty());
    CHECK(text(fs, "zoo", 9990, 5) == "zzzzz");
    CHECK(text(fs, "zoo") == std::string(10000, 'z'));
    CHECK(fs.lookup(fs.root(), "..").value() == fs.root());
    CHECK(fs.stat(fs.root()).value().mode == 0555);
    const Attributes zoo = fs.stat(fs.lookup(fs.root(), "zoo").value()).value();
    CHECK(zoo.mode == 0444);
    CHECK(zoo.size == 10000);
    CHECK(zoo.links == 1);
    CHECK(fs.stat(fs.lookup(fs.root(), "program").value()).value().mode == 0555);
    CHECK(fs.statfs().value().read_only);
    CHECK(fs.statfs().value().blocks == image.size() / 4096);
}

TEST_CASE("romfs tells why it refuses", "[services][storage][romfs]") {
    const Bytes image = rom_image(kFiles);
    RomFs fs{sdk::romfs::Reader::open(image).value()};
    const Node root = fs.root();
    const Node zoo = fs.lookup(root, "zoo").value();
    const Bytes byte(1);
    for (const std::string_view name : {"none", "dhcpcd.con", "dhcpcd.conf2", "zzz", "A"}) {
        CHECK(fs.lookup(root, name).status() == Error::NoEntry);
    }
    CHECK(fs.lookup(root, "").status() == Error::Invalid);
    CHECK(fs.lookup(root, std::string(256, 'n')).status() == Error::NameTooLong);
    CHECK(fs.lookup(zoo, "x").status() == Error::NotADirectory);
    NameListing none;
    CHECK(fs.readdir(zoo, 0, none).status() == Error::NotADirectory);
    CHECK(fs.create(root, "new", {}).status() == Error::ReadOnly);
    CHECK(fs.create(root, "zoo", {}).status() == Error::Exists);
    CHECK(fs.create(root, ".", {}).status() == Error::Invalid);
    CHECK(fs.create(zoo, "new", {}).status() == Error::NotADirectory);
    CHECK(fs.link(root, "new", zoo).status() == Error::ReadOnly);
    CHECK(fs.link(root, "z", zoo).status() == Error::Exists);
    CHECK(fs.unlink(root, "zoo", Kind::File).status() == Error::ReadOnly);
    CHECK(fs.unlink(root, "none", Kind::File).status() == Error::NoEntry);
    CHECK(fs.unlink(root, "..", Kind::File).status() == Error::Invalid);
    CHECK(fs.rename(root, "zoo", root, "new").status() == Error::ReadOnly);
    CHECK(fs.rename(root, "none", root, "new").status() == Error::NoEntry);
    CHECK(fs.rename(root, "zoo", zoo, "new").status() == Error::NotADirectory);
    CHECK(fs.rename(root, "zoo", root, ".").status() == Error::Invalid);
    CHECK(fs.write(zoo, 0, byte).status() == Error::ReadOnly);
    CHECK(fs.write(root, 0, byte).status() == Error::IsADirectory);
    CHECK(fs.truncate(zoo, 0).status() == Error::ReadOnly);
    CHECK(fs.truncate(root, 0).status() == Error::IsADirectory);
    CHECK(fs.read(root, 0, {}).status() == Error::IsADirectory);
    CHECK(fs.set_attributes(zoo, {}).status() == Error::ReadOnly);
    CHECK(fs.forget(zoo).ok());
    CHECK(fs.sync(zoo).ok());
    CHECK(fs.sync().ok());
    for (const u64 value : {u64{0}, u64{2 + 5}, ~u64{0}}) {
        const Node node{value};
        CHECK(fs.stat(node).status() == Error::Stale);
        CHECK(fs.read(node, 0, {}).status() == Error::Stale);
        CHECK(fs.write(node, 0, byte).status() == Error::Stale);
        CHECK(fs.truncate(node, 0).status() == Error::Stale);
        CHECK(fs.set_attributes(node, {}).status() == Error::Stale);
        CHECK(fs.lookup(node, "zoo").status() == Error::Stale);
        CHECK(fs.link(root, "new", node).status() == Error::Stale);
        CHECK(fs.forget(node).status() == Error::Stale);
    }
}

TEST_CASE("romfs without files is an empty directory", "[services][storage][romfs]") {
    for (const bool has_image : {false, true}) {
        const Bytes image = rom_image({});
        RomFs fs{has_image ? sdk::romfs::Reader::open(image).value() : sdk::romfs::Reader{}};
        NameListing all;
        CHECK(fs.readdir(fs.root(), 0, all).value() == 0);
        CHECK(fs.lookup(fs.root(), "x").status() == Error::NoEntry);
        CHECK(fs.stat({2}).status() == Error::Stale);
    }
}

TEST_CASE("romfs finds every file of a full image", "[services][storage][romfs]") {
    std::map<std::string, std::string> files;
    for (u32 i = 0; i < sdk::romfs::kMaxFiles; ++i) {
        files["d" + std::to_string(i % 7) + "/f" + std::to_string(i)] = std::to_string(i);
    }
    const Bytes image = rom_image(files);
    RomFs fs{sdk::romfs::Reader::open(image).value()};
    for (u32 i = 0; i < sdk::romfs::kMaxFiles; ++i) {
        REQUIRE(text(fs, "f" + std::to_string(i)) == std::to_string(i));
    }
    NameListing all;
    CHECK(fs.readdir(fs.root(), 0, all).value() == sdk::romfs::kMaxFiles);
    CHECK(all.kinds.size() == sdk::romfs::kMaxFiles);
}
