// SPDX-License-Identifier: Apache-2.0
// The loop of a server process over what idlc generates for its class.
#pragma once

#include <coresrv/nk/transport-kos.h>

/// A server: how requests for its class are served, and its implementation.
typedef struct NkKosDispatchInfo {
    nk_err_t (*serve_)(void* entity, struct nk_transport* transport);
    void* entity_;
} NkKosDispatchInfo;

/// Initialises an NkKosDispatchInfo: `prefix` is the class with underscores for dots, `entity` the
/// variable of type prefix##_entity that has its implementation.
#define NK_ENTITY_DISPATCH_INFO_INITIALIZER(prefix, entity) {prefix##_entity_serve_, &(entity)}

NK_BEGIN_DECLS

/// Receives, dispatches and replies until the handle cannot be used any more, and says why: the
/// result of the last nk_transport_recv. Memory for one message of the class is on the stack.
nk_err_t NkKosDoDispatch(Handle handle, NkKosDispatchInfo* info);

NK_END_DECLS
