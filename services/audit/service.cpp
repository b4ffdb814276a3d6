// SPDX-License-Identifier: Apache-2.0
#include <cstring>
#include <services/audit/service.hpp>

namespace svc::audit {

namespace {

using ksec::Record;

constexpr u32 kLineBytes = 400;

}  // namespace

idl::Outcome<tessera::Event::Notify_Results>
AuditService::Notify(const idl::Caller& caller, const tessera::Event::Notify_Arguments& in) {
    (void)caller;
    (void)in;
    read_all();
    return tessera::Event::Notify_Results{};
}

idl::Outcome<services::AuditCounts::Get_Results>
AuditService::Get(const idl::Caller& caller, const services::AuditCounts::Get_Arguments& in) {
    (void)caller;
    (void)in;
    return services::AuditCounts::Get_Results{
        .records = counts_.records, .denials = counts_.denials, .lost = counts_.lost};
}

void AuditService::read_all() {
    tasks_.begin_batch();
    for (u32 i = 0; i < kMaxBatches; ++i) {
        if (!read_batch()) {
            break;
        }
    }
    tell_lost();
}

bool AuditService::read_batch() {
    const auto reply = kernel_.Read();
    if (!reply.ok()) {
        return false;
    }
    counts_.lost = reply.value().dropped;
    const auto bytes = reply.value().records;
    for (std::size_t at = 0; at + sizeof(Record) <= bytes.size(); at += sizeof(Record)) {
        Record record;
        std::memcpy(&record, bytes.data() + at, sizeof(record));
        take(record);
    }
    return bytes.size() >= sizeof(Record);
}

void AuditService::take(const Record& record) {
    recorder_.write(record);
    if (record.reason == static_cast<base::u8>(ksec::Reason::Recorded)) {
        return;  // for the recording only
    }
    ++counts_.records;
    if (record.granted == 0) {
        ++counts_.denials;
    }
    if (folding_.will_show(record)) {
        tell_hidden();
    }
    if (!folding_.take(record)) {
        return;
    }
    sdk::Line<kLineBytes> line;
    explain(record, names_, tasks_, line);
    show(line.view());
}

void AuditService::tell_hidden() {
    const Hidden hidden = folding_.hidden();
    if (hidden.sum() == 0) {
        return;
    }
    sdk::Line<kLineBytes> line;
    line.text(folding_.kind().granted != 0 ? "GRANTED  " : "DENIED  ");
    explain_subject(folding_.kind(), names_, tasks_, line);
    line.text("  ");
    if (hidden.same > 0) {
        line.text("the same ").decimal(hidden.same);
        line.text(hidden.same == 1 ? " more time" : " more times");
    }
    if (hidden.others > 0) {
        line.text(hidden.same > 0 ? ", " : "")
            .decimal(hidden.others)
            .text(" more with other values");
    }
    show(line.view());
    folding_.forget_hidden();
}

void AuditService::tell_lost() {
    if (counts_.lost > lost_told_) {
        sdk::Line<kLineBytes> line;
        line.text("audit: records-lost count=").decimal(counts_.lost - lost_told_);
        lost_told_ = counts_.lost;
        show(line.view());
    }
}

void AuditService::show(std::string_view text) {
    if (!sink_.write_line(text)) {
        ++unshown_;
        return;
    }
    if (unshown_ > 0) {
        sdk::Line<kLineBytes> line;
        line.text("audit: lines-not-shown count=").decimal(unshown_);
        if (sink_.write_line(line.view())) {
            unshown_ = 0;
        }
    }
}

}  // namespace svc::audit
