// SPDX-License-Identifier: Apache-2.0
// What is known of each thread of the process. The ABI leaves the two words at TPIDR_EL0 to the
// system, and musl uses neither: the first leads to the thread's record. [ARM-AAPCS64] "TLS"
#pragma once

#include <sdk/posix/call.hpp>
#include <sdk/posix/signals.hpp>

namespace sdk::posix {

/// Most threads of a process: what the kernel gives one.
inline constexpr u32 kMaxThreads = 64;

struct Record {
    u32 id;            ///< of the kernel, for locks with owners; 0: the record is free
    u32 handle;        ///< 0: not known yet, or the first thread's
    u64 cleared_word;  ///< set to 0, with a wake, when the thread has ended; 0: none
    u64 waits_at;      ///< the word it waits for, while that can be ended from outside; 0: none
    u32 waits;         ///< how many such waits have ended
    u32 signal_word;   ///< grows with each signal: what it waits for when it sleeps
    u32 is_first;
    ThreadSignals signals;
};

/// The calling thread's.
Record& current_record();
/// Of the thread with this id, or of the caller for 0; null: there is none.
Record* find_record(u64 id);
/// One of the kMaxThreads places; null: no thread has it.
Record* record_at(u32 index);
/// Its handle, as methods of kl.core.Thread take it: 0 for the caller.
u32 handle_of(const Record& record);

/// Waits until somebody wakes `word`, while it is `expected` and before CNTVCT reaches `deadline`
/// (0: none). `cancelled` as in Call; null: neither that nor signals end the wait. 0, -EAGAIN,
/// -ETIMEDOUT, -EINTR (cancelled, or a signal is to be handled), -EINVAL, -EFAULT.
s64 wait_for(u64 word, u32 expected, u64 deadline, const volatile s32* cancelled);
/// How many were woken.
s64 wake(u64 word, u32 count);
/// How often the calling thread was told of a signal.
u32 signals_seen();
/// Until `deadline`, or until a signal is to be handled or the thread is cancelled: -ETIMEDOUT or
/// -EINTR. 0 or -EAGAIN if it was told of a signal since `seen`, and perhaps without any reason.
s64 wait_for_signal(u32 seen, u64 deadline, const volatile s32* cancelled);
/// Ends the wait that a thread is in, if it is in one.
void end_wait(Record& record);

/// CNTVCT at this time from now on, or at this time of a clock; at least 1. -EINVAL: no such time.
s64 ticks_after(const Timespec& time, u64& ticks);
s64 ticks_at(u64 clock, const Timespec& time, u64& ticks);

}  // namespace sdk::posix
