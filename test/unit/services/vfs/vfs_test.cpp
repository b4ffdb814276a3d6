// SPDX-License-Identifier: Apache-2.0
// The VFS over real file systems in memory.
#include <catch2/catch_test_macros.hpp>
#include <cstring>
#include <memory>
#include <services/storage/ram_disk.hpp>
#include <services/storage/safefs/safefs.hpp>
#include <services/vfs/vfs.hpp>
#include <string>
#include <vector>

using namespace svc::vfs;
namespace storage = svc::storage;

namespace {

constexpr u64 kBufferBytes = 4096;

class StepClock final : public storage::Clock {
public:
    s64 now_ns() override { return now_ += 1000; }

private:
    s64 now_ = 0;
};

/// A file system on a disk in memory.
class Disk {
public:
    Disk(StepClock& clock, u64 bytes = u64{4} << 20)
        : memory_(bytes), disk_(memory_),
          files_(std::make_unique<storage::safefs::SafeFs>(disk_, clock)) {
        std::vector<u8> work(4096);
        REQUIRE(storage::safefs::SafeFs::format(disk_, {1, 2}, work).ok());
        cache_.resize(storage::safefs::SafeFs::memory_bytes(disk_, 128));
        REQUIRE(files_->mount(cache_).ok());
    }

    FileSystem& files() { return *files_; }

private:
    std::vector<u8> memory_;
    storage::RamDisk disk_;
    std::unique_ptr<storage::safefs::SafeFs> files_;
    std::vector<u8> cache_;
};

/// A process: calls by name, errors as values.
class Process {
public:
    Process(Vfs& vfs, u64 sid) : vfs_(vfs), buffer_(kBufferBytes) {
        REQUIRE(vfs.begin_session(sid, buffer_).ok());
        session_ = vfs.find_session(sid);
    }

    Session& session() { return *session_; }

    static Path at(std::string_view path, s32 directory = kAtCwd) { return {directory, path}; }

    Result<s32> open(std::string_view path, u32 flags, u32 mode = 0666) {
        return vfs_.open(*session_, at(path), flags, mode);
    }

    s32 must_open(std::string_view path, u32 flags, u32 mode = 0666) {
        const auto file = open(path, flags, mode);
        INFO(path);
        REQUIRE(file.ok());
        return file.value();
    }

    Error write(s32 file, std::string_view text, s64 offset = Transfer::kPosition) {
        std::memcpy(buffer_.data(), text.data(), text.size());
        const auto done = vfs_.write(*session_, file, {0, text.size(), offset});
        CHECK((!done.ok() || done.value() == text.size()));
        return done.status();
    }

    std::string read(s32 file, u64 size = kBufferBytes, s64 offset = Transfer::kPosition) {
        const auto done = vfs_.read(*session_, file, {0, size, offset});
        REQUIRE(done.ok());
        return {buffer_.begin(), buffer_.begin() + done.value()};
    }

    void make_file(std::string_view path, std::string_view text, u32 mode = 0666) {
        const s32 file = must_open(path, kCreate | kWriteOnly, mode);
        REQUIRE(write(file, text) == Error::None);
        REQUIRE(vfs_.close(*session_, file).ok());
    }

    std::string contents(std::string_view path) {
        const s32 file = must_open(path, kReadOnly);
        std::string text = read(file);
        REQUIRE(vfs_.close(*session_, file).ok());
        return text;
    }

    Error mkdir(std::string_view path, u32 mode = 0777) {
        return vfs_.make_directory(*session_, at(path), mode).status();
    }

    Error unlink(std::string_view path) {
        return vfs_.unlink(*session_, at(path), Kind::File).status();
    }

    Error rmdir(std::string_view path) {
        return vfs_.unlink(*session_, at(path), Kind::Directory).status();
    }

    Error rename(std::string_view from, std::string_view to) {
        return vfs_.rename(*session_, at(from), at(to)).status();
    }

    Error symlink(std::string_view target, std::string_view path) {
        return vfs_.make_link(*session_, target, at(path)).status();
    }

    Error link(std::string_view from, std::string_view to) {
        return vfs_.link(*session_, at(from), at(to), Walk::Link::Keep).status();
    }

