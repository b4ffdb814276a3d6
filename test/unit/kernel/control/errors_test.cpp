// SPDX-License-Identifier: Apache-2.0
// Errors that the IDL names and that no other case here is about. errors.py holds what all cases
// of this program provoked against the manual.
#include "desk.hpp"

#include <kernel/control/teardown.hpp>
#include <kernel/irq/lines.hpp>
#include <kl/core/Audit.idl.hpp>
#include <kl/core/IO.idl.hpp>
#include <kl/core/IPC.idl.hpp>
#include <kl/core/PM.idl.hpp>
#include <kl/core/Task.idl.hpp>
#include <kl/core/Thread.idl.hpp>
#include <kl/core/VMM.idl.hpp>
#include <string_view>

using namespace kernel_test;
using namespace kernel_test::desk;
using mock::machine;
namespace audit = kl::core::Audit;
namespace io = kl::core::IO;
namespace ipc = kl::core::IPC;
namespace pm = kl::core::PM;
namespace tasks = kl::core::Task;
namespace threads = kl::core::Thread;
namespace vmm = kl::core::VMM;

namespace {

constexpr u32 kNoHandle = 0x7777'0009;
constexpr u64 kPage = base::kPageSize;
constexpr u64 kFree = 0x40'0000;  // nothing is there
constexpr u64 kDevice = 0x900'0000;

struct Errors : Desk {
    Process& process = *client.process;

    /// Status of a request of the client's; the answer's type follows from the request's.
    template <typename Response, typename Request>
    Status status(u16 interface, auto method, const Request& request) {
        return static_cast<Status>(ask<Response>(client, interface, method, request).rc);
    }

    Slot& slot(u32 handle) { return *process.handles.find(handle); }

    /// What a request answers whose handle at `place` is none, one of another type, and one
    /// without rights.
    template <typename Response, typename Request>
    void
    refuse_handles(u16 interface, auto method, Request request, auto place, u32 good, u32 other) {
        CAPTURE(interface, static_cast<u32>(method));
        u32& handle = place(request);
        handle = kNoHandle;
        CHECK(status<Response>(interface, method, request) == Status::BadHandle);
        handle = other;
        CHECK(status<Response>(interface, method, request) == Status::WrongType);
        const u32 rights = slot(good).rights;
        slot(good).rights = 0;
        handle = good;
        CHECK(status<Response>(interface, method, request) == Status::NoCapability);
        slot(good).rights = rights;
    }

    void fill_table() {
        while (process.handles.free() > 0) {
            kernel.add_channel(process, *server.process);
        }
    }

    tasks::Create_Response create_task(std::string_view name,
                                       std::string_view eclass = "test.Other",
                                       u32 priority = 90,
                                       u64 memory = 1 << 20) {
        tasks::Create_Request request{};
        std::vector<u8> arena;
        for (const auto& [text, range] : {std::pair{name, &request.name},
                                          std::pair{eclass, &request.eclass},
                                          std::pair{std::string_view{"file"}, &request.path}}) {
            *range = {static_cast<u32>(arena.size()), static_cast<u32>(text.size()) + 1};
            arena.insert(arena.end(), text.begin(), text.end());
            arena.resize((arena.size() + 8) / 8 * 8);
        }
        request.memory = memory;
        request.priority = priority;
        return kernel.call_core<tasks::Create_Request, tasks::Create_Response>(
            client, endpoint::task_Task, static_cast<u16>(tasks::Method::Create), request, arena);
    }

    template <typename Response, typename Request>
    Status task(tasks::Method method, u32 handle, Request request = {}) {
        request.task.handle = handle;
        return status<Response>(endpoint::task_Task, method, request);
    }

    Status set_entry(u32 handle, u64 entry, u64 stack) {
        tasks::SetEntry_Request request{};
        request.entry = entry;
        request.stack = stack;
        return task<tasks::SetEntry_Response>(tasks::Method::SetEntry, handle, request);
    }

    Status resume(u32 handle) {
        return task<tasks::Resume_Response, tasks::Resume_Request>(tasks::Method::Resume, handle);
    }

