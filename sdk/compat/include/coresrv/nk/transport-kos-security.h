// SPDX-License-Identifier: Apache-2.0
// Questions to the security module: a proxy of an interface that the class of this process has as
// `security`, initialised with &transport.base and the class's ..._securityIid, asks the policy.
#pragma once

#include <coresrv/nk/transport-kos.h>

/// A transport whose other side is the policy: a call is NK_EOK when the policy grants it and
/// NK_EPERM when not. Nobody can be received from.
typedef NkKosTransport NkKosSecurityTransport;

NK_BEGIN_DECLS

/// Prepares a transport to the security module. Buffer and size are not used: NK_NULL and 0. It
/// takes a handle, which KnHandleClose(transport.handle) gives back. NK_EPERM: the policy refuses
/// kl.core.Handle.SecurityConnect. NK_ENOMEM: no handle is left.
nk_err_t
NkKosSecurityTransport_Init(NkKosSecurityTransport* transport, void* buffer, nk_size_t buffer_size);

NK_END_DECLS
