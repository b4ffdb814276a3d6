// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <services/storage/fat/repair.hpp>

namespace svc::storage::fat {

namespace {

constexpr u32 kAll = ~0u;

}  // namespace

Result<Repair::Outcome> Repair::run() {
    if (bits_.size() < volume_.clusters / 8 + 1) {
        return Outcome::NoMemory;
    }
    for (const Pass pass : {Pass::Look, Pass::Repair}) {
        const auto done = walk_all(pass);
        if (done.status() == Error::Damaged || is_damaged_) {
            return Outcome::Damaged;
        }
        TRY(done);
    }
    TRY(remove_twins());
    TRY(free_unclaimed());
    TRY(equal_copies());
    return Outcome::Done;
}

/// Takes `wanted` clusters of a chain. Sets is_damaged_ if there are fewer, or if they have another
/// owner.
Result<void> Repair::claim(u32 first, u32 wanted) {
    u32 cluster = first;
    for (u32 count = 1;; ++count) {
        const u32 bit = cluster - 2;
        if (!volume_.has(cluster) || is_claimed(bit)) {
            is_damaged_ = true;
            return {};
        }
        bits_[bit / 8] = static_cast<u8>(bits_[bit / 8] | (1u << bit % 8));
        if (count == wanted) {
            return {};
        }
        TRY_VALUE(const u32 follower, table_.get(cluster));
        const bool is_open = volume_.has(follower) && wanted == kAll;
        if (is_open) {
            // Of two blocks of the table that make a chain longer, one may not have been written.
            TRY_VALUE(const u32 behind, table_.get(follower));
            if (behind == kFree) {
                TRY(table_.set(cluster, kEnd));
                return {};
            }
        }
        if (follower == kEnd) {
            is_damaged_ = is_damaged_ || wanted != kAll;
            return {};
        }
        cluster = follower;
    }
}

Result<void> Repair::walk_all(Pass pass) {
    std::ranges::fill(bits_, u8{0});
    if (volume_.bits == 32) {
        TRY(claim(volume_.root_cluster, kAll));
    }
    levels_[0] = {volume_.root_directory(), 0};
    depth_ = 1;
    while (depth_ > 0 && !is_damaged_) {
        Level& level = levels_[depth_ - 1];
        const u32 directory = level.directory;
        Walk entries{cache_, table_, volume_, directory, level.index};
        TRY_VALUE(const bool is_there, entries.next());
        if (!is_there) {
            --depth_;
            continue;
        }
        level.index = entries.index();
        TRY(visit(pass, directory, entries.found()));
    }
    return {};
}

Result<void> Repair::visit(Pass pass, u32 directory, const Found& found) {
    const u32 first = volume_.cluster_of(found.entry);
    const bool is_directory = found.entry.is_directory();
    const u64 size = found.entry.size();
    if (!volume_.has(first)) {
        is_damaged_ = first != 0 || is_directory || size > 0;
        return {};
    }
    Twin* twin = nullptr;
    for (Twin& known : std::span(twins_).first(twin_count_)) {
        twin = known.cluster == first ? &known : twin;
    }
    if (twin != nullptr && pass == Pass::Repair) {
        if (twin->count < twin->names.size()) {
            twin->names[twin->count] = {directory, found};
        }
        ++twin->count;
    }
    if (is_claimed(first - 2)) {
        if (twin == nullptr && pass == Pass::Look && twin_count_ < kMaxTwins) {
            twins_[twin_count_++] = {.cluster = first};
        } else if (twin == nullptr || pass == Pass::Look) {
            is_damaged_ = true;
        }
        return {};
    }
    if (is_directory) {
        return enter(pass, directory, first);
    }
    const u64 clusters = (size + volume_.cluster_bytes - 1) / volume_.cluster_bytes;
    return claim(first, size == 0 ? kAll : static_cast<u32>(clusters));
}

Result<void> Repair::enter(Pass pass, u32 parent, u32 directory) {
    TRY(claim(directory, kAll));
    if (depth_ == kMaxDepth) {
        is_damaged_ = true;
    }
    if (is_damaged_) {
        return {};
    }
    levels_[depth_++] = {directory, 0};
    return pass == Pass::Repair ? set_parent(directory, parent) : Result<void>{};
}

Result<void> Repair::set_parent(u32 directory, u32 parent) {
    const u64 at = volume_.cluster_at(directory) + kEntryBytes;
    TRY_VALUE(const u8* const old, cache_.read(at));
    Entry entry;
    std::memcpy(entry.raw.data(), old, kEntryBytes);
    const u32 marked = volume_.cluster_of(entry);
    const bool is_right = marked == volume_.parent_mark(parent) || marked == parent;
    if (std::memcmp(old, "..         ", kShortBytes) != 0 || is_right) {
        return {};
    }
    entry.set_cluster(volume_.parent_mark(parent));
    TRY_VALUE(u8* const raw, cache_.change(at, Rank::Entry));
    std::memcpy(raw, entry.raw.data(), kEntryBytes);
    return {};
}

/// A rename gives the new name a later time of creation; the other one goes.
Result<void> Repair::remove_twins() {
    for (const Twin& twin : std::span(twins_).first(twin_count_)) {
        if (twin.count != twin.names.size()) {
            continue;
        }
        const bool is_first_newer =
            twin.names[0].found.entry.created() > twin.names[1].found.entry.created();
        const Name& kept = twin.names[is_first_newer ? 0 : 1];
        const Name& other = twin.names[is_first_newer ? 1 : 0];
        Walk places{cache_, table_, volume_, other.directory};
        for (u32 index = other.found.begin; index <= other.found.index; ++index) {
            TRY_VALUE(const u64 at, places.place(index));
            TRY_VALUE(u8* const raw, cache_.change(at, Rank::Entry));
            raw[0] = kDeleted;
        }
        if (kept.found.entry.is_directory()) {
            TRY(set_parent(twin.cluster, kept.directory));
        }
    }
    return {};
}

Result<void> Repair::free_unclaimed() {
    table_.forget_runs();
    for (u32 bit = 0; bit < volume_.clusters; ++bit) {
        TRY_VALUE(const u32 value, table_.get(bit + 2));
        if (!is_claimed(bit) && value != kFree && value != kBad) {
            TRY(table_.set(bit + 2, kFree));
        } else if (is_claimed(bit) && value != kEnd &&
                   (!volume_.has(value) || !is_claimed(value - 2))) {
            TRY(table_.set(bit + 2, kEnd));
        }
    }
    return {};
}

Result<void> Repair::equal_copies() {
    std::array<u8, 512> part{};
    for (u32 copy = 1; copy < volume_.table_copies; ++copy) {
        for (u64 at = 0; at < volume_.table_bytes; at += part.size()) {
            const u64 ahead = std::min<u64>(volume_.table_bytes - at, 4096);
            TRY_VALUE(const u8* const first, cache_.read(volume_.table_at + at, ahead));
            std::memcpy(part.data(), first, part.size());
            const u64 there = volume_.table_at + copy * volume_.table_bytes + at;
            TRY_VALUE(const u8* const other, cache_.read(there, ahead));
            if (std::memcmp(other, part.data(), part.size()) != 0) {
                TRY_VALUE(u8* const raw, cache_.change(there, Rank::Table));
                std::memcpy(raw, part.data(), part.size());
            }
        }
    }
    return {};
}

}  // namespace svc::storage::fat
