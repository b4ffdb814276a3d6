// SPDX-License-Identifier: Apache-2.0
// The page that most other messages take: plain bytes without handles, granted if they have the
// form that their IDL says, to a server that waits, or back to the client that does; and short
// requests with room for a long answer. Ordered refusals, each falling back to the long way with
// nothing changed that anybody can see, then one commit, which is the fast path's. The fixed part
// is read once, into the sender's own block, and that is what is looked at and delivered.
#include <arch/inline.hpp>
#include <kernel/ipc/ipc.hpp>
#include <kernel/ipc/pass_fp.hpp>
#include <kernel/object/memory.hpp>

namespace kernel::ipc {

namespace {

/// What a tag may not have here: handles, a deadline.
constexpr u64 kSeldom =
    abi::Tag::kReserved | abi::Tag::kSyncObject | abi::Tag::kDeadline | (u64{0xFF} << 40);
constexpr u64 kKind = u64{3} << 62;
constexpr u64 kOfLong = abi::Tag::kLong | abi::Tag::kArena | abi::Tag::kMovesPages;
constexpr u64 kPayload = u64{7} << 36;

/// A message as its sender's registers say it.
struct Parts {
    abi::Tag tag;
    abi::Buffer fixed;
    abi::Buffer arena;

    explicit Parts(const arch::Frame& frame)
        : tag(frame.x[9]), fixed(frame.x[3]), arena(tag.has_arena() ? frame.x[4] : 0) {}

    [[nodiscard]] bool is_long(abi::Kind kind) const {
        return (tag.value & (kSeldom | kKind | kPayload | abi::Tag::kLong)) ==
                   (abi::Tag::kLong | (static_cast<u64>(kind) << 62)) &&
               fixed.size() <= kSmallFixed && (arena.size() <= kCopyStep || tag.moves_pages());
    }

    /// A short request whose answer may be long, or an answer before which handles are accepted.
    [[nodiscard]] bool is_short(abi::Kind kind) const {
        return (tag.value & (kSeldom | kKind | kOfLong)) == static_cast<u64>(kind) << 62;
    }

