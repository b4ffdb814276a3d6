// SPDX-License-Identifier: Apache-2.0
// Between a message with a header and the kernel's tag, registers and buffers. The fixed part and
// the arena travel from and to where the program has them; nothing is copied here but the words of
// short messages.
//
// Generated code says in the header whether a message may travel in registers and have an arena.
// Hand-written wrappers do not, so for their messages that follows from what they carry: small,
// without handles and with nothing in an arena is short.
#include <coresrv/nk/transport-kos-dispatch.h>
#include <cstddef>
#include <runtime/ipc.hpp>
#include <runtime/time.hpp>
#include <sdk/compat/message.hpp>
#include <sdk/compat/status.hpp>
#include <string_view>

namespace sdk::compat {

namespace {

static_assert(sizeof(nk_ptr_t) == sizeof(abi::ArenaRange) &&
              offsetof(nk_ptr_t, size) == offsetof(abi::ArenaRange, size));
static_assert(sizeof(nk_handle_desc_t) == sizeof(abi::HandleDescriptor) &&
              offsetof(nk_handle_desc_t, rights) == offsetof(abi::HandleDescriptor, rights) &&
              offsetof(nk_handle_desc_t, badge) == offsetof(abi::HandleDescriptor, badge));
static_assert(offsetof(NkKosTransport, base) == 0);

constexpr u64 kHandlesAccepted = u64{abi::kMaxHandlesPerMessage} << 52;
constexpr u64 kLostListenerMs = 100;

NkKosTransport& kos(nk_transport* transport) {
    void* const whole_transport = transport;
    return *static_cast<NkKosTransport*>(whole_transport);
}

/// A message about to be sent.
struct Ready {
    abi::Tag tag;
    Outgoing outgoing;
};

Ready make_ready(
    const nk_message& message, const nk_arena* arena, abi::Kind kind, nk_iid_t iid, nk_mid_t mid) {
    const bool is_shaped = has(message, NK_MESSAGE_SHAPED_);
    const u32 size = (fixed_size(message) + 7) & ~u32{7};
    const std::span<u8> bytes =
        is_shaped && !has(message, NK_MESSAGE_ARENA_) ? std::span<u8>{} : used(arena);
    const bool is_long = is_shaped
                             ? has(message, NK_MESSAGE_LONG_)
                             : size > abi::kShortBytes || message.ncaps_ != 0 || !bytes.empty();
    Ready ready;
    ready.outgoing.fixed = size == 0 ? nullptr : fixed_part(&message);
    ready.outgoing.fixed_size = size;
    if (!is_long) {
        ready.tag = abi::Tag::make_short(kind, iid, mid, size);
        return ready;
    }
    ready.tag = abi::Tag{abi::Tag::make_long(kind, iid, mid, message.ncaps_).value |
                         (bytes.empty() ? 0 : abi::Tag::kArena)};
    ready.outgoing.arena = bytes.empty() ? nullptr : bytes.data();
    ready.outgoing.arena_size = static_cast<u32>(bytes.size());
    return ready;
}

Room room_of(nk_message* message, const nk_arena* arena) {
    const std::span<u8> bytes = whole(arena);
    Room room;
    room.fixed_size = fixed_size(*message);
    room.fixed = room.fixed_size == 0 ? nullptr : fixed_part(message);
    room.arena_size = static_cast<u32>(bytes.size());
    room.arena = bytes.empty() ? nullptr : bytes.data();
    return room;
}

/// Makes what arrived a message. False when it has no room.
bool take(const Incoming& incoming, nk_message* message, nk_arena* arena) {
    const bool is_long = incoming.tag.is_long();
    const u32 size = is_long ? incoming.fixed_size : incoming.tag.words() * 8;
    const u32 arena_size = is_long ? incoming.arena_size : 0;
    if (size > fixed_size(*message) || arena_size > whole(arena).size()) {
        return false;
    }
    if (!is_long && size != 0) {
        __builtin_memcpy(fixed_part(message), incoming.words, size);
    }
    set_used(arena, arena_size);
    message->iid = incoming.tag.endpoint();
    message->mid = incoming.tag.method();
    message->size_ = kHeaderBytes + size;
    message->ncaps_ = static_cast<nk_uint16_t>(incoming.tag.handle_count());
    message->flags_ = incoming.tag.kind() == abi::Kind::Error ? NK_MESSAGE_ERROR_ : 0;
    return true;
}

nk_err_t call(nk_transport* transport,
              nk_message* req,
              const nk_arena* req_arena,
              nk_message* res,
              nk_arena* res_arena) {
    const NkKosTransport& self = kos(transport);
    Ready ready = make_ready(*req, req_arena, abi::Kind::Request, req->iid, req->mid);
    Room room;
    if (!has(*res, NK_MESSAGE_SHAPED_) || has(*res, NK_MESSAGE_LONG_)) {
        room = room_of(res, res_arena);
        ready.tag.value |= room.fixed_size == 0 ? 0 : kHandlesAccepted;
    }
    const u64 deadline = self.timeout_ms_ == 0 ? 0 : now_ticks() + ticks_of_ms(self.timeout_ms_);
    Incoming incoming;
    sdk::call(self.handle, ready.tag, ready.outgoing, room, incoming, deadline);
    if (incoming.status != abi::Status::Ok) {
        return error_of(incoming.status);
    }
    return take(incoming, res, res_arena) ? NK_EOK : NK_EBADMSG;
}

nk_err_t reply(nk_transport* transport, nk_message* res, const nk_arena* res_arena) {
    NkKosTransport& self = kos(transport);
    if (self.token_ == 0) {
        return NK_ENOMSG;
    }
    const abi::Kind kind = has(*res, NK_MESSAGE_ERROR_) ? abi::Kind::Error : abi::Kind::Response;
    const Ready ready = make_ready(*res, res_arena, kind, self.iid_, self.mid_);
    const u64 token = self.token_;
    self.token_ = 0;
    return error_of(sdk::reply(token, ready.tag, ready.outgoing));
}

/// Answers a request that cannot be looked at with the error message without parameters.
void refuse(u64 token, abi::Tag request) {
    const abi::Tag tag =
        abi::Tag::make_short(abi::Kind::Error, request.endpoint(), request.method(), 0);
    static_cast<void>(sdk::reply(token, tag, {}));
}

nk_err_t receive(nk_transport* transport, nk_message* req, nk_arena* req_arena) {
    NkKosTransport& self = kos(transport);
    self.token_ = 0;
    Incoming incoming;
    sdk::receive(self.handle, abi::kMaxHandlesPerMessage, room_of(req, req_arena), incoming);
    if (incoming.status != abi::Status::Ok) {
        if (is_listener_lost(incoming.status)) {
            sleep_ms(kLostListenerMs);
        }
        return error_of(incoming.status);
    }
    if (!take(incoming, req, req_arena)) {
        refuse(incoming.token, incoming.tag);
        return NK_EBADMSG;
    }
    self.token_ = incoming.token;
    self.iid_ = req->iid;
    self.mid_ = req->mid;
    return NK_EOK;
}

constexpr nk_transport_ops kOperations{.call = call, .recv = receive, .reply = reply};

}  // namespace

}  // namespace sdk::compat

