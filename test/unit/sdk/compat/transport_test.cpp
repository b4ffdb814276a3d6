// SPDX-License-Identifier: Apache-2.0
#include "clock_fake.hpp"
#include "lab_bench.hpp"

#include <rtl/retcode.h>

using abi::Status;
using test::CClient;
using test::CServer;
using test::fake;

namespace {

lab_Valve_Limit_req limit_request() { return {{}, {1, 2}}; }

nk_err_t call_limit(CClient& client) {
    lab_Valve_Limit_req req = limit_request();
    lab_Valve_Limit_res res{};
    return lab_Valve_Limit(client.valve(), &req, NK_NULL, &res, NK_NULL);
}

}  // namespace

TEST_CASE("a refusal of the policy is told from other failures", "[compat][transport]") {
    fake = {};
    CClient client;
    fake.refuse = Status::SecurityDisallow;
    CHECK(call_limit(client) == NK_EPERM);
    fake.refuse = Status::NotConnected;
    CHECK(call_limit(client) == NK_ENOTCONN);
    fake.refuse = Status::Timeout;
    CHECK(call_limit(client) == NK_EAGAIN);
    fake.refuse = Status::BufferTooSmall;
    CHECK(call_limit(client) == NK_ENOMEM);
    fake.refuse = Status::BadHandle;
    CHECK(call_limit(client) == NK_EINVAL);
    fake.refuse = Status::InternalError;
    CHECK(call_limit(client) == NK_EBADMSG);
}

TEST_CASE("a timeout is a deadline of each call", "[compat][transport]") {
    CServer server;
    CClient client;
    CHECK(call_limit(client) == NK_EOK);
    CHECK(fake.deadline == 0);
    test::clock_ticks = 1000;
    NkKosTransportSync_Init(&client.transport, 7, 250);
    CHECK(call_limit(client) == NK_EOK);
    CHECK(fake.deadline == 1250);
}

TEST_CASE("a header that was filled by hand calls as a proxy does", "[compat][transport]") {
    CServer server;
    NkKosTransport transport;
    NkKosTransport_Init(&transport, 7, NK_NULL, 0);
    lab_Valve_Set_req req{{}, 5, {}};
    lab_Valve_Set_res res{};
    char memory[lab_Valve_Set_req_arena_size];
    nk_arena arena = NK_ARENA_INITIALIZER(memory, memory + sizeof memory);
    REQUIRE(NkKosCopyStringToArena(&arena, &req.reason, "hand") == NK_EOK);
    nk_req_reset(&req);
    nk_req_reset(&res);
    nk_msg_set_method_id(&req, lab_Plant_act_valve_iid, lab_Valve_Set_mid);
    nk_msg_set_ncaps(&req.base_, 0);
    REQUIRE(nk_transport_call(&transport.base, &req.base_, &arena, &res.base_, NK_NULL) == NK_EOK);
    CHECK(res.ok == 1);
    CHECK(std::string{lab_server.reason} == "hand");
}

TEST_CASE("an answer that has no room is an error", "[compat][transport]") {
    CServer server;
    NkKosTransport transport;
    NkKosTransport_Init(&transport, 7, NK_NULL, 0);
    lab_Valve_Set_req req{{}, 5, {}};
    nk_message res{};
    nk_req_reset(&req);
    nk_req_reset(&res);
    nk_msg_set_method_id(&req, lab_Plant_act_valve_iid, lab_Valve_Set_mid);
    fake.corrupt_request = [](test::Carried& m) {
        m.tag = abi::Tag::make_long(abi::Kind::Request, 0, 0, 0);
    };
    CHECK(nk_transport_call(&transport.base, &req.base_, NK_NULL, &res, NK_NULL) == NK_EBADMSG);
}

