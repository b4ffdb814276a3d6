// SPDX-License-Identifier: Apache-2.0
// What the server needs of the kernel for each session, apart from messages: the object that the
// client calls, the badge that tells of its end, the buffer. A seam, so that the server runs on
// the host.
#pragma once

#include <kernel/base/result.hpp>
#include <services/block/disk.hpp>

namespace svc::block {

inline constexpr u32 kBufferBytes = 256u << 10;

/// Numbers of sessions have this bit. On the driver's channels, where anybody may ask for anything,
/// the badge is the SID of a process, and no SID ever comes as far.
inline constexpr u64 kSessionBit = u64{1} << 63;

/// Handles of this process, to be handed on.
struct Session {
    u32 object = 0;  ///< callable; requests through it have the session's number as their badge
    u32 badge = 0;   ///< to mark what the client gets of `object`
    u32 buffer = 0;
    std::span<u8> memory{};  ///< the buffer, mapped and zeroed
    u64 device_address = 0;  ///< of the buffer
};

class Sessions {
public:
    /// `number` comes as the badge of requests, and of the event that the client's last handle is
    /// closed. OutOfMemory, SecurityDisallow: as the kernel's calls.
    virtual base::Result<Session> make(u64 number) = 0;

    /// Takes back everything that was handed on, and frees the buffer: clients that have it mapped
    /// find it gone.
    virtual void end(const Session& session) = 0;

protected:
    ~Sessions() = default;
};

}  // namespace svc::block
