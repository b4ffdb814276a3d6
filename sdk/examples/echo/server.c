// SPDX-License-Identifier: Apache-2.0
// A server as solutions for KasperskyOS write it: an implementation with its operations, and a loop
// of receive, dispatch and reply.
#include <coresrv/nk/transport-kos.h>
#include <coresrv/sl/sl_api.h>
#include <echo/Server.edl.h>

/// Greatest value that is answered.
#define LIMIT 9u

typedef struct PingImpl {
    struct echo_Ping base;
    nk_uint32_t step;
} PingImpl;

static nk_err_t ping(struct echo_Ping* self,
                     const struct echo_Ping_Ping_req* req,
                     const struct nk_arena* req_arena,
                     struct echo_Ping_Ping_res* res,
                     struct nk_arena* res_arena) {
    const PingImpl* impl = (const PingImpl*)self;
    if (req->value > LIMIT) {
        nk_err_reset(res);
        res->err_.reason = req->value;
        return NK_EOK;
    }
    nk_size_t size = 0;
    const nk_char_t* text = nk_arena_get(nk_char_t, req_arena, &req->text, &size);
    if (text == NK_NULL || size == 0) {
        return NK_EBADMSG;
    }
    nk_char_t* turned = nk_arena_alloc(nk_char_t, res_arena, &res->text, size);
    if (turned == NK_NULL) {
        return NK_ENOMEM;
    }
    for (nk_size_t i = 0; i + 1 < size; ++i) {
        turned[i] = text[size - 2 - i];
    }
    res->result = req->value + impl->step;
    return NK_EOK;
}

static struct echo_Ping* create_impl(nk_uint32_t step) {
    static const struct echo_Ping_ops ops = {.Ping = ping};
    static PingImpl impl = {.base = {&ops}};
    impl.step = step;
    return &impl.base;
}

int main(void) {
    ServiceId id;
    Handle handle = ServiceLocatorRegister("server_connection", NK_NULL, 0, &id);
    if (handle == INVALID_HANDLE) {
        return 1;
    }
    NkKosTransport transport;
    NkKosTransport_Init(&transport, handle, NK_NULL, 0);

    echo_Server_entity_req req;
    char req_buffer[echo_Server_entity_req_arena_size];
    struct nk_arena req_arena = NK_ARENA_INITIALIZER(req_buffer, req_buffer + sizeof(req_buffer));
    echo_Server_entity_res res;
    char res_buffer[echo_Server_entity_res_arena_size];
    struct nk_arena res_arena = NK_ARENA_INITIALIZER(res_buffer, res_buffer + sizeof(res_buffer));

    echo_CPing_component component;
    echo_CPing_component_init(&component, create_impl(1));
    echo_Server_entity entity;
    echo_Server_entity_init(&entity, &component);

    for (;;) {
        nk_req_reset(&req);
        nk_arena_reset(&req_arena);
        nk_arena_reset(&res_arena);
        if (nk_transport_recv(&transport.base, &req.base_, &req_arena) != NK_EOK) {
            continue;
        }
        (void)echo_Server_entity_dispatch(&entity, &req.base_, &req_arena, &res.base_, &res_arena);
        (void)nk_transport_reply(&transport.base, &res.base_, &res_arena);
    }
}
