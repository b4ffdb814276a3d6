// SPDX-License-Identifier: Apache-2.0
// The vocabulary of namespace base that the kernel uses by its short names.
#pragma once

#include <kernel/base/result.hpp>
#include <kernel/base/types.hpp>

namespace kernel {

using base::Bytes;
using base::PageCount;
using base::PhysAddr;
using base::Result;
using base::Sid;
using base::Status;
using base::u16;
using base::u32;
using base::u64;
using base::u8;
using base::UserAddr;
using base::VirtAddr;

}  // namespace kernel
