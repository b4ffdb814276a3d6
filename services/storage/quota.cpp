// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <cstring>
#include <services/storage/names.hpp>
#include <services/storage/quota.hpp>

namespace svc::storage {

namespace {

constexpr u64 kBlock = 4096;
constexpr u64 kMinNodeBytes = 32;
constexpr u64 kMaxDepth = u64{1} << 20;  // so that a circle in a damaged file system ends

constexpr u64 rounded(u64 size) {
    return size / kBlock * kBlock + (size % kBlock == 0 ? 0 : kBlock);
}

/// Takes one entry.
class OneEntry final : public Listing {
public:
    Answer add(const DirectoryEntry& entry) override {
        if (has_one) {
            return Answer::Full;
        }
        has_one = true;
        size = entry.name.size();
        std::memcpy(name.data(), entry.name.data(), std::min(size, name.size()));
        return Answer::Taken;
    }

    bool has_one = false;
    u64 size = 0;
    std::array<char, kMaxNameBytes> name{};
};

/// Looks for the entry of a node.
class FindNumber final : public Listing {
public:
    explicit FindNumber(u64 number) : number_(number) {}

    Answer add(const DirectoryEntry& entry) override {
        if (found) {
            return Answer::Full;
        }
        found = entry.number == number_;
        return Answer::Taken;
    }

    bool found = false;

private:
    u64 number_;
};

/// Goes through a tree without recursion. Up again it goes by ".."; where to go on there is
/// remembered for some levels, and looked for in deeper ones.
class Walk final {
public:
    Walk(FileSystem& fs, Node root) : fs_(fs), at_(root) {}

    /// The next node below the root; none at the end.
    Result<Node> next() {
        while (true) {
            OneEntry one;
            TRY_VALUE(cursor_, fs_.readdir(at_, cursor_, one));
            if (!one.has_one) {
                if (depth_ == 0) {
                    return Node{};
                }
                TRY(go_up());
                continue;
            }
            TRY_VALUE(const Node node, fs_.lookup(at_, {one.name.data(), one.size}));
            TRY_VALUE(const Attributes attributes, fs_.stat(node));
            if (attributes.kind == Kind::Directory) {
                go_down(node);
            }
            return node;
        }
    }

private:
    void go_down(Node node) {
        if (depth_ < cursors_.size()) {
            cursors_[depth_] = cursor_;
        }
        ++depth_;
        at_ = node;
        cursor_ = 0;
    }

    Result<void> go_up() {
        TRY_VALUE(const Attributes left, fs_.stat(at_));
        TRY_VALUE(at_, fs_.lookup(at_, ".."));
        --depth_;
        if (depth_ < cursors_.size()) {
            cursor_ = cursors_[depth_];
            return {};
        }
        FindNumber find{left.number};
        TRY_VALUE(cursor_, fs_.readdir(at_, 0, find));
        return find.found ? Error::None : Error::Damaged;
    }

    FileSystem& fs_;
    Node at_;
    u64 cursor_ = 0;
    u64 depth_ = 0;
    std::array<u64, 32> cursors_{};
};

/// Numbers that were seen, by hashing with open addressing. 0 is a free place.
class Seen final {
public:
    explicit Seen(std::span<u64> places) : places_(places) { std::ranges::fill(places, 0); }

