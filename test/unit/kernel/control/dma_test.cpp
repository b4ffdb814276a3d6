// SPDX-License-Identifier: Apache-2.0
// kl.core.IO: memory that devices reach.
#include "desk.hpp"

#include <kernel/control/teardown.hpp>
#include <kl/core/IO.idl.hpp>
#include <kl/core/VMM.idl.hpp>

using namespace kernel_test;
using namespace kernel_test::desk;
using mock::machine;
namespace io = kl::core::IO;
namespace vmm = kl::core::VMM;

namespace {

constexpr u64 kPage = base::kPageSize;
constexpr u64 kPlace = 0x40'0000;
constexpr u32 kReadWrite = vmm::Read | vmm::Write;

struct Driver : Desk {
    Process& process = *client.process;

    template <typename Response, typename Request>
    Response ask_io(io::Method method, const Request& request) {
        return ask<Response>(client, endpoint::io_IO, method, request);
    }

    io::RegisterDma_Response make(u32 order, u32 flags) {
        return ask_io<io::RegisterDma_Response>(
            io::Method::RegisterDma, io::RegisterDma_Request{.order = order, .flags = flags});
    }

    Status make_status(u32 order, u32 flags) { return static_cast<Status>(make(order, flags).rc); }

    io::MapDma_Response map(u32 handle, u64 offset, u64 length, u64 hint, u32 flags = kReadWrite) {
        io::MapDma_Request request{};
        request.resource = whole(handle);
        request.offset = offset;
        request.length = length;
        request.hint = hint;
        request.flags = flags;
        return ask_io<io::MapDma_Response>(io::Method::MapDma, request);
    }

    Status map_status(u32 handle, u64 offset, u64 length, u64 hint, u32 flags = kReadWrite) {
        return static_cast<Status>(map(handle, offset, length, hint, flags).rc);
    }

    io::DmaGetInfo_Response info(u32 handle) {
        io::DmaGetInfo_Request request{};
        request.resource = whole(handle);
        return ask_io<io::DmaGetInfo_Response>(io::Method::DmaGetInfo, request);
    }

    io::DmaGetPhysInfo_Response place(u32 handle) {
        io::DmaGetPhysInfo_Request request{};
        request.resource = whole(handle);
        return ask_io<io::DmaGetPhysInfo_Response>(io::Method::DmaGetPhysInfo, request);
    }

    u32 make_ordinary() {
        return ask<vmm::MdlCreate_Response>(client,
                                            endpoint::vmm_VMM,
                                            vmm::Method::MdlCreate,
                                            vmm::MdlCreate_Request{.size = kPage, .flags = 0})
            .mdl.handle;
    }

    arch::PageTable::Mapping page(u64 at) {
        return process.table.look_up(base::VirtAddr{at}).value();
    }
};

}  // namespace

TEST_CASE("DMA memory is one clean piece, charged, and told about", "[kernel][control]") {
    for (const u32 flags : {0U, io::Uncached}) {
        Driver m;
        const u64 used = m.process.used_pages;
        machine().flushed_frames.clear();
        const auto made = m.make(5, flags);
        REQUIRE(made.rc == 0);
        CHECK(m.process.used_pages == used + 32);
        CHECK(machine().flushed_frames.size() == 32);
        const u32 dma = made.resource.handle;
        CHECK(m.info(dma).size == 32 * kPage);
        CHECK(m.info(dma).flags == flags);
        const auto place = m.place(dma);
        CHECK(place.physical % (32 * kPage) == 0);
        CHECK(place.size == 32 * kPage);
        REQUIRE(m.map(dma, 0, 32 * kPage, kPlace).at == kPlace);
        for (u64 i = 0; i < 32; ++i) {
            const auto page = m.page(kPlace + i * kPage);
            CHECK(page.frame.value == place.physical + i * kPage);
            CHECK(page.access.uncached == (flags == io::Uncached));
            const auto* words = arch::linear<u64>(page.frame);
            CHECK(std::all_of(words, words + kPage / 8, [](u64 word) { return word == 0; }));
        }
        const auto in_message = m.process.table.find(UserAddr{kPlace}, arch::Intent::Read);
        CHECK(in_message.ok() == (flags == 0));
    }
}

TEST_CASE("a part of DMA memory is where it is, and only for who may know", "[kernel][control]") {
    Driver m;
    const u32 dma = m.make(3, 0).resource.handle;
    vmm::MdlClone_Request request{};
    request.mdl = whole(dma);
    request.offset = 3 * kPage;
    request.size = 2 * kPage;
    const u32 part =
        m.ask<vmm::MdlClone_Response>(m.client, endpoint::vmm_VMM, vmm::Method::MdlClone, request)
            .clone.handle;
    CHECK(m.place(part).physical == m.place(dma).physical + 3 * kPage);
    CHECK(m.place(part).size == 2 * kPage);
    CHECK(m.info(part).size == 2 * kPage);
    m.process.handles.find(part)->rights &= ~rights::kPhysical;
    CHECK(static_cast<Status>(m.place(part).rc) == Status::NoCapability);
    CHECK(m.info(part).rc == 0);
}

