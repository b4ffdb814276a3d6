// SPDX-License-Identifier: Apache-2.0
// Signals between the threads of one process. No kernel sends any: a signal is a bit, and often a
// place of a queue, that the thread it is for looks at on its way out of each call of this library;
// there its handler runs, as a function that the call makes. A thread that waits is woken for it,
// as for being cancelled. One that computes takes it with its next call.
//
// The lock below guards actions, queues and timers. Bits and masks are also read without it: who
// sends sets the bit and then looks whether the thread waits, who waits says so and then looks at
// the bits.
#pragma once

#include <sdk/posix/call.hpp>

namespace sdk::posix {

class Lock;
struct Record;

/// As in musl's signal.h, with the three that musl keeps to itself (32 to 34).
inline constexpr u32 kSignals = 64;
inline constexpr s32 kAlarmSignal = 14;
inline constexpr s32 kFirstRealTime = 32;

inline constexpr s32 kCodeUser = 0;
inline constexpr s32 kCodeTimer = -2;
inline constexpr s32 kCodeMessage = -3;
inline constexpr s32 kCodeThread = -6;

/// A process that signal `n` ended has this less n for its exit code.
inline constexpr s32 kEndOfSignal = -1000;

constexpr u64 bit_of(s32 signal) { return u64{1} << (signal - 1); }

/// What a handler is told.
struct SignalInfo {
    s32 signal;  ///< 0: none
    s32 code;
    s32 sender;  ///< process, or timer
    s32 count;   ///< user, or overruns of the timer
    u64 value;
};

/// A signal that waits to be taken.
struct QueuedSignal {
    QueuedSignal* next;
    SignalInfo info;
    u32 is_queued;
    u32 is_spare;    ///< of the common places: goes back to them
    s32 last_count;  ///< `count` as it was last taken
};

struct SignalQueue {
    u64 bits;  ///< which signals; a standard one may have no place below
    QueuedSignal* first;
    QueuedSignal* last;
};

/// Part of a thread's record.
struct ThreadSignals {
    u64 mask;
    SignalQueue queue;
    SignalInfo taken;  ///< ended a wait, and is next
    u64 kept_mask;     ///< with keeps_mask: comes back when the call ends
    u64 keeps_mask;
    u64 awaited;     ///< by sigtimedwait
    u64 stack;       ///< for handlers that want another one
    u64 stack_size;  ///< 0: there is none
};

/// What guards all this. Nobody waits while having it.
Lock& signal_lock();

/// Sends to a thread, or to the process if it is null; with the lock. `place`: where it is kept, or
/// null for one of the common places. `waiting`: who must be woken for it when the lock has been
/// given back (wake_for_signal), or null. -EAGAIN: no place is left. -ENOSYS: SIGSTOP.
s64 post(Record* thread, const SignalInfo& info, QueuedSignal* place, Record*& waiting);
void wake_for_signal(Record* waiting);
/// Takes back what was posted with a place of the caller's own; with the lock.
void withdraw(QueuedSignal& place);

/// Takes a signal that the calling thread must act on out of its queues, so that its wait ends for
/// it and for nothing else. False: there is none.
bool claim_signal(Record& record);

/// This mask for the rest of the current call. If the call gives -EINTR, handlers run with it.
void use_mask_for_call(u64 mask);

/// What a signal does, as musl lays it out (ksigaction.h). Handlers 0 and 1: the default, nothing.
struct Action {
    u64 handler;
    u64 flags;
    u64 restorer;
    u64 mask;
};

/// Takes the signal that the thread acts on next out of its queues, with what it does, and sets the
/// mask for its handler. False: there is none with a handler. Does not return if one ends the
/// process.
bool take_signal(Record& record, SignalInfo& info, Action& action);
/// From now on; what the thread cannot take any more may be for another one.
void set_mask(Record& record, u64 mask);

/// As musl's siginfo_t.
struct alignas(8) SignalReport {
    s32 signal;
    s32 error;
    s32 code;
    s32 reserved;
    s32 sender;
    s32 count;
    u64 value;
    u64 rest[12];
};

SignalReport report_of(const SignalInfo& info);

/// Runs handlers, on the way out of a call that has this result. True: the call shall be made
/// again.
bool take_signals(Record& record, const Call& call, s64 result);
/// Whether take_signals has something to do.
bool has_signals(const Record& record);

/// A new thread has its maker's mask; one that ends takes along what was sent to it.
void begin_signals(Record& record, const Record& maker);
void end_signals(Record& record);

}  // namespace sdk::posix
