// SPDX-License-Identifier: Apache-2.0
// The state part of a verdict: transactions, guards, facts and audit, on a policy whose only method
// is request 0 of endpoint 0. The number in the message chooses what its rules do.
#include <catch2/catch_test_macros.hpp>
#include <ksec/audit/level.hpp>
#include <ksec/engine/verdict.hpp>
#include <ksec/format/rule.hpp>
#include <ksec/models/flow.hpp>
#include <ksec/models/hash_set.hpp>
#include <ksec/models/object.hpp>
#include <vector>

namespace {

using namespace ksec;
using namespace ksec::format;

constexpr u64 kTransitions[] = {0b10, 0b01};
constexpr models::FlowConfig kDoor{kTransitions, 2, 0};
constexpr u32 kClosed = 0;
constexpr u32 kOpen = 1;

constinit State state{.audit_level = 0};
constinit models::Journal journal;
constinit models::FlowStorage<4> door_storage{};
constexpr models::Flow kDoors{kDoor, door_storage};
constinit models::HashSetStorage<4, 4, 1> set_storage{};
constexpr models::HashSet kSets{set_storage};
constexpr const models::SidObject* kObjects[] = {&kDoors, &kSets};
constinit u64 cells[models::Journal::kCapacity + 1] = {};

u32 number(const Query& query) { return load<u32>(fixed_part(query), 0); }

// ---- rules

Outcome open_door(const Query& query, Run& run, models::Journal& log) {
    run.values[0] = query.src_sid;
    return kDoors.enter(log, query.src_sid, kOpen);
}

Outcome open_door_quietly(const Query& query, Run& run, models::Journal& log) {
    return kDoors.quiet_in(open_door(query, run, log), query.src_sid, u64{1} << kOpen);
}

Outcome add_number(const Query& query, Run& run, models::Journal& log) {
    const u64 entry = number(query);
    run.values[0] = entry;
    return kSets.add(log, query.src_sid, &entry);
}

Outcome attach(const Query& query, Run&, models::Journal& log) {
    const Outcome outcome = kSets.init(log, query.dst_sid);
    return outcome == Outcome::Grant ? kDoors.init(log, query.dst_sid) : outcome;
}

/// choice (doors.query {src_sid}): the state plus one in field 0.
constexpr FactField kDoorField{0, 2};

Outcome ask_door(const Query& query, Run& run, models::Journal&) {
    const models::Answer<u32> answer = kDoors.query(query.src_sid);
    if (!answer.is_known) {
        return Outcome::Error;
    }
    set_fact(run.facts, kDoorField, answer.value + 1);
    return Outcome::Grant;
}

Outcome at_most_100(const Query& query, Run& run, models::Journal&) {
    run.values[0] = number(query);
    run.values[1] = 1;
    return number(query) <= 100 ? Outcome::Grant : Outcome::Deny;
}

Outcome fail(const Query&, Run&, models::Journal&) { return Outcome::Error; }

Outcome write_too_much(const Query&, Run&, models::Journal& log) {
    for (u64& cell : cells) {
        log.write(cell, 1);
    }
    return Outcome::Grant;
}

Outcome raise_level(const Query& query, Run&, models::Journal& log) {
    return audit::set_level(state, log, static_cast<u8>(number(query)));
}

// ---- pure part

constexpr FactField kParityField{8, 2};

/// A pure subexpression: 1 even, 2 odd.
Outcome find_parity(const Query& query, Run& run) {
    set_fact(run.facts, kParityField, 1 + number(query) % 2);
    return Outcome::Grant;
}

Outcome pure_grant(const Query&, Run&) { return Outcome::Grant; }

Outcome pure_fail(const Query&, Run&) { return Outcome::Error; }

Outcome below_200(const Query& query, Run&) {
    return number(query) < 200 ? Outcome::Grant : Outcome::Deny;
}

// ---- decisions, by endpoint: the same method has another decision for each

constexpr Guard kAlways{};

constexpr StateCall code(StateCode function, u32 rule, Guard guard = kAlways, u16 audit = 0) {
    return {function, rule, RuleKind::Code, 2, 0, 20, guard, audit, 0, 0};
}

constexpr StateCall constant(RuleKind kind, u32 rule, Guard guard = kAlways, u16 audit = 0) {
    return {nullptr, rule, kind, 0, 0, 0, guard, audit, 0, 0};
}

constexpr StateCall facts(StateCode function, u32 rule) {
    return {function, rule, RuleKind::Facts, 0, 0, 20, kAlways, 0, 0, 0};
}

constexpr RuleCall pure(RuleCode function, u32 rule, Guard guard = kAlways) {
    return {function, rule, RuleKind::Code, 0, 0, 20, 0, guard};
}

constexpr RuleCall pure_facts(RuleCode function, u32 rule) {
    return {function, rule, RuleKind::Facts, 0, 0, 20, 0, kAlways};
}

ScanText number_bytes(const Query& query) { return {Outcome::Grant, query.message.fixed, 4}; }

// One class, one state beside the dead one: anything matches.
constexpr u8 kOneClass[256] = {};
constexpr u16 kAnyNext[] = {0, 1};
constexpr u16 kAnyAccepts[] = {0, 1};
constexpr Dfa kAny{kOneClass, kAnyNext, kAnyAccepts, 1, 2, 1, 0};

ScanText not_there(const Query&) { return {Outcome::Error, nullptr, 0}; }

constexpr FactField kScanField{20, 1};
constexpr Scan kScans[] = {
    {&kAny, number_bytes, kScanField, 0, 0, 0},
    {&kAny, not_there, kScanField, 0, 0, 0},
};

enum Place : u16 {
    OpenThenLimit,
    AddOpenLimit,
    ChooseByDoor,
    ChooseByParity,
    Fails,
    TooMuch,
    Attach,
    Audited,
    AuditedBranch,
    Quiet,
    SetLevel,
    OnlyGuarded,
    PureGuarded,
    PureThenState,
    Scanned,
    ScanFails,
    FactsFail,
    PureOnly,
    PlaceCount
};

constexpr StateCall kOpenThenLimit[] = {code(open_door, 1), code(at_most_100, 2)};
constexpr StateCall kAddOpenLimit[] = {
    code(add_number, 3), code(open_door, 1), code(at_most_100, 2)};
constexpr StateCall kChooseByDoor[] = {
    facts(ask_door, 4),
    code(open_door, 1, {kDoorField, kClosed + 1}),
    code(at_most_100, 2, {kDoorField, kOpen + 1}),
};
constexpr RuleCall kParityFacts[] = {pure_facts(find_parity, 5)};
constexpr StateCall kChooseByParity[] = {
    code(open_door, 1, {kParityField, 2}),
    code(add_number, 3, {kParityField, 1}),
};
constexpr StateCall kFails[] = {code(open_door, 1), code(fail, 6)};
constexpr StateCall kTooMuch[] = {code(write_too_much, 7)};
constexpr StateCall kAttach[] = {code(attach, 8)};
constexpr StateCall kAudited[] = {code(at_most_100, 2, kAlways, 1), code(open_door, 1, kAlways, 2)};
// A pure rule in a branch of `choice`, whose grants a profile may want.
constexpr RuleCall kAuditedBranchPure[] = {
    pure_facts(find_parity, 5), pure(below_200, 9, {kParityField, 1}), pure(pure_grant, 10)};
constexpr StateCall kAuditedBranch[] = {constant(RuleKind::Grant, 9, {kParityField, 1}, 1)};
constexpr StateCall kQuiet[] = {code(open_door_quietly, 1, kAlways, 1)};
constexpr StateCall kSetLevel[] = {code(raise_level, 11, kAlways, 1),
                                   code(open_door, 1, kAlways, 2)};
constexpr StateCall kOnlyGuarded[] = {constant(RuleKind::Grant, 12, {kParityField, 1})};
constexpr RuleCall kPureGuarded[] = {pure_facts(find_parity, 5),
                                     pure(pure_grant, 10, {kParityField, 1})};
constexpr RuleCall kPureFirst[] = {pure(below_200, 9)};
constexpr StateCall kStateThen[] = {constant(RuleKind::Deny, 13, {kParityField, 3}),
                                    code(open_door, 1)};
constexpr RuleCall kScanned[] = {
    {nullptr, 14, RuleKind::Scan, 0, 0, 0, 0, kAlways},
    pure(pure_grant, 10, {kScanField, 1}),
};
constexpr RuleCall kScanFails[] = {{nullptr, 15, RuleKind::Scan, 0, 0, 0, 1, kAlways}};
constexpr RuleCall kFactsFail[] = {pure_facts(pure_fail, 16)};
constexpr RuleCall kPureOnly[] = {pure(below_200, 9)};

constexpr Decision kDecisions[] = {
    {nullptr, 0, 0},
    {nullptr, 0, 0, kOpenThenLimit, 2},
    {nullptr, 0, 0, kAddOpenLimit, 3},
    {nullptr, 0, 0, kChooseByDoor, 3},
    {kParityFacts, 1, 0, kChooseByParity, 2},
    {nullptr, 0, 0, kFails, 2},
    {nullptr, 0, 0, kTooMuch, 1},
    {nullptr, 0, 0, kAttach, 1},
    {nullptr, 0, 0, kAudited, 2},
    {kAuditedBranchPure, 3, 0, kAuditedBranch, 1},
    {nullptr, 0, 0, kQuiet, 1},
    {nullptr, 0, 0, kSetLevel, 2},
    {kParityFacts, 1, 0, kOnlyGuarded, 1},
    {kPureGuarded, 2, 0},
    {kPureFirst, 1, 0, kStateThen, 2},
    {kScanned, 2, 0},
    {kScanFails, 1, 0},
    {kFactsFail, 1, 0},
    {kPureOnly, 1, 0},
};
static_assert(std::size(kDecisions) == PlaceCount + 1);

// Plan 1: at levels 0, 2, 64 and 255. Plan 2: at level 5.
constexpr Audit kAudits[] = {{{}, Reason::Audited},
                             {{0b101, 1, 0, u64{1} << 63}, Reason::Audited},
                             {{0b100000}, Reason::Audited}};

constexpr Shape kNumber{8, 0, Staging::Registers, 0, 1, 0, nullptr};
constexpr Shape kNone{0, 0, Staging::Registers, 0, 0, 0, nullptr};
constexpr MethodInfo kMethods[PlaceCount] = {
    {kNumber, kNone, kNone},
    {kNumber, kNone, kNone},
    {kNumber, kNone, kNone},
    {kNumber, kNone, kNone},
    {kNumber, kNone, kNone},
    {kNumber, kNone, kNone},
    {kNumber, kNone, kNone},
    {kNumber, kNone, kNone},
    {kNumber, kNone, kNone},
    {kNumber, kNone, kNone},
    {kNumber, kNone, kNone},
    {kNumber, kNone, kNone},
    {kNumber, kNone, kNone},
    {kNumber, kNone, kNone},
    {kNumber, kNone, kNone},
    {kNumber, kNone, kNone},
    {kNumber, kNone, kNone},
    {kNumber, kNone, kNone},
};
constexpr MethodLayouts kNoLayouts{kNoLayout, kNoLayout, kNoLayout};
constexpr MethodLayouts kMethodLayouts[PlaceCount] = {
    kNoLayouts,
    kNoLayouts,
    kNoLayouts,
    kNoLayouts,
    kNoLayouts,
    kNoLayouts,
    kNoLayouts,
    kNoLayouts,
    kNoLayouts,
    kNoLayouts,
    kNoLayouts,
    kNoLayouts,
    kNoLayouts,
    kNoLayouts,
    kNoLayouts,
    kNoLayouts,
    kNoLayouts,
    kNoLayouts,
};
constexpr format::Endpoint kEndpoints[] = {{kMethods, kMethodLayouts, 0, PlaceCount, 0}};
constexpr u32 kSlots[PlaceCount] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18};
constexpr RowTable<2> kRow = {{1, 0x10}, {{~u64{0x10}, ~u64{0}}, {~u64{0}, ~u64{0}}}};
constexpr Pair kPairs[] = {{kSlots, kSlots, kSlots, &kRow.row}};
constexpr Class kClasses[] = {{{"lab.Door", 8, 1, 0, 8, 0, 0},
                               kEndpoints,
                               nullptr,
                               nullptr,
                               {nullptr, 0, 0},
                               {nullptr, 0, 7},  // Attach
                               0,
                               0,
                               PlaceCount}};
