// SPDX-License-Identifier: Apache-2.0
// kl.core.VMM: memory of the calling process.
#include <arch/inline.hpp>
#include <kernel/control/service.hpp>
#include <kernel/control/teardown.hpp>
#include <kl/core/VMM.idl.hpp>

namespace kernel::control {

namespace {

using namespace kl::core::VMM;

constexpr u32 kAllAccess = Read | Write | Execute;
constexpr u32 kRightsShift = 16;  // from flags to rights

static_assert(abi::rights::kRead == Read << kRightsShift &&
              abi::rights::kWrite == Write << kRightsShift &&
              abi::rights::kExecute == Execute << kRightsShift);

Result<Window> part_of(const Slot& slot, u64 offset, u64 size) {
    const Window window = window_of(slot);
    const u64 whole = window.size();
    if (offset % base::kPageSize != 0 || size % base::kPageSize != 0 || size == 0 ||
        offset > whole || size > whole - offset) {
        return Status::InvalidArgument;
    }
    return Window{window.first + static_cast<u32>(offset / base::kPageSize),
                  static_cast<u32>(size / base::kPageSize)};
}

/// Rights that `flags` leave of those of a memory object. InvalidArgument.
Result<u32> rights_of(u32 flags) {
    if (flags > kAllAccess) {
        return Status::InvalidArgument;
    }
    return flags == 0 ? abi::rights::kAll
                      : abi::rights::kAll & ~((kAllAccess & ~flags) << kRightsShift);
}

/// A new handle of a memory object, which dies if nothing else refers to it. OutOfMemory.
Result<u32> insert_memory(
    Process& process, MemoryObject& memory, u32 rights, Window window, SlotRef parent = kNoSlot) {
    ++memory.references;
    const auto handle = insert_handle(process,
                                      {.rights = rights,
                                       .object = &memory,
                                       .badge = std::bit_cast<u64>(window),
                                       .type = SlotType::Memory,
                                       .parent = parent});
    if (!handle.ok()) {
        release_memory(memory);
    }
    return handle;
}

/// The slot of the memory object that the caller is making, behind a handle without rights until
/// it is whole; new if there is none yet. OutOfMemory; BadHandle: closed meanwhile, by a guess.
Result<Slot&> made_slot(Thread& caller, u64 pages) {
    u64& handle = caller.kernel_state[1];
    if (handle == 0) {
        TRY_VALUE(MemoryObject & memory, create_memory(*caller.process));
        TRY_VALUE(handle, insert_memory(*caller.process, memory, 0, {0, static_cast<u32>(pages)}));
    }
    Slot* slot = caller.process->handles.find(static_cast<u32>(handle));
    return slot != nullptr ? Result<Slot&>{*slot} : Status::BadHandle;
}

/// The end of making a memory object: its handle gets its rights or, after a failure, goes.
Result<Outcome>
finish_making(Thread& caller, Result<bool> is_whole, u32 flags, abi::HandleDescriptor& given) {
    Slot* slot = caller.process->handles.find(static_cast<u32>(caller.kernel_state[1]));
    if (!is_whole.ok()) {
        if (slot != nullptr) {
            close_slot(*caller.process, *slot);
        }
        return is_whole.status();
    }
    if (!is_whole.value()) {
        return Outcome::More;
    }
    TRY_VALUE(slot->rights, rights_of(flags));
    given = {slot->handle, slot->rights, 0};
    undo_handle(caller, slot->handle);
    return Outcome::Done;
}

Result<Outcome> allocate(Thread& caller, const Allocate_Request& in, Allocate_Response& out) {
    return allocate_memory(caller, *caller.process, in, out.at);
}

Result<Outcome> protect(Thread& caller, const Protect_Request& in, Protect_Response&) {
    Process& process = *caller.process;
    TRY_VALUE(const arch::Access access, access_of(in.flags));
    TRY_VALUE(Region & region, find_anonymous(process, in.address, in.size));
    ++region.changes;
    const u64 page_count = in.size / base::kPageSize;
    for (u32 i = 0; i < kPagesPerStep && caller.cursor < page_count; ++i, ++caller.cursor) {
        const base::VirtAddr at = base::VirtAddr{in.address} + PageCount{caller.cursor}.bytes();
        if (access.execute) {
            const auto frame = process.table.find(base::UserAddr{at.value}, arch::Intent::Read);
            if (frame.ok()) {
                arch::sync_code(frame.value());
            }
        }
        if (!process.table.protect(at, access).ok()) {
            return Status::InvalidArgument;
        }
    }
    return caller.cursor < page_count ? Outcome::More : Outcome::Done;
}

Result<Outcome> free_memory(Thread& caller, const Free_Request& in, Free_Response&) {
    return free_region(caller, *caller.process, in.address, in.size);
}

Result<Outcome> commit(Thread& caller, const Commit_Request& in, Commit_Response&) {
    Process& process = *caller.process;
    TRY_VALUE(const arch::Access access, access_of(in.flags));
    TRY_VALUE(Region & region, find_anonymous(process, in.address, in.size));
    ++region.changes;
    u64& failure = caller.kernel_state[0];
    u64& committed = caller.kernel_state[1];
    if (failure != 0) {  // takes back what it had done
        return drop_pages_step(process, region, in.address, committed)
                   ? Result<Outcome>{static_cast<Status>(static_cast<base::s32>(failure))}
                   : Outcome::More;
    }
    const u64 first = (in.address - region.base.value) / base::kPageSize;
    const u64 page_count = in.size / base::kPageSize;
    for (u32 i = 0; i < kPagesPerStep && committed < page_count; ++i, ++committed) {
        const auto mapped = map_page(process, region, first + committed, access);
        if (!mapped.ok()) {
            failure = static_cast<u32>(mapped.status());
            return Outcome::More;
        }
    }
    undo_commit(caller, in.address, committed);
    return committed < page_count ? Outcome::More : Outcome::Done;
}

Result<Outcome> decommit(Thread& caller, const Decommit_Request& in, Decommit_Response&) {
    TRY_VALUE(Region & region, find_anonymous(*caller.process, in.address, in.size));
    ++region.changes;
    u64& left = caller.kernel_state[0];  // pages, plus one
    left = left == 0 ? in.size / base::kPageSize : left - 1;
    const bool is_over = drop_pages_step(*caller.process, region, in.address, left);
    ++left;
    return is_over ? Outcome::Done : Outcome::More;
}

Result<Outcome> query(Thread& caller, const Query_Request& in, Query_Response& out) {
    Process& process = *caller.process;
    const Region* region = find_region(process, base::VirtAddr{in.address});
    return region == nullptr ? Status::ResourceNotFound
                             : Result<Outcome>{describe_region(process, *region, in.address, out)};
}

Result<Outcome> mdl_create(Thread& caller, const MdlCreate_Request& in, MdlCreate_Response& out) {
    const u64 pages = in.size / base::kPageSize;
    const auto step = [&]() -> Result<bool> {
        if (in.size % base::kPageSize != 0 || pages == 0 || pages > MemoryObject::kMaxPages ||
            in.flags > kAllAccess) {
            return Status::InvalidArgument;
        }
        TRY_VALUE(const Slot& slot, made_slot(caller, pages));
        TRY_VALUE(const u32 grown, grow_memory_step(memory_of(slot), static_cast<u32>(pages)));
        return grown == pages;
    };
    return finish_making(caller, step(), in.flags, out.mdl);
}

/// A step of making a memory object of a region's pages; whether it is whole.
Result<bool> convert_step(Thread& caller, const MdlCreateFromVm_Request& in) {
    TRY_VALUE(Region & region, find_anonymous(*caller.process, in.address, in.size));
    const u64 pages = region.pages.value;
    if (region.base.value != in.address || region.pages.bytes().value != in.size ||
        pages > MemoryObject::kMaxPages || in.flags > kAllAccess) {
        return Status::InvalidArgument;
    }
    u64& version = caller.kernel_state[0];
    const u64 now = u64{region.serial} << 32 | region.changes;
    version = caller.kernel_state[1] == 0 ? now : version;
    TRY_VALUE(const Slot& slot, made_slot(caller, pages));
    if (version != now) {
        return Status::Busy;
    }
    MemoryObject& memory = memory_of(slot);
    TRY_VALUE(caller.cursor, list_region_step(memory, region, caller.cursor));
    if (caller.cursor < pages) {
        return false;
    }
    become_memory(memory, region);
    return true;
}

Result<Outcome> mdl_create_from_vm(Thread& caller,
                                   const MdlCreateFromVm_Request& in,
                                   MdlCreateFromVm_Response& out) {
    return finish_making(caller, convert_step(caller, in), in.flags, out.mdl);
}

Result<Outcome>
mdl_get_size(Thread& caller, const MdlGetSize_Request& in, MdlGetSize_Response& out) {
    TRY_VALUE(const Slot& slot, find_slot(*caller.process, in.mdl.handle, 0, SlotType::Memory));
    out.size = window_of(slot).size();
    return Outcome::Done;
}

Result<Outcome> mdl_map(Thread& caller, const MdlMap_Request& in, MdlMap_Response& out) {
    return map_memory(caller, *caller.process, in, out.at);
}

Result<Outcome> mdl_clone(Thread& caller, const MdlClone_Request& in, MdlClone_Response& out) {
    Process& process = *caller.process;
    TRY_VALUE(const Slot& source,
              find_slot(process, in.mdl.handle, abi::rights::kCopy, SlotType::Memory));
    TRY_VALUE(const Window window, part_of(source, in.offset, in.size));
    TRY_VALUE(u32 rights, rights_of(in.flags));
    rights &= source.rights;
    TRY_VALUE(const u32 clone,
              insert_memory(process, memory_of(source), rights, window, slot_ref(process, source)));
    out.clone = {clone, rights, 0};
    undo_handle(caller, clone);
    return Outcome::Done;
}

/// Fills `request` for mapping a part of a memory object of `holder`. BadHandle, WrongType,
/// NoCapability, InvalidArgument; Busy: it would be writable here and executable elsewhere.
Result<void> prepare(Process& holder, const MdlMap_Request& part, RegionRequest& request) {
    TRY_VALUE(const arch::Access access, access_of(part.flags));
    const u32 rights = (part.flags | Read) << kRightsShift;
    TRY_VALUE(const Slot& slot, find_slot(holder, part.mdl.handle, rights, SlotType::Memory));
    TRY_VALUE(const Window window, part_of(slot, part.offset, part.length));
    MemoryObject& memory = memory_of(slot);
    // No byte is ever writable through one mapping and executable through another.
    if ((access.write && memory.executable_mappings > 0) ||
        (access.execute && memory.writable_mappings > 0)) {
        return Status::Busy;
    }
    request = {.address = part.hint,
               .size = part.length,
               .kind = RegionKind::Memory,
               .writable = access.write,
               .executable = access.execute,
               .object = &memory,
               .first_page = window.first};
    return {};
}

constexpr MethodEntry kMethods[] = {
    kMethod<allocate>,
    kMethod<protect>,
    kMethod<free_memory>,
    kMethod<mdl_create>,
    kMethod<mdl_get_size>,
    kMethod<mdl_map>,
    kMethod<commit>,
    kMethod<decommit>,
    kMethod<query>,
    kMethod<mdl_create_from_vm>,
    kMethod<mdl_clone>,
};

}  // namespace

Result<Outcome>
make_block(Thread& caller, u32 order, bool is_uncached, abi::HandleDescriptor& given) {
    const auto step = [&]() -> Result<bool> {
        TRY_VALUE(const Slot& slot, made_slot(caller, u64{1} << order));
        memory_of(slot).is_uncached = is_uncached;
        TRY_VALUE(caller.cursor, grow_block_step(memory_of(slot), order, caller.cursor));
        return caller.cursor == 1u << order;
    };
    return finish_making(caller, step(), 0, given);
}

Result<Outcome> map_memory(Thread& caller, Process& target, const MdlMap_Request& part, u64& at) {
    RegionRequest request{};
    const auto valid = prepare(*caller.process, part, request);
    if (!valid.ok() && caller.kernel_state[1] == 0) {
        return valid.status();
    }
    return map_in_steps(caller, target, request, at);
}

Result<Outcome>
allocate_memory(Thread& caller, Process& target, const Allocate_Request& request, u64& at) {
    RegionRequest wanted{.address = request.address, .size = request.size};
    if (request.flags != Reserve) {
        TRY_VALUE(const arch::Access access, access_of(request.flags));
        wanted.writable = access.write;
        wanted.executable = access.execute;
        return map_in_steps(caller, target, wanted, at);
    }
    TRY_VALUE(const Region& reserved, reserve_region(target, wanted));
    at = reserved.base.value;
    undo_mapping(caller, target, at);
    return Outcome::Done;
}

Result<Outcome> free_region(Thread& caller, Process& target, u64 address, u64 size) {
    Region* region = find_region(target, base::VirtAddr{address});
    const bool started = caller.kernel_state[0] != 0;
    if (region == nullptr || region->base.value != address ||
        (!started && region->pages.bytes().value != size)) {
        return Status::InvalidArgument;
    }
    caller.kernel_state[0] = 1;
    return unmap_region_step(target, *region) ? Outcome::Done : Outcome::More;
}

constinit const Interface kVmm = Served<kMethods>::kInterface;

}  // namespace kernel::control
