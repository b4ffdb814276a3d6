// SPDX-License-Identifier: Apache-2.0
// kl.core.IO.RevokeResource: a driver that is not trusted any more loses its device.
#include "desk.hpp"

#include <kernel/control/teardown.hpp>
#include <kernel/irq/lines.hpp>
#include <kl/core/IO.idl.hpp>
#include <kl/core/VMM.idl.hpp>

using namespace kernel_test;
using namespace kernel_test::desk;
namespace io = kl::core::IO;
namespace vmm = kl::core::VMM;

namespace {

constexpr u64 kPage = base::kPageSize;

/// The client has a resource, of which the server, a driver, has a copy.
struct Owner : Desk {
    u32 resource = 0;

    template <typename Response, typename Request>
    Response ask_io(Thread& caller, io::Method method, const Request& request) {
        return ask<Response>(caller, endpoint::io_IO, method, request);
    }

    u32 lend() { return give(whole(resource)).handle; }

    void register_registers() {
        const auto made = ask_io<io::RegisterMmio_Response>(
            client, io::Method::RegisterMmio, io::RegisterMmio_Request{0x0900'0000, 4 * kPage});
        REQUIRE(made.rc == 0);
        resource = made.resource.handle;
    }

    void register_memory() {
        const auto made = ask_io<io::RegisterDma_Response>(
            client, io::Method::RegisterDma, io::RegisterDma_Request{.order = 3, .flags = 0});
        REQUIRE(made.rc == 0);
        resource = made.resource.handle;
    }

    u64 map_registers(Thread& caller, u32 handle) {
        io::MapMem_Request request{};
        request.resource = whole(handle);
        const auto mapped = ask_io<io::MapMem_Response>(caller, io::Method::MapMem, request);
        REQUIRE(mapped.rc == 0);
        return mapped.at;
    }

    u64 map_memory(Thread& caller, u32 handle) {
        io::MapDma_Request request{};
        request.resource = whole(handle);
        request.length = 8 * kPage;
        request.flags = vmm::Read | vmm::Write;
        const auto mapped = ask_io<io::MapDma_Response>(caller, io::Method::MapDma, request);
        REQUIRE(mapped.rc == 0);
        return mapped.at;
    }

    static bool is_mapped(const Thread& caller, u64 at) {
        return caller.process->table.look_up(base::VirtAddr{at}).ok();
    }

    Status revoke(Thread& caller, u32 handle) {
        io::RevokeResource_Request request{};
        request.resource = whole(handle);
        return static_cast<Status>(
            ask_io<io::RevokeResource_Response>(caller, io::Method::RevokeResource, request).rc);
    }
};

}  // namespace

TEST_CASE("registers are taken from whoever has them, but not from who takes them",
          "[kernel][control]") {
    Owner m;
    m.register_registers();
    const u32 lent = m.lend();
    const u64 at = m.map_registers(m.server, lent);
    const u64 own = m.map_registers(m.client, m.resource);
    CHECK(m.revoke(m.client, m.resource) == Status::Ok);
    CHECK(m.server.process->handles.find(lent) == nullptr);
    CHECK_FALSE(Owner::is_mapped(m.server, at));
    CHECK_FALSE(Owner::is_mapped(m.server, at + 3 * kPage));
    CHECK(Owner::is_mapped(m.client, own));
    const u64 again = m.map_registers(m.server, m.lend());
    CHECK(Owner::is_mapped(m.server, again));
}

TEST_CASE("DMA memory is taken from whoever mapped it, ever so often", "[kernel][control]") {
    Owner m;
    m.register_memory();
    const u32 lent = m.lend();
    const u64 first = m.map_memory(m.server, lent);
    const u64 second = m.map_memory(m.server, lent);
    const u32 regions = m.server.process->region_count;
    CHECK(m.revoke(m.client, m.resource) == Status::Ok);
    CHECK(m.server.process->region_count == regions - 2);
    CHECK_FALSE(Owner::is_mapped(m.server, first));
    CHECK_FALSE(Owner::is_mapped(m.server, second));
}

TEST_CASE("a line that is taken back reaches nobody until it is attached again",
          "[kernel][control]") {
    Owner m;
    const auto made = m.ask_io<io::RegisterIrq_Response>(
        m.client, io::Method::RegisterIrq, io::RegisterIrq_Request{.line = 40, .flags = 0});
    REQUIRE(made.rc == 0);
    m.resource = made.resource.handle;
    const auto attach = [&](u32 handle) {
        io::AttachIrq_Request request{};
        request.resource = whole(handle);
        request.listener = whole(m.listener);
        return static_cast<Status>(
            m.ask_io<io::AttachIrq_Response>(m.server, io::Method::AttachIrq, request).rc);
    };
    REQUIRE(attach(m.lend()) == Status::Ok);
    CHECK(m.revoke(m.client, m.resource) == Status::Ok);
    CHECK(kernel::lines().find(base::IrqLine{40})->notice == nullptr);
    CHECK(attach(m.lend()) == Status::Ok);
}

TEST_CASE("only resources are taken back, by who may", "[kernel][control]") {
    Owner m;
    CHECK(m.revoke(m.client, 0x1234) == Status::BadHandle);
    CHECK(m.revoke(m.client, m.channel) == Status::NoCapability);
    m.client.process->handles.find(m.channel)->rights = abi::rights::kAll;
    CHECK(m.revoke(m.client, m.channel) == Status::WrongType);
    const auto ordinary =
        m.ask<vmm::MdlCreate_Response>(m.client,
                                       endpoint::vmm_VMM,
                                       vmm::Method::MdlCreate,
                                       vmm::MdlCreate_Request{.size = kPage, .flags = 0});
    REQUIRE(ordinary.rc == 0);
    CHECK(m.revoke(m.client, ordinary.mdl.handle) == Status::WrongType);
    m.register_memory();
    m.client.process->handles.find(m.resource)->rights = 0;
    CHECK(m.revoke(m.client, m.resource) == Status::NoCapability);
}
