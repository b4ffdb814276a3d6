// SPDX-License-Identifier: Apache-2.0
// What others make we read, and what we make others read: mkfs.fat, fsck.fat and mtools.
#include "mounted.hpp"
#include "tools.hpp"

#include <catch2/catch_test_macros.hpp>
#include <map>

using namespace test_fat;
using test_storage::MemoryDevice;

namespace {

constexpr u64 kMega = 1u << 20;

struct Shape {
    u32 bits;
    u64 bytes;
    u32 cluster_bytes;
};

constexpr std::array kShapes{Shape{12, 2 * kMega, 512},
                             Shape{12, 4 * kMega, 4096},
                             Shape{16, 16 * kMega, 1024},
                             Shape{16, 64 * kMega, 2048},
                             Shape{32, 40 * kMega, 512}};

Bytes pattern(u64 size, u32 seed) {
    Bytes data(size);
    u32 state = seed * 2654435761u + 1;
    for (u8& byte : data) {
        state = state * 1664525u + 1013904223u;
        byte = static_cast<u8>(state >> 24);
    }
    return data;
}

class Names final : public Listing {
public:
    Answer add(const DirectoryEntry& entry) override {
        kinds[std::string(entry.name)] = entry.kind;
        return Answer::Taken;
    }

    std::map<std::string, Kind> kinds;
};

std::map<std::string, Kind> list(FileSystem& fs, Node directory) {
    Names names;
    REQUIRE(fs.readdir(directory, 0, names).ok());
    return names.kinds;
}

Node walk_to(FileSystem& fs, const std::string& path) {
    Node node = fs.root();
    for (std::size_t at = 0; at < path.size();) {
        const auto slash = std::min(path.find('/', at), path.size());
        INFO(path);
        const auto next = fs.lookup(node, path.substr(at, slash - at));
        REQUIRE(next.ok());
        node = next.value();
        at = slash + 1;
    }
    return node;
}

Bytes read_file(FileSystem& fs, Node node) {
    Bytes data(fs.stat(node).value().size);
    REQUIRE(fs.read(node, 0, data).value() == data.size());
    return data;
}

const std::vector<std::string> kFiles{"README.TXT",
                                      "lower.txt",
                                      "Mixed Case name.text",
                                      "a name that is long enough for four entries of it.data",
                                      "\xc3\x84rger mit \xc3\x9cmlaut.txt",
                                      "\xd0\xbf\xd1\x80\xd0\xb8\xd0\xb2\xd0\xb5\xd1\x82",
                                      "\xe2\x82\xac 100.bin",
                                      "dir/inner/deep file.txt",
                                      "dir/.hidden",
                                      "two.dots.tar.gz"};

std::string quoted(const std::string& text) { return "'" + text + "'"; }

}  // namespace

