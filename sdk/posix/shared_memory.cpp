// SPDX-License-Identifier: Apache-2.0
// An object is a row of memory objects of the kernel, one for each time that it grew, since those
// cannot grow, and what is mapped already must stay the same bytes. It ends with its last name and
// its last descriptor; mappings keep its memory. One lock guards all of it: only calls of the
// kernel are made with it.
#include <kernel/base/bits.hpp>
#include <musl_errno.h>
#include <runtime/time.hpp>
#include <sdk/posix/kernel.hpp>
#include <sdk/posix/shared_memory.hpp>

namespace sdk::posix::shared_memory {

namespace {

using base::align_up;
using base::kPageSize;

constexpr std::string_view kFolder = "/dev/shm/";
constexpr u64 kMaxObjects = 64;
constexpr u64 kMaxNames = 96;
constexpr u64 kMaxNameSize = 255;
constexpr u64 kMaxSegments = 16;
constexpr u64 kMaxSegmentSize = u64{16} << 20;  // of a memory object
constexpr u32 kReadWrite = kl::core::VMM::Read | kl::core::VMM::Write;
constexpr u32 kModeBits = 07777;
constexpr u64 kDevice = 1;
constexpr u64 kNanoseconds = 1'000'000'000;

struct Segment {
    u32 handle;
    u64 size;
};

struct Object {
    u64 number;  // 0: free; never the same again, since musl tells semaphores apart by it
    u32 mode;
    u32 names;
    u32 descriptors;
    u32 segment_count;
    s64 size;
    u64 capacity;
    Timespec changed;
    Segment segments[kMaxSegments];
};

struct Name {
    Object* object;  // null: free
    u64 size;
    char text[kMaxNameSize];
};

struct Pool {
    Object objects[kMaxObjects];
    Name names[kMaxNames];
};

constinit Lock lock;
constinit Pool* pool = nullptr;  // made with the first object
constinit u64 last_number = 0;

/// The flags of a mapping that the kernel knows.
u32 access_of(u64 access) { return static_cast<u32>(access); }

void touch(Object& object) {
    const u64 now = wall_ns();
    object.changed = {.seconds = static_cast<s64>(now / kNanoseconds),
                      .nanoseconds = static_cast<s64>(now % kNanoseconds)};
}

bool open_pool() {
    if (pool == nullptr) {
        const auto made = vmm().Allocate(0, align_up(sizeof(Pool), kPageSize), kReadWrite);
        if (!made.ok()) {
            return false;
        }
        pool = pointer<Pool>(made.value().at);
    }
    return true;
}

Name* find(std::string_view text) {
    if (pool == nullptr) {
        return nullptr;
    }
    for (Name& name : pool->names) {
        if (name.object != nullptr && std::string_view{name.text, name.size} == text) {
            return &name;
        }
    }
    return nullptr;
}

/// -ENOSPC, -ENAMETOOLONG.
s64 add_name(Object& object, std::string_view text) {
    if (text.size() > kMaxNameSize) {
        return -ENAMETOOLONG;
    }
    for (Name& name : pool->names) {
        if (name.object == nullptr) {
            name.object = &object;
            name.size = text.size();
            __builtin_memcpy(name.text, text.data(), text.size());
            ++object.names;
            return 0;
        }
    }
    return -ENOSPC;
}

void end_if_unused(Object& object) {
    if (object.names != 0 || object.descriptors != 0) {
        return;
    }
    for (u32 i = 0; i < object.segment_count; ++i) {
        (void)handles().Close(object.segments[i].handle);
    }
    object = {};
}

Object* create_object(u32 mode) {
    for (Object& object : pool->objects) {
        if (object.number == 0) {
            object.number = ++last_number;
            object.mode = mode & kModeBits;
            touch(object);
            return &object;
        }
    }
    return nullptr;
}

/// A memory object of the kernel. It frees those that have ended at its leisure, so that there may
/// be memory again a moment later.
Status create_segment(u64 size, Segment& segment) {
    constexpr int kTries = 10;
    for (int i = 0;; ++i) {
        const auto made = vmm().MdlCreate(size, 0);
        if (made.ok()) {
            segment = {.handle = made.value().mdl.handle, .size = size};
            return Status::Ok;
        }
        if (made.status() != Status::OutOfMemory || i == kTries) {
            return made.status();
        }
        (void)threads().Sleep(now_ticks() + ticks_of_ms(1));
    }
}

/// Room for `size` bytes at least.
s64 grow(Object& object, u64 size) {
    while (object.capacity < size) {
        if (object.segment_count == kMaxSegments) {
            return -ENOSPC;
        }
        const u64 wanted = align_up(size - object.capacity, kPageSize);
        const u64 bytes = wanted < kMaxSegmentSize ? wanted : kMaxSegmentSize;
        const Status status = create_segment(bytes, object.segments[object.segment_count]);
        if (status != Status::Ok) {
            return status == Status::OutOfMemory ? -ENOSPC : failure(status);
        }
        ++object.segment_count;
        object.capacity += bytes;
    }
    return 0;
}

/// Calls `work(bytes, count)` for the pieces of [offset, offset + size), which lies in the
/// capacity.
template <typename Work>
s64 for_each_piece(Object& object, u64 offset, u64 size, const Work& work) {
    u64 begin = 0;
    for (u32 i = 0; i < object.segment_count && size != 0; ++i) {
        const Segment& segment = object.segments[i];
        const u64 end = begin + segment.size;
        if (offset < end) {
            const u64 count = end - offset < size ? end - offset : size;
            const auto mapped = vmm().MdlMap(segment.handle, 0, segment.size, 0, kReadWrite);
            if (!mapped.ok()) {
                return failure(mapped.status());
            }
            work(pointer<char>(mapped.value().at + (offset - begin)), count);
            (void)vmm().Free(mapped.value().at, segment.size);
            offset += count;
            size -= count;
        }
        begin = end;
    }
    return 0;
}

s64 resize(Object& object, s64 size) {
    if (size < object.size) {  // what comes back must be zeros
        const auto result =
            for_each_piece(object,
                           static_cast<u64>(size),
                           static_cast<u64>(object.size - size),
                           [](char* bytes, u64 count) { __builtin_memset(bytes, 0, count); });
        if (result != 0) {
            return result;
        }
    } else if (const s64 result = grow(object, static_cast<u64>(size)); result != 0) {
        return result;
    }
    object.size = size;
    touch(object);
    return 0;
}

void describe(const Object& object, FileStatus& status) {
    constexpr s64 kBlock = 512;
    status.device = kDevice;
    status.inode = object.number;
    status.mode = mode::kRegular | object.mode;
    status.links = object.names;
    status.size = object.size;
    status.block_size = kPageSize;
    status.blocks = static_cast<s64>(object.capacity) / kBlock;
    status.accessed = object.changed;
    status.modified = object.changed;
    status.changed = object.changed;
}

/// Copies between the parts of a transfer and the object.
template <typename Copy>
s64 copy_parts(Object& object, u64 offset, const Transfer& transfer, u64 total, const Copy& copy) {
    u64 done = 0;
    for (u64 i = 0; i < transfer.count && done < total; ++i) {
        const u64 rest = total - done;
        const u64 size = transfer.parts[i].size < rest ? transfer.parts[i].size : rest;
        char* data = transfer.parts[i].data;
        const s64 result = for_each_piece(object, offset + done, size, [&](char* bytes, u64 count) {
            copy(bytes, data, count);
            data += count;
        });
        if (result != 0) {
            return result;
        }
        done += size;
    }
    return static_cast<s64>(done);
}

/// `object` of a description is the Object.
class MemoryKind final : public Kind {
public:
    s64 read(Description& description, const Transfer& transfer) const override {
        const Holder holder{lock};
        Object& object = object_of(description);
        const s64 at = begin_of(description, transfer);
        const u64 rest = at < object.size ? static_cast<u64>(object.size - at) : 0;
        const u64 total = transfer.total < rest ? transfer.total : rest;
        const s64 done = copy_parts(
            object,
            static_cast<u64>(at),
            transfer,
            total,
            [](const char* bytes, char* data, u64 count) { __builtin_memcpy(data, bytes, count); });
        return advance(description, transfer, done);
    }

