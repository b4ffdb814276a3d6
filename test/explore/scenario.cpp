// SPDX-License-Identifier: Apache-2.0
#include "scenario.hpp"

namespace explore {

const std::vector<Scenario>& scenarios() {
    static const std::vector<Scenario> all = {
        {.name = "queue",
         .about = "two equal clients of one server",
         .processes = {{{100, 100}, false, true}, {{100}, true, false}},
         .depth = 9,
         .long_depth = 13},
        {.name = "pool",
         .about = "one client, two threads that receive on one name",
         .processes = {{{100}, false, true}, {{100, 100}, true, false}},
         .depth = 9,
         .long_depth = 14},
        {.name = "mutual",
         .about = "two processes that call each other, one of them with two threads",
         .processes = {{{100, 100}, true, true}, {{100}, true, true}},
         .limits = {.revokes = 0, .changes = 0, .raises = 0, .slices = 0},
         .depth = 8,
         .long_depth = 13},
        {.name = "donation",
         .about = "a weak, a middle and a strong thread: who waits raises whom it waits for",
         .processes = {{{90, 110}, false, true}, {{100}, true, false}},
         .limits = {.revokes = 0, .changes = 0, .raises = 0},
         .depth = 11,
         .long_depth = 17},
        {.name = "driver",
         .about = "a device, its driver, and a client of the driver",
         .processes = {{{100}, false, true}, {{120}, true, false}},
         .limits = {.revokes = 0, .raises = 2},
         .has_device = true,
         .depth = 11,
         .long_depth = 17},
        {.name = "long",
         .about = "messages that are copied in steps, with handles, while either side ends",
         .processes = {{{100, 100}, false, true}, {{100}, true, false}},
         .limits = {.revokes = 0, .changes = 0, .slices = 0},
         .has_long = true,
         .depth = 9,
         .long_depth = 12},
        {.name = "crowd",
         .about = "two weak and two strong threads, and copies that one of them ends",
         .processes = {{{110, 100}, false, true}, {{120, 100}, true, false}},
         .limits = {.revokes = 0, .changes = 0, .raises = 0, .slices = 0},
         .has_long = true,
         .depth = 7,
         .long_depth = 13},
        {.name = "teardown",
         .about = "two processes that end, to the last frame, on one CPU",
         .processes = {{{100}, false, true}, {{100}, true, false}},
         .limits = {.ends = 2, .changes = 0, .timeouts = 0, .raises = 1, .slices = 0},
         .has_device = true,
         .has_long = true,
         .cpus = 1,
         .depth = 30,
         .long_depth = 1000},
    };
    return all;
}

}  // namespace explore
