// SPDX-License-Identifier: Apache-2.0
#include <services/audit/explain.hpp>

namespace svc::audit {

namespace {

using ksec::Defect;
using ksec::Event;
using ksec::Reason;
using ksec::Record;
using sdk::Writer;

constexpr std::string_view kKernelClass = "kl.core.Core";
constexpr std::string_view kKernelName = "kernel";

constexpr bool is_event(const Record& record, Event event) {
    return record.event == static_cast<base::u8>(event);
}

/// Responses and errors travel from the server, whose class has the endpoint.
constexpr bool is_answer(const Record& record) {
    return is_event(record, Event::Response) || is_event(record, Event::Error);
}

constexpr u32 kind_of(const Record& record) {
    if (is_event(record, Event::Response)) {
        return 1;
    }
    return is_event(record, Event::Error) ? 2 : 0;
}

void put_process(Writer& line, u64 sid, u32 class_id, const Names& names, TaskNames& tasks) {
    if (const auto task = tasks.find(sid); !task.empty()) {
        line.foreign(task);
        return;
    }
    if (const auto name = names.find_class(class_id); !name.empty()) {
        line.foreign(name == kKernelClass ? kKernelName : name);
        return;
    }
    line.text("class ").decimal(class_id);
}

void put_method(Writer& line, const Record& record, const Names& names) {
    const auto numbering =
        is_event(record, Event::Security) ? Numbering::Security : Numbering::Endpoints;
    const u32 owner =
        is_answer(record) || numbering == Numbering::Security ? record.src_class : record.dst_class;
    const auto endpoint = names.find_endpoint(numbering, owner, record.endpoint);
    if (endpoint.interface.empty()) {
        line.text("endpoint ").decimal(record.endpoint);
    } else {
        line.foreign(endpoint.interface);
    }
    const auto method = names.find_method(numbering, owner, record.endpoint, record.method);
    if (method.empty()) {
        line.text(" method ").decimal(record.method);
    } else {
        line.character('.').foreign(method);
    }
    if (is_event(record, Event::Response)) {
        line.text(" (response)");
    } else if (is_event(record, Event::Error)) {
        line.text(" (error response)");
    } else if (numbering == Numbering::Security) {
        line.text(" (security query)");
    }
}

constexpr std::string_view describe(Defect defect) {
    switch (defect) {
    case Defect::None:
        break;
    case Defect::UnknownMethod:
        return "there is no such method";
    case Defect::FixedSize:
        return "its fixed part has the wrong size";
    case Defect::ArenaSize:
        return "its arena is larger than the interface allows";
    case Defect::RangeOutside:
        return "lies outside of the arena";
    case Defect::RangeOverlap:
        return "overlaps another parameter in the arena";
    case Defect::RangeMisaligned:
        return "is not aligned in the arena";
    case Defect::TooLong:
        return "is longer than the interface allows";
    case Defect::NotTerminated:
        return "is not terminated by NUL";
    case Defect::NotUtf8:
        return "is not valid UTF-8";
    case Defect::UnionTag:
        return "names no member of its union";
    case Defect::HandleCount:
        return "it carries the wrong number of handles";
    case Defect::NotShort:
        return "it must travel as a short message";
    }
    return "does not have the form of its interface";
}

constexpr bool concerns_parameter(Defect defect) {
    switch (defect) {
    case Defect::RangeOutside:
    case Defect::RangeOverlap:
    case Defect::RangeMisaligned:
    case Defect::TooLong:
    case Defect::NotTerminated:
    case Defect::NotUtf8:
    case Defect::UnionTag:
        return true;
    default:
        return false;
    }
}

void put_defect(Writer& line, const Record& record, const Names& names) {
    const auto defect = static_cast<Defect>(record.defect);
    line.text("malformed: ");
    if (concerns_parameter(defect)) {
        const auto name = names.find_parameter(
            {.class_id = is_answer(record) ? record.src_class : record.dst_class,
             .endpoint = record.endpoint,
             .method = record.method,
             .kind = kind_of(record),
             .index = record.detail});
        if (name.empty()) {
            line.text("parameter ").decimal(u64{record.detail} + 1);
        } else {
            line.foreign(name);
        }
        line.character(' ');
    }
    line.text(describe(defect));
}

void put_rule(Writer& line, const Record& record, const Names& names) {
    const auto rule = names.find_rule(record.rule);
    line.text("rule ");
    if (rule.place.empty()) {
        line.decimal(record.rule);
    } else {
        line.foreign(rule.place).character(' ').foreign(rule.text);
    }
    const u32 count =
        record.value_count < ksec::kRecordValues ? record.value_count : ksec::kRecordValues;
    for (u32 i = 0; i < count; ++i) {
        line.text(i == 0 ? "  [" : ", ");
        const auto name = names.find_value(record.rule, i);
        if (!name.empty()) {
            line.foreign(name).character('=');
        }
        line.decimal(record.values[i]);
    }
    if (count > 0) {
        line.character(']');
    }
}

void put_reason(Writer& line, const Record& record, const Names& names) {
    switch (static_cast<Reason>(record.reason)) {
    case Reason::Rule:
        put_rule(line, record, names);
        return;
    case Reason::NoRule:
        line.text("no rule grants it");
        return;
    case Reason::Malformed:
        put_defect(line, record, names);
        return;
    case Reason::Error:
        put_rule(line, record, names);
        line.text(" could not be evaluated");
        return;
    case Reason::Audited:
        line.text("recorded by its audit profile");
        return;
    case Reason::Recorded:
        line.text("recorded with the run");
        return;
    case Reason::BadHandle:
    case Reason::BadToken:
        return;
    }
    line.text("reason ").decimal(record.reason);
}

constexpr bool is_reason(const Record& record, Reason reason) {
    return record.reason == static_cast<base::u8>(reason);
}

}  // namespace

void explain_subject(const Record& record, const Names& names, TaskNames& tasks, Writer& line) {
    put_process(line, record.src_sid, record.src_class, names, tasks);
    if (is_reason(record, Reason::BadHandle) || is_reason(record, Reason::BadToken)) {
        return;
    }
    if (is_event(record, Event::Execute)) {
        line.text(" starts ");
        put_process(line, record.dst_sid, record.dst_class, names, tasks);
        return;
    }
    if (!is_event(record, Event::Security)) {
        line.text(" -> ");
        put_process(line, record.dst_sid, record.dst_class, names, tasks);
    }
    line.text("  ");
    put_method(line, record, names);
}

void explain(const Record& record, const Names& names, TaskNames& tasks, Writer& line) {
    line.text(record.granted != 0 ? "GRANTED  " : "DENIED  ");
    explain_subject(record, names, tasks, line);
    if (is_reason(record, Reason::BadHandle)) {
        line.text("  used handle ").hex(record.detail, 8).text(", which is not valid for it");
        return;
    }
    if (is_reason(record, Reason::BadToken)) {
        line.text("  answered a call that is not its to answer");
        return;
    }
    line.text("  ");
    put_reason(line, record, names);
}

}  // namespace svc::audit
