// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <services/storage/fat/table.hpp>

namespace svc::storage::fat {

Result<u32> Table::get_raw(u32 cluster) {
    const u64 at = volume_.table_at + offset(cluster);
    const u64 left = volume_.table_bytes - offset(cluster);
    if (volume_.bits == 32) {
        TRY_VALUE(const u8* const entry, cache_.read(at, std::min<u64>(left, 4096)));
        return load32(entry) & kEnd;
    }
    if (volume_.bits == 16) {
        TRY_VALUE(const u8* const entry, cache_.read(at, std::min<u64>(left, 4096)));
        return u32{load16(entry)};
    }
    TRY_VALUE(const u8* const low, cache_.read(at, std::min<u64>(left, 4096)));
    const u32 low_byte = *low;
    TRY_VALUE(const u8* const high, cache_.read(at + 1));
    const u32 both = low_byte | (u32{*high} << 8);
    return cluster % 2 == 0 ? both & 0xfff : both >> 4;
}

Result<u32> Table::get(u32 cluster) {
    TRY_VALUE(const u32 value, get_raw(cluster));
    const u32 bad = kBad & mask();
    return value < bad ? value : value == bad ? kBad : kEnd;
}

Result<void> Table::set_in_copy(u64 begin, u32 cluster, u32 value) {
    const u64 at = begin + offset(cluster);
    TRY_VALUE(u8* const entry, cache_.change(at, Rank::Table));
    if (volume_.bits == 32) {
        store32(entry, (load32(entry) & ~kEnd) | value);
    } else if (volume_.bits == 16) {
        store16(entry, value);
    } else {
        const u32 odd = cluster % 2;
        *entry = static_cast<u8>(odd == 0 ? value : (*entry & 0x0f) | (value << 4));
        TRY_VALUE(u8* const high, cache_.change(at + 1, Rank::Table));
        *high = static_cast<u8>(odd == 0 ? (*high & 0xf0) | (value >> 8) : value >> 4);
    }
    return {};
}

Result<void> Table::set_raw(u32 cluster, u32 value) {
    for (u32 copy = 0; copy < volume_.table_copies; ++copy) {
        TRY(set_in_copy(volume_.table_at + copy * volume_.table_bytes, cluster, value));
    }
    return {};
}

Result<void> Table::set(u32 cluster, u32 value) { return set_raw(cluster, value & mask()); }

Result<u32> Table::next(u32 cluster) {
    TRY_VALUE(const u32 value, get(cluster));
    return value == kEnd || volume_.has(value) ? Result<u32>(value) : Result<u32>(Error::Damaged);
}

Result<Run> Table::locate(u32 first, u32 index, u32 wanted) {
    if (!volume_.has(first)) {
        return Error::Damaged;
    }
    Known* best = nullptr;
    for (Known& known : runs_) {
        if (known.first == first && known.index <= index &&
            (best == nullptr || known.index > best->index)) {
            best = &known;
        }
    }
    if (best == nullptr) {
        best = &runs_[oldest_run_++ % runs_.size()];
        *best = {.first = first, .index = 0, .run = {first, 1, 0}};
    }
    // Goes on at the end of what is known, until all that is wanted is or a gap comes behind it.
    while (true) {
        const u32 end = best->index + best->run.count;
        if (index < end && end - index >= wanted) {
            break;
        }
        const u32 last = best->run.cluster + best->run.count - 1;
        const auto follower = next(last);
        if (!follower.ok() && index < end) {
            break;
        }
        TRY(follower);
        if (follower.value() == last + 1) {
            ++best->run.count;
            continue;
        }
        if (index < end) {
            break;
        }
        if (follower.value() == kEnd) {
            return Run{last, 0, end};
        }
        if (end >= volume_.clusters) {
            return Error::Damaged;  // longer than all there is: a circle
        }
        best = &runs_[oldest_run_++ % runs_.size()];
        *best = {.first = first, .index = end, .run = {follower.value(), 1, 0}};
    }
    const u32 skip = index - best->index;
    return Run{best->run.cluster + skip, std::min(best->run.count - skip, wanted), 0};
}

Result<u32> Table::find_free(u32 begin, u32 end) {
    for (u32 cluster = begin; cluster < end; ++cluster) {
        TRY_VALUE(const u32 value, get(cluster));
        if (value == kFree) {
            return u32{cluster};
        }
    }
    return Error::NoSpace;
}

Result<Run> Table::allocate(u32 goal, u32 wanted) {
    const u32 end = volume_.clusters + 2;
    if (free_count_ == 0) {
        return Error::NoSpace;
    }
    const u32 begin = goal >= 2 && goal < end ? goal : next_free_;
    auto found = find_free(begin, end);
    if (found.status() == Error::NoSpace) {
        found = find_free(2, begin);
    }
    if (found.status() == Error::NoSpace) {
        free_count_ = 0;
        is_counted_ = true;
    }
    TRY(found);
    Run run{found.value(), 1, 0};
    while (run.count < wanted && run.cluster + run.count < end) {
        TRY_VALUE(const u32 value, get(run.cluster + run.count));
        if (value != kFree) {
            break;
        }
        ++run.count;
    }
    for (u32 i = 0; i < run.count; ++i) {
        TRY(set(run.cluster + i, i + 1 < run.count ? run.cluster + i + 1 : kEnd));
    }
    // A hint may be less than what there is.
    const bool is_lost = free_count_ == kUnknown || (!is_counted_ && free_count_ <= run.count);
    free_count_ = is_lost ? kUnknown : free_count_ - run.count;
    next_free_ = run.cluster + run.count < end ? run.cluster + run.count : 2;
    return run;
}

Result<void> Table::free_chain(u32 first) {
    forget_runs();
    u32 cluster = first;
    for (u32 steps = 0; volume_.has(cluster) && steps < volume_.clusters; ++steps) {
        TRY_VALUE(const u32 follower, get(cluster));
        if (follower == kFree || follower == kBad) {
            break;
        }
        TRY(set(cluster, kFree));
        if (free_count_ != kUnknown) {
            ++free_count_;
        }
        cluster = follower;
    }
    return {};
}

Result<u32> Table::free_count(Trust trust) {
    if (free_count_ == kUnknown || (trust == Trust::Counted && !is_counted_)) {
        u32 count = 0;
        for (u32 cluster = 2; cluster < volume_.clusters + 2; ++cluster) {
            TRY_VALUE(const u32 value, get(cluster));
            count += value == kFree ? 1 : 0;
        }
        free_count_ = count;
        is_counted_ = true;
    }
    return u32{free_count_};
}

void Table::set_hint(u32 free_count, u32 next_free) {
    free_count_ = free_count > 0 && free_count <= volume_.clusters ? free_count : kUnknown;
    next_free_ = volume_.has(next_free) ? next_free : 2;
}

Result<Table::Mark> Table::mark() {
    if (volume_.bits == 12) {
        return Mark::Clean;
    }
    TRY_VALUE(const u32 value, get_raw(1));
    const bool is_clean = (value >> (volume_.bits == 16 ? 15 : 27) & 1) != 0;
    return is_clean ? Mark::Clean : Mark::Dirty;
}

Result<void> Table::set_mark(Mark mark) {
    if (volume_.bits == 12) {
        return {};
    }
    const u32 bit = 1u << (volume_.bits == 16 ? 15 : 27);
    TRY_VALUE(const u32 value, get_raw(1));
    return set_raw(1, mark == Mark::Clean ? value | bit : value & ~bit);
}

}  // namespace svc::storage::fat
