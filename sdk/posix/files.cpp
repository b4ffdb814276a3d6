// SPDX-License-Identifier: Apache-2.0
// Contents go through memory that this process and the server share. It is divided into parts, one
// for each thread that reads or writes at the moment. Those messages are short; the others hold
// paths, and share one proxy, since the server does one thing at a time anyway.
#include <kernel/abi/rights.hpp>
#include <kl/VfsFilesystem.client.hpp>
#include <kl/VfsRamFs.endpoints.hpp>
#include <musl_errno.h>
#include <runtime/start_block.hpp>
#include <sdk/posix/files.hpp>
#include <sdk/posix/kernel.hpp>
#include <sdk/posix/lock.hpp>
#include <sdk/posix/record.hpp>

namespace sdk::posix::files {

namespace {

namespace api = kl::VfsFilesystem;

constexpr u32 kPartBytes = 64U << 10;
constexpr u32 kParts = 4;
constexpr u64 kBufferBytes = u64{kParts} * kPartBytes;
// kl.Vfs stands first in every class that has it.
constexpr u16 kEndpoint = kl::VfsRamFs::endpoint::vfs_server;
constexpr std::string_view kClient = "client:";

constinit u32 channel = 0;       // 0: nobody serves files
constinit u8* buffer = nullptr;  // null: not made yet
constinit u32 memory_handle = 0;
constinit u32 session = 0;  // 0: not attached
constinit u32 life = 1;     // of the server, as far as it was noticed
constinit Lock proxy_lock{};
constinit u32 parts_taken = 0;  // a bit for each
constinit Event part_freed{};

/// Short calls, without the memory that a proxy has for long ones.
class ShortCalls final : private idl::Channel {
public:
    ShortCalls() : Channel(channel, kEndpoint) {}

    template <typename Traits>
    idl::Reply<typename Traits::Results, typename Traits::Errors>
    call(const typename Traits::Arguments& arguments) {
        static_assert(Traits::kRequest.is_short && Traits::kResponse.is_short);
        idl::ArenaWriter none;
        return Channel::call<Traits>(arguments, {&none, {}});
    }
};

/// The server is gone, and with it everything that was open.
s64 lose_server() {
    const Holder holder{proxy_lock};
    if (session != 0) {
        (void)handles().Close(session);
        session = 0;
        __atomic_fetch_add(&life, 1U, __ATOMIC_RELEASE);
    }
    return -EIO;
}

/// Of a call that no answer came to, although the server lives.
s64 refusal(Status transport) {
    return transport == Status::SecurityDisallow ? -EACCES
           : transport == Status::BufferTooLarge ? -ENAMETOOLONG
                                                 : -EIO;
}

/// 0, or an errno, of an answer.
template <typename Reply> s64 result_of(const Reply& reply) {
    if (reply.transport() == Status::Ok) {
        return -s64{reply.value().status};
    }
    return reply.transport() == Status::NotConnected ? lose_server() : refusal(reply.transport());
}

bool is_alive(RemoteFile file) { return file.life == __atomic_load_n(&life, __ATOMIC_ACQUIRE); }

/// One part of the buffer, for as long as a transfer takes.
class Piece final {
public:
    Piece() {
        for (u32 seen = part_freed.count(); !take(); seen = part_freed.count()) {
            if (take()) {
                return;
            }
            (void)part_freed.wait(seen, 0, nullptr);
        }
    }

    ~Piece() {
        __atomic_fetch_and(&parts_taken, ~(1U << number_), __ATOMIC_RELEASE);
        part_freed.signal();
    }

    Piece(const Piece&) = delete;
    Piece& operator=(const Piece&) = delete;

    [[nodiscard]] u32 start() const { return number_ * kPartBytes; }

    [[nodiscard]] u8* data() const { return buffer + start(); }

private:
    bool take() {
        u32 taken = __atomic_load_n(&parts_taken, __ATOMIC_RELAXED);
        while (taken != (1U << kParts) - 1) {
            const u32 free = static_cast<u32>(__builtin_ctz(~taken));
            if (__atomic_compare_exchange_n(&parts_taken,
                                            &taken,
                                            taken | (1U << free),
                                            false,
                                            __ATOMIC_ACQUIRE,
                                            __ATOMIC_RELAXED)) {
                number_ = free;
                return true;
            }
        }
        return false;
    }