    /// How a RowEntry names it.
    [[nodiscard]] u64 name(bool is_long) const {
        const u64 value = tag.message().value;
        return is_long ? (value & ~abi::Tag::kArena) | ksec::kIfItFits : value;
    }
};

inline bool read_fixed(Thread& sender, const Parts& parts) {
    return copy_from_user(sender.process->table,
                          parts.fixed.address(),
                          sender.message.small,
                          parts.fixed.size())
        .ok();
}

/// The message's method, if what was read has the form that grants it.
[[gnu::always_inline]] inline const ksec::MethodInfo*
method_that_fits(const Thread& sender, const Parts& parts, u16 server_class, ksec::Event event) {
    return policy().entry->fits(server_class,
                                parts.tag.endpoint(),
                                parts.tag.method(),
                                event,
                                reinterpret_cast<const u8*>(sender.message.small),
                                parts.fixed.size(),
                                parts.arena.size());
}

/// Moves all pages of an arena, or none.
[[gnu::noinline]] bool
move_arena(Thread& sender, abi::Buffer arena, Thread& receiver, base::UserAddr to) {
    const u32 pages = static_cast<u32>(arena.size() / base::kPageSize);
    if (arena.size() % base::kPageSize != 0 || pages > kMovedPerStep) {
        return false;
    }
    const u32 moved = move_pages(*sender.process, arena.address(), *receiver.process, to, pages);
    if (moved < pages) {
        move_pages(*receiver.process, to, *sender.process, arena.address(), moved);
    }
    return moved == pages;
}

/// Puts both parts where the receiver has room for them.
[[gnu::always_inline]] inline bool fill_room(
    Thread& sender, const Parts& parts, Thread& receiver, abi::Buffer fixed, abi::Buffer arena) {
    if (fixed.size() < parts.fixed.size() || arena.size() < parts.arena.size() ||
        !copy_to_user(
             receiver.process->table, fixed.address(), sender.message.small, parts.fixed.size())
             .ok()) {
        return false;
    }
    if (parts.tag.moves_pages() && move_arena(sender, parts.arena, receiver, arena.address())) {
        return true;
    }
    return parts.arena.size() <= kCopyStep && copy_across(sender.process->table,
                                                          parts.arena.address(),
                                                          receiver.process->table,
                                                          arena.address(),
                                                          parts.arena.size()) == Fault::None;
}

/// Apart, so that two without vector registers need not save registers for it.
[[gnu::noinline]] void pass_fp_apart(Thread& sender, Thread& receiver) {
    pass_fp(sender, receiver);
}

template <bool kIsLong>
[[gnu::always_inline]] inline arch::Frame* call_with(Thread& caller, const Parts& parts) {
    const Slot* slot = caller.process->handles.find(static_cast<u32>(caller.frame.x[0]));
    if (slot == nullptr || slot->type != SlotType::Client) {
        return nullptr;
    }
    const u64 name = parts.name(kIsLong);
    const ksec::RowEntry* granted = ksec::find_entry(slot->row, name);
    auto& endpoint = *static_cast<Endpoint*>(slot->object);
    Thread* server = endpoint.waiters;
    if (granted->request != name || server == nullptr || slot->life != endpoint.life ||
        !is_usual(server->status, state::kWaitReceive) || (kIsLong && !read_fixed(caller, parts))) {
        return nullptr;
    }
    const ksec::MethodInfo* method =
        kIsLong ? method_that_fits(caller, parts, endpoint.class_id, ksec::Event::Request)
                : policy().entry->method_info(
                      endpoint.class_id, parts.tag.endpoint(), parts.tag.method());
    const Room room = room_of(caller, parts.tag);
    if (method == nullptr || !room.holds(method->response) || !room.holds(method->error) ||
        (kIsLong && !fill_room(caller, parts, *server, server->room_fixed, server->room_arena))) {
        return nullptr;
    }
    // Commit.
    count_settled(ksec::Effect::Commit);
    name_callee(caller, *slot, parts.tag, granted->response, room);
    if (unusual(caller, *server, state::kWaitReceive) != 0) [[unlikely]] {
        pass_fp_apart(caller, *server);
    }
    commit_request(endpoint, *server, caller, parts.tag.value, granted->response);
    if constexpr (kIsLong) {
        set_long_result(
            *server, parts.tag, parts.fixed.size(), parts.arena.size(), slot->badge, caller.token);
    } else {
        read_payload(caller, parts.tag);
        set_short_result(*server, parts.tag, caller.message.small, slot->badge, caller.token);
    }
    return &server->frame;
}

template <bool kIsLong>
[[gnu::always_inline]] inline arch::Frame* reply_with(Thread& server, const Parts& parts) {
    Thread* client = server.client;
    const Endpoint* endpoint = server.listener;
    if (client == nullptr || !is_usual(client->status, state::kWaitReply) ||
        client->token != server.frame.x[2] || client->expected_response != parts.name(kIsLong) ||
        server.listener_handle != static_cast<u32>(server.frame.x[0]) || endpoint->pending != 0) {
        return nullptr;
    }
    if (kIsLong &&
        (!abi::Tag{client->request_tag}.has_room() || !read_fixed(server, parts) ||
         method_that_fits(server, parts, server.process->class_id, ksec::Event::Response) ==
             nullptr ||
         !fill_room(server, parts, *client, client->room_fixed, client->room_arena))) {
        return nullptr;
    }
    // Commit.
    count_settled(ksec::Effect::Commit);
    if (unusual(server, *client, state::kWaitReply) != 0) [[unlikely]] {
        pass_fp_apart(server, *client);
    }
    commit_reply(*server.listener, server, *client);
    server.room_fixed = abi::Buffer{server.frame.x[5]};
    server.room_arena = abi::Buffer{server.frame.x[6]};
    server.accepted_handles = parts.tag.handles_accepted();
    if constexpr (kIsLong) {
        set_long_result(*client, parts.tag, parts.fixed.size(), parts.arena.size(), 0, 0);
    } else {
        read_payload(server, parts.tag);
        set_short_result(*client, parts.tag, server.message.small, 0, 0);
    }
    return &client->frame;
}

}  // namespace

arch::Frame* call_directly(Thread& caller) {
    const Parts parts{caller.frame};
    if (!is_usual(caller.status, state::kRunning)) {
        return nullptr;
    }
    return parts.is_long(abi::Kind::Request)    ? call_with<true>(caller, parts)
           : parts.is_short(abi::Kind::Request) ? call_with<false>(caller, parts)
                                                : nullptr;
}

arch::Frame* reply_directly(Thread& server) {
    const Parts parts{server.frame};
    if (!is_usual(server.status, state::kRunning)) {
        return nullptr;
    }
    return parts.is_long(abi::Kind::Response)    ? reply_with<true>(server, parts)
           : parts.is_short(abi::Kind::Response) ? reply_with<false>(server, parts)
                                                 : nullptr;
}

}  // namespace kernel::ipc
