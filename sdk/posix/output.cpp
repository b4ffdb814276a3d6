// SPDX-License-Identifier: Apache-2.0
// The descriptors that every process begins with: 0, an input that is empty, 1 and 2, lines for the
// console that the process is connected to, or for the kernel's log. A line goes out whole, when it
// ends, when the buffer is full or when the process ends, so that lines of different processes do
// not mix; so the lock is kept for the call of the console.
#include <musl_errno.h>
#include <runtime/console.hpp>
#include <runtime/process.hpp>
#include <sdk/posix/descriptors.hpp>
#include <sdk/posix/groups.hpp>

namespace sdk::posix {

namespace {

constexpr u64 kLineBytes = 252;
constexpr u64 kStreams = 2;
constexpr u64 kWindowSize = 0x5413;  // TIOCGWINSZ
constexpr u32 kInputMode = mode::kCharacters | 0444;
constexpr u32 kOutputMode = mode::kCharacters | 0222;
// Numbers of devices, as others number them: null, and a console.
constexpr u64 kNullDevice = 0x103;
constexpr u64 kConsoleDevice = 0x501;

struct Stream {
    char line[kLineBytes];
    u64 size;
};

constinit Stream streams[kStreams]{};
constinit u32 console_handle = 0;  // 0: none
constinit Lock lock;

void emit(Stream& stream) {
    const std::string_view line{stream.line, stream.size};
    stream.size = 0;
    if (console_handle == 0 || Console{console_handle}.write_line(line) != Status::Ok) {
        debug_write(line);
    }
}

void put(Stream& stream, std::string_view text) {
    for (const char character : text) {
        if (character == '\n') {
            emit(stream);
            continue;
        }
        if (stream.size == kLineBytes) {
            emit(stream);
        }
        stream.line[stream.size++] = character;
    }
}

class EmptyInput final : public Kind {
public:
    s64 read(Description&, const Transfer&) const override { return 0; }

    s64 tell_status(Description&, FileStatus& status) const override {
        status.mode = kInputMode;
        status.links = 1;
        status.special_device = kNullDevice;
        return 0;
    }
};

/// `object` of a description is the number of its stream.
class Output final : public Kind {
public:
    s64 write(Description& description, const Transfer& transfer) const override {
        const Holder holder{lock};
        for (u64 i = 0; i < transfer.count; ++i) {
            put(streams[description.object], {transfer.parts[i].data, transfer.parts[i].size});
        }
        return static_cast<s64>(transfer.total);
    }

    /// A window of unknown size: what musl asks to know whether to write line by line.
    s64 control(Description&, u64 request, u64 argument) const override {
        if (request != kWindowSize) {
            return -ENOTTY;
        }
        *pointer<u64>(argument) = 0;
        return 0;
    }

    s64 tell_status(Description&, FileStatus& status) const override {
        status.mode = kOutputMode;
        status.links = 1;
        status.special_device = kConsoleDevice;
        return 0;
    }

    u32 readiness(Description&) const override { return poll_flag::kOut; }
};

constinit const EmptyInput empty_input;
constinit const Output output;

}  // namespace

void open_output(const StartBlock& start) {
    const auto connection = start.connection(kConsoleConnection);
    console_handle = connection.ok() ? connection.value() : 0;
    (void)open_descriptor(empty_input, open_flag::kReadOnly, 0);
    for (u64 i = 0; i < kStreams; ++i) {
        (void)open_descriptor(output, open_flag::kWriteOnly, i);
    }
}

void flush_output() {
    const Holder holder{lock};
    for (Stream& stream : streams) {
        if (stream.size != 0) {
            emit(stream);
        }
    }
}

}  // namespace sdk::posix
