// SPDX-License-Identifier: Apache-2.0
// Deadlines, earliest first: a binary heap of pointers to Timers that live in their threads. Each
// timer knows its place, so cancelling is as cheap as arming.
#pragma once

#include <kernel/base/assert.hpp>
#include <kernel/base/names.hpp>

namespace kernel {

using base::Ticks;

/// What a timer is for.
enum class TimerUse : u8 {
    Wait,    // its owner, a Thread, waits no longer
    Budget,  // its owner, a Process, has a CPU budget to share out
    Sample,  // the CPUs are to be sampled
    Reap,    // the way out of the kernel goes on with teardown
};

struct Timer {
    static constexpr u32 kIdle = 0xFFFF'FFFF;

    Ticks when{};
    u32 position = kIdle;
    TimerUse use = TimerUse::Wait;
    void* owner = nullptr;

    [[nodiscard]] bool is_armed() const { return position != kIdle; }
};

template <u32 kCapacity> class TimerQueue final {
public:
    /// O(log n). The timer is not armed; every owner has one timer, so there is always room.
    void arm(Timer& timer, Ticks when) {
        KASSERT(!timer.is_armed() && count_ < kCapacity);
        timer.when = when;
        place(count_++, timer);
        rise(timer.position);
    }

    /// O(log n); nothing happens when the timer is idle.
    void cancel(Timer& timer) {
        if (!timer.is_armed()) {
            return;
        }
        const u32 hole = timer.position;
        timer.position = Timer::kIdle;
        Timer* const last = heap_[--count_];
        heap_[count_] = nullptr;
        if (last != &timer) {
            place(hole, *last);
            rise(hole);
            sink(hole);
        }
    }

    /// O(log n). Arms the timer, armed or not, for another moment.
    void move(Timer& timer, Ticks when) {
        cancel(timer);
        arm(timer, when);
    }

    /// The earliest timer, or null.
    [[nodiscard]] Timer* first() const { return heap_[0]; }

private:
    void place(u32 position, Timer& timer) {
        heap_[position] = &timer;
        timer.position = position;
    }

    void swap(u32 a, u32 b) {
        Timer* first = heap_[a];
        place(a, *heap_[b]);
        place(b, *first);
    }

    void rise(u32 at) {
        while (at > 0 && heap_[at]->when < heap_[(at - 1) / 2]->when) {
            swap(at, (at - 1) / 2);
            at = (at - 1) / 2;
        }
    }

    void sink(u32 at) {
        for (;;) {
            u32 least = at;
            for (u32 child = 2 * at + 1; child <= 2 * at + 2; ++child) {
                if (child < count_ && heap_[child]->when < heap_[least]->when) {
                    least = child;
                }
            }
            if (least == at) {
                return;
            }
            swap(at, least);
            at = least;
        }
    }

    Timer* heap_[kCapacity]{};  // null from count_ on
    u32 count_ = 0;
};

}  // namespace kernel