TEST_CASE("DMA memory is given back when nothing holds it", "[kernel][control]") {
    Driver m;
    m.kernel.settle();
    const u64 free = kernel::frames().free_frames();
    const u64 used = m.process.used_pages;
    const u32 dma = m.make(4, io::Uncached).resource.handle;
    const u64 at = m.map(dma, 0, 16 * kPage, 0).at;
    CHECK(m.close(m.client, dma) == Status::Ok);
    m.kernel.settle();
    CHECK(kernel::frames().free_frames() < free - 15);
    REQUIRE(m.ask<vmm::Free_Response>(m.client,
                                      endpoint::vmm_VMM,
                                      vmm::Method::Free,
                                      vmm::Free_Request{.address = at, .size = 16 * kPage})
                .rc == 0);
    m.kernel.settle();
    const u64 tables = m.process.used_pages - used;  // they stay
    CHECK(tables <= 2);
    CHECK(kernel::frames().free_frames() == free - tables);
}

TEST_CASE("DMA memory goes with its process", "[kernel][control]") {
    Driver m;
    m.kernel.settle();
    const u64 free = kernel::frames().free_frames();
    const u64 used = m.process.used_pages;
    const u32 dma = m.make(4, 0).resource.handle;
    REQUIRE(m.map(dma, 0, 16 * kPage, 0).rc == 0);
    m.kernel.run(m.server);
    kernel::end_process(m.process, {kernel::EndReason::Terminated, 0, 0, 0});
    m.kernel.settle();
    CHECK(kernel::frames().free_frames() == free + used);
}

TEST_CASE("DMA memory is refused where it cannot be", "[kernel][control]") {
    Driver m;
    CHECK(m.make_status(io::MaxDmaOrder + 1, 0) == Status::InvalidArgument);
    CHECK(m.make_status(~u32{0}, 0) == Status::InvalidArgument);
    CHECK(m.make_status(0, 2) == Status::InvalidArgument);
    const u64 used = m.process.used_pages;
    const u32 objects = kernel::objects().memory_objects.used();
    m.process.budget_pages = used + 7;
    CHECK(m.make_status(3, 0) == Status::OutOfMemory);
    m.kernel.settle();
    CHECK(m.process.used_pages == used);
    CHECK(kernel::objects().memory_objects.used() == objects);
    m.process.budget_pages = 1 << 20;
    u32 made = 0;
    while (m.make_status(io::MaxDmaOrder, 0) == Status::Ok) {
        ++made;
    }
    m.kernel.settle();
    CHECK(m.process.used_pages == used + (u64{made} << io::MaxDmaOrder));
    CHECK(kernel::objects().memory_objects.used() == objects + made);
}

TEST_CASE("what is no DMA memory is not taken for it", "[kernel][control]") {
    Driver m;
    const u32 dma = m.make(1, 0).resource.handle;
    const u32 ordinary = m.make_ordinary();
    const auto refused = [&](auto ask_about) {
        CHECK(ask_about(0x7777'0009) == Status::BadHandle);
        CHECK(ask_about(m.channel) == Status::WrongType);
        const u32 before = m.process.handles.find(dma)->rights;
        m.process.handles.find(dma)->rights = 0;
        CHECK(ask_about(dma) == Status::NoCapability);
        m.process.handles.find(dma)->rights = before;
    };
    refused([&](u32 handle) { return m.map_status(handle, 0, kPage, 0); });
    refused([&](u32 handle) { return static_cast<Status>(m.info(handle).rc); });
    refused([&](u32 handle) { return static_cast<Status>(m.place(handle).rc); });
    CHECK(static_cast<Status>(m.info(ordinary).rc) == Status::WrongType);
    CHECK(static_cast<Status>(m.place(ordinary).rc) == Status::WrongType);
    CHECK(m.map_status(dma, 0, 3 * kPage, 0) == Status::InvalidArgument);
    CHECK(m.map_status(dma, 0, kPage, kUserMemory) == Status::AlreadyExists);
    REQUIRE(m.map_status(dma, 0, kPage, 0, vmm::Read | vmm::Execute) == Status::Ok);
    CHECK(m.map_status(dma, 0, kPage, 0) == Status::Busy);
    m.process.budget_pages = m.process.used_pages;
    CHECK(m.map_status(dma, 0, kPage, u64{1} << 34, vmm::Read) == Status::OutOfMemory);
}
