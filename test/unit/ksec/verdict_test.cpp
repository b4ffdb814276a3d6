// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch_test_macros.hpp>
#include <kernel/abi/call.hpp>
#include <ksec/engine/verdict.hpp>
#include <ksec/format/rule.hpp>
#include <string_view>
#include <vector>

namespace {

using namespace ksec;
using namespace ksec::format;

// Classes, sorted: 0 Einit, 1 kl.core.Core, 2 lab.Plant with endpoint 0: Set(UInt32 -> UInt32,
// error UInt32), Log(bytes). lab.Plant has a security interface with Login(UInt32).
constexpr u16 kInit = 0;
constexpr u16 kCore = 1;
constexpr u16 kPlant = 2;

Outcome at_most_100(const Query& query, Run& run) {
    const auto value = load<u32>(fixed_part(query), 0);
    run.values[0] = value;
    return value <= 100 ? Outcome::Grant : Outcome::Deny;
}

Outcome fails(const Query&, Run&) { return Outcome::Error; }

constexpr RuleCall kGrant[] = {{nullptr, kNoRule, RuleKind::Grant, 0, 0, 0, 0}};
constexpr RuleCall kLimit[] = {
    {nullptr, kNoRule, RuleKind::Grant, 0, 0, 0, 0},
    {at_most_100, 7, RuleKind::Code, 1, 0, 10, 0},
};
constexpr RuleCall kRefuse[] = {
    {at_most_100, 7, RuleKind::Code, 1, 0, 10, 0},
    {nullptr, 8, RuleKind::Deny, 0, 0, 0, 0},
};
constexpr RuleCall kFails[] = {{fails, 9, RuleKind::Code, 0, 0, 10, 0}};
constexpr RuleCall kDear[] = {
    {at_most_100, 7, RuleKind::Code, 1, 0, kMaxRuleCost, 0},
    {at_most_100, 7, RuleKind::Code, 1, 0, kMaxRuleCost, 0},
    {at_most_100, 7, RuleKind::Code, 1, 0, kMaxRuleCost, 0},
};
constexpr Decision kDecisions[] = {
    {nullptr, 0, 0},
    {kGrant, 1, 0},
    {kLimit, 2, 0},
    {kRefuse, 2, 0},
    {kFails, 1, 0},
    {kDear, 3, 0},
};

constexpr Field kLogFields[] = {{FieldKind::Bytes, 1, 0, 0, 64, 1, kNoLayout, 0}};
constexpr Layout kLayouts[] = {{kLogFields, 1, 8}};
constexpr Shape kNumber{8, 0, Staging::Registers, 0, 1, 0, nullptr};
constexpr Shape kEmpty{0, 0, Staging::Registers, 0, 1, 0, nullptr};
constexpr Shape kNone{0, 0, Staging::Registers, 0, 0, 0, nullptr};
constexpr Shape kLog{8, 64, Staging::Fixed, 0, 1, 0, nullptr};
constexpr MethodInfo kMethods[] = {{kNumber, kNumber, kNumber}, {kLog, kEmpty, kNone}};
constexpr MethodLayouts kMethodLayouts[] = {
    {kNoLayout, kNoLayout, kNoLayout},
    {0, kNoLayout, kNoLayout},
};
constexpr MethodInfo kIrqMethods[] = {{kNumber, kEmpty, kNone}};
constexpr MethodLayouts kIrqLayouts[] = {{kNoLayout, kNoLayout, kNoLayout}};
constexpr Endpoint kPlantEndpoints[] = {{kMethods, kMethodLayouts, 0, 2, 0}};
constexpr Endpoint kPlantSecurity[] = {{kIrqMethods, kIrqLayouts, 0, 1, 0}};
constexpr Endpoint kImplicit[] = {
    {kIrqMethods, kIrqLayouts, 0, 1, 0},
    {kIrqMethods, kIrqLayouts, 1, 1, 0},
    {kIrqMethods, kIrqLayouts, 2, 1, 0},
};
constexpr u64 kSetTag = abi::Tag::make_short(abi::Kind::Request, 0, 0, 8).value;
constexpr u64 kSetReply = abi::Tag::make_short(abi::Kind::Response, 0, 0, 8).value;
constexpr RowTable<2> kDenyRow = {{1, 0x10}, {{~u64{0x10}, ~u64{0}}, {~u64{0}, ~u64{0}}}};
constexpr RowTable<2> kInitRow = {{1, 0x10}, {{kSetTag, kSetReply}, {~u64{0}, ~u64{0}}}};
constexpr u32 kZero[] = {0, 0, 0, 0, 0};
constexpr u32 kFromInit[] = {1, 1, 0, 0, 0};
constexpr u32 kFromCore[] = {2, 5, 1, 3, 4};
constexpr Pair kPairs[] = {
    {kZero, kZero, kZero, &kDenyRow.row},
    {kFromInit, kFromInit, kFromInit, &kInitRow.row},
    {kFromCore, kFromCore, kZero, &kDenyRow.row},
};
constexpr Exception kPlantInitiators[] = {{kInit, 0, 1}};

/// Two exceptions in two places.
struct TwoPlaces {
    Exception places[2]{};
};

constexpr TwoPlaces place_two(Exception a, Exception b) {
    for (u16 displacement = 0;; ++displacement) {
        const u32 at_a = place_of_source(a.source, displacement, 1);
        const u32 at_b = place_of_source(b.source, displacement, 1);
        if (at_a != at_b) {
            TwoPlaces table{};
            table.places[at_a] = a;
            table.places[at_b] = b;
            table.places[0].displacement = displacement;
            table.places[1].displacement = displacement;
            return table;
        }
    }
}

constexpr TwoPlaces kPlantClients = place_two({kInit, 0, 1}, {kCore, 0, 2});
constexpr u32 kLogin[] = {2};
constexpr Class kClasses[] = {
    {{"Einit", 5, 0, 0, 0, 0, 0},
     nullptr,
     nullptr,
     nullptr,
     {nullptr, 0, 0},
     {nullptr, 0, 1},
     0,
     0,
     0},
    {{"kl.core.Core", 12, 0, 0, 0, 0, 0},
     nullptr,
     nullptr,
     nullptr,
     {nullptr, 0, 0},
     {nullptr, 0, 0},
     0,
     0,
     0},
    {{"lab.Plant", 9, 1, 0, 8, 64, 0},
     kPlantEndpoints,
     kPlantSecurity,
     kLogin,
     {kPlantClients.places, 1, 0},
     {kPlantInitiators, 0, 0},
     1,
     0,
     2},
};
constexpr Policy kPolicy = {.hash = 1,
                            .class_count = 3,
                            .decision_count = 6,
                            .pair_count = 3,
                            .layout_count = 1,
                            .core_class = kCore,
                            .init_class = kInit,
                            .reserved = 0,
                            .reserved2 = 0,
                            .classes = kClasses,
                            .decisions = kDecisions,
                            .pairs = kPairs,
                            .layouts = kLayouts,
                            .implicit_endpoints = kImplicit};

constexpr EntryTable kTable = engine::BoundTo<kPolicy>::entry_table();

Query query(Event event, u16 src, u16 dst, u16 endpoint, u16 method) {
    Query result{};
    result.event = event;
    result.src_class = src;
    result.dst_class = dst;
    result.src_sid = 100u + src;
    result.dst_sid = 100u + dst;
    result.endpoint = endpoint;
    result.method = method;
    return result;
}

struct Answer {
    Verdict verdict;
    Record record;
    u32 steps;
};

Answer ask(Query event, u64 number = 0, u32 fixed_size = 8) {
    event.message.fixed = reinterpret_cast<const u8*>(&number);
    event.message.fixed_size = fixed_size;
    Answer answer{Verdict::Again, {}, 0};
    Progress progress{};
    while (answer.verdict == Verdict::Again) {
        answer.verdict = kTable.check(&event, &progress, &answer.record);
        ++answer.steps;
    }
    Record second{};
    if (answer.verdict == Verdict::Granted) {
        CHECK(kTable.judge(&event, Effect::Commit, &second) == Verdict::Granted);
        CHECK(second.reason == 0);
    }
    return answer;
}

void check_denied(const Answer& answer, Reason reason, u32 rule) {
    CHECK(answer.verdict == Verdict::Denied);
    CHECK(answer.record.granted == 0);
    CHECK(answer.record.reason == static_cast<u8>(reason));
    CHECK(answer.record.rule == rule);
}

}  // namespace

