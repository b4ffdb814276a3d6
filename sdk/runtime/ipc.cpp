// SPDX-License-Identifier: Apache-2.0
// Messages to and from registers. A short message without a deadline whose answer is short takes
// the inline path; everything else goes through the register block.
#include <bit>
#include <kernel/abi/call.hpp>
#include <runtime/ipc.hpp>
#include <runtime/svc.hpp>
#include <sdk/runtime/registers.hpp>

namespace sdk {

namespace {

constexpr u32 kHandlesAcceptedShift = 52;

u64 describe(const void* data, u32 size) {
    return abi::Buffer{base::UserAddr{std::bit_cast<u64>(data)}, size}.value;
}

u64 load_word(const void* fixed, u32 index) {
    u64 word = 0;
    __builtin_memcpy(&word, static_cast<const u8*>(fixed) + index * sizeof(word), sizeof(word));
    return word;
}

void put_message(Registers& registers, abi::Tag tag, const Outgoing& message) {
    if (tag.is_long()) {
        registers.x3 = describe(message.fixed, message.fixed_size);
        registers.x4 = describe(message.arena, message.arena_size);
        return;
    }
    for (u32 i = 0; i < tag.words(); ++i) {
        const u64 word = load_word(message.fixed, i);
        if (i < 6) {
            registers.words[i] = word;
        } else {
            registers.x18 = word;
        }
    }
}

void put_room(Registers& registers, const Room& room) {
    if (room.fixed_size != 0) {
        registers.x5 = describe(room.fixed, room.fixed_size);
        registers.x6 = describe(room.arena, room.arena_size);
    }
}

u64 room_flag(const Room& room) { return room.fixed_size != 0 ? abi::Tag::kRoom : 0; }

void put_deadline(Registers& registers, u64 deadline) {
    if (deadline != 0) {
        registers.x7 = deadline;
        registers.x9 |= abi::Tag::kDeadline;
    }
}

void take_message(const Registers& registers, Incoming& incoming) {
    incoming.status = static_cast<abi::Status>(static_cast<base::s32>(registers.x0));
    incoming.tag = abi::Tag{registers.x9};
    incoming.badge = registers.x1;
    incoming.token = registers.x2;
    incoming.fixed_size = 0;
    incoming.arena_size = 0;
    for (u32 i = 0; i < 6; ++i) {
        incoming.words[i] = registers.words[i];
    }
    incoming.words[6] = registers.x18;
    if (incoming.tag.is_long()) {
        incoming.fixed_size = static_cast<u32>(registers.x3);
        incoming.arena_size = static_cast<u32>(registers.x4);
    }
}

void take_message(const ShortMessage& message, Incoming& incoming) {
    incoming.status = message.status;
    incoming.tag = message.tag;
    incoming.badge = message.badge;
    incoming.token = message.token;
    incoming.fixed_size = 0;
    incoming.arena_size = 0;
    for (u32 i = 0; i < abi::kShortWords; ++i) {
        incoming.words[i] = message.words[i];
    }
}

ShortWords<abi::kShortWords> load_words(abi::Tag tag, const Outgoing& message) {
    ShortWords<abi::kShortWords> words{};
    for (u32 i = 0; i < tag.words(); ++i) {
        words.value[i] = load_word(message.fixed, i);
    }
    return words;
}

}  // namespace

void call(u32 handle,
          abi::Tag tag,
          const Outgoing& message,
          const Room& room,
          Incoming& incoming,
          u64 deadline) {
    if (!tag.is_long() && !tag.has_deadline() && room.fixed_size == 0 && deadline == 0) {
        take_message(call_short(handle, tag, load_words(tag, message)), incoming);
        return;
    }
    Registers registers{.x0 = handle, .x9 = tag.value | room_flag(room)};
    put_message(registers, tag, message);
    put_room(registers, room);
    put_deadline(registers, deadline);
    sdk_svc_call(&registers);
    take_message(registers, incoming);
}

void receive(
    u32 listener, u32 handles_accepted, const Room& room, Incoming& incoming, u64 deadline) {
    Registers registers{.x0 = listener, .x9 = u64{handles_accepted} << kHandlesAcceptedShift};
    put_room(registers, room);
    put_deadline(registers, deadline);
    sdk_svc_receive(&registers);
    take_message(registers, incoming);
}

void reply_receive(u32 listener,
                   u64 token,
                   abi::Tag tag,
                   const Outgoing& message,
                   const Room& room,
                   Incoming& incoming,
                   u32 handles_accepted) {
    Registers registers{.x0 = listener,
                        .x2 = token,
                        .x9 = tag.value | (u64{handles_accepted} << kHandlesAcceptedShift)};
    put_message(registers, tag, message);
    put_room(registers, room);
    sdk_svc_reply(&registers);
    take_message(registers, incoming);
}

abi::Status reply(u64 token, abi::Tag tag, const Outgoing& message) {
    Registers registers{.x2 = token, .x9 = tag.value};
    put_message(registers, tag, message);
    sdk_svc_reply(&registers);
    return static_cast<abi::Status>(static_cast<base::s32>(registers.x0));
}

}  // namespace sdk
