// SPDX-License-Identifier: Apache-2.0
// One short proxy per call: they hold no state worth keeping, and init is in no hurry.
#include <Einit.endpoints.hpp>
#include <bit>
#include <drivers/Console.client.hpp>
#include <drivers/Pl011.endpoints.hpp>
#include <kernel/abi/rights.hpp>
#include <kl/core/Core.endpoints.hpp>
#include <kl/core/HAL.client.hpp>
#include <kl/core/Handle.client.hpp>
#include <kl/core/IO.client.hpp>
#include <kl/core/Notice.client.hpp>
#include <kl/core/Task.client.hpp>
#include <kl/core/VMM.client.hpp>
#include <runtime/ipc.hpp>
#include <runtime/text.hpp>
#include <runtime/time.hpp>
#include <services/init/kernel_services.hpp>

namespace svc::init {

namespace {

namespace endpoint = kl::core::Core::endpoint;
namespace vmm = kl::core::VMM;

template <typename Proxy> Proxy open(base::u16 number) { return {sdk::kKernelHandle, number}; }

kl::core::Task::Proxy tasks() { return open<kl::core::Task::Proxy>(endpoint::task_Task); }

kl::core::VMM::Proxy memory_manager() { return open<kl::core::VMM::Proxy>(endpoint::vmm_VMM); }

kl::core::Handle::Proxy handles() { return open<kl::core::Handle::Proxy>(endpoint::handle_Handle); }

kl::core::IO::Proxy io() { return open<kl::core::IO::Proxy>(endpoint::io_IO); }

u32 flags_of(Access access) {
    switch (access) {
    case Access::Read:
        return vmm::Read;
    case Access::ReadWrite:
        return vmm::Read | vmm::Write;
    case Access::ReadExecute:
        return vmm::Read | vmm::Execute;
    }
    return 0;
}

}  // namespace

Result<u32> KernelServices::create_task(const TaskRequest& request) {
    auto kernel = tasks();
    const auto reply = kernel.Create(
        request.name, request.eclass, request.program, request.memory, request.priority);
    if (!reply.ok()) {
        return reply.status();
    }
    return reply.value().task.handle;
}

Result<void> KernelServices::limit_cpu(u32 task, const CpuBudget& budget) {
    auto kernel = tasks();
    return kernel.SetCpuBudget(task, budget.amount, budget.period).status();
}

Result<void> KernelServices::load_segment(const SegmentRequest& request) {
    auto kernel = tasks();
    return kernel
        .LoadSeg(request.task,
                 request.memory,
                 0,
                 request.address,
                 request.size,
                 flags_of(request.access))
        .status();
}

Result<void> KernelServices::set_entry(const EntryRequest& request) {
    auto kernel = tasks();
    return kernel.SetEntry(request.task, request.entry, request.stack, request.argument).status();
}

Result<void> KernelServices::resume(u32 task) {
    auto kernel = tasks();
    return kernel.Resume(task).status();
}

Result<void> KernelServices::terminate(u32 task) {
    auto kernel = tasks();
    return kernel.Terminate(task).status();
}

Result<TaskEnd> KernelServices::get_end(u32 task) {
    auto kernel = tasks();
    const auto reply = kernel.GetExitInfo(task);
    if (!reply.ok()) {
        return reply.status();
    }
    const auto& info = reply.value();
    const EndReason reason = info.reason <= static_cast<u32>(EndReason::Fault)
                                 ? static_cast<EndReason>(info.reason)
                                 : EndReason::Terminated;
    return TaskEnd{.reason = reason, .code = info.code, .address = info.address, .pc = info.pc};
}

Result<void> KernelServices::watch(u32 task, u64 badge) {
    auto kernel = open<kl::core::Notice::Proxy>(endpoint::notice_Notice);
    return kernel.SubscribeToObject(listener_, task, kl::core::Notice::TaskEnded, badge).status();
}

Result<u32> KernelServices::create_memory(u64 size) {
    auto kernel = memory_manager();
    const auto reply = kernel.MdlCreate(size, 0);
    if (!reply.ok()) {
        return reply.status();
    }
    return reply.value().mdl.handle;
}

Result<std::span<u8>> KernelServices::map(u32 memory, u64 size) {
    auto kernel = memory_manager();
    const auto reply = kernel.MdlMap(memory, 0, size, 0, vmm::Read | vmm::Write);
    if (!reply.ok()) {
        return reply.status();
    }
    return std::span<u8>{std::bit_cast<u8*>(reply.value().at), static_cast<std::size_t>(size)};
}

void KernelServices::unmap(std::span<u8> mapping) {
    auto kernel = memory_manager();
    (void)kernel.Free(std::bit_cast<u64>(mapping.data()), mapping.size());
}

Result<u32> KernelServices::create_listener(u32 task) {
    auto kernel = handles();
    const auto reply = kernel.CreateListener(task);
    if (!reply.ok()) {
        return reply.status();
    }
    return reply.value().listener;
}

Result<u32> KernelServices::connect(u32 client, u32 server) {
    auto kernel = handles();
    const auto reply = kernel.Connect(client, server);
    if (!reply.ok()) {
        return reply.status();
    }
    return reply.value().channel;
}

Result<u32> KernelServices::create_heartbeat(u64 badge) {
    auto kernel = handles();
    const auto reply = kernel.CreateUserObject(kl::core::Handle::FirstUserType,
                                               abi::rights::kCall | abi::rights::kCopy,
                                               badge,
                                               listener_,
                                               Einit::endpoint::heartbeat);
    if (!reply.ok()) {
        return reply.status();
    }
    return reply.value().handle;
}

Status KernelServices::write_line(u32 channel, std::string_view line, u64 deadline) {
    drivers::Console::Proxy console{channel, drivers::Pl011::endpoint::console};
    sdk::Line<drivers::Console::MaxWrite> text;
    text.text(line.substr(0, drivers::Console::MaxWrite - 2)).text("\r\n");
    return console.until(deadline).Write(text.view()).status();
}

Result<u32> KernelServices::give(u32 handle, u32 rights, u32 task) {
    auto kernel = handles();
    const auto reply = kernel.Copy(handle, rights, task);
    if (!reply.ok()) {
        return reply.status();
    }
    return reply.value().copy;
}

void KernelServices::close(u32 handle) {
    auto kernel = handles();
    (void)kernel.Close(handle);
}

Result<u32> KernelServices::register_mmio(u64 base, u64 size) {
    auto kernel = io();
    const auto reply = kernel.RegisterMmio(base, size);
    if (!reply.ok()) {
        return reply.status();
    }
    return reply.value().resource.handle;
}

Result<u32> KernelServices::register_irq(u32 line, bool is_edge) {
    auto kernel = io();
    const auto reply = kernel.RegisterIrq(line, is_edge ? 1 : 0);
    if (!reply.ok()) {
        return reply.status();
    }
    return reply.value().resource.handle;
}

Result<Entropy> KernelServices::get_entropy() {
    auto kernel = open<kl::core::HAL::Proxy>(endpoint::hal_HAL);
    const auto reply = kernel.GetEntropy();
    if (!reply.ok()) {
        return reply.status();
    }
    const auto& words = reply.value();
    return Entropy{.words = {words.a, words.b, words.c, words.d}};
}

Result<u64> KernelServices::get_sid(u32 task) {
    auto kernel = handles();
    const auto reply = kernel.GetSidByHandle(task);
    if (!reply.ok()) {
        return reply.status();
    }
    return reply.value().sid;
}

Status KernelServices::take_endpoint(u32 endpoint, u32 number) {
    auto kernel = handles();
    return kernel.Route(listener_, endpoint, number).status();
}

u64 KernelServices::now() { return sdk::now_ticks(); }

u64 KernelServices::frequency() { return sdk::ticks_per_second(); }

Result<u32> KernelServices::open_listener() {
    TRY_VALUE(listener_, create_listener(0));
    return listener_;
}

}  // namespace svc::init