TEST_CASE("a class is found by its whole name only", "[ksec][engine]") {
    const auto find = [](std::string_view name) {
        return kTable.find_class(name.data(), static_cast<u32>(name.size()));
    };
    CHECK(find("Einit") == kInit);
    CHECK(find("kl.core.Core") == kCore);
    CHECK(find("lab.Plant") == kPlant);
    CHECK(find("lab.Plan") == kNoClass);
    CHECK(find("lab.Plants") == kNoClass);
    CHECK(find("") == kNoClass);
    CHECK(find("zzz") == kNoClass);
}

TEST_CASE("numbers out of range are answered, not followed", "[ksec][engine]") {
    CHECK(kTable.class_info(kPlant)->name_length == 9);
    CHECK(kTable.class_info(3) == nullptr);
    CHECK(kTable.class_info(kNoClass) == nullptr);
    CHECK(kTable.method_info(kPlant, 0, 1) != nullptr);
    CHECK(kTable.method_info(kPlant, 0, 2) == nullptr);
    CHECK(kTable.method_info(kPlant, 1, 0) == nullptr);
    CHECK(kTable.method_info(9, 0, 0) == nullptr);
    CHECK(kTable.method_info(kCore, abi::kIrqEndpoint, 0) != nullptr);
    CHECK(kTable.method_info(kCore, abi::kFaultEndpoint, 0) != nullptr);
    CHECK(kTable.method_info(kCore, abi::kFaultEndpoint + 1, 0) == nullptr);
    CHECK(kTable.method_info(kPlant, kSecurityEndpoint, 0) != nullptr);
    CHECK(kTable.method_info(kPlant, kSecurityEndpoint + 1, 0) == nullptr);
    CHECK(kTable.method_info(kCore, kSecurityEndpoint, 0) == nullptr);
}