    Status load(u32 handle, u32 mdl, u64 address) {
        tasks::LoadSeg_Request request{};
        request.mdl.handle = mdl;
        request.address = address;
        request.size = kPage;
        request.flags = 1;
        return task<tasks::LoadSeg_Response>(tasks::Method::LoadSeg, handle, request);
    }

    u32 create_memory() {
        return ask<vmm::MdlCreate_Response>(client,
                                            endpoint::vmm_VMM,
                                            vmm::Method::MdlCreate,
                                            vmm::MdlCreate_Request{.size = kPage, .flags = 0})
            .mdl.handle;
    }

    Status map_memory(u32 mdl, u64 length, u64 hint = 0) {
        vmm::MdlMap_Request request{};
        request.mdl.handle = mdl;
        request.length = length;
        request.hint = hint;
        request.flags = 3;
        return status<vmm::MdlMap_Response>(endpoint::vmm_VMM, vmm::Method::MdlMap, request);
    }

    Status listen(u32 handle) {
        handles::CreateListener_Request request{};
        request.task.handle = handle;
        return status<handles::CreateListener_Response>(
            endpoint::handle_Handle, handles::Method::CreateListener, request);
    }

    Status connect(u32 from, u32 to) {
        handles::Connect_Request request{};
        request.client.handle = from;
        request.server.handle = to;
        return status<handles::Connect_Response>(
            endpoint::handle_Handle, handles::Method::Connect, request);
    }

    io::RegisterMmio_Response register_mmio(u64 physical, u64 size = kPage) {
        return ask<io::RegisterMmio_Response>(
            client,
            endpoint::io_IO,
            io::Method::RegisterMmio,
            io::RegisterMmio_Request{.physical = physical, .size = size});
    }

    Status mmio_status(u64 physical, u64 size = kPage) {
        return static_cast<Status>(register_mmio(physical, size).rc);
    }

    io::RegisterIrq_Response register_irq(u32 line, u32 flags = 0) {
        return ask<io::RegisterIrq_Response>(client,
                                             endpoint::io_IO,
                                             io::Method::RegisterIrq,
                                             io::RegisterIrq_Request{.line = line, .flags = flags});
    }

    Status irq_status(u32 line, u32 flags = 0) {
        return static_cast<Status>(register_irq(line, flags).rc);
    }

    Status map_registers(u32 resource, u64 hint) {
        io::MapMem_Request request{};
        request.resource.handle = resource;
        request.hint = hint;
        return status<io::MapMem_Response>(endpoint::io_IO, io::Method::MapMem, request);
    }

    Status attach(u32 line, u32 to) {
        io::AttachIrq_Request request{};
        request.resource.handle = line;
        request.listener.handle = to;
        return status<io::AttachIrq_Response>(endpoint::io_IO, io::Method::AttachIrq, request);
    }

    /// Spends what the process may.
    void spend() { process.budget_pages = process.used_pages; }
};

const auto kTask = [](auto& request) -> u32& { return request.task.handle; };
const auto kThread = [](auto& request) -> u32& { return request.thread.handle; };
const auto kResource = [](auto& request) -> u32& { return request.resource.handle; };
const auto kMemory = [](auto& request) -> u32& { return request.mdl.handle; };

}  // namespace

