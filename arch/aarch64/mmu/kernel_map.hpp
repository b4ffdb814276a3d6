// SPDX-License-Identifier: Apache-2.0
// The kernel's half of the address space, built at start and left alone afterwards:
//
//   kLinearBase  all RAM, writable, never executable, without the image's own frames
//   kKernelBase  the image: code read-execute, constants read, data read-write, guards not mapped
//   kKsecBase    the verdict module, page by page (map_kernel_page)
//   kDeviceBase  windows for the devices of the kernel, and for looking at memory before the
//                linear map exists
//
// All tables come from a pool inside the image, so that no RAM is needed to map RAM. Only the
// first CPU uses this, before the others run.
#pragma once

#include <kernel/hal/machine.hpp>

namespace arch {

inline constexpr u64 kLinearLimit = u64{1} << 38;  ///< RAM beyond is not used
inline constexpr u64 kDeviceBase = 0xFFFF'FFC0'8000'0000;
inline constexpr u64 kDeviceLimit = 0xFFFF'FFC0'C000'0000;

/// Tells where the image was loaded. Before all else.
void kernel_map_start(PhysAddr image);

/// Maps [from, from + size) of physical memory at `at` with the largest blocks that fit; all three
/// are page aligned. OutOfMemory: the pool is used up. AlreadyExists.
Result<void> kernel_map_range(VirtAddr at, PhysAddr from, Bytes size, Access access);

/// Maps the pages around a device's registers, uncached. Returns the address of `base`.
/// OutOfMemory: no room for a window, or no table.
Result<u64> kernel_map_device(PhysAddr base, Bytes size);

/// Maps the pages around memory, readable and cached, for a look before the linear map exists.
/// Returns the address of `base`. OutOfMemory.
Result<u64> kernel_map_view(PhysAddr base, Bytes size);

/// Adds RAM to the linear map, leaving out what the image occupies. Page aligned, below
/// kLinearLimit. OutOfMemory.
Result<void> kernel_map_ram(PhysAddr base, Bytes size);

/// Physical address of something inside the image.
PhysAddr image_physical(const void* inside_image);

/// The image itself, without payload.
PhysAddr image_base();
Bytes image_size();

}  // namespace arch
