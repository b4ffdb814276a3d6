// SPDX-License-Identifier: Apache-2.0
#include <kernel/boot/state.hpp>
#include <kernel/sync/kernel_lock.hpp>
#include <new>

namespace kernel {

constinit KernelLock g_kernel_lock{};

[[gnu::section(".sealed")]] constinit Parts g_parts{};

void create_state(void* block) {
    State& state = *::new (block) State{};
    g_parts = {.frames = &state.frames,
               .objects = &state.objects,
               .scheduler = &state.scheduler,
               .endpoints = &state.endpoints,
               .lines = &state.lines,
               .audit = &state.audit,
               .policy = &state.policy,
               .system = &state.system};
}

Endpoint* find_endpoint(const char* name) {
    for (u32 i = 0; i < kMaxEndpoints; ++i) {
        Endpoint* endpoint = endpoints().endpoints.find(i);
        if (endpoint != nullptr && is_same_name(endpoint->name, name)) {
            return endpoint;
        }
    }
    return nullptr;
}

}  // namespace kernel
