// SPDX-License-Identifier: Apache-2.0
// Log lines of the form `area: event key=value key=value`. They go to the sink that the program
// chose, the kernel's console by default, when the statement ends:
//
//   sdk::LogLine{"init", "task-ended"}.field("task", name).field("code", code);
//
// Values may be foreign: a control character cannot leave its field.
#pragma once

#include <runtime/text.hpp>
#include <string_view>
#include <type_traits>

namespace sdk {

/// Takes one line without its end.
using LogSink = void (*)(std::string_view line);

/// All following lines go to `sink`; null: to the kernel's console. Not for use while other
/// threads log.
void set_log_sink(LogSink sink);

/// One line, written when it is destroyed. 254 characters at most; longer ones end in "...".
class LogLine final {
public:
    LogLine(std::string_view area, std::string_view event);
    ~LogLine();
    LogLine(const LogLine&) = delete;
    LogLine& operator=(const LogLine&) = delete;

    LogLine& field(std::string_view key, std::string_view value);
    LogLine& hex(std::string_view key, u64 value);

    template <typename T>
        requires std::is_integral_v<T>
    LogLine& field(std::string_view key, T value) {
        begin(key);
        if constexpr (std::is_signed_v<T>) {
            line_.signed_decimal(value);
        } else {
            line_.decimal(value);
        }
        return *this;
    }

private:
    void begin(std::string_view key);

    Line<251> line_;
};

}  // namespace sdk
