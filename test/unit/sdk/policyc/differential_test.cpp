// SPDX-License-Identifier: Apache-2.0
// The compiled policy and the interpreter must agree on every event of a long sequence: verdict,
// reason, rule, defect and what is audited; models keep their state from event to event, some are
// judged dry, and SIDs end. TESSERA_EVENTS sets how many events each policy gets, TESSERA_SEED
// where they begin.
#include "event_maker.hpp"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <compile.hpp>
#include <cstdlib>
#include <iostream>
#include <kernel/abi/call.hpp>
#include <map>
#include <memory>

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
using base::u8;

const std::string kFolder = std::string(SOURCE_ROOT) + "/test/unit/sdk/policyc";

u64 from_environment(const char* name, u64 otherwise) {
    const char* const text = std::getenv(name);
    return text == nullptr ? otherwise : std::strtoull(text, nullptr, 0);
}

/// A copy on the heap, exactly as long as the message, so that ASan sees any step outside; malloc
/// aligns it.
class Staged final {
public:
    explicit Staged(const std::vector<std::uint8_t>& bytes)
        : bytes_(bytes.empty() ? nullptr : std::make_unique<u8[]>(bytes.size())) {
        std::ranges::copy(bytes, bytes_.get());
    }

    [[nodiscard]] const u8* data() const { return bytes_.get(); }

private:
    std::unique_ptr<u8[]> bytes_;
};

struct Compiled {
    bool is_granted;
    ksec::Record record;
};

ksec::Staging staging_of(const ksec::EntryTable& table, const InterpretedEvent& event) {
    const bool is_request = event.event == ksec::Event::Request;
    const bool is_security = event.event == ksec::Event::Security;
    const auto endpoint = static_cast<std::uint16_t>(
        is_security ? ksec::kSecurityEndpoint + event.endpoint : event.endpoint);
    const ksec::MethodInfo* const info =
        table.method_info(is_request ? event.dst_class : event.src_class, endpoint, event.method);
    if (info == nullptr || event.event == ksec::Event::Execute) {
        return ksec::Staging::Registers;
    }
    return event.event == ksec::Event::Response ? info->response.staging
           : event.event == ksec::Event::Error  ? info->error.staging
                                                : info->request.staging;
}

