// SPDX-License-Identifier: Apache-2.0
// Every name of the C interface that sources may use, with its kind and type: of the shipped
// headers, and of what idlc makes of an interface, a component and a class. Compiling is the test.
#include <coresrv/handle/handle_api.h>
#include <coresrv/nk/transport-kos-dispatch.h>
#include <coresrv/nk/transport-kos-security.h>
#include <coresrv/sl/sl_api.h>
#include <coresrv/syscalls.h>
#include <lab/Actuator.cdl.h>
#include <lab/Every.idl.h>
#include <lab/Plant.edl.h>
#include <lab/Valve.idl.h>
#include <rtl/align.h>
#include <rtl/assert.h>
#include <rtl/compiler.h>
#include <rtl/countof.h>
#include <rtl/inttypes.h>
#include <rtl/minmax.h>
#include <rtl/retcode_hr.h>
#include <rtl/stdbool.h>
#include <rtl/string.h>

#define SAME(a, b) _Static_assert(_Generic((a){0}, b: 1, default: 0), #a " is " #b)
#define IS(value, type) _Static_assert(_Generic((value), type: 1, default: 0), #value " is " #type)
#define HOLDS(condition) _Static_assert(condition, #condition)

// nk/types.h
SAME(nk_uint8_t, uint8_t);
SAME(nk_uint16_t, uint16_t);
SAME(nk_uint32_t, uint32_t);
SAME(nk_uint64_t, uint64_t);
SAME(nk_sint8_t, int8_t);
SAME(nk_sint16_t, int16_t);
SAME(nk_sint32_t, int32_t);
SAME(nk_sint64_t, int64_t);
SAME(nk_char_t, char);
SAME(nk_size_t, nk_uint32_t);
SAME(nk_err_t, int);
HOLDS((nk_bool_t)NK_TRUE == 1 && (nk_bool_t)NK_FALSE == 0);
HOLDS(sizeof(nk_iid_t) == 2 && (nk_iid_t)-1 > 0 && NK_IID_MAX == (nk_iid_t)-1);
HOLDS(sizeof(nk_mid_t) == 2 && (nk_mid_t)-1 > 0);
HOLDS(sizeof(nk_sid_t) == 8);
HOLDS(sizeof(nk_ptr_t) == 8 && nk_alignof(nk_ptr_t) == 4);
IS(NK_UINT8_C(1), nk_uint8_t);
IS(NK_UINT16_C(1), nk_uint16_t);
IS(NK_UINT32_C(1), nk_uint32_t);
IS(NK_UINT64_C(1), nk_uint64_t);
IS(NK_SINT8_C(-1), nk_sint8_t);
IS(NK_SINT16_C(-1), nk_sint16_t);
IS(NK_SINT32_C(-1), nk_sint32_t);
IS(NK_SINT64_C(-1), nk_sint64_t);
IS(&nk_handle_desc_copy, nk_handle_desc_t (*)(nk_handle_t, nk_rights_t, nk_uint64_t));
IS(&nk_get_handle, nk_handle_t (*)(const struct nk_handle_desc*));
IS(&nk_get_rights, nk_rights_t (*)(const nk_handle_desc_t*));
IS(&nk_is_handle_dereferenced, nk_bool_t (*)(const nk_handle_desc_t*));
nk_static_assert(sizeof(char[3]) == nk_array_size(((char[]){1, 2, 3})), nk_array_size_counts);

struct __nk_packed packed {
    char a;
    int b;
};

HOLDS(sizeof(struct packed) == 5);

struct aligned {
    char a __nk_alignas(16);
};

HOLDS(nk_alignof(struct aligned) == 16);

// nk/errno.h: usable as labels, hence distinct
int all_errors(nk_err_t error);

int all_errors(nk_err_t error) {
    switch (error) {
    case NK_EOK:
    case NK_EPERM:
    case NK_ENOENT:
    case NK_EAGAIN:
    case NK_ENOMEM:
    case NK_EINVAL:
    case NK_ENOTEMPTY:
    case NK_ENOMSG:
    case NK_EBADMSG:
    case NK_ENOTCONN:
        return 1;
    default:
        return 0;
    }
}

HOLDS(NK_EOK == 0 && rcOk == 0);

// rtl/retcode.h: likewise
SAME(Retcode, __INT32_TYPE__);
int all_codes(Retcode rc);

