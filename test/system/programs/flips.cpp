// SPDX-License-Identifier: Apache-2.0
// Processes whose memory somebody outside flips bits of (test/system/outside.py), or who work while
// the kernel's own state is flipped. What they may become is theirs; what they may reach is not:
// nothing above level 100 arrives at the server, whatever their memory says.
#include <runtime/log.hpp>
#include <runtime/time.hpp>
#include <test/system/programs/support/canary.hpp>
#include <test/system/programs/support/spawn.hpp>
#include <trial/Guarded.client.hpp>
#include <trial/Server.edl.hpp>

namespace trial {

namespace {

constexpr u32 kPages = 48;
constexpr u32 kWordsBehindMark = kPage / 8 - 2;
constexpr u64 kMark[2] = {0x9E37'79B9'7F4A'7C15, 0xF119'5000'F119'5000};
constexpr u64 kRunsMs = 12'000;
constexpr u64 kLifeMs = 200;

/// A page of prey: everything behind the mark may be flipped.
struct PreyPage {
    u64 mark[2];
    u64 words[kWordsBehindMark];
};

static_assert(sizeof(PreyPage) == kPage);

/// Believes its memory: pointers to the next page, levels to ask for, handles to ask with.
s32 prey(u64 channel) {
    auto* const pages = &at<PreyPage>(allocate(kPages * kPage));
    for (u32 i = 0; i < kPages; ++i) {
        pages[i].words[0] = address_of(&pages[(i + 1) % kPages]);
        for (u32 word = 1; word < kWordsBehindMark; ++word) {
            pages[i].words[word] = word % 2 == 0 ? channel : 7;
        }
        pages[i].mark[0] = kMark[0];
        pages[i].mark[1] = kMark[1];
    }
    auto* page = pages;
    for (u32 word = 1;; word = word + 2 < kWordsBehindMark - 1 ? word + 2 : 1) {
        volatile u64* const words = page->words;
        Guarded::Proxy guarded{static_cast<u32>(words[word + 1]), Server::endpoint::guarded};
        (void)guarded.Set(static_cast<u32>(words[word]));
        page = &at<PreyPage>(words[0]);
    }
}

/// Whether the policy still holds, of what one can see: a line for whoever watches.
bool is_sound(u32 server, u32 round) {
    Guarded::Proxy guarded{server, Server::endpoint::guarded};
    bool denied = true;
    for (u32 level = 101; level < 5000; level += 700) {
        denied = denied && !guarded.Set(level).ok();
    }
    denied = denied && !guarded.Never(1).ok();
    const auto highest = guarded.Highest();
    const bool is_bypassed = !denied || (highest.ok() && highest.value().level > 100);
    if (is_bypassed) {
        sdk::LogLine{"flips", "bypassed"}.field("round", round);
    }
    return !is_bypassed;
}

}  // namespace

void run(Report& report, const Context& context) {
    const u32 server = connection(context, "server");
    Test test{report, "flips.stay-where-they-are"};
    Spawner spawner{context};
    const Holdings before = settled_holdings();
    {
        Canary canary{spawner, 0, server};
        const u64 end = sdk::now_ticks() + sdk::ticks_of_ms(kRunsMs);
        u32 ended[3]{};
        u32 round = 0;
        for (; sdk::now_ticks() < end; ++round) {
            const Child child = spawner.build(prey, 0x1'0001);
            test.equal("channel", Spawner::give(child, server), 0x1'0001);
            (void)spawner.start(child);
            const Ending ending = Spawner::wait(child, kLifeMs);
            ++ended[ending.ended ? ending.reason % 3 : kTerminated];
            Spawner::discard(child);
            test.require("policy holds", is_sound(server, round), round);
            sdk::LogLine{"flips", "round"}.field("number", round);
        }
        sdk::LogLine{"flips", "lives"}
            .field("faulted", ended[kFaulted])
            .field("went-on", ended[kTerminated])
            .field("exited", ended[kExited]);
        canary.judge(test, "flips");
    }
    require_restored(test, before);
}

}  // namespace trial
