// SPDX-License-Identifier: Apache-2.0
// Names as they are made, removed and moved. Each operation first looks at everything and makes
// room, then changes.
#include <algorithm>
#include <bit>
#include <services/storage/fat/fat.hpp>

namespace svc::storage::fat {

namespace {

constexpr std::array<u8, kUnitsPerEntry> kUnitAt{1, 3, 5, 7, 9, 14, 16, 18, 20, 22, 24, 28, 30};
constexpr s64 kHundredth = 10'000'000;
constexpr s64 kDay = 86400ll * 1'000'000'000;
constexpr u32 kAttempts = 64;

/// Part `number`, from 1, of `count` parts of a long name.
Entry long_entry(const LongName& name, u32 number, u32 count, u8 checksum) {
    Entry entry;
    entry.raw[0] = static_cast<u8>(number | (number == count ? kLastLong : 0));
    entry.raw[11] = kLongName;
    entry.raw[13] = checksum;
    for (u32 i = 0; i < kUnitsPerEntry; ++i) {
        const u32 at = (number - 1) * kUnitsPerEntry + i;
        const u32 unit = at < name.count ? name.units[at] : at == name.count ? 0 : 0xffff;
        store16(&entry.raw[kUnitAt[i]], unit);
    }
    return entry;
}

/// What a directory is called in itself, and its parent.
Entry dot_entry(const Entry& from, std::string_view name, u32 cluster) {
    Entry entry = from;
    std::memset(entry.raw.data(), ' ', kShortBytes);
    std::memcpy(entry.raw.data(), name.data(), name.size());
    entry.raw[12] = 0;
    entry.set_cluster(cluster);
    return entry;
}

}  // namespace

s64 Fat::new_time() {
    return std::max({clock_.now_ns(), newest_vacated_ns_ + kHundredth, kFirstTimeNs});
}

/// A place is given up: no entry of this time of creation may come there again.
void Fat::vacate(const Entry& entry) {
    first_vacated_ = std::min(first_vacated_, entry.created());
    last_vacated_ = std::max(last_vacated_, entry.created());
    const s64 ns = entry.created_ns();
    if (ns < new_time() + kDay) {  // others may have written any time
        newest_vacated_ns_ = std::max(newest_vacated_ns_, ns);
    }
}

/// An entry that comes to another place must not make an old node of that place true, and if its
/// old one goes in another write, the newer of the two must be known.
void Fat::renew(Entry& entry, u64 from, u64 to) {
    const bool is_known = entry.created() >= first_vacated_ && entry.created() <= last_vacated_;
    if (is_known || !in_one_block(from, to)) {
        entry.set_created_ns(std::max(new_time(), entry.created_ns() + kHundredth));
    }
}

Result<void> Fat::choose_alias(u32 directory, const LongName& name, u32 taken, Spot& spot) {
    const ShortName basis = spot.alias;
    const u32 number = static_cast<u32>(std::countr_one(taken | 1));
    if (number < 10) {
        spot.alias = basis.numbered(number, name);
        return {};
    }
    for (u32 attempt = 10; attempt < 10 + kAttempts; ++attempt) {
        spot.alias = basis.numbered(attempt, name);
        Walk entries = walk(directory);
        bool is_taken = false;
        while (!is_taken) {
            TRY_VALUE(const bool is_there, entries.next());
            if (!is_there) {
                return {};
            }
            is_taken = std::equal(spot.alias.bytes.begin(),
                                  spot.alias.bytes.end(),
                                  entries.found().entry.raw.begin());
        }
    }
    return Error::NoSpace;
}

Result<Fat::Spot> Fat::find_spot(u32 directory, const LongName& name, const Found* ignored) {
    Spot spot{.alias = ShortName::of(name)};
    const u32 parts = (name.count + kUnitsPerEntry - 1) / kUnitsPerEntry;
    spot.entries = 1 + (spot.alias.is_whole ? 0 : parts);
    std::array<ShortName, 10> numbered;
    for (u32 i = 1; i < 10; ++i) {
        numbered[i] = spot.alias.numbered(i, name);
    }
    Gaps gaps{spot.entries, block_entries()};
    Walk entries = walk(directory);
    entries.note_gaps(&gaps);
    u32 taken = 0;
    while (true) {
        TRY_VALUE(const bool is_there, entries.next());
        if (!is_there) {
            break;
        }
        const Found& found = entries.found();
        const bool is_ignored = ignored != nullptr && ignored->at == found.at;
        if (!is_ignored &&
            (equal_folded(entries.long_name(), name.view()) || equals_short(found.entry, name))) {
            return Error::Exists;
        }
        for (u32 i = 1; i < 10 && !spot.alias.fits; ++i) {
            const auto& bytes = numbered[i].bytes;
            taken |= std::equal(bytes.begin(), bytes.end(), found.entry.raw.begin()) ? 1u << i : 0;
        }
    }
    if (!spot.alias.fits) {
        TRY(choose_alias(directory, name, taken, spot));
    }
    TRY(find_place(directory, entries, gaps, spot));
    return spot;
}

Result<void> Fat::find_place(u32 directory, Walk& entries, Gaps& gaps, Spot& spot) {
    spot.end = entries.end();
    const u32 limit = spot.end + spot.entries + block_entries();
    for (u32 index = spot.end; index < limit && !gaps.is_done(); ++index) {
        const auto at = entries.place(index);
        if (at.status() != Error::NoEntry) {
            TRY(at);
            gaps.add(index);
            continue;
        }
        if (gaps.place() != Gaps::kNone) {
            break;
        }
        TRY(begin_change());
        TRY(grow(directory));
        --index;
    }
    spot.begin = gaps.place();
    return spot.begin == Gaps::kNone ? Error::NoSpace : Error::None;
}

Result<void> Fat::grow(u32 directory) {
    if (directory == 0) {
        return Error::NoSpace;
    }
    TRY_VALUE(const u64 bytes, directory_bytes({.entry = dot_entry({}, ".", directory)}));
    if (bytes >= u64{kMaxEntries} * kEntryBytes) {
        return Error::NoSpace;
    }
    const u32 count = static_cast<u32>(bytes / volume_.cluster_bytes);
    TRY_VALUE(const Run last, table_.locate(directory, count - 1, 1));
    TRY_VALUE(const Run added, allocate(last.cluster + 1, 1));
    // Nothing but zeros may be seen there, so they are durable first.
    TRY(changed(cache_.zero(volume_.cluster_at(added.cluster), volume_.cluster_bytes)));
    TRY(changed(cache_.flush()));
    return changed(table_.set(last.cluster, added.cluster));
}

Result<u64> Fat::put_name(u32 directory, const Spot& spot, const LongName& name, Entry& entry) {
    Walk places = walk(directory);
    std::copy_n(spot.alias.bytes.begin(), kShortBytes, entry.raw.begin());
    entry.raw[12] = spot.alias.cases;
    const auto put = [&](u32 index, const Entry& what) -> Result<void> {
        TRY_VALUE(const u64 at, places.place(index));
        return store({.at = at, .entry = what});
    };
    for (u32 index = spot.end; index < spot.begin; ++index) {
        Entry unused;
        unused.raw[0] = kDeleted;
        TRY(put(index, unused));
    }
    const u8 checksum = short_checksum(entry.raw.data());
    const u32 parts = spot.entries - 1;
    for (u32 i = 0; i < parts; ++i) {
        TRY(put(spot.begin + i, long_entry(name, parts - i, parts, checksum)));
    }
    TRY(put(spot.begin + parts, entry));
    const u32 behind = spot.begin + spot.entries;
    if (behind > spot.end && places.place(behind).ok()) {
        TRY(put(behind, {}));  // what was there was never used, but need not be zero
    }
    return places.place(spot.begin + parts);
}

Result<void> Fat::erase(u32 directory, const Found& found) {
    Walk places = walk(directory);
    for (u32 index = found.begin; index <= found.index; ++index) {
        TRY_VALUE(const u64 at, places.place(index));
        if (in_one_block(at, found.at)) {
            TRY_VALUE(u8* const raw, cache_.change(at, Rank::Entry));
            raw[0] = kDeleted;
            continue;
        }
        // Were these gone first, a power cut would leave the file with its short name.
        Pending* const last = pending_count_ > 0 ? &pending_[pending_count_ - 1] : nullptr;
        if (last != nullptr && last->entries > 0 &&
            last->entries_at + u64{last->entries} * kEntryBytes == at) {
            ++last->entries;
        } else {
            pending_[pending_count_++] = {.entries_at = at, .entries = 1};
        }
    }
    return {};
}

Result<void> Fat::touch(Item& directory) {
    if (is_root(directory)) {
        return {};
    }
    directory.entry.set_modified_ns(clock_.now_ns());
    return store(directory);
}

Result<u32> Fat::make_directory(const Item& parent, const Entry& entry) {
    TRY_VALUE(const u32 above, cluster_of(parent));
    TRY_VALUE(const Run run, allocate(0, 1));
    const u64 at = volume_.cluster_at(run.cluster);
    TRY(changed(cache_.zero(at, volume_.cluster_bytes)));
    const std::array entries{dot_entry(entry, ".", run.cluster),
                             dot_entry(entry, "..", volume_.parent_mark(above))};
    for (u32 i = 0; i < entries.size(); ++i) {
        const auto raw = cache_.change(at + u64{i} * kEntryBytes, Rank::Table);
        if (!raw.ok()) {
            return changed(raw.status()).status();
        }
        std::memcpy(raw.value(), entries[i].raw.data(), kEntryBytes);
    }
    return u32{run.cluster};
}

Result<Node> Fat::create(Node directory, std::string_view name, const NewNode& what) {
    TRY_VALUE(Item parent, load_directory_to_change(directory, name));
    LongName long_name;
    if (what.kind == Kind::None || !long_name.assign(name) || !long_name.can_be_made()) {
        return Error::Invalid;
    }
    if (what.kind == Kind::SymbolicLink) {
        return Error::NotSupported;
    }
    if (parent.at == 0 && !is_root(parent)) {
        return Error::NoEntry;
    }
    TRY_VALUE(const u32 cluster, cluster_of(parent));
    TRY_VALUE(const Spot spot, find_spot(cluster, long_name, nullptr));
    TRY(begin_change());
    Entry entry;
    entry.set_created_ns(new_time());
    entry.set_modified_ns(clock_.now_ns());
    entry.set_accessed_ns(clock_.now_ns());
    const bool is_directory = what.kind == Kind::Directory;
    const bool is_fixed = (what.mode & 0200) == 0;
    entry.raw[11] =
        static_cast<u8>(is_directory ? kDirectoryBit : kArchiveBit | (is_fixed ? kReadOnlyBit : 0));
    if (is_directory) {
        TRY_VALUE(const u32 first, make_directory(parent, entry));
        entry.set_cluster(first);
    }
    const auto at = put_name(cluster, spot, long_name, entry);
    TRY(changed(at.status()));
    TRY(changed(touch(parent)));
    return nodes_.node_at(at.value(), entry);
}

Result<void> Fat::link(Node directory, std::string_view name, Node file) {
    TRY(load_directory_to_change(directory, name));
    TRY_VALUE(const Item item, load(file));
    return item.entry.is_directory() ? Error::IsADirectory : Error::NotSupported;
}

Result<Node> Fat::unlink(Node directory, std::string_view name, Kind kind) {
    TRY_VALUE(Item parent, load_directory_to_change(directory, name));
    LongName long_name;
    if (!long_name.assign(name)) {
        return Error::NoEntry;
    }
    TRY_VALUE(const u32 cluster, cluster_of(parent));
    TRY_VALUE(const Found found, find(cluster, long_name));
    const bool is_directory = found.entry.is_directory();
    if (is_directory != (kind == Kind::Directory)) {
        return is_directory ? Error::IsADirectory : Error::NotADirectory;
    }
    if (is_directory) {
        TRY_VALUE(const bool is_clear, is_empty(found.entry));
        if (!is_clear) {
            return Error::NotEmpty;
        }
    }
    if (!nodes_.has_room(1)) {
        return Error::NoMemory;
    }
    TRY(begin_change());
    const Node node = nodes_.node_at(found.at, found.entry);
    TRY(changed(erase(cluster, found)));
    TRY(changed(touch(parent)));
    nodes_.remove_name(found.at, found.entry);
    vacate(found.entry);
    return node;
}

Result<void> Fat::check_replacing(const Found& moved, const Found& replaced) {
    if (replaced.entry.is_directory() != moved.entry.is_directory()) {
        return moved.entry.is_directory() ? Error::NotADirectory : Error::IsADirectory;
    }
    if (!replaced.entry.is_directory()) {
        return {};
    }
    TRY_VALUE(const bool is_clear, is_empty(replaced.entry));
    return is_clear ? Error::None : Error::NotEmpty;
}

Result<Node> Fat::rename(Node from, std::string_view name, Node to, std::string_view new_name) {
    TRY_VALUE(Item source, load_directory_to_change(from, name));
    TRY_VALUE(Item target, load_directory_to_change(to, new_name));
    LongName old_long;
    LongName new_long;
    if (!old_long.assign(name)) {
        return Error::NoEntry;
    }
    if (!new_long.assign(new_name)) {
        return Error::Invalid;
    }
    TRY_VALUE(const u32 source_cluster, cluster_of(source));
    TRY_VALUE(const u32 target_cluster, cluster_of(target));
    TRY_VALUE(const Found moved, find(source_cluster, old_long));
    const bool is_directory = moved.entry.is_directory();
    if (is_directory && source_cluster != target_cluster) {
        TRY_VALUE(const bool is_inside, is_below(target_cluster, volume_.cluster_of(moved.entry)));
        if (is_inside) {
            return Error::Invalid;
        }
    }
    if (target.at == 0 && !is_root(target)) {
        return Error::NoEntry;
    }
    if (!nodes_.has_room(2)) {
        return Error::NoMemory;
    }
    const auto there = find(target_cluster, new_long);
    Node gone;
    if (there.ok() && there.value().at != moved.at) {
        TRY(check_replacing(moved, there.value()));
        TRY(begin_change());
        TRY_VALUE(gone, replace(source_cluster, moved, there.value()));
    } else if (there.ok() && name == new_name) {
        return Node{};
    } else if (there.ok() || there.status() == Error::NoEntry) {
        if (!new_long.can_be_made()) {
            return Error::Invalid;
        }
        TRY_VALUE(const Spot spot, find_spot(target_cluster, new_long, &moved));
        TRY(begin_change());
        TRY(changed(move(source_cluster, moved, target_cluster, spot, new_long)));
    } else {
        return there.status();
    }
    if (is_directory && source_cluster != target_cluster) {
        TRY(changed(set_parent(moved.entry, target_cluster)));
    }
    TRY(changed(touch(source)));
    if (source_cluster != target_cluster) {
        TRY(changed(touch(target)));
    }
    return gone;
}

Result<void> Fat::set_parent(const Entry& directory, u32 parent) {
    const u32 cluster = volume_.cluster_of(directory);
    if (!volume_.has(cluster)) {
        return {};
    }
    TRY_VALUE(u8* const raw, cache_.change(volume_.cluster_at(cluster) + kEntryBytes, Rank::Entry));
    Entry entry;
    entry.set_cluster(volume_.parent_mark(parent));
    std::memcpy(raw + 20, &entry.raw[20], 2);
    std::memcpy(raw + 26, &entry.raw[26], 2);
    return {};
}

/// The entry of the name that is there already becomes that of the other file, in one write.
Result<Node> Fat::replace(u32 from, const Found& moved, const Found& replaced) {
    const Node gone = nodes_.node_at(replaced.at, replaced.entry);
    nodes_.remove_name(replaced.at, replaced.entry);
    vacate(replaced.entry);
    Entry entry = moved.entry;
    std::copy_n(replaced.entry.raw.begin(), kShortBytes, entry.raw.begin());
    entry.raw[12] = replaced.entry.raw[12];
    renew(entry, moved.at, replaced.at);
    TRY(changed(store({.at = replaced.at, .entry = entry})));
    if (!in_one_block(moved.at, replaced.at)) {
        TRY(changed(cache_.commit()));
    }
    TRY(changed(erase(from, moved)));
    nodes_.move(moved.at, replaced.at, moved.entry);
    vacate(moved.entry);
    return gone;
}

Result<void>
Fat::move(u32 from, const Found& moved, u32 to, const Spot& spot, const LongName& name) {
    Entry entry = moved.entry;
    Walk places = walk(to);
    TRY_VALUE(const u64 at, places.place(spot.begin + spot.entries - 1));
    renew(entry, moved.at, at);
    TRY(put_name(to, spot, name, entry));
    if (!in_one_block(moved.at, at)) {
        TRY(cache_.commit());
    }
    TRY(erase(from, moved));
    nodes_.move(moved.at, at, moved.entry);
    vacate(moved.entry);
    return {};
}

}  // namespace svc::storage::fat