TEST_CASE("methods about processes refuse handles that name none", "[kernel][control]") {
    Errors m;
    const u32 good = m.create_task("child").task.handle;
    REQUIRE(good != 0);
    const auto refuse = [&]<typename Request, typename Response>(tasks::Method method) {
        m.refuse_handles<Response>(endpoint::task_Task, method, Request{}, kTask, good, m.channel);
    };
    refuse.operator()<tasks::LoadSeg_Request, tasks::LoadSeg_Response>(tasks::Method::LoadSeg);
    refuse.operator()<tasks::SetEntry_Request, tasks::SetEntry_Response>(tasks::Method::SetEntry);
    refuse.operator()<tasks::Resume_Request, tasks::Resume_Response>(tasks::Method::Resume);
    refuse.operator()<tasks::Terminate_Request, tasks::Terminate_Response>(
        tasks::Method::Terminate);
    refuse.operator()<tasks::GetExitInfo_Request, tasks::GetExitInfo_Response>(
        tasks::Method::GetExitInfo);
    refuse.operator()<tasks::GetName_Request, tasks::GetName_Response>(tasks::Method::GetName);
    refuse.operator()<tasks::GetPath_Request, tasks::GetPath_Response>(tasks::Method::GetPath);
    refuse.
    operator()<tasks::GetInitialThreadPriority_Request, tasks::GetInitialThreadPriority_Response>(
        tasks::Method::GetInitialThreadPriority);
    refuse.
    operator()<tasks::SetInitialThreadPriority_Request, tasks::SetInitialThreadPriority_Response>(
        tasks::Method::SetInitialThreadPriority);
    refuse.operator()<tasks::VmReserve_Request, tasks::VmReserve_Response>(
        tasks::Method::VmReserve);
    refuse.operator()<tasks::VmFree_Request, tasks::VmFree_Response>(tasks::Method::VmFree);
    refuse.operator()<tasks::SetEnv_Request, tasks::SetEnv_Response>(tasks::Method::SetEnv);
    refuse.operator()<tasks::GetNextVmRegion_Request, tasks::GetNextVmRegion_Response>(
        tasks::Method::GetNextVmRegion);
    refuse.operator()<tasks::SetInitialThreadSchedPolicy_Request,
                      tasks::SetInitialThreadSchedPolicy_Response>(
        tasks::Method::SetInitialThreadSchedPolicy);
    refuse.operator()<tasks::KeepAfterFault_Request, tasks::KeepAfterFault_Response>(
        tasks::Method::KeepAfterFault);
    refuse.operator()<tasks::GetThreadContext_Request, tasks::GetThreadContext_Response>(
        tasks::Method::GetThreadContext);
    refuse.operator()<tasks::ReadMemory_Request, tasks::ReadMemory_Response>(
        tasks::Method::ReadMemory);
    refuse
        .operator()<tasks::TerminateAfterFreezing_Request, tasks::TerminateAfterFreezing_Response>(
            tasks::Method::TerminateAfterFreezing);
    m.refuse_handles<handles::CreateListener_Response>(endpoint::handle_Handle,
                                                       handles::Method::CreateListener,
                                                       handles::CreateListener_Request{},
                                                       kTask,
                                                       good,
                                                       m.channel);
    m.refuse_handles<handles::Connect_Response>(
        endpoint::handle_Handle,
        handles::Method::Connect,
        handles::Connect_Request{},
        [](auto& request) -> u32& { return request.server.handle; },
        good,
        m.channel);
}

TEST_CASE("a process is not made of what is missing, taken, or too much", "[kernel][control]") {
    Errors m;
    const auto create = [&](auto... arguments) {
        return static_cast<Status>(m.create_task(arguments...).rc);
    };
    CHECK(create("child", "test.Nobody") == Status::ResourceNotFound);
    CHECK(create("", "test.Other") == Status::InvalidArgument);
    CHECK(create("child", "test.Other", 256U) == Status::InvalidArgument);
    CHECK(create("client", "test.Other") == Status::AlreadyExists);
    CHECK(create("child", "test.Other", 90U, u64{0}) == Status::OutOfMemory);
    m.fill_table();
    const u32 processes = kernel::objects().processes.used();
    CHECK(create("child", "test.Other") == Status::OutOfMemory);
    m.kernel.settle();
    CHECK(kernel::objects().processes.used() == processes);
    m.spend();
    CHECK(static_cast<Status>(m.ask<tasks::GetTasksList_Response>(m.client,
                                                                  endpoint::task_Task,
                                                                  tasks::Method::GetTasksList,
                                                                  tasks::GetTasksList_Request{})
                                  .rc) == Status::OutOfMemory);
}

