// SPDX-License-Identifier: Apache-2.0
#include "table.hpp"

#include <catch2/catch_test_macros.hpp>
#include <cstring>
#include <deque>
#include <fake_ipc.hpp>
#include <kl/core/Audit.idl.hpp>
#include <kl/core/Core.endpoints.hpp>
#include <kl/core/Task.idl.hpp>
#include <services/audit/service.hpp>

namespace {

namespace task = kl::core::Task;
using base::Status;
using base::u32;
using ksec::Record;

class Lines final : public svc::audit::LineSink {
public:
    bool write_line(std::string_view line) override {
        if (!is_open) {
            return false;
        }
        all.emplace_back(line);
        return true;
    }

    std::vector<std::string> all{};
    bool is_open = true;
};

/// A kernel that has records and a list of tasks, and the service over it.
struct World {
    World() {
        fake::reset();
        fake::ipc().on_call = [this](const fake::Sent& sent) {
            return sent.tag.endpoint() == kl::core::Core::endpoint::audit_Audit ? read(sent)
                                                                                : list(sent);
        };
    }

    fake::Answer read(const fake::Sent& sent) {
        ++reads;
        if (read_status != Status::Ok) {
            return fake::respond(
                sent,
                kl::core::Audit::Read_Response{.rc = static_cast<base::s32>(read_status)},
                {});
        }
        std::vector<base::u8> bytes;
        while (!records.empty() && bytes.size() < 31 * sizeof(Record)) {
            const auto at = bytes.size();
            bytes.resize(at + sizeof(Record));
            std::memcpy(bytes.data() + at, &records.front(), sizeof(Record));
            records.pop_front();
        }
        kl::core::Audit::Read_Response response{.dropped = dropped};
        response.records = {0, static_cast<u32>(bytes.size())};
        return fake::respond(sent, response, bytes);
    }

    fake::Answer list(const fake::Sent& sent) {
        ++lists;
        std::vector<base::u8> bytes;
        for (const auto& [sid, name] : names) {
            task::TaskInfo info{};
            info.sid = sid;
            std::memcpy(&info.name[0], name.data(), name.size());
            const auto at = bytes.size();
            bytes.resize(at + sizeof(info));
            std::memcpy(bytes.data() + at, &info, sizeof(info));
        }
        task::GetTasksList_Response response{};
        response.tasks = {0, static_cast<u32>(bytes.size())};
        return fake::respond(sent, response, bytes);
    }

    std::deque<Record> records{};
    base::u64 dropped = 0;
    Status read_status = Status::Ok;
    u32 reads = 0;
    u32 lists = 0;
    std::map<base::u64, std::string> names{{20, "valve"}, {30, "intruder"}};
    kl::core::Audit::Proxy kernel{1, kl::core::Core::endpoint::audit_Audit};
    kl::core::Task::Proxy tasks{1, kl::core::Core::endpoint::task_Task};
    svc::audit::TaskDirectory directory{tasks};
    Lines lines{};
    svc::audit::Recorder recorder{};
    svc::audit::AuditService service{
        kernel, svc::audit::Names{table::kNames}, directory, lines, recorder};
};

}  // namespace

TEST_CASE("each denial becomes a line, with process names asked once", "[services][audit]") {
    World world;
    Record record = table::make_record(ksec::Reason::NoRule);
    world.records.push_back(record);
    record.method = 1;
    world.records.push_back(record);
    world.service.read_all();
    REQUIRE(world.lines.all.size() == 2);
    CHECK(world.lines.all[0] == "DENIED  intruder -> valve  plant.Valve.Set  no rule grants it");
    CHECK(world.lists == 1);
    CHECK(world.service.counts().denials == 2);
}

TEST_CASE("the name of a process outlives it", "[services][audit]") {
    World world;
    world.records.push_back(table::make_record(ksec::Reason::NoRule));
    world.service.read_all();
    world.names.clear();
    Record record = table::make_record(ksec::Reason::NoRule);
    record.method = 1;
    world.records.push_back(record);
    world.service.read_all();
    CHECK(world.lines.all.at(1).starts_with("DENIED  intruder -> valve"));
}

