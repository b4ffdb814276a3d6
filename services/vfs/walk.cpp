// SPDX-License-Identifier: Apache-2.0
#include <cstring>
#include <services/vfs/walk.hpp>

namespace svc::vfs {

namespace {

std::string_view skip_slashes(std::string_view path) {
    while (!path.empty() && path.front() == '/') {
        path.remove_prefix(1);
    }
    return path;
}

}  // namespace

Result<void> User::check(const Attributes& attributes, u32 wanted) const {
    const u32 shift = attributes.owner == user ? 6 : attributes.group == group ? 3 : 0;
    return ((u32{attributes.mode} >> shift) & wanted) == wanted ? Result<void>{} : Error::Access;
}

Result<void> Walk::check_search(Place directory) {
    TRY_VALUE(const Attributes attributes, mounts_.files(directory).stat(directory.node));
    if (attributes.kind != Kind::Directory) {
        return Error::NotADirectory;
    }
    return user_.check(attributes, User::kSearch);
}

Result<Kind> Walk::kind_of(Place place) const {
    TRY_VALUE(const Attributes attributes, mounts_.files(place).stat(place.node));
    return attributes.kind;
}

Result<Place> Walk::parent(Place place) {
    if (place == root_) {
        return place;
    }
    place = mounts_.leave(place);
    TRY_VALUE(const Node above, mounts_.files(place).lookup(place.node, ".."));
    return mounts_.enter({place.mount, above});
}

Result<std::string_view> Walk::expand(Place link, std::string_view rest) {
    if (++links_ > kMaxLinks) {
        return Error::TooManyLevels;
    }
    char* const text = texts_[written_];
    const std::span<u8> room{static_cast<u8*>(static_cast<void*>(text)), kPathBytes};
    TRY_VALUE(u64 end, mounts_.files(link).read(link.node, 0, room));
    if (end == 0) {
        return Error::NoEntry;
    }
    if (end + 1 + rest.size() > kPathBytes) {
        return Error::NameTooLong;
    }
    if (!rest.empty()) {
        text[end++] = '/';
        std::memcpy(text + end, rest.data(), rest.size());
        end += rest.size();
    }
    written_ ^= 1;
    return std::string_view{text, end};
}

Result<Found> Walk::find(Place start, std::string_view path, Link link) {
    Place at = path.starts_with('/') ? root_ : start;
    path = skip_slashes(path);
    while (!path.empty()) {
        const std::string_view name = path.substr(0, path.find('/'));
        std::string_view rest = path;
        rest.remove_prefix(name.size());
        path = skip_slashes(rest);
        TRY(check_search(at));
        if (name == ".") {
            continue;
        }
        if (name == "..") {
            TRY_VALUE(at, parent(at));
            continue;
        }
        const auto child = mounts_.files(at).lookup(at.node, name);
        if (!child.ok()) {
            if (child.status() == Error::NoEntry && path.empty()) {
                return Found{.directory = at, .name = name, .wants_directory = !rest.empty()};
            }
            return child.status();
        }
        const Place place = mounts_.enter({at.mount, child.value()});
        TRY_VALUE(const Kind kind, kind_of(place));
        if (kind == Kind::SymbolicLink && (!rest.empty() || link == Link::Follow)) {
            TRY_VALUE(const std::string_view target, expand(place, rest));
            at = target.starts_with('/') ? root_ : at;
            path = skip_slashes(target);
            continue;
        }
        if (!rest.empty() && kind != Kind::Directory) {
            return Error::NotADirectory;
        }
        if (path.empty()) {
            return Found{.directory = at,
                         .name = name,
                         .place = place,
                         .kind = kind,
                         .wants_directory = !rest.empty()};
        }
        at = place;
    }
    TRY_VALUE(const Kind kind, kind_of(at));
    return Found{.directory = at, .place = at, .kind = kind};
}

}  // namespace svc::vfs
