// SPDX-License-Identifier: Apache-2.0
// Proxies of the kernel's interfaces, made where they are used: they are two words.
#pragma once

#include <kl/core/Core.endpoints.hpp>
#include <kl/core/HAL.client.hpp>
#include <kl/core/Handle.client.hpp>
#include <kl/core/Notice.client.hpp>
#include <kl/core/Sync.client.hpp>
#include <kl/core/Task.client.hpp>
#include <kl/core/Thread.client.hpp>
#include <kl/core/Time.client.hpp>
#include <kl/core/VMM.client.hpp>
#include <runtime/ipc.hpp>

namespace sdk::posix {

inline kl::core::VMM::Proxy vmm() { return {kKernelHandle, kl::core::Core::endpoint::vmm_VMM}; }

inline kl::core::Sync::Proxy sync() { return {kKernelHandle, kl::core::Core::endpoint::sync_Sync}; }

inline kl::core::Thread::Proxy threads() {
    return {kKernelHandle, kl::core::Core::endpoint::thread_Thread};
}

inline kl::core::Task::Proxy tasks() {
    return {kKernelHandle, kl::core::Core::endpoint::task_Task};
}

inline kl::core::HAL::Proxy hal() { return {kKernelHandle, kl::core::Core::endpoint::hal_HAL}; }

inline kl::core::Handle::Proxy handles() {
    return {kKernelHandle, kl::core::Core::endpoint::handle_Handle};
}

inline kl::core::Time::Proxy times() {
    return {kKernelHandle, kl::core::Core::endpoint::time_Time};
}

inline kl::core::Notice::Proxy notices() {
    return {kKernelHandle, kl::core::Core::endpoint::notice_Notice};
}

}  // namespace sdk::posix