TEST_CASE("a process is built before it runs and not after", "[kernel][control]") {
    Errors m;
    const u32 child = m.create_task("child").task.handle;
    const u32 memory = m.create_memory();
    CHECK(m.load(child, memory, 0) == Status::InvalidArgument);
    CHECK(m.load(child, memory, kFree) == Status::Ok);
    CHECK(m.resume(child) == Status::NotReady);
    CHECK(m.set_entry(child, kernel::kUserLimit, 0) == Status::InvalidArgument);
    CHECK(m.set_entry(child, kFree, 8) == Status::InvalidArgument);
    CHECK(m.set_entry(child, kFree, 16) == Status::Ok);
    m.kernel.policy.on_judge = [](const ksec::Query& query, ksec::Effect) {
        return query.event == ksec::Event::Execute ? ksec::Verdict::Denied : ksec::Verdict::Granted;
    };
    CHECK(m.resume(child) == Status::SecurityDisallow);
    m.kernel.policy.on_judge = {};
    auto& built = *static_cast<Process*>(m.slot(child).object);
    while (built.threads.count() < kernel::kThreadsPerProcess) {
        REQUIRE(kernel::create_thread(built, kFree, 16, 0, 0, 10).ok());
    }
    CHECK(m.resume(child) == Status::OutOfMemory);
    while (Thread* extra = kernel::next_thread(built.threads, 0)) {
        kernel::end_thread(*extra);
    }
    CHECK(m.task<tasks::GetExitInfo_Response, tasks::GetExitInfo_Request>(
              tasks::Method::GetExitInfo, child) == Status::NotReady);
    CHECK(m.connect(0, child) == Status::NotReady);
    REQUIRE(m.resume(child) == Status::Ok);
    CHECK(m.resume(child) == Status::NotReady);
    CHECK(m.load(child, memory, 2 * kFree) == Status::NotReady);
    CHECK(m.set_entry(child, kFree, 16) == Status::NotReady);
    CHECK(m.listen(child) == Status::NotReady);
}

TEST_CASE("a name has one listener, and servers of one class", "[kernel][control]") {
    Errors m;
    kernel::Endpoint* endpoint = kernel::endpoints().endpoints.take();
    endpoint->class_id = kServerClass;
    kernel::control::copy_text(endpoint->name, kernel::kNameBytes, "client");
    CHECK(m.listen(0) == Status::InvalidArgument);
    endpoint->class_id = kClientClass;
    REQUIRE(m.listen(0) == Status::Ok);
    CHECK(m.listen(0) == Status::Busy);
    const u32 child = m.create_task("child").task.handle;
    REQUIRE(m.listen(child) == Status::Ok);
    handles::Connect_Request request{};
    request.server.handle = child;
    const auto made = m.ask<handles::Connect_Response>(
        m.client, endpoint::handle_Handle, handles::Method::Connect, request);
    REQUIRE(made.rc == 0);
    CHECK(m.slot(made.channel).badge == m.client.process->sid.value);
    m.fill_table();
    CHECK(m.connect(0, child) == Status::OutOfMemory);
    CHECK(m.listen(0) == Status::OutOfMemory);
}

TEST_CASE("a full table has no room for any new handle", "[kernel][control]") {
    Errors m;
    m.fill_table();
    CHECK(m.status<handles::SecurityConnect_Response>(endpoint::handle_Handle,
                                                      handles::Method::SecurityConnect,
                                                      handles::SecurityConnect_Request{}) ==
          Status::OutOfMemory);
    CHECK(static_cast<Status>(m.copy(m.client, whole(m.channel)).rc) == Status::OutOfMemory);
    CHECK(m.status<ipc::CreateSyncObject_Response>(
              endpoint::ipc_IPC, ipc::Method::CreateSyncObject, ipc::CreateSyncObject_Request{}) ==
          Status::OutOfMemory);
    machine().device_ranges = {{base::PhysAddr{kDevice}, Bytes{kPage}}};
    CHECK(m.mmio_status(kDevice) == Status::OutOfMemory);
    CHECK(m.irq_status(40) == Status::OutOfMemory);
    CHECK(kernel::objects().device_ranges.used() == 0);
    CHECK(kernel::lines().find(base::IrqLine{40}) == nullptr);
}

