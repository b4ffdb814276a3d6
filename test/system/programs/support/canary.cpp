// SPDX-License-Identifier: Apache-2.0
#include <runtime/log.hpp>
#include <runtime/time.hpp>
#include <test/system/programs/support/canary.hpp>
#include <trial/Echo.client.hpp>
#include <trial/Server.edl.hpp>

namespace trial {

namespace {

constexpr u64 kPeriodMs = 1;
constexpr u32 kPriority = 115;  // above the tests themselves, below trial.Server
/// For machines whose clock is the host's, which may be busy; the scenarios hold those that run by
/// instructions to far less.
constexpr u64 kWidestMs = 10'000;

void note_gap(Song& song) {
    const u64 now = sdk::now_ticks();
    song.widest_gap = now - song.last > song.widest_gap ? now - song.last : song.widest_gap;
    song.last = now;
}

s32 sing(u64 address) {
    auto& song = at<Song>(address);
    Echo::Proxy echo{song.channel, Server::endpoint::echo};
    while (song.stop == 0) {
        const auto reply = echo.Ping(song.calls);
        if (!reply.ok() || reply.value().next != u64{song.calls} + 1) {
            song.wrong = song.wrong + 1;
        }
        song.calls = song.calls + 1;
        (void)threads().Sleep(sdk::now_ticks() + sdk::ticks_of_ms(kPeriodMs));
        note_gap(song);
    }
    return 0;
}

}  // namespace

Canary::Canary(Spawner& spawner, u64 place, u32 server)
    : song_(at<Song>(spawner.board_address() + place)) {
    song_.stop = 0;
    song_.calls = 0;
    song_.wrong = 0;
    song_.widest_gap = 0;
    child_ = spawner.build(sing, address_of(&song_), {.priority = kPriority});
    song_.channel = Spawner::give(child_, server);
    song_.last = sdk::now_ticks();
    (void)spawner.start(child_);
}

Canary::~Canary() { Spawner::discard(child_); }

void Canary::judge(Test& test, std::string_view what) {
    const u64 last = song_.last;  // before the clock: it may sing in between
    const u64 unended = sdk::now_ticks() - last;
    song_.stop = 1;
    const Ending ending = Spawner::wait(child_);
    test.require("the canary ended", ending.ended && ending.reason == kExited, ending.reason);
    test.require("it sang", song_.calls > 0);
    test.equal("it sang wrong", song_.wrong, 0);
    const u64 widest = song_.widest_gap > unended ? song_.widest_gap : unended;
    test.require("its widest gap", widest < sdk::ticks_of_ms(kWidestMs));
    sdk::LogLine{"canary", "undisturbed"}
        .field("by", what)
        .field("calls", song_.calls)
        .field("widest-gap-us", widest * 1'000'000 / sdk::ticks_per_second());
}

}  // namespace trial
