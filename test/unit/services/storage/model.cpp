// SPDX-License-Identifier: Apache-2.0
#include "model.hpp"

#include <algorithm>
#include <functional>
#include <stdexcept>

namespace test_storage {

namespace {

std::string line(const std::string& path, Kind kind, u16 mode, u32 links, const std::string& text) {
    return path + " " + std::to_string(static_cast<int>(kind)) + " " + std::to_string(mode) + " " +
           std::to_string(links) + " " + std::to_string(text.size()) + " " +
           std::to_string(std::hash<std::string>{}(text)) + "\n";
}

void model_text(const Model& model, int number, const std::string& path, std::string& out) {
    const ModelNode& node = model.nodes.at(number);
    out += line(path, node.kind, node.mode, node.links, node.content);
    for (const auto& [name, child] : node.entries) {
        model_text(model, child, path + "/" + name, out);
    }
}

class Names final : public Listing {
public:
    Answer add(const DirectoryEntry& entry) override {
        names.emplace_back(entry.name);
        return Answer::Taken;
    }

    std::vector<std::string> names;
};

std::string read_all(FileSystem& fs, Node node, u64 size) {
    std::string content(std::min<u64>(size, 1u << 20), '?');
    void* const at = content.data();
    const auto got = fs.read(node, 0, {static_cast<u8*>(at), content.size()});
    if (!got.ok()) {
        return "error " + std::to_string(static_cast<u32>(got.status()));
    }
    content.resize(got.value());
    return content;
}

void fs_text(FileSystem& fs, Node node, const std::string& path, u32 depth, std::string& out) {
    const auto stat = fs.stat(node);
    if (!stat.ok() || depth > 64) {
        out += path + " error " + std::to_string(static_cast<u32>(stat.status())) + "\n";
        return;
    }
    const Attributes& a = stat.value();
    const bool is_directory = a.kind == Kind::Directory;
    out += line(path, a.kind, a.mode, a.links, is_directory ? "" : read_all(fs, node, a.size));
    if (!is_directory) {
        return;
    }
    Names names;
    if (const auto listed = fs.readdir(node, 0, names); !listed.ok()) {
        out += path + " error in readdir\n";
    }
    std::ranges::sort(names.names);
    for (const auto& name : names.names) {
        const auto child = fs.lookup(node, name);
        if (child.ok()) {
            fs_text(fs, child.value(), path + "/" + name, depth + 1, out);
        } else {
            out += path + "/" + name + " error in lookup\n";
        }
    }
}

std::span<const u8> bytes_of(const std::string& text) {
    const void* const at = text.data();
    return {static_cast<const u8*>(at), text.size()};
}

}  // namespace

std::string Model::text() const {
    std::string out;
    model_text(*this, 0, "", out);
    return out;
}

std::string text_of(FileSystem& fs) {
    std::string out;
    fs_text(fs, fs.root(), "", 0, out);
    return out;
}

int Player::pick(Kind kind) {
    std::vector<int> found;
    for (const auto& [number, node] : model.nodes) {
        if (node.kind == kind) {
            found.push_back(number);
        }
    }
    return found.empty() ? -1 : found[below(static_cast<u32>(found.size()))];
}

std::string Player::pick_name(const ModelNode& directory, bool existing) {
    if (existing && !directory.entries.empty()) {
        const u32 skip = below(static_cast<u32>(directory.entries.size()));
        return std::next(directory.entries.begin(), skip)->first;
    }
    const u32 number = below(400);
    return "n" + std::to_string(number) + std::string(number % 7 * 9, 'x');
}

Player::Did Player::finish(Error error) {
    if (error == Error::None) {
        return Did::Changed;
    }
    if (error == Error::NoSpace || error == Error::Quota) {
        ++refused_for_space;
        return Did::Refused;
    }
    if (may_fail && (error == Error::Io || error == Error::ReadOnly)) {
        has_failed = true;
        return Did::Refused;
    }
    throw std::runtime_error("error " + std::to_string(static_cast<u32>(error)));
}

Player::Did Player::expect(Error got, Error wanted, const char* what) {
    if (got == wanted) {
        return Did::Refused;
    }
    if (may_fail && got == Error::Io) {
        has_failed = true;
        return Did::Refused;
    }
    throw std::runtime_error(std::string(what) + ": error " +
                             std::to_string(static_cast<u32>(got)));
}

Player::Did Player::create(Kind kind) {
    if (mix_.is_plain && kind == Kind::SymbolicLink) {
        return create(Kind::File);
    }
    const int parent = pick(Kind::Directory);
    auto& directory = model.nodes[parent];
    const std::string name = pick_name(directory, below(10) == 0);
    const std::string target = "to/" + std::string(below(300), 't');
    const NewNode what{.kind = kind,
                       .mode = static_cast<u16>(mix_.is_plain ? 0755 : below(0777)),
                       .target = kind == Kind::SymbolicLink ? target : std::string_view{}};
    const auto made = fs_->create(directory.node, name, what);
    if (directory.entries.contains(name)) {
        return expect(made.status(), Error::Exists, "create");
    }
    if (made.ok()) {
        const int number = model.next++;
        directory.entries[name] = number;
        model.nodes[number] = {.kind = kind,
                               .mode = what.mode,
                               .content = std::string(what.target),
                               .node = made.value(),
                               .parent = parent};
    }
    return finish(made.status());
}

Player::Did Player::write(u32 most, bool at_end) {
    const int number = pick(Kind::File);
    if (number < 0) {
        return create(Kind::File);
    }
    ModelNode& file = model.nodes[number];
    u64 offset = at_end ? file.content.size() : below(mix_.max_offset);
    u32 size = 1 + below(most);
    if (below(3) == 0 && !at_end) {
        offset = offset / kMaxNameBytes * 4096 % mix_.max_offset;
        size = (size + 4095) / 4096 * 4096;
    }
    std::string data(size, ' ');
    for (char& c : data) {
        c = static_cast<char>(random_());
    }
    const auto written = fs_->write(file.node, offset, bytes_of(data));
    if (written.ok()) {
        const u64 done = written.value();
        if (done < size) {
            ++refused_for_space;
            has_failed = has_failed || may_fail;
        }
        file.content.resize(std::max<u64>(file.content.size(), offset + done));
        file.content.replace(offset, done, data, 0, done);
    }
    return finish(written.status());
}

Player::Did Player::truncate() {
    const int number = pick(Kind::File);
    if (number < 0) {
        return create(Kind::File);
    }
    ModelNode& file = model.nodes[number];
    const u64 size = below(4) == 0 ? 0 : below(mix_.max_offset);
    const Error error = fs_->truncate(file.node, size).status();
    if (error == Error::None) {
        file.content.resize(size);
    }
    return finish(error);
}

void Player::drop(int number) {
    ModelNode& node = model.nodes[number];
    if (--node.links == 0) {
        model.nodes.erase(number);
    }
}

void Player::removed(Node node, Error& error) {
    if (node == Node{}) {
        return;
    }
    if (below(100) < mix_.keeps_open) {
        kept_.push_back(node);
        return;
    }
    error = fs_->forget(node).status();
    if (kept_.size() > 4) {
        forget_all();
    }
}

void Player::forget_all() {
    for (const Node node : kept_) {
        const Error error = fs_->forget(node).status();
        if (error != Error::None && !may_fail) {
            throw std::runtime_error("forget");
        }
    }
    kept_.clear();
}

Player::Did Player::unlink() {
    const int parent = pick(Kind::Directory);
    auto& directory = model.nodes[parent];
    const std::string name = pick_name(directory, below(10) != 0);
    const bool exists = directory.entries.contains(name);
    const int number = exists ? directory.entries[name] : -1;
    const Kind kind = exists ? model.nodes[number].kind : Kind::File;
    const auto done = fs_->unlink(directory.node, name, kind);
    if (!exists) {
        return expect(done.status(), Error::NoEntry, "unlink");
    }
    if (!model.nodes[number].entries.empty()) {
        return expect(done.status(), Error::NotEmpty, "unlink");
    }
    Error error = done.status();
    if (done.ok()) {
        directory.entries.erase(name);
        drop(number);
        removed(done.value(), error);
    }
    return finish(error);
}

bool Player::is_below(int node, int ancestor) const {
    while (node != 0 && node != ancestor) {
        node = model.nodes.at(node).parent;
    }
    return node == ancestor;
}

Player::Did Player::rename() {
    const int from = pick(Kind::Directory);
    const int to = pick(Kind::Directory);
    const std::string name = pick_name(model.nodes[from], true);
    const std::string new_name = pick_name(model.nodes[to], below(2) == 0);
    const auto done = fs_->rename(model.nodes[from].node, name, model.nodes[to].node, new_name);
    auto& source = model.nodes[from].entries;
    auto& target = model.nodes[to].entries;
    if (!source.contains(name)) {
        return expect(done.status(), Error::NoEntry, "rename");
    }
    const int moved = source[name];
    const bool is_directory = model.nodes[moved].kind == Kind::Directory;
    if (is_directory && is_below(to, moved)) {
        return expect(done.status(), Error::Invalid, "rename");
    }
    if (target.contains(new_name) && target[new_name] != moved) {
        const ModelNode& replaced = model.nodes[target[new_name]];
        if ((replaced.kind == Kind::Directory) != is_directory) {
            const Error wanted = is_directory ? Error::NotADirectory : Error::IsADirectory;
            return expect(done.status(), wanted, "rename");
        }
        if (!replaced.entries.empty()) {
            return expect(done.status(), Error::NotEmpty, "rename");
        }
    }
    Error error = done.status();
    if (done.ok() && !(target.contains(new_name) && target[new_name] == moved)) {
        if (target.contains(new_name)) {
            drop(target[new_name]);
        }
        source.erase(name);
        target[new_name] = moved;
        model.nodes[moved].parent = is_directory ? to : model.nodes[moved].parent;
        removed(done.value(), error);
    }
    return finish(error);
}

Player::Did Player::link() {
    const int file = mix_.is_plain ? -1 : pick(Kind::File);
    if (file < 0) {
        return create(Kind::File);
    }
    auto& directory = model.nodes[pick(Kind::Directory)];
    const std::string name = pick_name(directory, false);
    const Error error = fs_->link(directory.node, name, model.nodes[file].node).status();
    if (directory.entries.contains(name)) {
        return expect(error, Error::Exists, "link");
    }
    if (error == Error::None) {
        directory.entries[name] = file;
        ++model.nodes[file].links;
    }
    return finish(error);
}

Player::Did Player::chmod() {
    if (mix_.is_plain) {
        return read();
    }
    const int number = pick(below(2) == 0 ? Kind::File : Kind::Directory);
    if (number < 0) {
        return Did::Refused;
    }
    const AttributeChange change{.set = AttributeChange::kMode,
                                 .mode = static_cast<u16>(below(0777))};
    const Error error = fs_->set_attributes(model.nodes[number].node, change).status();
    if (error == Error::None) {
        model.nodes[number].mode = change.mode;
    }
    return finish(error);
}

Player::Did Player::read() {
    const int number = pick(Kind::File);
    if (number < 0) {
        return Did::Refused;
    }
    const ModelNode& file = model.nodes[number];
    const u64 offset = below(mix_.max_offset);
    Bytes data(1 + below(mix_.max_write));
    const auto got = fs_->read(file.node, offset, data);
    if (!got.ok()) {
        return finish(got.status());
    }
    const u64 left = offset < file.content.size() ? file.content.size() - offset : 0;
    const u64 wanted = std::min<u64>(left, data.size());
    const auto content = bytes_of(file.content);
    const bool is_short = may_fail && got.value() > 0 && got.value() < wanted;
    if ((got.value() != wanted && !is_short) ||
        !std::equal(data.begin(),
                    data.begin() + static_cast<long>(got.value()),
                    content.begin() + static_cast<long>(left > 0 ? offset : 0))) {
        throw std::runtime_error("read: wrong bytes");
    }
    return Did::Refused;
}

Player::Did Player::play() {
    if (below(mix_.sync_in) == 0) {
        const Error error = fs_->sync().status();
        return error == Error::None ? Did::Synced : finish(error);
    }
    if (below(100) < mix_.small_appends) {
        return write(150, true);
    }
    switch (below(16)) {
    case 0:
    case 1:
    case 2:
        return create(Kind::File);
    case 3:
        return create(below(3) == 0 ? Kind::SymbolicLink : Kind::Directory);
    case 4:
    case 5:
    case 6:
        return write(mix_.max_write, false);
    case 7:
        return write(mix_.max_write, true);
    case 8:
        return truncate();
    case 9:
    case 10:
        return unlink();
    case 11:
    case 12:
        return rename();
    case 13:
        return link();
    case 14:
        return chmod();
    default:
        return read();
    }
}

void Player::play(u32 count, const std::function<void()>& check) {
    for (u32 i = 1; i <= count; ++i) {
        try {
            play();
        } catch (const std::runtime_error& error) {
            throw std::runtime_error("operation " + std::to_string(i) + ": " + error.what());
        }
        if (i % 250 == 0) {
            if (text_of(*fs_) != model.text()) {
                throw std::runtime_error("not the same after operation " + std::to_string(i));
            }
            check();
        }
    }
}

}  // namespace test_storage