TEST_CASE("methods about any handle refuse what is none or lacks the right", "[kernel][control]") {
    Errors m;
    const auto sid = [&](u32 handle) {
        handles::GetSidByHandle_Request request{};
        request.target = handle;
        return m.status<handles::GetSidByHandle_Response>(
            endpoint::handle_Handle, handles::Method::GetSidByHandle, request);
    };
    const auto revoke = [&](u32 handle) {
        handles::Revoke_Request request{};
        request.target = handle;
        return m.status<handles::Revoke_Response>(
            endpoint::handle_Handle, handles::Method::Revoke, request);
    };
    CHECK(sid(kNoHandle) == Status::BadHandle);
    CHECK(sid(m.channel) == Status::NoCapability);
    CHECK(revoke(kNoHandle) == Status::BadHandle);
    CHECK(revoke(m.channel) == Status::NoCapability);
    CHECK(m.close(m.client, kNoHandle) == Status::BadHandle);
}

TEST_CASE("who hears of a badge or an object must be able to", "[kernel][control]") {
    Errors m;
    const auto badge = [&](u32 notice) {
        return static_cast<Status>(m.badge(m.server, 1, notice).rc);
    };
    const auto unsubscribe = [&](u32 receiver) {
        notices::UnsubscribeFromEvent_Request request{};
        request.receiver.handle = receiver;
        request.object.handle = m.listener;
        return static_cast<Status>(m.ask_notice<notices::UnsubscribeFromEvent_Response>(
                                        m.server, notices::Method::UnsubscribeFromEvent, request)
                                       .rc);
    };
    Slot& slot = *m.server.process->handles.find(m.listener);
    slot.rights = 0;
    CHECK(badge(m.listener) == Status::NoCapability);
    slot.rights = rights::kRecv;
    m.server.process->port->process = m.client.process;
    CHECK(badge(m.listener) == Status::NotConnected);
    CHECK(unsubscribe(m.listener) == Status::NotConnected);
    m.server.process->port->process = m.server.process;
    const u32 object = m.create(m.server, 1).handle;
    CHECK(unsubscribe(object) == Status::WrongType);
    const u32 notice = m.make_notice(m.server);
    notices::DropAndWake_Request drop{};
    drop.notice.handle = notice;
    REQUIRE(
        m.ask_notice<notices::DropAndWake_Response>(m.server, notices::Method::DropAndWake, drop)
            .rc == 0);
    CHECK(badge(notice) == Status::ResourceNotFound);
}

TEST_CASE("a range of registers has one owner, and is registers", "[kernel][control]") {
    Errors m;
    machine().device_ranges = {{base::PhysAddr{kDevice}, Bytes{16 * kPage}}};
    CHECK(m.mmio_status(kDevice + 8) == Status::InvalidArgument);
    CHECK(m.mmio_status(kDevice, 8) == Status::InvalidArgument);
    CHECK(m.mmio_status(kDevice, 0) == Status::InvalidArgument);
    CHECK(m.mmio_status(kDevice, 17 * kPage) == Status::InvalidArgument);
    CHECK(m.mmio_status(~u64{0xFFF}) == Status::InvalidArgument);
    CHECK(m.mmio_status(mock::kMemoryBase.value) == Status::InvalidArgument);
    const auto made = m.register_mmio(kDevice + 2 * kPage, 2 * kPage);
    REQUIRE(made.rc == 0);
    for (u64 page = 0; page < 16; ++page) {
        const bool is_taken = page == 2 || page == 3;
        const auto other = m.register_mmio(kDevice + page * kPage);
        CHECK(static_cast<Status>(other.rc) == (is_taken ? Status::Busy : Status::Ok));
    }
    const u32 range = made.resource.handle;
    m.refuse_handles<io::MapMem_Response>(
        endpoint::io_IO, io::Method::MapMem, io::MapMem_Request{}, kResource, range, m.channel);
    CHECK(m.map_registers(range, 8) == Status::InvalidArgument);
    CHECK(m.map_registers(range, kUserMemory) == Status::AlreadyExists);
    m.spend();
    CHECK(m.map_registers(range, u64{1} << 34) == Status::OutOfMemory);
}

