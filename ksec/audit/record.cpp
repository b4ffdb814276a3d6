// SPDX-License-Identifier: Apache-2.0
#include <ksec/audit/record.hpp>

namespace ksec::audit {

namespace {

/// Who, to whom, what: every field that follows from the query.
void begin(Record& record, const Query& query, Reason reason) {
    record = Record{};
    record.event = static_cast<u8>(query.event);
    record.reason = static_cast<u8>(reason);
    record.granted = reason == Reason::Audited || reason == Reason::Recorded ? 1 : 0;
    record.src_class = query.src_class;
    record.dst_class = query.dst_class;
    record.endpoint = query.endpoint;
    record.method = query.method;
    record.rule = kNoRule;
    record.src_sid = query.src_sid;
    record.dst_sid = query.dst_sid;
}

}  // namespace

void malformed(Record& record, const Query& query, Defect defect, u32 parameter) {
    begin(record, query, Reason::Malformed);
    record.defect = static_cast<u8>(defect);
    record.detail = parameter;
}

void no_rule(Record& record, const Query& query) { begin(record, query, Reason::NoRule); }

void decided(
    Record& record, const Query& query, u32 rule, Reason reason, std::span<const u64> values) {
    begin(record, query, reason);
    record.rule = rule;
    record.value_count = static_cast<u32>(values.size());
    for (u32 i = 0; i < values.size() && i < kRecordValues; ++i) {
        record.values[i] = values[i];
    }
}

}  // namespace ksec::audit
