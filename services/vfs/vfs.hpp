// SPDX-License-Identifier: Apache-2.0
// What a process sees of all mounted file systems: paths, open files, its working directory, what
// it may do. Knows nothing of messages; one thread calls. [POSIX] "General Concepts"
//
// Everything that names a file by path takes a Path; an operation answers one of the Errors of
// Walk, of the file system, BadFile, Access, or one that stands with it.
#pragma once

#include <services/vfs/locks.hpp>
#include <services/vfs/open_files.hpp>
#include <services/vfs/uses.hpp>
#include <services/vfs/walk.hpp>

namespace svc::vfs {

/// A process that uses files.
struct Session {
    u64 sid = 0;  ///< 0: none
    User user{};
    u32 creation_mask = 022;
    Place root{};
    Place directory{};       ///< where it works
    std::span<u8> buffer{};  ///< of its memory: what is read and written goes there
    u32 open_files = 0;
};

/// `directory` is an open one of the session's, or kAtCwd.
struct Path {
    s32 directory = 0;
    std::string_view text{};
};

inline constexpr s32 kAtCwd = -100;

enum class Whence : u32 { Start, Current, End };

/// Of set_times: what this value in nanoseconds means.
inline constexpr s64 kTimeNow = 0x3FFF'FFFF;
inline constexpr s64 kTimeOmit = 0x3FFF'FFFE;

struct Time {
    s64 seconds = 0;
    s64 nanoseconds = 0;
};

/// Which part of the buffer, and where in the file.
struct Transfer {
    static constexpr s64 kPosition = -1;

    u64 start = 0;
    u64 size = 0;
    s64 offset = kPosition;  ///< kPosition: where the file stands, which moves
};

struct Description {
    u32 device = 0;  ///< mounts tell files of the same number apart
    u32 block_bytes = 0;
    Attributes attributes{};
};

class Vfs final {
public:
    explicit Vfs(storage::Clock& clock) : clock_(clock) {}

    static constexpr u32 kMaxSessions = 32;

    // Sessions
    /// Null: this process has none.
    [[nodiscard]] Session* find_session(u64 sid);
    /// Errors: Exists, TableFull, NoDevice (nothing is mounted).
    Result<void> begin_session(u64 sid, std::span<u8> buffer);
    /// Closes everything of it.
    void end_session(Session& session);

    // Mounts: mounts.cpp says where, the caller what.
    /// The first mount becomes the root, whatever its target says. Errors: NotADirectory, Busy.
    Result<void> mount(std::string_view target, const Mount& mount);
    /// Gives back what was mounted there, written to its medium. Errors: Invalid (nothing is),
    /// Busy.
    Result<FileSystem*> unmount(std::string_view target);

    [[nodiscard]] const Mounts& mounts() const { return mounts_; }

    /// Of all file systems; the first error of any.
    Result<void> sync();

    // By open file: files.cpp
    Result<s32> open(Session& session, Path path, u32 flags, u32 mode);
    Result<void> close(Session& session, s32 file);
    /// How much was moved. Errors: IsADirectory, Invalid (outside of the buffer).
    Result<u32> read(Session& session, s32 file, const Transfer& what);
    Result<u32> write(Session& session, s32 file, const Transfer& what);
    /// Errors: Invalid (before the start).
    Result<s64> seek(Session& session, s32 file, s64 offset, Whence whence);
    Result<u32> set_flags(Session& session, s32 file, u32 mask, u32 flags);
    Result<void> sync_file(Session& session, s32 file);
    Result<void> truncate(Session& session, s32 file, s64 size);
    Result<void> allocate(Session& session, s32 file, s64 offset, s64 size);
    /// Entries as struct dirent of AArch64, into the buffer. Errors: Invalid (not even one fits).
    Result<u32> read_directory(Session& session, s32 file, const Transfer& what);
    /// A range of `size` bytes, 0: to the end. Errors: Invalid, TryAgain.
    Result<void> lock(Session& session, s32 file, LockKind kind, s64 offset, s64 size);
    Result<void> unlock(Session& session, s32 file, s64 offset, s64 size);
    /// What would keep the lock from being set; owner 0: nothing.
    Result<Lock> test_lock(Session& session, s32 file, LockKind kind, s64 offset, s64 size);

    // By path: names.cpp
    Result<void> make_directory(Session& session, Path path, u32 mode);
    Result<void> make_link(Session& session, std::string_view target, Path path);
    Result<void> link(Session& session, Path source, Path target, Walk::Link follow);
    /// `kind` Directory: an empty one. Errors: Busy (something is mounted there).
    Result<void> unlink(Session& session, Path path, Kind kind);
    /// Errors: CrossDevice, Busy.
    Result<void> rename(Session& session, Path source, Path target);
    /// Into `text`, cut if need be.
    Result<u64> read_link(Session& session, Path path, std::span<u8> text);
    Result<Description> describe(Session& session, Path path, Walk::Link follow);
    Result<storage::Usage> usage(Session& session, Path path);
    Result<void> check_access(Session& session, Path path, u32 wanted, Walk::Link follow);
    Result<void> set_mode(Session& session, Path path, u32 mode, Walk::Link follow);
    /// 2^32 - 1 leaves one as it is. Errors: NotPermitted.
    Result<void> set_owner(Session& session, Path path, u32 user, u32 group, Walk::Link follow);
    Result<void>
    set_times(Session& session, Path path, Time accessed, Time modified, Walk::Link follow);
    Result<void> change_directory(Session& session, Path path);
    Result<void> change_root(Session& session, Path path);
    /// The path of the working directory, at the end of `room`. Errors: NameTooLong, NoEntry (it
    /// was removed, or is not below the session's root).
    Result<std::string_view> working_directory(Session& session, std::span<char> room);

private:
    Result<OpenFile*> find_file(Session& session, s32 number);
    Result<Place> start(Session& session, Path path);
    Result<Found> find(Session& session, Path path, Walk& walk, Walk::Link link);
    Result<Found> find_existing(Session& session, Path path, Walk::Link link);
    Result<Attributes> attributes(Place place);
    Result<void> check_change(Session& session, Place directory);
    Result<void> check_removal(Session& session, const Found& found);
    Result<Place> open_existing(Session& session, const Found& found, u32 flags);
    Result<Place> create(Session& session, const Found& found, const storage::NewNode& what);
    Result<void> replace(Place& kept, Place by);
    Result<Lock> range_of(Session& session, s32 file, LockKind kind, s64 offset, s64 size);
    static Result<std::span<u8>> part(Session& session, const Transfer& what);

    storage::Clock& clock_;
    Mounts mounts_{};
    Uses uses_{mounts_};
    OpenFiles files_{};
    Locks locks_{};
    Session sessions_[kMaxSessions]{};
};

}  // namespace svc::vfs