TEST_CASE("a line has one owner and one who hears of it", "[kernel][control]") {
    Errors m;
    machine().assignable_from = 40;
    machine().assignable_to = 50;
    CHECK(m.irq_status(39) == Status::InvalidArgument);
    CHECK(m.irq_status(41, 2) == Status::InvalidArgument);
    const auto made = m.register_irq(41);
    REQUIRE(made.rc == 0);
    CHECK(m.irq_status(41) == Status::Busy);
    const u32 line = made.resource.handle;
    const u32 own = m.kernel.add_listener(m.process);
    const auto refuse = [&]<typename Request, typename Response>(io::Method method) {
        m.refuse_handles<Response>(endpoint::io_IO, method, Request{}, kResource, line, own);
    };
    refuse.operator()<io::AttachIrq_Request, io::AttachIrq_Response>(io::Method::AttachIrq);
    refuse.operator()<io::DetachIrq_Request, io::DetachIrq_Response>(io::Method::DetachIrq);
    refuse.operator()<io::EnableIrq_Request, io::EnableIrq_Response>(io::Method::EnableIrq);
    refuse.operator()<io::DisableIrq_Request, io::DisableIrq_Response>(io::Method::DisableIrq);
    m.refuse_handles<threads::DetachIrq_Response>(endpoint::thread_Thread,
                                                  threads::Method::DetachIrq,
                                                  threads::DetachIrq_Request{},
                                                  kResource,
                                                  line,
                                                  own);
    CHECK(m.attach(line, m.channel) == Status::WrongType);
    std::vector<kernel::Notice*> taken;
    while (kernel::Notice* notice = kernel::endpoints().notices.take()) {
        taken.push_back(notice);
    }
    CHECK(m.attach(line, own) == Status::OutOfMemory);
    for (kernel::Notice* notice : taken) {
        kernel::endpoints().notices.give(*notice);
    }
    CHECK(m.attach(line, own) == Status::Ok);
    CHECK(m.attach(line, own) == Status::Busy);
}

TEST_CASE("methods about threads refuse handles that name none", "[kernel][control]") {
    Errors m;
    const auto made = m.ask<threads::Attach_Response>(
        m.client, endpoint::thread_Thread, threads::Method::Attach, threads::Attach_Request{});
    const u32 good = made.thread.handle;
    const auto refuse = [&]<typename Request, typename Response>(threads::Method method) {
        m.refuse_handles<Response>(
            endpoint::thread_Thread, method, Request{}, kThread, good, m.channel);
    };
    refuse.operator()<threads::Terminate_Request, threads::Terminate_Response>(
        threads::Method::Terminate);
    refuse.operator()<threads::SetPriority_Request, threads::SetPriority_Response>(
        threads::Method::SetPriority);
    refuse.operator()<threads::SetAffinity_Request, threads::SetAffinity_Response>(
        threads::Method::SetAffinity);
    refuse.operator()<threads::Resume_Request, threads::Resume_Response>(threads::Method::Resume);
    refuse.operator()<threads::Wait_Request, threads::Wait_Response>(threads::Method::Wait);
    refuse.operator()<threads::GetInfo_Request, threads::GetInfo_Response>(
        threads::Method::GetInfo);
    refuse.operator()<threads::GetAffinity_Request, threads::GetAffinity_Response>(
        threads::Method::GetAffinity);
    refuse.operator()<threads::SetSchedPolicy_Request, threads::SetSchedPolicy_Response>(
        threads::Method::SetSchedPolicy);
    refuse.operator()<threads::GetSchedPolicy_Request, threads::GetSchedPolicy_Response>(
        threads::Method::GetSchedPolicy);
    threads::SetPriority_Request priority{};
    priority.priority = m.process.priority + 1;
    CHECK(m.status<threads::SetPriority_Response>(endpoint::thread_Thread,
                                                  threads::Method::SetPriority,
                                                  priority) == Status::InvalidArgument);
    threads::SetAffinity_Request affinity{};
    affinity.mask = 2;
    CHECK(m.status<threads::SetAffinity_Response>(endpoint::thread_Thread,
                                                  threads::Method::SetAffinity,
                                                  affinity) == Status::InvalidArgument);
    CHECK(m.status<threads::Terminate_Response>(
              endpoint::thread_Thread, threads::Method::Terminate, threads::Terminate_Request{}) ==
          Status::InvalidArgument);
}