TEST_CASE("a channel's row holds the plain grants, and any other pair shares the denying row",
          "[ksec][engine]") {
    const Row* const row = kTable.row(kInit, kPlant);
    CHECK(find_entry(row, kSetTag)->request == kSetTag);
    CHECK(find_entry(row, kSetTag)->response == kSetReply);
    const Row* const denying = kTable.row(kPlant, kCore);
    CHECK(denying == kTable.row(kPlant, kInit));
    CHECK(denying == kTable.row(77, kPlant));
    CHECK(denying == kTable.row(kInit, 77));
    for (const u64 tag : {kSetTag, kSetReply, ~u64{0}, ~u64{0x10}, u64{0}}) {
        CHECK(find_entry(denying, tag)->request != tag);
    }
}

TEST_CASE("a request without a rule is denied", "[ksec][engine]") {
    check_denied(ask(query(Event::Request, kPlant, kPlant, 0, 0)), Reason::NoRule, kNoRule);
    Record record{};
    const Query event = query(Event::Request, kPlant, kPlant, 0, 0);
    CHECK(kTable.judge(&event, Effect::Dry, &record) == Verdict::Denied);
    CHECK(record.reason == static_cast<u8>(Reason::NoRule));
}

TEST_CASE("a granted event leaves no reason to record it", "[ksec][engine]") {
    const Answer answer = ask(query(Event::Request, kInit, kPlant, 0, 0));
    CHECK(answer.verdict == Verdict::Granted);
    CHECK(answer.record.reason == 0);
}

