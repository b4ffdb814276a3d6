// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <services/storage/fat/directory.hpp>

namespace svc::storage::fat {

namespace {

/// Where the characters of a long name are in an entry.
constexpr std::array<u8, kUnitsPerEntry> kUnitAt{1, 3, 5, 7, 9, 14, 16, 18, 20, 22, 24, 28, 30};
constexpr u32 kPieceClusters = 64;

}  // namespace

void Gaps::add(u32 index) {
    begin_ = index == end_ ? begin_ : index;
    end_ = index + 1;
    if (end_ - begin_ < needed_) {
        return;
    }
    const u32 first = end_ - needed_;
    across_ = across_ == kNone ? first : across_;
    if (in_one_ == kNone && first / per_block_ == index / per_block_) {
        in_one_ = first;
    }
}

Result<u64> Walk::place(u32 index) {
    if (index - piece_begin_ < piece_end_ - piece_begin_) {
        return piece_at_ + u64{index - piece_begin_} * kEntryBytes;
    }
    if (index >= kMaxEntries) {
        return Error::NoEntry;
    }
    if (directory_ == 0 && volume_.bits != 32) {
        piece_begin_ = 0;
        piece_end_ = volume_.root_entries;
        piece_at_ = volume_.root_at;
    } else {
        const u32 per_cluster = volume_.cluster_bytes / kEntryBytes;
        const u32 number = index / per_cluster;
        TRY_VALUE(const Run run, table_.locate(directory_, number, kPieceClusters));
        piece_begin_ = number * per_cluster;
        piece_end_ = std::min(piece_begin_ + run.count * per_cluster, kMaxEntries);
        piece_at_ = volume_.cluster_at(run.cluster);
    }
    if (index >= piece_end_) {
        piece_end_ = piece_begin_ = 0;
        return Error::NoEntry;
    }
    return piece_at_ + u64{index - piece_begin_} * kEntryBytes;
}

void Walk::take_long(const u8* raw) {
    const u32 number = raw[0] & (kLastLong - 1u);
    if ((raw[0] & kLastLong) != 0) {
        const bool is_sound = number >= 1 && number <= kMaxLongEntries;
        expected_ = is_sound ? number : 0;
        begin_ = index_;
        length_ = number * kUnitsPerEntry;
        checksum_ = raw[13];
        is_complete_ = false;
    }
    if (number != expected_ || expected_ == 0 || raw[13] != checksum_ || is_complete_) {
        restart();
        return;
    }
    const u32 first = (number - 1) * kUnitsPerEntry;
    for (u32 i = 0; i < kUnitsPerEntry; ++i) {
        const u16 unit = load16(raw + kUnitAt[i]);
        units_[first + i] = unit;
        length_ = unit == 0 ? std::min(length_, first + i) : length_;
    }
    is_complete_ = number == 1;
    expected_ = is_complete_ ? 1 : number - 1;
}

Result<bool> Walk::next() {
    for (;; ++index_) {
        const auto at = place(index_);
        if (at.status() == Error::NoEntry) {
            end_ = std::min(end_, index_);
            return false;
        }
        TRY(at);
        const u64 ahead = u64{piece_end_ - index_} * kEntryBytes;
        TRY_VALUE(const u8* const raw, cache_.read(at.value(), std::min<u64>(ahead, 4096)));
        if (raw[0] == 0) {
            end_ = index_;
            return false;
        }
        if (raw[0] == kDeleted) {
            restart();
            if (gaps_ != nullptr) {
                gaps_->add(index_);
            }
            continue;
        }
        if ((raw[11] & kLongNameMask) == kLongName) {
            take_long(raw);
            continue;
        }
        has_long_ = expected_ == 1 && is_complete_ && length_ > 0 && length_ <= kMaxUnits &&
                    checksum_ == short_checksum(raw);
        restart();
        is_complete_ = false;
        if ((raw[11] & kLabelBit) != 0 || raw[0] == '.' || raw[0] == ' ') {
            continue;
        }
        found_ = {.begin = has_long_ ? begin_ : index_, .index = index_, .at = at.value()};
        std::memcpy(found_.entry.raw.data(), raw, kEntryBytes);
        ++index_;
        return true;
    }
}

}  // namespace svc::storage::fat