constexpr Policy kPolicy = {.hash = 1,
                            .class_count = 1,
                            .decision_count = PlaceCount + 1,
                            .pair_count = 1,
                            .layout_count = 0,
                            .core_class = 0,
                            .init_class = 0,
                            .reserved = 0,
                            .reserved2 = 0,
                            .classes = kClasses,
                            .decisions = kDecisions,
                            .pairs = kPairs,
                            .layouts = nullptr,
                            .implicit_endpoints = nullptr,
                            .scans = kScans,
                            .audits = kAudits,
                            .objects = kObjects,
                            .end_sid = models::end_sid,
                            .object_count = 2,
                            .reserved3 = 0,
                            .state = &state,
                            .journal = &journal};
constexpr EntryTable kTable = engine::BoundTo<kPolicy>::entry_table();

constexpr u64 kSid = 7;

/// Puts all state back, and attaches door and set to kSid.
struct Reset {
    Reset() {
        door_storage = {};
        set_storage = {};
        state.audit_level = 0;
        for (u64& cell : cells) {
            cell = 0;
        }
        journal.roll_back();
        (void)kDoors.init(journal, kSid);
        (void)kSets.init(journal, kSid);
        journal.commit();
    }
};

struct Answer {
    Verdict verdict;
    Record record;
};

