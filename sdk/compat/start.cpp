// SPDX-License-Identifier: Apache-2.0
// Start of a program that has main(). The start block stays mapped as long as the process lives,
// and ends each text with a zero.
#include <array>
#include <runtime/process.hpp>
#include <sdk/compat/locator.hpp>

extern "C" int main(int argc, const char* argv[]);

namespace {

constexpr base::u32 kMaxArguments = 64;

}  // namespace

base::s32 sdk::program_main(const StartBlock& start) {
    compat::set_surroundings(start);
    std::array<const char*, kMaxArguments + 2> arguments{};
    const u32 count =
        start.argument_count() < kMaxArguments ? start.argument_count() : kMaxArguments;
    arguments[0] = start.program().data();
    for (u32 i = 0; i < count; ++i) {
        arguments[i + 1] = start.argument(i).data();
    }
    return main(static_cast<int>(count + 1), arguments.data());
}
