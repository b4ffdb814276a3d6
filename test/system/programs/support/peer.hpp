// SPDX-License-Identifier: Apache-2.0
// trial.Peer spoken by hand: children are server and client of each other without generated code in
// between, so that tokens, rooms and order are theirs to choose.
#pragma once

#include <runtime/time.hpp>
#include <test/system/programs/support/spawn.hpp>
#include <trial/Equal.edl.hpp>
#include <trial/Peer.idl.hpp>

namespace trial {

/// Every child finds its listener here: the kernel channel is slot 0, the listener the next one.
inline constexpr u32 kListener = 0x1'0001;

inline abi::Tag peer_tag(abi::Kind kind, Peer::Method method) {
    return abi::Tag::make_short(kind, Equal::endpoint::peer, static_cast<u16>(method), 8);
}

/// Peer.Ask; the answer is in words[0].
inline sdk::Incoming ask(u32 handle, u64 value, u64 deadline = 0) {
    sdk::Incoming incoming;
    sdk::call(handle,
              peer_tag(abi::Kind::Request, Peer::Method::Ask),
              {.fixed = &value, .fixed_size = 8},
              {},
              incoming,
              deadline);
    return incoming;
}

inline Status answer(u64 token, u64 value) {
    return sdk::reply(token,
                      peer_tag(abi::Kind::Response, Peer::Method::Ask),
                      {.fixed = &value, .fixed_size = 8});
}

/// The room that Recv needs for the class trial.Equal.
class PeerRoom final {
public:
    PeerRoom() : arena_(allocate(2 * kPage)) {}

    sdk::Incoming receive(u32 listener = kListener, u64 deadline = 0) {
        sdk::Incoming incoming;
        sdk::receive(listener, 1, room(), incoming, deadline);
        return incoming;
    }

    [[nodiscard]] sdk::Room room() {
        return {.fixed = fixed_,
                .fixed_size = sizeof(fixed_),
                .arena = &at<u8>(arena_),
                .arena_size = static_cast<u32>(2 * kPage)};
    }

    [[nodiscard]] const u64* fixed() const { return fixed_; }

private:
    u64 fixed_[16]{};
    u64 arena_;
};

/// Waits until a word on the board is at least `value`.
inline bool wait_for(const volatile u32& word, u32 value, u32 tries = 5000) {
    for (u32 i = 0; i < tries && word < value; ++i) {
        (void)threads().Sleep(sdk::now_ticks() + sdk::ticks_of_ms(1));
    }
    return word >= value;
}

}  // namespace trial
