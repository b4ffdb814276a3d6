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

}  // namespace arch
