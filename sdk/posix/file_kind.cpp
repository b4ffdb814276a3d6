// SPDX-License-Identifier: Apache-2.0
// Descriptors of files: the position and the flags are with the server, so that what is appended
// and what several threads read stays whole.
#include <cstdint>
#include <musl_errno.h>
#include <sdk/posix/descriptor_of_file.hpp>
#include <sdk/posix/groups.hpp>
#include <sdk/posix/record.hpp>

namespace sdk::posix {

namespace {

// As in musl's fcntl.h.
constexpr u64 kSeekCurrent = 1;
constexpr u64 kLockTest = 5;
constexpr u64 kLockSet = 6;
constexpr u64 kLockWait = 7;
constexpr std::int16_t kNoLock = 2;

constexpr s64 kPauseNs = 5'000'000;

RemoteFile file_of(const Description& description) {
    return {.number = static_cast<s32>(description.object & 0xFFFF'FFFF),
            .life = static_cast<u32>(description.object >> 32)};
}

u64 object_of(RemoteFile file) { return u64{file.life} << 32 | static_cast<u32>(file.number); }

class FileKind final : public Kind {
public:
    s64 read(Description& description, const Transfer& transfer) const override {
        return files::read(file_of(description), transfer);
    }

    s64 write(Description& description, const Transfer& transfer) const override {
        return files::write(file_of(description), transfer);
    }

    bool can_seek() const override { return true; }

    s64 seek(Description& description, s64 offset, u64 whence) const override {
        return files::seek(file_of(description), offset, whence);
    }

    s64 tell_status(Description& description, FileStatus& status) const override {
        return files::status({.directory = file_of(description), .text = {}}, false, status);
    }

    s64 truncate(Description& description, s64 size) const override {
        return files::truncate(file_of(description), size);
    }

    s64 synchronise(Description& description) const override {
        return files::sync(file_of(description));
    }

    s64 change_flags(Description& description, u32 flags) const override {
        const s64 now = files::set_flags(file_of(description), ~u32{0}, flags);
        return now < 0 ? now : 0;
    }

    void close(Description& description) const override {
        (void)files::close(file_of(description));
    }
};

constinit const FileKind file_kind{};

/// As musl lays it out.
struct FileLock {
    std::int16_t kind;
    std::int16_t whence;
    s64 start;
    s64 size;
    s32 process;
};

/// Between two looks at a lock. -EINTR: cancelled.
s64 pause(const volatile s32* cancelled) {
    u64 end = 0;
    (void)ticks_after({.seconds = 0, .nanoseconds = kPauseNs}, end);
    return wait_for_signal(signals_seen(), end, cancelled);
}

/// `work(file)` for a descriptor of a file.
template <typename Work> s64 with_file(u64 descriptor, s64 otherwise, const Work& work) {
    const Held held{descriptor};
    if (!held) {
        return -EBADF;
    }
    return &held->kind() == &file_kind ? work(*held) : otherwise;
}

}  // namespace

s64 find_remote(u64 descriptor, RemoteFile& file) {
    return with_file(descriptor, -ENOTDIR, [&](const Description& description) -> s64 {
        file = file_of(description);
        return 0;
    });
}

s64 open_file_descriptor(const RemotePath& path, u32 flags, u32 mode) {
    RemoteFile file;
    if (const s64 failed = files::open(path, flags, mode, file); failed != 0) {
        return failed;
    }
    const s64 number = open_descriptor(file_kind, flags, object_of(file));
    if (number < 0) {
        (void)files::close(file);
    }
    return number;
}

s64 lock_file(const Call& call) {
    const u64 command = call.word[1] & 0xFFFF'FFFF;
    auto& lock = *pointer<FileLock>(call.word[2]);
    return with_file(call.word[0], -EINVAL, [&](const Description& description) -> s64 {
        const RemoteFile file = file_of(description);
        s64 from = 0;
        if (lock.whence == static_cast<std::int16_t>(kSeekCurrent)) {
            from = files::seek(file, 0, kSeekCurrent);
        } else if (lock.whence != 0) {
            FileStatus status{};
            from = files::status({.directory = file, .text = {}}, false, status);
            from = from == 0 ? status.size : from;
        }
        if (from < 0) {
            return from;
        }
        files::LockRange range{
            .kind = static_cast<u32>(lock.kind), .offset = from + lock.start, .size = lock.size};
        while (true) {
            const u64 asked = command == kLockWait ? kLockSet : command;
            const s64 result = files::lock(file, static_cast<u32>(asked), range);
            if (result == -EAGAIN && command == kLockWait) {
                // The server wakes nobody when a lock goes, so this looks again and again.
                if (pause(call.cancelled) == -EINTR) {
                    return -EINTR;
                }
                continue;
            }
            if (result == 0 && command == kLockTest) {
                lock.kind = static_cast<std::int16_t>(range.kind);
                if (lock.kind != kNoLock) {
                    lock.whence = 0;
                    lock.start = range.offset;
                    lock.size = range.size;
                    lock.process = -1;
                }
            }
            return result;
        }
    });
}

s64 read_directory(const Call& call) {
    return with_file(call.word[0], -ENOTDIR, [&](const Description& description) {
        return files::read_directory(file_of(description), pointer<u8>(call.word[1]), call.word[2]);
    });
}

s64 allocate(const Call& call) {
    if (call.word[1] != 0) {
        return -ENOTSUP;
    }
    return with_file(call.word[0], -ENODEV, [&](const Description& description) {
        return files::allocate(
            file_of(description), static_cast<s64>(call.word[2]), static_cast<s64>(call.word[3]));
    });
}

}  // namespace sdk::posix
