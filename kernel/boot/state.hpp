// SPDX-License-Identifier: Apache-2.0
// The kernel's whole state as one object: typed pools, queues, tables. It lies in one block of RAM
// taken at start, so a snapshot is a copy of it. Folders reach their part through an accessor.
#pragma once

#include <kernel/control/service.hpp>
#include <kernel/diag/audit_ring.hpp>
#include <kernel/irq/lines.hpp>

namespace kernel {

struct State {
    FrameAllocator frames;
    ObjectPools objects;
    Scheduler scheduler;
    EndpointPools endpoints;
    Lines lines;
    AuditRing audit;
    Policy policy;
    control::SystemState system;
};

/// Makes `block` (sizeof(State) bytes) the kernel's state; for tests, again and again.
void create_state(void* block);

}  // namespace kernel
