// SPDX-License-Identifier: Apache-2.0
// Mappings: anonymous memory, copies of files, and what a kind of descriptor shares.
// Memory is committed where it is asked for, and access is by page. Memory without any access is
// addresses only (VMM.Allocate with Reserve), which is what a guard of a stack needs; a page that
// has content cannot be made so, since there is no such access, and that is said.
#include <kernel/base/bits.hpp>
#include <musl_errno.h>
#include <musl_numbers.h>
#include <sdk/posix/descriptors.hpp>
#include <sdk/posix/groups.hpp>
#include <sdk/posix/kernel.hpp>

namespace sdk::posix {

namespace {

using base::kPageSize;

// As in musl's sys/mman.h; the bits for access are those of kl.core.VMM.
constexpr u64 kMapShared = 1;
constexpr u64 kMapPrivate = 2;
constexpr u64 kMapKind = 0xF;
constexpr u64 kMapFixed = 0x10;
constexpr u64 kMapAnonymous = 0x20;
constexpr u64 kDontNeed = 4;
constexpr u64 kHighestSize = u64{1} << 38;
constexpr u64 kHighestAddress = u64{1} << 39;

/// -EINVAL, or -ENOTSUP for memory that would be writable and executable.
s64 check_access(u64 access) {
    using namespace kl::core::VMM;
    constexpr u64 kBoth = Write | Execute;
    if ((access & ~u64{Read | kBoth}) != 0) {
        return -EINVAL;
    }
    return (access & kBoth) == kBoth ? -ENOTSUP : 0;
}

/// Whether all pages from here on have content.
bool is_there(u64 address, u64 size) {
    for (u64 at = 0; at < size; at += kPageSize) {
        const auto found = vmm().Query(address + at);
        if (!found.ok() || found.value().flags == 0) {
            return false;
        }
    }
    return true;
}

bool are_pages(u64 address, u64 size) {
    return address % kPageSize == 0 && size != 0 && size <= kHighestSize &&
           address <= kHighestAddress;
}

/// Calls `work(begin, end, region)` for the part of each region that lies in [address, end).
template <typename Work> s64 for_each_region(u64 address, u64 end, const Work& work) {
    while (address < end) {
        const auto found = tasks().GetNextVmRegion(0, address);
        if (!found.ok()) {
            return found.status() == Status::ResourceNotFound ? 0 : failure(found.status());
        }
        const auto& region = found.value();
        if (region.start >= end) {
            return 0;
        }
        const u64 last = region.start + region.size;
        const s64 result =
            work(region.start > address ? region.start : address, last < end ? last : end, region);
        if (result != 0) {
            return result;
        }
        address = last;
    }
    return 0;
}

/// A part of a region keeps its addresses.
s64 give_back(u64 address, u64 end) {
    return for_each_region(address, end, [](u64 begin, u64 stop, const auto& region) -> s64 {
        if (begin == region.start && stop == region.start + region.size) {
            return failure(vmm().Free(begin, stop - begin).status());
        }
        return failure(vmm().Decommit(begin, stop - begin).status());
    });
}

u32 flags_of(u64 access) { return access == 0 ? kl::core::VMM::Reserve : static_cast<u32>(access); }

/// Access for one page, which is committed for it if it was only reserved.
s64 protect_page(u64 address, u32 access) {
    const auto found = vmm().Query(address);
    if (!found.ok()) {
        return -ENOMEM;
    }
    if (found.value().flags == 0) {
        return failure(vmm().Commit(address, kPageSize, access).status());
    }
    return failure(vmm().Protect(address, kPageSize, access).status());
}

/// The usual cases in one call: all of it is reserved, or all of it is there.
s64 protect_range(u64 begin, u64 end, u32 access) {
    const auto found = vmm().Query(begin);
    if (found.ok()) {
        const Status status = found.value().flags == 0
                                  ? vmm().Commit(begin, end - begin, access).status()
                                  : vmm().Protect(begin, end - begin, access).status();
        if (status != Status::InvalidArgument && status != Status::AlreadyExists) {
            return failure(status);
        }
    }
    for (u64 page = begin; page < end; page += kPageSize) {
        if (const s64 result = protect_page(page, access); result != 0) {
            return result;
        }
    }
    return 0;
}

/// Memory at an address that the program chose, in place of whatever is there.
s64 map_at(u64 address, u64 size, u64 access) {
    if (const s64 result = give_back(address, address + size); result != 0) {
        return result;
    }
    const Status status = vmm().Allocate(address, size, flags_of(access)).status();
    if (status == Status::AlreadyExists) {  // addresses of a larger region
        const s64 result =
            access == 0 ? 0 : protect_range(address, address + size, static_cast<u32>(access));
        return result != 0 ? result : static_cast<s64>(address);
    }
    return status == Status::Ok ? static_cast<s64>(address) : failure(status);
}

/// Zeros, or addresses only.
s64 map_anonymous(u64 address, u64 size, u64 access) {
    if (address != 0) {
        return map_at(address, size, access);
    }
    const auto made = vmm().Allocate(0, size, flags_of(access));
    return made.ok() ? static_cast<s64>(made.value().at) : failure(made.status());
}

/// Reads until `size` bytes are there or the end has come.
s64 read_all(Description& description, u64 address, u64 size, u64 offset) {
    u64 done = 0;
    while (done < size) {
        const Part part{.data = pointer<char>(address + done), .size = size - done};
        const s64 result = description.kind().read(description,
                                                   {.parts = &part,
                                                    .count = 1,
                                                    .total = part.size,
                                                    .offset = static_cast<s64>(offset + done),
                                                    .cancelled = nullptr});
        if (result <= 0) {
            return result;
        }
        done += static_cast<u64>(result);
    }
    return 0;
}

/// A copy of what a descriptor has now.
s64 map_copy(Description& description, const Mapping& mapping) {
    if (!description.kind().can_seek()) {
        return -ENODEV;
    }
    constexpr u64 kReadWrite = kl::core::VMM::Read | kl::core::VMM::Write;
    const s64 made = map_anonymous(mapping.address, mapping.size, kReadWrite);
    if (made < 0) {
        return made;
    }
    const auto begin = static_cast<u64>(made);
    s64 result = read_all(description, begin, mapping.size, mapping.offset);
    if (result == 0 && mapping.access != kReadWrite) {
        result = protect_range(begin, begin + mapping.size, static_cast<u32>(mapping.access));
    }
    if (result != 0) {
        (void)give_back(begin, begin + mapping.size);
        return result;
    }
    return made;
}

/// A mapping of an open file: shared where the kind can, else a copy that is only read.
s64 map_description(const Call& call, const Mapping& mapping) {
    constexpr u64 kMostOffset = u64{1} << 62;
    const bool is_shared = (call.word[3] & kMapKind) != kMapPrivate;
    const bool is_written = (mapping.access & kl::core::VMM::Write) != 0;
    const Held held{call.word[4]};
    if (!held) {
        return -EBADF;
    }
    if (mapping.offset % kPageSize != 0 || mapping.offset > kMostOffset) {
        return -EINVAL;
    }
    if (!held->is_readable() || (is_shared && is_written && !held->is_writable())) {
        return -EACCES;
    }
    if (mapping.access == 0) {
        return map_anonymous(mapping.address, mapping.size, 0);
    }
    if (is_shared) {
        const s64 result = held->kind().map(*held, mapping);
        if (result != -ENODEV || is_written) {
            return result;
        }
    }
    return map_copy(*held, mapping);
}

}  // namespace

s64 unmap_pages(u64 begin, u64 end) { return give_back(begin, end); }

s64 map_memory(const Call& call) {
    const u64 size = base::align_up(call.word[1], kPageSize);
    const u64 access = call.word[2];
    const u64 flags = call.word[3];
    const bool is_fixed = (flags & kMapFixed) != 0;
    if ((flags & kMapKind) != kMapShared && (flags & kMapKind) != kMapPrivate) {
        return -EINVAL;
    }
    if (const s64 flaw = check_access(access); flaw != 0) {
        return flaw;
    }
    if (!are_pages(is_fixed ? call.word[0] : 0, size) || (is_fixed && call.word[0] == 0)) {
        return call.word[1] > kHighestSize ? -ENOMEM : -EINVAL;
    }
    const Mapping mapping{.address = is_fixed ? call.word[0] : 0,
                          .size = size,
                          .access = access,
                          .offset = call.word[5]};
    return (flags & kMapAnonymous) != 0 ? map_anonymous(mapping.address, size, access)
                                        : map_description(call, mapping);
}

s64 unmap_memory(const Call& call) {
    const u64 size = base::align_up(call.word[1], kPageSize);
    if (!are_pages(call.word[0], size)) {
        return -EINVAL;
    }
    return give_back(call.word[0], call.word[0] + size);
}

s64 protect_memory(const Call& call) {
    const u64 address = call.word[0];
    const u64 size = base::align_up(call.word[1], kPageSize);
    const u64 access = call.word[2];
    if (const s64 flaw = check_access(access); flaw != 0) {
        return flaw;
    }
    if (!are_pages(address, size)) {
        return call.word[1] == 0 ? 0 : -EINVAL;
    }
    u64 covered = 0;
    const s64 result = for_each_region(
        address, address + size, [access, &covered](u64 begin, u64 end, const auto& region) -> s64 {
            (void)region;
            covered += end - begin;
            if (access != 0) {
                return protect_range(begin, end, static_cast<u32>(access));
            }
            for (u64 page = begin; page < end; page += kPageSize) {
                const auto found = vmm().Query(page);
                if (!found.ok() || found.value().flags != 0) {
                    return -ENOTSUP;
                }
            }
            return 0;
        });
    if (result != 0) {
        return result;
    }
    return covered == size ? 0 : -ENOMEM;
}

s64 move_break(const Call& call) {
    (void)call;
    return 0;
}

s64 advise_memory(const Call& call) {
    // Programs rely on zeros after this one.
    return call.word[2] == kDontNeed ? -ENOSYS : 0;
}

s64 lock_memory(const Call& call) {
    const u64 offset = call.word[0] % kPageSize;
    const u64 size = call.word[1];
    if (size > kHighestSize || call.word[0] > kHighestAddress) {
        return -ENOMEM;
    }
    return is_there(call.word[0] - offset, offset + size) ? 0 : -ENOMEM;
}

s64 lock_all_memory(const Call& call) {
    constexpr u64 kCurrent = 1;
    constexpr u64 kFuture = 2;
    if (call.number == __NR_munlockall) {
        return 0;
    }
    return call.word[0] != 0 && (call.word[0] & ~(kCurrent | kFuture)) == 0 ? 0 : -EINVAL;
}

s64 synchronise_memory(const Call& call) {
    constexpr u64 kAsynchronous = 1;
    constexpr u64 kInvalidate = 2;
    constexpr u64 kSynchronous = 4;
    constexpr u64 kBoth = kAsynchronous | kSynchronous;
    if (call.word[0] % kPageSize != 0 || (call.word[2] & ~(kBoth | kInvalidate)) != 0 ||
        (call.word[2] & kBoth) == kBoth) {
        return -EINVAL;
    }
    if (call.word[1] > kHighestSize || call.word[0] > kHighestAddress) {
        return -ENOMEM;
    }
    return is_there(call.word[0], call.word[1]) ? 0 : -ENOMEM;
}

s64 memory_residence(const Call& call) {
    if (call.word[0] % kPageSize != 0) {
        return -EINVAL;
    }
    auto* resident = pointer<u8>(call.word[2]);
    for (u64 at = 0; at < call.word[1]; at += kPageSize) {
        const auto found = vmm().Query(call.word[0] + at);
        if (!found.ok() || found.value().flags == 0) {
            return -ENOMEM;
        }
        *resident++ = 1;
    }
    return 0;
}

}  // namespace sdk::posix
