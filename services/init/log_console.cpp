// SPDX-License-Identifier: Apache-2.0
#include <runtime/log.hpp>
#include <runtime/process.hpp>
#include <services/init/log_console.hpp>

namespace svc::init {

namespace {

/// The sink is a plain function.
constinit LogConsole* current = nullptr;

}  // namespace

LogConsole::LogConsole(Kernel& kernel) : kernel_(kernel) {
    current = this;
    sdk::set_log_sink([](std::string_view line) { current->write(line); });
}

LogConsole::~LogConsole() { sdk::set_log_sink(nullptr); }

void LogConsole::open(u32 server) {
    const auto channel = kernel_.connect(0, server);
    channel_ = channel.ok() ? channel.value() : 0;
}

void LogConsole::write(std::string_view line) {
    if (try_console(line) != Status::Ok) {
        sdk::debug_write(line);
    }
}

Status LogConsole::try_console(std::string_view line) {
    if (channel_ == 0 || kernel_.now() < rest_until_) {
        return Status::NotReady;
    }
    const u64 ticks_per_ms = kernel_.frequency() / 1000 + 1;
    const u64 deadline = kernel_.now() + kPatienceMs * ticks_per_ms;
    Status status = kernel_.write_line(channel_, line, deadline);
    if (status == Status::NotConnected) {
        status = kernel_.write_line(channel_, line, deadline);  // a new life says so once
    }
    if (status == Status::Timeout) {
        rest_until_ = kernel_.now() + kRestMs * ticks_per_ms;
    } else if (status == Status::SecurityDisallow) {
        kernel_.close(channel_);  // the policy will not change
        channel_ = 0;
    }
    return status;
}

}  // namespace svc::init
