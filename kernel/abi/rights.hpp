// SPDX-License-Identifier: Apache-2.0
// Rights carried by a handle. The low half is common to every object, the high half belongs to the
// object's type. A copy or a transfer can only take bits away.
#pragma once

#include <kernel/base/types.hpp>

namespace abi::rights {

inline constexpr base::u32 kTransfer = 1u << 0;  ///< may travel in a message
inline constexpr base::u32 kCopy = 1u << 1;      ///< may be duplicated
inline constexpr base::u32 kGetSid = 1u << 2;    ///< may be asked for its SID
inline constexpr base::u32 kNotify = 1u << 3;    ///< may be subscribed to
inline constexpr base::u32 kRevoke = 1u << 4;    ///< may revoke what was derived from it
inline constexpr base::u32 kSetEvent = 1u << 5;  ///< may raise events of the object

inline constexpr base::u32 kCall = 1u << 16;      ///< client handle: Call
inline constexpr base::u32 kRecv = 1u << 16;      ///< listener: Recv
inline constexpr base::u32 kRead = 1u << 16;      ///< memory object, MMIO: map readable
inline constexpr base::u32 kWrite = 1u << 17;     ///< memory object, MMIO: map writable
inline constexpr base::u32 kExecute = 1u << 18;   ///< memory object: map executable
inline constexpr base::u32 kPhysical = 1u << 19;  ///< DMA memory: tell where it is
inline constexpr base::u32 kControl = 1u << 16;   ///< task, thread: start, stop, configure
inline constexpr base::u32 kAttach = 1u << 16;    ///< interrupt line: attach and enable

inline constexpr base::u32 kAll = 0xFFFF'FFFF;

/// No right: in a received descriptor, the object is the receiver's own. Then `handle` is the one
/// that it made the object with, and `badge` the context.
inline constexpr base::u32 kOwnObject = 1u << 31;

}  // namespace abi::rights
