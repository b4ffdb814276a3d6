// SPDX-License-Identifier: Apache-2.0
// The functions that take paths. A path may begin at a descriptor, an empty one mean it (with
// AT_EMPTY_PATH, or in the functions that take a descriptor instead of a path).
#include <musl_errno.h>
#include <sdk/posix/descriptor_of_file.hpp>
#include <sdk/posix/groups.hpp>
#include <sdk/posix/shared_memory.hpp>

namespace sdk::posix {

namespace {

// As in musl's fcntl.h.
constexpr u64 kKeepLink = 0x100;  // AT_SYMLINK_NOFOLLOW
constexpr u64 kRemoveDirectory = 0x200;
constexpr u64 kFollowLink = 0x400;  // AT_SYMLINK_FOLLOW
constexpr u64 kEmptyPath = 0x1000;
constexpr u64 kEffectiveUser = 0x200;  // AT_EACCESS
constexpr u64 kMaxPath = 1024;         // with its NUL

/// The path at `text` from `directory`, into `path`. -ENOENT: it is empty. -ENAMETOOLONG.
s64 take_path(u64 directory, u64 text, RemotePath& path, u64 flags = 0) {
    const char* const begin = pointer<const char>(text);
    if (begin == nullptr) {
        return -EFAULT;
    }
    u64 size = 0;
    while (begin[size] != '\0') {
        if (++size == kMaxPath) {
            return -ENAMETOOLONG;
        }
    }
    if (size == 0 && (flags & kEmptyPath) == 0) {
        return -ENOENT;
    }
    path.text = {begin, size};
    const auto number = static_cast<s32>(directory);
    if (number == kAtCwd || *begin == '/') {
        path.directory.number = kAtCwd;
        return 0;
    }
    return find_remote(directory, path.directory);
}

/// A descriptor as a path.
s64 take_descriptor(u64 descriptor, RemotePath& path) {
    path.text = {};
    return find_remote(descriptor, path.directory);
}

template <typename Work> s64 with_path(u64 directory, u64 text, u64 flags, const Work& work) {
    RemotePath path;
    const s64 flaw = take_path(directory, text, path, flags);
    return flaw != 0 ? flaw : work(path);
}

template <typename Work> s64 with_descriptor(u64 descriptor, const Work& work) {
    RemotePath path;
    const s64 flaw = take_descriptor(descriptor, path);
    return flaw != 0 ? flaw : work(path);
}

}  // namespace

s64 open_file(const Call& call) {
    return with_path(call.word[0], call.word[1], 0, [&](const RemotePath& path) {
        const auto flags = static_cast<u32>(call.word[2]);
        const auto mode = static_cast<u32>(call.word[3]);
        const auto object = shared_memory::find_name(path.text);
        return object.empty() ? open_file_descriptor(path, flags, mode)
                              : shared_memory::open(object, flags, mode);
    });
}

s64 make_directory(const Call& call) {
    return with_path(call.word[0], call.word[1], 0, [&](const RemotePath& path) {
        return files::make_directory(path, static_cast<u32>(call.word[2]));
    });
}

s64 make_node(const Call& call) {
    // Ordinary files only: devices are the VFS's, and a pipe has no name.
    constexpr u32 kKindBits = 0170000;
    constexpr u32 kRegular = 0100000;
    const auto mode = static_cast<u32>(call.word[2]);
    if ((mode & kKindBits) != 0 && (mode & kKindBits) != kRegular) {
        return -ENOSYS;
    }
    return with_path(call.word[0], call.word[1], 0, [&](const RemotePath& path) -> s64 {
        constexpr u32 kMakeNew = 0100 | 0200;  // O_CREAT | O_EXCL
        RemoteFile made;
        const s64 result = files::open(path, kMakeNew, mode & ~kKindBits, made);
        return result != 0 ? result : files::close(made);
    });
}

s64 unlink_name(const Call& call) {
    if ((call.word[2] & ~kRemoveDirectory) != 0) {
        return -EINVAL;
    }
    return with_path(call.word[0], call.word[1], 0, [&](const RemotePath& path) {
        const auto object = shared_memory::find_name(path.text);
        if (!object.empty()) {
            return call.word[2] != 0 ? -ENOTDIR : shared_memory::unlink(object);
        }
        return files::unlink(path, call.word[2] != 0);
    });
}

s64 link_name(const Call& call) {
    if ((call.word[4] & ~(kFollowLink | kEmptyPath)) != 0) {
        return -EINVAL;
    }
    return with_path(call.word[0], call.word[1], call.word[4], [&](const RemotePath& source) {
        return with_path(call.word[2], call.word[3], 0, [&](const RemotePath& target) {
            const auto object = shared_memory::find_name(source.text);
            const auto other = shared_memory::find_name(target.text);
            if (!object.empty() || !other.empty()) {
                return object.empty() || other.empty() ? -EXDEV
                                                       : shared_memory::link(object, other);
            }
            return files::link(source, target, (call.word[4] & kFollowLink) == 0);
        });
    });
}

s64 rename_name(const Call& call) {
    return with_path(call.word[0], call.word[1], 0, [&](const RemotePath& source) {
        return with_path(call.word[2], call.word[3], 0, [&](const RemotePath& target) {
            return files::rename(source, target);
        });
    });
}

s64 make_symbolic_link(const Call& call) {
    RemotePath text;
    if (const s64 flaw = take_path(static_cast<u64>(kAtCwd), call.word[0], text); flaw != 0) {
        return flaw;
    }
    return with_path(call.word[1], call.word[2], 0, [&](const RemotePath& path) {
        return files::make_link(text.text, path);
    });
}

s64 read_symbolic_link(const Call& call) {
    if (static_cast<s64>(call.word[3]) <= 0) {
        return -EINVAL;
    }
    return with_path(call.word[0], call.word[1], kEmptyPath, [&](const RemotePath& path) {
        return files::read_link(path, pointer<u8>(call.word[2]), call.word[3]);
    });
}

s64 describe_path(const Call& call) {
    const u64 flags = call.word[3];
    if ((flags & ~(kKeepLink | kEmptyPath | 0x800)) != 0) {  // AT_NO_AUTOMOUNT means nothing here
        return -EINVAL;
    }
    auto& status = *pointer<FileStatus>(call.word[2]);
    if ((flags & kEmptyPath) != 0 && *pointer<const char>(call.word[1]) == '\0' &&
        static_cast<s32>(call.word[0]) != kAtCwd) {
        return status_of_descriptor(
            {.number = call.number, .word = {call.word[0], call.word[2]}, .cancelled = nullptr});
    }
    return with_path(call.word[0], call.word[1], flags, [&](const RemotePath& path) {
        const auto object = shared_memory::find_name(path.text);
        if (!object.empty()) {
            return shared_memory::tell_status(object, status);
        }
        return files::status(path, (flags & kKeepLink) != 0, status);
    });
}

s64 check_access(const Call& call) {
    return with_path(call.word[0], call.word[1], call.word[3], [&](const RemotePath& path) -> s64 {
        if ((call.word[3] & ~(kKeepLink | kEffectiveUser | kEmptyPath)) != 0) {
            return -EINVAL;
        }
        if (const auto object = shared_memory::find_name(path.text); !object.empty()) {
            return shared_memory::check(object);
        }
        return files::check_access(
            path, static_cast<u32>(call.word[2]), (call.word[3] & kKeepLink) != 0);
    });
}

s64 check_access_plainly(const Call& call) {
    return with_path(call.word[0], call.word[1], 0, [&](const RemotePath& path) {
        const auto object = shared_memory::find_name(path.text);
        return !object.empty() ? shared_memory::check(object)
                               : files::check_access(path, static_cast<u32>(call.word[2]), false);
    });
}

s64 change_mode(const Call& call) {
    return with_path(call.word[0], call.word[1], 0, [&](const RemotePath& path) {
        return files::set_mode(path, static_cast<u32>(call.word[2]));
    });
}

s64 change_mode_of_file(const Call& call) {
    return with_descriptor(call.word[0], [&](const RemotePath& path) {
        return files::set_mode(path, static_cast<u32>(call.word[1]));
    });
}

s64 change_owner(const Call& call) {
    return with_path(call.word[0], call.word[1], call.word[4], [&](const RemotePath& path) {
        return files::set_owner(path,
                                static_cast<u32>(call.word[2]),
                                static_cast<u32>(call.word[3]),
                                (call.word[4] & kKeepLink) != 0);
    });
}

s64 change_owner_of_file(const Call& call) {
    return with_descriptor(call.word[0], [&](const RemotePath& path) {
        return files::set_owner(
            path, static_cast<u32>(call.word[1]), static_cast<u32>(call.word[2]), false);
    });
}

s64 change_times(const Call& call) {
    constexpr s64 kNow = 0x3FFF'FFFF;  // UTIME_NOW
    using Times = Timespec[2];
    const Times now{{0, kNow}, {0, kNow}};
    const Times& times = call.word[2] != 0 ? *pointer<const Times>(call.word[2]) : now;
    const auto set = [&](const RemotePath& path) {
        return files::set_times(path, times, (call.word[3] & kKeepLink) != 0);
    };
    return call.word[1] == 0 ? with_descriptor(call.word[0], set)
                             : with_path(call.word[0], call.word[1], call.word[3], set);
}

s64 change_directory(const Call& call) {
    return with_path(static_cast<u64>(kAtCwd), call.word[0], 0, [&](const RemotePath& path) {
        return files::change_directory(path);
    });
}

s64 change_directory_to_file(const Call& call) {
    return with_descriptor(call.word[0],
                           [&](const RemotePath& path) { return files::change_directory(path); });
}

s64 change_root(const Call& call) {
    return with_path(static_cast<u64>(kAtCwd), call.word[0], 0, [&](const RemotePath& path) {
        return files::change_root(path);
    });
}

s64 working_directory(const Call& call) {
    return call.word[1] == 0 ? -EINVAL
                             : files::working_directory(pointer<u8>(call.word[0]), call.word[1]);
}

s64 set_creation_mask(const Call& call) { return files::set_mask(static_cast<u32>(call.word[0])); }

s64 truncate_path(const Call& call) {
    return with_path(static_cast<u64>(kAtCwd), call.word[0], 0, [&](const RemotePath& path) -> s64 {
        if (const auto object = shared_memory::find_name(path.text); !object.empty()) {
            return shared_memory::truncate(object, static_cast<s64>(call.word[1]));
        }
        constexpr u32 kWriteOnly = 1;
        RemoteFile file;
        if (const s64 failed = files::open(path, kWriteOnly, 0, file); failed != 0) {
            return failed;
        }
        const s64 result = files::truncate(file, static_cast<s64>(call.word[1]));
        (void)files::close(file);
        return result;
    });
}

s64 describe_file_system(const Call& call) {
    return with_path(static_cast<u64>(kAtCwd), call.word[0], 0, [&](const RemotePath& path) {
        return files::file_system_status(path, *pointer<FileSystemStatus>(call.word[1]));
    });
}

s64 describe_file_system_of_file(const Call& call) {
    return with_descriptor(call.word[0], [&](const RemotePath& path) {
        return files::file_system_status(path, *pointer<FileSystemStatus>(call.word[1]));
    });
}

s64 sync_all(const Call& call) {
    (void)call;
    (void)files::sync_all();
    return 0;
}

s64 mount(const Call& call) {
    const auto text = [&](u64 word) {
        const char* const begin = pointer<const char>(word);
        return begin == nullptr ? std::string_view{} : std::string_view{begin};
    };
    return files::mount(text(call.word[0]),
                        text(call.word[1]),
                        text(call.word[2]),
                        call.word[3],
                        text(call.word[4]));
}

s64 unmount(const Call& call) {
    return with_path(static_cast<u64>(kAtCwd), call.word[0], 0, [&](const RemotePath& path) {
        return files::unmount(path.text, static_cast<u32>(call.word[1]));
    });
}

}  // namespace sdk::posix
