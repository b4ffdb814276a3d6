// SPDX-License-Identifier: Apache-2.0
// What ended a process, in words, from the syndrome that the kernel reports. Without blanks, to be
// values of log fields. [ARM] "ESR_EL1, Exception Syndrome Register (EL1)"
#pragma once

#include <kernel/base/types.hpp>
#include <runtime/field.hpp>
#include <string_view>

namespace svc::init {

/// ESR_EL1, as far as init reads it.
struct Syndrome {
    using Class = sdk::Field<26, 6>;
    using FaultStatus = sdk::Field<0, 6>;  // of aborts
};

/// The exception, as far as a program at EL0 can cause it.
constexpr std::string_view describe_fault(base::u32 syndrome) {
    switch (Syndrome::Class::get(syndrome)) {
    case 0x00:
        return "undefined-instruction";
    case 0x07:
        return "floating-point-access";
    case 0x0D:
        return "branch-target";
    case 0x15:
        return "unknown-system-call";
    case 0x18:
        return "system-register-access";
    case 0x1C:
        return "pointer-authentication";
    case 0x20:
        return "instruction-abort";
    case 0x22:
        return "pc-alignment";
    case 0x24:
        return "data-abort";
    case 0x26:
        return "stack-alignment";
    case 0x2C:
        return "floating-point-exception";
    case 0x2F:
        return "system-error";
    case 0x30:
    case 0x32:
    case 0x34:
    case 0x3C:
        return "breakpoint";
    default:
        return "unknown-exception";
    }
}

constexpr bool is_abort(base::u32 syndrome) {
    const auto exception = Syndrome::Class::get(syndrome);
    return exception == 0x20 || exception == 0x24;
}

/// Whether the fault concerns an address: that of an abort or of a misaligned program counter.
constexpr bool has_fault_address(base::u32 syndrome) {
    return is_abort(syndrome) || Syndrome::Class::get(syndrome) == 0x22;
}

/// Why an abort came; only for is_abort().
constexpr std::string_view describe_cause(base::u32 syndrome) {
    const auto status = Syndrome::FaultStatus::get(syndrome);
    if (status == 0x21) {
        return "alignment";
    }
    switch (status >> 2) {
    case 0:
        return "address-size";
    case 1:
        return "translation";  // nothing is mapped there
    case 2:
        return "access-flag";
    case 3:
        return "permission";
    default:
        return "external";  // the memory or the bus refused
    }
}

}  // namespace svc::init
