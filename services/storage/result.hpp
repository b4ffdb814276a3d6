// SPDX-License-Identifier: Apache-2.0
// Why a device or a file system refuses. Values are the errno numbers of musl and Linux on AArch64,
// so the C library hands them on as they are. base::Result carries only base::Status; the Result
// here has the same members, so that TRY and TRY_VALUE serve both.
#pragma once

#include <kernel/base/result.hpp>
#include <kernel/base/types.hpp>
#include <type_traits>
#include <utility>

namespace svc::storage {

using base::s64;
using base::u16;
using base::u32;
using base::u64;
using base::u8;

enum class Error : u32 {
    None = 0,
    NotPermitted = 1,  ///< only the owner may
    NoEntry = 2,       ///< no such name
    Io = 5,            ///< the device failed
    BadFile = 9,       ///< no such open file, or not open for this
    TryAgain = 11,     ///< somebody else has a lock
    NoMemory = 12,     ///< the memory handed over is too small
    Access = 13,       ///< the permissions do not allow it
    Busy = 16,         ///< in use
    Exists = 17,       ///< the name is taken
    CrossDevice = 18,  ///< the two names belong to different file systems
    NoDevice = 19,     ///< no file system of this kind is on the device
    NotADirectory = 20,
    IsADirectory = 21,
    Invalid = 22,       ///< malformed argument
    TableFull = 23,     ///< too many files of all
    TooManyFiles = 24,  ///< of one process
    FileTooBig = 27,    ///< beyond the largest file
    NoSpace = 28,       ///< the device is full
    ReadOnly = 30,      ///< mounted read-only, or found damaged
    TooManyLinks = 31,
    NameTooLong = 36,
    NotSupported = 38,  ///< this file system has no such thing
    NotEmpty = 39,
    TooManyLevels = 40,  ///< of directories or symbolic links
    Stale = 116,         ///< the node was deleted since its name was looked up
    Damaged = 117,       ///< what the device gave back fails its checksum, or makes no sense
    Quota = 122,         ///< the owner's share is used up
};

// NOLINTBEGIN(google-explicit-constructor): a function returns its value or its error as it is

/// A value, or the Error that says why there is none.
template <typename T> class [[nodiscard]] Result final {
public:
    constexpr Result(T value) : value_(std::move(value)) {}

    constexpr Result(Error error) : error_(error) {}

    [[nodiscard]] constexpr bool ok() const { return error_ == Error::None; }

    [[nodiscard]] constexpr Error status() const { return error_; }

    /// The value; only after ok().
    [[nodiscard]] constexpr T& value() { return value_; }

    [[nodiscard]] constexpr const T& value() const { return value_; }

private:
    T value_{};
    Error error_ = Error::None;
};

template <> class [[nodiscard]] Result<void> final {
public:
    constexpr Result() = default;

    constexpr Result(Error error) : error_(error) {}

    [[nodiscard]] constexpr bool ok() const { return error_ == Error::None; }

    [[nodiscard]] constexpr Error status() const { return error_; }

private:
    Error error_ = Error::None;
};

// NOLINTEND(google-explicit-constructor)

}  // namespace svc::storage
