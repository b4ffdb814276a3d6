// SPDX-License-Identifier: Apache-2.0
#include <cstring>
#include <services/vfs/options.hpp>
#include <services/vfs/service.hpp>

namespace svc::vfs {

namespace {

namespace api = kl::VfsFilesystem;

constexpr s64 kNanosecondsPerSecond = 1'000'000'000;
constexpr u32 kSectorBytes = 512;  // of st_blocks

enum class LockCommand : u32 { Test = 5, Set = 6 };  // F_GETLK, F_SETLK

enum LockType : u32 { kSharedLock, kExclusiveLock, kNoLock };  // F_RDLCK, F_WRLCK, F_UNLCK

s32 code(Error error) { return static_cast<s32>(error); }

/// The answer of `work` on the caller's session; of a failure nothing but its status.
template <typename Results, typename Work>
Results serve(Vfs& vfs, const idl::Caller& caller, const Work& work) {
    Session* const session = vfs.find_session(caller.badge);
    if (session == nullptr) {
        return {.status = code(Error::NotPermitted)};
    }
    Results results{};
    const Result<void> result = work(*session, results);
    return result.ok() ? results : Results{.status = code(result.status())};
}

Walk::Link link_of(u32 flags) {
    return (flags & api::KeepLink) != 0 ? Walk::Link::Keep : Walk::Link::Follow;
}

u32 mode_of(const Attributes& attributes) {
    switch (attributes.kind) {
    case Kind::Directory:
        return 0040000U | attributes.mode;
    case Kind::SymbolicLink:
        return 0120000U | attributes.mode;
    case Kind::CharacterDevice:
        return 0020000U | attributes.mode;
    default:
        return 0100000U | attributes.mode;
    }
}

/// Nanoseconds before 1970, too, are in [0, one second).
api::Time time_of(s64 ns) {
    s64 seconds = ns / kNanosecondsPerSecond;
    s64 rest = ns % kNanosecondsPerSecond;
    if (rest < 0) {
        --seconds;
        rest += kNanosecondsPerSecond;
    }
    return {.seconds = seconds, .nanoseconds = rest};
}

api::FileInfo info_of(const Description& found) {
    const Attributes& attributes = found.attributes;
    return {.device = found.device,
            .inode = attributes.number,
            .links = attributes.links,
            .size = static_cast<s64>(attributes.size),
            .blocks = static_cast<s64>((attributes.size + kSectorBytes - 1) / kSectorBytes),
            .mode = mode_of(attributes),
            .user = attributes.owner,
            .group = attributes.group,
            .blockSize = found.block_bytes,
            .access = time_of(attributes.accessed_ns),
            .modification = time_of(attributes.modified_ns),
            .change = time_of(attributes.changed_ns)};
}

template <typename Bytes> void copy_text(Bytes& to, std::string_view text) {
    static_assert(sizeof(to) > 1);
    std::memcpy(&to, text.data(), text.size() < sizeof(to) ? text.size() : sizeof(to) - 1);
}

}  // namespace

idl::Outcome<tessera::Event::Notify_Results>
Service::Notify(const idl::Caller& caller, const tessera::Event::Notify_Arguments& in) {
    (void)in;
    if (Session* const session = vfs_.find_session(caller.badge); session != nullptr) {
        memory_.unmap(session->buffer);
        memory_.end_session(session->sid);
        vfs_.end_session(*session);
    }
    return tessera::Event::Notify_Results{};
}

Result<void> Service::attach(u64 sid, const Attach_Arguments& in, abi::HandleDescriptor& session) {
    TRY_VALUE(const std::span<u8> buffer, memory_.map(in.buffer.handle, in.size));
    const auto made =
        in.size <= api::MaxBuffer ? vfs_.begin_session(sid, buffer) : Result<void>{Error::Invalid};
    if (!made.ok()) {
        memory_.unmap(buffer);
        return made;
    }
    const auto handle = memory_.make_session(sid);
    if (!handle.ok()) {
        vfs_.end_session(*vfs_.find_session(sid));
        memory_.unmap(buffer);
        return handle.status();
    }
    session = handle.value();
    return {};
}

idl::Outcome<api::Attach_Results> Service::Attach(const idl::Caller& caller,
                                                  const Attach_Arguments& in) {
    Attach_Results results{};
    results.status = code(attach(caller.badge, in, results.session).status());
    return results;
}

Result<void> Service::mount(std::string_view device,
                            std::string_view target,
                            std::string_view kind,
                            std::string_view options,
                            u64 flags) {
    TRY_VALUE(FileSystem* const files, kinds_.make(kind, device, options, flags));
    const auto mounted = vfs_.mount(
        target,
        {.files = files, .flags = flags, .device = Text<63>{device}, .kind = Text<15>{kind}});
    if (!mounted.ok()) {
        kinds_.give_back(*files);
    }
    return mounted;
}

Result<void> Service::mount_line(std::string_view line) {
    const std::string_view device = next_word(line);
    const std::string_view target = next_word(line);
    const std::string_view kind = next_word(line);
    const std::string_view options = next_word(line);
    if (kind.empty()) {
        return Error::Invalid;
    }
    return mount(device, target, kind, options, has_option(options, "ro") ? Mount::kReadOnly : 0);
}

idl::Outcome<api::Mount_Results> Service::Mount(const idl::Caller& caller,
                                                const Mount_Arguments& in) {
    return serve<Mount_Results>(vfs_, caller, [&](Session&, auto&) {
        const bool is_read_only = has_option(in.options, "ro");
        return mount(in.device,
                     in.target,
                     in.kind,
                     in.options,
                     in.flags | (is_read_only ? Mount::kReadOnly : 0));
    });
}

idl::Outcome<api::Unmount_Results> Service::Unmount(const idl::Caller& caller,
                                                    const Unmount_Arguments& in) {
    return serve<Unmount_Results>(vfs_, caller, [&](Session&, auto&) -> Result<void> {
        TRY_VALUE(FileSystem* const files, vfs_.unmount(in.target));
        kinds_.give_back(*files);
        return {};
    });
}

idl::Outcome<api::GetMounts_Results> Service::GetMounts(const idl::Caller& caller,
                                                        const GetMounts_Arguments& in) {
    return serve<GetMounts_Results>(vfs_, caller, [&](Session&, auto& out) -> Result<void> {
        u32 count = 0;
        for (const struct Mount& mount : vfs_.mounts().all()) {
            count += mount.files != nullptr ? 1 : 0;
        }
        const u32 left = in.first < count ? count - in.first : 0;
        const auto list =
            caller.arena.allocate<api::MountInfo>(left < api::MaxMounts ? left : api::MaxMounts);
        u32 number = 0;
        for (const struct Mount& mount : vfs_.mounts().all()) {
            if (mount.files == nullptr || number++ < in.first || number - in.first > list.size()) {
                continue;
            }
            api::MountInfo& info = list[number - in.first - 1];
            copy_text(info.device, mount.device.view());
            copy_text(info.target, mount.target.view());
            copy_text(info.kind, mount.kind.view());
            info.flags = mount.flags;
        }
        out.mounts = list;
        return {};
    });
}

idl::Outcome<api::StatFs_Results> Service::StatFs(const idl::Caller& caller,
                                                  const StatFs_Arguments& in) {
    return serve<StatFs_Results>(vfs_, caller, [&](Session& session, auto& out) -> Result<void> {
        TRY_VALUE(const storage::Usage usage, vfs_.usage(session, {in.directory, in.path}));
        out.info = {.blockSize = usage.block_bytes,
                    .blocks = usage.blocks,
                    .blocksFree = usage.free_blocks,
                    .blocksAvailable = usage.available_blocks,
                    .flags = usage.read_only ? Mount::kReadOnly : 0,
                    .nameMax = storage::kMaxNameBytes};
        return {};
    });
}

idl::Outcome<api::Sync_Results> Service::Sync(const idl::Caller& caller, const Sync_Arguments& in) {
    (void)in;
    return serve<Sync_Results>(vfs_, caller, [&](Session&, auto&) { return vfs_.sync(); });
}

idl::Outcome<api::OpenAt_Results> Service::OpenAt(const idl::Caller& caller,
                                                  const OpenAt_Arguments& in) {
    return serve<OpenAt_Results>(vfs_, caller, [&](Session& session, auto& out) -> Result<void> {
        TRY_VALUE(out.file, vfs_.open(session, {in.directory, in.path}, in.flags, in.mode));
        return {};
    });
}

idl::Outcome<api::Close_Results> Service::Close(const idl::Caller& caller,
                                                const Close_Arguments& in) {
    return serve<Close_Results>(
        vfs_, caller, [&](Session& session, auto&) { return vfs_.close(session, in.file); });
}

idl::Outcome<api::Read_Results> Service::Read(const idl::Caller& caller, const Read_Arguments& in) {
    return serve<Read_Results>(vfs_, caller, [&](Session& session, auto& out) -> Result<void> {
        TRY_VALUE(out.done, vfs_.read(session, in.file, {.start = in.start, .size = in.size}));
        return {};
    });
}

idl::Outcome<api::PRead_Results> Service::PRead(const idl::Caller& caller,
                                                const PRead_Arguments& in) {
    return serve<PRead_Results>(vfs_, caller, [&](Session& session, auto& out) -> Result<void> {
        if (in.offset < 0) {
            return Error::Invalid;
        }
        TRY_VALUE(out.done, vfs_.read(session, in.file, {in.start, in.size, in.offset}));
        return {};
    });
}

idl::Outcome<api::Write_Results> Service::Write(const idl::Caller& caller,
                                                const Write_Arguments& in) {
    return serve<Write_Results>(vfs_, caller, [&](Session& session, auto& out) -> Result<void> {
        TRY_VALUE(out.done, vfs_.write(session, in.file, {.start = in.start, .size = in.size}));
        return {};
    });
}

idl::Outcome<api::PWrite_Results> Service::PWrite(const idl::Caller& caller,
                                                  const PWrite_Arguments& in) {
    return serve<PWrite_Results>(vfs_, caller, [&](Session& session, auto& out) -> Result<void> {
        if (in.offset < 0) {
            return Error::Invalid;
        }
        TRY_VALUE(out.done, vfs_.write(session, in.file, {in.start, in.size, in.offset}));
        return {};
    });
}

idl::Outcome<api::Seek_Results> Service::Seek(const idl::Caller& caller, const Seek_Arguments& in) {
    return serve<Seek_Results>(vfs_, caller, [&](Session& session, auto& out) -> Result<void> {
        if (in.whence > static_cast<u32>(Whence::End)) {
            return Error::Invalid;
        }
        TRY_VALUE(out.position,
                  vfs_.seek(session, in.file, in.offset, static_cast<Whence>(in.whence)));
        return {};
    });
}

idl::Outcome<api::SetFlags_Results> Service::SetFlags(const idl::Caller& caller,
                                                      const SetFlags_Arguments& in) {
    return serve<SetFlags_Results>(vfs_, caller, [&](Session& session, auto& out) -> Result<void> {
        TRY_VALUE(out.now, vfs_.set_flags(session, in.file, in.mask, in.flags));
        return {};
    });
}

idl::Outcome<api::FSync_Results> Service::FSync(const idl::Caller& caller,
                                                const FSync_Arguments& in) {
    return serve<FSync_Results>(
        vfs_, caller, [&](Session& session, auto&) { return vfs_.sync_file(session, in.file); });
}

idl::Outcome<api::FTruncate_Results> Service::FTruncate(const idl::Caller& caller,
                                                        const FTruncate_Arguments& in) {
    return serve<FTruncate_Results>(vfs_, caller, [&](Session& session, auto&) {
        return vfs_.truncate(session, in.file, in.size);
    });
}

idl::Outcome<api::Allocate_Results> Service::Allocate(const idl::Caller& caller,
                                                      const Allocate_Arguments& in) {
    return serve<Allocate_Results>(vfs_, caller, [&](Session& session, auto&) {
        return vfs_.allocate(session, in.file, in.offset, in.size);
    });
}

idl::Outcome<api::LockRange_Results> Service::LockRange(const idl::Caller& caller,
                                                        const LockRange_Arguments& in) {
    return serve<LockRange_Results>(vfs_, caller, [&](Session& session, auto& out) -> Result<void> {
        const auto command = static_cast<LockCommand>(in.command);
        const LockKind kind = in.kind == kSharedLock ? LockKind::Shared : LockKind::Exclusive;
        out.foundKind = kNoLock;
        if (in.kind > kNoLock || (command != LockCommand::Set && command != LockCommand::Test)) {
            return Error::Invalid;
        }
        if (command == LockCommand::Set) {
            return in.kind == kNoLock ? vfs_.unlock(session, in.file, in.offset, in.size)
                                      : vfs_.lock(session, in.file, kind, in.offset, in.size);
        }
        if (in.kind == kNoLock) {
            return Error::Invalid;
        }
        TRY_VALUE(const Lock found, vfs_.test_lock(session, in.file, kind, in.offset, in.size));
        if (found.owner != 0) {
            out.foundKind = found.kind == LockKind::Shared ? kSharedLock : kExclusiveLock;
            out.foundOffset = static_cast<s64>(found.begin);
            out.foundSize = found.end == ~u64{0} ? 0 : static_cast<s64>(found.end - found.begin);
        }
        return {};
    });
}

idl::Outcome<api::ReadDir_Results> Service::ReadDir(const idl::Caller& caller,
                                                    const ReadDir_Arguments& in) {
    return serve<ReadDir_Results>(vfs_, caller, [&](Session& session, auto& out) -> Result<void> {
        TRY_VALUE(out.done,
                  vfs_.read_directory(session, in.directory, {.start = in.start, .size = in.size}));
        return {};
    });
}

idl::Outcome<api::MakeDirAt_Results> Service::MakeDirAt(const idl::Caller& caller,
                                                        const MakeDirAt_Arguments& in) {
    return serve<MakeDirAt_Results>(vfs_, caller, [&](Session& session, auto&) {
        return vfs_.make_directory(session, {in.directory, in.path}, in.mode);
    });
}

idl::Outcome<api::UnlinkAt_Results> Service::UnlinkAt(const idl::Caller& caller,
                                                      const UnlinkAt_Arguments& in) {
    return serve<UnlinkAt_Results>(vfs_, caller, [&](Session& session, auto&) {
        const Kind kind = (in.flags & api::Directory) != 0 ? Kind::Directory : Kind::File;
        return vfs_.unlink(session, {in.directory, in.path}, kind);
    });
}

idl::Outcome<api::LinkAt_Results> Service::LinkAt(const idl::Caller& caller,
                                                  const LinkAt_Arguments& in) {
    return serve<LinkAt_Results>(vfs_, caller, [&](Session& session, auto&) {
        return vfs_.link(session,
                         {in.sourceDirectory, in.source},
                         {in.targetDirectory, in.target},
                         link_of(in.flags));
    });
}

idl::Outcome<api::RenameAt_Results> Service::RenameAt(const idl::Caller& caller,
                                                      const RenameAt_Arguments& in) {
    return serve<RenameAt_Results>(vfs_, caller, [&](Session& session, auto&) {
        return vfs_.rename(
            session, {in.sourceDirectory, in.source}, {in.targetDirectory, in.target});
    });
}

idl::Outcome<api::SymLinkAt_Results> Service::SymLinkAt(const idl::Caller& caller,
                                                        const SymLinkAt_Arguments& in) {
    return serve<SymLinkAt_Results>(vfs_, caller, [&](Session& session, auto&) {
        return vfs_.make_link(session, in.text, {in.directory, in.path});
    });
}

idl::Outcome<api::ReadLinkAt_Results> Service::ReadLinkAt(const idl::Caller& caller,
                                                          const ReadLinkAt_Arguments& in) {
    return serve<ReadLinkAt_Results>(
        vfs_, caller, [&](Session& session, auto& out) -> Result<void> {
            const std::span<u8> room{static_cast<u8*>(static_cast<void*>(text_)), sizeof text_};
            TRY_VALUE(const u64 size, vfs_.read_link(session, {in.directory, in.path}, room));
            out.text = {text_, size};
            return {};
        });
}

idl::Outcome<api::StatAt_Results> Service::StatAt(const idl::Caller& caller,
                                                  const StatAt_Arguments& in) {
    return serve<StatAt_Results>(vfs_, caller, [&](Session& session, auto& out) -> Result<void> {
        TRY_VALUE(const Description found,
                  vfs_.describe(session, {in.directory, in.path}, link_of(in.flags)));
        out.info = info_of(found);
        return {};
    });
}

idl::Outcome<api::AccessAt_Results> Service::AccessAt(const idl::Caller& caller,
                                                      const AccessAt_Arguments& in) {
    return serve<AccessAt_Results>(vfs_, caller, [&](Session& session, auto&) -> Result<void> {
        if (in.mode > (User::kRead | User::kWrite | User::kExecute)) {
            return Error::Invalid;
        }
        return vfs_.check_access(session, {in.directory, in.path}, in.mode, link_of(in.flags));
    });
}

idl::Outcome<api::ChangeModeAt_Results> Service::ChangeModeAt(const idl::Caller& caller,
                                                              const ChangeModeAt_Arguments& in) {
    return serve<ChangeModeAt_Results>(vfs_, caller, [&](Session& session, auto&) {
        return vfs_.set_mode(session, {in.directory, in.path}, in.mode, link_of(in.flags));
    });
}

idl::Outcome<api::ChangeOwnerAt_Results> Service::ChangeOwnerAt(const idl::Caller& caller,
                                                                const ChangeOwnerAt_Arguments& in) {
    return serve<ChangeOwnerAt_Results>(vfs_, caller, [&](Session& session, auto&) {
        return vfs_.set_owner(
            session, {in.directory, in.path}, in.user, in.group, link_of(in.flags));
    });
}

idl::Outcome<api::SetTimesAt_Results> Service::SetTimesAt(const idl::Caller& caller,
                                                          const SetTimesAt_Arguments& in) {
    return serve<SetTimesAt_Results>(vfs_, caller, [&](Session& session, auto&) {
        return vfs_.set_times(session,
                              {in.directory, in.path},
                              {in.access.seconds, in.access.nanoseconds},
                              {in.change.seconds, in.change.nanoseconds},
                              link_of(in.flags));
    });
}

idl::Outcome<api::ChangeDir_Results> Service::ChangeDir(const idl::Caller& caller,
                                                        const ChangeDir_Arguments& in) {
    return serve<ChangeDir_Results>(vfs_, caller, [&](Session& session, auto&) {
        return vfs_.change_directory(session, {in.directory, in.path});
    });
}

idl::Outcome<api::ChangeRoot_Results> Service::ChangeRoot(const idl::Caller& caller,
                                                          const ChangeRoot_Arguments& in) {
    return serve<ChangeRoot_Results>(vfs_, caller, [&](Session& session, auto&) {
        return vfs_.change_root(session, {in.directory, in.path});
    });
}

idl::Outcome<api::GetCwd_Results> Service::GetCwd(const idl::Caller& caller,
                                                  const GetCwd_Arguments& in) {
    (void)in;
    return serve<GetCwd_Results>(vfs_, caller, [&](Session& session, auto& out) -> Result<void> {
        TRY_VALUE(out.path, vfs_.working_directory(session, text_));
        return {};
    });
}

idl::Outcome<api::UMask_Results> Service::UMask(const idl::Caller& caller,
                                                const UMask_Arguments& in) {
    return serve<UMask_Results>(vfs_, caller, [&](Session& session, auto& out) -> Result<void> {
        out.previous = session.creation_mask;
        session.creation_mask = in.mask & 0777;
        return {};
    });
}

}  // namespace svc::vfs