    s64 write(Description& description, const Transfer& transfer) const override {
        const Holder holder{lock};
        Object& object = object_of(description);
        const bool appends = (description.flags() & open_flag::kAppend) != 0;
        const s64 at = appends ? object.size : begin_of(description, transfer);
        if (transfer.total > static_cast<u64>(kMaxSize - at)) {
            return -EFBIG;
        }
        const s64 end = at + static_cast<s64>(transfer.total);
        if (end > object.size) {
            if (const s64 result = resize(object, end); result != 0) {
                return result;
            }
        }
        if (appends && transfer.offset == Transfer::kOwnPosition) {
            description.position = at;
        }
        const s64 done = copy_parts(
            object,
            static_cast<u64>(at),
            transfer,
            transfer.total,
            [](char* bytes, const char* data, u64 count) { __builtin_memcpy(bytes, data, count); });
        touch(object);
        return advance(description, transfer, done);
    }

    bool can_seek() const override { return true; }

    s64 seek(Description& description, s64 offset, u64 whence) const override {
        constexpr u64 kFromPosition = 1;
        constexpr u64 kFromEnd = 2;
        const Holder holder{lock};
        if (whence > kFromEnd) {
            return -EINVAL;
        }
        const s64 from = whence == kFromEnd        ? object_of(description).size
                         : whence == kFromPosition ? description.position
                                                   : 0;
        s64 to = 0;
        if (__builtin_add_overflow(from, offset, &to)) {
            return -EOVERFLOW;
        }
        if (to < 0 || to > kMaxSize) {
            return -EINVAL;
        }
        description.position = to;
        return to;
    }

