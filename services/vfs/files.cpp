// SPDX-License-Identifier: Apache-2.0
// What is done with an open file.
#include <cstring>
#include <kernel/base/bits.hpp>
#include <services/vfs/vfs.hpp>

namespace svc::vfs {

namespace {

constexpr u64 kMaxOffset = u64{1} << 62;
constexpr u32 kChangeableFlags = kAppend | kNonBlocking | kDirect;

u32 wanted_access(u32 flags) {
    const u32 mode = flags & kAccessMode;
    return (mode != kWriteOnly ? User::kRead : 0U) | (mode != kReadOnly ? User::kWrite : 0U);
}

/// struct dirent: inode, position behind it, length, kind, name.
class DirectoryRecords final : public storage::Listing {
public:
    explicit DirectoryRecords(std::span<u8> room) : room_(room) {}

    Answer add(const storage::DirectoryEntry& entry) override {
        return put(entry, entry.cursor + kFirstCursor);
    }

    Answer put(const storage::DirectoryEntry& entry, u64 position) {
        const u64 size = base::align_up(kNameOffset + entry.name.size() + 1, sizeof(u64));
        if (size > room_.size() - used_) {
            is_full_ = true;
            return Answer::Full;
        }
        u8* const record = room_.data() + used_;
        std::memset(record, 0, size);
        store(record, entry.number);
        store(record + 8, position);
        store(record + 16, static_cast<u16>(size));
        record[18] = kind_value(entry.kind);
        std::memcpy(record + kNameOffset, entry.name.data(), entry.name.size());
        used_ += size;
        return Answer::Taken;
    }

    [[nodiscard]] u64 used() const { return used_; }

    [[nodiscard]] bool is_full() const { return is_full_; }

    static constexpr u64 kFirstCursor = 2;

private:
    static constexpr u64 kNameOffset = 19;

    template <typename T> static void store(u8* at, T value) {
        std::memcpy(at, &value, sizeof(value));
    }

    static u8 kind_value(Kind kind) {
        switch (kind) {
        case Kind::CharacterDevice:
            return 2;
        case Kind::Directory:
            return 4;
        case Kind::File:
            return 8;
        case Kind::SymbolicLink:
            return 10;
        default:
            return 0;
        }
    }