    u32 number_ = 0;
};

constinit union ProxyMemory {
    constexpr ProxyMemory() : none(0) {}

    u8 none;
    api::Proxy proxy;
} proxy_memory;

s64 make_buffer() {
    constexpr u32 kAccess = kl::core::VMM::Read | kl::core::VMM::Write;
    const auto made = vmm().MdlCreate(kBufferBytes, kAccess);
    if (!made.ok()) {
        return -ENOMEM;
    }
    const u32 handle = made.value().mdl.handle;
    const auto mapped = vmm().MdlMap(handle, 0, kBufferBytes, 0, kAccess);
    if (!mapped.ok()) {
        (void)handles().Close(handle);
        return -ENOMEM;
    }
    memory_handle = handle;
    buffer = pointer<u8>(mapped.value().at);
    return 0;
}

/// Hands the memory over to the server's present life. With proxy_lock.
s64 attach(api::Proxy& proxy) {
    if (const s64 failed = buffer == nullptr ? make_buffer() : 0; failed != 0) {
        return failed;
    }
    const abi::HandleDescriptor memory{
        .handle = memory_handle, .rights = abi::rights::kRead | abi::rights::kWrite, .badge = 0};
    auto reply = proxy.Attach(memory, kBufferBytes);
    if (reply.transport() == Status::NotConnected) {
        // The first word to a new life of the server is refused, so that nobody mistakes it.
        reply = proxy.Attach(memory, kBufferBytes);
    }
    if (reply.transport() != Status::Ok) {
        return refusal(reply.transport());
    }
    session = reply.value().session.handle;
    return -s64{reply.value().status};
}

/// `work` with the proxy, attached; what it answers is the transport and the status of the call.
template <typename Work> s64 with_proxy(const Work& work) {
    if (channel == 0) {
        return -ENOSYS;
    }
    s64 result = 0;
    bool is_lost = false;
    {
        const Holder holder{proxy_lock};
        api::Proxy& proxy = *new (&proxy_memory.proxy) api::Proxy{channel, kEndpoint};
        if (session == 0) {
            if (result = attach(proxy); result != 0) {
                return result;
            }
        }
        result = work(proxy, is_lost);
    }
    return is_lost ? lose_server() : result;
}

/// The call of `method`, and `take` on its results.
template <typename Invoke, typename Take> s64 ask(const Invoke& invoke, const Take& take) {
    return with_proxy([&](api::Proxy& proxy, bool& is_lost) -> s64 {
        const auto reply = invoke(proxy);
        is_lost = reply.transport() == Status::NotConnected;
        if (reply.transport() != Status::Ok) {
            return refusal(reply.transport());
        }
        return reply.value().status == 0 ? take(reply.value()) : -s64{reply.value().status};
    });
}

template <typename Invoke> s64 ask(const Invoke& invoke) {
    return ask(invoke, [](const auto&) -> s64 { return 0; });
}

/// 0, or why the path cannot be asked for: a directory of an earlier life.
s64 flaw_of(const RemotePath& path) {
    return path.directory.number == kAtCwd || is_alive(path.directory) ? 0 : -EIO;
}

u32 flags_of(bool keep_link) { return keep_link ? api::KeepLink : 0; }

Timespec timespec(const api::Time& time) { return {time.seconds, time.nanoseconds}; }

void describe(const api::FileInfo& info, FileStatus& status) {
    status = {};
    status.device = info.device;
    status.inode = info.inode;
    status.mode = info.mode;
    status.links = static_cast<u32>(info.links);
    status.user = info.user;
    status.group = info.group;
    status.size = info.size;
    status.block_size = static_cast<s32>(info.blockSize);
    status.blocks = info.blocks;
    status.accessed = timespec(info.access);
    status.modified = timespec(info.modification);
    status.changed = timespec(info.change);
}

/// How many bytes the server says it moved, or an errno. It may not say more than was asked for.
template <typename Reply> s64 count_of(const Reply& reply, u32 most) {
    if (const s64 failed = result_of(reply); failed != 0) {
        return failed;
    }
    return reply.value().done <= most ? s64{reply.value().done} : -EIO;
}

/// Moves at most one part's bytes; how many, or an errno.
s64 read_part(RemoteFile file, const Piece& part, u32 size, s64 offset) {
    ShortCalls calls;
    if (offset == kAtPosition) {
        const auto reply = calls.call<api::Read_Traits>(
            {.file = file.number, .start = part.start(), .size = size});
        return count_of(reply, size);
    }
    const auto reply = calls.call<api::PRead_Traits>(
        {.file = file.number, .start = part.start(), .size = size, .offset = offset});
    return count_of(reply, size);
}

s64 write_part(RemoteFile file, const Piece& part, u32 size, s64 offset) {
    ShortCalls calls;
    if (offset == kAtPosition) {
        const auto reply = calls.call<api::Write_Traits>(
            {.file = file.number, .start = part.start(), .size = size});
        return count_of(reply, size);
    }
    const auto reply = calls.call<api::PWrite_Traits>(
        {.file = file.number, .start = part.start(), .size = size, .offset = offset});
    return count_of(reply, size);
}

/// `move(part, done, size)` for one part after the other, until one moves less than it should.
/// `work(place of bytes, where these are among the next `size` bytes of all parts, how many)`.
template <typename Work>
void for_pieces(const Transfer& transfer, u64 begin, u64 size, const Work& work) {
    const u64 end = begin + size;
    u64 at = 0;  // where a part begins
    for (u64 i = 0; at < end; at += transfer.parts[i++].size) {
        const Part& part = transfer.parts[i];
        const u64 from = begin > at ? begin : at;
        const u64 to = end < at + part.size ? end : at + part.size;
        if (from < to) {
            work(part.data + (from - at), from - begin, to - from);
        }
    }
}

template <typename Move> s64 move_all(RemoteFile file, const Transfer& transfer, const Move& move) {
    const u64 size = transfer.total;
    u64 done = 0;
    do {
        if (!is_alive(file)) {
            return done != 0 ? static_cast<s64>(done) : -EIO;
        }
        const Piece part;
        const u64 wanted = size - done < kPartBytes ? size - done : kPartBytes;
        const s64 moved = move(part, done, static_cast<u32>(wanted));
        if (moved < 0) {
            return done != 0 ? static_cast<s64>(done) : moved;
        }
        done += static_cast<u64>(moved);
        if (static_cast<u64>(moved) < wanted) {
            break;
        }
    } while (done < size);
    return static_cast<s64>(done);
}

template <typename Traits> s64 ask_shortly(RemoteFile file, const typename Traits::Arguments& in) {
    return is_alive(file) ? result_of(ShortCalls{}.call<Traits>(in)) : -EIO;
}

s64 offset_at(s64 offset, u64 done) {
    return offset == Transfer::kOwnPosition ? kAtPosition : offset + static_cast<s64>(done);
}

}  // namespace

void open_backend(const StartBlock& start) {
    for (const std::string_view name : {"VFS_FILESYSTEM_BACKEND", "_VFS_FILESYSTEM_BACKEND"}) {
        const auto backend = start.environment(name);
        if (backend.ok() && backend.value().starts_with(kClient)) {
            std::string_view id = backend.value();
            id.remove_prefix(kClient.size());
            const auto handle = start.connection(id);
            channel = handle.ok() ? handle.value() : 0;
            return;
        }
    }
}

s64 open(const RemotePath& path, u32 flags, u32 mode, RemoteFile& file) {
    if (const s64 flaw = flaw_of(path); flaw != 0) {
        return flaw;
    }
    return ask(
        [&](api::Proxy& proxy) {
            return proxy.OpenAt(path.directory.number, path.text, flags, mode);
        },
        [&](const api::OpenAt_Results& results) -> s64 {
            file = {.number = results.file, .life = life};
            return 0;
        });
}

s64 close(RemoteFile file) {
    // What was open in an earlier life is closed.
    return is_alive(file) ? ask_shortly<api::Close_Traits>(file, {.file = file.number}) : 0;
}

s64 read(RemoteFile file, const Transfer& transfer) {
    return move_all(file, transfer, [&](const Piece& piece, u64 done, u32 wanted) {
        const s64 moved = read_part(file, piece, wanted, offset_at(transfer.offset, done));
        if (moved > 0) {
            for_pieces(transfer, done, static_cast<u64>(moved), [&](char* to, u64 at, u64 size) {
                __builtin_memcpy(to, piece.data() + at, size);
            });
        }
        return moved;
    });
}

s64 write(RemoteFile file, const Transfer& transfer) {
    return move_all(file, transfer, [&](const Piece& piece, u64 done, u32 wanted) {
        for_pieces(transfer, done, wanted, [&](const char* from, u64 at, u64 size) {
            __builtin_memcpy(piece.data() + at, from, size);
        });
        return write_part(file, piece, wanted, offset_at(transfer.offset, done));
    });
}

s64 read_directory(RemoteFile file, u8* data, u64 size) {
    if (!is_alive(file)) {
        return -EIO;
    }
    const Piece part;
    const u32 room = size < kPartBytes ? static_cast<u32>(size) : kPartBytes;
    const auto reply = ShortCalls{}.call<api::ReadDir_Traits>(
        {.directory = file.number, .start = part.start(), .size = room});
    const s64 moved = count_of(reply, room);
    if (moved > 0) {
        __builtin_memcpy(data, part.data(), static_cast<u64>(moved));
    }
    return moved;
}

s64 seek(RemoteFile file, s64 offset, u64 whence) {
    if (!is_alive(file)) {
        return -EIO;
    }
    const auto reply = ShortCalls{}.call<api::Seek_Traits>(
        {.file = file.number, .offset = offset, .whence = static_cast<u32>(whence)});
    const s64 failed = result_of(reply);
    return failed != 0 ? failed : reply.value().position;
}

s64 set_flags(RemoteFile file, u32 mask, u32 flags) {
    if (!is_alive(file)) {
        return -EIO;
    }
    const auto reply = ShortCalls{}.call<api::SetFlags_Traits>(
        {.file = file.number, .mask = mask, .flags = flags});
    const s64 failed = result_of(reply);
    return failed != 0 ? failed : s64{reply.value().now};
}

s64 sync(RemoteFile file) { return ask_shortly<api::FSync_Traits>(file, {.file = file.number}); }

s64 truncate(RemoteFile file, s64 size) {
    return ask_shortly<api::FTruncate_Traits>(file, {.file = file.number, .size = size});
}

s64 allocate(RemoteFile file, s64 offset, s64 size) {
    return ask_shortly<api::Allocate_Traits>(file,
                                             {.file = file.number, .offset = offset, .size = size});
}

s64 lock(RemoteFile file, u32 command, LockRange& range) {
    if (!is_alive(file)) {
        return -EIO;
    }
    const auto reply = ShortCalls{}.call<api::LockRange_Traits>({.file = file.number,
                                                                 .command = command,
                                                                 .kind = range.kind,
                                                                 .offset = range.offset,
                                                                 .size = range.size});
    const s64 failed = result_of(reply);
    if (failed == 0) {
        const auto& found = reply.value();
        range = {found.foundKind, found.foundOffset, found.foundSize};
    }
    return failed;
}

s64 make_directory(const RemotePath& path, u32 mode) {
    const s64 flaw = flaw_of(path);
    return flaw != 0 ? flaw : ask([&](api::Proxy& proxy) {
        return proxy.MakeDirAt(path.directory.number, path.text, mode);
    });
}

s64 unlink(const RemotePath& path, bool directory) {
    const s64 flaw = flaw_of(path);
    return flaw != 0 ? flaw : ask([&](api::Proxy& proxy) {
        return proxy.UnlinkAt(path.directory.number, path.text, directory ? api::Directory : 0);
    });
}

s64 link(const RemotePath& source, const RemotePath& target, bool keep_link) {
    const s64 flaw = flaw_of(source) != 0 ? flaw_of(source) : flaw_of(target);
    return flaw != 0 ? flaw : ask([&](api::Proxy& proxy) {
        return proxy.LinkAt(source.directory.number,
                            source.text,
                            target.directory.number,
                            target.text,
                            flags_of(keep_link));
    });
}

s64 rename(const RemotePath& source, const RemotePath& target) {
    const s64 flaw = flaw_of(source) != 0 ? flaw_of(source) : flaw_of(target);
    return flaw != 0 ? flaw : ask([&](api::Proxy& proxy) {
        return proxy.RenameAt(
            source.directory.number, source.text, target.directory.number, target.text);
    });
}

s64 make_link(std::string_view text, const RemotePath& path) {
    const s64 flaw = flaw_of(path);
    return flaw != 0 ? flaw : ask([&](api::Proxy& proxy) {
        return proxy.SymLinkAt(text, path.directory.number, path.text);
    });
}

s64 read_link(const RemotePath& path, u8* text, u64 size) {
    const s64 flaw = flaw_of(path);
    return flaw != 0
               ? flaw
               : ask(
                     [&](api::Proxy& proxy) {
                         return proxy.ReadLinkAt(path.directory.number, path.text);
                     },
                     [&](const api::ReadLinkAt_Results& results) -> s64 {
                         const u64 count = results.text.size() < size ? results.text.size() : size;
                         __builtin_memcpy(text, results.text.data(), count);
                         return static_cast<s64>(count);
                     });
}

s64 status(const RemotePath& path, bool keep_link, FileStatus& status) {
    const s64 flaw = flaw_of(path);
    return flaw != 0
               ? flaw
               : ask(
                     [&](api::Proxy& proxy) {
                         return proxy.StatAt(path.directory.number, path.text, flags_of(keep_link));
                     },
                     [&](const api::StatAt_Results& results) -> s64 {
                         describe(results.info, status);
                         return 0;
                     });
}

s64 check_access(const RemotePath& path, u32 mode, bool keep_link) {
    const s64 flaw = flaw_of(path);
    return flaw != 0 ? flaw : ask([&](api::Proxy& proxy) {
        return proxy.AccessAt(path.directory.number, path.text, mode, flags_of(keep_link));
    });
}

s64 set_mode(const RemotePath& path, u32 mode) {
    const s64 flaw = flaw_of(path);
    return flaw != 0 ? flaw : ask([&](api::Proxy& proxy) {
        return proxy.ChangeModeAt(path.directory.number, path.text, mode, 0);
    });
}

s64 set_owner(const RemotePath& path, u32 user, u32 group, bool keep_link) {
    const s64 flaw = flaw_of(path);
    return flaw != 0 ? flaw : ask([&](api::Proxy& proxy) {
        return proxy.ChangeOwnerAt(
            path.directory.number, path.text, user, group, flags_of(keep_link));
    });
}

s64 set_times(const RemotePath& path, const Timespec (&times)[2], bool keep_link) {
    const s64 flaw = flaw_of(path);
    return flaw != 0 ? flaw : ask([&](api::Proxy& proxy) {
        return proxy.SetTimesAt(path.directory.number,
                                path.text,
                                {times[0].seconds, times[0].nanoseconds},
                                {times[1].seconds, times[1].nanoseconds},
                                flags_of(keep_link));
    });
}

s64 change_directory(const RemotePath& path) {
    const s64 flaw = flaw_of(path);
    return flaw != 0 ? flaw : ask([&](api::Proxy& proxy) {
        return proxy.ChangeDir(path.directory.number, path.text);
    });
}

s64 change_root(const RemotePath& path) {
    const s64 flaw = flaw_of(path);
    return flaw != 0 ? flaw : ask([&](api::Proxy& proxy) {
        return proxy.ChangeRoot(path.directory.number, path.text);
    });
}

s64 working_directory(u8* text, u64 size) {
    return ask([](api::Proxy& proxy) { return proxy.GetCwd(); },
               [&](const api::GetCwd_Results& results) -> s64 {
                   if (results.path.size() >= size) {
                       return -ERANGE;
                   }
                   __builtin_memcpy(text, results.path.data(), results.path.size());
                   text[results.path.size()] = 0;
                   return static_cast<s64>(results.path.size() + 1);
               });
}

s64 set_mask(u32 mask) {
    return ask([&](api::Proxy& proxy) { return proxy.UMask(mask); },
               [](const api::UMask_Results& results) -> s64 { return results.previous; });
}

s64 file_system_status(const RemotePath& path, FileSystemStatus& status) {
    const s64 flaw = flaw_of(path);
    return flaw != 0 ? flaw
                     : ask(
                           [&](api::Proxy& proxy) {
                               return proxy.StatFs(path.directory.number, path.text);
                           },
                           [&](const api::StatFs_Results& results) -> s64 {
                               const api::FsInfo& info = results.info;
                               status = {};
                               status.block_size = info.blockSize;
                               status.blocks = info.blocks;
                               status.blocks_free = info.blocksFree;
                               status.blocks_available = info.blocksAvailable;
                               status.name_max = info.nameMax;
                               status.fragment_size = info.blockSize;
                               status.flags = info.flags;
                               return 0;
                           });
}

s64 sync_all() {
    return ask([](api::Proxy& proxy) { return proxy.Sync(); });
}

s64 mount(std::string_view device,
          std::string_view target,
          std::string_view kind,
          u64 flags,
          std::string_view options) {
    return ask(
        [&](api::Proxy& proxy) { return proxy.Mount(device, target, kind, flags, options); });
}

s64 unmount(std::string_view target, u32 flags) {
    return ask([&](api::Proxy& proxy) { return proxy.Unmount(target, flags); });
}

}  // namespace sdk::posix::files
