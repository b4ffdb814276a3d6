// SPDX-License-Identifier: Apache-2.0
// The verdict on one event: what ksec's entry table answers, for a policy given as an argument, so
// that tests can have several. BoundTo<policy> makes the entry table of one.
//
// check() is the pure part. It reads constant tables, the query and the staged message, and keeps
// what it needs between steps in Progress; it may therefore run on several CPUs at once. judge()
// runs under the kernel lock, and with it every change of a model's state (state.hpp).
//
// Stack: no recursion; the deepest chain (check, structure, walk, one rule) stays below 1 KiB.
#pragma once

#include <ksec/format/tables.hpp>
#include <ksec/models/sid_map.hpp>

namespace ksec::engine {

Verdict check(const format::Policy& policy, const Query& query, Progress& progress, Record& record);
Verdict judge(const format::Policy& policy, const Query& query, Effect effect, Record& record);
/// Drops the model state of a SID.
void ended(const format::Policy& policy, u64 sid);
const MethodInfo* method_info(const format::Policy& policy, u16 class_id, u16 endpoint, u16 method);
const MethodInfo* fits(u16 class_id,
                       u16 endpoint,
                       u16 method,
                       Event event,
                       const u8* fixed,
                       u32 fixed_size,
                       u32 arena_size,
                       const format::Policy& policy);
const Row* row(const format::Policy& policy, u16 src_class, u16 dst_class);
const ClassInfo* class_info(const format::Policy& policy, u16 id);
u16 class_by_name(const format::Policy& policy, const char* name, u32 length);

/// The entry table of one policy.
template <const format::Policy& P> struct BoundTo {
    static constexpr EntryTable entry_table() {
        return {
            .magic = kEntryMagic,
            .version = kEntryVersion,
            .class_count = P.class_count,
            .core_class = P.core_class,
            .init_class = P.init_class,
            .reserved = 0,
            .policy_hash = P.hash,
            .seed = models::seed_maps,
            .find_class = [](auto... of) { return class_by_name(P, of...); },
            .class_info = [](u16 id) { return engine::class_info(P, id); },
            .method_info = [](auto... of) { return engine::method_info(P, of...); },
            .fits = [](auto... of) { return engine::fits(of..., P); },
            .row = [](auto... of) { return engine::row(P, of...); },
            .check = [](auto... of) { return engine::check(P, *of...); },
            .judge = [](const Query* query,
                        Effect effect,
                        Record* record) { return engine::judge(P, *query, effect, *record); },
            .ended = [](u64 sid) { engine::ended(P, sid); },
        };
    }
};

}  // namespace ksec::engine
