// SPDX-License-Identifier: Apache-2.0
// Timers, for timer_create and alarm. A thread of this library, which the first timer makes, waits
// for the next one and sends its signal; it has every signal masked and no record that others find.
// A timer owns the place for its signal, so it never lacks one, and while the signal is not taken
// it counts further expirations there.
#include <bit>
#include <musl_errno.h>
#include <runtime/time.hpp>
#include <sdk/posix/groups.hpp>
#include <sdk/posix/kernel.hpp>
#include <sdk/posix/lock.hpp>
#include <sdk/posix/record.hpp>

namespace sdk::posix {

namespace {

// As in musl's signal.h and time.h.
enum Notify : s32 { kSignal = 0, kNone = 1, kThread = 4 };

constexpr u64 kAbsolute = 1;
constexpr u64 kProcessTime = 2;
constexpr u64 kThreadTime = 3;
constexpr s32 kCodeKernel = 128;
constexpr u64 kSecond = 1'000'000'000;
constexpr s64 kMicrosecond = 1000;
constexpr s64 kLongest = s64{1} << 33;
constexpr s32 kMostOverruns = 0x7FFF'FFFF;
constexpr u64 kStackBytes = 16384;
constexpr u32 kTimers = 32;
constexpr u32 kAlarm = kTimers;  // setitimer's, behind the others

/// As musl gives it (timer_create.c).
struct SignalEvent {
    u64 value;
    s32 signal;
    s32 notify;
    s32 thread;
};

/// As musl's itimerspec, and itimerval with microseconds.
struct Times {
    Timespec interval;
    Timespec first;
};

struct Timer {
    u32 is_taken;
    s32 notify;
    u64 clock;
    u64 thread;
    u64 deadline;  ///< in ticks; 0: it is not set
    u64 interval;  ///< in ticks; 0: once
    SignalInfo info;
    QueuedSignal place;
};

constinit Timer timers[kTimers + 1]{};
constinit Record helper{};
constinit u64 helper_tls[2]{};
constinit u32 changes = 0;  // a word to wait for
constinit bool has_helper = false;

s32 limited(u64 count) {
    return count > static_cast<u64>(kMostOverruns) ? kMostOverruns : static_cast<s32>(count);
}

u64 ticks_of(const Timespec& time) {
    const u64 frequency = ticks_per_second();
    const s64 seconds = time.seconds < kLongest ? time.seconds : kLongest;
    return static_cast<u64>(seconds) * frequency +
           (static_cast<u64>(time.nanoseconds) * frequency + kSecond - 1) / kSecond;
}

Timespec time_of(u64 ticks) {
    const u64 frequency = ticks_per_second();
    return {.seconds = static_cast<s64>(ticks / frequency),
            .nanoseconds = static_cast<s64>(ticks % frequency * kSecond / frequency)};
}

/// What is left until it expires, never 0 while it is set.
Times look(const Timer& timer) {
    const u64 now = now_ticks();
    const u64 left = timer.deadline > now ? timer.deadline - now : 1;
    return {.interval = time_of(timer.interval),
            .first = timer.deadline == 0 ? Timespec{} : time_of(left)};
}

void expire(Timer& timer, u64 now, Record*& waiting) {
    const u64 times = timer.interval == 0 ? 1 : 1 + (now - timer.deadline) / timer.interval;
    timer.deadline = timer.interval == 0 ? 0 : timer.deadline + times * timer.interval;
    if (timer.notify == kNone) {
        return;
    }
    if (timer.place.is_queued != 0) {
        timer.place.info.count = limited(static_cast<u64>(timer.place.info.count) + times);
        return;
    }
    Record* const thread = timer.notify == kThread ? find_record(timer.thread) : nullptr;
    if (timer.notify == kThread && thread == nullptr) {
        return;  // it has ended
    }
    timer.info.count = limited(times - 1);
    (void)post(thread, timer.info, &timer.place, waiting);
}

/// One turn: lets timers expire until somebody must be woken, or waits.
void turn() {
    Record* waiting = nullptr;
    u64 next = 0;
    u32 seen = 0;
    {
        const Holder holder{signal_lock()};
        seen = __atomic_load_n(&changes, __ATOMIC_SEQ_CST);
        const u64 now = now_ticks();
        for (Timer& timer : timers) {
            if (timer.deadline != 0 && timer.deadline <= now && waiting == nullptr) {
                expire(timer, now, waiting);
            }
            if (timer.deadline != 0 && (next == 0 || timer.deadline < next)) {
                next = timer.deadline;
            }
        }
    }
    if (waiting != nullptr) {
        wake_for_signal(waiting);
        return;
    }
    (void)wait_for(std::bit_cast<u64>(&changes), seen, next, nullptr);
}

[[noreturn]] void run_timers() {
    while (true) {
        turn();
    }
}

/// With the lock.
s64 start_helper() {
    if (has_helper) {
        return 0;
    }
    const auto priority = tasks().GetInitialThreadPriority(0);
    const auto stack = vmm().Allocate(0, kStackBytes, kl::core::VMM::Read | kl::core::VMM::Write);
    if (!priority.ok() || !stack.ok()) {
        return -EAGAIN;
    }
    helper.signals.mask = ~u64{0};
    helper_tls[0] = std::bit_cast<u64>(&helper);
    const auto made = threads().Create(std::bit_cast<u64>(&run_timers),
                                       stack.value().at + kStackBytes,
                                       0,
                                       std::bit_cast<u64>(&helper_tls[0]),
                                       priority.value().priority);
    if (!made.ok()) {
        (void)vmm().Free(stack.value().at, kStackBytes);
        return -EAGAIN;
    }
    has_helper = true;
    return 0;
}

/// Null: there is no such timer. With the lock.
Timer* find_timer(u64 id) {
    return id < kTimers && timers[id].is_taken != 0 ? &timers[id] : nullptr;
}

bool is_valid(const Timespec& time) {
    return time.nanoseconds >= 0 && time.nanoseconds < static_cast<s64>(kSecond) &&
           time.seconds >= 0;
}

/// With the lock; what was on its way from before does not arrive any more.
s64 set(Timer& timer, const Times& times, bool is_absolute) {
    u64 deadline = 0;
    if (!is_valid(times.interval) || !is_valid(times.first)) {
        return -EINVAL;
    }
    if (times.first.seconds != 0 || times.first.nanoseconds != 0) {
        const s64 flaw = is_absolute ? ticks_at(timer.clock, times.first, deadline)
                                     : ticks_after(times.first, deadline);
        if (flaw != 0) {
            return flaw;
        }
        const u64 now = now_ticks();
        deadline = deadline < now ? now : deadline;
    }
    withdraw(timer.place);
    timer.place.last_count = 0;
    timer.deadline = deadline;
    timer.interval = ticks_of(times.interval);
    (void)__atomic_fetch_add(&changes, 1U, __ATOMIC_SEQ_CST);
    return 0;
}

void tell_helper() { (void)wake(std::bit_cast<u64>(&changes), 1); }

}  // namespace

s64 create_timer(const Call& call) {
    const Call clock{
        .number = 0, .word = {call.word[0], 0, 0, 0, 0, 0}, .cancelled = call.cancelled};
    if (call.word[0] == kProcessTime || call.word[0] == kThreadTime ||
        clock_resolution(clock) != 0) {
        return -EINVAL;
    }
    SignalEvent event{.value = 0, .signal = kAlarmSignal, .notify = kSignal, .thread = 0};
    if (call.word[1] != 0) {
        event = *pointer<const SignalEvent>(call.word[1]);
        const bool is_known =
            event.notify == kSignal || event.notify == kNone || event.notify == kThread;
        if (!is_known ||
            (event.notify != kNone &&
             (event.signal < 1 || event.signal > static_cast<s32>(kSignals))) ||
            (event.notify == kThread && find_record(static_cast<u64>(event.thread)) == nullptr)) {
            return -EINVAL;
        }
    }
    const Holder holder{signal_lock()};
    if (const s64 flaw = start_helper(); flaw != 0) {
        return flaw;
    }
    for (u32 i = 0; i < kTimers; ++i) {
        Timer& timer = timers[i];
        if (timer.is_taken != 0) {
            continue;
        }
        timer = {};
        timer.is_taken = 1;
        timer.notify = event.notify;
        timer.clock = call.word[0];
        timer.thread = static_cast<u64>(event.thread);
        timer.info = {.signal = event.signal,
                      .code = kCodeTimer,
                      .sender = static_cast<s32>(i),
                      .count = 0,
                      .value = call.word[1] != 0 ? event.value : i};
        *pointer<s32>(call.word[2]) = static_cast<s32>(i);
        return 0;
    }
    return -EAGAIN;
}

s64 set_timer(const Call& call) {
    {
        const Holder holder{signal_lock()};
        Timer* const timer = find_timer(call.word[0]);
        if (timer == nullptr || call.word[2] == 0) {
            return -EINVAL;
        }
        const Times times = *pointer<const Times>(call.word[2]);
        const Times before = look(*timer);
        if (const s64 flaw = set(*timer, times, (call.word[1] & kAbsolute) != 0); flaw != 0) {
            return flaw;
        }
        if (call.word[3] != 0) {
            *pointer<Times>(call.word[3]) = before;
        }
    }
    tell_helper();
    return 0;
}

s64 get_timer(const Call& call) {
    const Holder holder{signal_lock()};
    const Timer* const timer = find_timer(call.word[0]);
    if (timer == nullptr) {
        return -EINVAL;
    }
    *pointer<Times>(call.word[1]) = look(*timer);
    return 0;
}

s64 timer_overruns(const Call& call) {
    const Holder holder{signal_lock()};
    const Timer* const timer = find_timer(call.word[0]);
    return timer == nullptr ? -EINVAL : timer->place.last_count;
}

s64 delete_timer(const Call& call) {
    const Holder holder{signal_lock()};
    Timer* const timer = find_timer(call.word[0]);
    if (timer == nullptr) {
        return -EINVAL;
    }
    withdraw(timer->place);
    *timer = {};
    return 0;
}

s64 set_interval_timer(const Call& call) {
    if (call.word[0] != 0 || call.word[1] == 0) {
        return -EINVAL;
    }
    Times times = *pointer<const Times>(call.word[1]);
    times.first.nanoseconds *= kMicrosecond;
    times.interval.nanoseconds *= kMicrosecond;
    {
        const Holder holder{signal_lock()};
        Timer& timer = timers[kAlarm];
        if (const s64 flaw = start_helper(); flaw != 0) {
            return flaw;
        }
        timer.clock = 1;
        timer.info = {
            .signal = kAlarmSignal, .code = kCodeKernel, .sender = 0, .count = 0, .value = 0};
        Times before = look(timer);
        if (const s64 flaw = set(timer, times, false); flaw != 0) {
            return flaw;
        }
        if (call.word[2] != 0) {
            before.first.nanoseconds /= kMicrosecond;
            before.interval.nanoseconds /= kMicrosecond;
            *pointer<Times>(call.word[2]) = before;
        }
    }
    tell_helper();
    return 0;
}

s64 get_interval_timer(const Call& call) {
    if (call.word[0] != 0) {
        return -EINVAL;
    }
    const Holder holder{signal_lock()};
    Times now = look(timers[kAlarm]);
    now.first.nanoseconds /= kMicrosecond;
    now.interval.nanoseconds /= kMicrosecond;
    *pointer<Times>(call.word[1]) = now;
    return 0;
}

}  // namespace sdk::posix
