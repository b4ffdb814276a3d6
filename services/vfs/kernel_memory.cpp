// SPDX-License-Identifier: Apache-2.0
#include <kernel/abi/rights.hpp>
#include <runtime/ipc.hpp>
#include <services/vfs/kernel_memory.hpp>

namespace svc::vfs {

Result<std::span<u8>> KernelMemory::map(u32 handle, u64 size) {
    // DMA memory could be taken away under the mapping, and a touch of it would end this process.
    const bool is_dma = devices().DmaGetInfo(handle).status() != base::Status::WrongType;
    const auto mapped =
        memory().MdlMap(handle, 0, size, 0, kl::core::VMM::Read | kl::core::VMM::Write);
    // The mapping holds the memory; the handle is not needed any more.
    (void)handles().Close(handle);
    if (!mapped.ok()) {
        return mapped.status() == base::Status::OutOfMemory ? Error::NoMemory : Error::Invalid;
    }
    if (is_dma) {
        (void)memory().Free(mapped.value().at, size);
        return Error::Invalid;
    }
    return std::span<u8>{__builtin_bit_cast(u8*, mapped.value().at), size};
}

void KernelMemory::unmap(std::span<u8> memory_of_client) {
    (void)memory().Free(__builtin_bit_cast(u64, memory_of_client.data()), memory_of_client.size());
}

Result<abi::HandleDescriptor> KernelMemory::make_session(u64 sid) {
    if (object_ == 0) {
        const auto made =
            handles().CreateUserObject(kl::core::Handle::FirstUserType, abi::rights::kAll, 0, 0, 0);
        if (!made.ok()) {
            return Error::TableFull;
        }
        object_ = made.value().handle;
    }
    for (Badge& badge : badges_) {
        if (badge.sid == 0) {
            const auto made = handles().CreateBadge(listener_, sid, 0);
            if (!made.ok()) {
                return Error::TableFull;
            }
            badge = {.sid = sid, .handle = made.value().badge};
            // A client keeps it for itself: a copy elsewhere would keep its files open for ever.
            return abi::HandleDescriptor{.handle = object_, .rights = 0, .badge = badge.handle};
        }
    }
    return Error::TableFull;
}

void KernelMemory::end_session(u64 sid) {
    for (Badge& badge : badges_) {
        if (badge.sid == sid) {
            (void)handles().Close(badge.handle);
            badge = {};
        }
    }
}

}  // namespace svc::vfs
