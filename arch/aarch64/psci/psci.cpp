// SPDX-License-Identifier: Apache-2.0
#include <arch/aarch64/psci/psci.hpp>

extern "C" {
// psci/call.S
arch::u64 arch_hvc(arch::u64 function, arch::u64 a, arch::u64 b, arch::u64 c);
arch::u64 arch_smc(arch::u64 function, arch::u64 a, arch::u64 b, arch::u64 c);
}

namespace arch {

namespace {

constexpr u64 kCpuOff = 0x8400'0002;
constexpr u64 kCpuOn = 0xC400'0003;
constexpr u64 kSystemOff = 0x8400'0008;
constexpr u64 kSystemReset = 0x8400'0009;
constexpr u64 kPsciFeatures = 0x8400'000A;
constexpr u64 kSmcccVersion = 0x8000'0000;
constexpr u64 kArchFeatures = 0x8000'0001;
constexpr u64 kNotSupported = ~u64{0};

[[gnu::section(".sealed")]] constinit kernel::PsciConduit conduit = kernel::PsciConduit::None;

u64 call(u64 function, u64 a, u64 b, u64 c) {
    switch (conduit) {
    case kernel::PsciConduit::Hvc:
        return arch_hvc(function, a, b, c);
    case kernel::PsciConduit::Smc:
        return arch_smc(function, a, b, c);
    case kernel::PsciConduit::None:
        break;
    }
    return kNotSupported;
}

}  // namespace

void psci_start(kernel::PsciConduit chosen) { conduit = chosen; }

base::s32 firmware_feature(u64 function) {
    if (conduit != kernel::PsciConduit::Smc ||
        static_cast<base::s32>(call(kPsciFeatures, kSmcccVersion, 0, 0)) < 0) {
        return -1;
    }
    return static_cast<base::s32>(call(kArchFeatures, function, 0, 0));
}

bool psci_cpu_on(u64 mpidr, u64 entry) {
    // Results are 32-bit numbers; what the upper half holds after an SMC32 error is not defined.
    return static_cast<u32>(call(kCpuOn, mpidr, entry, 0)) == 0;
}

[[noreturn]] void stop_cpu() {
    stop_timer();
    while (true) {  // it returns only if the firmware refused
        static_cast<void>(call(kCpuOff, 0, 0, 0));
    }
}

void psci_system_off() { static_cast<void>(call(kSystemOff, 0, 0, 0)); }

void psci_system_reset() { static_cast<void>(call(kSystemReset, 0, 0, 0)); }

}  // namespace arch
