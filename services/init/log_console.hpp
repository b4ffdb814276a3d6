// SPDX-License-Identifier: Apache-2.0
// Where init's log lines go: to the driver of the console once it runs, so that they do not break
// into lines which the driver is sending, and to the kernel's log without it. Nobody holds init up
// for it: it waits a bounded time, and a driver that let it wait is left alone for a while. A line
// on which the driver was too slow may appear twice, none is lost.
#pragma once

#include <services/init/kernel.hpp>

namespace svc::init {

/// There is one at a time; while it lives it is the sink of LogLine.
class LogConsole final {
public:
    explicit LogConsole(Kernel& kernel);
    ~LogConsole();
    LogConsole(const LogConsole&) = delete;
    LogConsole& operator=(const LogConsole&) = delete;

    /// From now on, lines go to the console of process `server` (a task handle of init).
    void open(u32 server);

    /// Writes a line without its end to whichever takes it.
    void write(std::string_view line);

private:
    static constexpr u64 kPatienceMs = 100;
    static constexpr u64 kRestMs = 2'000;

    Status try_console(std::string_view line);

    Kernel& kernel_;
    u32 channel_ = 0;  // 0 = there is none
    u64 rest_until_ = 0;
};

}  // namespace svc::init
