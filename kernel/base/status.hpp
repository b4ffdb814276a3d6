// SPDX-License-Identifier: Apache-2.0
// What a system call or a kernel method answers. The names are those of the platform whose sources
// we build (rcOk, rcNotConnected, ...); the sign bit marks an error, so 0 alone is success.
#pragma once

#include <kernel/base/types.hpp>

namespace base {

/// Results of Call, Recv, Reply and of every `Retcode rc` of kl.core.*.
enum class Status : s32 {
    Ok = 0,
    Fail = -0x7fff'0001,              ///< no better code
    InvalidArgument = -0x7fff'0002,   ///< malformed or out of range
    NotConnected = -0x7fff'0003,      ///< server dead, not started, or in a new life
    OutOfMemory = -0x7fff'0004,       ///< the process's budget or a kernel pool is used up
    BufferTooSmall = -0x7fff'0005,    ///< receive buffer below the interface's maximum
    BufferTooLarge = -0x7fff'0006,    ///< message above a limit
    InternalError = -0x7fff'0007,     ///< never expected
    SourceFault = -0x7fff'0008,       ///< caller's buffer unreadable or not ordinary memory
    TargetFault = -0x7fff'0009,       ///< peer's buffer went bad during the transfer
    IpcInterrupt = -0x7fff'000a,      ///< a sync object ended the wait
    BadHandle = -0x7fff'000b,         ///< closed, stale or never valid
    WrongType = -0x7fff'000c,         ///< the handle names another kind of object
    NoCapability = -0x7fff'000d,      ///< the handle lacks the right
    NotReady = -0x7fff'000e,          ///< object is not in the state the operation needs
    Unimplemented = -0x7fff'000f,     ///< no such method
    Busy = -0x7fff'0010,              ///< taken by somebody else
    ResourceNotFound = -0x7fff'0011,  ///< no such name
    Timeout = -0x7fff'0012,           ///< the deadline passed
    SecurityDisallow = -0x7fff'0013,  ///< ksec did not grant
    AlreadyExists = -0x7fff'0014,     ///< name or mapping is taken
    Deadlock = -0x7fff'0015,          ///< the wait would close a cycle or a chain longer than 16
    StaleToken = -0x7fff'0016,        ///< Reply: the call is over (timeout, death, second reply)
    HandleRevoked = -0x7fff'0017,     ///< an ancestor of the handle was revoked
    BadCall = -0x7fff'0018,           ///< tag with contradictory or unknown bits
};

}  // namespace base
