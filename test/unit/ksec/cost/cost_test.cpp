// SPDX-License-Identifier: Apache-2.0
// Checks ksec/format/costs.hpp: what the models' rules cost at most, counted by the machine that
// runs them. Runs on bare QEMU as the code that ships is compiled, prints one line for each rule
// and ends with exit status 1 when a rule cost more than it may.
//
// SIDs come and go at random in nearly full maps, so that rules meet SIDs in every place; each
// operation is measured many times and its dearest run counts.
#include <ksec/audit/level.hpp>
#include <ksec/models/flow.hpp>
#include <ksec/models/hash_set.hpp>
#include <ksec/models/mic.hpp>
#include <ksec/models/rate_limit.hpp>
#include <ksec/models/rbac.hpp>
#include <ksec/models/static_map.hpp>
#include <ksec/models/time_window.hpp>
#include <sdk/policyc/src/costs.hpp>

extern "C" ksec::u64 read_counter();
extern "C" void print(const char* text);
extern "C" int main();

namespace {

using namespace ksec;
using namespace ksec::models;
using namespace sdk::policyc;
using format::Outcome;

constexpr u32 kSlots = 64;
constexpr u32 kSetSize = 16;
constexpr u32 kKeys = 128;
constexpr u32 kRoles = 64;

enum Operation : u32 {
    Find,
    FindAgain,
    Insert,
    Erase,
    FlowInit,
    FlowFini,
    FlowEnter,
    FlowAllow,
    FlowQuery,
    FlowQuiet,
    SetInit,
    SetFini,
    SetAdd,
    SetRemove,
    SetContains,
    WideAdd,
    WideRemove,
    WideContains,
    MapInit,
    MapFini,
    MapSet,
    MapGet,
    MapGetUncommitted,
    MapCommit,
    MapRollback,
    MicCreate,
    MicDelete,
    MicUpgrade,
    MicExecute,
    MicCall,
    MicInvoke,
    MicQuery,
    RbacInit,
    RbacFini,
    RbacAssign,
    RbacRevoke,
    RbacEnable,
    RbacDisable,
    RbacAllow,
    RateInit,
    RateFini,
    RateTake,
    RateLeft,
    WindowSet,
    WindowAllow,
    SetLevel,
    OperationCount
};

struct Limit {
    const char* name;
    u32 cost;
};

constexpr u32 kAgain = kFindAgainCost;
constexpr u32 kRemoval = kFindCost + kEraseCost;
constexpr u32 kWide = 4;  // words of a wide entry
constexpr u32 kWideSize = 8;

constexpr Limit kLimits[OperationCount] = {
    {"find", kFindCost},
    {"find again", kAgain},
    {"insert", kInsertCost},
    {"erase", kRemoval},
    {"flow.init", kInsertCost + kFlowInitCost},
    {"flow.fini", kRemoval + kFlowFiniCost},
    {"flow.enter", kAgain + kFlowEnterCost},
    {"flow.allow", kAgain + kFlowAllowCost},
    {"flow.query", kAgain + kFlowQueryCost},
    {"flow omit", kFlowQuietCost},
    {"set.init", kInsertCost + kHashSetInitCost},
    {"set.fini", kRemoval + kHashSetFiniCost},
    {"set.add", kAgain + hash_set_add_cost(kSetSize, 1)},
    {"set.remove", kAgain + hash_set_remove_cost(kSetSize, 1)},
    {"set.contains", kAgain + hash_set_contains_cost(kSetSize, 1)},
    {"set.add, wide", kAgain + hash_set_add_cost(kWideSize, kWide)},
    {"set.remove, wide", kAgain + hash_set_remove_cost(kWideSize, kWide)},
    {"set.contains, wide", kAgain + hash_set_contains_cost(kWideSize, kWide)},
    {"map.init", kInsertCost + static_map_init_cost(kKeys)},
    {"map.fini", kRemoval + kStaticMapFiniCost},
    {"map.set", kAgain + kStaticMapSetCost},
    {"map.get", kAgain + kStaticMapGetCost},
    {"map.get_uncommited", kAgain + kStaticMapGetCost},
    {"map.commit", kAgain + static_map_commit_cost(kKeys)},
    {"map.rollback", kAgain + static_map_rollback_cost(kKeys)},
    {"mic.create", kMicCreateCost},
    {"mic.delete", kMicDeleteCost},
    {"mic.upgrade", kMicUpgradeCost},
    {"mic.execute", kMicExecuteCost},
    {"mic.call", kMicCallCost},
    {"mic.invoke", kMicInvokeCost},
    {"mic.query_level", kMicQueryCost},
    {"rbac.init", kInsertCost + kRbacInitCost},
    {"rbac.fini", kRemoval + kRbacFiniCost},
    {"rbac.assign", kAgain + kRbacAssignCost},
    {"rbac.revoke", kAgain + rbac_revoke_cost(kRoles)},
    {"rbac.enable", kAgain + kRbacEnableCost},
    {"rbac.disable", kAgain + kRbacDisableCost},
    {"rbac.allow", kAgain + kRbacAllowCost},
    {"rate.init", kInsertCost + kRateLimitInitCost},
    {"rate.fini", kRemoval + kRateLimitFiniCost},
    {"rate.take", kAgain + kRateLimitTakeCost},
    {"rate.left", kAgain + kRateLimitLeftCost},
    {"window.set_clock", kTimeWindowSetCost},
    {"window.allow", time_window_allow_cost(4)},
    {"base.set_level", kSetLevelCost},
};

// ---- objects

constexpr u64 kTransitions[] = {3, 3};
constexpr FlowConfig kFlow{kTransitions, 2, 0};
constinit u64 values[kKeys] = {};
constexpr StaticMapConfig kMap{values, kKeys};
constinit u64 role_sets[kRoles] = {};
constexpr RbacConfig kRbac{role_sets, role_sets, kRoles, kRoles};
constexpr RateLimitConfig kRate = make_rate_limit(1'000'000'007, 13, 5);
constexpr Window kWindows[] = {{0, 1}, {5, 9}, {10, 15}, {20, 31}};
constexpr TimeWindowConfig kWindow{kWindows, 4, WindowClock::Wall, 3, 100};

constinit SidMapStorage<kSlots> sid_storage{};
constinit SidMapStorage<kSlots> crowded_storage{};
constinit FlowStorage<kSlots> flow_storage{};
constinit HashSetStorage<kSlots, kSetSize, 1> set_storage{};
constinit HashSetStorage<kSlots, kWideSize, kWide> wide_storage{};
constinit StaticMapStorage<kSlots, kKeys> map_storage{};
constinit MicStorage<kSlots> mic_storage{};
constinit RbacStorage<kSlots> rbac_storage{};
constinit RateLimitStorage<kSlots> rate_storage{};
constinit TimeWindowState window_state{};
constinit format::State audit_state{};
constinit Journal journal;

constexpr SidMap kSidMap{sid_storage};
constexpr SidMap kCrowdedMap{crowded_storage};
constexpr Flow kFlows{kFlow, flow_storage};
constexpr HashSet kSets{set_storage};
constexpr HashSet kWideSets{wide_storage};
constexpr StaticMap kMaps{kMap, map_storage};
constexpr Mic kMic{mic_storage};
constexpr Rbac kRoleSets{kRbac, rbac_storage};
constexpr RateLimit kRates{kRate, rate_storage};
constexpr TimeWindow kTimes{kWindow, window_state};

// ---- measuring

constinit u64 dearest[OperationCount] = {};
constinit u64 overhead = 0;
constinit u64 used = 0;  // keeps results from being optimised away

/// Runs an operation and counts its instructions, those of passing arguments included.
template <typename Code> [[gnu::noinline]] u64 measure(Operation operation, Code code) {
    const u64 begin = read_counter();
    const auto result = code();
    const u64 count = read_counter() - begin - overhead;
    journal.commit();
    used = used + static_cast<u64>(result);
    dearest[operation] = count > dearest[operation] ? count : dearest[operation];
    return static_cast<u64>(result);
}

constinit u64 random_state = 88'172'645'463'325'252;

u64 below(u64 count) {
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state % count;
}

constinit u64 sids[kSlots] = {};
constinit u64 sid_count = 0;
constinit u64 next_sid = 1;

void attach(u64 sid) {
    if (measure(Insert, [&] { return kSidMap.insert(journal, sid); }) == kNoSlot) {
        return;
    }
    measure(FlowInit, [&] { return kFlows.init(journal, sid); });
    measure(SetInit, [&] { return kSets.init(journal, sid); });
    (void)kWideSets.init(journal, sid);
    measure(MapInit, [&] { return kMaps.init(journal, sid); });
    measure(RbacInit, [&] { return kRoleSets.init(journal, sid); });
    measure(RateInit, [&] { return kRates.init(journal, sid, 5); });
    measure(MicExecute,
            [&] { return kMic.execute(journal, {false, 0}, sid, {true, {5, 0}}, {true, {3, 0}}); });
    sids[sid_count++] = sid;
}

/// Each object was last asked for `other`.
void detach(u64 index, u64 other) {
    const u64 sid = sids[index];
    (void)kSidMap.find(other);
    measure(Erase, [&] { return kSidMap.erase(journal, sid); });
    (void)kFlows.query(other);
    measure(FlowFini, [&] { return kFlows.fini(journal, sid); });
    measure(SetFini, [&] { return kSets.fini(journal, sid); });
    (void)kWideSets.fini(journal, sid);
    measure(MapFini, [&] { return kMaps.fini(journal, sid); });
    measure(RbacFini, [&] { return kRoleSets.fini(journal, sid); });
    measure(RateFini, [&] { return kRates.fini(journal, sid); });
    kMic.ended(journal, sid);
    journal.commit();
    sids[index] = sids[--sid_count];
}

void measure_finding(u64 sid, u64 other) {
    (void)kSidMap.find(other);
    measure(Find, [&] { return kSidMap.find(sid); });
    measure(FindAgain, [&] { return kSidMap.find(sid); });
    (void)kSidMap.find(other);
    measure(Find, [&] { return kSidMap.find(next_sid + 77); });
}

/// In a map whose buckets are full of others every SID is a stray. One at a time is what costs
/// count.
void measure_strays() {
    constexpr u64 kOther = ~u64{0};
    for (u32 i = 0; i < format::bucket_count(kSlots) * format::kBucketCells; ++i) {
        crowded_storage.sids[i] = kOther;
    }
    for (u64 sid = 1; sid < 1'000; ++sid) {
        measure(Insert, [&] { return kCrowdedMap.insert(journal, sid); });
        measure(Find, [&] { return kCrowdedMap.find(sid); });
        measure(Find, [&] { return kCrowdedMap.find(sid + 1); });
        measure(Erase, [&] { return kCrowdedMap.erase(journal, sid); });
    }
}

void measure_flow(u64 sid) {
    (void)kFlows.query(sid);
    measure(FlowEnter, [&] { return kFlows.enter(journal, sid, static_cast<u32>(below(2))); });
    measure(FlowAllow, [&] { return kFlows.allow(sid, 1); });
    measure(FlowQuery, [&] { return kFlows.query(sid).value; });
    measure(FlowQuiet, [&] { return kFlows.quiet_in(Outcome::Grant, sid, 1); });
}

void measure_sets(u64 sid) {
    const u64 entry = below(40);
    const u64 absent = 999;
    (void)kSets.contains(sid, &entry);
    measure(SetAdd, [&] { return kSets.add(journal, sid, &entry); });
    measure(SetContains, [&] { return kSets.contains(sid, &absent).value; });
    // Wide entries differ in their last word only.
    const u64 wide[kWide] = {7, 8, 9, below(40)};
    const u64 wide_absent[kWide] = {7, 8, 9, 999};
    (void)kWideSets.contains(sid, wide);
    measure(WideAdd, [&] { return kWideSets.add(journal, sid, wide); });
    measure(WideContains, [&] { return kWideSets.contains(sid, wide_absent).value; });
    if (below(8) == 0) {
        measure(SetRemove, [&] { return kSets.remove(journal, sid, &entry); });
        measure(WideRemove, [&] { return kWideSets.remove(journal, sid, wide); });
    }
}

void measure_maps(u64 sid) {
    const auto key = static_cast<u32>(below(kKeys));
    (void)kMaps.get(sid, key);
    measure(MapSet, [&] { return kMaps.set(journal, sid, key, 3); });
    measure(MapGet, [&] { return kMaps.get(sid, key).value; });
    measure(MapGetUncommitted, [&] { return kMaps.get_uncommitted(sid, key).value; });
    measure(MapCommit, [&] { return kMaps.commit(journal, sid); });
    measure(MapGet, [&] { return kMaps.get(sid, key).value; });
    measure(MapGetUncommitted, [&] { return kMaps.get_uncommitted(sid, key).value; });
    measure(MapRollback, [&] { return kMaps.rollback(journal, sid); });
}

void measure_mic(u64 source, u64 driver, u64 container, u64 target) {
    const MicPlace place{source, target, {true, container}, driver};
    measure(MicCreate, [&] { return kMic.create(journal, place, {false, {}}); });
    (void)kMic.remove(journal, place);
    measure(MicCreate, [&] { return kMic.create(journal, place, {true, {1, 0}}); });
    measure(MicUpgrade, [&] { return kMic.upgrade(journal, place, {4, 0}); });
    measure(MicCall, [&] { return kMic.call(source, target); });
    measure(MicCall, [&] { return kMic.call(driver, container); });
    measure(MicInvoke, [&] { return kMic.invoke(source, container); });
    (void)kMic.query_level(driver);
    measure(MicQuery, [&] { return kMic.query_level(source).value.degree; });
    measure(MicDelete, [&] { return kMic.remove(journal, place); });
    measure(MicExecute, [&] {
        return kMic.execute(journal, {true, source}, target, {true, {4, 0}}, {true, {3, 0}});
    });
    kMic.ended(journal, target);
    journal.commit();
}

void measure_roles(u64 sid) {
    const auto role = static_cast<u32>(below(kRoles));
    (void)kRoleSets.has(sid, role);
    measure(RbacAssign, [&] { return kRoleSets.assign(journal, sid, role); });
    measure(RbacEnable, [&] { return kRoleSets.enable(journal, sid, role); });
    measure(RbacAllow, [&] { return kRoleSets.allow(sid, role); });
    measure(RbacAllow, [&] { return kRoleSets.is_enabled(sid, role).value; });
    measure(RbacDisable, [&] { return kRoleSets.disable(journal, sid, role); });
    measure(RbacRevoke, [&] { return kRoleSets.revoke(journal, sid, role); });
}

void measure_time(u64 sid, u64 now_ns) {
    (void)kRates.left(sid, now_ns);
    measure(RateTake, [&] { return kRates.take(journal, sid, 1, now_ns); });
    measure(RateLeft, [&] { return kRates.left(sid, now_ns).value; });
    measure(WindowSet, [&] { return kTimes.set_clock(journal, 5, below(1'000)); });
    measure(WindowAllow, [&] { return kTimes.allow(now_ns); });
    measure(SetLevel, [&] { return audit::set_level(audit_state, journal, 3); });
}

// ---- telling

void print_number(u64 number) {
    char digits[21];
    char* first = &digits[20];
    *first = '\0';
    do {
        *--first = static_cast<char>('0' + number % 10);
        number /= 10;
    } while (number != 0);
    print(first);
}

}  // namespace

int main() {
    for (u32 role = 0; role < kRoles; ++role) {
        role_sets[role] = u64{1} << role;
    }
    measure(Find, [] { return 0; });
    overhead = dearest[Find];
    dearest[Find] = 0;
    measure_strays();
    for (u64 round = 0; round < 2'000; ++round) {
        if (sid_count < kSlots) {
            attach(next_sid++);
        }
        if (sid_count < 20) {
            continue;
        }
        // Four different SIDs.
        const u64 first = below(sid_count - 3);
        const u64 sid = sids[first];
        measure_finding(sid, sids[first + 1]);
        measure_flow(sid);
        measure_sets(sid);
        measure_maps(sid);
        if (sid_count < kSlots) {
            measure_mic(sid, sids[first + 1], sids[first + 2], 1'000'000 + round);
        }
        measure_roles(sid);
        measure_time(sid, 5 + round * 50'000'000);
        if (below(2) == 0) {
            detach(first, sids[first + 1]);
        }
    }
    int status = 0;
    for (u32 operation = 0; operation < OperationCount; ++operation) {
        const Limit& limit = kLimits[operation];
        const bool is_good = dearest[operation] != 0 && dearest[operation] <= limit.cost;
        status = is_good ? status : 1;
        print(is_good ? "ok   " : "WRONG ");
        print(limit.name);
        print(": ");
        print_number(dearest[operation]);
        print(" of ");
        print_number(limit.cost);
        print("\n");
    }
    return status;
}
