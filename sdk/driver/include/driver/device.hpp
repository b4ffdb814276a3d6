// SPDX-License-Identifier: Apache-2.0
// What a driver does with the handles of its device node before it starts working.
#pragma once

#include <kernel/base/mmio.hpp>
#include <kernel/base/result.hpp>
#include <runtime/start_block.hpp>

namespace sdk::driver {

using base::Result;
using base::u32;
using base::u64;

/// Maps register window `index` of `device`. ResourceNotFound: it has fewer. InvalidArgument: it is
/// smaller than `size` bytes. Otherwise as IO.MapMem.
Result<base::Mmio> map_registers(const Device& device, u32 index, u64 size);

/// Sends interrupt `index` of `device` to `listener` as tessera.Irq requests with `badge`, and
/// enables it. The line is silent until each request is answered. ResourceNotFound: it has fewer.
/// Otherwise as IO.AttachIrq and IO.EnableIrq.
Result<void> attach_interrupt(const Device& device, u32 index, u32 listener, u64 badge);

}  // namespace sdk::driver
