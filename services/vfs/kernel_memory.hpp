// SPDX-License-Identifier: Apache-2.0
// The kernel's side of sessions: a client's memory, mapped here, and a handle whose end tells that
// the client has ended.
#pragma once

#include <kl/core/Core.endpoints.hpp>
#include <kl/core/Handle.client.hpp>
#include <kl/core/IO.client.hpp>
#include <kl/core/VMM.client.hpp>
#include <services/vfs/service.hpp>

namespace svc::vfs {

class KernelMemory final : public Memory {
public:
    /// Ends of clients are told to `listener`, this process's.
    explicit KernelMemory(u32 listener) : listener_(listener) {}

    Result<std::span<u8>> map(u32 handle, u64 size) override;
    void unmap(std::span<u8> memory) override;
    Result<abi::HandleDescriptor> make_session(u64 sid) override;
    void end_session(u64 sid) override;

private:
    struct Badge {
        u64 sid = 0;  ///< 0: free
        u32 handle = 0;
    };

    static kl::core::Handle::Proxy handles() {
        return {sdk::kKernelHandle, kl::core::Core::endpoint::handle_Handle};
    }

    static kl::core::IO::Proxy devices() {
        return {sdk::kKernelHandle, kl::core::Core::endpoint::io_IO};
    }

    static kl::core::VMM::Proxy memory() {
        return {sdk::kKernelHandle, kl::core::Core::endpoint::vmm_VMM};
    }

    u32 listener_;
    u32 object_ = 0;  ///< what all session handles name; 0: not made yet
    Badge badges_[Vfs::kMaxSessions]{};
};

}  // namespace svc::vfs
