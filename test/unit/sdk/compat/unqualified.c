// SPDX-License-Identifier: Apache-2.0
// A program that leaves out the package of every name. Compiling is the test.
#define NK_USE_UNQUALIFIED_NAMES

#include <lab/Plant.edl.h>
#include <lab/Valve.idl.h>

nk_err_t call_unqualified(struct nk_transport* transport);
nk_err_t serve_unqualified(struct nk_transport* transport, struct Valve* valve);

nk_err_t call_unqualified(struct nk_transport* transport) {
    Valve_proxy proxy;
    Valve_proxy_init(&proxy, transport, Plant_act_valve_iid);
    Valve_Limit_req req = {.range = {.low = 1, .high = Valve_MaxReason}};
    struct Valve_Limit_res res;
    return Valve_Limit(&proxy.base, &req, NK_NULL, &res, NK_NULL);
}

nk_err_t serve_unqualified(struct nk_transport* transport, struct Valve* valve) {
    Actuator_component actuator;
    struct Plant_entity entity;
    Plant_entity_req req;
    union Plant_entity_res res;
    char buffer[Plant_entity_req_arena_size];
    struct nk_arena arena = NK_ARENA_INITIALIZER(buffer, buffer + sizeof(buffer));
    Actuator_component_init(&actuator, valve, NK_NULL);
    Plant_entity_init(&entity, &actuator, NK_NULL);
    nk_req_reset(&req);
    if (nk_transport_recv(transport, &req.base_, &arena) != NK_EOK) {
        return NK_EBADMSG;
    }
    return Plant_entity_dispatch(&entity, &req.base_, &arena, &res.base_, NK_NULL);
}
