// SPDX-License-Identifier: Apache-2.0
// kl.core.IO: device registers and interrupt lines.
#include <kernel/control/service.hpp>
#include <kernel/control/teardown.hpp>
#include <kl/core/IO.idl.hpp>

namespace kernel::control {

namespace {

using namespace kl::core::IO;

bool overlaps_registered(u64 base, u64 size) {
    for (u32 i = 0; i < kMaxDeviceRanges; ++i) {
        const DeviceRange* range = objects().device_ranges.find(i);
        if (range != nullptr && base < range->base.value + range->size.value &&
            range->base.value < base + size) {
            return true;
        }
    }
    return false;
}

/// Hands a new resource, which has no reference yet, to the caller. OutOfMemory: it is released.
template <auto kRelease, typename T>
Result<Outcome> hand_over(Thread& caller, T& object, abi::HandleDescriptor& given) {
    ++object.references;
    const auto handle = insert_handle(
        *caller.process, {.rights = abi::rights::kAll, .object = &object, .type = T::kType});
    if (!handle.ok()) {
        kRelease(object);
        return handle.status();
    }
    given = give_handle(caller, handle.value());
    return Outcome::Done;
}

Result<Outcome>
register_mmio(Thread& caller, const RegisterMmio_Request& in, RegisterMmio_Response& out) {
    const bool is_aligned = in.physical % base::kPageSize == 0 && in.size % base::kPageSize == 0;
    if (!is_aligned || in.size == 0 || in.size > kMaxMapping || in.physical > ~u64{0} - in.size ||
        !arch::is_device_range(PhysAddr{in.physical}, Bytes{in.size})) {
        return Status::InvalidArgument;
    }
    if (overlaps_registered(in.physical, in.size)) {
        return Status::Busy;
    }
    DeviceRange* range = objects().device_ranges.take();
    if (range == nullptr) {
        return Status::OutOfMemory;
    }
    range->base = PhysAddr{in.physical};
    range->size = Bytes{in.size};
    range->sid = objects().next_sid();
    return hand_over<release_device>(caller, *range, out.resource);
}

Result<Outcome>
register_irq(Thread& caller, const RegisterIrq_Request& in, RegisterIrq_Response& out) {
    if (in.flags > 1) {
        return Status::InvalidArgument;
    }
    TRY_VALUE(Line & line, register_line(base::IrqLine{in.line}, in.flags == 1));
    return hand_over<release_line>(caller, line, out.resource);
}

Result<Outcome> map_mem(Thread& caller, const MapMem_Request& in, MapMem_Response& out) {
    TRY_VALUE(DeviceRange & range,
              resolve<DeviceRange>(
                  *caller.process, in.resource.handle, abi::rights::kRead | abi::rights::kWrite));
    const RegionRequest request{.address = in.hint,
                                .size = range.size.value,
                                .kind = RegionKind::Device,
                                .writable = true,
                                .object = &range};
    return map_in_steps(caller, *caller.process, request, out.at);
}

Result<Outcome> attach_irq(Thread& caller, const AttachIrq_Request& in, AttachIrq_Response&) {
    TRY_VALUE(Line & line,
              resolve<Line>(*caller.process, in.resource.handle, abi::rights::kAttach));
    TRY_VALUE(Endpoint & listener,
              resolve<Endpoint>(*caller.process, in.listener.handle, abi::rights::kRecv));
    TRY(attach_line(line, listener, in.badge));
    return Outcome::Done;
}

/// Unmaps an object of other processes: a region a step, or a process that has none. True: that is
/// all, of those there were when the first step was done.
bool unmap_from_others(Thread& caller, const void* object) {
    Process* process = objects().processes.find(caller.cursor);
    if (process != nullptr && process != caller.process) {
        for (Region& region : process->regions) {
            if (region.object == object) {
                unmap_region_step(*process, region);
                return false;
            }
        }
    }
    return ++caller.cursor == kMaxProcesses;
}

Result<Outcome>
revoke_resource(Thread& caller, const RevokeResource_Request& in, RevokeResource_Response&) {
    TRY_VALUE(Slot & slot, find_slot(*caller.process, in.resource.handle, abi::rights::kRevoke));
    const bool is_dma = slot.type == SlotType::Memory && memory_of(slot).block.value != 0;
    if (slot.type != SlotType::Mmio && slot.type != SlotType::Irq && !is_dma) {
        return Status::WrongType;
    }
    if (!revoke_step(slot)) {
        return Outcome::More;
    }
    if (slot.type == SlotType::Irq) {
        detach_line(*static_cast<Line*>(slot.object));
        return Outcome::Done;
    }
    return unmap_from_others(caller, slot.object) ? Outcome::Done : Outcome::More;
}

Result<Outcome>
register_dma(Thread& caller, const RegisterDma_Request& in, RegisterDma_Response& out) {
    if (in.order > kMaxOrder || in.flags > Uncached) {
        return Status::InvalidArgument;
    }
    return make_block(caller, in.order, in.flags == Uncached, out.resource);
}

Result<Outcome> map_dma(Thread& caller, const MapDma_Request& in, MapDma_Response& out) {
    const auto part = std::bit_cast<kl::core::VMM::MdlMap_Request>(in);
    return map_memory(caller, *caller.process, part, out.at);
}

/// The slot of DMA memory; another memory object is none.
Result<const Slot&> dma_slot(Thread& caller, u32 handle, u32 needed_rights) {
    TRY_VALUE(const Slot& slot,
              find_slot(*caller.process, handle, needed_rights, SlotType::Memory));
    return memory_of(slot).block.value != 0 ? Result<const Slot&>{slot} : Status::WrongType;
}

Result<Outcome>
dma_get_info(Thread& caller, const DmaGetInfo_Request& in, DmaGetInfo_Response& out) {
    TRY_VALUE(const Slot& slot, dma_slot(caller, in.resource.handle, abi::rights::kRead));
    out.size = window_of(slot).size();
    out.flags = memory_of(slot).is_uncached ? Uncached : 0;
    return Outcome::Done;
}

Result<Outcome>
dma_get_phys_info(Thread& caller, const DmaGetPhysInfo_Request& in, DmaGetPhysInfo_Response& out) {
    TRY_VALUE(const Slot& slot, dma_slot(caller, in.resource.handle, abi::rights::kPhysical));
    out.physical = memory_of(slot).frame(window_of(slot).first).value;
    out.size = window_of(slot).size();
    return Outcome::Done;
}

constexpr MethodEntry kMethods[] = {
    kMethod<register_mmio>,
    kMethod<register_irq>,
    kMethod<map_mem>,
    kMethod<attach_irq>,
    kMethod<on_line<DetachIrq_Request, DetachIrq_Response, detach_line>>,
    kMethod<on_line<EnableIrq_Request, EnableIrq_Response, enable_line>>,
    kMethod<on_line<DisableIrq_Request, DisableIrq_Response, disable_line>>,
    kUnserved,  // RegisterPort
    kMethod<register_dma>,
    kMethod<revoke_resource>,
    kUnserved,  // PermitPort
    kUnserved,  // ModifyDma
    kMethod<map_dma>,
    kMethod<dma_get_info>,
    kMethod<dma_get_phys_info>,
};

}  // namespace

constinit const Interface kIo = Served<kMethods>::kInterface;

}  // namespace kernel::control