Query query_of(Place place, u64& word) {
    Query query{};
    query.event = Event::Request;
    query.src_sid = kSid;
    query.method = place;
    query.message.fixed = reinterpret_cast<const u8*>(&word);
    query.message.fixed_size = 8;
    return query;
}

/// check() and, if it grants, judge().
Answer ask(Place place, u64 word = 0, Effect effect = Effect::Commit) {
    Query query = query_of(place, word);
    Answer answer{};
    Progress progress{};
    do {
        answer.verdict = kTable.check(&query, &progress, &answer.record);
    } while (answer.verdict == Verdict::Again);
    if (answer.verdict == Verdict::Granted) {
        CHECK(answer.record.reason == 0);
        query.facts = progress.facts;
        answer.verdict = kTable.judge(&query, effect, &answer.record);
    }
    return answer;
}

void check_denied(const Answer& answer, Reason reason, u32 rule) {
    CHECK(answer.verdict == Verdict::Denied);
    CHECK(answer.record.granted == 0);
    CHECK(answer.record.reason == static_cast<u8>(reason));
    CHECK(answer.record.rule == rule);
}

void check_granted(const Answer& answer) {
    CHECK(answer.verdict == Verdict::Granted);
    CHECK(answer.record.reason == 0);
}

void check_audited(const Answer& answer, u32 rule) {
    CHECK(answer.verdict == Verdict::Granted);
    CHECK(answer.record.granted == 1);
    CHECK(answer.record.reason == static_cast<u8>(Reason::Audited));
    CHECK(answer.record.rule == rule);
}