int all_codes(Retcode rc) {
    switch (rc) {
    case rcOk:
    case rcFail:
    case rcInvalidArgument:
    case rcNotConnected:
    case rcOutOfMemory:
    case rcBufferTooSmall:
    case rcBufferTooLarge:
    case rcInternalError:
    case rcTransferError:
    case rcReceiveError:
    case rcSourceFault:
    case rcTargetFault:
    case rcIpcInterrupt:
    case rcRestart:
    case rcNoCapability:
    case rcNotReady:
    case rcUnimplemented:
    case rcBusy:
    case rcResourceNotFound:
    case rcTimeout:
    case rcSecurityDisallow:
    case rcFutexWouldBlock:
    case rcAbort:
    case rcInvalidThreadState:
    case rcAlreadyExists:
    case rcInvalidOperation:
    case rcHandleRevoked:
    case rcQuotaExceeded:
    case rcDeviceNotFound:
        return RC_GET_CODE(rc);
    default:
        return 0;
    }
}

// rtl
SAME(rtl_uint8_t, uint8_t);
SAME(rtl_uint16_t, uint16_t);
SAME(rtl_uint32_t, uint32_t);
SAME(rtl_uint64_t, uint64_t);
SAME(rtl_int8_t, int8_t);
SAME(rtl_int16_t, int16_t);
SAME(rtl_int32_t, int32_t);
SAME(rtl_int64_t, int64_t);
SAME(rtl_size_t, size_t);
SAME(rtl_uintptr_t, uintptr_t);
HOLDS((rtl_bool)2 == true && RTL_UINT32_C(1) == 1u && RTL_UINT64_C(1) == 1u);
HOLDS(rtl_countof(((int[]){1, 2})) == 2);
HOLDS(rtl_min(2, 3) == 2 && rtl_max(2, 3) == 3);
HOLDS(rtl_align_up(5u, 8u) == 8u && rtl_align_down(15u, 8u) == 8u && rtl_align_up(8u, 8u) == 8u);
IS(&rtl_memcpy, void* (*)(void*, const void*, size_t));
IS(&rtl_memset, void* (*)(void*, int, size_t));
IS(&rtl_memcmp, int (*)(const void*, const void*, size_t));
IS(&rtl_strlen, size_t (*)(const char*));
IS(&rtl_strcmp, int (*)(const char*, const char*));
IS(&rtl_strncmp, int (*)(const char*, const char*, size_t));
IS(&rtl_strncpy, char* (*)(char*, const char*, size_t));
IS(&rtl_strnlen, size_t (*)(const char*, size_t));
IS(&rtl_strlcpy, size_t (*)(char*, const char*, size_t));
HOLDS(sizeof(struct RtlTimeSpec) == sizeof(RtlTimeSpec) && RTL_NSEC_PER_MSEC == 1000000);
HOLDS(INFINITE_TIMEOUT == 0xFFFFFFFF);

struct __rtl_packed rtl_packed {
    char a;
    int b;
};

HOLDS(sizeof(struct rtl_packed) == 5);
const void* no_pointers(int is_rtl, int unused __rtl_unused);

const void* no_pointers(int is_rtl, int unused __rtl_unused) {
    rtl_assert(is_rtl >= 0);
    nk_assert(is_rtl <= 1);
    return rtl_likely(is_rtl) ? RTL_NULL : NK_NULL;
}

// transport, arena, service locator
IS(&nk_arena_reset, void (*)(struct nk_arena*));
IS(&nk_transport_call,
   nk_err_t (*)(struct nk_transport*,
                struct nk_message*,
                const struct nk_arena*,
                struct nk_message*,
                struct nk_arena*));
IS(&nk_transport_recv, nk_err_t (*)(struct nk_transport*, struct nk_message*, struct nk_arena*));
IS(&nk_transport_reply,
   nk_err_t (*)(struct nk_transport*, struct nk_message*, const struct nk_arena*));
