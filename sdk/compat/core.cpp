// SPDX-License-Identifier: Apache-2.0
// Functions that the kernel answers, by way of its interfaces.
#include <coresrv/handle/handle_api.h>
#include <coresrv/nk/transport-kos-security.h>
#include <kl/core/Core.endpoints.hpp>
#include <kl/core/Handle.client.hpp>
#include <kl/core/Time.client.hpp>
#include <sdk/compat/status.hpp>

namespace {

constexpr base::u64 kNanosecondsPerSecond = 1'000'000'000;

kl::core::Handle::Proxy handles() {
    return {sdk::kKernelHandle, kl::core::Core::endpoint::handle_Handle};
}

}  // namespace

extern "C" {

nk_err_t NkKosSecurityTransport_Init(NkKosSecurityTransport* transport,
                                     void* buffer,
                                     nk_size_t buffer_size) {
    auto kernel = handles();
    const auto connected = kernel.SecurityConnect();
    NkKosTransport_Init(transport, connected.value().channel, buffer, buffer_size);
    return sdk::compat::error_of(connected.status());
}

Retcode KnHandleClose(Handle handle) {
    auto kernel = handles();
    return sdk::compat::retcode_of(kernel.Close(handle).status());
}

Retcode KnHandleRevoke(Handle handle) {
    auto kernel = handles();
    return sdk::compat::retcode_of(kernel.Revoke(handle).status());
}

Retcode KnGetSystemTime(RtlTimeSpec* time) {
    kl::core::Time::Proxy clock{sdk::kKernelHandle, kl::core::Core::endpoint::time_Time};
    const auto now = clock.GetSystemTime();
    time->sec = now.value().nanoseconds / kNanosecondsPerSecond;
    time->nsec = now.value().nanoseconds % kNanosecondsPerSecond;
    return sdk::compat::retcode_of(now.status());
}
}
