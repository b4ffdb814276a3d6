// SPDX-License-Identifier: Apache-2.0
// Both clocks are read without a call, from the clock page. Deadlines are counts of CNTVCT, never
// 0, rounded up, so that no wait ends too early.
#include <musl_errno.h>
#include <runtime/time.hpp>
#include <sdk/posix/groups.hpp>
#include <sdk/posix/kernel.hpp>
#include <sdk/posix/record.hpp>

namespace sdk::posix {

namespace {

constexpr u64 kSecond = 1'000'000'000;
constexpr u64 kAbsolute = 1;            // TIMER_ABSTIME
constexpr s64 kLongest = s64{1} << 33;  // seconds: some 270 years

// As in musl's time.h.
enum Clock : u64 {
    kRealTime = 0,
    kMonotonic = 1,
    kMonotonicRaw = 4,
    kRealTimeCoarse = 5,
    kMonotonicCoarse = 6,
    kBootTime = 7,
};

/// Whether there is such a clock; nanoseconds of it now.
bool read_clock(u64 clock, u64& now) {
    switch (clock) {
    case kRealTime:
    case kRealTimeCoarse:
        now = wall_ns();
        return true;
    case kMonotonic:
    case kMonotonicRaw:
    case kMonotonicCoarse:
    case kBootTime:
        now = monotonic_ns();
        return true;
    default:
        return false;
    }
}

bool is_valid(const Timespec& time) {
    return time.nanoseconds >= 0 && time.nanoseconds < static_cast<s64>(kSecond);
}

u64 nanoseconds_of(const Timespec& time) {
    const s64 seconds = time.seconds < kLongest ? time.seconds : kLongest;
    return static_cast<u64>(seconds) * kSecond + static_cast<u64>(time.nanoseconds);
}

Timespec timespec_of(u64 nanoseconds) {
    return {.seconds = static_cast<s64>(nanoseconds / kSecond),
            .nanoseconds = static_cast<s64>(nanoseconds % kSecond)};
}

u64 ticks_in(u64 nanoseconds) {
    const u64 frequency = ticks_per_second();
    return nanoseconds / kSecond * frequency +
           (nanoseconds % kSecond * frequency + kSecond - 1) / kSecond + 1;
}

/// Waits; what is left of the time goes to `left` when the wait was ended from outside.
s64 sleep_until(u64 deadline, const Call& call, Timespec* left) {
    while (true) {
        const s64 result = wait_for_signal(signals_seen(), deadline, call.cancelled);
        if (result == -ETIMEDOUT || now_ticks() >= deadline) {
            return 0;
        }
        if (result == -EINTR) {
            if (left != nullptr) {
                const u64 ticks = deadline - now_ticks();
                const u64 frequency = ticks_per_second();
                *left = timespec_of(ticks / frequency * kSecond +
                                    ticks % frequency * kSecond / frequency);
            }
            return result;
        }
        if (result != 0 && result != -EAGAIN) {
            return result;
        }
    }
}

}  // namespace

s64 ticks_after(const Timespec& time, u64& ticks) {
    if (!is_valid(time)) {
        return -EINVAL;
    }
    ticks = now_ticks() + (time.seconds < 0 ? 1 : ticks_in(nanoseconds_of(time)));
    return 0;
}

s64 ticks_at(u64 clock, const Timespec& time, u64& ticks) {
    u64 now = 0;
    if (!is_valid(time) || !read_clock(clock, now)) {
        return -EINVAL;
    }
    const u64 wanted = time.seconds < 0 ? 0 : nanoseconds_of(time);
    ticks = wanted <= now ? 1 : now_ticks() + ticks_in(wanted - now);
    return 0;
}

s64 clock_time(const Call& call) {
    u64 now = 0;
    if (!read_clock(call.word[0], now)) {
        return -EINVAL;
    }
    *pointer<Timespec>(call.word[1]) = timespec_of(now);
    return 0;
}

s64 set_clock(const Call& call) {
    const auto& time = *pointer<const Timespec>(call.word[1]);
    if (call.word[0] != kRealTime || !is_valid(time) || time.seconds < 0) {
        return -EINVAL;
    }
    return failure(times().SetSystemTime(nanoseconds_of(time)).status());
}

s64 clock_resolution(const Call& call) {
    u64 now = 0;
    if (!read_clock(call.word[0], now)) {
        return -EINVAL;
    }
    if (call.word[1] != 0) {
        const u64 step = kSecond / ticks_per_second();
        *pointer<Timespec>(call.word[1]) = timespec_of(step == 0 ? 1 : step);
    }
    return 0;
}

s64 sleep(const Call& call) {
    u64 deadline = 0;
    const auto& time = *pointer<const Timespec>(call.word[0]);
    if (const s64 flaw = ticks_after(time, deadline); flaw != 0 || time.seconds < 0) {
        return -EINVAL;
    }
    return sleep_until(deadline, call, pointer<Timespec>(call.word[1]));
}

s64 clock_sleep(const Call& call) {
    const bool is_absolute = (call.word[1] & kAbsolute) != 0;
    const auto& time = *pointer<const Timespec>(call.word[2]);
    u64 deadline = 0;
    u64 now = 0;
    if (!read_clock(call.word[0], now)) {
        return -EINVAL;
    }
    const s64 flaw =
        is_absolute ? ticks_at(call.word[0], time, deadline) : ticks_after(time, deadline);
    if (flaw != 0 || (!is_absolute && time.seconds < 0)) {
        return -EINVAL;
    }
    return sleep_until(deadline, call, is_absolute ? nullptr : pointer<Timespec>(call.word[3]));
}

s64 time_of_day(const Call& call) {
    constexpr s64 kPerMicrosecond = 1000;
    if (call.word[0] != 0) {
        auto& time = *pointer<Timespec>(call.word[0]);
        time = timespec_of(wall_ns());
        time.nanoseconds /= kPerMicrosecond;
    }
    return 0;
}

}  // namespace sdk::posix
