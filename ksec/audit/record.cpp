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

void refused(Record& record, const format::RuleCall& rule, Reason reason, const u64* values) {
    record.granted = 0;
    record.reason = static_cast<u8>(reason);
    record.rule = rule.rule;
    record.value_count = rule.value_count;
    for (u32 i = 0; i < rule.value_count && i < kRecordValues; ++i) {
        record.values[i] = values[i];
    }
}

}  // namespace ksec::audit