extern "C" {

void NkKosTransport_Init(NkKosTransport* transport,
                         Handle channel,
                         void* buffer,
                         nk_size_t buffer_size) {
    static_cast<void>(buffer);
    static_cast<void>(buffer_size);
    NkKosTransportSync_Init(transport, channel, 0);
}

void NkKosTransportSync_Init(NkKosTransport* transport, Handle channel, rtl_uint32_t timeout_ms) {
    *transport = NkKosTransport{};
    transport->base.ops = &sdk::compat::kOperations;
    transport->handle = channel;
    transport->timeout_ms_ = timeout_ms;
}

nk_err_t NkKosCopyStringToArena(nk_arena* arena, nk_ptr_t* chunk, const char* text) {
    return nk_arena_store(char, arena, chunk, text, std::string_view{text}.size() + 1);
}

const char* NkKosGetStringFromArena(const nk_arena* arena, const nk_ptr_t* chunk) {
    nk_size_t size = 0;
    const char* const text = nk_arena_get(char, arena, chunk, &size);
    return text == nullptr || (size != 0 && text[size - 1] != '\0') ? nullptr : text;
}

nk_err_t NkKosDoDispatch(Handle handle, NkKosDispatchInfo* info) {
    NkKosTransport transport;
    NkKosTransport_Init(&transport, handle, nullptr, 0);
    return info->serve_(info->entity_, &transport.base);
}

rtl_size_t KnGetMSecSinceStart(void) {
    return static_cast<rtl_size_t>(sdk::now_ticks() / (sdk::ticks_per_second() / 1000));
}

Retcode KnSleep(rtl_uint32_t milliseconds) {
    sdk::sleep_ms(milliseconds);
    return rcOk;
}
}
