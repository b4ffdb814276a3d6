// SPDX-License-Identifier: Apache-2.0
// Start of a program that has main(), and what it was given: arguments and channels. The start
// block stays mapped as long as the process lives, and ends each text with a zero.
#include <array>
#include <coresrv/sl/sl_api.h>
#include <runtime/process.hpp>

extern "C" int main(int argc, const char* argv[]);

namespace {

constexpr base::u32 kMaxArguments = 64;

constinit sdk::StartBlock start_block;

}  // namespace

base::s32 sdk::program_main(const StartBlock& start) {
    start_block = start;
    std::array<const char*, kMaxArguments + 2> arguments{};
    const u32 count =
        start.argument_count() < kMaxArguments ? start.argument_count() : kMaxArguments;
    arguments[0] = start.task().data();
    for (u32 i = 0; i < count; ++i) {
        arguments[i + 1] = start.argument(i).data();
    }
    return main(static_cast<int>(count + 1), arguments.data());
}

extern "C" {

Handle ServiceLocatorConnect(const char* channel) {
    const auto found = start_block.connection(channel);
    return found.ok() ? found.value() : INVALID_HANDLE;
}

Handle ServiceLocatorRegister(const char* channel,
                              const char* interfaces,
                              nk_size_t count,
                              ServiceId* id) {
    static_cast<void>(channel);
    static_cast<void>(interfaces);
    static_cast<void>(count);
    if (id != nullptr) {
        *id = 0;
    }
    return start_block.listener();
}
}
