// SPDX-License-Identifier: Apache-2.0
// Transport over a channel of the kernel: of a client handle for calls, of a listener for receiving
// and replying. The wire is that of the C++ binding, so both sides may be in either language.
#pragma once

#include <coresrv/time/time_api.h>
#include <handle/handletype.h>
#include <nk/transport.h>
#include <services/rtl/nk_msg.h>
#include <thread/tidtype.h>

/// For one thread at a time; several may use the same handle. No resources are held.
typedef struct NkKosTransport {
    struct nk_transport base;
    Handle handle;
    nk_uint32_t timeout_ms_;  ///< of a call; 0: none
    nk_uint64_t token_;       ///< of the request to reply to; 0: none
    nk_iid_t iid_;            ///< of that request
    nk_mid_t mid_;
} NkKosTransport;

NK_BEGIN_DECLS

/// Prepares a transport on `channel`. Buffer and size are not used: NK_NULL and 0.
void NkKosTransport_Init(NkKosTransport* transport,
                         Handle channel,
                         void* buffer,
                         nk_size_t buffer_size);

/// As NkKosTransport_Init; calls end with NK_EAGAIN when there is no answer after `timeout_ms`
/// milliseconds (0: never).
void NkKosTransportSync_Init(NkKosTransport* transport, Handle channel, rtl_uint32_t timeout_ms);

/// Copies a text with the zero at its end into a new chunk. NK_ENOMEM: no room.
nk_err_t NkKosCopyStringToArena(struct nk_arena* arena, nk_ptr_t* chunk, const char* text);

/// The text of a chunk, or null when the chunk is wrong or does not end in zero. A chunk of length
/// zero is the empty text.
const char* NkKosGetStringFromArena(const struct nk_arena* arena, const nk_ptr_t* chunk);

NK_END_DECLS
