// SPDX-License-Identifier: Apache-2.0
#include <kernel/boot/state.hpp>
#include <kernel/sync/kernel_lock.hpp>
#include <new>

namespace kernel {

namespace {

[[gnu::section(".sealed")]] constinit State* g_state = nullptr;

}  // namespace

constinit KernelLock g_kernel_lock{};

[[gnu::section(".sealed")]] constinit Parts g_parts{};

void create_state(void* block) { use_state(*::new (block) State{}); }

void use_state(State& state) {
    g_state = &state;
    g_parts = {.frames = &state.frames,
               .objects = &state.objects,
               .scheduler = &state.scheduler,
               .endpoints = &state.endpoints,
               .lines = &state.lines,
               .audit = &state.audit,
               .policy = &state.policy,
               .system = &state.system};
}

State& current_state() { return *g_state; }

Endpoint* find_endpoint(const char* name) {
    for (u32 i = 0; i < kMaxEndpoints; ++i) {
        Endpoint* endpoint = g_state->endpoints.endpoints.find(i);
        if (endpoint != nullptr && is_same_name(endpoint->name, name)) {
            return endpoint;
        }
    }
    return nullptr;
}

}  // namespace kernel
