// SPDX-License-Identifier: Apache-2.0
#include "lab_server.h"

#include <string.h>

struct lab_server lab_server;

static nk_err_t valve_set(struct lab_Valve* self,
                          const struct lab_Valve_Set_req* req,
                          const struct nk_arena* req_arena,
                          struct lab_Valve_Set_res* res,
                          struct nk_arena* res_arena) {
    nk_size_t size = 0;
    const nk_char_t* reason = nk_arena_get(nk_char_t, req_arena, &req->reason, &size);
    nk_unused(self);
    nk_unused(res_arena);
    ++lab_server.calls;
    if (reason == NK_NULL) {
        return NK_EBADMSG;
    }
    memcpy(lab_server.reason, reason, size);
    if (req->value > 100) {
        nk_err_reset(res);
        res->err_.fault = req->value;
        return NK_EOK;
    }
    res->ok = 1;
    return lab_server.result;
}

static nk_err_t valve_limit(struct lab_Valve* self,
                            const struct lab_Valve_Limit_req* req,
                            const struct nk_arena* req_arena,
                            struct lab_Valve_Limit_res* res,
                            struct nk_arena* res_arena) {
    nk_unused(self);
    nk_unused(req_arena);
    nk_unused(res);
    nk_unused(res_arena);
    ++lab_server.calls;
    lab_server.limits = req->range;
    return lab_server.result;
}

static nk_err_t valve_history(struct lab_Valve* self,
                              const struct lab_Valve_History_req* req,
                              const struct nk_arena* req_arena,
                              struct lab_Valve_History_res* res,
                              struct nk_arena* res_arena) {
    nk_unused(self);
    nk_unused(req);
    nk_unused(req_arena);
    ++lab_server.calls;
    nk_uint16_t* values =
        nk_arena_alloc(nk_uint16_t, res_arena, &res->values, lab_server.history_count);
    if (values == NK_NULL) {
        return NK_ENOMEM;
    }
    for (nk_uint16_t i = 0; i < lab_server.history_count; ++i) {
        values[i] = (nk_uint16_t)(i + 1);
    }
    return lab_server.result;
}

static nk_err_t every_ints(struct lab_Every* self,
                           const struct lab_Every_ints_req* req,
                           const struct nk_arena* req_arena,
                           struct lab_Every_ints_res* res,
                           struct nk_arena* res_arena) {
    nk_unused(self);
    nk_unused(req_arena);
    nk_unused(res_arena);
    lab_server.number =
        (nk_uint64_t)(req->a + req->b + req->c) + (nk_uint64_t)req->d + req->e + req->f;
    res->s = req->h;
    res->p = req->g;
    return NK_EOK;
}

static nk_err_t every_delete(struct lab_Every* self,
                             const struct lab_Every_delete_req* req,
                             const struct nk_arena* req_arena,
                             struct lab_Every_delete_res* res,
                             struct nk_arena* res_arena) {
    nk_unused(self);
    nk_unused(req_arena);
    nk_unused(res_arena);
    res->interface = req->class_;
    res->interface.tags[2].high = 9;
    return NK_EOK;
}

static nk_err_t every_text(struct lab_Every* self,
                           const struct lab_Every_text_req* req,
                           const struct nk_arena* req_arena,
                           struct lab_Every_text_res* res,
                           struct nk_arena* res_arena) {
    nk_unused(self);
    nk_size_t size = 0;
    const char* a = nk_arena_get(char, req_arena, &req->a, &size);
    const char* b = nk_arena_get(char, req_arena, &req->b, &size);
    if (a == NK_NULL || b == NK_NULL) {
        return NK_EBADMSG;
    }
    char* joined = nk_arena_alloc(char, res_arena, &res->d, strlen(a) + strlen(b) + 1);
    if (joined == NK_NULL || NkKosCopyStringToArena(res_arena, &res->c, a) != NK_EOK) {
        return NK_ENOMEM;
    }
    strcpy(joined, a);
    strcat(joined, b);
    return NK_EOK;
}

static nk_err_t every_bytes(struct lab_Every* self,
                            const struct lab_Every_bytes_req* req,
                            const struct nk_arena* req_arena,
                            struct lab_Every_bytes_res* res,
                            struct nk_arena* res_arena) {
    nk_unused(self);
    nk_size_t size = 0;
    const nk_uint8_t* data = nk_arena_get(nk_uint8_t, req_arena, &req->data, &size);
    if (data == NK_NULL) {
        return NK_EBADMSG;
    }
    if (size > 50) {
        nk_err_reset(res);
        return nk_arena_store(nk_uint8_t, res_arena, &res->err_.why, data, 10);
    }
    return nk_arena_store(nk_uint8_t, res_arena, &res->data, data, size);
}

static nk_err_t every_handles(struct lab_Every* self,
                              const struct lab_Every_handles_req* req,
                              const struct nk_arena* req_arena,
                              struct lab_Every_handles_res* res,
                              struct nk_arena* res_arena) {
    nk_unused(self);
    nk_unused(req_arena);
    nk_unused(res_arena);
    res->c = nk_handle_desc(nk_get_handle(&req->a));
    res->d[0] = req->b;
    res->d[1] = req->a;
    return NK_EOK;
}

static void add_text(const char* text) {
    strcat(lab_server.texts, text);
    strcat(lab_server.texts, ";");
}

