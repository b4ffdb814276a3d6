// SPDX-License-Identifier: Apache-2.0
// A bystander: a process, stronger than those that tests attack with, that asks trial.Server a
// thousand times a second. What attackers do shall change neither the answers nor its turn.
#pragma once

#include <test/system/programs/support/spawn.hpp>

namespace trial {

/// What the canary leaves on the board.
struct Song {
    u32 channel;
    volatile u32 stop;
    volatile u32 calls;
    volatile u32 wrong;
    volatile u64 last;        // CNTVCT of the latest call, of the start before the first
    volatile u64 widest_gap;  // ticks from one call to the next
};

class Canary final {
public:
    /// `place` is where in the board its Song goes; `server` the parent's channel to trial.Server.
    Canary(Spawner& spawner, u64 place, u32 server);
    ~Canary();
    Canary(const Canary&) = delete;
    Canary& operator=(const Canary&) = delete;

    /// Whether it went well; ends it. The widest gap is printed, in microseconds, as that of
    /// `what`.
    void judge(Test& test, std::string_view what);

private:
    Song& song_;
    Child child_;
};

}  // namespace trial
