// SPDX-License-Identifier: Apache-2.0
// Words to wait for, on kl.core.Sync, and locks with owners: both sides keep the id of the owner
// and one bit for "others wait" at the same places of the word.
#include <bit>
#include <kl/core/Sync.idl.hpp>
#include <musl_errno.h>
#include <runtime/time.hpp>
#include <sdk/posix/groups.hpp>
#include <sdk/posix/kernel.hpp>
#include <sdk/posix/record.hpp>

namespace sdk::posix {

namespace {

// As in musl's src/internal/futex.h.
enum Operation : u64 {
    kWait = 0,
    kWake = 1,
    kRequeue = 3,
    kCompareRequeue = 4,
    kLockWithOwner = 6,
    kUnlockWithOwner = 7,
    kTryLockWithOwner = 8,
    kWaitBits = 9,
};

constexpr u64 kOperationMask = 0x7F;
constexpr u64 kRealTime = 0x100;
constexpr u64 kClockRealTime = 0;
constexpr u64 kClockMonotonic = 1;
constexpr u32 kOwnerDied = 0x4000'0000;
constexpr u32 kOwnerMask = 0x3FFF'FFFF;
constexpr u32 kEverybody = 0x7FFF'FFFF;

u32 load(u64 word) { return __atomic_load_n(pointer<u32>(word), __ATOMIC_SEQ_CST); }

bool replace(u64 word, u32 expected, u32 value) {
    return __atomic_compare_exchange_n(
        pointer<u32>(word), &expected, value, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

s64 wait(const Call& call, u64 operation) {
    u64 deadline = 0;
    if (call.word[3] != 0) {
        const auto& time = *pointer<const Timespec>(call.word[3]);
        const u64 clock = (call.word[1] & kRealTime) != 0 ? kClockRealTime : kClockMonotonic;
        const s64 flaw =
            operation == kWait ? ticks_after(time, deadline) : ticks_at(clock, time, deadline);
        if (flaw != 0) {
            return flaw;
        }
    }
    return wait_for(call.word[0], static_cast<u32>(call.word[2]), deadline, call.cancelled);
}

/// Without a value to compare, what the word holds just now will do.
s64 requeue(const Call& call, u64 operation) {
    while (true) {
        const u32 expected =
            operation == kCompareRequeue ? static_cast<u32>(call.word[5]) : load(call.word[0]);
        const auto moved = sync().Requeue(call.word[0],
                                          expected,
                                          static_cast<u32>(call.word[2]),
                                          static_cast<u32>(call.word[3]),
                                          call.word[4]);
        if (moved.ok()) {
            return s64{moved.value().woken} + moved.value().moved;
        }
        if (moved.status() != Status::Busy) {
            return failure(moved.status());
        }
        if (operation == kCompareRequeue) {
            return -EAGAIN;
        }
    }
}

s64 lock(const Call& call) {
    const u64 word = call.word[0];
    const u32 own = current_record().id;
    u64 deadline = 0;
    if (call.word[3] != 0) {
        const auto& time = *pointer<const Timespec>(call.word[3]);
        if (const s64 flaw = ticks_at(kClockRealTime, time, deadline); flaw != 0) {
            return flaw;
        }
    }
    while (true) {
        const u32 seen = load(word);
        if ((seen & kOwnerMask) == 0) {
            if (replace(word, seen, own | (seen & kOwnerDied))) {
                return 0;
            }
            continue;
        }
        if ((seen & kOwnerMask) == own) {
            return -EDEADLK;
        }
        const u32 marked = seen | kl::core::Sync::LockIsAwaited;
        if (seen != marked && !replace(word, seen, marked)) {
            continue;
        }
        const Status status = sync().Lock(word, marked, deadline).status();
        if (status == Status::Busy ||
            (status == Status::ResourceNotFound && load(word) != marked)) {
            continue;
        }
        return failure(status);
    }
}

s64 try_lock(const Call& call) {
    const u32 seen = load(call.word[0]);
    if ((seen & kOwnerMask) != 0) {
        return -EAGAIN;
    }
    const u32 value = current_record().id | (seen & kOwnerDied);
    return replace(call.word[0], seen, value) ? 0 : -EAGAIN;
}

s64 unlock(const Call& call) {
    const Status status = sync().Unlock(call.word[0]).status();
    return status == Status::NotReady ? -EPERM : failure(status);
}

}  // namespace

s64 wait_for(u64 word, u32 expected, u64 deadline, const volatile s32* cancelled) {
    if (cancelled == nullptr) {
        const Status status = sync().Wait(word, expected, deadline).status();
        return status == Status::Busy ? -EAGAIN : failure(status);
    }
    Record& record = current_record();
    const auto is_over = [&record, cancelled] {
        return __atomic_load_n(cancelled, __ATOMIC_SEQ_CST) != 0 || claim_signal(record);
    };
    // Whoever cancels or sends a signal notes that and then looks here; end_wait pairs with it.
    __atomic_store_n(&record.waits_at, word, __ATOMIC_SEQ_CST);
    const bool is_over_already = is_over();
    const Status status =
        is_over_already ? Status::Ok : sync().Wait(word, expected, deadline).status();
    __atomic_store_n(&record.waits_at, u64{0}, __ATOMIC_SEQ_CST);
    (void)__atomic_fetch_add(&record.waits, 1U, __ATOMIC_SEQ_CST);
    if (is_over_already) {
        return -EINTR;
    }
    if (is_over()) {
        // What woke this thread may have been meant for one that goes on.
        (void)wake(word, 1);
        return -EINTR;
    }
    return status == Status::Busy ? -EAGAIN : failure(status);
}

s64 wake(u64 word, u32 count) {
    const auto woken = sync().Wake(word, count);
    return woken.ok() ? s64{woken.value().woken} : failure(woken.status());
}

u32 signals_seen() { return __atomic_load_n(&current_record().signal_word, __ATOMIC_SEQ_CST); }

s64 wait_for_signal(u32 seen, u64 deadline, const volatile s32* cancelled) {
    const u64 word = __builtin_bit_cast(u64, &current_record().signal_word);
    return wait_for(word, seen, deadline, cancelled);
}

void end_wait(Record& record) {
    (void)__atomic_fetch_add(&record.signal_word, 1U, __ATOMIC_SEQ_CST);
    const u32 waits = __atomic_load_n(&record.waits, __ATOMIC_SEQ_CST);
    const u64 word = __atomic_load_n(&record.waits_at, __ATOMIC_SEQ_CST);
    if (word == 0) {
        return;
    }
    (void)wake(word, kEverybody);
    if (word == __builtin_bit_cast(u64, &record.signal_word)) {
        return;
    }
    // It may have looked already and be on its way into the wait for a word that says nothing of
    // this, so once is not enough.
    for (u64 deadline = 0; __atomic_load_n(&record.waits_at, __ATOMIC_SEQ_CST) == word &&
                           __atomic_load_n(&record.waits, __ATOMIC_SEQ_CST) == waits;
         deadline = now_ticks() + ticks_of_ms(1)) {
        (void)threads().Sleep(deadline);
        (void)wake(word, kEverybody);
    }
}

s64 futex(const Call& call) {
    const u64 operation = call.word[1] & kOperationMask;
    switch (operation) {
    case kWait:
    case kWaitBits:
        return wait(call, operation);
    case kWake:
        return wake(call.word[0], static_cast<u32>(call.word[2]));
    case kRequeue:
    case kCompareRequeue:
        return requeue(call, operation);
    case kLockWithOwner:
        return lock(call);
    case kUnlockWithOwner:
        return unlock(call);
    case kTryLockWithOwner:
        return try_lock(call);
    default:
        return -ENOSYS;
    }
}

}  // namespace sdk::posix
