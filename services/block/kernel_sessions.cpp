// SPDX-License-Identifier: Apache-2.0
#include <bit>
#include <kernel/abi/rights.hpp>
#include <kl/core/Core.endpoints.hpp>
#include <kl/core/Handle.client.hpp>
#include <kl/core/IO.client.hpp>
#include <kl/core/VMM.client.hpp>
#include <runtime/ipc.hpp>
#include <services/block/kernel_sessions.hpp>

namespace svc::block {

namespace {

namespace endpoint = kl::core::Core::endpoint;

constexpr u32 kPageBytes = 4096;
constexpr u32 kBufferOrder = 6;
static_assert(kPageBytes << kBufferOrder == kBufferBytes);

kl::core::IO::Proxy io() { return {sdk::kKernelHandle, endpoint::io_IO}; }

kl::core::VMM::Proxy vmm() { return {sdk::kKernelHandle, endpoint::vmm_VMM}; }

kl::core::Handle::Proxy handles() { return {sdk::kKernelHandle, endpoint::handle_Handle}; }

void close(u32 handle) {
    if (handle != 0) {
        (void)handles().Close(handle);
    }
}

void free_block(const Block& block) {
    if (!block.memory.empty()) {
        (void)vmm().Free(std::bit_cast<u64>(block.memory.data()), block.memory.size());
    }
    close(block.handle);
}

}  // namespace

base::Result<Block> allocate_block(u32 order, Backing backing) {
    Block block;
    const auto made = io().RegisterDma(order, 0);
    if (!made.ok()) {
        return made.status();
    }
    block.handle = made.value().resource.handle;
    const u64 size = u64{kPageBytes} << order;
    const auto mapped =
        vmm().MdlMap(block.handle, 0, size, 0, kl::core::VMM::Read | kl::core::VMM::Write);
    if (!mapped.ok()) {
        free_block(block);
        return mapped.status();
    }
    block.memory = {std::bit_cast<u8*>(mapped.value().at), static_cast<std::size_t>(size)};
    if (backing == Backing::Device) {
        const auto place = io().DmaGetPhysInfo(block.handle);
        if (!place.ok()) {
            free_block(block);
            return place.status();
        }
        block.device_address = place.value().physical;
    }
    return block;
}

base::Result<Session> KernelSessions::make(u64 number) {
    TRY_VALUE(const Block block, allocate_block(kBufferOrder, backing_));
    Session session{
        .buffer = block.handle, .memory = block.memory, .device_address = block.device_address};
    const auto object = handles().CreateUserObject(
        kl::core::Handle::FirstUserType, abi::rights::kAll, number, listener_, endpoint_);
    if (!object.ok()) {
        free_block(block);
        return object.status();
    }
    session.object = object.value().handle;
    const auto badge = handles().CreateBadge(listener_, number, number);
    if (!badge.ok()) {
        end(session);
        return badge.status();
    }
    session.badge = badge.value().badge;
    return session;
}

/// The object first, so that nobody can call any more; the buffer only when nobody has it mapped.
void KernelSessions::end(const Session& session) {
    (void)handles().Revoke(session.object);
    close(session.object);
    close(session.badge);
    (void)io().RevokeResource(session.buffer);
    free_block({.handle = session.buffer, .memory = session.memory});
}

}  // namespace svc::block