    std::span<u8> room_;
    u64 used_ = 0;
    bool is_full_ = false;
};

}  // namespace

Result<OpenFile*> Vfs::find_file(Session& session, s32 number) {
    OpenFile* const file = files_.find(session.sid, number);
    return file != nullptr ? Result<OpenFile*>{file} : Error::BadFile;
}

Result<std::span<u8>> Vfs::part(Session& session, const Transfer& what) {
    const std::span<u8> buffer = session.buffer;
    if (what.start > buffer.size() || what.size > buffer.size() - what.start) {
        return Error::Invalid;
    }
    return buffer.subspan(what.start, what.size);
}

Result<Place> Vfs::open_existing(Session& session, const Found& found, u32 flags) {
    if ((flags & (kCreate | kExclusive)) == (kCreate | kExclusive)) {
        return Error::Exists;
    }
    if (found.kind == Kind::SymbolicLink && (flags & kPathOnly) == 0) {
        return Error::TooManyLevels;
    }
    if ((flags & kDirectory) != 0 && found.kind != Kind::Directory) {
        return Error::NotADirectory;
    }
    if ((flags & kPathOnly) != 0) {
        return found.place;
    }
    TRY_VALUE(const Attributes now, attributes(found.place));
    const u32 wanted = wanted_access(flags) | ((flags & kTruncate) != 0 ? User::kWrite : 0U);
    if (found.kind == Kind::Directory && ((wanted & User::kWrite) != 0 || (flags & kCreate) != 0)) {
        return Error::IsADirectory;
    }
    if ((wanted & User::kWrite) != 0 && found.kind == Kind::File &&
        mounts_.is_read_only(found.place)) {
        return Error::ReadOnly;
    }
    TRY(session.user.check(now, wanted));
    if ((flags & kTruncate) != 0 && found.kind == Kind::File) {
        TRY(mounts_.files(found.place).truncate(found.place.node, 0));
    }
    return found.place;
}

Result<s32> Vfs::open(Session& session, Path path, u32 flags, u32 mode) {
    const bool keeps_link =
        (flags & kNoFollow) != 0 || (flags & (kCreate | kExclusive)) == (kCreate | kExclusive);
    Walk walk{mounts_, session.root, session.user};
    TRY_VALUE(const Found found,
              find(session, path, walk, keeps_link ? Walk::Link::Keep : Walk::Link::Follow));
    OpenFile file{.owner = session.sid, .kind = found.kind, .flags = flags & ~u32{kTruncate}};
    if (found.place.is_somewhere()) {
        TRY_VALUE(file.place, open_existing(session, found, flags));
    } else {
        if ((flags & kCreate) == 0) {
            return Error::NoEntry;
        }
        if (found.wants_directory) {
            return Error::IsADirectory;
        }
        if ((flags & kDirectory) != 0) {
            return Error::Invalid;
        }
        const auto bits = static_cast<u16>(mode & 07777 & ~session.creation_mask);
        TRY_VALUE(file.place, create(session, found, {.kind = Kind::File, .mode = bits}));
        file.kind = Kind::File;
    }
    TRY(uses_.take(file.place));
    const auto number = files_.open(file, session.open_files);
    if (!number.ok()) {
        uses_.release(file.place);
        return number.status();
    }
    return static_cast<s32>(number.value());
}

Result<void> Vfs::close(Session& session, s32 number) {
    TRY_VALUE(OpenFile* const file, find_file(session, number));
    locks_.clear_file(session.sid, file->place);
    uses_.release(file->place);
    files_.close(*file, session.open_files);
    return {};
}

Result<u32> Vfs::read(Session& session, s32 number, const Transfer& what) {
    TRY_VALUE(OpenFile* const file, find_file(session, number));
    if (!file->can_read()) {
        return Error::BadFile;
    }
    if (file->kind == Kind::Directory) {
        return Error::IsADirectory;
    }
    const bool moves = what.offset == Transfer::kPosition;
    if (what.offset < 0 && !moves) {
        return Error::Invalid;
    }
    TRY_VALUE(const std::span<u8> data, part(session, what));
    const u64 offset = moves ? file->position : static_cast<u64>(what.offset);
    TRY_VALUE(const u64 done, mounts_.files(file->place).read(file->place.node, offset, data));
    file->position += moves ? done : 0;
    return static_cast<u32>(done);
}

Result<u32> Vfs::write(Session& session, s32 number, const Transfer& what) {
    TRY_VALUE(OpenFile* const file, find_file(session, number));
    if (!file->can_write()) {
        return Error::BadFile;
    }
    const bool moves = what.offset == Transfer::kPosition;
    if (what.offset < 0 && !moves) {
        return Error::Invalid;
    }
    TRY_VALUE(const std::span<u8> data, part(session, what));
    FileSystem& files = mounts_.files(file->place);
    u64 offset = moves ? file->position : static_cast<u64>(what.offset);
    if ((file->flags & kAppend) != 0) {
        TRY_VALUE(const Attributes now, attributes(file->place));
        offset = now.size;
    }
    if (offset > kMaxOffset) {
        return Error::FileTooBig;
    }
    TRY_VALUE(const u64 done, files.write(file->place.node, offset, data));
    file->position = moves ? offset + done : file->position;
    if ((file->flags & (kSync | kDataSync)) != 0) {
        TRY(files.sync(file->place.node));
    }
    return static_cast<u32>(done);
}

Result<s64> Vfs::seek(Session& session, s32 number, s64 offset, Whence whence) {
    TRY_VALUE(OpenFile* const file, find_file(session, number));
    u64 from = 0;
    if (whence == Whence::Current) {
        from = file->position;
    } else if (whence == Whence::End) {
        TRY_VALUE(const Attributes now, attributes(file->place));
        from = now.size;
    }
    s64 to = 0;
    if (__builtin_add_overflow(from, offset, &to) || to < 0) {
        return Error::Invalid;
    }
    file->position = static_cast<u64>(to);
    return to;
}

Result<u32> Vfs::set_flags(Session& session, s32 number, u32 mask, u32 flags) {
    TRY_VALUE(OpenFile* const file, find_file(session, number));
    mask &= kChangeableFlags;
    file->flags = (file->flags & ~mask) | (flags & mask);
    return file->flags;
}

Result<void> Vfs::sync_file(Session& session, s32 number) {
    TRY_VALUE(OpenFile* const file, find_file(session, number));
    return mounts_.files(file->place).sync(file->place.node);
}

Result<void> Vfs::truncate(Session& session, s32 number, s64 size) {
    TRY_VALUE(OpenFile* const file, find_file(session, number));
    if (!file->can_write() || size < 0 || file->kind != Kind::File) {
        return file->can_write() || size < 0 ? Error::Invalid : Error::BadFile;
    }
    return mounts_.files(file->place).truncate(file->place.node, static_cast<u64>(size));
}

Result<void> Vfs::allocate(Session& session, s32 number, s64 offset, s64 size) {
    TRY_VALUE(OpenFile* const file, find_file(session, number));
    if (!file->can_write()) {
        return Error::BadFile;
    }
    s64 end = 0;
    if (offset < 0 || size <= 0) {
        return Error::Invalid;
    }
    if (__builtin_add_overflow(offset, size, &end)) {
        return Error::FileTooBig;
    }
    TRY_VALUE(const Attributes now, attributes(file->place));
    FileSystem& files = mounts_.files(file->place);
    TRY_VALUE(const storage::Usage usage, files.statfs());
    const auto wanted = static_cast<u64>(end);
    if (wanted <= now.size) {
        return {};
    }
    if ((wanted - now.size) / usage.block_bytes >= usage.available_blocks) {
        return Error::NoSpace;
    }
    return files.truncate(file->place.node, wanted);
}

Result<u32> Vfs::read_directory(Session& session, s32 number, const Transfer& what) {
    TRY_VALUE(OpenFile* const file, find_file(session, number));
    if (file->kind != Kind::Directory || !file->can_read()) {
        return file->kind != Kind::Directory ? Error::NotADirectory : Error::BadFile;
    }
    TRY_VALUE(const std::span<u8> room, part(session, what));
    DirectoryRecords records{room};
    FileSystem& files = mounts_.files(file->place);
    constexpr std::string_view kDots[]{".", ".."};
    while (file->position < DirectoryRecords::kFirstCursor && !records.is_full()) {
        const std::string_view name = kDots[file->position];
        const Place beside = name.size() == 1 ? file->place : mounts_.leave(file->place);
        TRY_VALUE(const Node node, mounts_.files(beside).lookup(beside.node, name));
        TRY_VALUE(const Attributes found, attributes({beside.mount, node}));
        const auto answer = records.put(
            {.name = name, .number = found.number, .kind = Kind::Directory}, file->position + 1);
        file->position += answer == storage::Listing::Answer::Taken ? 1 : 0;
    }
    if (!records.is_full()) {
        const u64 cursor = file->position - DirectoryRecords::kFirstCursor;
        TRY_VALUE(const u64 last, files.readdir(file->place.node, cursor, records));
        file->position = last + DirectoryRecords::kFirstCursor;
    }
    if (records.used() == 0 && records.is_full()) {
        return Error::Invalid;
    }
    return static_cast<u32>(records.used());
}

Result<Lock> Vfs::range_of(Session& session, s32 number, LockKind kind, s64 offset, s64 size) {
    TRY_VALUE(OpenFile* const file, find_file(session, number));
    if (file->kind != Kind::File) {
        return Error::Invalid;
    }
    s64 end = 0;
    if (__builtin_add_overflow(offset, size, &end) || offset < 0 || end < 0) {
        return Error::Invalid;
    }
    const auto first = static_cast<u64>(size < 0 ? end : offset);
    const u64 last = size == 0 ? ~u64{0} : static_cast<u64>(size < 0 ? offset : end);
    return Lock{
        .owner = session.sid, .place = file->place, .kind = kind, .begin = first, .end = last};
}

Result<void> Vfs::lock(Session& session, s32 number, LockKind kind, s64 offset, s64 size) {
    TRY_VALUE(const Lock wanted, range_of(session, number, kind, offset, size));
    const OpenFile& file = *files_.find(session.sid, number);
    if (kind == LockKind::Shared ? !file.can_read() : !file.can_write()) {
        return Error::BadFile;
    }
    return locks_.set(wanted);
}

Result<void> Vfs::unlock(Session& session, s32 number, s64 offset, s64 size) {
    TRY_VALUE(const Lock range, range_of(session, number, LockKind::Shared, offset, size));
    return locks_.clear(range);
}

Result<Lock> Vfs::test_lock(Session& session, s32 number, LockKind kind, s64 offset, s64 size) {
    TRY_VALUE(const Lock wanted, range_of(session, number, kind, offset, size));
    const Lock* const conflict = locks_.find_conflict(wanted);
    return conflict != nullptr ? *conflict : Lock{};
}

}  // namespace svc::vfs