u32 door() { return kDoors.query(kSid).value; }

bool holds(u64 entry) { return kSets.contains(kSid, &entry).value; }

}  // namespace

// ---- transactions

TEST_CASE("a granted event changes the models", "[ksec][engine]") {
    const Reset reset;
    check_granted(ask(OpenThenLimit, 5));
    CHECK(door() == kOpen);
    check_denied(ask(OpenThenLimit, 5), Reason::Rule, 1);
    CHECK(door() == kOpen);
}

TEST_CASE("what earlier rules did vanishes when a later one denies", "[ksec][engine]") {
    const Reset reset;
    const Answer answer = ask(AddOpenLimit, 101);
    check_denied(answer, Reason::Rule, 2);
    CHECK(answer.record.value_count == 2);
    CHECK(answer.record.values[0] == 101);
    CHECK(answer.record.values[1] == 1);
    CHECK(door() == kClosed);
    CHECK_FALSE(holds(101));
    check_granted(ask(AddOpenLimit, 100));
    CHECK(door() == kOpen);
    CHECK(holds(100));
}

TEST_CASE("a dry run says what would be and does nothing", "[ksec][engine]") {
    const Reset reset;
    check_granted(ask(AddOpenLimit, 5, Effect::Dry));
    CHECK(door() == kClosed);
    CHECK_FALSE(holds(5));
    check_denied(ask(AddOpenLimit, 500, Effect::Dry), Reason::Rule, 2);
    check_granted(ask(AddOpenLimit, 5));
    CHECK(door() == kOpen);
    check_denied(ask(AddOpenLimit, 6, Effect::Dry), Reason::Rule, 1);
    CHECK_FALSE(holds(6));
}

