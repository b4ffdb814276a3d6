// SPDX-License-Identifier: Apache-2.0
// What generated servers share: who calls, what a handler answers, and the step from a request's
// bytes to the handler and back.
#pragma once

#include <idl/wire.hpp>
#include <kernel/abi/status.hpp>
#include <runtime/ipc.hpp>

namespace idl {

/// A call whose answer comes later; lives as long as the call does.
struct Deferred {
    u64 token = 0;
    u16 endpoint = 0;
    u16 method = 0;
};

/// Returned by a handler that answers later.
struct DeferredTag {};

inline constexpr DeferredTag deferred{};

/// What a handler knows of the call besides its arguments.
struct Caller {
    u64 badge = 0;     ///< of the handle it came through
    u64 token = 0;     ///< names the call to Reply
    u16 endpoint = 0;  ///< number in this class
    u16 method = 0;
    ArenaWriter& arena;  ///< memory for variable-size results, valid until the answer is out

    [[nodiscard]] Deferred deferral() const { return {token, endpoint, method}; }
};

/// What a handler answers: results, error parameters (where the method has some), or later.
template <typename Results, typename Errors = NoErrors> class [[nodiscard]] Outcome final {
public:
    // NOLINTBEGIN(google-explicit-constructor): a handler returns what it has
    constexpr Outcome(const Results& results) : results_(results) {}

    constexpr Outcome(const Errors& errors) : errors_(errors), kind_(Kind::Error) {}

    constexpr Outcome(DeferredTag) : kind_(Kind::Later) {}

    // NOLINTEND(google-explicit-constructor)

    [[nodiscard]] constexpr bool is_deferred() const { return kind_ == Kind::Later; }

    [[nodiscard]] constexpr bool is_error() const { return kind_ == Kind::Error; }

    [[nodiscard]] constexpr const Results& results() const { return results_; }

    [[nodiscard]] constexpr const Errors& errors() const { return errors_; }

private:
    enum class Kind : u8 { Response, Error, Later };

    Results results_{};
    Errors errors_{};
    Kind kind_ = Kind::Response;
};

template <typename Results> class [[nodiscard]] Outcome<Results, NoErrors> final {
public:
    // NOLINTBEGIN(google-explicit-constructor): a handler returns what it has
    constexpr Outcome(const Results& results) : results_(results) {}

    constexpr Outcome(DeferredTag) : deferred_(true) {}

    // NOLINTEND(google-explicit-constructor)

    [[nodiscard]] constexpr bool is_deferred() const { return deferred_; }

    [[nodiscard]] constexpr const Results& results() const { return results_; }

private:
    Results results_{};
    bool deferred_ = false;
};

/// A request as it arrived; the bytes stay until the answer is out.
struct Request {
    abi::Tag tag{};
    u64 badge = 0;
    u64 token = 0;
    const void* fixed = nullptr;  ///< 8-aligned
    u32 fixed_size = 0;
    const void* arena = nullptr;  ///< 8-aligned
    u32 arena_size = 0;
};

/// The answer being made, in memory of the dispatcher.
struct Answer {
    void* fixed = nullptr;  ///< 8-aligned
    u32 fixed_capacity = 0;
    ArenaWriter arena;

    abi::Tag tag{};
    u32 fixed_size = 0;
    bool is_deferred = false;

    /// The error message without parameters: what nobody else answers.
    void refuse(abi::Tag request) {
        arena.reset();
        fixed_size = 0;
        is_deferred = false;
        tag = abi::Tag::make_short(abi::Kind::Error, request.endpoint(), request.method(), 0);
    }

    [[nodiscard]] sdk::Outgoing outgoing() const {
        return {
            .fixed = fixed_size == 0 ? nullptr : fixed,
            .fixed_size = fixed_size,
            .arena = arena.size() == 0 ? nullptr : arena.data(),
            .arena_size = arena.size(),
        };
    }
};

/// Writes `view` as message `kind` of shape `shape`. False when it does not fit its maxima.
template <typename Fixed, typename View>
bool answer_with(
    const View& view, const MessageShape& shape, abi::Kind kind, abi::Tag request, Answer& answer) {
    Fixed fixed{};
    if (shape.fixed_size > answer.fixed_capacity || !encode(view, answer.arena, fixed) ||
        !answer.arena.ok() || answer.arena.size() > shape.arena_max) {
        return false;
    }
    if constexpr (!std::is_empty_v<Fixed>) {
        store(answer.fixed, fixed);
    }
    answer.fixed_size = shape.fixed_size;
    answer.tag = shape.tag(kind, request.endpoint(), request.method(), answer.arena.size());
    return true;
}

/// Decodes the request of the method that `Traits` describes, calls `handler`, encodes its answer.
/// The handler does not run when the request does not fit its interface.
template <typename Traits, typename Handler>
void serve(const Request& request, Answer& answer, Handler&& handler) {
    typename Traits::Request fixed{};
    typename Traits::Arguments arguments{};
    if (!Traits::kRequest.fits(request.tag, request.fixed_size, request.arena_size)) {
        answer.refuse(request.tag);
        return;
    }
    if constexpr (!std::is_empty_v<typename Traits::Request>) {
        fixed = load<typename Traits::Request>(request.fixed);
    }
    const ArenaView arena{static_cast<const u8*>(request.arena), request.arena_size};
    if (!decode(fixed, arena, arguments)) {
        answer.refuse(request.tag);
        return;
    }
    const Caller caller{.badge = request.badge,
                        .token = request.token,
                        .endpoint = request.tag.endpoint(),
                        .method = request.tag.method(),
                        .arena = answer.arena};
    const auto outcome = handler(caller, arguments);
    if (outcome.is_deferred()) {
        answer.is_deferred = true;
        return;
    }
    bool fits = false;
    if constexpr (Traits::kError.exists) {
        fits = outcome.is_error()
                   ? answer_with<typename Traits::Error>(
                         outcome.errors(), Traits::kError, abi::Kind::Error, request.tag, answer)
                   : answer_with<typename Traits::Response>(outcome.results(),
                                                            Traits::kResponse,
                                                            abi::Kind::Response,
                                                            request.tag,
                                                            answer);
    } else {
        fits = answer_with<typename Traits::Response>(
            outcome.results(), Traits::kResponse, abi::Kind::Response, request.tag, answer);
    }
    if (!fits) {
        answer.refuse(request.tag);
    }
}

/// Answers a deferred call. BufferTooLarge: a result is above its maximum or `arena` has no room;
/// else as sdk::reply.
template <typename Fixed, typename View>
abi::Status reply_later(const Deferred& call,
                        const View& view,
                        const MessageShape& shape,
                        abi::Kind kind,
                        ArenaWriter& arena) {
    Fixed fixed{};
    Answer answer{.fixed = &fixed, .fixed_capacity = shape.fixed_size, .arena = arena};
    const abi::Tag request =
        abi::Tag::make_short(abi::Kind::Request, call.endpoint, call.method, 0);
    if (!answer_with<Fixed>(view, shape, kind, request, answer)) {
        return abi::Status::BufferTooLarge;
    }
    return sdk::reply(call.token, answer.tag, answer.outgoing());
}

}  // namespace idl
