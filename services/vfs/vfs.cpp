// SPDX-License-Identifier: Apache-2.0
// Sessions and mounts.
#include <services/vfs/vfs.hpp>

namespace svc::vfs {

Session* Vfs::find_session(u64 sid) {
    for (Session& session : sessions_) {
        if (session.sid == sid && sid != 0) {
            return &session;
        }
    }
    return nullptr;
}

Result<void> Vfs::begin_session(u64 sid, std::span<u8> buffer) {
    if (find_session(sid) != nullptr) {
        return Error::Exists;
    }
    if (mounts_.all()[0].files == nullptr) {
        return Error::NoDevice;
    }
    for (Session& session : sessions_) {
        if (session.sid == 0) {
            const Place root = mounts_.root();
            TRY(uses_.take(root));
            TRY(uses_.take(root));  // once as its root, once as its working directory: cannot fail
            session = {.sid = sid, .root = root, .directory = root, .buffer = buffer};
            return {};
        }
    }
    return Error::TableFull;
}

void Vfs::end_session(Session& session) {
    for (u32 number = 0; number < OpenFiles::kMost; ++number) {
        (void)close(session, static_cast<s32>(number));  // BadFile: not its own
    }
    uses_.release(session.root);
    uses_.release(session.directory);
    session = {};
}

Result<void> Vfs::mount(std::string_view target, const Mount& mount) {
    Mount made = mount;
    made.target = Text<127>{target};
    if (mounts_.all()[0].files == nullptr) {
        made.covered = {0, mount.files->root()};
        TRY(mounts_.add(made));
        return {};
    }
    // The owner of everything, whoever asks: who may mount is not a question of permissions.
    Walk walk{mounts_, mounts_.root(), User{}};
    TRY_VALUE(const Found found, walk.find(mounts_.root(), target, Walk::Link::Follow));
    if (found.kind != Kind::Directory) {
        return found.place.is_somewhere() ? Error::NotADirectory : Error::NoEntry;
    }
    made.covered = found.place;
    TRY(uses_.take(found.place));
    const auto added = mounts_.add(made);
    if (!added.ok()) {
        uses_.release(found.place);
        return added.status();
    }
    return {};
}

Result<FileSystem*> Vfs::unmount(std::string_view target) {
    Walk walk{mounts_, mounts_.root(), User{}};
    TRY_VALUE(const Found found, walk.find(mounts_.root(), target, Walk::Link::Follow));
    const Place root = found.place;
    if (!root.is_somewhere() || root.node != mounts_.files(root).root()) {
        return Error::Invalid;
    }
    if (root.mount == 0 || uses_.is_mount_used(root.mount)) {
        return Error::Busy;
    }
    FileSystem& files = mounts_.files(root);
    TRY(files.sync());
    const Place covered = mounts_.all()[root.mount].covered;
    mounts_.remove(root.mount);
    uses_.release(covered);
    return &files;
}

Result<void> Vfs::sync() {
    Result<void> result{};
    for (const Mount& mount : mounts_.all()) {
        if (mount.files == nullptr) {
            continue;
        }
        if (const auto one = mount.files->sync(); !one.ok() && result.ok()) {
            result = one;
        }
    }
    return result;
}

}  // namespace svc::vfs