    Error chdir(std::string_view path) {
        return vfs_.change_directory(*session_, at(path)).status();
    }

    Error chmod(std::string_view path, u32 mode) {
        return vfs_.set_mode(*session_, at(path), mode, Walk::Link::Follow).status();
    }

    std::string cwd() {
        char room[256];
        const auto path = vfs_.working_directory(*session_, room);
        REQUIRE(path.ok());
        return std::string{path.value()};
    }

    Result<Description> stat(std::string_view path, Walk::Link link = Walk::Link::Follow) {
        return vfs_.describe(*session_, at(path), link);
    }

    /// Names and the position behind each.
    std::vector<std::pair<std::string, u64>> list(s32 directory, u64 room = kBufferBytes) {
        std::vector<std::pair<std::string, u64>> names;
        while (true) {
            const auto done = vfs_.read_directory(*session_, directory, {0, room});
            REQUIRE(done.ok());
            if (done.value() == 0) {
                return names;
            }
            for (u32 i = 0; i < done.value();) {
                u16 size = 0;
                u64 position = 0;
                std::memcpy(&position, &buffer_[i + 8], sizeof(position));
                std::memcpy(&size, &buffer_[i + 16], sizeof(size));
                names.emplace_back(static_cast<const char*>(static_cast<void*>(&buffer_[i + 19])),
                                   position);
                i += size;
            }
        }
    }

private:
    Vfs& vfs_;
    std::vector<u8> buffer_;
    Session* session_ = nullptr;
};

struct World {
    World() { REQUIRE(vfs->mount("/", {.files = &root.files()}).ok()); }

    u64 free_blocks() {
        REQUIRE(vfs->sync().ok());
        const auto usage = root.files().statfs();
        REQUIRE(usage.ok());
        return usage.value().free_blocks;
    }

    StepClock clock;
    Disk root{clock};
    std::unique_ptr<Vfs> vfs = std::make_unique<Vfs>(clock);
};

}  // namespace

TEST_CASE("a file keeps what is written and each opener its own position", "[vfs]") {
    World world;
    Process process{*world.vfs, 1};
    CHECK(process.open("/a", kReadOnly).status() == Error::NoEntry);
    const s32 file = process.must_open("/a", kCreate | kReadWrite);
    CHECK(process.write(file, "hello, world") == Error::None);
    CHECK(process.read(file).empty());
    CHECK(world.vfs->seek(process.session(), file, -5, Whence::End).value() == 7);
    CHECK(process.read(file) == "world");
    const s32 second = process.must_open("/a", kWriteOnly | kAppend);
    CHECK(process.write(second, "!") == Error::None);
    CHECK(process.read(file) == "!");
    CHECK(process.read(file, 5, 0) == "hello");
    CHECK(world.vfs->seek(process.session(), file, 0, Whence::Current).value() == 13);
    CHECK(world.vfs->seek(process.session(), file, -14, Whence::Current).status() ==
          Error::Invalid);
    CHECK(process.write(second, "?", 2) == Error::None);
    CHECK(process.contents("/a") == "hello, world!?");
}

TEST_CASE("an open file allows what it was opened for", "[vfs]") {
    World world;
    Process process{*world.vfs, 1};
    process.make_file("/a", "text");
    const s32 reader = process.must_open("/a", kReadOnly);
    const s32 writer = process.must_open("/a", kWriteOnly);
    CHECK(process.write(reader, "x") == Error::BadFile);
    CHECK(world.vfs->read(process.session(), writer, {0, 1}).status() == Error::BadFile);
    CHECK(world.vfs->truncate(process.session(), reader, 0).status() == Error::BadFile);
    CHECK(world.vfs->truncate(process.session(), writer, -1).status() == Error::Invalid);
    CHECK(world.vfs->read(process.session(), reader, {1, kBufferBytes}).status() == Error::Invalid);
    CHECK(world.vfs->read(process.session(), reader, {~u64{0}, 2}).status() == Error::Invalid);
    CHECK(world.vfs->read(process.session(), reader, {0, 1, -2}).status() == Error::Invalid);
    CHECK(world.vfs->read(process.session(), 77, {0, 1}).status() == Error::BadFile);
    CHECK(world.vfs->read(process.session(), -1, {0, 1}).status() == Error::BadFile);
    CHECK(world.vfs->truncate(process.session(), writer, 2).ok());
    CHECK(process.contents("/a") == "te");
    CHECK(process.open("/a", kReadWrite | kDirectory).status() == Error::NotADirectory);
    CHECK(process.open("/a", kCreate | kExclusive | kWriteOnly).status() == Error::Exists);
    CHECK(process.open("/", kWriteOnly).status() == Error::IsADirectory);
    CHECK(process.open("/b/", kCreate | kWriteOnly).status() == Error::IsADirectory);
    CHECK(process.open("/a/", kReadOnly).status() == Error::NotADirectory);
    CHECK(process.open("", kReadOnly).ok());
}

