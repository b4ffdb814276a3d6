// SPDX-License-Identifier: Apache-2.0
#include "../listing.hpp"
#include "../memory_device.hpp"
#include "../ticking_clock.hpp"

#include <catch2/catch_test_macros.hpp>
#include <services/storage/devfs/devfs.hpp>

using namespace test_storage;
using devfs::DevFs;

namespace {

class Counting final : public devfs::Entropy {
public:
    Result<void> fill(std::span<u8> data) override {
        if (is_empty) {
            return Error::Io;
        }
        for (u8& byte : data) {
            byte = ++last_;
        }
        return {};
    }

    bool is_empty = false;

private:
    u8 last_ = 0;
};

class Console final : public devfs::Sink {
public:
    Result<u64> write(std::span<const u8> data) override {
        if (is_gone) {
            return Error::Io;
        }
        const u64 taken = std::min<u64>(data.size(), 8);
        const void* const at = data.data();
        text.append(static_cast<const char*>(at), taken);
        return taken;
    }

    std::string text;
    bool is_gone = false;
};

struct Devices {
    TickingClock clock;
    Counting entropy;
    Console console;
    DevFs fs{clock, entropy, console};

    Node operator[](std::string_view name) {
        const auto node = fs.lookup(fs.root(), name);
        REQUIRE(node.ok());
        return node.value();
    }
};

}  // namespace

TEST_CASE("devices do what their names say, wherever they are read or written",
          "[services][storage][devfs]") {
    Devices d;
    const Bytes data{'h', 'e', 'l', 'l', 'o'};
    for (const u64 offset : {u64{0}, u64{4096}, ~u64{0}}) {
        Bytes found(5, 9);
        CHECK(d.fs.read(d["null"], offset, found).value() == 0);
        CHECK(d.fs.read(d["tty"], offset, found).value() == 0);
        CHECK(d.fs.read(d["console"], offset, found).value() == 0);
        CHECK(found == Bytes(5, 9));
        CHECK(d.fs.read(d["zero"], offset, found).value() == 5);
        CHECK(found == Bytes(5, 0));
        found = Bytes(5, 9);
        CHECK(d.fs.read(d["full"], offset, found).value() == 5);
        CHECK(found == Bytes(5, 0));
        Bytes random(5);
        CHECK(d.fs.read(d["random"], offset, random).value() == 5);
        CHECK(d.fs.read(d["urandom"], offset, found).value() == 5);
        CHECK(found != random);
        for (const std::string_view name : {"null", "zero", "random", "urandom"}) {
            CHECK(d.fs.write(d[name], offset, data).value() == 5);
        }
        CHECK(d.fs.write(d["full"], offset, data).status() == Error::NoSpace);
        CHECK(d.fs.write(d["full"], offset, {}).value() == 0);
        CHECK(d.fs.truncate(d["null"], 0).ok());
        CHECK(d.fs.truncate(d["null"], offset).ok());
    }
    CHECK(d.console.text.empty());
    CHECK(d.fs.write(d["tty"], 3, data).value() == 5);
    CHECK(d.fs.write(d["console"], 0, data).value() == 5);
    CHECK(d.console.text == "hellohello");
    CHECK(d.fs.write(d["console"], 0, Bytes(20, 'x')).value() == 8);
    d.console.is_gone = true;
    CHECK(d.fs.write(d["console"], 0, data).status() == Error::Io);
    d.entropy.is_empty = true;
    Bytes found(5);
    CHECK(d.fs.read(d["urandom"], 0, found).status() == Error::Io);
}

TEST_CASE("devices are shown with attributes that can be changed", "[services][storage][devfs]") {
    Devices d;
    NameListing all;
    CHECK(d.fs.readdir(d.fs.root(), 0, all).value() == 7);
    const std::multiset<std::string> names{
        "console", "full", "null", "random", "tty", "urandom", "zero"};
    CHECK(all.seen == names);
    CHECK(all.kinds["tty"] == Kind::CharacterDevice);
    std::set<u64> numbers;
    for (const auto& name : names) {
        const Attributes found = d.fs.stat(d[name]).value();
        CHECK(found.kind == Kind::CharacterDevice);
        CHECK(found.mode == 0666);
        CHECK(found.links == 1);
        numbers.insert(found.number);
    }
    CHECK(d.fs.stat(d.fs.root()).value().kind == Kind::Directory);
    numbers.insert(d.fs.stat(d.fs.root()).value().number);
    CHECK(numbers.size() == 8);
    const auto before = d.fs.stat(d["null"]).value();
    CHECK(d.fs.set_attributes(d["null"], {.set = AttributeChange::kMode, .mode = 0600}).ok());
    const auto after = d.fs.stat(d["null"]).value();
    CHECK(after.mode == 0600);
    CHECK(after.owner == before.owner);
    CHECK(after.changed_ns > before.changed_ns);
    CHECK(d.fs.stat(d["zero"]).value().mode == 0666);
    CHECK(d.fs.set_attributes(d.fs.root(), {.set = AttributeChange::kOwner, .owner = 3}).ok());
    CHECK(d.fs.stat(d.fs.root()).value().owner == 3);
    CHECK_FALSE(d.fs.statfs().value().read_only);
}

TEST_CASE("devfs tells why it refuses", "[services][storage][devfs]") {
    Devices d;
    const Node root = d.fs.root();
    CHECK(d.fs.lookup(root, "sda").status() == Error::NoEntry);
    CHECK(d.fs.lookup(d["null"], "x").status() == Error::NotADirectory);
    CHECK(d.fs.create(root, "sda", {.kind = Kind::CharacterDevice}).status() == Error::ReadOnly);
    CHECK(d.fs.create(root, "null", {}).status() == Error::Exists);
    CHECK(d.fs.unlink(root, "null", Kind::File).status() == Error::ReadOnly);
    CHECK(d.fs.read(root, 0, {}).status() == Error::IsADirectory);
    CHECK(d.fs.write(root, 0, {}).status() == Error::IsADirectory);
    CHECK(d.fs.truncate(root, 0).status() == Error::IsADirectory);
    for (const Node node : {Node{0}, Node{9}, Node{~u64{0}}}) {
        CHECK(d.fs.stat(node).status() == Error::Stale);
        CHECK(d.fs.read(node, 0, {}).status() == Error::Stale);
        CHECK(d.fs.write(node, 0, {}).status() == Error::Stale);
        CHECK(d.fs.truncate(node, 0).status() == Error::Stale);
        CHECK(d.fs.set_attributes(node, {}).status() == Error::Stale);
        CHECK(d.fs.sync(node).status() == Error::Stale);
    }
}
