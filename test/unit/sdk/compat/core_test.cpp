// SPDX-License-Identifier: Apache-2.0
// Functions that the kernel answers; the test is the kernel.
#include "lab_bench.hpp"

#include <coresrv/handle/handle_api.h>
#include <coresrv/nk/transport-kos-security.h>
#include <kl/core/Core.endpoints.hpp>
#include <kl/core/Handle.idl.hpp>
#include <kl/core/Time.idl.hpp>
#include <lab/PanelState.idl.h>

using abi::Status;
using test::fake;

namespace {

constexpr base::u16 kHandles = kl::core::Core::endpoint::handle_Handle;

/// The next calls of this endpoint's method are made on the kernel's handle and answered so.
template <typename Response>
void answer(base::u16 endpoint, auto method, const Response& response) {
    fake = {};
    fake.handle = sdk::kKernelHandle;
    fake.serve = [endpoint, method, response] {
        const auto number = static_cast<base::u16>(method);
        CHECK(fake.request.tag.endpoint() == endpoint);
        CHECK(fake.request.tag.method() == number);
        fake.answer.tag =
            abi::Tag::make_short(abi::Kind::Response, endpoint, number, sizeof response);
        fake.answer.fixed.resize(sizeof response);
        std::memcpy(fake.answer.fixed.data(), &response, sizeof response);
        fake.answered = true;
    };
}

}  // namespace

TEST_CASE("a question to the policy is a call whose verdict is the answer", "[compat][security]") {
    namespace handle = kl::core::Handle;
    answer(
        kHandles, handle::Method::SecurityConnect, handle::SecurityConnect_Response{.channel = 7});
    NkKosSecurityTransport transport;
    REQUIRE(NkKosSecurityTransport_Init(&transport, NK_NULL, 0) == NK_EOK);
    CHECK(transport.handle == 7);
    lab_PanelState_proxy proxy;
    lab_PanelState_proxy_init(&proxy, &transport.base, lab_Plant_securityIid);
    lab_PanelState_Login_req req{{}, 81};
    lab_PanelState_Login_res res{};
    fake = {};
    // What the kernel leaves in the registers: a status and nothing else.
    fake.refuse = Status::Ok;
    CHECK(lab_PanelState_Login(&proxy.base, &req, NK_NULL, &res, NK_NULL) == NK_EOK);
    CHECK(fake.request.tag.endpoint() == lab_Plant_securityIid);
    CHECK(fake.request.tag.method() == lab_PanelState_Login_mid);
    CHECK(fake.request.fixed == std::vector<base::u8>{81, 0, 0, 0, 0, 0, 0, 0});
    fake.refuse = Status::SecurityDisallow;
    CHECK(lab_PanelState_Login(&proxy.base, &req, NK_NULL, &res, NK_NULL) == NK_EPERM);
}

TEST_CASE("a process that may not ask the policy is told so at once", "[compat][security]") {
    fake = {};
    fake.handle = sdk::kKernelHandle;
    fake.refuse = Status::SecurityDisallow;
    NkKosSecurityTransport transport;
    CHECK(NkKosSecurityTransport_Init(&transport, NK_NULL, 0) == NK_EPERM);
    CHECK(transport.handle == INVALID_HANDLE);
    fake = {};
}

TEST_CASE("handles are closed and revoked by the kernel", "[compat][core]") {
    namespace handle = kl::core::Handle;
    answer(kHandles, handle::Method::Close, handle::Close_Response{});
    CHECK(KnHandleClose(0x20003) == rcOk);
    CHECK(fake.request.fixed == std::vector<base::u8>{3, 0, 2, 0, 0, 0, 0, 0});
    answer(kHandles,
           handle::Method::Close,
           handle::Close_Response{.rc = static_cast<base::s32>(Status::BadHandle)});
    CHECK(KnHandleClose(5) == rcInvalidArgument);
    answer(kHandles,
           handle::Method::Revoke,
           handle::Revoke_Response{.rc = static_cast<base::s32>(Status::NoCapability)});
    CHECK(KnHandleRevoke(5) == rcNoCapability);
    fake = {};
}

TEST_CASE("the wall clock comes in seconds and nanoseconds", "[compat][core]") {
    namespace time = kl::core::Time;
    answer(kl::core::Core::endpoint::time_Time,
           time::Method::GetSystemTime,
           time::GetSystemTime_Response{.nanoseconds = 5'000'000'042});
    RtlTimeSpec now{};
    CHECK(KnGetSystemTime(&now) == rcOk);
    CHECK(now.sec == 5);
    CHECK(now.nsec == 42);
    fake = {};
    fake.handle = sdk::kKernelHandle;
    fake.refuse = Status::SecurityDisallow;
    CHECK(KnGetSystemTime(&now) == rcSecurityDisallow);
    fake = {};
}
