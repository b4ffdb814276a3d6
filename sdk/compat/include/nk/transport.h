// SPDX-License-Identifier: Apache-2.0
// How a message gets to the other side, whatever the way: each kind of transport brings its own
// functions. Requests and responses are generated structures, given by their member base_.
#pragma once

#include <nk/arena.h>
#include <nk/errno.h>
#include <nk/message.h>
#include <nk/types.h>

struct nk_transport;

/// What a kind of transport does. Not for programs.
struct nk_transport_ops {
    nk_err_t (*call)(struct nk_transport* self,
                     struct nk_message* req,
                     const struct nk_arena* req_arena,
                     struct nk_message* res,
                     struct nk_arena* res_arena);
    nk_err_t (*recv)(struct nk_transport* self, struct nk_message* req, struct nk_arena* req_arena);
    nk_err_t (*reply)(struct nk_transport* self,
                      struct nk_message* res,
                      const struct nk_arena* res_arena);
};

/// First member of every transport. For one thread at a time.
struct nk_transport {
    const struct nk_transport_ops* ops;
};

/// Sends a request and waits for the answer, which may be an error response (nk_msg_check_err).
/// Arenas may be null. NK_EPERM: the policy refuses the request or the response. NK_ENOTCONN: no
/// server. NK_ENOMEM: no room for the answer. NK_EINVAL: wrong handle or request. NK_EBADMSG.
static inline nk_err_t nk_transport_call(struct nk_transport* transport,
                                         struct nk_message* req,
                                         const struct nk_arena* req_arena,
                                         struct nk_message* res,
                                         struct nk_arena* res_arena) {
    return transport->ops->call(transport, req, req_arena, res, res_arena);
}

/// Waits for a request. nk_req_reset() of the structure says how much room it has. Nothing is cut:
/// a request that does not fit is refused and NK_EBADMSG returned. When the handle or the room can
/// never receive anything, the call takes a tenth of a second, so that loops that ignore errors do
/// not spin.
static inline nk_err_t nk_transport_recv(struct nk_transport* transport,
                                         struct nk_message* req,
                                         struct nk_arena* req_arena) {
    return transport->ops->recv(transport, req, req_arena);
}

/// Answers the request that was received last. NK_ENOMSG: there is none. NK_EPERM: the policy
/// refuses the response; the client was told.
static inline nk_err_t nk_transport_reply(struct nk_transport* transport,
                                          struct nk_message* res,
                                          const struct nk_arena* res_arena) {
    return transport->ops->reply(transport, res, res_arena);
}
