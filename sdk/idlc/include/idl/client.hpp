// SPDX-License-Identifier: Apache-2.0
// What generated proxies share: a Call with its shape checks, and the Reply a caller sees.
#pragma once

#include <idl/wire.hpp>
#include <kernel/abi/status.hpp>
#include <runtime/ipc.hpp>

namespace idl {

/// Most handles that both answers to a Call may bring.
constexpr u64 handles_accepted(u32 count) { return u64{count} << 52; }

/// The outcome of a Call: results, error parameters, or the reason why there is no answer.
template <typename Results, typename Errors = NoErrors> class [[nodiscard]] Reply final {
public:
    constexpr Reply(abi::Status failure)  // NOLINT(google-explicit-constructor)
        : transport_(failure) {}

    constexpr Reply(const Results& results)  // NOLINT(google-explicit-constructor)
        : results_(results) {}

    constexpr Reply(const Errors& errors)  // NOLINT(google-explicit-constructor)
        : errors_(errors), has_error_(true) {}

    /// A response came, and its `rc`, where the results have one, is 0.
    [[nodiscard]] constexpr bool ok() const { return status() == abi::Status::Ok; }

    /// transport(); Fail when the server answered with its error parameters; else the response's
    /// `rc`, where the results have one.
    [[nodiscard]] constexpr abi::Status status() const {
        if (transport_ != abi::Status::Ok) {
            return transport_;
        }
        if (has_error_) {
            return abi::Status::Fail;
        }
        if constexpr (requires { static_cast<abi::Status>(results_.rc); }) {
            return static_cast<abi::Status>(results_.rc);
        } else {
            return abi::Status::Ok;
        }
    }

    /// Ok when any answer came.
    [[nodiscard]] constexpr abi::Status transport() const { return transport_; }

    /// Whether the answer is error().
    [[nodiscard]] constexpr bool has_error() const { return has_error_; }

    /// The results; all zero unless a response came.
    [[nodiscard]] constexpr const Results& value() const { return results_; }

    /// The error parameters; all zero unless has_error().
    [[nodiscard]] constexpr const Errors& error() const { return errors_; }

private:
    Results results_{};
    Errors errors_{};
    abi::Status transport_ = abi::Status::Ok;
    bool has_error_ = false;
};

/// A client handle and what belongs to the next Call on it. Base of generated proxies; its members
/// begin with idl_ since a parameter of any method may have any other name.
class Channel {
public:
    constexpr Channel(u32 handle, u16 endpoint) : idl_handle_(handle), idl_endpoint_(endpoint) {}

    [[nodiscard]] constexpr u32 channel_handle() const { return idl_handle_; }

    [[nodiscard]] constexpr u16 channel_endpoint() const { return idl_endpoint_; }

protected:
    struct Buffers {
        ArenaWriter* send;
        sdk::Room room;
    };

    void set_deadline(u64 ticks) { idl_deadline_ = ticks; }

    /// One Call of the method that `Traits` describes.
    template <typename Traits>
    Reply<typename Traits::Results, typename Traits::Errors>
    call(const typename Traits::Arguments& arguments, const Buffers& buffers) {
        constexpr MessageShape kResponse = Traits::kResponse;
        constexpr MessageShape kError = Traits::kError;
        constexpr bool kLongAnswer = !kResponse.is_short || (kError.exists && !kError.is_short);
        const u64 deadline = idl_deadline_;
        idl_deadline_ = 0;

        typename Traits::Request fixed{};
        const bool encoded = encode(arguments, *buffers.send, fixed) && buffers.send->ok();
        const u32 arena_size = buffers.send->size();
        const sdk::Outgoing message{
            .fixed = Traits::kRequest.fixed_size == 0 ? nullptr : &fixed,
            .fixed_size = Traits::kRequest.fixed_size,
            .arena = arena_size == 0 ? nullptr : buffers.send->data(),
            .arena_size = arena_size,
        };
        buffers.send->reset();
        if (!encoded || arena_size > Traits::kRequest.arena_max) {
            return abi::Status::BufferTooLarge;
        }
        constexpr u32 kHandles = kResponse.handle_count > kError.handle_count
                                     ? kResponse.handle_count
                                     : kError.handle_count;
        const abi::Tag tag{
            Traits::kRequest.tag(abi::Kind::Request, idl_endpoint_, Traits::kMethod, arena_size)
                .value |
            handles_accepted(kHandles)};
        sdk::Incoming incoming;
        const sdk::Room room = kLongAnswer ? buffers.room : sdk::Room{};
        sdk::call(idl_handle_, tag, message, room, incoming, deadline);
        if (incoming.status != abi::Status::Ok) {
            return incoming.status;
        }
        const ArenaView arena{static_cast<const u8*>(room.arena), arrived(incoming, room)};
        if constexpr (kError.exists) {
            if (incoming.tag.kind() == abi::Kind::Error) {
                return take<Traits, typename Traits::Errors, typename Traits::Error>(
                    kError, incoming, room, arena);
            }
        }
        if (incoming.tag.kind() != abi::Kind::Response) {
            return abi::Status::Fail;  // an error without parameters
        }
        return take<Traits, typename Traits::Results, typename Traits::Response>(
            kResponse, incoming, room, arena);
    }

private:
    static u32 arrived(const sdk::Incoming& incoming, const sdk::Room& room) {
        const u32 size = incoming.tag.is_long() ? incoming.arena_size : 0;
        return size <= room.arena_size ? size : 0;
    }

    template <typename Traits, typename View, typename Fixed>
    static Reply<typename Traits::Results, typename Traits::Errors>
    take(const MessageShape& shape,
         const sdk::Incoming& incoming,
         const sdk::Room& room,
         const ArenaView& arena) {
        const bool is_long = incoming.tag.is_long();
        const u32 fixed_size = is_long ? incoming.fixed_size : incoming.tag.words() * 8;
        const u32 arena_size = is_long ? incoming.arena_size : 0;
        const void* bytes = is_long ? room.fixed : incoming.words;
        // ksec has checked the message; what is used here is checked again all the same.
        if (!shape.fits(incoming.tag, fixed_size, arena_size) ||
            (is_long && (bytes == nullptr || fixed_size > room.fixed_size))) {
            return abi::Status::InternalError;
        }
        View view{};
        Fixed fixed{};
        if constexpr (!std::is_empty_v<Fixed>) {
            fixed = load<Fixed>(bytes);
        }
        if (!decode(fixed, arena, view)) {
            return abi::Status::InternalError;
        }
        return view;
    }

    u32 idl_handle_;
    u16 idl_endpoint_;
    u64 idl_deadline_ = 0;
};

}  // namespace idl
