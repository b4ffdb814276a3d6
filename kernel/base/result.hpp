// SPDX-License-Identifier: Apache-2.0
// Result<T>: a value or a Status. TRY passes failure on, so that the body reads as intent.
#pragma once

#include <kernel/base/status.hpp>
#include <type_traits>
#include <utility>

namespace base {

// NOLINTBEGIN(google-explicit-constructor): a function returns its value or its status as it is

/// A value, or the Status that says why there is none. Values are trivially destructible here.
template <typename T> class [[nodiscard]] Result final {
public:
    constexpr Result(T value) : value_(std::move(value)) {}

    constexpr Result(Status error) : status_(error) {}

    [[nodiscard]] constexpr bool ok() const { return status_ == Status::Ok; }

    [[nodiscard]] constexpr Status status() const { return status_; }

    /// The value; only after ok().
    [[nodiscard]] constexpr T& value() { return value_; }

    [[nodiscard]] constexpr const T& value() const { return value_; }

private:
    T value_{};
    Status status_ = Status::Ok;
};

/// A reference, or a Status.
template <typename T> class [[nodiscard]] Result<T&> final {
public:
    constexpr Result(T& value) : value_(&value) {}

    constexpr Result(Status error) : status_(error) {}

    [[nodiscard]] constexpr bool ok() const { return status_ == Status::Ok; }

    [[nodiscard]] constexpr Status status() const { return status_; }

    [[nodiscard]] constexpr T& value() const { return *value_; }

private:
    T* value_ = nullptr;
    Status status_ = Status::Ok;
};

template <> class [[nodiscard]] Result<void> final {
public:
    constexpr Result() = default;

    constexpr Result(Status status) : status_(status) {}

    [[nodiscard]] constexpr bool ok() const { return status_ == Status::Ok; }

    [[nodiscard]] constexpr Status status() const { return status_; }

private:
    Status status_ = Status::Ok;
};

// NOLINTEND(google-explicit-constructor)

}  // namespace base

/// Passes a failure of `expression` on to the caller; otherwise goes on.
#define TRY(expression)                                                                            \
    do {                                                                                           \
        if (const auto try_result_ = (expression); !try_result_.ok()) [[unlikely]] {               \
            return try_result_.status();                                                           \
        }                                                                                          \
    } while (false)

/// As TRY, and names the value: TRY_VALUE(Thread& thread, resolve(handle)).
#define TRY_PASTE(a, b) a##b
#define TRY_JOIN(a, b) TRY_PASTE(a, b)
// NOLINTBEGIN(bugprone-macro-parentheses): a declaration cannot stand in parentheses
#define TRY_VALUE(declaration, expression)                                                         \
    auto TRY_JOIN(try_value_, __LINE__) = (expression);                                            \
    if (!TRY_JOIN(try_value_, __LINE__).ok()) [[unlikely]] {                                       \
        return TRY_JOIN(try_value_, __LINE__).status();                                            \
    }                                                                                              \
    declaration = TRY_JOIN(try_value_, __LINE__).value()
// NOLINTEND(bugprone-macro-parentheses)
