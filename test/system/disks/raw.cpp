// SPDX-License-Identifier: Apache-2.0
#include "raw.hpp"

#include <bit>
#include <kl/core/Core.endpoints.hpp>
#include <kl/core/Handle.client.hpp>
#include <kl/core/IO.client.hpp>
#include <kl/core/VMM.client.hpp>
#include <kl/drivers/Block.client.hpp>
#include <runtime/ipc.hpp>
#include <runtime/process.hpp>
#include <runtime/time.hpp>

namespace disks {

namespace {

using base::Status;
namespace api = kl::drivers::Block;
namespace core = kl::core::Core::endpoint;

constinit u32 failure_count = 0;

kl::core::VMM::Proxy vmm() { return {sdk::kKernelHandle, core::vmm_VMM}; }

kl::core::Handle::Proxy handles() { return {sdk::kKernelHandle, core::handle_Handle}; }

kl::core::IO::Proxy io() { return {sdk::kKernelHandle, core::io_IO}; }

class Session final {
public:
    Session(u32 channel, u16 endpoint, std::string_view disk) : endpoint_(endpoint) {
        api::Proxy driver{channel, endpoint};
        const auto opened = driver.Open(disk);
        status_ = opened.status();
        handle_ = opened.value().session.handle;
        buffer_ = opened.value().buffer.handle;
        keep_ = opened.value().keep.handle;
        size_ = opened.value().bufferSize;
    }

    [[nodiscard]] Status status() const { return status_; }

    [[nodiscard]] u32 buffer() const { return buffer_; }

    [[nodiscard]] u32 keep() const { return keep_; }

    [[nodiscard]] u32 size() const { return size_; }

    [[nodiscard]] api::Proxy call() const { return {handle_, endpoint_}; }

    std::span<u8> map() {
        const auto mapped = vmm().MdlMap(buffer_, 0, size_, 0, 3);
        at_ = mapped.ok() ? mapped.value().at : 0;
        return {std::bit_cast<u8*>(at_), mapped.ok() ? size_ : 0};
    }

    void unmap() { (void)vmm().Free(at_, size_); }

    [[nodiscard]] u64 address() const { return at_; }

    void drop_handle() { (void)handles().Close(std::exchange(handle_, 0)); }