TEST_CASE("a file's number counts for who opened it", "[vfs]") {
    World world;
    Process first{*world.vfs, 1};
    Process second{*world.vfs, 2};
    const s32 file = first.must_open("/secret", kCreate | kReadWrite);
    CHECK(world.vfs->read(second.session(), file, {0, 1}).status() == Error::BadFile);
    CHECK(world.vfs->close(second.session(), file).status() == Error::BadFile);
    CHECK(world.vfs->describe(second.session(), {file, ""}, Walk::Link::Follow).status() ==
          Error::BadFile);
    CHECK(world.vfs->close(first.session(), file).ok());
    CHECK(world.vfs->close(first.session(), file).status() == Error::BadFile);
}

TEST_CASE("paths go through directories, links and dots", "[vfs]") {
    World world;
    Process process{*world.vfs, 1};
    CHECK(process.mkdir("/d") == Error::None);
    CHECK(process.mkdir("/d/e/") == Error::None);
    CHECK(process.mkdir("/d") == Error::Exists);
    CHECK(process.mkdir("/") == Error::Exists);
    CHECK(process.mkdir("/x/y") == Error::NoEntry);
    process.make_file("/d/e/f", "deep");
    CHECK(process.contents("//d/./e/../e//f") == "deep");
    CHECK(process.contents("/../../d/e/f") == "deep");
    CHECK(process.open("/d/e/f/g", kReadOnly).status() == Error::NotADirectory);
    CHECK(process.symlink("e/f", "/d/relative") == Error::None);
    CHECK(process.symlink("/d/e", "/absolute") == Error::None);
    CHECK(process.symlink("dangling-target", "/dangling") == Error::None);
    CHECK(process.symlink("loop", "/loop") == Error::None);
    CHECK(process.symlink("", "/empty") == Error::NoEntry);
    CHECK(process.contents("/d/relative") == "deep");
    CHECK(process.contents("/absolute/f") == "deep");
    CHECK(process.contents("/absolute/../relative") == "deep");
    CHECK(process.open("/loop", kReadOnly).status() == Error::TooManyLevels);
    CHECK(process.open("/d/relative", kReadOnly | kNoFollow).status() == Error::TooManyLevels);
    CHECK(process.open("/d/relative", kCreate | kExclusive | kWriteOnly).status() == Error::Exists);
    CHECK(process.open("/dangling", kReadOnly).status() == Error::NoEntry);
    process.make_file("/dangling", "made");
    CHECK(process.contents("/dangling-target") == "made");
    CHECK(process.stat("/absolute", Walk::Link::Keep).value().attributes.kind ==
          Kind::SymbolicLink);
    CHECK(process.stat("/absolute/", Walk::Link::Keep).value().attributes.kind == Kind::Directory);
    CHECK(process.open(std::string(300, 'n'), kReadOnly).status() == Error::NameTooLong);
    u8 text[16];
    CHECK(world.vfs->read_link(process.session(), Process::at("/d/relative"), text).value() == 3);
    CHECK(world.vfs->read_link(process.session(), Process::at("/d"), text).status() ==
          Error::Invalid);
}

