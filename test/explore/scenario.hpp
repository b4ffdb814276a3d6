// SPDX-License-Identifier: Apache-2.0
// The small systems that are explored, and how often what is rare may happen in each.
#pragma once

#include <kernel/base/types.hpp>
#include <string>
#include <vector>

namespace explore {

using base::u16;
using base::u32;
using base::u64;
using base::u8;

struct ProcessSpec {
    std::vector<u32> priorities;  ///< one thread each
    bool serves = false;          ///< receives on its name
    bool calls = false;           ///< has channels to all that serve
};

/// What may still happen; part of a state.
struct Limits {
    u8 ends = 1;      ///< processes or threads that exit, fault or are terminated
    u8 revokes = 1;   ///< of all channels
    u8 changes = 1;   ///< of the policy's mind about judged requests
    u8 timeouts = 1;  ///< moments at which the next deadline passes
    u8 raises = 1;    ///< interrupts of a device
    u8 slices = 1;    ///< ends of time slices
    u8 moves = 2;     ///< changes of priority and affinity, suspensions and joins
};

struct Scenario {
    std::string name;
    std::string about;
    std::vector<ProcessSpec> processes;
    Limits limits{};
    bool has_device = false;   ///< the first server's, with an interrupt line
    bool has_long = false;     ///< messages with arenas and handles, too
    bool has_changes = false;  ///< threads change their priority and affinity, too
    bool has_words = false;    ///< threads sleep, wait for words and wake each other, too
    bool has_sync = false;     ///< calls may name a sync object, which threads set and clear, too
    bool has_locks = false;    ///< threads lock, suspend, resume and join each other, too
    u32 cpus = 2;
    u32 depth = 9;  ///< by default
    u32 long_depth = 11;
};

const std::vector<Scenario>& scenarios();

}  // namespace explore