TEST_CASE("nothing is replied to twice, and nothing without a request", "[compat][transport]") {
    fake = {};
    NkKosTransport transport;
    NkKosTransport_Init(&transport, 9, NK_NULL, 0);
    lab_Valve_req req;
    lab_Valve_res res{};
    nk_req_reset(&res.Limit);
    CHECK(nk_transport_reply(&transport.base, &res.base_, NK_NULL) == NK_ENOMSG);
    fake.request.tag = abi::Tag::make_short(abi::Kind::Request, 0, lab_Valve_Limit_mid, 8);
    fake.request.fixed.assign(8, 0);
    nk_req_reset(&req);
    REQUIRE(nk_transport_recv(&transport.base, &req.base_, NK_NULL) == NK_EOK);
    CHECK(req.base_.mid == lab_Valve_Limit_mid);
    CHECK(nk_transport_reply(&transport.base, &res.base_, NK_NULL) == NK_EOK);
    CHECK(fake.replies == 1);
    CHECK(nk_transport_reply(&transport.base, &res.base_, NK_NULL) == NK_ENOMSG);
}

TEST_CASE("a request without room is refused and the client is told", "[compat][transport]") {
    fake = {};
    NkKosTransport transport;
    NkKosTransport_Init(&transport, 9, NK_NULL, 0);
    nk_message header{};
    nk_req_reset(&header);
    fake.request.tag = abi::Tag::make_short(abi::Kind::Request, 3, 1, 8);
    fake.request.fixed.assign(8, 0);
    CHECK(nk_transport_recv(&transport.base, &header, NK_NULL) == NK_EBADMSG);
    REQUIRE(fake.replies == 1);
    CHECK(fake.answer.tag == abi::Tag::make_short(abi::Kind::Error, 3, 1, 0));
    CHECK(nk_transport_reply(&transport.base, &header, NK_NULL) == NK_ENOMSG);
}

TEST_CASE("a loop that ignores errors does not spin on a lost handle", "[compat][transport]") {
    fake = {};
    NkKosTransport transport;
    NkKosTransport_Init(&transport, 9, NK_NULL, 0);
    lab_Valve_req req;
    test::clock_ticks = 0;
    fake.receive_results = {Status::OutOfMemory, Status::BadHandle};
    nk_req_reset(&req);
    CHECK(nk_transport_recv(&transport.base, &req.base_, NK_NULL) == NK_EINVAL);
    CHECK(test::clock_ticks == 100);
    CHECK(nk_transport_recv(&transport.base, &req.base_, NK_NULL) == NK_ENOMEM);
    CHECK(test::clock_ticks == 100);
}

TEST_CASE("the ready-made loop serves until the handle is lost", "[compat][transport]") {
    fake = {};
    lab_server_reset();
    NkKosDispatchInfo info = NK_ENTITY_DISPATCH_INFO_INITIALIZER(lab_Plant, lab_server.entity);
    fake.request.tag = abi::Tag::make_short(abi::Kind::Request, 0, lab_Valve_Limit_mid, 8);
    fake.request.fixed.assign(8, 1);
    fake.receive_results = {Status::NotConnected, Status::Ok, Status::OutOfMemory};
    CHECK(NkKosDoDispatch(9, &info) == NK_ENOTCONN);
    CHECK(lab_server.calls == 1);
    CHECK(fake.replies == 1);
}

TEST_CASE("codes of the system are distinct and start at zero", "[compat][retcode]") {
    CHECK(RC_GET_CODE(rcOk) == 0);
    CHECK(RC_GET_CODE(rcFail) == 1);
    CHECK(RC_GET_CODE(rcSecurityDisallow) == 0x13);
    CHECK(rcDeviceNotFound < 0);
}

TEST_CASE("the clock that comes with the transport counts milliseconds", "[compat][transport]") {
    test::clock_ticks = 5000;
    CHECK(KnGetMSecSinceStart() == 5000);
    CHECK(KnSleep(20) == rcOk);
    CHECK(KnGetMSecSinceStart() == 5020);
}