TEST_CASE("a grant in which no model has a say is settled, a plain answer named",
          "[ksec][engine]") {
    const auto check = [](u16 client) {
        Record record{};
        Progress progress{};
        Query event = query(Event::Request, client, kPlant, 0, 0);
        alignas(8) constexpr u8 kFixed[8] = {};
        event.message.fixed = kFixed;
        event.message.fixed_size = sizeof(kFixed);
        CHECK(kTable.check(&event, &progress, &record) == Verdict::Granted);
        CHECK(progress.is_settled == 1);
        return progress.response;
    };
    CHECK(check(kInit) == kSetReply);
    CHECK(check(kCore) == ~u64{0});  // a rule reads the answer
}

TEST_CASE("every rule must grant, and the one that does not is named", "[ksec][engine]") {
    const Query set = query(Event::Request, kCore, kPlant, 0, 0);
    CHECK(ask(set, 100).verdict == Verdict::Granted);
    const Answer denied = ask(set, 101);
    check_denied(denied, Reason::Rule, 7);
    CHECK(denied.record.value_count == 1);
    CHECK(denied.record.values[0] == 101);
    check_denied(
        ask(query(Event::Request, kCore, kPlant, abi::kEventEndpoint, 0), 5), Reason::Rule, 8);
}

TEST_CASE("an expression that fails denies", "[ksec][engine]") {
    check_denied(
        ask(query(Event::Request, kCore, kPlant, abi::kFaultEndpoint, 0)), Reason::Error, 9);
}

TEST_CASE("dear rules are run over several steps", "[ksec][engine]") {
    Query event = query(Event::Response, kPlant, kCore, 0, 1);
    const Answer answer = ask(event, 5, 0);
    CHECK(answer.verdict == Verdict::Granted);
    CHECK(answer.steps >= 3);
}

TEST_CASE("a response is judged for the server that gives it", "[ksec][engine]") {
    CHECK(ask(query(Event::Response, kPlant, kInit, 0, 0)).verdict == Verdict::Granted);
    check_denied(ask(query(Event::Response, kPlant, kPlant, 0, 0)), Reason::NoRule, kNoRule);
    const Answer unknown = ask(query(Event::Response, kInit, kPlant, 0, 0));
    check_denied(unknown, Reason::Malformed, kNoRule);
    CHECK(unknown.record.defect == static_cast<u8>(Defect::UnknownMethod));
}

TEST_CASE("an error response exists only where the method declares one", "[ksec][engine]") {
    CHECK(ask(query(Event::Error, kPlant, kInit, 0, 0)).verdict == Verdict::Granted);
    check_denied(ask(query(Event::Error, kPlant, kInit, 0, 1), 0, 0), Reason::Malformed, kNoRule);
}

