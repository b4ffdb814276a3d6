// SPDX-License-Identifier: Apache-2.0
// Standard output and error without files: lines for the console that the process is connected to,
// or for the kernel's log. A line goes out whole, when it ends, when the buffer is full or when the
// process ends, so that lines of different processes do not mix. Standard input is empty.
#include <musl_errno.h>
#include <runtime/console.hpp>
#include <runtime/process.hpp>
#include <sdk/posix/groups.hpp>
#include <sdk/posix/record.hpp>

namespace sdk::posix {

namespace {

constexpr u64 kInput = 0;
constexpr u64 kError = 2;
constexpr u64 kLineBytes = 252;
constexpr u64 kWindowSize = 0x5413;  // TIOCGWINSZ
constexpr u64 kMostParts = 1024;     // IOV_MAX

struct Part {
    const char* data;
    u64 size;
};

struct Stream {
    char line[kLineBytes];
    u64 size;
};

constinit Stream streams[kError + 1]{};
constinit u32 console_handle = 0;  // 0: none
constinit u32 lock = 0;            // 0 free, 1 taken, 2 taken and awaited

/// For the buffers; nobody ends or is cancelled while it has this.
class Holder final {
public:
    Holder() {
        u32 seen = 0;
        if (__atomic_compare_exchange_n(
                &lock, &seen, 1U, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED)) {
            return;
        }
        while (__atomic_exchange_n(&lock, 2U, __ATOMIC_ACQUIRE) != 0) {
            (void)wait_for(__builtin_bit_cast(u64, &lock), 2, 0, nullptr);
        }
    }

    ~Holder() {
        if (__atomic_exchange_n(&lock, 0U, __ATOMIC_RELEASE) == 2) {
            (void)wake(__builtin_bit_cast(u64, &lock), 1);
        }
    }

    Holder(const Holder&) = delete;
    Holder& operator=(const Holder&) = delete;
};

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

bool is_output(u64 descriptor) { return descriptor != kInput && descriptor <= kError; }

}  // namespace

void open_output(const StartBlock& start) {
    const auto connection = start.connection(kConsoleConnection);
    console_handle = connection.ok() ? connection.value() : 0;
}

void flush_output() {
    const Holder holder;
    for (Stream& stream : streams) {
        if (stream.size != 0) {
            emit(stream);
        }
    }
}

s64 write(const Call& call) {
    if (!is_output(call.word[0])) {
        return -EBADF;
    }
    const Holder holder;
    put(streams[call.word[0]], {pointer<const char>(call.word[1]), call.word[2]});
    return static_cast<s64>(call.word[2]);
}

s64 write_vector(const Call& call) {
    if (!is_output(call.word[0])) {
        return -EBADF;
    }
    if (call.word[2] > kMostParts) {
        return -EINVAL;
    }
    const Holder holder;
    const auto* parts = pointer<const Part>(call.word[1]);
    u64 total = 0;
    for (u64 i = 0; i < call.word[2]; ++i) {
        put(streams[call.word[0]], {parts[i].data, parts[i].size});
        total += parts[i].size;
    }
    return static_cast<s64>(total);
}

s64 read(const Call& call) { return call.word[0] == kInput ? 0 : -EBADF; }

s64 read_vector(const Call& call) { return read(call); }

/// A window of unknown size: what musl asks to know whether to write line by line.
s64 control_device(const Call& call) {
    if (call.word[0] > kError) {
        return -EBADF;
    }
    if (call.word[1] != kWindowSize || call.word[0] == kInput) {
        return -ENOTTY;
    }
    *pointer<u64>(call.word[2]) = 0;
    return 0;
}

s64 seek(const Call& call) { return call.word[0] <= kError ? -ESPIPE : -EBADF; }

s64 close(const Call& call) { return call.word[0] <= kError ? 0 : -EBADF; }

}  // namespace sdk::posix
