// SPDX-License-Identifier: Apache-2.0
// Contents of files. A file has clusters for its size, or more if others gave it more. What is
// behind its end in the last one may be anything, so growing writes zeros.
#include <algorithm>
#include <services/storage/fat/fat.hpp>

namespace svc::storage::fat {

Result<Fat::Item> Fat::load_file(Node node) {
    TRY_VALUE(const Item item, load(node));
    return item.entry.is_directory() ? Result<Item>(Error::IsADirectory) : Result<Item>(item);
}

Result<u64> Fat::read(Node file, u64 offset, std::span<u8> data) {
    TRY_VALUE(const Item item, load_file(file));
    const u64 size = item.entry.size();
    if (offset >= size) {
        return u64{0};
    }
    data = data.first(std::min<u64>(data.size(), size - offset));
    const u32 first = volume_.cluster_of(item.entry);
    u64 done = 0;
    while (done < data.size()) {
        const u64 begin = (offset + done) % volume_.cluster_bytes;
        const auto index = static_cast<u32>((offset + done) / volume_.cluster_bytes);
        const auto run = table_.locate(first, index, clusters(begin + data.size() - done));
        const bool is_there = run.ok() && run.value().count > 0;
        Result<void> read = is_there ? Error::None : run.ok() ? Error::Damaged : run.status();
        u64 bytes = 0;
        if (is_there) {
            const u64 room = u64{run.value().count} * volume_.cluster_bytes - begin;
            bytes = std::min(data.size() - done, room);
            const u64 more = std::min(room - bytes, size - offset - done - bytes);
            read = cache_.read_data(
                volume_.cluster_at(run.value().cluster) + begin, data.subspan(done, bytes), more);
        }
        if (!read.ok()) {
            return done > 0 ? Result<u64>(done) : Result<u64>(read.status());
        }
        done += bytes;
    }
    return done;
}

Result<Run> Fat::allocate(u32 goal, u32 wanted) {
    auto run = table_.allocate(goal, wanted);
    if (run.status() == Error::NoSpace && pending_count_ > 0) {
        TRY(settle());
        run = table_.allocate(goal, wanted);
    }
    if (!run.ok() && run.status() != Error::NoSpace) {
        cache_.give_up();
    }
    return run;
}

Result<Run> Fat::run_to_write(Item& file, u32 index, u32 wanted) {
    const u32 first = volume_.cluster_of(file.entry);
    if (first == 0 && file.entry.size() == 0) {
        TRY_VALUE(const Run run, allocate(0, wanted));
        file.entry.set_cluster(run.cluster);
        return run;
    }
    TRY_VALUE(const Run run, table_.locate(first, index, wanted));
    if (run.count > 0 || run.length != index) {
        return run.count > 0 ? Result<Run>(run) : Result<Run>(Error::Damaged);
    }
    TRY_VALUE(const Run added, allocate(run.cluster + 1, wanted));
    TRY(changed(table_.set(run.cluster, added.cluster)));
    return added;
}

/// Writes `bytes`, zeros if `data` is null, and gives the file clusters for them. Returns how much
/// was written; the entry has its new size but is not stored.
Result<u64> Fat::put(Item& file, u64 offset, u64 bytes, const u8* data) {
    u64 done = 0;
    Error error = Error::None;
    while (done < bytes && error == Error::None) {
        const u64 at = offset + done;
        const u64 begin = at % volume_.cluster_bytes;
        const auto run = run_to_write(
            file, static_cast<u32>(at / volume_.cluster_bytes), clusters(begin + bytes - done));
        if (!run.ok()) {
            error = run.status();
            break;
        }
        const u64 room = u64{run.value().count} * volume_.cluster_bytes - begin;
        const u64 some = std::min(bytes - done, room);
        const u64 place = volume_.cluster_at(run.value().cluster) + begin;
        const u64 size = file.entry.size();
        const u64 kept = size > at || !has_own_units_ ? room : 0;
        const auto written = data == nullptr
                                 ? cache_.zero(place, some)
                                 : cache_.write_data(place, {data + done, some}, place + kept);
        error = written.status();
        done += written.ok() ? some : 0;
        file.entry.set_size(static_cast<u32>(std::max(size, offset + done)));
    }
    return done > 0 || bytes == 0 ? Result<u64>(done) : Result<u64>(error);
}

Result<void> Fat::before_growth() {
    for (u32 i = 0; i < pending_count_; ++i) {
        if (pending_[i].last != 0) {  // it may be this file that is still to be cut
            return settle();
        }
    }
    return {};
}

Result<void> Fat::check_space(const Item& file, u64 size) {
    const u32 needed = clusters(size) - clusters(file.entry.size());
    TRY_VALUE(u32 free, table_.free_count(Table::Trust::Hints));
    if (free >= needed && needed < volume_.clusters / 16) {
        return {};
    }
    TRY(settle());
    TRY_VALUE(free, table_.free_count(Table::Trust::Counted));
    return free < needed ? Error::NoSpace : Error::None;
}

Result<u64> Fat::write(Node file, u64 offset, std::span<const u8> data) {
    TRY_VALUE(Item item, load_file(file));
    if (data.size() > kMaxFileBytes || offset > kMaxFileBytes - data.size()) {
        return Error::FileTooBig;
    }
    if (data.empty()) {
        return u64{0};
    }
    TRY(begin_change());
    const u64 size = item.entry.size();
    const u32 first = volume_.cluster_of(item.entry);
    if (offset + data.size() > size) {
        TRY(before_growth());
    }
    if (offset > size) {
        TRY(check_space(item, offset + 1));
    }
    const u64 gap = offset > size ? offset - size : 0;
    const auto filled = put(item, size, gap, nullptr);
    auto done = filled.ok() && filled.value() == gap
                    ? put(item, offset, data.size(), data.data())
                    : Result<u64>(filled.ok() ? Error::Io : filled.status());
    if (!done.ok() && first == 0 && volume_.cluster_of(item.entry) != 0) {
        (void)changed(table_.free_chain(volume_.cluster_of(item.entry)));
        return done;
    }
    if (!done.ok() && item.entry.size() == size) {
        return done;
    }
    item.entry.set_modified_ns(clock_.now_ns());
    item.entry.raw[11] |= kArchiveBit;
    TRY(changed(store(item)));
    return done;
}

Result<void> Fat::cut(Item& file, u32 size) {
    const u32 first = volume_.cluster_of(file.entry);
    if (size == 0) {
        if (volume_.has(first)) {
            pending_[pending_count_++] = {.chain = first};
        }
        file.entry.set_cluster(0);
        file.entry.set_size(0);
        return {};
    }
    TRY_VALUE(const Run last, table_.locate(first, clusters(size) - 1, 1));
    if (last.count == 0) {
        return Error::Damaged;
    }
    TRY_VALUE(const u32 follower, table_.get(last.cluster));
    if (volume_.has(follower)) {
        pending_[pending_count_++] = {.chain = follower, .last = last.cluster};
    }
    file.entry.set_size(size);
    return {};
}

Result<void> Fat::truncate(Node file, u64 size) {
    TRY_VALUE(Item item, load_file(file));
    if (size > kMaxFileBytes) {
        return Error::FileTooBig;
    }
    TRY(begin_change());
    const u64 old_size = item.entry.size();
    if (size > old_size) {
        TRY(before_growth());
        TRY(check_space(item, size));
        const u32 first = volume_.cluster_of(item.entry);
        const auto filled = put(item, old_size, size - old_size, nullptr);
        if (!filled.ok() || filled.value() < size - old_size) {
            if (first == 0 && volume_.cluster_of(item.entry) != 0) {
                (void)changed(table_.free_chain(volume_.cluster_of(item.entry)));
            }
            return filled.ok() ? Error::Io : filled.status();
        }
    } else if (size < old_size) {
        TRY(before_growth());  // one cut of a file at a time
        TRY(cut(item, static_cast<u32>(size)));
    }
    item.entry.set_modified_ns(clock_.now_ns());
    item.entry.raw[11] |= kArchiveBit;
    return changed(store(item));
}

}  // namespace svc::storage::fat