TEST_CASE("a malformed message is denied before any rule sees it", "[ksec][engine]") {
    const Answer answer = ask(query(Event::Request, kInit, kPlant, 0, 0), 0, 16);
    check_denied(answer, Reason::Malformed, kNoRule);
    CHECK(answer.record.defect == static_cast<u8>(Defect::FixedSize));
    CHECK(answer.record.detail == 0xFFFF'FFFF);
    Query outside = query(Event::Request, kInit, kPlant, 0, 1);
    outside.message.arena_size = 3;
    const Answer range = ask(outside, u64{4} << 32);
    check_denied(range, Reason::Malformed, kNoRule);
    CHECK(range.record.defect == static_cast<u8>(Defect::RangeOutside));
    CHECK(range.record.detail == 0);
}

TEST_CASE("process starts are judged by initiator and class", "[ksec][engine]") {
    CHECK(ask(query(Event::Execute, kInit, kPlant, 0, 0)).verdict == Verdict::Granted);
    CHECK(ask(query(Event::Execute, kCore, kInit, 0, 0)).verdict == Verdict::Granted);
    check_denied(ask(query(Event::Execute, kCore, kPlant, 0, 0)), Reason::NoRule, kNoRule);
    check_denied(ask(query(Event::Execute, kCore, 50, 0, 0)), Reason::Malformed, kNoRule);
    check_denied(ask(query(Event::Execute, 50, kPlant, 0, 0)), Reason::Malformed, kNoRule);
}

TEST_CASE("security queries are judged by the asking class", "[ksec][engine]") {
    CHECK(ask(query(Event::Security, kPlant, kNoClass, 0, 0), 7).verdict == Verdict::Granted);
    check_denied(ask(query(Event::Security, kPlant, kNoClass, 0, 0), 700), Reason::Rule, 7);
    check_denied(ask(query(Event::Security, kInit, kNoClass, 0, 0), 7), Reason::Malformed, kNoRule);
    check_denied(
        ask(query(Event::Security, kPlant, kNoClass, 0, 1), 7), Reason::Malformed, kNoRule);
}

namespace {

/// lab.Plant with other methods: Log with a long answer; Text(a long string); Keep(plain bytes).
struct OtherPlant {
    static constexpr u16 kLogMethod = 1;
    static constexpr u32 kMostText = 60'000;

    OtherPlant() {
        for (u32 i = 0; i < 3; ++i) {
            classes[i] = kClasses[i];
        }
        classes[kPlant].endpoints = &endpoint;
        policy.classes = classes;
        policy.layouts = layouts;
        policy.layout_count = 2;
    }

    [[nodiscard]] const MethodInfo* fits(u32 fixed_size,
                                         u32 arena_size,
                                         Event event = Event::Request,
                                         u16 method = kLogMethod,
                                         u16 class_id = kPlant) const {
        return engine::fits(class_id,
                            0,
                            method,
                            event,
                            reinterpret_cast<const u8*>(fixed),
                            fixed_size,
                            arena_size,
                            policy);
    }

    /// How the row's entry names the answer to a Log of Einit.
    [[nodiscard]] u64 row_response() const {
        Query event = query(Event::Request, kInit, kPlant, 0, kLogMethod);
        event.message.fixed = reinterpret_cast<const u8*>(fixed);
        event.message.fixed_size = 8;
        Progress progress{};
        Record record{};
        CHECK(engine::check(policy, event, progress, record) == Verdict::Granted);
        return progress.response;
    }

    u32 fixed[4] = {};
    MethodInfo methods[2] = {kMethods[0], {kLog, kLog, kNone}};
    MethodLayouts method_layouts[2] = {kMethodLayouts[0], {0, 0, kNoLayout}};
    Endpoint endpoint{methods, method_layouts, 0, 2, 0};
    Field text{FieldKind::Text, 1, 0, 0, kMostText, 1, kNoLayout, 0};
    Layout layouts[2] = {kLayouts[0], {&text, 1, 8}};
    Class classes[3];
    Policy policy = kPolicy;
};

}  // namespace

TEST_CASE("a message fits whose sizes and ranges are those of its method", "[ksec][engine]") {
    OtherPlant plant;
    plant.fixed[1] = 4;
    CHECK(plant.fits(8, 64) == &plant.methods[1]);
    CHECK(plant.fits(8, 64, Event::Response) == &plant.methods[1]);
    CHECK(plant.fits(8, 65) == nullptr);
    CHECK(plant.fits(16, 64) == nullptr);
    plant.fixed[0] = 61;  // the range ends outside
    CHECK(plant.fits(8, 64) == nullptr);
    plant.method_layouts[1].request = kNoLayout;  // nothing to look at
    CHECK(plant.fits(8, 64) == &plant.methods[1]);
}

TEST_CASE("what is unknown, short, staged or carries handles does not fit", "[ksec][engine]") {
    OtherPlant plant;
    CHECK(plant.fits(8, 0) != nullptr);
    CHECK(plant.fits(8, 0, Event::Request, OtherPlant::kLogMethod, 99) == nullptr);
    CHECK(plant.fits(8, 0, Event::Request, 2) == nullptr);
    CHECK(plant.fits(8, 0, Event::Request, 0) == nullptr);
    plant.methods[1].request.handle_count = 1;
    CHECK(plant.fits(8, 0) == nullptr);
    plant.methods[1].request = kLog;
    plant.methods[1].request.staging = Staging::Arena;
    CHECK(plant.fits(8, 0) == nullptr);
}

TEST_CASE("a row names an answer that is granted by its form alone", "[ksec][engine]") {
    OtherPlant plant;
    const u64 if_it_fits =
        abi::Tag::make_long(abi::Kind::Response, 0, OtherPlant::kLogMethod, 0).value | kIfItFits;
    CHECK(plant.row_response() == if_it_fits);
    plant.methods[1].response.handle_count = 1;
    CHECK(plant.row_response() == ~u64{0});
    plant.methods[1].response = kLog;
    plant.methods[1].response.staging = Staging::Arena;
    CHECK(plant.row_response() == ~u64{0});
    plant.methods[1].response = kNumber;  // in registers, with fields to look at
    CHECK(plant.row_response() == ~u64{0});
    plant.method_layouts[1].response = kNoLayout;
    CHECK(plant.row_response() ==
          abi::Tag::make_short(abi::Kind::Response, 0, OtherPlant::kLogMethod, 8).value);
}

TEST_CASE("events of classes that do not exist are denied", "[ksec][engine]") {
    for (const Query& event : {query(Event::Request, kInit, 99, 0, 0),
                               query(Event::Request, 99, kPlant, 0, 0),
                               query(Event::Response, 99, kInit, 0, 0),
                               query(Event::Security, 99, kCore, 0, 0),
                               query(Event::Execute, kCore, 99, 0, 0),
                               query(Event::Execute, 99, kPlant, 0, 0),
                               query(static_cast<Event>(99), kInit, kPlant, 0, 0)}) {
        CAPTURE(static_cast<u32>(event.event), event.src_class, event.dst_class);
        check_denied(ask(event), Reason::Malformed, kNoRule);
        Record record{};
        CHECK(kTable.judge(&event, Effect::Commit, &record) == Verdict::Denied);
        CHECK(record.reason == static_cast<u8>(Reason::Malformed));
    }
}

TEST_CASE("a long text is checked in steps, to its last byte", "[ksec][engine]") {
    OtherPlant plant;
    plant.methods[1].request = {8, OtherPlant::kMostText, Staging::Arena, 0, 1, 0, nullptr};
    plant.method_layouts[1].request = 1;
    plant.fixed[1] = OtherPlant::kMostText;
    std::vector<u8> arena(OtherPlant::kMostText, 'a');
    const auto check = [&](u8 last, u8 before) {
        arena[arena.size() - 1] = last;
        arena[arena.size() - 2] = before;
        Query event = query(Event::Request, kInit, kPlant, 0, OtherPlant::kLogMethod);
        event.message.fixed = reinterpret_cast<const u8*>(plant.fixed);
        event.message.fixed_size = 8;
        event.message.arena = arena.data();
        event.message.arena_size = static_cast<u32>(arena.size());
        event.message.flags = kTravelsLong;
        Progress progress{};
        Record record{};
        u32 steps = 1;
        Verdict verdict = engine::check(plant.policy, event, progress, record);
        for (; verdict == Verdict::Again; ++steps) {
            verdict = engine::check(plant.policy, event, progress, record);
        }
        CHECK(steps > 1);
        CHECK(steps < 1000);
        return verdict;
    };
    CHECK(check(0, 'a') == Verdict::Granted);
    CHECK(check('a', 'a') == Verdict::Denied);
    CHECK(check(0, 0xFF) == Verdict::Denied);
}
