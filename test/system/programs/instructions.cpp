// SPDX-License-Identifier: Apache-2.0
// What EL0 can make the CPU do: every system register and instruction, and words that may be
// anything. Each word is run by a process that has nothing else: a page of code, no stack, all
// registers zero. Either the kernel says that it faulted, or the words behind it end it with a code
// that says that it did not.
#include <kl/core/Task.idl.hpp>
#include <runtime/log.hpp>
#include <runtime/time.hpp>
#include <test/system/programs/support/canary.hpp>
#include <test/system/programs/support/spawn.hpp>

namespace trial {

namespace {

constexpr u64 kCodeAt = u64{0x10} << 32;
constexpr u32 kWords = 256;  // one attempt each, and its way to the end
constexpr u64 kCodeBytes = 2 * kPage;
constexpr s32 kWentOn = 42;
/// Above the tests, so that a word has been run when Resume comes back on one CPU.
constexpr u32 kPriority = 112;
constexpr u64 kLimitMs = 10'000;
constexpr u64 kPatienceMs = 20;  // with words that may go in circles

/// What happened to a word.
enum class Outcome : u32 { WentOn, Faulted, Hung, Other };

/// The two pages that the processes run: words, each followed by a branch to the end.
class Words final {
public:
    Words() : memory_(vmm().MdlCreate(kCodeBytes, 0).value().mdl.handle) {}

    ~Words() { (void)handles().Close(memory_); }

    Words(const Words&) = delete;
    Words& operator=(const Words&) = delete;