Compiled judge(const ksec::EntryTable& table, const InterpretedEvent& event, ksec::Effect effect) {
    const Staged fixed(event.fixed);
    const Staged arena(event.arena);
    const bool has_arena = staging_of(table, event) == ksec::Staging::Arena;
    ksec::Query query{};
    query.event = event.event;
    query.src_class = event.src_class;
    query.dst_class = event.dst_class;
    query.src_sid = event.src_sid;
    query.dst_sid = event.dst_sid;
    query.endpoint = event.endpoint;
    query.method = event.method;
    query.now_ns = event.now_ns;
    query.message = {.fixed = fixed.data(),
                     .fixed_size = static_cast<u32>(event.fixed.size()),
                     .arena_size = static_cast<u32>(event.arena.size()),
                     .arena = has_arena ? arena.data() : nullptr,
                     .handle_count = static_cast<u32>(event.handle_sids.size()),
                     .flags = event.travels_long ? ksec::kTravelsLong : 0,
                     .handle_sids = event.handle_sids.data(),
                     .handle_rights = event.handle_rights.data()};
    ksec::Progress progress{};
    Compiled result{};
    ksec::Verdict verdict = ksec::Verdict::Again;
    while (verdict == ksec::Verdict::Again) {
        verdict = table.check(&query, &progress, &result.record);
    }
    if (verdict == ksec::Verdict::Granted) {
        query.facts = progress.facts;
        result.is_granted = table.judge(&query, effect, &result.record) == ksec::Verdict::Granted;
    }
    return result;
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

/// Whether a short request is granted by the row that a channel would have.
bool is_in_row(const ksec::EntryTable& table, const InterpretedEvent& event) {
    if (event.event != ksec::Event::Request || event.travels_long ||
        event.fixed.size() > abi::kShortBytes || !event.arena.empty() ||
        !event.handle_sids.empty()) {
        return false;
    }
    const u64 tag =
        abi::Tag::make_short(
            abi::Kind::Request, event.endpoint, event.method, static_cast<u32>(event.fixed.size()))
            .value;
    const ksec::Row* const row = table.row(event.src_class, event.dst_class);
    return ksec::find_entry(row, tag)->request == tag;
}

/// Whether the row grants a long request if it fits, and it does.
bool is_seen_to_fit(const ksec::EntryTable& table, const InterpretedEvent& event) {
    if (event.event != ksec::Event::Request || !event.travels_long || !event.handle_sids.empty()) {
        return false;
    }
    const u64 tag = abi::Tag::make_long(abi::Kind::Request, event.endpoint, event.method, 0).value |
                    ksec::kIfItFits;
    const ksec::Row* const row = table.row(event.src_class, event.dst_class);
    const Staged fixed(event.fixed);
    return ksec::find_entry(row, tag)->request == tag &&
           table.fits(event.dst_class,
                      event.endpoint,
                      event.method,
                      fixed.data(),
                      static_cast<u32>(event.fixed.size()),
                      static_cast<u32>(event.arena.size())) != nullptr;
}

/// Whether a record names the rule at this place of the policy.
bool names_rule(const Compilation& compilation, u32 number, const sdk::lang::Span& span) {
    const LoweredRule& rule = compilation.lowered().rules.at(number);
    const sdk::lang::Sources& sources = compilation.diagnostics().sources();
    return rule.text == sources.text(span) &&
           rule.place == compilation.policy().file_names.at(span.file) + ":" +
                             std::to_string(sources.get(span.file).position(span.begin).line);
}

bool is_same(const Compilation& compilation,
             const Interpretation& expected,
             const Compiled& actual) {
    const ksec::Record& record = actual.record;
    if (actual.is_granted != expected.is_granted) {
        return false;
    }
    if (expected.is_granted) {
        const bool is_audited = record.reason == static_cast<u8>(ksec::Reason::Audited);
        return is_audited == expected.is_audited &&
               (!is_audited || names_rule(compilation, record.rule, expected.audited_by));
    }
    if (record.reason != static_cast<u8>(expected.reason)) {
        return false;
    }
    if (expected.reason == ksec::Reason::Malformed) {
        return record.defect == static_cast<u8>(expected.defect) &&
               record.detail == expected.parameter;
    }
    return !expected.decided_by.is_known() ||
           names_rule(compilation, record.rule, expected.decided_by);
}

void count(Counts& counts, const Interpretation& expected, const Compiled& actual) {
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
Counts compare(const std::string& folder,
               const std::string& name,
               const ksec::EntryTable& table,
               u64 default_count,
               u32 state_limit = 500) {
    const std::string root = SOURCE_ROOT;
    const Compilation compilation(
        folder + "/" + name + ".psl",
        {root + "/test/unit/sdk/policyc", root + "/sdk/interfaces", root + "/sdk/policies"},
        {},
        LoweringOptions{.most_state_cost = state_limit});
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
        const InterpretedEvent event = maker.make();
        const ksec::Effect effect = maker.one_in(8) ? ksec::Effect::Dry : ksec::Effect::Commit;
        const Interpretation expected = interpreter.judge(event, effect);
        const Compiled actual = judge(table, event, effect);
        count(counts, expected, actual);
        // The row is a short cut: it must not grant what the rules do not.
        const bool fits = is_seen_to_fit(table, event);
        counts.fitting += fits ? 1 : 0;
        const bool is_row_right = !(fits || is_in_row(table, event)) || expected.is_granted;
        if (!is_same(compilation, expected, actual) || !is_row_right) {
            ++mismatches;
            const sdk::lang::Sources& sources = compilation.diagnostics().sources();
            UNSCOPED_INFO(i << ": " << describe(event) << ": interpreter " << expected.is_granted
                            << " reason " << static_cast<unsigned>(expected.reason) << " defect "
                            << static_cast<unsigned>(expected.defect) << " at "
                            << expected.parameter << " by " << sources.text(expected.decided_by)
                            << " audited by " << sources.text(expected.audited_by) << ", module "
                            << actual.is_granted << " reason "
                            << static_cast<unsigned>(actual.record.reason) << " defect "
                            << static_cast<unsigned>(actual.record.defect) << " at "
                            << actual.record.detail << " rule " << actual.record.rule);
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
        const Counts counts = compare(
            GENERATED_POLICIES, "random" + std::to_string(i + 1), *tables[i], 100'000, 100'000);
        CHECK(counts.granted > 1000);
        CHECK(counts.denied.size() == 4);
        CHECK(counts.rules.size() >= 50);
    }
}
