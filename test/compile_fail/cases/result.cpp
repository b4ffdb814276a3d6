// SPDX-License-Identifier: Apache-2.0
// A Result cannot be dropped or taken for its value (kernel/base/result.hpp).
#include <kernel/base/fdt.hpp>
#include <kernel/base/result.hpp>

using namespace base;

Result<u32> compute();
Result<void> perform();
Result<u32&> find();

Result<u64> use() {
    TRY(perform());                         // instead: perform();
    static_cast<void>(compute().ok());      // instead: compute();
    TRY_VALUE(const u32 value, compute());  // instead: const u32 value = compute();
    TRY_VALUE(u32 & place, find());         // instead: TRY_VALUE(u32& place, compute() + find());
    const bool good = perform().ok();       // instead: const bool good = perform();
    const Status status = perform().status();     // instead: const Status status = 0;
    const s32 number = static_cast<s32>(status);  // instead: const s32 number = status;
    TRY(fdt::open({}));                           // instead: fdt::open({});
    return u64{value} + place + (good ? 1u : 0u) + (number == 0 ? 1u : 0u);
}
