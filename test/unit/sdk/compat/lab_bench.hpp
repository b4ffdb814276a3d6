// SPDX-License-Identifier: Apache-2.0
// Both sides of a call in one test: servers in either language, and memory for a client's arenas.
#pragma once

#include "lab_server.h"

#include <catch2/catch_test_macros.hpp>
#include <lab/Every.client.hpp>
#include <lab/Every.idl.h>
#include <lab/Plant.edl.hpp>
#include <lab/Valve.client.hpp>
#include <lab/Valve.idl.h>
#include <test/unit/sdk/idlc/kernel_fake.hpp>
#include <test/unit/sdk/idlc/lab_servers.hpp>

namespace test {

/// lab_server behind the fake kernel. Its buffers begin at an odd address on purpose.
class CServer final {
public:
    CServer() {
        lab_server_reset();
        fake = {};
        fake.serve = [this] { serve(); };
        NkKosTransport_Init(&transport_, 9, NK_NULL, 0);
    }

    ~CServer() { fake = {}; }

    CServer(const CServer&) = delete;
    CServer& operator=(const CServer&) = delete;

    nk_err_t received = NK_EOK;
    nk_err_t dispatched = NK_EOK;
    nk_err_t replied = NK_EOK;

private:
    void serve() {
        lab_Plant_entity_req req;
        lab_Plant_entity_res res;
        nk_arena req_arena = NK_ARENA_INITIALIZER(
            req_memory_ + 1, req_memory_ + 1 + lab_Plant_entity_req_arena_size);
        nk_arena res_arena = NK_ARENA_INITIALIZER(
            res_memory_ + 3, res_memory_ + 3 + lab_Plant_entity_res_arena_size);
        std::memset(&res, 0xEE, sizeof res);
        nk_req_reset(&req);
        received = nk_transport_recv(&transport_.base, &req.base_, &req_arena);
        if (received != NK_EOK) {
            return;
        }
        dispatched = lab_Plant_entity_dispatch(
            &lab_server.entity, &req.base_, &req_arena, &res.base_, &res_arena);
        replied = nk_transport_reply(&transport_.base, &res.base_, &res_arena);
    }

    NkKosTransport transport_;
    alignas(8) char req_memory_[lab_Plant_entity_req_arena_size + 8];
    alignas(8) char res_memory_[lab_Plant_entity_res_arena_size + 8];
};

/// The same in C++.
struct CppServer {
    Valve valve;
    Every every;
    Valve second;
    Every third;
    lab::Plant::Dispatcher dispatcher{9, valve, every, second, third};

    CppServer() {
        fake = {};
        fake.server = &dispatcher;
    }

    ~CppServer() { fake = {}; }

    CppServer(const CppServer&) = delete;
    CppServer& operator=(const CppServer&) = delete;
};

/// A client in C: proxies of one server and arenas.
class CClient final {
public:
    CClient() {
        NkKosTransport_Init(&transport, 7, NK_NULL, 0);
        lab_Valve_proxy_init(&valve_proxy, &transport.base, lab_Plant_act_valve_iid);
        lab_Every_proxy_init(&every_proxy, &transport.base, lab_Plant_act_interface_iid);
        nk_arena_reset(&req_arena);
        nk_arena_reset(&res_arena);
    }

    CClient(const CClient&) = delete;
    CClient& operator=(const CClient&) = delete;

    lab_Valve* valve() { return &valve_proxy.base; }

    lab_Every* every() { return &every_proxy.base; }

    NkKosTransport transport;
    lab_Valve_proxy valve_proxy;
    lab_Every_proxy every_proxy;

private:
    char req_memory_[lab_Plant_entity_req_arena_size];
    char res_memory_[lab_Plant_entity_res_arena_size];

public:
    nk_arena req_arena = NK_ARENA_INITIALIZER(req_memory_, req_memory_ + sizeof req_memory_);
    nk_arena res_arena = NK_ARENA_INITIALIZER(res_memory_, res_memory_ + sizeof res_memory_);

    nk_err_t set(nk_uint16_t value, const std::string& reason, lab_Valve_Set_res& res) {
        lab_Valve_Set_req req{{}, value, {}};
        nk_arena_reset(&req_arena);
        REQUIRE(NkKosCopyStringToArena(&req_arena, &req.reason, reason.c_str()) == NK_EOK);
        return lab_Valve_Set(valve(), &req, &req_arena, &res, NK_NULL);
    }

    std::string text(const nk_ptr_t& chunk) const {
        const char* const found = NkKosGetStringFromArena(&res_arena, &chunk);
        return found == nullptr ? "(wrong)" : found;
    }
};

}  // namespace test