IS(&NkKosTransport_Init, void (*)(struct NkKosTransport*, Handle, void*, nk_size_t));
IS(&NkKosTransportSync_Init, void (*)(NkKosTransport*, Handle, rtl_uint32_t));
IS(&NkKosCopyStringToArena, nk_err_t (*)(struct nk_arena*, nk_ptr_t*, const char*));
IS(&NkKosGetStringFromArena, const char* (*)(const struct nk_arena*, const nk_ptr_t*));
IS(&NkKosDoDispatch, nk_err_t (*)(Handle, NkKosDispatchInfo*));
IS(&NkKosSecurityTransport_Init, nk_err_t (*)(NkKosSecurityTransport*, void*, nk_size_t));
IS(&((NkKosTransport*)0)->base, struct nk_transport*);
IS(&((NkKosTransport*)0)->handle, Handle*);
IS(&((NkKosSecurityTransport*)0)->base, struct nk_transport*);
IS(&ServiceLocatorConnect, Handle (*)(const char*));
IS(&ServiceLocatorRegister, Handle (*)(const char*, const char*, nk_size_t, ServiceId*));
IS(&ServiceLocatorGetRiid, nk_iid_t (*)(Handle, const char*));
IS(&KnHandleClose, Retcode (*)(Handle));
IS(&KnHandleRevoke, Retcode (*)(Handle));
IS(&KnGetMSecSinceStart, rtl_size_t (*)(void));
IS(&KnSleep, Retcode (*)(rtl_uint32_t));
IS(&KnGetSystemTime, Retcode (*)(RtlTimeSpec*));
HOLDS(INVALID_HANDLE == 0 && INVALID_RIID <= NK_IID_MAX && HANDLE_TYPE_USER_FIRST > 0);
IS(OCAP_HANDLE_TRANSFER | OCAP_HANDLE_COPY | OCAP_HANDLE_GET_SID, unsigned);
IS(OCAP_HANDLE_SET_EVENT | OCAP_HANDLE_GET_EVENT | OCAP_IPC_CALL, unsigned);
HOLDS(sizeof(Tid) == 4);

// an interface
HOLDS(lab_Valve_Set_mid == 0 && lab_Valve_History_mid == 2 && lab_Valve_mid_max == 3);
HOLDS(lab_Valve_Set_req_reason_size == 65 && lab_Every_bytes_req_data_size == 100);
HOLDS(lab_Valve_History_res_values_size == 64 && lab_Every_bytes_err_why_size == 10);
HOLDS(lab_Valve_Set_req_arena_size >= 65 && lab_Valve_Set_res_arena_size == 0);
HOLDS(lab_Every_handles_req_handles == 2 && lab_Every_handles_res_handles == 3 &&
      lab_Every_handles_err_handles == 0);
HOLDS(+lab_Valve_req_arena_size == +lab_Valve_Set_req_arena_size &&
      +lab_Valve_res_arena_size == +lab_Valve_History_res_arena_size &&
      +lab_Valve_arena_size >= +lab_Valve_res_arena_size);
HOLDS(lab_Every_req_handles == 8 && lab_Every_res_handles == 7 && lab_Every_err_handles == 0);
IS(lab_Valve_MaxReason, nk_uint32_t);
IS(((struct lab_Valve_Set_req*)0)->base_, struct nk_message);
IS(((struct lab_Valve_Set_res*)0)->base_, struct nk_message);
IS(((lab_Valve_Set_err*)0)->base_, struct nk_message);
IS(((lab_Valve_Set_res*)0)->err_, struct lab_Valve_Set_err);
IS(((lab_Valve_Set_res*)0)->res_.ok, nk_uint8_t);
IS(((lab_Valve_Set_res*)0)->ok, nk_uint8_t);
IS(((lab_Valve_Limit_err*)0)->base_, struct nk_message);
IS(((lab_Valve*)0)->ops, const struct lab_Valve_ops*);
IS((lab_Valve_Set_fn*)0,
   nk_err_t (*)(struct lab_Valve*,
                const struct lab_Valve_Set_req*,
                const struct nk_arena*,
                struct lab_Valve_Set_res*,
                struct nk_arena*));
IS(((lab_Valve_ops*)0)->Set, lab_Valve_Set_fn*);
IS(((lab_Valve_proxy*)0)->base, struct lab_Valve);
IS(((struct lab_Valve_proxy*)0)->transport, struct nk_transport*);
IS(((lab_Valve_proxy*)0)->iid, nk_iid_t);
IS(&lab_Valve_proxy_init, void (*)(struct lab_Valve_proxy*, struct nk_transport*, nk_iid_t));
IS(&lab_Valve_Set,
   nk_err_t (*)(struct lab_Valve*,
                struct lab_Valve_Set_req*,
                const struct nk_arena*,
                struct lab_Valve_Set_res*,
                struct nk_arena*));
IS(&lab_Valve_Set_proxy,
   nk_err_t (*)(struct lab_Valve_proxy*,
                struct lab_Valve_Set_req*,
                const struct nk_arena*,
                struct lab_Valve_Set_res*,
                struct nk_arena*));
IS(((union lab_Valve_req*)0)->Limit, struct lab_Valve_Limit_req);
IS(((lab_Valve_res*)0)->base_, struct nk_message);
IS(&lab_Valve_interface_dispatch,
   nk_err_t (*)(struct lab_Valve*,
                nk_iid_t,
                const struct nk_message*,
                const struct nk_arena*,
                struct nk_message*,
                struct nk_arena*));
