// SPDX-License-Identifier: Apache-2.0
#include <ksec/audit/record.hpp>

namespace ksec::audit {

void begin(Record& record, const Query& query) {
    record = Record{};
    record.event = static_cast<u8>(query.event);
    record.granted = 1;
    record.src_class = query.src_class;
    record.dst_class = query.dst_class;
    record.endpoint = query.endpoint;
    record.method = query.method;
    record.rule = kNoRule;
    record.src_sid = query.src_sid;
    record.dst_sid = query.dst_sid;
}

void malformed(Record& record, Defect defect, u32 parameter) {
    record.granted = 0;
    record.reason = static_cast<u8>(Reason::Malformed);
    record.defect = static_cast<u8>(defect);
    record.detail = parameter;
}

void no_rule(Record& record) {
    record.granted = 0;
    record.reason = static_cast<u8>(Reason::NoRule);
}

namespace {

void name_rule(Record& record, u32 rule, Reason reason, std::span<const u64> values) {
    record.reason = static_cast<u8>(reason);
    record.rule = rule;
    record.value_count = static_cast<u32>(values.size());
    for (u32 i = 0; i < values.size() && i < kRecordValues; ++i) {
        record.values[i] = values[i];
    }
}

}  // namespace

void refused(Record& record, u32 rule, Reason reason, std::span<const u64> values) {
    record.granted = 0;
    name_rule(record, rule, reason, values);
}

void audited(Record& record, u32 rule, std::span<const u64> values) {
    name_rule(record, rule, Reason::Audited, values);
}

}  // namespace ksec::audit