    /// Whether it is new. Errors: NoMemory.
    Result<bool> add(u64 number) {
        for (u64 i = 0; i < places_.size(); ++i) {
            const u64 start = (number * 0x9e37'79b9'7f4a'7c15) >> 20;
            u64& place = places_[(start + i) % places_.size()];
            if (place == 0 || place == number + 1) {
                const bool is_new = place == 0;
                place = number + 1;
                return is_new;
            }
        }
        return Error::NoMemory;
    }

private:
    std::span<u64> places_;
};

}  // namespace

Result<void> QuotaFs::begin(std::span<u64> scratch) {
    used_ = {};
    TRY_VALUE(const Usage usage, fs_.statfs());
    const u64 most = usage.blocks * usage.block_bytes / kMinNodeBytes;
    Walk walk{fs_, root_};
    Seen seen{scratch};
    for (u64 count = 0; count <= most; ++count) {
        TRY_VALUE(const Node node, walk.next());
        if (node == Node{}) {
            return {};
        }
        TRY_VALUE(const Attributes found, fs_.stat(node));
        const bool is_directory = found.kind == Kind::Directory;
        if (!is_directory && found.links > 1) {
            TRY_VALUE(const bool is_new, seen.add(found.number));
            if (!is_new) {
                continue;
            }
        }
        ++used_.nodes;
        used_.bytes += is_directory ? 0 : rounded(found.size);
    }
    return Error::Damaged;
}

Result<void> QuotaFs::check_inside(Node directory) {
    for (u64 depth = 0; depth <= kMaxDepth; ++depth) {
        if (directory == root_) {
            return {};
        }
        if (directory == fs_.root()) {
            return Error::CrossDevice;
        }
        const auto parent = fs_.lookup(directory, "..");
        if (parent.status() == Error::NoEntry) {
            return {};  // it was removed, and takes no names
        }
        TRY(parent);
        directory = parent.value();
    }
    return Error::Damaged;
}

u64 QuotaFs::end_limit(u64 size) const {
    const u64 most = limits_.bytes == 0 ? ~u64{0} : limits_.bytes / kBlock * kBlock;
    const u64 others = used_.bytes - std::min(used_.bytes, rounded(size));
    return std::max(rounded(size), most - std::min(most, others));
}

void QuotaFs::resized(u64 before, u64 after) {
    used_.bytes += rounded(after);
    used_.bytes -= std::min(used_.bytes, rounded(before));
}

Result<Node> QuotaFs::lookup(Node directory, std::string_view name) {
    const bool is_above = directory == root_ && name == "..";
    return fs_.lookup(directory, is_above ? std::string_view{"."} : name);
}

Result<Node> QuotaFs::create(Node directory, std::string_view name, const NewNode& what) {
    TRY(check_new_name(name));
    const u64 size = what.kind == Kind::SymbolicLink ? what.target.size() : 0;
    const bool fits = limits_.nodes == 0 || used_.nodes < limits_.nodes;
    if (!fits || size > end_limit(0)) {
        const auto found = fs_.lookup(directory, name);
        if (found.status() != Error::NoEntry) {
            return found.ok() ? Error::Exists : found.status();
        }
        return Error::Quota;
    }
    TRY_VALUE(const Node node, fs_.create(directory, name, what));
    ++used_.nodes;
    resized(0, size);
    return node;
}

Result<void> QuotaFs::link(Node directory, std::string_view name, Node file) {
    TRY(check_name(name));
    TRY(check_inside(directory));
    return fs_.link(directory, name, file);
}

Result<Node> QuotaFs::unlink(Node directory, std::string_view name, Kind kind) {
    return fs_.unlink(directory, name, kind);
}

Result<Node> QuotaFs::rename(Node from, std::string_view name, Node to, std::string_view new_name) {
    TRY(check_name(name));
    TRY(check_inside(from));
    TRY(check_inside(to));
    return fs_.rename(from, name, to, new_name);
}

Result<u64> QuotaFs::write(Node file, u64 offset, std::span<const u8> data) {
    TRY_VALUE(const Attributes before, fs_.stat(file));
    const u64 limit = end_limit(before.size);
    if (before.kind == Kind::File && !data.empty() && offset >= limit) {
        return Error::Quota;
    }
    data = data.first(std::min<u64>(data.size(), limit - std::min(limit, offset)));
    TRY_VALUE(const u64 done, fs_.write(file, offset, data));
    if (done > 0 && before.kind == Kind::File) {
        resized(before.size, std::max(before.size, offset + done));
    }
    return done;
}

Result<void> QuotaFs::truncate(Node file, u64 size) {
    TRY_VALUE(const Attributes before, fs_.stat(file));
    if (before.kind == Kind::File && size > before.size && size > end_limit(before.size)) {
        return Error::Quota;
    }
    TRY(fs_.truncate(file, size));
    if (before.kind == Kind::File) {
        resized(before.size, size);
    }
    return {};
}

Result<Usage> QuotaFs::statfs() {
    TRY_VALUE(Usage usage, fs_.statfs());
    const auto in_blocks = [&](u64 blocks) { return blocks * usage.block_bytes / kBlock; };
    const u64 limit = limits_.bytes / kBlock;
    const u64 left = limit - std::min(limit, used_.bytes / kBlock);
    const auto bounded = [&](u64 blocks, u64 most) {
        return limits_.bytes == 0 ? in_blocks(blocks) : std::min(in_blocks(blocks), most);
    };
    usage.blocks = bounded(usage.blocks, limit);
    usage.free_blocks = bounded(usage.free_blocks, left);
    usage.available_blocks = bounded(usage.available_blocks, left);
    usage.block_bytes = static_cast<u32>(kBlock);
    return usage;
}

Result<void> QuotaFs::forget(Node node) {
    TRY_VALUE(const Attributes last, fs_.stat(node));
    TRY(fs_.forget(node));
    if (last.links == 0) {
        used_.nodes -= std::min<u64>(used_.nodes, 1);
        resized(last.kind == Kind::Directory ? 0 : last.size, 0);
    }
    return {};
}

}  // namespace svc::storage