IS((lab_Every_Value){.number = 1}.tag, nk_uint32_t);
HOLDS(lab_Every_Value_tag_number == 0 && lab_Every_Value_tag_text == 1);

// a component
HOLDS(lab_Actuator_valve_iid == 0 && lab_Actuator_interface_iid == 1 && lab_Actuator_iidMax == 2 &&
      lab_Actuator_iidOffset == 0 && lab_Actuator_securityIidMax == 0);
HOLDS(lab_Actuator_component_req_arena_size > 0 && lab_Actuator_component_res_arena_size > 0 &&
      lab_Actuator_component_arena_size >= lab_Actuator_component_res_arena_size);
HOLDS(lab_Actuator_component_req_handles == 8 && lab_Actuator_component_res_handles == 7 &&
      lab_Actuator_component_err_handles == 0);
IS(((lab_Actuator_component*)0)->valve, struct lab_Valve*);
IS(&lab_Actuator_component_init,
   void (*)(struct lab_Actuator_component*, struct lab_Valve*, struct lab_Every*));
IS(((lab_Actuator_component_req*)0)->valve, union lab_Valve_req);
IS(((union lab_Actuator_component_res*)0)->valve, lab_Valve_res);
IS(&lab_Actuator_component_dispatch,
   nk_err_t (*)(struct lab_Actuator_component*,
                nk_iid_t,
                const struct nk_message*,
                const struct nk_arena*,
                struct nk_message*,
                struct nk_arena*));

// a class
HOLDS(lab_Plant_act_valve_iid == 0 && lab_Plant_answer_fixed_interface_iid == 3 &&
      lab_Plant_iidMax == 4 && lab_Plant_iidOffset == 0);
HOLDS(lab_Plant_act_iidOffset == 0 && lab_Plant_answer_fixed_iidOffset == 2);
HOLDS(lab_Plant_securityIid == 0 && lab_Plant_securityIidMax == 1);
HOLDS(+lab_Plant_entity_req_arena_size == +lab_Plant_component_req_arena_size &&
      +lab_Plant_entity_res_arena_size == +lab_Plant_component_res_arena_size &&
      +lab_Plant_entity_arena_size == +lab_Plant_component_arena_size);
HOLDS(lab_Plant_entity_req_handles == 8 && lab_Plant_entity_res_handles == 7 &&
      lab_Plant_entity_err_handles == 0);
IS((struct lab_Plant_entity){0}, lab_Plant_component);
IS(((lab_Plant_entity_req*)0)->act_valve, union lab_Valve_req);
IS(((union lab_Plant_entity_res*)0)->base_, struct nk_message);
IS(&lab_Plant_entity_init,
   void (*)(lab_Plant_entity*, struct lab_Actuator_component*, struct lab_Actuator_component*));
IS(&lab_Plant_entity_dispatch,
   nk_err_t (*)(lab_Plant_entity*,
                const struct nk_message*,
                const struct nk_arena*,
                struct nk_message*,
                struct nk_arena*));

// macros that stand for statements
nk_err_t all_macros(lab_Plant_entity* entity, struct nk_transport* transport);

nk_err_t all_macros(lab_Plant_entity* entity, struct nk_transport* transport) {
    char buffer[lab_Plant_entity_arena_size];
    struct nk_arena arena = NK_ARENA_INITIALIZER(buffer, buffer + sizeof(buffer));
    NkKosDispatchInfo info = NK_ENTITY_DISPATCH_INFO_INITIALIZER(lab_Plant, *entity);
    nk_handle_desc_t desc = nk_handle_desc(INVALID_HANDLE);
    lab_Valve_Set_req req = {.value = 1};
    lab_Valve_Set_res res;
    nk_size_t count = 0;
    const nk_char_t* text = nk_arena_alloc(nk_char_t, &arena, &req.reason, 1);
    const int stored = nk_arena_store(nk_char_t, &arena, &req.reason, text, 1);
    text = nk_arena_get(nk_char_t, &arena, &req.reason, &count);
    nk_unused(text);
    nk_unused(info);
    nk_req_reset(&req);
    nk_err_reset(&res);
    nk_msg_set_method_id(&req, lab_Plant_act_valve_iid, lab_Valve_Set_mid);
    nk_msg_set_ncaps(&req, nk_get_handle(&desc));
    return stored != 0 || nk_msg_check_err(&res) != 0
               ? NK_ENOMEM
               : nk_transport_call(transport, &req.base_, &arena, &res.base_, NK_NULL);
}
