// SPDX-License-Identifier: Apache-2.0
#include <runtime/log.hpp>
#include <runtime/process.hpp>

namespace sdk {

namespace {

/// Set once at start, before any other thread logs.
constinit LogSink log_sink = nullptr;

}  // namespace

void set_log_sink(LogSink sink) { log_sink = sink; }

LogLine::LogLine(std::string_view area, std::string_view event) {
    line_.text(area).text(": ").text(event);
}

LogLine::~LogLine() {
    Line<254> whole;
    whole.text(line_.view());
    if (line_.is_truncated()) {
        whole.text("...");
    }
    (log_sink != nullptr ? log_sink : debug_write)(whole.view());
}

LogLine& LogLine::field(std::string_view key, std::string_view value) {
    begin(key);
    line_.foreign(value);
    return *this;
}

LogLine& LogLine::hex(std::string_view key, u64 value) {
    begin(key);
    line_.hex(value);
    return *this;
}

void LogLine::begin(std::string_view key) { line_.character(' ').text(key).character('='); }

}  // namespace sdk