TEST_CASE("links that grow beyond a path are too long", "[vfs]") {
    World world;
    Process process{*world.vfs, 1};
    const std::string name(200, 'n');
    REQUIRE(process.mkdir("/" + name) == Error::None);
    std::string target;
    for (int i = 0; i < 4; ++i) {
        target += "/" + name + "/..";
    }
    REQUIRE(process.symlink(target + "/" + name, "/go") == Error::None);
    CHECK(process.open("/go", kReadOnly).ok());
    CHECK(process.open("/go/" + name, kReadOnly).status() == Error::NameTooLong);
}

TEST_CASE("a working directory is where relative paths begin", "[vfs]") {
    World world;
    Process process{*world.vfs, 1};
    REQUIRE(process.mkdir("/a") == Error::None);
    REQUIRE(process.mkdir("/a/b") == Error::None);
    CHECK(process.cwd() == "/");
    CHECK(process.chdir("a/b") == Error::None);
    CHECK(process.cwd() == "/a/b");
    process.make_file("here", "x");
    CHECK(process.contents("/a/b/here") == "x");
    CHECK(process.chdir("here") == Error::NotADirectory);
    CHECK(process.chdir("..") == Error::None);
    CHECK(process.cwd() == "/a");
    CHECK(process.rename("b", "c") == Error::None);
    CHECK(process.chdir("c") == Error::None);
    CHECK(process.cwd() == "/a/c");
    const s32 top = process.must_open("/", kReadOnly | kDirectory);
    CHECK(world.vfs->describe(process.session(), {top, "a/c/here"}, Walk::Link::Keep).ok());
    char room[3];
    CHECK(world.vfs->working_directory(process.session(), room).status() == Error::NameTooLong);
    REQUIRE(process.unlink("here") == Error::None);
    CHECK(process.rmdir("/a/c") == Error::None);
    CHECK(process.open("x", kCreate | kWriteOnly).status() != Error::None);
}

TEST_CASE("a root of its own is the end of a process's world", "[vfs]") {
    World world;
    Process process{*world.vfs, 1};
    REQUIRE(process.mkdir("/jail") == Error::None);
    process.make_file("/outside", "secret");
    process.make_file("/jail/inside", "x");
    REQUIRE(process.symlink("/outside", "/jail/out") == Error::None);
    REQUIRE(world.vfs->change_root(process.session(), Process::at("/jail")).ok());
    CHECK(process.cwd() == "/");
    CHECK(process.contents("/inside") == "x");
    CHECK(process.open("/outside", kReadOnly).status() == Error::NoEntry);
    CHECK(process.open("../outside", kReadOnly).status() == Error::NoEntry);
    CHECK(process.open("/../../outside", kReadOnly).status() == Error::NoEntry);
    CHECK(process.open("/out", kReadOnly).status() == Error::NoEntry);
}

TEST_CASE("the owner's bits bind the owner", "[vfs]") {
    World world;
    Process process{*world.vfs, 1};
    process.make_file("/f", "x", 0640);
    REQUIRE(process.mkdir("/d") == Error::None);
    process.make_file("/d/g", "x");
    CHECK(process.chmod("/f", 0200) == Error::None);
    CHECK(process.open("/f", kReadOnly).status() == Error::Access);
    CHECK(process.open("/f", kWriteOnly).ok());
    CHECK(process.chmod("/f", 0400) == Error::None);
    CHECK(process.open("/f", kReadWrite).status() == Error::Access);
    CHECK(process.open("/f", kReadOnly | kTruncate).status() == Error::Access);
    CHECK(process.chmod("/d", 0600) == Error::None);
    CHECK(process.open("/d/g", kReadOnly).status() == Error::Access);
    CHECK(process.chmod("/d", 0500) == Error::None);
    CHECK(process.contents("/d/g") == "x");
    CHECK(process.unlink("/d/g") == Error::Access);
    CHECK(process.open("/d/h", kCreate | kWriteOnly).status() == Error::Access);
    CHECK(process.mkdir("/d/i") == Error::Access);
    CHECK(process.rename("/f", "/d/f") == Error::Access);
    CHECK(process.link("/f", "/d/f") == Error::Access);
    const auto check = [&](std::string_view path, u32 wanted) {
        return world.vfs
            ->check_access(process.session(), Process::at(path), wanted, Walk::Link::Follow)
            .status();
    };
    CHECK(check("/d", User::kRead | User::kSearch) == Error::None);
    CHECK(check("/d", User::kWrite) == Error::Access);
    CHECK(check("/nothing", 0) == Error::NoEntry);
}

