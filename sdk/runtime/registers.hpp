// SPDX-License-Identifier: Apache-2.0
// The argument registers of a system call as a block of memory, in the order of svc.S: neighbours
// that one LDP or STP moves stand together.
#pragma once

#include <cstddef>
#include <kernel/base/types.hpp>
#include <sdk/runtime/registers.h>

namespace sdk {

struct Registers {
    base::u64 x0 = 0;
    base::u64 x2 = 0;
    base::u64 x3 = 0;
    base::u64 x4 = 0;
    base::u64 x5 = 0;
    base::u64 x6 = 0;
    base::u64 x7 = 0;
    base::u64 x9 = 0;
    base::u64 words[6]{};  // x10..x15
    base::u64 x18 = 0;
    base::u64 x1 = 0;  // received only
};

static_assert(offsetof(Registers, x0) == REGISTERS_X0);
static_assert(offsetof(Registers, x3) == REGISTERS_X3);
static_assert(offsetof(Registers, x5) == REGISTERS_X5);
static_assert(offsetof(Registers, x7) == REGISTERS_X7);
static_assert(offsetof(Registers, x9) == REGISTERS_X9);
static_assert(offsetof(Registers, words[0]) == REGISTERS_X10);
static_assert(offsetof(Registers, words[2]) == REGISTERS_X12);
static_assert(offsetof(Registers, words[4]) == REGISTERS_X14);
static_assert(offsetof(Registers, x18) == REGISTERS_X18);
static_assert(sizeof(Registers) == REGISTERS_SIZE);

/// Defined in svc.S: performs the system call with the block's registers and stores the results.
extern "C" void sdk_svc_call(Registers* registers);
extern "C" void sdk_svc_receive(Registers* registers);
extern "C" void sdk_svc_reply(Registers* registers);

}  // namespace sdk
