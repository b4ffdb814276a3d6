// SPDX-License-Identifier: Apache-2.0
// What generated code is made of (idlc --c): tables that describe messages, and the functions that
// work by them. Programs use the generated names and the headers included here.
//
// A table lists only what is not plain numbers: padding, ranges, unions, lists, and arrays of such.
// Offsets count from the start of the fixed part, which follows the header, or of the element.
#pragma once

#include <nk/arena.h>
#include <nk/assert.h>
#include <nk/errno.h>
#include <nk/message.h>
#include <nk/transport.h>
#include <nk/types.h>

enum nk_field_kind_ {
    NK_FIELD_PADDING_,   ///< `limit` bytes that are zero on the wire
    NK_FIELD_BYTES_,     ///< range of at most `limit` bytes
    NK_FIELD_TEXT_,      ///< range of at most `limit` bytes, ending in zero
    NK_FIELD_SEQUENCE_,  ///< range of at most `limit` elements of `stride` bytes
    NK_FIELD_ARRAY_,     ///< `limit` elements of `stride` bytes
    NK_FIELD_UNION_,     ///< tag below `limit`; inner[tag], whose offsets are the union's
    NK_FIELD_LIST_       ///< count, at most `limit`, then as an array of so many
};

struct nk_layout_;

struct nk_field_ {
    nk_uint16_t kind;
    nk_uint16_t alignment;  ///< of an element of a sequence
    nk_uint32_t offset;
    nk_uint32_t limit;
    nk_uint32_t stride;
    const struct nk_layout_* inner;  ///< of an element; null: plain
};

/// A fixed part, a structure, or a union with one of its members.
struct nk_layout_ {
    const struct nk_field_* fields;
    nk_uint32_t count;
    nk_uint32_t size;  ///< bytes
};

/// One of the three messages of a method.
struct nk_shape_ {
    struct nk_layout_ layout;
    nk_uint32_t arena_max;
    nk_uint16_t handles;
    nk_uint16_t flags;  ///< NK_MESSAGE_LONG_, NK_MESSAGE_ARENA_; NK_MESSAGE_ERROR_: cannot be sent
};

struct nk_method_ {
    nk_mid_t mid;
    struct nk_shape_ req;
    struct nk_shape_ res;
    struct nk_shape_ err;
};

NK_BEGIN_DECLS

/// The client side of a method: completes the header, checks the request against its type, calls,
/// and checks the answer. NK_EINVAL: a parameter beyond the maximum of its type, nothing was sent.
/// NK_EBADMSG: the server refused the request as malformed, or its answer is. Else as
/// nk_transport_call.
nk_err_t nk_proxy_call_(struct nk_transport* transport,
                        nk_iid_t iid,
                        const struct nk_method_* method,
                        struct nk_message* req,
                        const struct nk_arena* req_arena,
                        struct nk_message* res,
                        struct nk_arena* res_arena);

/// Before an implementation runs: checks the request, and makes the response an empty one of this
/// method whose parameters are zero. NK_EBADMSG: malformed; the response is a refusal then.
nk_err_t nk_dispatch_begin_(const struct nk_method_* method,
                            const struct nk_message* req,
                            const struct nk_arena* req_arena,
                            struct nk_message* res);

/// After it: completes the response, or makes it a refusal when `result` is not NK_EOK or the
/// response breaks its type (NK_EINVAL).
nk_err_t nk_dispatch_end_(const struct nk_method_* method,
                          nk_err_t result,
                          struct nk_message* res,
                          const struct nk_arena* res_arena);

/// Makes the response a refusal, an error response without parameters, and returns `why`.
nk_err_t nk_dispatch_refuse_(const struct nk_message* req, struct nk_message* res, nk_err_t why);

NK_END_DECLS
