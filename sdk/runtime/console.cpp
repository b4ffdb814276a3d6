// SPDX-License-Identifier: Apache-2.0
#include <drivers/Pl011.endpoints.hpp>
#include <runtime/console.hpp>
#include <runtime/log.hpp>
#include <runtime/text.hpp>
#include <runtime/time.hpp>

namespace sdk {

namespace {

constexpr u32 kTries = 80;
constexpr u64 kPauseMs = 5;

/// Where log lines go; set once at start.
constinit Console* log_console = nullptr;

void write_log(std::string_view line) { (void)log_console->write_line(line); }

}  // namespace

Console::Console(u32 handle) : proxy_(handle, drivers::Pl011::endpoint::console) {}

Result<Console> Console::open(const StartBlock& start, std::string_view id) {
    const auto handle = start.connection(id);
    if (!handle.ok()) {
        return handle.status();
    }
    return Console{handle.value()};
}

Status Console::write(std::string_view text) {
    while (!text.empty()) {
        const std::string_view piece = text.substr(0, drivers::Console::MaxWrite);
        if (const Status status = write_piece(piece); status != Status::Ok) {
            return status;
        }
        text.remove_prefix(piece.size());
    }
    return Status::Ok;
}

Status Console::write_line(std::string_view text) {
    constexpr std::string_view kEnd = "\r\n";
    Line<drivers::Console::MaxWrite> line;
    line.text(text.substr(0, drivers::Console::MaxWrite - kEnd.size())).text(kEnd);
    return write_piece(line.view());
}

Status Console::write_piece(std::string_view piece) {
    Status status = Status::Ok;
    for (u32 i = 0; i < kTries; ++i) {
        if (piece.size() <= drivers::Console::MaxShort) {
            drivers::Console::Put_Arguments short_piece{};
            for (std::size_t at = 0; at < piece.size(); ++at) {
                short_piece.data[at] = static_cast<u8>(piece[at]);
            }
            status = proxy_.Put(static_cast<u32>(piece.size()), short_piece.data).status();
        } else {
            status = proxy_.Write(piece).status();
        }
        if (status != Status::Busy && status != Status::NotConnected) {
            return status;
        }
        sleep_ms(kPauseMs);
    }
    return status;
}

Result<u32> Console::read(std::span<u8> room) {
    const auto reply = proxy_.Read();
    if (!reply.ok()) {
        return reply.status();
    }
    u32 count = 0;
    while (count < reply.value().count && count < kReadBytes && count < room.size()) {
        room[count] = reply.value().data[count];
        ++count;
    }
    return count;
}

void Console::log_to(Console& console) {
    log_console = &console;
    set_log_sink(&write_log);
}

}  // namespace sdk
