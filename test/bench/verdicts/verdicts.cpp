// SPDX-License-Identifier: Apache-2.0
// What a verdict costs, counted by the machine that gives it: asks a compiled policy about one
// message of each kind, in both directions, as the kernel would, and prints
//
//   BENCH ksec.<kind>.<direction> instructions 112
//
// Runs on bare QEMU with the policy module as it ships. Ends with exit status 1 when a verdict is
// not what the policy says.
#include <cstddef>
#include <kernel/abi/call.hpp>
#include <ksec/verdict.hpp>

extern "C" {
extern const ksec::EntryTable ksec_entry_table;
ksec::u64 read_counter();
void print(const char* text);
int main();
}

namespace {

using namespace ksec;

constexpr u64 kMeterSid = 1001;
constexpr u64 kTargetSid = 1002;
constexpr u32 kTextBytes = 64;

/// A measured event: the method's number is its place in Measured.idl.
struct Kind {
    const char* name;
    bool has_text;
    u32 value;
};

constexpr Kind kKinds[] = {{"plain", false, 5},
                           {"assert", false, 5},
                           {"flow_step", false, 5},
                           {"set_lookup", false, 17},
                           {"regex_64", true, 0}};

u16 meter = kNoClass;
u16 target = kNoClass;
alignas(8) u32 fixed[2] = {};
alignas(8) char arena[kTextBytes + 8] = {};

u16 find(const char* name) {
    u32 length = 0;
    while (name[length] != '\0') {
        ++length;
    }
    return ksec_entry_table.find_class(name, length);
}

Query make_query(Event event) {
    const bool is_response = event == Event::Response;
    Query query{};
    query.event = event;
    query.src_class = is_response ? target : meter;
    query.dst_class = is_response ? meter : target;
    query.src_sid = is_response ? kTargetSid : kMeterSid;
    query.dst_sid = is_response ? kMeterSid : kTargetSid;
    return query;
}

void fill(Query& query, const Kind& kind) {
    query.message.fixed = reinterpret_cast<const u8*>(fixed);
    query.message.fixed_size = sizeof(fixed);
    if (!kind.has_text) {
        fixed[0] = kind.value;
        fixed[1] = 0;
        return;
    }
    for (u32 i = 0; i < kTextBytes; ++i) {
        arena[i] = 'a';
    }
    fixed[0] = 0;
    fixed[1] = kTextBytes + 1;
    query.message.arena_size = kTextBytes + 1;
    query.message.arena = reinterpret_cast<const u8*>(arena);
    query.message.flags = kTravelsLong;
}

/// Both parts, as the kernel asks them; `instructions` are ksec's.
Verdict ask(Query& query, u64& instructions) {
    Progress progress;
    Record record{};
    start(progress);
    instructions = 0;
    Verdict verdict = Verdict::Again;
    while (verdict == Verdict::Again) {
        const u64 begin = read_counter();
        verdict = ksec_entry_table.check(&query, &progress, &record);
        instructions += read_counter() - begin;
    }
    if (verdict != Verdict::Granted || progress.is_settled != 0) {
        return verdict;
    }
    query.facts = progress.facts;
    const u64 begin = read_counter();
    verdict = ksec_entry_table.judge(&query, Effect::Commit, &record);
    instructions += read_counter() - begin;
    return verdict;
}

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

bool measure(Event event, const char* direction, u16 method) {
    const Kind& kind = kKinds[method];
    Query query = make_query(event);
    query.method = method;
    fill(query, kind);
    u64 instructions = 0;
    // The second time counts: the SID's place in its map is known by then.
    for (u32 round = 0; round < 2; ++round) {
        if (ask(query, instructions) != Verdict::Granted) {
            print("denied: ");
            print(kind.name);
            print("\n");
            return false;
        }
    }
    print("BENCH ksec.");
    print(kind.name);
    print(direction);
    print(" instructions ");
    print_number(instructions);
    print("\n");
    return true;
}

/// Starts a process of a class; its execute event fills what the models know of its SID.
bool start_process(u16 class_id, u64 sid) {
    Query query{};
    query.event = Event::Execute;
    query.src_class = ksec_entry_table.init_class;
    query.dst_class = class_id;
    query.src_sid = 2;
    query.dst_sid = sid;
    u64 instructions = 0;
    return ask(query, instructions) == Verdict::Granted;
}

}  // namespace

int main() {
    meter = find("verdicts.Meter");
    target = find("verdicts.Target");
    if (!start_process(meter, kMeterSid) || !start_process(target, kTargetSid)) {
        print("denied: a process\n");
        return 1;
    }
    for (u16 method = 0; method < sizeof(kKinds) / sizeof(kKinds[0]); ++method) {
        if (!measure(Event::Request, ".request", method) ||
            !measure(Event::Response, ".response", method)) {
            return 1;
        }
    }
    return 0;
}
