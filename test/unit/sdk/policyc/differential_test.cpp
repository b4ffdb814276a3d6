// SPDX-License-Identifier: Apache-2.0
// The compiled policy and the interpreter must agree on every event of a long sequence: verdict,
// reason, rule, defect and what is audited; models keep their state from event to event, some are
// judged dry, and SIDs end. TESSERA_EVENTS sets how many events each policy gets, TESSERA_SEED
// where they begin, and makes one of the policies.
#include "event_maker.hpp"

#include <catch2/catch_test_macros.hpp>
#include <compile.hpp>
#include <cstdlib>
#include <iostream>
#include <map>
#include <sdk/policy/compiled_module.hpp>
#include <sdk/policy/module_verdict.hpp>

extern "C" {
extern const ksec::EntryTable table_lab;
extern const ksec::EntryTable table_models;
extern const ksec::EntryTable table_random1;
extern const ksec::EntryTable table_random2;
extern const ksec::EntryTable table_zoo;
}

namespace {

using namespace policyc_test;
using base::u32;
using base::u64;
using sdk::policy::Account;
using sdk::policy::account_of;
using sdk::policy::AtSight;
using sdk::policy::granted_at_sight;
using sdk::policy::ModuleVerdict;

constexpr u32 kRandomStateLimit = 100'000;  // of policies made at random
const std::string kFolder = std::string(SOURCE_ROOT) + "/test/unit/sdk/policyc";

u64 from_environment(const char* name, u64 otherwise) {
    const char* const text = std::getenv(name);
    return text == nullptr ? otherwise : std::strtoull(text, nullptr, 0);
}

std::string describe(const InterpretedEvent& event) {
    std::string text = "event " + std::to_string(static_cast<unsigned>(event.event)) + " src " +
                       std::to_string(event.src_class) + " dst " + std::to_string(event.dst_class) +
                       " endpoint " + std::to_string(event.endpoint) + " method " +
                       std::to_string(event.method) + " fixed";
    for (const std::uint8_t byte : event.fixed) {
        text += " " + std::to_string(byte);
    }
    return text + " arena of " + std::to_string(event.arena.size());
}

/// How often each outcome came up; a test that never sees one of them proves little.
struct Counts {
    u64 granted = 0;
    u64 audited = 0;
    u64 ended = 0;
    u64 fitting = 0;  // long requests that the row grants if they fit, and that do
    std::map<ksec::Reason, u64> denied;
    std::map<ksec::Defect, u64> defects;
    std::map<u32, u64> rules;
};

void count(Counts& counts, const Interpretation& expected, const ModuleVerdict& actual) {
    if (expected.is_granted) {
        ++counts.granted;
        counts.audited += expected.is_audited ? 1 : 0;
        return;
    }
    ++counts.denied[expected.reason];
    if (expected.reason == ksec::Reason::Malformed) {
        ++counts.defects[expected.defect];
    }
    if (expected.decided_by.is_known()) {
        ++counts.rules[actual.record.rule];
    }
}

/// `state_limit` is what the module was compiled with.
Compilation compile(const std::string& path, u32 state_limit) {
    const std::string root = SOURCE_ROOT;
    return Compilation(path,
                       {kFolder, root + "/sdk/interfaces", root + "/sdk/policies"},
                       {},
                       LoweringOptions{.most_state_cost = state_limit});
}

Counts compare(const std::string& folder,
               const std::string& name,
               const ksec::EntryTable& table,
               u64 default_count,
               u32 state_limit = 500) {
    const Compilation compilation = compile(folder + "/" + name + ".psl", state_limit);
    REQUIRE(compilation.ok());
    REQUIRE(compilation.lowered().hash == table.policy_hash);
    const u64 event_count = from_environment("TESSERA_EVENTS", default_count);
    const u64 seed = from_environment("TESSERA_SEED", 1);
    std::cout << "policy " << name << ": " << event_count << " events, seed " << seed << std::endl;
    EventMaker maker(compilation.policy(), seed);
    Interpreter interpreter(compilation.policy());
    Counts counts;
    u64 mismatches = 0;
    for (u64 i = 0; i < event_count && mismatches < 5; ++i) {
        if (maker.one_in(40)) {
            const u64 sid = maker.sid();
            interpreter.end(sid);
            table.ended(sid);
            ++counts.ended;
        }
        // A copy's vectors are exactly as long as their content, so that ASan sees any step
        // outside.
        const InterpretedEvent made = maker.make();
        const InterpretedEvent event = made;
        const ksec::Effect effect = maker.one_in(8) ? ksec::Effect::Dry : ksec::Effect::Commit;
        const Interpretation expected = interpreter.judge(event, effect);
        const ModuleVerdict actual = sdk::policy::judge(table, event, effect);
        count(counts, expected, actual);
        // The row is a short cut: it must not grant what the rules do not.
        const AtSight at_sight = granted_at_sight(table, event);
        counts.fitting += at_sight == AtSight::IfItFits ? 1 : 0;
        const Account source = account_of(compilation, expected);
        const Account module = account_of(compilation, actual);
        if (module != source || (at_sight != AtSight::No && !expected.is_granted)) {
            ++mismatches;
            UNSCOPED_INFO(i << ": " << describe(event)
                            << ": the source: " << sdk::policy::describe(source)
                            << ", the compiled policy: " << sdk::policy::describe(module)
                            << (at_sight == AtSight::No ? "" : ", granted at sight"));
        }
    }
    CHECK(mismatches == 0);
    return counts;
}

}  // namespace

