// SPDX-License-Identifier: Apache-2.0
// A client as solutions for KasperskyOS write it. It writes to the console, whose driver is in C++:
// both bindings speak the same wire.
#include <coresrv/nk/transport-kos-security.h>
#include <coresrv/nk/transport-kos.h>
#include <coresrv/sl/sl_api.h>
#include <drivers/Console.idl.h>
#include <drivers/Pl011.edl.h>
#include <echo/Client.edl.h>
#include <echo/Ping.idl.h>
#include <echo/Words.idl.h>

static void print(struct drivers_Console_proxy* console, const char* text) {
    char buffer[drivers_Console_Write_req_arena_size];
    struct nk_arena arena = NK_ARENA_INITIALIZER(buffer, buffer + sizeof(buffer));
    drivers_Console_Write_req req;
    drivers_Console_Write_res res;
    if (NkKosCopyStringToArena(&arena, &req.text, text) == NK_EOK) {
        (void)drivers_Console_Write(&console->base, &req, &arena, &res, NK_NULL);
    }
}

/// One call: 0 when the answer is right, 1 for an error response, 2 for anything else.
static int ping(struct echo_Ping_proxy* proxy, nk_uint32_t value) {
    char req_buffer[echo_Ping_Ping_req_arena_size];
    struct nk_arena req_arena = NK_ARENA_INITIALIZER(req_buffer, req_buffer + sizeof(req_buffer));
    char res_buffer[echo_Ping_Ping_res_arena_size];
    struct nk_arena res_arena = NK_ARENA_INITIALIZER(res_buffer, res_buffer + sizeof(res_buffer));
    echo_Ping_Ping_req req;
    echo_Ping_Ping_res res;
    req.value = value;
    if (NkKosCopyStringToArena(&req_arena, &req.text, "tessera") != NK_EOK ||
        echo_Ping_Ping(&proxy->base, &req, &req_arena, &res, &res_arena) != NK_EOK) {
        return 2;
    }
    if (nk_msg_check_err(&res)) {
        return res.err_.reason == value ? 1 : 2;
    }
    const char* text = NkKosGetStringFromArena(&res_arena, &res.text);
    return text != NK_NULL && text[0] == 'a' && text[6] == 't' && res.result == value + 1 ? 0 : 2;
}

/// Asks the policy whether `value` may be said.
static nk_err_t may_say(struct echo_Words_proxy* policy, nk_uint32_t value) {
    echo_Words_Say_req req;
    echo_Words_Say_res res;
    req.value = value;
    return echo_Words_Say(&policy->base, &req, NK_NULL, &res, NK_NULL);
}

int main(int argc, const char* argv[]) {
    NkKosTransport console_transport;
    NkKosTransport_Init(&console_transport, ServiceLocatorConnect("console"), NK_NULL, 0);
    struct drivers_Console_proxy console;
    drivers_Console_proxy_init(&console, &console_transport.base, drivers_Pl011_console_iid);

    Handle handle = ServiceLocatorConnect("server_connection");
    nk_iid_t riid = ServiceLocatorGetRiid(handle, "echo.CPing.ping");
    if (argc < 1 || argv[0] == NK_NULL || riid == INVALID_RIID ||
        riid != ServiceLocatorGetRiid(handle, "cserver.ping")) {
        print(&console, "echo: no connection\n");
        return 1;
    }
    NkKosTransport transport;
    NkKosTransport_Init(&transport, handle, NK_NULL, 0);
    struct echo_Ping_proxy proxy;
    echo_Ping_proxy_init(&proxy, &transport.base, riid);

    for (nk_uint32_t value = 0; value < 10; ++value) {
        char line[] = "echo: ping 0 good\n";
        line[11] = (char)('0' + value);
        print(&console, ping(&proxy, value) == 0 ? line : "echo: ping FAILED\n");
    }
    print(&console, ping(&proxy, 10) == 1 ? "echo: limit reported\n" : "echo: limit FAILED\n");

    NkKosSecurityTransport security;
    struct echo_Words_proxy policy;
    if (NkKosSecurityTransport_Init(&security, NK_NULL, 0) != NK_EOK) {
        return 1;
    }
    echo_Words_proxy_init(&policy, &security.base, echo_Client_securityIid);
    const nk_bool_t is_right = may_say(&policy, 9) == NK_EOK && may_say(&policy, 10) == NK_EPERM;
    print(&console, is_right ? "echo: policy answers\n" : "echo: policy FAILED\n");
    return 0;
}