    s64 tell_status(Description& description, FileStatus& status) const override {
        const Holder holder{lock};
        describe(object_of(description), status);
        return 0;
    }

    s64 truncate(Description& description, s64 size) const override {
        const Holder holder{lock};
        return size > kMaxSize ? -EFBIG : resize(object_of(description), size);
    }

    s64 synchronise(Description&) const override { return 0; }

    s64 map(Description& description, const Mapping& mapping) const override;

    void close(Description& description) const override {
        const Holder holder{lock};
        Object& object = object_of(description);
        --object.descriptors;
        end_if_unused(object);
    }

    static constexpr s64 kMaxSize = s64{kMaxSegments * kMaxSegmentSize};

private:
    static Object& object_of(const Description& description) {
        return *pointer<Object>(description.object);
    }

    static s64 begin_of(const Description& description, const Transfer& transfer) {
        return transfer.offset == Transfer::kOwnPosition ? description.position : transfer.offset;
    }

    static s64 advance(Description& description, const Transfer& transfer, s64 done) {
        if (done > 0 && transfer.offset == Transfer::kOwnPosition) {
            description.position += done;
        }
        return done;
    }
};

/// Maps the segments in a row from `begin` on, where nothing is; all or none.
Status map_row(const Object& object, const Mapping& mapping, u64 begin) {
    u64 done = 0;
    u64 segment_begin = 0;
    for (u32 i = 0; i < object.segment_count && done < mapping.size; ++i) {
        const Segment& segment = object.segments[i];
        const u64 offset = mapping.offset + done - segment_begin;
        segment_begin += segment.size;
        if (mapping.offset + done >= segment_begin) {
            continue;
        }
        const u64 rest = mapping.size - done;
        const u64 size = segment.size - offset < rest ? segment.size - offset : rest;
        const Status status =
            vmm()
                .MdlMap(segment.handle, offset, size, begin + done, access_of(mapping.access))
                .status();
        if (status != Status::Ok) {
            if (done != 0) {
                (void)unmap_pages(begin, begin + done);
            }
            return status;
        }
        done += size;
    }
    return Status::Ok;
}

s64 MemoryKind::map(Description& description, const Mapping& mapping) const {
    constexpr int kTries = 8;
    const Holder holder{lock};
    const Object& object = object_of(description);
    if (mapping.offset > object.capacity || mapping.size > object.capacity - mapping.offset) {
        return -ENXIO;
    }
    if (mapping.address != 0) {
        if (const s64 result = unmap_pages(mapping.address, mapping.address + mapping.size);
            result != 0) {
            return result;
        }
        const Status status = map_row(object, mapping, mapping.address);
        return status == Status::Ok              ? static_cast<s64>(mapping.address)
               : status == Status::AlreadyExists ? -ENOMEM  // within a larger region
                                                 : failure(status);
    }
    // The kernel finds room for one segment; for a row, room is looked for and may be lost again.
    for (int i = 0; i < kTries; ++i) {
        const auto room = vmm().Allocate(0, mapping.size, kl::core::VMM::Reserve);
        if (!room.ok()) {
            return failure(room.status());
        }
        const u64 begin = room.value().at;
        (void)vmm().Free(begin, mapping.size);
        const Status status = map_row(object, mapping, begin);
        if (status == Status::Ok) {
            return static_cast<s64>(begin);
        }
        if (status != Status::AlreadyExists) {
            return failure(status);
        }
    }
    return -ENOMEM;
}

constinit const MemoryKind memory_kind;

/// The object behind a name, a new one if the flags say so.
s64 find_or_create(std::string_view text, u32 flags, u32 mode, Object*& object) {
    if (const Name* name = find(text); name != nullptr) {
        constexpr u32 kNew = open_flag::kCreate | open_flag::kExclusive;
        if ((flags & kNew) == kNew) {
            return -EEXIST;
        }
        if ((flags & open_flag::kDirectory) != 0) {
            return -ENOTDIR;
        }
        object = name->object;
        const bool is_writable = (flags & open_flag::kAccess) != open_flag::kReadOnly;
        return (flags & open_flag::kTruncate) != 0 && is_writable ? resize(*object, 0) : 0;
    }
    if ((flags & open_flag::kCreate) == 0) {
        return -ENOENT;
    }
    if (!open_pool()) {
        return -ENOMEM;
    }
    object = create_object(mode);
    if (object == nullptr) {
        return -ENOSPC;
    }
    const s64 result = add_name(*object, text);
    if (result != 0) {
        end_if_unused(*object);
    }
    return result;
}

}  // namespace

std::string_view find_name(std::string_view path) {
    if (path.size() <= kFolder.size() || path.substr(0, kFolder.size()) != kFolder) {
        return {};
    }
    const std::string_view name = path.substr(kFolder.size());
    return name.find('/') == std::string_view::npos ? name : std::string_view{};
}

s64 open(std::string_view name, u32 flags, u32 mode) {
    Object* object = nullptr;
    {
        const Holder holder{lock};
        if (const s64 result = find_or_create(name, flags, mode, object); result != 0) {
            return result;
        }
        ++object->descriptors;
    }
    const s64 number = open_descriptor(memory_kind, flags, __builtin_bit_cast(u64, object));
    if (number < 0) {
        const Holder holder{lock};
        --object->descriptors;
        end_if_unused(*object);
    }
    return number;
}

s64 link(std::string_view name, std::string_view other) {
    const Holder holder{lock};
    const Name* const found = find(name);
    if (found == nullptr) {
        return -ENOENT;
    }
    return find(other) != nullptr ? -EEXIST : add_name(*found->object, other);
}

s64 unlink(std::string_view name) {
    const Holder holder{lock};
    Name* const found = find(name);
    if (found == nullptr) {
        return -ENOENT;
    }
    Object& object = *found->object;
    found->object = nullptr;
    --object.names;
    end_if_unused(object);
    return 0;
}

s64 tell_status(std::string_view name, FileStatus& status) {
    const Holder holder{lock};
    const Name* const found = find(name);
    if (found == nullptr) {
        return -ENOENT;
    }
    status = {};
    describe(*found->object, status);
    return 0;
}

s64 check(std::string_view name) {
    const Holder holder{lock};
    return find(name) != nullptr ? 0 : -ENOENT;
}

s64 truncate(std::string_view name, s64 size) {
    const Holder holder{lock};
    const Name* const found = find(name);
    if (found == nullptr) {
        return -ENOENT;
    }
    if (size < 0) {
        return -EINVAL;
    }
    return size > MemoryKind::kMaxSize ? -EFBIG : resize(*found->object, size);
}

}  // namespace sdk::posix::shared_memory
