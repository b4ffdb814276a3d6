// SPDX-License-Identifier: Apache-2.0
// Processes whose memory, code or registers somebody outside flips bits of
// (test/system/outside.py), or who work while the kernel's own state is flipped. What they may
// become is theirs; what they may reach is not: nothing above level 100 arrives at the server,
// whatever their memory says.
#include <iterator>
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
constexpr u32 kCodePages = 8;
constexpr u64 kCodeMark[2] = {0x9E37'79B9'7F4A'7C15, 0xF119'5000'F119'5001};
constexpr u64 kRegisterMark[2] = {0x9E37'79B9'7F4A'7C15, 0xF119'5000'F119'5002};
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

extern "C" {
/// support/prey.S
[[noreturn]] void
trial_prey_enter(u64 handle, u64 tag, u64 word, const void* code, u64 first_mark, u64 second_mark);
extern const u8 trial_prey_code[];
extern const u8 trial_prey_code_end[];
}

u64 prey_tag() {
    return abi::Tag::make_short(abi::Kind::Request,
                                Server::endpoint::guarded,
                                static_cast<u16>(Guarded::Method::Set),
                                sizeof(Guarded::Set_Request))
        .value;
}

/// Runs through pages of code, each behind a mark, and from the last to the first.
s32 code_prey(u64 channel) {
    const u64 pages = allocate(kCodePages * kPage);
    const u64 size = address_of(trial_prey_code_end) - address_of(trial_prey_code);
    constexpr u64 kBegin = sizeof(kCodeMark);
    for (u32 i = 0; i < kCodePages; ++i) {
        const u64 page = pages + i * kPage;
        __builtin_memcpy(&at<u8>(page), kCodeMark, kBegin);
        __builtin_memcpy(&at<u8>(page + kBegin), trial_prey_code, size);
        // [ARM] "B": the distance in words in the lower 26 bits.
        const u64 last = page + kBegin + size - 4;
        const u64 next = pages + (i + 1) % kCodePages * kPage + kBegin;
        at<u32>(last) = 0x1400'0000 | static_cast<u32>((next - last) >> 2 & 0x3FF'FFFF);
    }
    if (!vmm().Protect(pages, kCodePages * kPage, kRunnable).ok()) {
        return 1;
    }
    // An emulator translates it once, and does not look whether it has changed since.
    sdk::sleep_ms(kLifeMs / 2);
    trial_prey_enter(channel, prey_tag(), 7, &at<u8>(pages + kBegin), 0, 0);
}

/// Two of its registers are the mark, by which the kernel's copy is found while it waits.
s32 register_prey(u64 channel) {
    trial_prey_enter(channel, prey_tag(), 7, trial_prey_code, kRegisterMark[0], kRegisterMark[1]);
}

struct Kind {
    std::string_view name;
    ChildMain main;
};

constexpr Kind kKinds[] = {{"memory", prey}, {"code", code_prey}, {"registers", register_prey}};
constexpr u32 kKindCount = std::size(kKinds);

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
        u32 ended[kKindCount][3]{};
        u32 round = 0;
        for (; sdk::now_ticks() < end; ++round) {
            const u32 kind = round % kKindCount;
            const Child child = spawner.build(kKinds[kind].main, 0x1'0001);
            test.equal("channel", Spawner::give(child, server), 0x1'0001);
            (void)spawner.start(child);
            const Ending ending = Spawner::wait(child, kLifeMs);
            ++ended[kind][ending.ended ? ending.reason % 3 : kTerminated];
            Spawner::discard(child);
            test.require("policy holds", is_sound(server, round), round);
            sdk::LogLine{"flips", "round"}.field("number", round);
        }
        for (u32 i = 0; i < kKindCount; ++i) {
            // Of memory one word in hundreds is a pointer, and the others are judged by the policy.
            test.require("some died of it", ended[i][kFaulted] > 0 || i == 0, i);
            sdk::LogLine{"flips", "lives"}
                .field("flipped", kKinds[i].name)
                .field("faulted", ended[i][kFaulted])
                .field("went-on", ended[i][kTerminated])
                .field("exited", ended[i][kExited]);
        }
        canary.judge(test, "flips");
    }
    require_restored(test, before);
}

}  // namespace trial
