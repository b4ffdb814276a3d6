// SPDX-License-Identifier: Apache-2.0
// Random walks through a small system on the kernel's own code: each byte of the input chooses one
// of the steps that can happen (test/explore), which are checked as in the exhaustive search.
#include <cstdio>
#include <cstdlib>
#include <test/explore/world.hpp>

namespace {

/// All that can happen, many times.
const explore::Scenario& everything() {
    static const explore::Scenario scenario{
        .name = "everything",
        .about = "two processes with two threads each that call each other, and a device",
        .processes = {{{110, 100}, true, true}, {{120, 100}, true, true}},
        .limits = {.ends = 2,
                   .revokes = 1,
                   .changes = 255,
                   .timeouts = 255,
                   .raises = 255,
                   .slices = 255,
                   .moves = 255},
        .has_device = true,
        .has_long = true,
        .has_changes = true,
        .has_words = true};
    return scenario;
}

/// Takes the steps that the input chooses; with `is_shown`, each is printed before.
void walk(explore::World& world, std::span<const std::uint8_t> choices, bool is_shown) {
    static std::vector<explore::Step> steps;
    world.restart();
    for (const std::uint8_t choice : choices) {
        steps.clear();
        world.find_steps(steps);
        if (steps.empty()) {
            break;
        }
        const explore::Step step = steps[choice % steps.size()];
        if (is_shown) {
            std::fprintf(stderr, "%s\n", world.describe(step).c_str());
        }
        world.take(step);
        world.check();
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static explore::World world{everything()};
    try {
        walk(world, {data, size}, false);
    } catch (const explore::Violation&) {
        try {
            walk(world, {data, size}, true);
        } catch (const explore::Violation& violation) {
            std::fprintf(stderr, "%s\n", violation.what.c_str());
            std::abort();
        }
    }
    return 0;
}