TEST_CASE("methods about a thread refuse one that has ended", "[kernel][control]") {
    Errors m;
    Thread& other = m.kernel.add_thread(m.process);
    const auto made = m.ask<threads::Attach_Response>(
        other, endpoint::thread_Thread, threads::Method::Attach, threads::Attach_Request{});
    m.kernel.run(m.client);
    kernel::end_thread(other);
    const auto refuse = [&]<typename Request, typename Response>(threads::Method method) {
        Request request{};
        request.thread.handle = made.thread.handle;
        CAPTURE(static_cast<u32>(method));
        CHECK(m.status<Response>(endpoint::thread_Thread, method, request) == Status::NotReady);
    };
    refuse.operator()<threads::Terminate_Request, threads::Terminate_Response>(
        threads::Method::Terminate);
    refuse.operator()<threads::SetPriority_Request, threads::SetPriority_Response>(
        threads::Method::SetPriority);
    refuse.operator()<threads::SetAffinity_Request, threads::SetAffinity_Response>(
        threads::Method::SetAffinity);
    refuse.operator()<threads::Resume_Request, threads::Resume_Response>(threads::Method::Resume);
    refuse.operator()<threads::GetInfo_Request, threads::GetInfo_Response>(
        threads::Method::GetInfo);
    refuse.operator()<threads::GetAffinity_Request, threads::GetAffinity_Response>(
        threads::Method::GetAffinity);
    refuse.operator()<threads::SetSchedPolicy_Request, threads::SetSchedPolicy_Response>(
        threads::Method::SetSchedPolicy);
    refuse.operator()<threads::GetSchedPolicy_Request, threads::GetSchedPolicy_Response>(
        threads::Method::GetSchedPolicy);
}

TEST_CASE("methods about memory objects refuse what is none, or too much", "[kernel][control]") {
    Errors m;
    const u32 memory = m.create_memory();
    m.refuse_handles<vmm::MdlMap_Response>(endpoint::vmm_VMM,
                                           vmm::Method::MdlMap,
                                           vmm::MdlMap_Request{.length = kPage, .flags = 3},
                                           kMemory,
                                           memory,
                                           m.channel);
    m.refuse_handles<vmm::MdlClone_Response>(endpoint::vmm_VMM,
                                             vmm::Method::MdlClone,
                                             vmm::MdlClone_Request{.size = kPage},
                                             kMemory,
                                             memory,
                                             m.channel);
    vmm::MdlGetSize_Request size{};
    size.mdl.handle = kNoHandle;
    CHECK(m.status<vmm::MdlGetSize_Response>(endpoint::vmm_VMM, vmm::Method::MdlGetSize, size) ==
          Status::BadHandle);
    CHECK(m.status<vmm::Free_Response>(endpoint::vmm_VMM,
                                       vmm::Method::Free,
                                       vmm::Free_Request{.address = kUserMemory, .size = kPage}) ==
          Status::InvalidArgument);
    m.spend();
    CHECK(m.map_memory(memory, kPage, u64{1} << 34) == Status::OutOfMemory);
}

