// SPDX-License-Identifier: Apache-2.0
#include <kernel/base/names.hpp>
#include <kernel/diag/log.hpp>
#include <kernel/diag/panic.hpp>
#include <kernel/hal/machine.hpp>

namespace kernel {

namespace {

void write(const char* text) { arch::console_write(text, __builtin_strlen(text)); }

void write_number(u64 number, u32 radix) {
    char digits[20];
    u32 at = sizeof(digits);
    do {
        digits[--at] = "0123456789abcdef"[number % radix];
        number /= radix;
    } while (number != 0);
    arch::console_write(digits + at, sizeof(digits) - at);
}

void write_hex(u64 number) {
    write("0x");
    write_number(number, 16);
}

void write_record(const PanicRecord& record) {
    write("\npanic: ");
    write(record.reason);
    write(" vector=");
    write_number(record.vector, 10);
    write(" syndrome=");
    write_hex(record.syndrome);
    write(" address=");
    write_hex(record.address);
    write(" pc=");
    write_hex(record.pc);
    write("\nbacktrace:");
    for (u32 i = 0; i < record.frame_count; ++i) {
        write(" ");
        write_hex(record.frames[i]);
    }
    write("\n");
}

/// Follows frame pointers while they stay inside the kernel half and climb.
u32 walk_frames(u64 frame_pointer, u64 (&frames)[kPanicFrames]) {
    constexpr u64 kKernelHalf = u64{1} << 63;
    constexpr u64 kLargestFrame = 16384;
    u32 count = 0;
    while (count < kPanicFrames && frame_pointer >= kKernelHalf && frame_pointer % 16 == 0) {
        const auto* link = reinterpret_cast<const u64*>(frame_pointer);
        frames[count++] = arch::as_linked(link[1]);
        if (link[0] <= frame_pointer || link[0] - frame_pointer > kLargestFrame) {
            break;
        }
        frame_pointer = link[0];
    }
    return count;
}

}  // namespace

/// At a fixed symbol, for debuggers, test runners and the next boot.
constinit PanicRecord g_panic_record{};

void log_line(const char* text, const char* word) {
    write(text);
    write(word);
    write("\n");
}

void log_line(const char* text, u64 number) {
    write(text);
    if (number < (u64{1} << 32)) {
        write_number(number, 10);
    } else {
        write_hex(number);
    }
    write("\n");
}

[[noreturn]] void panic(const char* reason, const PanicRecord& details, u64 frame_pointer) {
    g_panic_record = details;
    g_panic_record.magic = kPanicMagic;
    g_panic_record.pc = arch::as_linked(details.pc);
    g_panic_record.reason = reason;
    g_panic_record.frame_count = walk_frames(frame_pointer, g_panic_record.frames);
    write_record(g_panic_record);
    arch::power_off(kPanicExitCode);
}

}  // namespace kernel

[[noreturn]] void base::assert_failed(const char* condition, const char* file, base::u32 line) {
    kernel::PanicRecord record{};
    record.address = line;
    record.pc = reinterpret_cast<base::u64>(__builtin_return_address(0));
    kernel::log_line("\nassert: ", condition);
    kernel::log_line("assert: file=", file);
    kernel::panic("assertion", record, reinterpret_cast<base::u64>(__builtin_frame_address(0)));
}

extern "C" [[noreturn]] void kernel_stop(base::u64 vector,
                                         base::u64 syndrome,
                                         base::u64 address,
                                         base::u64 pc,
                                         base::u64 frame_pointer) {
    kernel::PanicRecord record{};
    record.vector = vector;
    record.syndrome = syndrome;
    record.address = address;
    record.pc = pc;
    kernel::panic("exception", record, frame_pointer);
}
