// SPDX-License-Identifier: Apache-2.0
#include <kernel/boot/state.hpp>
#include <kernel/sync/kernel_lock.hpp>
#include <new>

namespace kernel {

namespace {

constinit State* g_state = nullptr;

}  // namespace

constinit KernelLock g_kernel_lock{};

void create_state(void* block) { g_state = ::new (block) State{}; }

void use_state(State& state) { g_state = &state; }

State& current_state() { return *g_state; }

FrameAllocator& frames() { return g_state->frames; }

ObjectPools& objects() { return g_state->objects; }

Scheduler& scheduler() { return g_state->scheduler; }

EndpointPools& endpoints() { return g_state->endpoints; }

Lines& lines() { return g_state->lines; }

AuditRing& audit_ring() { return g_state->audit; }

Policy& policy() { return g_state->policy; }

control::SystemState& control::system_state() { return g_state->system; }

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