TEST_CASE("an expression that fails denies and undoes", "[ksec][engine]") {
    const Reset reset;
    check_denied(ask(Fails), Reason::Error, 6);
    CHECK(door() == kClosed);
}

TEST_CASE("an event that writes more than the journal holds is denied and undone",
          "[ksec][engine]") {
    const Reset reset;
    check_denied(ask(TooMuch), Reason::Error, kNoRule);
    for (const u64 cell : cells) {
        CHECK(cell == 0);
    }
    check_granted(ask(OpenThenLimit));
}

TEST_CASE("a rule reports its own values only", "[ksec][engine]") {
    const Reset reset;
    ask(OpenThenLimit, 1);
    const Answer answer = ask(OpenThenLimit, 1);
    check_denied(answer, Reason::Rule, 1);
    CHECK(answer.record.values[0] == kSid);
    CHECK(answer.record.values[1] == 0);
}

// ---- facts and guards

TEST_CASE("a choice on a model's state runs the rules of that branch only", "[ksec][engine]") {
    const Reset reset;
    check_granted(ask(ChooseByDoor, 500));
    CHECK(door() == kOpen);
    check_granted(ask(ChooseByDoor, 100));
    check_denied(ask(ChooseByDoor, 500), Reason::Rule, 2);
}

TEST_CASE("a choice whose subject fails denies", "[ksec][engine]") {
    const Reset reset;
    kTable.ended(kSid);
    check_denied(ask(ChooseByDoor), Reason::Error, 4);
}

TEST_CASE("facts found by check() guide judge()", "[ksec][engine]") {
    const Reset reset;
    check_granted(ask(ChooseByParity, 4));
    CHECK(holds(4));
    CHECK(door() == kClosed);
    check_granted(ask(ChooseByParity, 5));
    CHECK(door() == kOpen);
    CHECK_FALSE(holds(5));
}

TEST_CASE("an event whose branches call no rule is denied for want of one", "[ksec][engine]") {
    const Reset reset;
    check_granted(ask(OnlyGuarded, 2));
    check_denied(ask(OnlyGuarded, 3), Reason::NoRule, kNoRule);
    check_granted(ask(PureGuarded, 2));
    check_denied(ask(PureGuarded, 3), Reason::NoRule, kNoRule);
    // A rule in check() is one, even when judge() calls none.
    check_granted(ask(AuditedBranch, 3));
}

TEST_CASE("a pure rule denies before the state is touched", "[ksec][engine]") {
    const Reset reset;
    check_denied(ask(PureThenState, 300), Reason::Rule, 9);
    CHECK(door() == kClosed);
    check_granted(ask(PureThenState, 100));
    CHECK(door() == kOpen);
}

TEST_CASE("a scan sets its fact, and denies when it has no value for a missing text",
          "[ksec][engine]") {
    const Reset reset;
    check_granted(ask(Scanned));
    check_denied(ask(ScanFails), Reason::Error, 15);
    check_denied(ask(FactsFail), Reason::Error, 16);
}

TEST_CASE("facts begin empty whatever the last event left", "[ksec][engine]") {
    const Reset reset;
    u64 word = 1;
    Query query = query_of(ChooseByParity, word);
    Progress progress{};
    progress.facts = ~u64{0};
    Record record{};
    CHECK(kTable.check(&query, &progress, &record) == Verdict::Granted);
    CHECK(get_fact(progress.facts, kParityField) == 2);
    CHECK(get_fact(progress.facts, kDoorField) == 0);
}

TEST_CASE("a field holds what was put into it and leaves its neighbours", "[ksec][format]") {
    u64 word = ~u64{0};
    set_fact(word, {3, 4}, 5);
    CHECK(word == (~u64{0} & ~(u64{0xA} << 3)));
    CHECK(get_fact(word, {3, 4}) == 5);
    set_fact(word, {3, 4}, 0);
    CHECK(word == (~u64{0} & ~(u64{0xF} << 3)));
    u64 wide = 0;
    set_fact(wide, {47, 16}, 0xFFFF);
    CHECK(get_fact(wide, {47, 16}) == 0xFFFF);
    CHECK((wide & kCalledFact) == 0);
    CHECK(get_fact(~u64{0}, {}) == 0);
}

