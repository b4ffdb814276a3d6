// SPDX-License-Identifier: Apache-2.0
#include <arch/aarch64/cpu/console.hpp>
#include <platform/board.hpp>

namespace arch {

namespace {

constexpr u32 kMaxFailures = 4;

struct State {
    u64 window = 0;
    u32 failures = 0;  // in a row; a console that stays stuck is given up
};

constinit State state;

bool put(char character) {
    if (platform::console_put(state.window, character)) {
        state.failures = 0;
        return true;
    }
    state.failures++;
    return false;
}

}  // namespace

void console_start(u64 window) { state = {.window = window}; }

void console_write(const char* text, u64 length) {
    if (state.window == 0 || state.failures >= kMaxFailures) {
        return;
    }
    for (u64 i = 0; i < length; i++) {
        if ((text[i] == '\n' && !put('\r')) || !put(text[i])) {
            return;  // the rest is lost; waiting longer would hold the kernel
        }
    }
}

void console_print(const char* text) { console_write(text, __builtin_strlen(text)); }

void console_print_hex(u64 number) {
    char digits[18] = {'0', 'x'};
    u32 length = 2;
    for (u32 shift = 64; shift != 0; shift -= 4) {
        const u64 digit = (number >> (shift - 4)) & 0xF;
        if (digit != 0 || length > 2 || shift == 4) {
            digits[length++] = "0123456789abcdef"[digit];
        }
    }
    console_write(digits, length);
}

}  // namespace arch
