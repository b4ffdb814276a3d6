// SPDX-License-Identifier: Apache-2.0
// What generated proxies and dispatchers do for every method. Both sides check what they send as
// well as what they get: a mistake is then an error code where it was made, and not a refusal by
// the security module somewhere else.
#include <nk/idl.h>
#include <sdk/compat/layout.hpp>
#include <sdk/compat/message.hpp>

namespace sdk::compat {

namespace {

constexpr unsigned kShapeFlags = NK_MESSAGE_LONG_ | NK_MESSAGE_ARENA_;

/// The arena of a message of this shape; what a program left in an arena that does not belong to
/// the message is no part of it.
std::span<u8> arena_of(const nk_shape_& shape, const nk_arena* arena) {
    return (shape.flags & NK_MESSAGE_ARENA_) != 0 ? used(arena) : std::span<u8>{};
}

/// Completes the header of a message to send. False when it breaks its type.
bool seal(const nk_shape_& shape, unsigned kind, nk_message* message, const nk_arena* arena) {
    const std::span<u8> bytes = arena_of(shape, arena);
    if (bytes.size() > shape.arena_max || !is_valid(shape.layout, fixed_part(message), bytes)) {
        return false;
    }
    clear_padding(shape.layout, fixed_part(message), bytes);
    nk_message_reset_(message,
                      kHeaderBytes + shape.layout.size,
                      kind | NK_MESSAGE_SHAPED_ | (shape.flags & kShapeFlags));
    message->ncaps_ = shape.handles;
    return true;
}

/// Whether what arrived is a message of this shape.
bool fits(const nk_shape_& shape, const nk_message* message, const nk_arena* arena) {
    const std::span<const u8> bytes = arena_of(shape, arena);
    return (shape.flags & NK_MESSAGE_ERROR_) == 0 && fixed_size(*message) == shape.layout.size &&
           message->ncaps_ == shape.handles && bytes.size() <= shape.arena_max &&
           is_valid(shape.layout, fixed_part(message), bytes);
}

/// An error response without parameters.
void refuse(nk_message* res) {
    nk_message_reset_(res, kHeaderBytes, NK_MESSAGE_ERROR_ | NK_MESSAGE_SHAPED_);
}

u32 larger(u32 a, u32 b) { return a > b ? a : b; }

}  // namespace

}  // namespace sdk::compat

extern "C" {

using namespace sdk::compat;

nk_err_t nk_proxy_call_(nk_transport* transport,
                        nk_iid_t iid,
                        const nk_method_* method,
                        nk_message* req,
                        const nk_arena* req_arena,
                        nk_message* res,
                        nk_arena* res_arena) {
    if (!seal(method->req, 0, req, req_arena)) {
        return NK_EINVAL;
    }
    req->iid = iid;
    req->mid = method->mid;
    nk_message_reset_(res,
                      kHeaderBytes + larger(method->res.layout.size, method->err.layout.size),
                      NK_MESSAGE_SHAPED_ | ((method->res.flags | method->err.flags) & kShapeFlags));
    const nk_err_t result = nk_transport_call(transport, req, req_arena, res, res_arena);
    if (result != NK_EOK) {
        return result;
    }
    const nk_shape_& shape = has(*res, NK_MESSAGE_ERROR_) ? method->err : method->res;
    return fits(shape, res, res_arena) ? NK_EOK : NK_EBADMSG;
}

nk_err_t nk_dispatch_begin_(const nk_method_* method,
                            const nk_message* req,
                            const nk_arena* req_arena,
                            nk_message* res) {
    if (!fits(method->req, req, req_arena)) {
        return nk_dispatch_refuse_(req, res, NK_EBADMSG);
    }
    res->iid = req->iid;
    res->mid = req->mid;
    // What the implementation does not set must not be what another client was told.
    const u32 size = larger(method->res.layout.size, method->err.layout.size);
    __builtin_memset(fixed_part(res), 0, size);
    nk_message_reset_(res, kHeaderBytes + method->res.layout.size, 0);
    return NK_EOK;
}

nk_err_t nk_dispatch_end_(const nk_method_* method,
                          nk_err_t result,
                          nk_message* res,
                          const nk_arena* res_arena) {
    if (result == NK_EOK) {
        const bool is_error = has(*res, NK_MESSAGE_ERROR_);
        const nk_shape_& shape = is_error ? method->err : method->res;
        if (seal(shape, is_error ? NK_MESSAGE_ERROR_ : 0, res, res_arena)) {
            return NK_EOK;
        }
        result = NK_EINVAL;
    }
    refuse(res);
    return result;
}

nk_err_t nk_dispatch_refuse_(const nk_message* req, nk_message* res, nk_err_t why) {
    res->iid = req->iid;
    res->mid = req->mid;
    refuse(res);
    return why;
}
}
