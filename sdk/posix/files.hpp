// SPDX-License-Identifier: Apache-2.0
// The process that serves this one its files, by kl.VfsFilesystem. The environment names the
// connection: VFS_FILESYSTEM_BACKEND=client:NAME. Nothing is asked or taken before the first file.
//
// All results are errno numbers, negative, or what the manual says of the function. Without such a
// connection everything answers ENOSYS. When the server dies, what was open there answers EIO from
// then on; the next open finds the new one.
#pragma once

#include <sdk/posix/descriptors.hpp>
#include <string_view>

namespace sdk {

class StartBlock;

}

namespace sdk::posix {

/// An open file there; of an earlier life of the server it is EIO.
struct RemoteFile {
    s32 number = -1;
    u32 life = 0;
};

/// Where a path begins: an open directory, or the working directory.
inline constexpr s32 kAtCwd = -100;  // AT_FDCWD

struct RemotePath {
    RemoteFile directory{.number = kAtCwd, .life = 0};
    std::string_view text{};
};

inline constexpr s64 kAtPosition = -1;

/// As musl's struct statfs.
struct FileSystemStatus {
    u64 kind;
    u64 block_size;
    u64 blocks;
    u64 blocks_free;
    u64 blocks_available;
    u64 files;
    u64 files_free;
    u32 id[2];
    u64 name_max;
    u64 fragment_size;
    u64 flags;
    u64 spare[4];
};

namespace files {

/// Remembers which connection leads there.
void open_backend(const StartBlock& start);

/// -ENOSYS: nobody serves files. -ENOENT and others of open().
s64 open(const RemotePath& path, u32 flags, u32 mode, RemoteFile& file);
s64 close(RemoteFile file);
/// All parts by one message for each 64 KiB of them together.
s64 read(RemoteFile file, const Transfer& transfer);
s64 write(RemoteFile file, const Transfer& transfer);
s64 seek(RemoteFile file, s64 offset, u64 whence);
s64 set_flags(RemoteFile file, u32 mask, u32 flags);
s64 sync(RemoteFile file);
s64 truncate(RemoteFile file, s64 size);
s64 allocate(RemoteFile file, s64 offset, s64 size);
s64 read_directory(RemoteFile file, u8* data, u64 size);

/// struct flock of AArch64, whose l_whence is resolved.
struct LockRange {
    u32 kind;
    s64 offset;
    s64 size;
};

s64 lock(RemoteFile file, u32 command, LockRange& range);

s64 make_directory(const RemotePath& path, u32 mode);
s64 unlink(const RemotePath& path, bool directory);
s64 link(const RemotePath& source, const RemotePath& target, bool keep_link);
s64 rename(const RemotePath& source, const RemotePath& target);
s64 make_link(std::string_view text, const RemotePath& path);
s64 read_link(const RemotePath& path, u8* text, u64 size);
s64 status(const RemotePath& path, bool keep_link, FileStatus& status);
s64 check_access(const RemotePath& path, u32 mode, bool keep_link);
s64 set_mode(const RemotePath& path, u32 mode);
s64 set_owner(const RemotePath& path, u32 user, u32 group, bool keep_link);
s64 set_times(const RemotePath& path, const Timespec (&times)[2], bool keep_link);
s64 change_directory(const RemotePath& path);
s64 change_root(const RemotePath& path);
s64 working_directory(u8* text, u64 size);
s64 set_mask(u32 mask);
s64 file_system_status(const RemotePath& path, FileSystemStatus& status);
s64 sync_all();
s64 mount(std::string_view device,
          std::string_view target,
          std::string_view kind,
          u64 flags,
          std::string_view options);
s64 unmount(std::string_view target, u32 flags);

}  // namespace files

}  // namespace sdk::posix