    /// Puts up to kWords words in place.
    void write(const u32* words, u32 count);
    /// What the `index`-th of them does.
    [[nodiscard]] Outcome run(u32 index, u64 limit_ms = kLimitMs) const;

private:
    u32 memory_;
};

void Words::write(const u32* words, u32 count) {
    u64 view = 0;
    do {  // who runs them must be gone: code is never writable
        view = vmm().MdlMap(memory_, 0, kCodeBytes, 0, kWritable).value().at;
    } while (view == 0 && (sdk::sleep_ms(1), true));
    auto* code = &at<u32>(view);
    constexpr u32 kEnd = 2 * kWords;  // the words behind the attempts
    for (u32 i = 0; i < count; ++i) {
        code[2 * i] = words[i];
        code[2 * i + 1] = 0x1400'0000 | (kEnd - (2 * i + 1));  // b kEnd
    }
    const u64 tag = abi::Tag::make_short(abi::Kind::Request,
                                         kl::core::Core::endpoint::task_Task,
                                         static_cast<u16>(kl::core::Task::Method::Exit),
                                         sizeof(kl::core::Task::Exit_Request))
                        .value;
    u32* end = code + kEnd;
    *end++ = 0xD280'0000 | (sdk::kKernelHandle & 0xFFFF) << 5;         // movz x0, #
    *end++ = 0xF2A0'0000 | (sdk::kKernelHandle >> 16) << 5;            // movk x0, #, lsl 16
    *end++ = 0xD280'0009 | static_cast<u32>(tag & 0xFFFF) << 5;        // movz x9, #
    *end++ = 0xF2A0'0009 | static_cast<u32>(tag >> 16 & 0xFFFF) << 5;  // movk x9, #, lsl 16
    *end++ = 0xF2C0'0009 | static_cast<u32>(tag >> 32 & 0xFFFF) << 5;  // movk x9, #, lsl 32
    *end++ = 0xF2E0'0009 | static_cast<u32>(tag >> 48) << 5;           // movk x9, #, lsl 48
    *end++ = 0xD280'000A | static_cast<u32>(kWentOn) << 5;             // movz x10, #42
    *end++ = 0xD400'0001;                                              // svc #0
    *end = 0;
    (void)vmm().Free(view, kCodeBytes);
}

Outcome Words::run(u32 index, u64 limit_ms) const {
    static constinit u32 made = 0;
    sdk::Line<40> name;
    name.text("word-").decimal(++made);
    auto created = tasks().Create(name.view(), "trial.Equal", "", u64{256} << 10, kPriority);
    for (u32 i = 0; i < 200 && !created.ok(); ++i) {  // the last ones are being taken apart
        sdk::sleep_ms(1);
        created = tasks().Create(name.view(), "trial.Equal", "", u64{256} << 10, kPriority);
    }
    const Child child{.task = created.value().task.handle, .listener = 0};
    const bool is_built =
        created.ok() &&
        tasks().LoadSeg(child.task, memory_, 0, kCodeAt, kCodeBytes, kRunnable).ok() &&
        tasks().SetEntry(child.task, kCodeAt + u64{index} * 8, 0, 0).ok() &&
        tasks().Resume(child.task).ok();
    Outcome outcome = Outcome::Other;
    if (is_built) {
        const Ending end = Spawner::wait(child, limit_ms);
        outcome = !end.ended                                     ? Outcome::Hung
                  : end.reason == kFaulted                       ? Outcome::Faulted
                  : end.reason == kExited && end.code == kWentOn ? Outcome::WentOn
                                                                 : Outcome::Other;
    }
    Spawner::discard(child);
    return outcome;
}

// --- system registers and instructions -----------------------------------------------------------

/// op0, op1, CRn, CRm, op2 as one number, with the bit above them for reading (MRS, SYSL).
constexpr u32 kEncodings = 1 << 17;

constexpr u32 word_of(u32 encoding) { return 0xD500'0000 | encoding << 5 | 1; }  // of x1

constexpr u32 encoding(bool reads, u32 op0, u32 op1, u32 crn, u32 crm, u32 op2) {
    return (reads ? 1U << 16 : 0) | op0 << 14 | op1 << 11 | crn << 7 | crm << 3 | op2;
}

struct Allowed {
    u32 first;
    u32 last;
    bool everywhere;  // else only where the CPU has it
};

constexpr Allowed one(bool reads, u32 op1, u32 crn, u32 crm, u32 op2, bool everywhere) {
    const u32 at = encoding(reads, 3, op1, crn, crm, op2);
    return {at, at, everywhere};
}

/// All that EL0 may do. [ARM] "System instruction class encoding overview"
constexpr Allowed kAllowed[] = {
    one(true, 3, 0, 0, 1, true),  // CTR_EL0
    one(true, 3, 0, 0, 7, true),  // DCZID_EL0
    one(true, 3, 4, 2, 0, true),  // NZCV
    one(false, 3, 4, 2, 0, true),
    one(true, 3, 4, 2, 5, false),  // DIT
    one(false, 3, 4, 2, 5, false),
    one(true, 3, 4, 2, 6, false),  // SSBS
    one(false, 3, 4, 2, 6, false),
    one(true, 3, 4, 2, 7, false),  // TCO
    one(false, 3, 4, 2, 7, false),
    one(true, 3, 4, 4, 0, true),  // FPCR
    one(false, 3, 4, 4, 0, true),
    one(true, 3, 4, 4, 1, true),  // FPSR
    one(false, 3, 4, 4, 1, true),
    one(true, 3, 2, 4, 0, false),  // RNDR
    one(true, 3, 2, 4, 1, false),  // RNDRRS
    one(true, 3, 9, 14, 0, true),  // PMUSERENR_EL0, which says that there is nothing
    one(true, 3, 13, 0, 2, true),  // TPIDR_EL0
    one(false, 3, 13, 0, 2, true),
    one(true, 3, 13, 0, 3, true),   // TPIDRRO_EL0
    one(true, 3, 14, 0, 0, true),   // CNTFRQ_EL0
    one(true, 3, 14, 0, 2, true),   // CNTVCT_EL0
    one(true, 3, 14, 0, 6, false),  // CNTVCTSS_EL0
    // Hints, barriers, and PSTATE: only flags, DIT, SSBS and TCO of it.
    {encoding(false, 0, 3, 2, 0, 0), encoding(false, 0, 3, 2, 15, 7), false},
    {encoding(false, 0, 3, 3, 0, 0), encoding(false, 0, 3, 3, 15, 7), false},
    {encoding(false, 0, 0, 4, 0, 0), encoding(false, 0, 0, 4, 15, 2), false},
    {encoding(false, 0, 3, 4, 0, 1), encoding(false, 0, 3, 4, 15, 4), false},
};

/// Of a range: PSTATE fields of EL1 lie between those of EL0.
bool is_kernels_field(u32 at) {
    const u32 crn = at >> 7 & 15;
    const u32 op1 = at >> 11 & 7;
    const u32 op2 = at & 7;
    return at >> 14 == 0 && crn == 4 && (op1 == 0 ? op2 > 2 : op2 == 6 || op2 == 7 || op2 == 5);
}

const Allowed* find_allowed(u32 at) {
    for (const Allowed& allowed : kAllowed) {
        if (at >= allowed.first && at <= allowed.last && !is_kernels_field(at)) {
            return &allowed;
        }
    }
    return nullptr;
}

/// The number of words tried.
u32 sweep_words(Test& test, u64 seed, u32 effort) {
    Words words;
    Random random{seed};
    u32 chosen[kWords];
    // By default one of each 128, and those that are allowed; all of them in the long run.
    const u32 stride = effort >= 128 ? 1 : 128 / effort;
    u32 tried = 0;
    u32 next = static_cast<u32>(random.next() % stride);
    u32 from_list = 0;
    constexpr u32 kListed = sizeof(kAllowed) / sizeof(kAllowed[0]);
    while (next < kEncodings || from_list < kListed) {
        u32 count = 0;
        u32 encodings[kWords];
        while (count < kWords && from_list < kListed) {
            encodings[count++] = kAllowed[from_list++].first;
        }
        for (; count < kWords && next < kEncodings; next += stride) {
            encodings[count++] = next;
        }
        for (u32 i = 0; i < count; ++i) {
            chosen[i] = word_of(encodings[i]);
        }
        words.write(chosen, count);
        for (u32 i = 0; i < count; ++i, ++tried) {
            const Outcome outcome = words.run(i);
            const Allowed* allowed = find_allowed(encodings[i]);
            const bool went_on = outcome == Outcome::WentOn;
            test.require(
                "neither went on nor faulted", went_on || outcome == Outcome::Faulted, chosen[i]);
            test.require("not the kernel's", !went_on || allowed != nullptr, chosen[i]);
            test.require("EL0's", went_on || allowed == nullptr || !allowed->everywhere, chosen[i]);
        }
    }
    return tried;
}

void sweep(Report& report, u64 seed, u32 effort) {
    Test test{report, "instructions.system-registers-are-the-kernels"};
    const Holdings before = settled_holdings();
    sdk::LogLine{"instructions", "system"}.field("tried", sweep_words(test, seed, effort));
    require_restored(test, before);
}

// --- instructions that go to somebody else -------------------------------------------------------

void to_others(Report& report) {
    Test test{report, "instructions.nobody-above-or-outside-is-asked"};
    constexpr u32 kWordsToOthers[] = {
        0xD400'0002,  // hvc #0
        0xD41F'FFE2,  // hvc #0xffff
        0xD400'0003,  // smc #0
        0xD41F'FFE3,  // smc #0xffff
        0xD440'0000,  // hlt #0
        0xD45E'0000,  // hlt #0xf000: what an emulator takes for itself
        0xD4A0'0001,  // dcps1
        0xD4A0'0002,  // dcps2
        0xD4A0'0003,  // dcps3
        0xD69F'03E0,  // eret
        0xD69F'0BFF,  // eretaa
        0xD6BF'03E0,  // drps
        0xD420'0000,  // brk #0
        0x0000'0000,  // udf
        0xD50B'7A21,  // dc cvac, x1
        0xD50B'7521,  // ic ivau, x1
        0xD50B'7E21,  // dc civac, x1
    };
    Words words;
    constexpr u32 kCount = sizeof(kWordsToOthers) / sizeof(u32);
    words.write(kWordsToOthers, kCount);
    for (u32 i = 0; i < kCount; ++i) {
        test.require("faults", words.run(i) == Outcome::Faulted, kWordsToOthers[i]);
    }
}

// --- words that may be anything ------------------------------------------------------------------

void anything(Report& report, Spawner& spawner, u32 server, u64 seed, u32 effort) {
    Test test{report, "instructions.any-word-ends-its-process-at-most"};
    const Holdings before = settled_holdings();
    {
        Canary canary{spawner, 0, server};
        Words words;
        Random random{seed};
        u32 chosen[kWords];
        u32 went_on = 0;
        u32 faulted = 0;
        u32 hung = 0;
        const u32 rounds = 3 * effort;
        for (u32 round = 0; round < rounds; ++round) {
            for (u32& word : chosen) {
                word = static_cast<u32>(random.next());
            }
            words.write(chosen, kWords);
            for (u32 i = 0; i < kWords; ++i) {
                const Outcome outcome = words.run(i, kPatienceMs);
                went_on += outcome == Outcome::WentOn ? 1 : 0;
                faulted += outcome == Outcome::Faulted ? 1 : 0;
                hung += outcome == Outcome::Hung ? 1 : 0;
                test.require("how it ended", outcome != Outcome::Other, chosen[i]);
            }
        }
        test.require("both ways were seen", went_on > 0 && faulted > 0);
        canary.judge(test, "any word");
        sdk::LogLine{"instructions", "any"}
            .field("went-on", went_on)
            .field("faulted", faulted)
            .field("hung", hung);
    }
    require_restored(test, before);
}

}  // namespace

void run(Report& report, const Context& context) {
    to_others(report);
    sweep(report, context.seed, context.effort);
    Spawner spawner{context};
    anything(report, spawner, connection(context, "server"), context.seed, context.effort);
}

}  // namespace trial
