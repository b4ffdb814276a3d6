// SPDX-License-Identifier: Apache-2.0
// Sessions made of the kernel's objects. The buffer is memory for devices even where there is none:
// only that can be taken back from who has mapped it.
#pragma once

#include <services/block/sessions.hpp>

namespace svc::block {

/// Whether a device must find the memory: only then its address is asked for.
enum class Backing : u8 { Device, Memory };

/// Contiguous memory for devices, mapped.
struct Block {
    u32 handle = 0;
    std::span<u8> memory{};  ///< zeroed
    u64 device_address = 0;
};

/// 2^order pages. Errors: as IO.RegisterDma, VMM.MdlMap and IO.DmaGetPhysInfo.
base::Result<Block> allocate_block(u32 order, Backing backing);

class KernelSessions final : public Sessions {
public:
    /// Sessions are called at `endpoint` of `listener`.
    KernelSessions(u32 listener, u16 endpoint, Backing backing)
        : listener_(listener), endpoint_(endpoint), backing_(backing) {}

    base::Result<Session> make(u64 number) override;
    void end(const Session& session) override;

private:
    u32 listener_;
    u16 endpoint_;
    Backing backing_;
};

}  // namespace svc::block
