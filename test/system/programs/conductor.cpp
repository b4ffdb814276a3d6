// SPDX-License-Identifier: Apache-2.0
// Runs the suites one after the other, so that each finds the system quiet, and then stops the
// machine. Its connections are the suites, in the order of init.yaml; its arguments are
// `effort=N` and `only=suite`.
#include <runtime/log.hpp>
#include <runtime/process.hpp>
#include <runtime/status_text.hpp>
#include <runtime/time.hpp>
#include <test/system/programs/support/kernel.hpp>
#include <trial/Suite.client.hpp>
#include <trial/Tests.edl.hpp>

namespace {

using base::u32;
using base::u64;

constexpr u64 kSeed = 20261122;

/// All there are, in the order in which they run. Whoever owes signs of life gives them before the
/// rest begins, and is gone then: CPUs that take turns of 100 ms let nobody give five in a second.
constexpr std::string_view kSuites[] = {
    "restarts",     "registers",   "handles",   "buffers", "malformed",  "policy",     "replies",
    "deadlines",    "chains",      "order",     "sizes",   "transfer",   "bundles",    "memory",
    "instructions", "faults",      "hardening", "quotas",  "floating",   "interrupts", "threads",
    "budgets",      "locks",       "notices",   "objects", "parallel",   "lives",      "exhaustion",
    "largest",      "containment", "changing",  "random",  "interfaces", "flips",
};

u64 number(const sdk::StartBlock& start, std::string_view key, u64 otherwise) {
    for (u32 i = 0; i < start.argument_count(); ++i) {
        std::string_view argument = start.argument(i);
        u64 value = 0;
        if (argument.starts_with(key)) {
            argument.remove_prefix(key.size());
            if (sdk::parse_decimal(argument, value)) {
                return value;
            }
        }
    }
    return otherwise;
}

}  // namespace

base::s32 sdk::program_main(const StartBlock& start) {
    const u64 seed = number(start, "seed=", kSeed);
    const u64 effort = number(start, "effort=", 1);
    LogLine{"trial", "begins"}.field("seed", seed).field("effort", effort);
    u32 passed = 0;
    u32 failed = 0;
    for (const std::string_view name : kSuites) {
        const auto handle = start.connection(name);
        if (!handle.ok()) {
            continue;
        }
        trial::Suite::Proxy suite{handle.value(), trial::Tests::endpoint::suite};
        const u64 begin = now_ticks();
        const auto result = suite.until(begin + ticks_of_ms(120'000 + 10'000 * effort))
                                .Run(seed, static_cast<u32>(effort));
        LogLine line{"trial", "suite"};
        line.field("name", name).field("ms", (now_ticks() - begin) * 1000 / ticks_per_second());
        if (result.ok()) {
            passed += result.value().passed;
            failed += result.value().failed;
        } else {
            ++failed;
            Line<120> text;
            text.text("TEST ")
                .text(name)
                .text(".ran FAIL the suite ended: ")
                .text(name_of(result.status()));
            debug_write(text.view());
        }
    }
    // At the end: on a slow host some CPUs come up while the first suites run.
    LogLine{"trial", "machine"}.field("cpus", trial::cpu_count());
    LogLine{"trial", "finished"}.field("passed", passed).field("failed", failed);
    (void)trial::power().Request(kl::core::PM::PowerOff, failed == 0 ? 0 : 1);
    return 0;
}