TEST_CASE("the compiled example and the interpreter agree on every event", "[sdk][policyc]") {
    const Counts counts = compare(kFolder, "lab", table_lab, 100'000);
    CHECK(counts.granted > 1000);
    CHECK(counts.denied.size() >= 3);
}

TEST_CASE("compiled expressions and the interpreter agree on every event", "[sdk][policyc]") {
    const Counts counts = compare(kFolder, "zoo", table_zoo, 300'000);
    CHECK(counts.granted > 1000);
    CHECK(counts.denied.at(ksec::Reason::Rule) > 500);
    CHECK(counts.denied.at(ksec::Reason::Error) > 50);
    CHECK(counts.denied.at(ksec::Reason::NoRule) > 500);
    CHECK(counts.defects.size() >= 10);
    CHECK(counts.fitting > 20);
    CHECK(counts.rules.size() >= 40);
}

TEST_CASE("compiled models, choices and patterns agree with the interpreter on every event",
          "[sdk][policyc]") {
    const Counts counts = compare(kFolder, "models", table_models, 600'000, 1000);
    CHECK(counts.granted > 1000);
    CHECK(counts.audited > 100);
    CHECK(counts.ended > 1000);
    CHECK(counts.denied.at(ksec::Reason::Rule) > 1000);
    CHECK(counts.denied.at(ksec::Reason::Error) > 500);
    CHECK(counts.denied.at(ksec::Reason::NoRule) > 500);
    CHECK(counts.rules.size() >= 100);
}

TEST_CASE("policies made at random agree with the interpreter on every event", "[sdk][policyc]") {
    const ksec::EntryTable* const tables[] = {&table_random1, &table_random2};
    for (std::size_t i = 0; i < std::size(tables); ++i) {
        const Counts counts = compare(GENERATED_POLICIES,
                                      "random" + std::to_string(i + 1),
                                      *tables[i],
                                      100'000,
                                      kRandomStateLimit);
        CHECK(counts.granted > 1000);
        CHECK(counts.denied.size() == 4);
        CHECK(counts.rules.size() >= 50);
    }
}

// What it grants and denies is not known, only that the two agree; so it may be any policy.
TEST_CASE("a policy made from the suite's seed agrees with the interpreter on every event",
          "[sdk][policyc]") {
    const u64 seed = from_environment("TESSERA_SEED", 1) + 2;  // 1 and 2 are built in
    const std::string name = "random_of_seed";
    const std::string path = std::string(GENERATED_POLICIES) + "/" + name + ".psl";
    const std::string command = MAKE_POLICY " " + std::to_string(seed) + " " + path;
    REQUIRE(std::system(command.c_str()) == 0);
    INFO(command);
    const Compilation compilation = compile(path, kRandomStateLimit);
    REQUIRE(compilation.ok());
    auto built =
        sdk::policy::CompiledModule::build(compilation.lowered(), SOURCE_ROOT, POLICY_ENGINE);
    REQUIRE(built.ok());
    auto started = built.value()->start();
    REQUIRE(started.ok());
    compare(GENERATED_POLICIES, name, started.value()->table(), 100'000, kRandomStateLimit);
}