    void drop_rest() {
        (void)handles().Close(buffer_);
        (void)handles().Close(keep_);
    }

private:
    u16 endpoint_;
    Status status_;
    u32 handle_;
    u32 buffer_;
    u32 keep_;
    u32 size_;
    u64 at_ = 0;
};

constexpr u32 kMostSessions = 8;  // of a client, which has one already

}  // namespace

Test::~Test() {
    failure_count += failed_ ? 1 : 0;
    name_.text(failed_ ? " FAIL " : " PASS").text(why_.view());
    sdk::debug_write(name_.view());
}

void Test::require(std::string_view what, bool holds) { equal(what, holds ? 1 : 0, 1); }

void Test::equal(std::string_view what, u64 got, u64 wanted) {
    if (got != wanted && !failed_) {
        failed_ = true;
        why_.text(what).text(": ").hex(got).text(", not ").hex(wanted);
    }
}

u32 Test::failures() { return failure_count; }

void sessions_are_apart(u32 channel, u16 endpoint, std::string_view disk) {
    Test test{"sessions-are-apart"};
    Session first{channel, endpoint, disk};
    Session second{channel, endpoint, disk};
    test.require("open", first.status() == Status::Ok && second.status() == Status::Ok);
    const auto one = first.map();
    const auto two = second.map();
    test.require("mapped", !one.empty() && !two.empty());
    u64 sum = 0;
    for (std::size_t i = 0; i < one.size(); ++i) {
        sum += one[i] + two[i];
    }
    test.equal("zeroed", sum, 0);
    fill(one.first(kSectorBytes), 1, 1);
    test.require("apart", is_filled(two.first(kSectorBytes), 0, 0));
    test.require("read", second.call().Read(0, 8, kSectorBytes).ok());
    test.require("still there", is_filled(one.first(kSectorBytes), 1, 1));
    // Neither the driver's rights nor its rings.
    test.require("no address",
                 io().DmaGetPhysInfo(first.buffer()).status() == Status::NoCapability);
    test.require("no copy",
                 handles().Copy(first.buffer(), ~0u, 0).status() == Status::NoCapability);
    if (first.keep() != 0) {
        test.require("rings stay unseen",
                     vmm().MdlMap(first.keep(), 0, 4096, 0, 1).status() == Status::NoCapability);
    }
    for (Session* session : {&first, &second}) {
        session->unmap();
        test.require("close", session->call().Close().ok());
        session->drop_handle();
        session->drop_rest();
    }
}

void claims_are_checked(u32 channel, u16 endpoint, std::string_view disk, std::string_view fixed) {
    Test test{"claims-are-checked"};
    Session session{channel, endpoint, disk};
    test.require("open", session.status() == Status::Ok);
    const u64 sectors = session.call().GetInfo().value().sectors;
    const auto read = [&](u64 sector, u32 count, u32 offset) {
        return session.call().Read(sector, count, offset).status();
    };
    test.require("good", read(sectors - 1, 1, session.size() - kSectorBytes) == Status::Ok);

    struct {
        u64 sector;
        u32 count;
        u32 offset;
    } const kWrong[] = {
        {0, 0, 0},
        {sectors, 1, 0},
        {sectors - 1, 2, 0},
        {~u64{0}, 1, 0},
        {~u64{0}, ~0u, 0},
        {0, ~0u, 0},
        {0, session.size() / kSectorBytes + 1, 0},
        {0, 1, session.size()},
        {0, 2, session.size() - kSectorBytes},
        {0, 1, 0xFFFF'FE00},
        {0, 1, 1},
        {0, 1, 511},
    };

    for (const auto& wrong : kWrong) {
        test.require("read",
                     read(wrong.sector, wrong.count, wrong.offset) == Status::InvalidArgument);
        test.require("write",
                     session.call().Write(wrong.sector, wrong.count, wrong.offset).status() ==
                         Status::InvalidArgument);
    }
    api::Proxy driver{channel, endpoint};
    test.require("read on the channel", driver.Read(0, 1, 0).status() == Status::BadHandle);
    test.require("write on the channel", driver.Write(0, 1, 0).status() == Status::BadHandle);
    test.require("flush on the channel", driver.Flush().status() == Status::BadHandle);
    test.require("close of the channel", driver.Close().status() == Status::BadHandle);
    test.require("information on the channel", driver.GetInfo().status() == Status::BadHandle);
    test.require("no name", driver.Open("").status() == Status::ResourceNotFound);
    test.require("no such name", driver.Open("vdz").status() == Status::ResourceNotFound);
    test.require("first name", driver.Enumerate(0).value().disk == disk);
    test.require("no more names", driver.Enumerate(8).status() == Status::ResourceNotFound);
    if (!fixed.empty()) {
        Session other{channel, endpoint, fixed};
        test.require("open the other", other.status() == Status::Ok);
        test.require("write there", other.call().Write(0, 1, 0).status() == Status::NoCapability);
        test.require("read there", other.call().Read(0, 1, 0).ok());
        other.drop_handle();
        other.drop_rest();
    }
    session.drop_handle();
    session.drop_rest();
}

void sessions_end(u32 channel, u16 endpoint, std::string_view disk) {
    Test test{"sessions-end"};
    for (u32 round = 0; round < 2; ++round) {
        u32 rest[kMostSessions][3]{};
        u32 count = 0;
        Status last = Status::Ok;
        while (count < kMostSessions) {
            Session session{channel, endpoint, disk};
            last = session.status();
            if (last != Status::Ok) {
                break;
            }
            rest[count][0] = session.call().channel_handle();
            rest[count][1] = session.buffer();
            rest[count][2] = session.keep();
            ++count;
        }
        test.equal("many", count, kMostSessions - 1);
        test.require("all used up", last == Status::OutOfMemory);
        for (u32 i = 0; i < count; ++i) {
            for (const u32 handle : rest[i]) {
                (void)handles().Close(handle);
            }
        }
        sdk::sleep_ms(20);  // the driver hears of it
    }
    Session session{channel, endpoint, disk};
    test.require("again", session.status() == Status::Ok);
    const auto memory = session.map();
    test.require("mapped", !memory.empty());
    test.require("close", session.call().Close().ok());
    test.require("no more calls", session.call().Flush().status() != Status::Ok);
    test.require("unmapped", vmm().Query(session.address()).status() == Status::ResourceNotFound);
    session.drop_handle();
    session.drop_rest();
}

}  // namespace disks