TEST_CASE("strangers have the others' bits, and may not change what is not theirs", "[vfs]") {
    World world;
    Process owner{*world.vfs, 1};
    Process other{*world.vfs, 2};
    other.session().user = {5, 6};
    owner.make_file("/f", "x", 0604);
    REQUIRE(owner.mkdir("/shared", 0777) == Error::None);
    REQUIRE(owner.chmod("/shared", 01777) == Error::None);
    owner.make_file("/shared/mine", "x");
    CHECK(other.contents("/f") == "x");
    CHECK(other.open("/f", kWriteOnly).status() == Error::Access);
    CHECK(other.chmod("/f", 0666) == Error::NotPermitted);
    CHECK(other.unlink("/shared/mine") == Error::NotPermitted);
    other.make_file("/shared/his", "y");
    CHECK(other.stat("/shared/his").value().attributes.owner == 5);
    CHECK(other.stat("/shared/his").value().attributes.group == 6);
    CHECK(other.unlink("/shared/his") == Error::None);
    const auto own = [&](Process& process, u32 user, u32 group) {
        return world.vfs
            ->set_owner(process.session(), Process::at("/f"), user, group, Walk::Link::Follow)
            .status();
    };
    CHECK(own(other, 5, ~u32{0}) == Error::NotPermitted);
    CHECK(own(owner, 5, ~u32{0}) == Error::None);
    CHECK(own(other, 7, ~u32{0}) == Error::NotPermitted);
    CHECK(own(other, ~u32{0}, 6) == Error::None);
    const auto touch = [&](Process& process, Time time) {
        return world.vfs
            ->set_times(process.session(), Process::at("/f"), time, time, Walk::Link::Follow)
            .status();
    };
    CHECK(touch(owner, {1, 2}) == Error::NotPermitted);
    CHECK(touch(owner, {0, kTimeNow}) == Error::Access);
    CHECK(touch(other, {1, 2}) == Error::None);
    CHECK(touch(other, {1, -2}) == Error::Invalid);
    CHECK(touch(other, {s64{1} << 62, 0}) == Error::Invalid);
    CHECK(other.stat("/f").value().attributes.modified_ns == 1'000'000'002);
    CHECK(touch(other, {9, kTimeOmit}) == Error::None);
    CHECK(other.stat("/f").value().attributes.modified_ns == 1'000'000'002);
}

TEST_CASE("a file without a name lives as long as somebody has it open", "[vfs]") {
    World world;
    Process process{*world.vfs, 1};
    const u64 before = world.free_blocks();
    const s32 file = process.must_open("/f", kCreate | kReadWrite);
    const s32 again = process.must_open("/f", kReadOnly);
    for (int i = 0; i < 64; ++i) {
        REQUIRE(process.write(file, std::string(4096, 'x')) == Error::None);
    }
    CHECK(process.unlink("/f") == Error::None);
    CHECK(process.open("/f", kReadOnly).status() == Error::NoEntry);
    CHECK(process.read(again, 3, 0) == "xxx");
    CHECK(world.vfs->close(process.session(), file).ok());
    CHECK(process.read(again, 3, 0) == "xxx");
    CHECK(world.free_blocks() < before - 60);
    CHECK(world.vfs->close(process.session(), again).ok());
    CHECK(world.free_blocks() >= before - 1);
}

TEST_CASE("a process that ends gives back files, locks and directories", "[vfs]") {
    World world;
    Process process{*world.vfs, 1};
    const u64 before = world.free_blocks();
    {
        Process dying{*world.vfs, 2};
        REQUIRE(dying.mkdir("/d") == Error::None);
        REQUIRE(dying.chdir("/d") == Error::None);
        const s32 file = dying.must_open("f", kCreate | kReadWrite);
        for (int i = 0; i < 64; ++i) {
            REQUIRE(dying.write(file, std::string(4096, 'x')) == Error::None);
        }
        REQUIRE(world.vfs->lock(dying.session(), file, LockKind::Exclusive, 0, 0).ok());
        REQUIRE(dying.unlink("f") == Error::None);
        REQUIRE(dying.rmdir("/d") == Error::None);
        const s32 kept = dying.must_open("/kept", kCreate | kReadWrite);
        REQUIRE(world.vfs->lock(dying.session(), kept, LockKind::Exclusive, 0, 0).ok());
        world.vfs->end_session(dying.session());
    }
    CHECK(world.vfs->find_session(2) == nullptr);
    CHECK(world.free_blocks() >= before - 2);
    const s32 kept = process.must_open("/kept", kReadWrite);
    CHECK(world.vfs->lock(process.session(), kept, LockKind::Exclusive, 0, 0).ok());
}

TEST_CASE("locks keep others out and go with any close", "[vfs]") {
    World world;
    Process first{*world.vfs, 1};
    Process second{*world.vfs, 2};
    const s32 mine = first.must_open("/f", kCreate | kReadWrite);
    const s32 twin = first.must_open("/f", kReadOnly);
    const s32 his = second.must_open("/f", kReadWrite);
    Vfs& vfs = *world.vfs;
    CHECK(vfs.lock(first.session(), mine, LockKind::Exclusive, 10, 10).ok());
    CHECK(vfs.lock(first.session(), twin, LockKind::Exclusive, 0, 0).status() == Error::BadFile);
    CHECK(vfs.lock(second.session(), his, LockKind::Shared, 19, 1).status() == Error::TryAgain);
    CHECK(vfs.lock(second.session(), his, LockKind::Shared, 25, -6).status() == Error::TryAgain);
    CHECK(vfs.lock(second.session(), his, LockKind::Shared, 5, -6).status() == Error::Invalid);
    CHECK(vfs.lock(second.session(), his, LockKind::Shared, 20, 0).ok());
    const auto found = vfs.test_lock(second.session(), his, LockKind::Shared, 0, 0);
    CHECK(found.value().owner == 1);
    CHECK(found.value().begin == 10);
    CHECK(found.value().end == 20);
    CHECK(vfs.test_lock(first.session(), mine, LockKind::Shared, 0, 0).value().owner == 0);
    CHECK(vfs.close(first.session(), twin).ok());
    CHECK(vfs.lock(second.session(), his, LockKind::Exclusive, 0, 0).ok());
    CHECK(vfs.unlock(second.session(), his, 0, 5).ok());
    CHECK(vfs.lock(first.session(), mine, LockKind::Exclusive, 0, 5).ok());
    const s32 directory = first.must_open("/", kReadOnly);
    CHECK(vfs.lock(first.session(), directory, LockKind::Shared, 0, 0).status() == Error::Invalid);
}

TEST_CASE("a mounted file system covers a directory until it is taken away", "[vfs]") {
    World world;
    Disk inner{world.clock};
    Disk innermost{world.clock};
    Process process{*world.vfs, 1};
    REQUIRE(process.mkdir("/m") == Error::None);
    process.make_file("/m/below", "x");
    CHECK(world.vfs->mount("/nothing", {.files = &inner.files()}).status() == Error::NoEntry);
    CHECK(world.vfs->mount("/m/below", {.files = &inner.files()}).status() == Error::NotADirectory);
    REQUIRE(world.vfs->mount("/m", {.files = &inner.files()}).ok());
    CHECK(process.open("/m/below", kReadOnly).status() == Error::NoEntry);
    REQUIRE(process.mkdir("/m/deep") == Error::None);
    REQUIRE(world.vfs->mount("/m/deep", {.files = &innermost.files()}).ok());
    process.make_file("/m/deep/f", "deepest");
    CHECK(process.chdir("/m/deep") == Error::None);
    CHECK(process.cwd() == "/m/deep");
    CHECK(process.contents("../deep/f") == "deepest");
    CHECK(process.contents("../../m/deep/f") == "deepest");
    CHECK(process.stat("..").value().device == 2);
    CHECK(process.stat("../..").value().device == 1);
    process.make_file("/f", "root");
    CHECK(process.rename("/f", "/m/f") == Error::CrossDevice);
    CHECK(process.link("/f", "/m/f") == Error::CrossDevice);
    CHECK(process.rmdir("/m") == Error::Busy);
    CHECK(process.rename("/m", "/n") == Error::Busy);
    CHECK(process.rmdir("/m/deep") == Error::Busy);
    CHECK(world.vfs->unmount("/m").status() == Error::Busy);
    CHECK(world.vfs->unmount("/m/deep").status() == Error::Busy);
    CHECK(process.chdir("/") == Error::None);
    const s32 file = process.must_open("/m/deep/f", kReadOnly);
    CHECK(world.vfs->unmount("/m/deep").status() == Error::Busy);
    CHECK(world.vfs->close(process.session(), file).ok());
    CHECK(world.vfs->unmount("/m/deep").value() == &innermost.files());
    CHECK(process.open("/m/deep/f", kReadOnly).status() == Error::NoEntry);
    CHECK(world.vfs->unmount("/m/deep").status() == Error::Invalid);
    CHECK(world.vfs->unmount("/").status() == Error::Busy);
    CHECK(world.vfs->unmount("/m").ok());
    CHECK(process.contents("/m/below") == "x");
    CHECK(process.unlink("/m/below") == Error::None);
    CHECK(process.rmdir("/m") == Error::None);
}

TEST_CASE("a mount for reading only refuses every change", "[vfs]") {
    World world;
    Disk inner{world.clock};
    Process process{*world.vfs, 1};
    REQUIRE(process.mkdir("/m") == Error::None);
    REQUIRE(world.vfs->mount("/m", {.files = &inner.files()}).ok());
    process.make_file("/m/f", "x");
    REQUIRE(world.vfs->unmount("/m").ok());
    REQUIRE(world.vfs->mount("/m", {.files = &inner.files(), .flags = Mount::kReadOnly}).ok());
    CHECK(process.contents("/m/f") == "x");
    CHECK(process.open("/m/f", kWriteOnly).status() == Error::ReadOnly);
    CHECK(process.open("/m/g", kCreate | kWriteOnly).status() == Error::ReadOnly);
    CHECK(process.mkdir("/m/d") == Error::ReadOnly);
    CHECK(process.unlink("/m/f") == Error::ReadOnly);
    CHECK(process.rename("/m/f", "/m/g") == Error::ReadOnly);
    CHECK(process.link("/m/f", "/m/g") == Error::ReadOnly);
    CHECK(process.symlink("f", "/m/g") == Error::ReadOnly);
    CHECK(process.chmod("/m/f", 0) == Error::ReadOnly);
    CHECK(world.vfs->usage(process.session(), Process::at("/m")).value().read_only);
}

TEST_CASE("names end where POSIX says", "[vfs]") {
    World world;
    Process process{*world.vfs, 1};
    REQUIRE(process.mkdir("/d") == Error::None);
    process.make_file("/f", "x");
    CHECK(process.rmdir("/d/.") == Error::Invalid);
    CHECK(process.rmdir("/") == Error::Busy);
    CHECK(process.unlink("/d") == Error::IsADirectory);
    CHECK(process.unlink("/f/") == Error::NotADirectory);
    CHECK(process.rmdir("/f") == Error::NotADirectory);
    CHECK(process.rename("/f", "/g/") == Error::NotADirectory);
    CHECK(process.rename("/d", "/e/") == Error::None);
    CHECK(process.rename("/e", "/e/below") == Error::Invalid);
    CHECK(process.rename("/f", "/e") == Error::IsADirectory);
    CHECK(process.rename("/e", "/f") == Error::NotADirectory);
    CHECK(process.rename("/nothing", "/e") == Error::NoEntry);
    CHECK(process.link("/e", "/linked") == Error::NotPermitted);
    CHECK(process.link("/f", "/f") == Error::Exists);
    CHECK(process.link("/f", "/second") == Error::None);
    CHECK(process.stat("/second").value().attributes.links == 2);
    CHECK(process.rename("/f", "/second") == Error::None);
}

TEST_CASE("a directory lists each name once, in parts of any size and from any position", "[vfs]") {
    World world;
    Process process{*world.vfs, 1};
    REQUIRE(process.mkdir("/d") == Error::None);
    for (int i = 0; i < 200; ++i) {
        process.make_file("/d/name" + std::to_string(i), "");
    }
    const s32 directory = process.must_open("/d", kReadOnly | kDirectory);
    const auto all = process.list(directory);
    REQUIRE(all.size() == 202);
    CHECK(all[0].first == ".");
    CHECK(all[1].first == "..");
    for (const u64 from : {u64{0}, u64{1}, u64{2}, u64{77}, u64{201}}) {
        REQUIRE(world.vfs
                    ->seek(process.session(),
                           directory,
                           from == 0 ? 0 : static_cast<s64>(all[from - 1].second),
                           Whence::Start)
                    .ok());
        const auto rest = process.list(directory, 64);
        REQUIRE(rest.size() == all.size() - from);
        CHECK(std::equal(rest.begin(), rest.end(), all.begin() + static_cast<long>(from)));
    }
    REQUIRE(world.vfs->seek(process.session(), directory, 0, Whence::Start).ok());
    CHECK(world.vfs->read_directory(process.session(), directory, {0, 8}).status() ==
          Error::Invalid);
    const s32 file = process.must_open("/d/name0", kReadOnly);
    CHECK(world.vfs->read_directory(process.session(), file, {0, 64}).status() ==
          Error::NotADirectory);
    CHECK(world.vfs->read(process.session(), directory, {0, 1}).status() == Error::IsADirectory);
}

TEST_CASE("a process has its share of open files and no more", "[vfs]") {
    World world;
    Process process{*world.vfs, 1};
    process.make_file("/f", "x");
    for (u32 i = 0; i < OpenFiles::kMostOfOne; ++i) {
        REQUIRE(process.open("/f", kReadOnly).ok());
    }
    CHECK(process.open("/f", kReadOnly).status() == Error::TooManyFiles);
    Process second{*world.vfs, 2};
    for (u32 i = 0; i < OpenFiles::kMostOfOne; ++i) {
        REQUIRE(second.open("/f", kReadOnly).ok());
    }
    Process third{*world.vfs, 3};
    CHECK(third.open("/f", kReadOnly).status() == Error::TableFull);
    world.vfs->end_session(second.session());
    CHECK(third.open("/f", kReadOnly).ok());
}

TEST_CASE("there is room for as many processes as it says", "[vfs]") {
    World world;
    std::vector<u8> buffer(16);
    for (u64 sid = 1; sid <= Vfs::kMaxSessions; ++sid) {
        REQUIRE(world.vfs->begin_session(sid, buffer).ok());
    }
    CHECK(world.vfs->begin_session(1, buffer).status() == Error::Exists);
    CHECK(world.vfs->begin_session(99, buffer).status() == Error::TableFull);
}

TEST_CASE("room can be set aside", "[vfs]") {
    World world;
    Process process{*world.vfs, 1};
    const s32 file = process.must_open("/f", kCreate | kReadWrite);
    CHECK(world.vfs->allocate(process.session(), file, 0, 10'000).ok());
    CHECK(process.stat("/f").value().attributes.size == 10'000);
    CHECK(world.vfs->allocate(process.session(), file, 0, 10).ok());
    CHECK(process.stat("/f").value().attributes.size == 10'000);
    CHECK(world.vfs->allocate(process.session(), file, 0, s64{1} << 30).status() == Error::NoSpace);
    CHECK(world.vfs->allocate(process.session(), file, 0, 0).status() == Error::Invalid);
    CHECK(world.vfs->allocate(process.session(), file, s64{1} << 62, s64{1} << 62).status() ==
          Error::FileTooBig);
    const u32 flags = world.vfs->set_flags(process.session(), file, kAppend, kAppend).value();
    CHECK((flags & kAppend) != 0);
    CHECK(process.write(file, "end", 0) == Error::None);
    CHECK(process.stat("/f").value().attributes.size == 10'003);
    CHECK((world.vfs->set_flags(process.session(), file, kAppend, 0).value() & kAppend) == 0);
    CHECK(world.vfs->sync_file(process.session(), file).ok());
}