TEST_CASE("a memory object whose handle is closed while it is made is none", "[kernel][control]") {
    enum class Way { Create, Convert, Dma };
    for (const Way way : {Way::Create, Way::Convert, Way::Dma}) {
        Errors m;
        kernel::scheduler().reprioritize(m.server, 10);  // out of the way
        constexpr u64 kPages = 512;
        REQUIRE(m.status<vmm::Allocate_Response>(
                    endpoint::vmm_VMM,
                    vmm::Method::Allocate,
                    vmm::Allocate_Request{.address = kFree, .size = kPages * kPage, .flags = 3}) ==
                Status::Ok);
        m.process.priority = 200;
        Thread& thief = m.kernel.add_thread(m.process, 200);
        m.kernel.run(thief);
        threads::Sleep_Request nap{};
        machine().set_clock_step(base::Ticks{1});
        nap.deadline = machine().read_clock().value + 14;
        m.ask<threads::Sleep_Response>(thief, endpoint::thread_Thread, threads::Method::Sleep, nap);
        if (way == Way::Dma) {
            m.ask<io::RegisterDma_Response>(m.client,
                                            endpoint::io_IO,
                                            io::Method::RegisterDma,
                                            io::RegisterDma_Request{.order = 9, .flags = 0});
        } else if (way == Way::Convert) {
            m.ask<vmm::MdlCreateFromVm_Response>(
                m.client,
                endpoint::vmm_VMM,
                vmm::Method::MdlCreateFromVm,
                vmm::MdlCreateFromVm_Request{.address = kFree, .size = kPages * kPage, .flags = 0});
        } else {
            m.ask<vmm::MdlCreate_Response>(
                m.client,
                endpoint::vmm_VMM,
                vmm::Method::MdlCreate,
                vmm::MdlCreate_Request{.size = kPages * kPage, .flags = 0});
        }
        machine().set_clock_step({});
        REQUIRE(m.kernel.is_running(thief));
        REQUIRE(m.client.work == kernel::Work::Kernel);
        REQUIRE(m.close(thief, static_cast<u32>(m.client.kernel_state[1])) == Status::Ok);
        nap.deadline = ~u64{0};
        m.ask<threads::Sleep_Response>(thief, endpoint::thread_Thread, threads::Method::Sleep, nap);
        m.kernel.run(m.client);
        CHECK(Kernel::answer_of(m.client).status == Status::Ok);  // of the call; rc is BadHandle
    }
}

TEST_CASE("interrupting needs a sync object", "[kernel][control]") {
    Errors m;
    const auto ask_with = [&]<typename Request, typename Response>(ipc::Method method, u32 handle) {
        Request request{};
        request.sync.handle = handle;
        return m.status<Response>(endpoint::ipc_IPC, method, request);
    };
    const auto set = [&](u32 handle) {
        return ask_with.operator()<ipc::SetInterrupt_Request, ipc::SetInterrupt_Response>(
            ipc::Method::SetInterrupt, handle);
    };
    const auto clear = [&](u32 handle) {
        return ask_with.operator()<ipc::ClearInterrupt_Request, ipc::ClearInterrupt_Response>(
            ipc::Method::ClearInterrupt, handle);
    };
    CHECK(set(kNoHandle) == Status::BadHandle);
    CHECK(set(m.channel) == Status::WrongType);
    CHECK(clear(kNoHandle) == Status::BadHandle);
    CHECK(clear(m.channel) == Status::WrongType);
}

TEST_CASE("records have one reader, and power has two switches", "[kernel][control]") {
    Errors m;
    const auto open = [&](u32 handle) {
        audit::Open_Request request{};
        request.listener.handle = handle;
        return m.status<audit::Open_Response>(endpoint::audit_Audit, audit::Method::Open, request);
    };
    const auto read = [&](Thread& reader) {
        return static_cast<Status>(
            m.ask<audit::Read_Response>(
                 reader, endpoint::audit_Audit, audit::Method::Read, audit::Read_Request{})
                .rc);
    };
    const u32 own = m.kernel.add_listener(m.process);
    m.refuse_handles<audit::Open_Response>(
        endpoint::audit_Audit,
        audit::Method::Open,
        audit::Open_Request{},
        [](auto& request) -> u32& { return request.listener.handle; },
        own,
        m.channel);
    CHECK(read(m.client) == Status::Busy);
    CHECK(open(own) == Status::Ok);
    CHECK(open(own) == Status::Busy);
    CHECK(read(m.client) == Status::Ok);
    CHECK(read(m.server) == Status::Busy);
    m.spend();
    CHECK(read(m.client) == Status::OutOfMemory);
    CHECK(m.status<pm::Request_Response>(
              endpoint::pm_PM, pm::Method::Request, pm::Request_Request{.kind = 2, .code = 0}) ==
          Status::InvalidArgument);
}
