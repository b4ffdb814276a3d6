// SPDX-License-Identifier: Apache-2.0
#include <musl_errno.h>
#include <sdk/posix/lock.hpp>
#include <sdk/posix/record.hpp>

namespace sdk::posix {

namespace {

constexpr u32 kEverybody = 0x7FFF'FFFF;

}

void Lock::take() {
    u32 seen = 0;
    if (__atomic_compare_exchange_n(&word_, &seen, 1U, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED)) {
        return;
    }
    while (__atomic_exchange_n(&word_, 2U, __ATOMIC_ACQUIRE) != 0) {
        (void)wait_for(__builtin_bit_cast(u64, &word_), 2, 0, nullptr);
    }
}

void Lock::give() {
    if (__atomic_exchange_n(&word_, 0U, __ATOMIC_RELEASE) == 2) {
        (void)wake(__builtin_bit_cast(u64, &word_), 1);
    }
}

s64 Event::wait(u32 seen, u64 deadline, const volatile s32* cancelled) {
    // Counted before the kernel compares, and signal() counts before it looks: one of both sees.
    (void)__atomic_fetch_add(&waiting_, 1U, __ATOMIC_SEQ_CST);
    const s64 result = wait_for(__builtin_bit_cast(u64, &count_), seen, deadline, cancelled);
    (void)__atomic_fetch_sub(&waiting_, 1U, __ATOMIC_SEQ_CST);
    return result == -EAGAIN ? 0 : result;
}

void Event::signal() {
    (void)__atomic_fetch_add(&count_, 1U, __ATOMIC_SEQ_CST);
    if (__atomic_load_n(&waiting_, __ATOMIC_SEQ_CST) != 0) {
        (void)wake(__builtin_bit_cast(u64, &count_), kEverybody);
    }
}

}  // namespace sdk::posix
