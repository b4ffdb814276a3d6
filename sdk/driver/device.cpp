// SPDX-License-Identifier: Apache-2.0
#include <driver/device.hpp>
#include <kl/core/Core.endpoints.hpp>
#include <kl/core/IO.client.hpp>
#include <runtime/ipc.hpp>

namespace sdk::driver {

namespace {

kl::core::IO::Proxy io() { return {kKernelHandle, kl::core::Core::endpoint::io_IO}; }

}  // namespace

Result<base::Mmio> map_registers(const Device& device, u32 index, u64 size) {
    if (index >= device.registers.size()) {
        return Status::ResourceNotFound;
    }
    const auto& window = device.registers[index];
    if (window.size < size) {
        return Status::InvalidArgument;
    }
    auto kernel = io();
    const auto mapped = kernel.MapMem(window.handle, 0);
    if (!mapped.ok()) {
        return mapped.status();
    }
    return base::Mmio{mapped.value().at + window.offset};
}

Result<void> attach_interrupt(const Device& device, u32 index, u32 listener, u64 badge) {
    if (index >= device.interrupts.size()) {
        return Status::ResourceNotFound;
    }
    const u32 handle = device.interrupts[index].handle;
    auto kernel = io();
    const auto attached = kernel.AttachIrq(handle, listener, badge);
    if (!attached.ok()) {
        return attached.status();
    }
    return kernel.EnableIrq(handle).status();
}

}  // namespace sdk::driver