// ---- audit

TEST_CASE("a granted event is recorded when a profile wants it at the present level",
          "[ksec][audit]") {
    const Reset reset;
    const Answer answer = ask(Audited, 42);
    check_audited(answer, 2);
    CHECK(answer.record.values[0] == 42);
    CHECK(answer.record.value_count == 2);
    for (const u64 level : {64, 255}) {
        const Reset again;
        state.audit_level = level;
        check_audited(ask(Audited, 42), 2);
    }
    for (const u64 level : {1, 3, 6, 63, 65, 128, 254}) {
        const Reset again;
        state.audit_level = level;
        check_granted(ask(Audited, 42));
    }
    const Reset again;
    state.audit_level = 5;
    check_audited(ask(Audited, 42), 1);
}

TEST_CASE("a dry run and a denial are not audited as grants", "[ksec][audit]") {
    const Reset reset;
    check_granted(ask(Audited, 42, Effect::Dry));
    check_denied(ask(Audited, 101), Reason::Rule, 2);
    ask(OpenThenLimit);
    check_denied(ask(Audited, 42), Reason::Rule, 1);
}

TEST_CASE("a pure rule is audited where it was called", "[ksec][audit]") {
    const Reset reset;
    check_audited(ask(AuditedBranch, 2), 9);
    check_granted(ask(AuditedBranch, 3));
}

TEST_CASE("a grant that its model wants omitted is not recorded", "[ksec][audit]") {
    const Reset reset;
    check_granted(ask(Quiet));
    CHECK(door() == kOpen);
    check_denied(ask(Quiet), Reason::Rule, 1);
}

TEST_CASE("a level that a rule sets counts from there on, if the event is granted",
          "[ksec][audit]") {
    const Reset reset;
    check_audited(ask(SetLevel, 5), 1);
    CHECK(state.audit_level == 5);
    const Answer denied = ask(SetLevel, 2);  // the door is open already
    check_denied(denied, Reason::Rule, 1);
    CHECK(state.audit_level == 5);
    const Reset again;
    check_audited(ask(SetLevel, 2), 11);
}

// ---- the end of a SID

TEST_CASE("the end of a SID drops its state in every object", "[ksec][engine]") {
    const Reset reset;
    check_granted(ask(AddOpenLimit, 5));
    kTable.ended(99);
    CHECK(door() == kOpen);
    kTable.ended(kSid);
    CHECK_FALSE(kDoors.query(kSid).is_known);
    const u64 entry = 5;
    CHECK_FALSE(kSets.contains(kSid, &entry).is_known);
    check_denied(ask(AddOpenLimit, 5), Reason::Rule, 3);
}

TEST_CASE("a process that starts gets its state, and gives it back when it ends",
          "[ksec][engine]") {
    const Reset reset;
    Query query{};
    query.event = Event::Execute;
    query.src_sid = kSid;
    for (u64 sid = 100; sid < 120; ++sid) {
        query.dst_sid = sid;
        Progress progress{};
        Record record{};
        REQUIRE(kTable.check(&query, &progress, &record) == Verdict::Granted);
        query.facts = progress.facts;
        REQUIRE(kTable.judge(&query, Effect::Commit, &record) == Verdict::Granted);
        CHECK(kDoors.query(sid).is_known);
        kTable.ended(sid);
    }
    // Without the ends, the pool of four, one of them taken, is used up.
    for (u64 sid = 200; sid < 204; ++sid) {
        query.dst_sid = sid;
        Progress progress{};
        Record record{};
        REQUIRE(kTable.check(&query, &progress, &record) == Verdict::Granted);
        query.facts = progress.facts;
        CHECK((kTable.judge(&query, Effect::Commit, &record) == Verdict::Granted) == (sid < 203));
    }
}

TEST_CASE("a decision without state rules needs neither facts nor models", "[ksec][engine]") {
    const Reset reset;
    u64 word = 1;
    Query query = query_of(PureOnly, word);
    Record record{};
    CHECK(kTable.judge(&query, Effect::Commit, &record) == Verdict::Granted);
    CHECK(record.reason == 0);
}