TEST_CASE("a thousand equal denials take three lines and are counted", "[services][audit]") {
    World world;
    for (u32 i = 0; i < 1000; ++i) {
        world.records.push_back(table::make_record(ksec::Reason::NoRule));
    }
    world.service.read_all();
    CHECK(world.lines.all.size() == 2);
    CHECK(world.service.has_hidden());
    world.service.tell_hidden();
    REQUIRE(world.lines.all.size() == 3);
    CHECK(world.lines.all[2] ==
          "DENIED  intruder -> valve  plant.Valve.Set  the same 998 more times");
    CHECK_FALSE(world.service.has_hidden());
    CHECK(world.service.counts().denials == 1000);
}

TEST_CASE("denials with other values are lines of their own, a few at a time",
          "[services][audit]") {
    World world;
    Record record = table::make_record(ksec::Reason::Rule);
    record.rule = 7;
    record.value_count = 1;
    for (u32 i = 81; i < 101; ++i) {
        record.values[0] = i;
        world.records.push_back(record);
        world.records.push_back(record);
        world.records.push_back(record);
    }
    world.service.read_all();
    world.service.tell_hidden();
    REQUIRE(world.lines.all.size() == 6);
    CHECK(world.lines.all[1].ends_with("[message.percent=81]"));
    CHECK(world.lines.all[2].ends_with("the same 1 more time"));
    CHECK(world.lines.all[3].ends_with("[message.percent=82]"));
    CHECK(world.lines.all[4].ends_with("[message.percent=82]"));
    CHECK(world.lines.all[5].ends_with("the same 1 more time, 54 more with other values"));
    CHECK(world.service.counts().denials == 60);
}

TEST_CASE("another denial first tells what was hidden", "[services][audit]") {
    World world;
    for (u32 i = 0; i < 3; ++i) {
        world.records.push_back(table::make_record(ksec::Reason::NoRule));
    }
    world.records.push_back(table::make_record(ksec::Reason::BadHandle));
    world.service.read_all();
    REQUIRE(world.lines.all.size() == 4);
    CHECK(world.lines.all[2].ends_with("the same 1 more time"));
    CHECK(world.lines.all[3].find("used handle") != std::string::npos);
}

TEST_CASE("losses are told once", "[services][audit]") {
    World world;
    world.dropped = 12;
    world.service.read_all();
    world.service.read_all();
    REQUIRE(world.lines.all.size() == 1);
    CHECK(world.lines.all[0] == "audit: records-lost count=12");
    CHECK(world.service.counts().lost == 12);
}

TEST_CASE("lines that could not be shown are counted and told later", "[services][audit]") {
    World world;
    world.lines.is_open = false;
    world.records.push_back(table::make_record(ksec::Reason::NoRule));
    world.service.read_all();
    world.lines.is_open = true;
    world.records.push_back(table::make_record(ksec::Reason::BadToken));
    world.service.read_all();
    REQUIRE(world.lines.all.size() == 2);
    CHECK(world.lines.all[1] == "audit: lines-not-shown count=1");
}

TEST_CASE("a kernel that does not give records ends the reading", "[services][audit]") {
    World world;
    world.read_status = Status::Busy;
    world.service.read_all();
    CHECK(world.reads == 1);
    CHECK(world.lines.all.empty());
}

TEST_CASE("the counts are served", "[services][audit]") {
    World world;
    world.records.push_back(table::make_record(ksec::Reason::NoRule));
    idl::ArenaWriter arena;
    const idl::Caller caller{.arena = arena};
    (void)world.service.Notify(caller, {});
    const auto counts = world.service.Get(caller, {}).results();
    CHECK(counts.records == 1);
    CHECK(counts.denials == 1);
    CHECK(counts.lost == 0);
}
