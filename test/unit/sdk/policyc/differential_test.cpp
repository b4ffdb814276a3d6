// SPDX-License-Identifier: Apache-2.0
// The compiled policy and the interpreter must agree on every event: verdict, reason, rule and
// defect. TESSERA_EVENTS sets how many events each policy gets, TESSERA_SEED where they begin.
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
extern const ksec::EntryTable table_zoo;
}

namespace {

using namespace policyc_test;
using base::u32;
using base::u64;
using base::u8;

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

Compiled judge(const ksec::EntryTable& table, const InterpretedEvent& event) {
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
    result.is_granted = verdict == ksec::Verdict::Granted;
    if (result.is_granted) {
        ksec::Record record{};
        result.is_granted =
            table.judge(&query, ksec::Effect::Commit, &record) == ksec::Verdict::Granted;
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

Counts compare(const char* name, const ksec::EntryTable& table) {
    const std::string root = SOURCE_ROOT;
    const Compilation compilation(
        root + "/test/unit/sdk/policyc/" + name + ".psl",
        {root + "/test/unit/sdk/policyc", root + "/sdk/interfaces", root + "/sdk/policies"});
    REQUIRE(compilation.ok());
    REQUIRE(compilation.lowered().hash == table.policy_hash);
    const u64 count = from_environment("TESSERA_EVENTS", 20'000);
    const u64 seed = from_environment("TESSERA_SEED", 1);
    std::cout << "policy " << name << ": " << count << " events, seed " << seed << "\n";
    EventMaker maker(compilation.policy(), seed);
    Interpreter interpreter(compilation.policy());
    Counts counts;
    u64 mismatches = 0;
    for (u64 i = 0; i < count && mismatches < 5; ++i) {
        const InterpretedEvent event = maker.make();
        const Interpretation expected = interpreter.judge(event, ksec::Effect::Commit);
        const Compiled actual = judge(table, event);
        bool is_same = actual.is_granted == expected.is_granted;
        if (expected.is_granted) {
            ++counts.granted;
        } else {
            ++counts.denied[expected.reason];
            is_same = is_same && actual.record.reason == static_cast<u8>(expected.reason);
        }
        if (!expected.is_granted && expected.reason == ksec::Reason::Malformed) {
            ++counts.defects[expected.defect];
            is_same = is_same && actual.record.defect == static_cast<u8>(expected.defect) &&
                      actual.record.detail == expected.parameter;
        }
        if (expected.decided_by.is_known() && is_same) {
            ++counts.rules[actual.record.rule];
            const sdk::lang::Span span = expected.decided_by;
            const sdk::lang::Sources& sources = compilation.diagnostics().sources();
            is_same =
                compilation.lowered().rules.at(actual.record.rule).text == sources.text(span) &&
                compilation.lowered().rules.at(actual.record.rule).place ==
                    compilation.policy().file_names.at(span.file) + ":" +
                        std::to_string(sources.get(span.file).position(span.begin).line);
        }
        // The row is a short cut: it must not grant what the rules do not.
        is_same = is_same && (!is_in_row(table, event) || expected.is_granted);
        if (!is_same) {
            ++mismatches;
            UNSCOPED_INFO(describe(event)
                          << ": interpreter " << expected.is_granted << " reason "
                          << static_cast<unsigned>(expected.reason) << " defect "
                          << static_cast<unsigned>(expected.defect) << " at " << expected.parameter
                          << ", module " << actual.is_granted << " reason "
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
    const Counts counts = compare("lab", table_lab);
    CHECK(counts.granted > 1000);
    CHECK(counts.denied.size() >= 3);
}

TEST_CASE("compiled expressions and the interpreter agree on every event", "[sdk][policyc]") {
    const Counts counts = compare("zoo", table_zoo);
    CHECK(counts.granted > 1000);
    CHECK(counts.denied.at(ksec::Reason::Rule) > 500);
    CHECK(counts.denied.at(ksec::Reason::Error) > 50);
    CHECK(counts.denied.at(ksec::Reason::NoRule) > 500);
    CHECK(counts.defects.size() >= 10);
    CHECK(counts.rules.size() >= 40);
}
