// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch_test_macros.hpp>
#include <fake_ipc.hpp>
#include <runtime/log.hpp>
#include <runtime/status_text.hpp>

namespace {

std::string last_line;

void keep_line(std::string_view line) { last_line = line; }

}  // namespace

TEST_CASE("a log line is an area, an event and fields", "[sdk][runtime]") {
    sdk::set_log_sink(&keep_line);
    sdk::LogLine{"init", "task-ended"}
        .field("task", "valve")
        .field("code", -3)
        .field("count", base::u64{12})
        .hex("pc", 0x1a4);
    CHECK(last_line == "init: task-ended task=valve code=-3 count=12 pc=0x1a4");
    sdk::set_log_sink(nullptr);
}

TEST_CASE("a value with control characters stays in its line", "[sdk][runtime]") {
    sdk::set_log_sink(&keep_line);
    sdk::LogLine{"a", "b"}.field("text", "x\r\nfake: line\x1b[0m");
    CHECK(last_line == "a: b text=x??fake: line?[0m");
    sdk::set_log_sink(nullptr);
}

TEST_CASE("a line that is too long is cut and marked", "[sdk][runtime]") {
    sdk::set_log_sink(&keep_line);
    sdk::LogLine{"a", "b"}.field("text", std::string(1000, 'x'));
    CHECK(last_line.size() == 254);
    CHECK(last_line.ends_with("xxx..."));
    sdk::set_log_sink(nullptr);
}

TEST_CASE("without a sink a line goes to the kernel's console", "[sdk][runtime]") {
    fake::reset();
    sdk::LogLine{"a", "b"}.field("c", 1);
    CHECK(fake::ipc().debug == "a: b c=1\n");
}

TEST_CASE("every status has a name", "[sdk][runtime]") {
    CHECK(sdk::name_of(base::Status::Ok) == "Ok");
    for (base::s32 code = 1; code <= 0x18; ++code) {
        CAPTURE(code);
        CHECK(sdk::name_of(static_cast<base::Status>(-0x7fff'0000 - code)) != "unknown");
    }
    CHECK(sdk::name_of(static_cast<base::Status>(5)) == "unknown");
}
