// SPDX-License-Identifier: Apache-2.0
// kl.core.VMM: memory of the calling process.
#include <arch/inline.hpp>
#include <kernel/control/service.hpp>
#include <kernel/control/teardown.hpp>
#include <kl/core/VMM.idl.hpp>

namespace kernel::control {

namespace {

namespace vmm = kl::core::VMM;

Outcome allocate(Thread& caller, const vmm::Allocate_Request& in, vmm::Allocate_Response& out) {
    const auto access = access_of(in.flags);
    if (!access.ok()) {
        return answer(out, access.status());
    }
    RegionRequest request{};
    request.address = in.address;
    request.size = in.size;
    request.writable = access.value().write;
    request.executable = access.value().execute;
    Status status = Status::Ok;
    if (map_in_steps(caller, *caller.process, request, out.at, status) == Outcome::More) {
        return Outcome::More;
    }
    if (status == Status::Ok) {
        undo_mapping(caller, out.at);
    }
    return answer(out, status);
}

Outcome protect(Thread& caller, const vmm::Protect_Request& in, vmm::Protect_Response& out) {
    const auto access = access_of(in.flags);
    Process& process = *caller.process;
    if (!access.ok() || !is_user_range(in.address, in.size)) {
        return answer(out, Status::InvalidArgument);
    }
    const Region* region = find_region(process, base::VirtAddr{in.address});
    if (region == nullptr || region->kind != RegionKind::Anonymous ||
        in.address + in.size > region->base.value + region->pages.bytes().value) {
        return answer(out, Status::InvalidArgument);
    }
    const u64 page_count = in.size / base::kPageSize;
    for (u32 i = 0; i < kPagesPerStep && caller.cursor < page_count; ++i, ++caller.cursor) {
        const base::VirtAddr at = base::VirtAddr{in.address} + PageCount{caller.cursor}.bytes();
        if (access.value().execute) {
            const auto frame = process.table.find(base::UserAddr{at.value}, arch::Intent::Read);
            if (frame.ok()) {
                arch::sync_code(frame.value());
            }
        }
        const auto changed = process.table.protect(at, access.value());
        if (!changed.ok()) {
            return answer(out, Status::InvalidArgument);
        }
    }
    return caller.cursor < page_count ? Outcome::More : answer(out, Status::Ok);
}

Outcome free_memory(Thread& caller, const vmm::Free_Request& in, vmm::Free_Response& out) {
    Region* region = find_region(*caller.process, base::VirtAddr{in.address});
    const bool started = caller.kernel_state[0] != 0;
    if (region == nullptr || region->base.value != in.address ||
        (!started && region->pages.bytes().value != in.size)) {
        return answer(out, Status::InvalidArgument);
    }
    caller.kernel_state[0] = 1;
    return unmap_region_step(*caller.process, *region) ? answer(out, Status::Ok) : Outcome::More;
}

Outcome mdl_create(Thread& caller, const vmm::MdlCreate_Request& in, vmm::MdlCreate_Response& out) {
    Process& process = *caller.process;
    const u64 pages = in.size / base::kPageSize;
    if (in.size == 0 || in.size % base::kPageSize != 0 || pages > MemoryObject::kMaxPages ||
        in.flags != 0) {
        return answer(out, Status::InvalidArgument);
    }
    u64& handle = caller.kernel_state[1];
    if (handle == 0) {
        const auto memory = create_memory(process);
        if (!memory.ok()) {
            return answer(out, memory.status());
        }
        memory.value().references = 1;
        SlotContent content{};
        content.type = SlotType::Memory;
        content.object = &memory.value();
        content.rights = 0;  // nothing until it is whole
        const auto inserted = insert_handle(process, content);
        if (!inserted.ok()) {
            release_memory(memory.value());
            return answer(out, inserted.status());
        }
        handle = inserted.value();
    }
    Slot* slot = process.handles.find(static_cast<u32>(handle));
    if (slot == nullptr) {  // closed meanwhile, by a guess
        return answer(out, Status::InvalidArgument);
    }
    auto& memory = *static_cast<MemoryObject*>(slot->object);
    const auto grown = grow_memory_step(memory, static_cast<u32>(pages));
    if (!grown.ok()) {
        close_slot(process, *slot);
        return answer(out, grown.status());
    }
    if (grown.value() < pages) {
        return Outcome::More;
    }
    slot->rights = abi::rights::kAll;
    out.mdl = own_handle(slot->handle);
    undo_handle(caller, slot->handle);
    return answer(out, Status::Ok);
}

Outcome
mdl_get_size(Thread& caller, const vmm::MdlGetSize_Request& in, vmm::MdlGetSize_Response& out) {
    const auto memory = resolve<MemoryObject>(*caller.process, in.mdl.handle, 0);
    if (!memory.ok()) {
        return answer(out, memory.status());
    }
    out.size = u64{memory.value().page_count} * base::kPageSize;
    return answer(out, Status::Ok);
}

Outcome mdl_map(Thread& caller, const vmm::MdlMap_Request& in, vmm::MdlMap_Response& out) {
    RegionRequest request{};
    const Status valid = prepare_memory_mapping(
        *caller.process, in.mdl.handle, in.offset, in.length, in.flags, request);
    if (valid != Status::Ok && caller.kernel_state[1] == 0) {
        return answer(out, valid);
    }
    request.address = in.hint;
    Status status = Status::Ok;
    if (map_in_steps(caller, *caller.process, request, out.at, status) == Outcome::More) {
        return Outcome::More;
    }
    if (status == Status::Ok) {
        undo_mapping(caller, out.at);
    }
    return answer(out, status);
}

constexpr MethodEntry kMethods[] = {
    kMethod<allocate>,
    kMethod<protect>,
    kMethod<free_memory>,
    kMethod<mdl_create>,
    kMethod<mdl_get_size>,
    kMethod<mdl_map>,
};

}  // namespace

Status prepare_memory_mapping(
    Process& holder, u32 handle, u64 offset, u64 length, u32 flags, RegionRequest& request) {
    const auto access = access_of(flags);
    if (!access.ok()) {
        return access.status();
    }
    const u32 rights = abi::rights::kRead | (access.value().write ? abi::rights::kWrite : 0) |
                       (access.value().execute ? abi::rights::kExecute : 0);
    const auto found = resolve<MemoryObject>(holder, handle, rights);
    if (!found.ok()) {
        return found.status();
    }
    MemoryObject& memory = found.value();
    const u64 size = u64{memory.page_count} * base::kPageSize;
    if (offset % base::kPageSize != 0 || length % base::kPageSize != 0 || length == 0 ||
        offset > size || length > size - offset) {
        return Status::InvalidArgument;
    }
    // No byte is ever writable through one mapping and executable through another.
    if ((access.value().write && memory.executable_mappings > 0) ||
        (access.value().execute && memory.writable_mappings > 0)) {
        return Status::Busy;
    }
    request.size = length;
    request.kind = RegionKind::Memory;
    request.writable = access.value().write;
    request.executable = access.value().execute;
    request.object = &memory;
    request.first_page = static_cast<u32>(offset / base::kPageSize);
    return Status::Ok;
}

constinit const Interface kVmm = Served<kMethods>::kInterface;

}  // namespace kernel::control
