// SPDX-License-Identifier: Apache-2.0
// Critical sections of a known length, and how long somebody strong waits for them. By the clock of
// machines that count instructions the wait is exact; scenarios.py holds those to `excess-ns`.
#pragma once

#include <runtime/log.hpp>
#include <runtime/time.hpp>
#include <test/system/programs/support/kernel.hpp>

namespace trial {

/// The same number of instructions each time.
inline void work_in_section() {
    for (volatile u32 left = 20'000; left > 0;) {
        left = left - 1;
    }
}

inline u64 ns_of_ticks(u64 ticks) { return ticks * 1'000'000'000 / sdk::ticks_per_second(); }

/// How long one takes here, alone, if the host does not set the machine aside meanwhile; in ticks.
inline u64 measure_section() {
    u64 least = ~u64{0};
    for (u32 i = 0; i < 5; ++i) {
        const u64 begin = sdk::now_ticks();
        work_in_section();
        const u64 taken = sdk::now_ticks() - begin;
        least = taken < least ? taken : least;
    }
    return least;
}

/// Keeps to the first CPU, and gives it up after.
class OneCpu final {
public:
    explicit OneCpu(Test& test) {
        test.equal("one CPU", threads().SetAffinity(0, 1).status(), Status::Ok);
    }

    ~OneCpu() { (void)threads().SetAffinity(0, (u64{1} << cpu_count()) - 1); }

    OneCpu(const OneCpu&) = delete;
    OneCpu& operator=(const OneCpu&) = delete;
};

/// Prints how far a wait was beyond that for `sections` of `section` ticks.
inline void tell_wait(std::string_view what, u64 waited, u64 section, u32 sections) {
    const u64 bound = section * sections;
    sdk::LogLine{"inversion", what}
        .field("sections", sections)
        .field("section-ns", ns_of_ticks(section))
        .field("waited-ns", ns_of_ticks(waited))
        .field("excess-ns", waited > bound ? ns_of_ticks(waited - bound) : 0);
}

}  // namespace trial
