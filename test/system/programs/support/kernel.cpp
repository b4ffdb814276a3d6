// SPDX-License-Identifier: Apache-2.0
#include <runtime/time.hpp>
#include <test/system/programs/support/kernel.hpp>

namespace trial {

u32 cpu_count() {
    const auto online = power().GetCpusOnline();
    u32 count = 0;
    for (u64 mask = online.ok() ? online.value().mask : 1; mask != 0; mask &= mask - 1) {
        ++count;
    }
    return count;
}

Holdings holdings() {
    const auto counters = profiler().GetCounters();
    return {.frames = counters.value().freeFrames, .objects = counters.value().objects};
}

Holdings settled_holdings() {
    constexpr u32 kTries = 400;
    constexpr u64 kPauseMs = 3;
    Holdings last = holdings();
    for (u32 i = 0, equal = 0; i < kTries && equal < 2; ++i) {
        sdk::sleep_ms(kPauseMs);
        const Holdings now = holdings();
        equal = now == last ? equal + 1 : 0;
        last = now;
    }
    return last;
}

void require_restored(Test& test, const Holdings& before) {
    constexpr u32 kTries = 400;
    constexpr u64 kPauseMs = 5;
    Holdings now = holdings();
    for (u32 i = 0; i < kTries && now != before; ++i) {
        sdk::sleep_ms(kPauseMs);
        now = holdings();
    }
    test.equal("free frames", now.frames, before.frames);
    test.equal("objects", now.objects, before.objects);
}

u64 pages_left() { return tasks().GetInfo().value().pagesLeft; }

u64 allocate(u64 size) {
    const auto area = vmm().Allocate(0, size, kWritable);
    return area.ok() ? area.value().at : 0;  // a refusal tells where it would have been
}

}  // namespace trial
