// SPDX-License-Identifier: Apache-2.0
// Where the parts of the kernel's state are. Each part's header turns its pointer into an inline
// accessor, since the hottest paths ask often; create_state() sets them.
#pragma once

namespace kernel {

class FrameAllocator;
struct ObjectPools;
class Scheduler;
struct EndpointPools;
class Lines;
class AuditRing;
struct Policy;

namespace control {
struct SystemState;
}

struct Parts {
    FrameAllocator* frames;
    ObjectPools* objects;
    Scheduler* scheduler;
    EndpointPools* endpoints;
    Lines* lines;
    AuditRing* audit;
    Policy* policy;
    control::SystemState* system;
};

extern Parts g_parts;

}  // namespace kernel