static nk_err_t every_seqs(struct lab_Every* self,
                           const struct lab_Every_seqs_req* req,
                           const struct nk_arena* req_arena,
                           struct lab_Every_seqs_res* res,
                           struct nk_arena* res_arena) {
    nk_unused(self);
    nk_size_t count = 0;
    const nk_uint64_t* numbers = nk_arena_get(nk_uint64_t, req_arena, &req->a, &count);
    lab_server.sum = 0;
    for (nk_size_t i = 0; i < count; ++i) {
        lab_server.sum += numbers[i];
    }
    nk_arena_get(lab_Every_Proxy, req_arena, &req->b, &lab_server.records);
    const nk_ptr_t* outer = nk_arena_get(nk_ptr_t, req_arena, &req->c, &count);
    lab_server.texts[0] = 0;
    for (nk_size_t i = 0; i < count; ++i) {
        nk_size_t inner_count = 0;
        const lab_Every_Label* inner =
            nk_arena_get(lab_Every_Label, req_arena, &outer[i], &inner_count);
        for (nk_size_t k = 0; k < inner_count; ++k) {
            add_text(NkKosGetStringFromArena(req_arena, &inner[k]));
        }
    }
    lab_Every_Entry* entries = nk_arena_alloc(lab_Every_Entry, res_arena, &res->d, 2);
    if (entries == NK_NULL) {
        return NK_ENOMEM;
    }
    entries[0].id = 11;
    entries[1].id = 22;
    if (NkKosCopyStringToArena(res_arena, &entries[0].label, "one") != NK_EOK) {
        return NK_ENOMEM;
    }
    lab_Every_Label* alias = nk_arena_alloc(lab_Every_Label, res_arena, &entries[1].aliases, 1);
    return alias == NK_NULL ? NK_ENOMEM : NkKosCopyStringToArena(res_arena, alias, "alias");
}

static nk_err_t every_unions(struct lab_Every* self,
                             const struct lab_Every_unions_req* req,
                             const struct nk_arena* req_arena,
                             struct lab_Every_unions_res* res,
                             struct nk_arena* res_arena) {
    nk_unused(self);
    nk_unused(res_arena);
    lab_server.number = req->a.tag == lab_Every_Value_tag_number ? req->a.number : 0;
    if (req->b.value.tag == lab_Every_Value_tag_text) {
        strcpy(lab_server.deep_text, NkKosGetStringFromArena(req_arena, &req->b.value.text));
    }
    res->c.value.tag = lab_Every_Value_tag_number;
    res->c.value.number = 42;
    res->d[0].tag = lab_Every_Value_tag_mac;
    for (nk_uint8_t i = 0; i < nk_array_size(res->d[0].mac); ++i) {
        res->d[0].mac[i] = (nk_uint8_t)(i + 1);
    }
    return NK_EOK;
}

static nk_err_t every_arrays(struct lab_Every* self,
                             const struct lab_Every_arrays_req* req,
                             const struct nk_arena* req_arena,
                             struct lab_Every_arrays_res* res,
                             struct nk_arena* res_arena) {
    nk_unused(self);
    nk_unused(req_arena);
    nk_unused(res_arena);
    lab_server.grid_sum = 0;
    for (int i = 0; i < 3; ++i) {
        lab_server.grid_sum = (nk_uint8_t)(lab_server.grid_sum + req->grid[i][0] + req->grid[i][1]);
    }
    memcpy(res->back, req->mac, sizeof(res->back));
    return NK_EOK;
}

static nk_err_t every_until(struct lab_Every* self,
                            const struct lab_Every_until_req* req,
                            const struct nk_arena* req_arena,
                            struct lab_Every_until_res* res,
                            struct nk_arena* res_arena) {
    nk_unused(self);
    nk_unused(req);
    nk_unused(req_arena);
    nk_unused(res_arena);
    res->tag = 3;
    return NK_EOK;
}

static nk_err_t every_nothing(struct lab_Every* self,
                              const struct lab_Every_nothing_req* req,
                              const struct nk_arena* req_arena,
                              struct lab_Every_nothing_res* res,
                              struct nk_arena* res_arena) {
    nk_unused(self);
    nk_unused(req);
    nk_unused(req_arena);
    nk_unused(res);
    nk_unused(res_arena);
    return NK_EOK;
}

static nk_err_t every_grants(struct lab_Every* self,
                             const struct lab_Every_grants_req* req,
                             const struct nk_arena* req_arena,
                             struct lab_Every_grants_res* res,
                             struct nk_arena* res_arena) {
    nk_unused(self);
    nk_unused(req_arena);
    res->passes.count = req->keys.count < 2 ? req->keys.count : 2;
    for (nk_uint32_t i = 0; i < res->passes.count; ++i) {
        res->passes.items[i].valve = req->keys.items[i];
        if (NkKosCopyStringToArena(res_arena, &res->passes.items[i].name, "pass") != NK_EOK) {
            return NK_ENOMEM;
        }
    }
    if (req->grant.tag == lab_Every_Grant_tag_ring) {
        res->back.tag = lab_Every_Grant_tag_key;
        res->back.key = req->grant.ring.keys.items[0];
    } else {
        res->back = req->grant;
    }
    return NK_EOK;
}

// Not all of the methods: nobody implements Method.
static const struct lab_Every_ops every_ops = {
    .ints = every_ints,
    .delete_ = every_delete,
    .text = every_text,
    .bytes = every_bytes,
    .handles = every_handles,
    .seqs = every_seqs,
    .unions = every_unions,
    .arrays = every_arrays,
    .until = every_until,
    .nothing = every_nothing,
    .grants = every_grants,
};

static const struct lab_Valve_ops valve_ops = {valve_set, valve_limit, valve_history};

void lab_server_reset(void) {
    memset(&lab_server, 0, sizeof(lab_server));
    lab_server.valve.ops = &valve_ops;
    lab_server.every.ops = &every_ops;
    lab_server.history_count = 3;
    lab_Actuator_component_init(&lab_server.actuator, &lab_server.valve, &lab_server.every);
    lab_Plant_entity_init(&lab_server.entity, &lab_server.actuator, NK_NULL);
}
