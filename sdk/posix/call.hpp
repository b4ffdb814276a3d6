// SPDX-License-Identifier: Apache-2.0
// What musl asks for. Each request has a number and up to six words, which musl took from Linux for
// AArch64; here they are only an agreement between two parts of one program, and no kernel sees
// them. Every file of this folder answers one group of numbers; table.cpp lists them.
//
// A function of this folder runs before TLS exists, in threads that are about to end and with locks
// of musl held. So it calls nothing of musl and keeps what it must know of a thread in its Record.
#pragma once

#include <kernel/base/status.hpp>
#include <kernel/base/types.hpp>

namespace sdk::posix {

using base::s32;
using base::s64;
using base::Status;
using base::u16;
using base::u32;
using base::u64;
using base::u8;

/// One request.
struct Call {
    u64 number;
    u64 word[6];
    /// Nonzero as soon as somebody cancels the calling thread; always 0 if that must not end the
    /// call. Never null: whoever waits passes it on, and signals end the wait too.
    const volatile s32* cancelled;
};

/// A result, or an errno as a negative number.
using Function = s64 (*)(const Call& call);

/// The function for a number; one that answers -ENOSYS if there is none.
Function find_function(u64 number);

/// The errno, negative, for a refusal of the kernel.
s64 failure(Status status);

/// What a pointer of the program points to.
template <typename T> T* pointer(u64 word) { return __builtin_bit_cast(T*, word); }

/// As musl lays it out (bits/alltypes.h).
struct Timespec {
    s64 seconds;
    s64 nanoseconds;
};

}  // namespace sdk::posix
