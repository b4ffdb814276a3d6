// SPDX-License-Identifier: Apache-2.0
// What is done with names and with what they name.
#include <cstring>
#include <services/vfs/vfs.hpp>

namespace svc::vfs {

namespace {

constexpr u32 kSticky = 01000;
constexpr u32 kModeBits = 07777;
constexpr u32 kNobody = ~u32{0};
constexpr s64 kNanoseconds = 1'000'000'000;

template <typename T> Result<void> drop_value(const Result<T>& result) { return result.status(); }

/// Finds the name of a node of a directory.
class NameOf final : public storage::Listing {
public:
    explicit NameOf(u64 number) : number_(number) {}

    Answer add(const storage::DirectoryEntry& entry) override {
        if (entry.number != number_ || entry.kind != Kind::Directory) {
            return Answer::Taken;
        }
        size_ = entry.name.size();
        std::memcpy(name_, entry.name.data(), size_);
        return Answer::Full;
    }

    /// Empty: not found yet.
    [[nodiscard]] std::string_view name() const { return {name_, size_}; }

private:
    u64 number_;
    char name_[storage::kMaxNameBytes];
    u64 size_ = 0;
};

}  // namespace

Result<Attributes> Vfs::attributes(Place place) { return mounts_.files(place).stat(place.node); }

Result<Place> Vfs::start(Session& session, Path path) {
    if (path.directory == kAtCwd || path.text.starts_with('/')) {
        return session.directory;
    }
    TRY_VALUE(OpenFile* const file, find_file(session, path.directory));
    return file->place;
}

Result<Found> Vfs::find(Session& session, Path path, Walk& walk, Walk::Link link) {
    TRY_VALUE(const Place from, start(session, path));
    return walk.find(from, path.text, link);
}

Result<Found> Vfs::find_existing(Session& session, Path path, Walk::Link link) {
    Walk walk{mounts_, session.root, session.user};
    TRY_VALUE(Found found, find(session, path, walk, link));
    found.name = {};  // of the walk's memory
    return found.place.is_somewhere() ? Result<Found>{found} : Error::NoEntry;
}

Result<void> Vfs::check_change(Session& session, Place directory) {
    if (mounts_.is_read_only(directory)) {
        return Error::ReadOnly;  // even for who may not write there
    }
    TRY_VALUE(const Attributes above, attributes(directory));
    return session.user.check(above, User::kWrite | User::kSearch);
}

/// Whether the name may be removed; what it names is there.
Result<void> Vfs::check_removal(Session& session, const Found& found) {
    if (found.name.empty() || found.place.mount != found.directory.mount ||
        mounts_.is_covered(found.place)) {
        return Error::Busy;
    }
    TRY(check_change(session, found.directory));
    TRY_VALUE(const Attributes above, attributes(found.directory));
    if ((above.mode & kSticky) == 0 || above.owner == session.user.user) {
        return {};
    }
    TRY_VALUE(const Attributes own, attributes(found.place));
    return own.owner == session.user.user ? Result<void>{} : Error::NotPermitted;
}

Result<Place> Vfs::create(Session& session, const Found& found, const storage::NewNode& what) {
    if (found.place.is_somewhere()) {
        return Error::Exists;
    }
    TRY(check_change(session, found.directory));
    storage::NewNode node = what;
    node.owner = session.user.user;
    node.group = session.user.group;
    TRY_VALUE(const Node made,
              mounts_.files(found.directory).create(found.directory.node, found.name, node));
    return Place{found.directory.mount, made};
}

Result<void> Vfs::make_directory(Session& session, Path path, u32 mode) {
    Walk walk{mounts_, session.root, session.user};
    TRY_VALUE(const Found found, find(session, path, walk, Walk::Link::Keep));
    const auto bits = static_cast<u16>(mode & 01777 & ~session.creation_mask);
    return drop_value(create(session, found, {.kind = Kind::Directory, .mode = bits}));
}

Result<void> Vfs::make_link(Session& session, std::string_view target, Path path) {
    if (target.empty()) {
        return Error::NoEntry;
    }
    Walk walk{mounts_, session.root, session.user};
    TRY_VALUE(const Found found, find(session, path, walk, Walk::Link::Keep));
    if (!found.place.is_somewhere() && found.wants_directory) {
        return Error::NoEntry;
    }
    return drop_value(
        create(session, found, {.kind = Kind::SymbolicLink, .mode = 0777, .target = target}));
}

Result<void> Vfs::link(Session& session, Path source, Path target, Walk::Link follow) {
    TRY_VALUE(const Found file, find_existing(session, source, follow));
    if (file.kind == Kind::Directory) {
        return Error::NotPermitted;
    }
    Walk walk{mounts_, session.root, session.user};
    TRY_VALUE(const Found name, find(session, target, walk, Walk::Link::Keep));
    if (name.place.is_somewhere()) {
        return Error::Exists;
    }
    if (name.wants_directory) {
        return Error::NoEntry;
    }
    if (name.directory.mount != file.place.mount) {
        return Error::CrossDevice;
    }
    TRY(check_change(session, name.directory));
    return mounts_.files(file.place).link(name.directory.node, name.name, file.place.node);
}

Result<void> Vfs::unlink(Session& session, Path path, Kind kind) {
    Walk walk{mounts_, session.root, session.user};
    TRY_VALUE(const Found found, find(session, path, walk, Walk::Link::Keep));
    if (!found.place.is_somewhere()) {
        return Error::NoEntry;
    }
    if (kind == Kind::Directory && path.text.ends_with('.') && found.name.empty()) {
        return Error::Invalid;
    }
    if (found.wants_directory && kind != Kind::Directory) {
        return found.kind == Kind::Directory ? Error::IsADirectory : Error::NotADirectory;
    }
    TRY(check_removal(session, found));
    TRY_VALUE(const Node gone,
              mounts_.files(found.directory).unlink(found.directory.node, found.name, kind));
    uses_.lost_its_names({found.directory.mount, gone});
    return {};
}

Result<void> Vfs::rename(Session& session, Path source, Path target) {
    Walk from_walk{mounts_, session.root, session.user};
    Walk to_walk{mounts_, session.root, session.user};
    TRY_VALUE(const Found from, find(session, source, from_walk, Walk::Link::Keep));
    TRY_VALUE(const Found to, find(session, target, to_walk, Walk::Link::Keep));
    if (!from.place.is_somewhere()) {
        return Error::NoEntry;
    }
    TRY(check_removal(session, from));
    if (to.wants_directory && from.kind != Kind::Directory) {
        return Error::NotADirectory;
    }
    if (to.directory.mount != from.directory.mount) {
        return Error::CrossDevice;
    }
    if (to.place.is_somewhere()) {
        TRY(check_removal(session, to));
    } else {
        TRY(check_change(session, to.directory));
    }
    TRY_VALUE(const Node gone,
              mounts_.files(from.directory)
                  .rename(from.directory.node, from.name, to.directory.node, to.name));
    uses_.lost_its_names({from.directory.mount, gone});
    return {};
}

Result<u64> Vfs::read_link(Session& session, Path path, std::span<u8> text) {
    TRY_VALUE(const Found found, find_existing(session, path, Walk::Link::Keep));
    if (found.kind != Kind::SymbolicLink) {
        return Error::Invalid;
    }
    return mounts_.files(found.place).read(found.place.node, 0, text);
}

Result<Description> Vfs::describe(Session& session, Path path, Walk::Link follow) {
    TRY_VALUE(const Found found, find_existing(session, path, follow));
    TRY_VALUE(const Attributes now, attributes(found.place));
    TRY_VALUE(const storage::Usage usage, mounts_.files(found.place).statfs());
    return Description{
        .device = found.place.mount + 1, .block_bytes = usage.block_bytes, .attributes = now};
}

Result<storage::Usage> Vfs::usage(Session& session, Path path) {
    TRY_VALUE(const Found found, find_existing(session, path, Walk::Link::Follow));
    TRY_VALUE(storage::Usage usage, mounts_.files(found.place).statfs());
    usage.read_only = usage.read_only || mounts_.is_read_only(found.place);
    return usage;
}

Result<void> Vfs::check_access(Session& session, Path path, u32 wanted, Walk::Link follow) {
    TRY_VALUE(const Found found, find_existing(session, path, follow));
    TRY_VALUE(const Attributes now, attributes(found.place));
    TRY(session.user.check(now, wanted));
    return (wanted & User::kWrite) != 0 && mounts_.is_read_only(found.place) ? Error::ReadOnly
                                                                             : Result<void>{};
}

Result<void> Vfs::set_mode(Session& session, Path path, u32 mode, Walk::Link follow) {
    TRY_VALUE(const Found found, find_existing(session, path, follow));
    TRY_VALUE(const Attributes now, attributes(found.place));
    if (now.owner != session.user.user) {
        return Error::NotPermitted;
    }
    if (mounts_.is_read_only(found.place)) {
        return Error::ReadOnly;
    }
    return mounts_.files(found.place)
        .set_attributes(
            found.place.node,
            {.set = storage::AttributeChange::kMode, .mode = static_cast<u16>(mode & kModeBits)});
}

Result<void> Vfs::set_owner(Session& session, Path path, u32 user, u32 group, Walk::Link follow) {
    TRY_VALUE(const Found found, find_existing(session, path, follow));
    TRY_VALUE(const Attributes now, attributes(found.place));
    const bool gives = user != kNobody && user != now.owner;
    const bool regroups = group != kNobody && group != now.group && group != session.user.group;
    if (now.owner != session.user.user || ((gives || regroups) && session.user.user != 0)) {
        return Error::NotPermitted;
    }
    if (mounts_.is_read_only(found.place)) {
        return Error::ReadOnly;
    }
    using storage::AttributeChange;
    const u32 set = (user != kNobody ? AttributeChange::kOwner : 0U) |
                    (group != kNobody ? AttributeChange::kGroup : 0U);
    return mounts_.files(found.place)
        .set_attributes(found.place.node, {.set = set, .owner = user, .group = group});
}

Result<void>
Vfs::set_times(Session& session, Path path, Time accessed, Time modified, Walk::Link follow) {
    using storage::AttributeChange;
    TRY_VALUE(const Found found, find_existing(session, path, follow));
    AttributeChange change{};
    bool is_now = true;
    const auto take = [&](const Time& time, u32 bit, s64& value) -> Result<void> {
        if (time.nanoseconds == kTimeOmit) {
            return {};
        }
        change.set |= bit;
        if (time.nanoseconds == kTimeNow) {
            value = clock_.now_ns();
            return {};
        }
        is_now = false;
        const bool is_wrong = time.nanoseconds < 0 || time.nanoseconds >= kNanoseconds ||
                              __builtin_mul_overflow(time.seconds, kNanoseconds, &value) ||
                              __builtin_add_overflow(value, time.nanoseconds, &value);
        return is_wrong ? Error::Invalid : Result<void>{};
    };
    TRY(take(accessed, AttributeChange::kAccessed, change.accessed_ns));
    TRY(take(modified, AttributeChange::kModified, change.modified_ns));
    TRY_VALUE(const Attributes now, attributes(found.place));
    if (now.owner != session.user.user) {
        if (!is_now) {
            return Error::NotPermitted;
        }
        TRY(session.user.check(now, User::kWrite));
    }
    if (mounts_.is_read_only(found.place)) {
        return Error::ReadOnly;
    }
    return mounts_.files(found.place).set_attributes(found.place.node, change);
}

/// `kept` is a directory that the session uses.
Result<void> Vfs::replace(Place& kept, Place by) {
    TRY(uses_.take(by));
    uses_.release(kept);
    kept = by;
    return {};
}

Result<void> Vfs::change_directory(Session& session, Path path) {
    TRY_VALUE(const Found found, find_existing(session, path, Walk::Link::Follow));
    if (found.kind != Kind::Directory) {
        return Error::NotADirectory;
    }
    TRY_VALUE(const Attributes now, attributes(found.place));
    TRY(session.user.check(now, User::kSearch));
    return replace(session.directory, found.place);
}

Result<void> Vfs::change_root(Session& session, Path path) {
    TRY_VALUE(const Found found, find_existing(session, path, Walk::Link::Follow));
    if (found.kind != Kind::Directory) {
        return Error::NotADirectory;
    }
    TRY_VALUE(const Attributes now, attributes(found.place));
    TRY(session.user.check(now, User::kSearch));
    TRY(replace(session.root, found.place));
    return replace(session.directory, found.place);
}

Result<std::string_view> Vfs::working_directory(Session& session, std::span<char> room) {
    u64 begin = room.size();
    Place at = session.directory;
    while (at != session.root) {
        const Place below = mounts_.leave(at);
        TRY_VALUE(const Node above, mounts_.files(below).lookup(below.node, ".."));
        if (above == below.node) {
            return Error::NoEntry;
        }
        TRY_VALUE(const Attributes own, attributes(below));
        NameOf name{own.number};
        for (u64 cursor = 0; name.name().empty();) {
            TRY_VALUE(const u64 next, mounts_.files(below).readdir(above, cursor, name));
            if (next == cursor && name.name().empty()) {
                return Error::NoEntry;
            }
            cursor = next;
        }
        if (name.name().size() + 1 > begin) {
            return Error::NameTooLong;
        }
        begin -= name.name().size();
        std::memcpy(room.data() + begin, name.name().data(), name.name().size());
        room[--begin] = '/';
        at = mounts_.enter({below.mount, above});
    }
    if (begin == room.size()) {
        room[--begin] = '/';
    }
    return std::string_view{room.data() + begin, room.size() - begin};
}

}  // namespace svc::vfs