TEST_CASE("images of mkfs.fat and mtools are read, changed, and read by mtools again",
          "[services][storage][fat]") {
    for (const Shape& shape : kShapes) {
        INFO("FAT" << shape.bits << " of " << shape.bytes);
        const Folder folder;
        const std::string image = folder.path("image");
        const std::string on_image = " -i " + image + " ";
        save(image, Bytes(shape.bytes));
        REQUIRE(run("mkfs.fat -F " + std::to_string(shape.bits) + " -s " +
                    std::to_string(shape.cluster_bytes / 512) + " -n 'MY DISK' " + image)
                    .status == 0);
        REQUIRE(run("mmd" + on_image + "::dir ::dir/inner").status == 0);
        std::map<std::string, Bytes> contents;
        for (u32 i = 0; i < kFiles.size(); ++i) {
            contents[kFiles[i]] = pattern(i * 7777, i);
            save(folder.path("file"), contents[kFiles[i]]);
            const Ran ran =
                run("mcopy -m" + on_image + folder.path("file") + " " + quoted("::" + kFiles[i]));
            INFO(ran.output);
            REQUIRE(ran.status == 0);
        }
        REQUIRE(run("mattrib" + on_image + "+r +h ::README.TXT").status == 0);

        MemoryDevice device{shape.bytes};
        device.contents = load(image);
        Mounted mounted{device};
        REQUIRE(mounted.mounted.ok());
        auto& fs = mounted.fs;
        CHECK(fs.bits() == shape.bits);
        CHECK(fs.label() == "MY DISK");
        CHECK(list(fs, fs.root()).size() == 9);
        CHECK(list(fs, walk_to(fs, "dir")) ==
              std::map<std::string, Kind>{{"inner", Kind::Directory}, {".hidden", Kind::File}});
        for (const auto& [name, data] : contents) {
            CHECK(read_file(fs, walk_to(fs, name)) == data);
        }
        CHECK(walk_to(fs, "mIXED cASE NAME.TEXT") == walk_to(fs, kFiles[2]));
        CHECK(walk_to(fs, "\xc3\xa4RGER MIT \xc3\xbcMLAUT.TXT") == walk_to(fs, kFiles[4]));
        CHECK(walk_to(fs, "MIXEDC~1.TEX") == walk_to(fs, kFiles[2]));
        CHECK(fs.stat(walk_to(fs, "README.TXT")).value().mode == 0555);

        // Ours: all those names in another directory, and changes to what was there.
        const Node ours = fs.create(fs.root(), "ours", {.kind = Kind::Directory}).value();
        REQUIRE(fs.create(ours, "dir", {.kind = Kind::Directory}).ok());
        REQUIRE(fs.create(walk_to(fs, "ours/dir"), "inner", {.kind = Kind::Directory}).ok());
        for (u32 i = 0; i < kFiles.size(); ++i) {
            const auto slash = kFiles[i].rfind('/');
            const std::string path = slash == std::string::npos ? "" : kFiles[i].substr(0, slash);
            const Node parent = walk_to(fs, path.empty() ? "ours" : "ours/" + path);
            const auto made =
                fs.create(parent, kFiles[i].substr(slash == std::string::npos ? 0 : slash + 1), {});
            REQUIRE(made.ok());
            const Bytes data = pattern(i * 5001, 100 + i);
            REQUIRE(fs.write(made.value(), 0, data).value() == data.size());
            contents["ours/" + kFiles[i]] = data;
        }
        REQUIRE(fs.rename(fs.root(), kFiles[2], walk_to(fs, "dir"), "moved away").ok());
        contents["dir/moved away"] = contents[kFiles[2]];
        contents.erase(kFiles[2]);
        const auto gone = fs.unlink(fs.root(), "LOWER.TXT", Kind::File);
        REQUIRE(gone.ok());
        REQUIRE(fs.forget(gone.value()).ok());
        contents.erase("lower.txt");
        REQUIRE(fs.truncate(walk_to(fs, "two.dots.tar.gz"), 100).ok());
        contents["two.dots.tar.gz"].resize(100);
        REQUIRE(fs.truncate(walk_to(fs, "two.dots.tar.gz"), 20000).ok());
        contents["two.dots.tar.gz"].resize(20000);
        REQUIRE(fs.sync().ok());
        CHECK(fsck(device.contents) == "");
        save(image, device.contents);
        for (const auto& [name, data] : contents) {
            INFO(name);
            const Ran ran =
                run("mcopy -n -o" + on_image + quoted("::" + name) + " " + folder.path("back"));
            INFO(ran.output);
            REQUIRE(ran.status == 0);
            REQUIRE(load(folder.path("back")) == data);
        }
        const std::string listed = run("mdir -/ -a -b" + on_image + "::").output;
        CHECK(std::ranges::count(listed, '\n') == static_cast<long>(contents.size()) + 5);
    }
}

TEST_CASE("what format makes is sound for fsck.fat and mtools", "[services][storage][fat]") {
    for (const Shape& shape : kShapes) {
        INFO("FAT" << shape.bits << " of " << shape.bytes);
        MemoryDevice device{shape.bytes};
        std::ranges::fill(device.contents, u8{0xa5});
        REQUIRE(Mounted::format(device,
                                {.bits = shape.bits,
                                 .label = "Label",
                                 .serial = 0x12345678,
                                 .cluster_bytes = shape.cluster_bytes})
                    .ok());
        CHECK(fsck(device.contents) == "");
        Mounted mounted{device};
        REQUIRE(mounted.mounted.ok());
        CHECK(mounted.fs.bits() == shape.bits);
        CHECK(mounted.fs.label() == "LABEL");
        const Folder folder;
        save(folder.path("image"), device.contents);
        const std::string listed = run("mdir -i " + folder.path("image") + " ::").output;
        CHECK(listed.find("LABEL") != std::string::npos);
        CHECK(listed.find("1234-5678") != std::string::npos);
    }
    for (const u64 megabytes : {1u, 7u, 9u, 60u}) {
        MemoryDevice device{megabytes * kMega};
        REQUIRE(Mounted::format(device, {}).ok());
        Mounted mounted{device};
        REQUIRE(mounted.mounted.ok());
        CHECK(mounted.fs.bits() == (megabytes < 8 ? 12 : 16));
        CHECK(fsck(device.contents) == "");
    }
}

TEST_CASE("a directory that grew over many clusters is sound for fsck.fat and mtools",
          "[services][storage][fat]") {
    MemoryDevice device{40 * kMega};
    REQUIRE(Mounted::format(device, {.bits = 32, .cluster_bytes = 512}).ok());
    Mounted mounted{device};
    auto& fs = mounted.fs;
    for (u32 i = 0; i < 600; ++i) {
        const auto made = fs.create(fs.root(), "the file with number " + std::to_string(i), {});
        INFO(i);
        REQUIRE(made.status() == Error::None);
    }
    REQUIRE(fs.sync().ok());
    CHECK(fsck(device.contents) == "");
    CHECK(list(fs, fs.root()).size() == 600);
    const Folder folder;
    save(folder.path("image"), device.contents);
    const std::string listed = run("mdir -b -i " + folder.path("image") + " ::").output;
    CHECK(std::ranges::count(listed, '\n') == 600);
}
