// SPDX-License-Identifier: Apache-2.0
// The console of a process, when it was given one: whole lines to a person, and what the person
// types. A line goes out in one message, so lines of different processes do not mix.
#pragma once

#include <drivers/Console.client.hpp>
#include <kernel/abi/call.hpp>
#include <runtime/start_block.hpp>
#include <string_view>

namespace sdk {

/// The id under which connections to a console are made.
inline constexpr std::string_view kConsoleConnection = "console";

/// A connection to drivers.Console. Copies are separate connections to the same console; use each
/// from one thread.
class Console final {
public:
    /// Connected to nobody: every operation answers BadHandle.
    Console() : Console(abi::kInvalidHandle) {}

    explicit Console(u32 handle);

    /// ResourceNotFound: the process has no connection of that id.
    static Result<Console> open(const StartBlock& start, std::string_view id = kConsoleConnection);

    /// Writes `text` as it is, in pieces of at most 1024 bytes. While the driver's queue is full
    /// or the driver restarts it waits and tries again, 400 ms in all. Busy, NotConnected,
    /// SecurityDisallow.
    Status write(std::string_view text);

    /// Writes `text`, cut to 1022 bytes, and the end of the line, in one piece.
    Status write_line(std::string_view text);

    /// Waits for input and gives what there is, at most kReadBytes; 0 when others wrote meanwhile,
    /// so that a prompt may be shown again. Errors as Call; Busy: another reader took over.
    static constexpr u32 kReadBytes = drivers::Console::MaxShort;
    Result<u32> read(std::span<u8> room);

    /// All log lines of this process go to `console` from now on; it must live as long as the
    /// process.
    static void log_to(Console& console);

private:
    Status write_piece(std::string_view piece);

    drivers::Console::Proxy proxy_;
};

}  // namespace sdk
