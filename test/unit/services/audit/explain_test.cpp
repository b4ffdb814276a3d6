// SPDX-License-Identifier: Apache-2.0
#include "table.hpp"

#include <catch2/catch_test_macros.hpp>
#include <random>

namespace {

using ksec::Defect;
using ksec::Event;
using ksec::Reason;
using ksec::Record;
using table::explain;
using table::make_record;

Record malformed(Defect defect, base::u32 parameter) {
    Record record = make_record(Reason::Malformed);
    record.defect = static_cast<base::u8>(defect);
    record.detail = parameter;
    return record;
}

}  // namespace

TEST_CASE("a denial names the rule, its place and what it looked at", "[services][audit]") {
    Record record = make_record(Reason::Rule);
    record.rule = 7;
    record.value_count = 1;
    record.values[0] = 100;
    CHECK(explain(record) == "DENIED  intruder -> valve  plant.Valve.Set  rule plant.psl:31 assert "
                             "(message.percent <= 80)  [message.percent=100]");
    record.value_count = 2;
    record.values[1] = 3;
    CHECK(explain(record).ends_with("[message.percent=100, message.reason=3]"));
    record.reason = static_cast<base::u8>(Reason::Error);
    CHECK(explain(record).ends_with("] could not be evaluated"));
}

TEST_CASE("a denial without a rule says so", "[services][audit]") {
    CHECK(explain(make_record(Reason::NoRule)) ==
          "DENIED  intruder -> valve  plant.Valve.Set  no rule grants it");
}

TEST_CASE("a malformed message names the parameter and its defect", "[services][audit]") {
    const std::string start = "DENIED  intruder -> valve  plant.Valve.Set  malformed: ";
    CHECK(explain(malformed(Defect::NotTerminated, 1)) ==
          start + "reason is not terminated by NUL");
    CHECK(explain(malformed(Defect::RangeOutside, 1)) ==
          start + "reason lies outside of the arena");
    CHECK(explain(malformed(Defect::NotUtf8, 5)) == start + "parameter 6 is not valid UTF-8");
    CHECK(explain(malformed(Defect::UnknownMethod, 0)) == start + "there is no such method");
    for (base::u8 defect = 0; defect <= static_cast<base::u8>(Defect::NotShort); ++defect) {
        CAPTURE(defect);
        CHECK(explain(malformed(static_cast<Defect>(defect), 0)).size() > start.size());
    }
}

TEST_CASE("handles and tokens that are not the process's own are explained", "[services][audit]") {
    Record record = make_record(Reason::BadHandle);
    record.dst_class = ksec::kNoClass;
    record.detail = 0x0007'0003;
    CHECK(explain(record) == "DENIED  intruder  used handle 0x00070003, which is not valid for it");
    record.reason = static_cast<base::u8>(Reason::BadToken);
    CHECK(explain(record) == "DENIED  intruder  answered a call that is not its to answer");
}

TEST_CASE("answers, starts and queries are told apart from requests", "[services][audit]") {
    Record record = make_record(Reason::NoRule);
    record.event = static_cast<base::u8>(Event::Response);
    std::swap(record.src_class, record.dst_class);
    std::swap(record.src_sid, record.dst_sid);
    CHECK(explain(record) ==
          "DENIED  valve -> intruder  plant.Valve.Set (response)  no rule grants it");
    record.event = static_cast<base::u8>(Event::Error);
    CHECK(explain(record).find("(error response)") != std::string::npos);
    record.event = static_cast<base::u8>(Event::Execute);
    record.src_class = 0;
    record.src_sid = 5;
    CHECK(explain(record) == "DENIED  Einit starts intruder  no rule grants it");
    record = make_record(Reason::NoRule);
    record.event = static_cast<base::u8>(Event::Security);
    CHECK(explain(record) == "DENIED  intruder  plant.Guard.Login (security query)  "
                             "no rule grants it");
}

TEST_CASE("the kernel is called the kernel, others by class when unknown", "[services][audit]") {
    Record record = make_record(Reason::NoRule);
    record.dst_class = 1;
    record.dst_sid = 1;
    record.endpoint = 3;
    record.method = 1;
    CHECK(explain(record) == "DENIED  intruder -> kernel  kl.core.Handle.Close  no rule grants it");
    record.src_sid = 99;
    CHECK(explain(record).starts_with("DENIED  plant.Intruder -> kernel"));
    record.src_class = 77;
    CHECK(explain(record).starts_with("DENIED  class 77 -> kernel"));
}

TEST_CASE("a granted record that a profile asked for is no denial", "[services][audit]") {
    Record record = make_record(Reason::Audited);
    record.granted = 1;
    CHECK(explain(record) ==
          "GRANTED  intruder -> valve  plant.Valve.Set  recorded by its audit profile");
}

TEST_CASE("a process name with control characters stays in its line", "[services][audit]") {
    table::Tasks tasks;
    tasks.names[30] = "evil\r\nGRANTED \x1b[2J";
    sdk::Line<400> line;
    svc::audit::explain(make_record(Reason::NoRule), svc::audit::Names{table::kNames}, tasks, line);
    CHECK(line.view().find_first_of("\r\n\x1b") == std::string_view::npos);
}

TEST_CASE("records of random bytes give one line each", "[services][audit]") {
    std::mt19937 random{7};
    for (int round = 0; round < 5000; ++round) {
        Record record;
        auto* bytes = static_cast<base::u8*>(static_cast<void*>(&record));
        for (std::size_t i = 0; i < sizeof(record); ++i) {
            bytes[i] = static_cast<base::u8>(random());
        }
        if (round % 2 == 0) {  // half of them plausible
            record.event %= 5;
            record.reason = static_cast<base::u8>(record.reason % 8);
            record.src_class %= 4;
            record.dst_class %= 4;
            record.rule = 7;
        }
        const std::string line = explain(record);
        CHECK(line.size() <= 400);
        CHECK(line.find_first_of("\r\n") == std::string::npos);
    }
}
