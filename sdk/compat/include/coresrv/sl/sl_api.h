// SPDX-License-Identifier: Apache-2.0
// The static channels of this process, by the id that init.yaml gives them.
#pragma once

#include <handle/handletype.h>
#include <nk/types.h>

/// Stands for the service that a process registers.
typedef nk_uint32_t ServiceId;

/// No endpoint.
#define INVALID_RIID NK_IID_MAX

NK_BEGIN_DECLS

/// Client side of the channel `channel`. INVALID_HANDLE: this process has none of that id.
Handle ServiceLocatorConnect(const char* channel);

/// Server side of the channels `channel`, all clients together; also when there is no client.
/// A process has one listener, so every id gives the same handle. `interfaces` and `count` are not
/// used: NK_NULL and 0. `*id` becomes 0. INVALID_HANDLE: this process serves nobody.
Handle
ServiceLocatorRegister(const char* channel, const char* interfaces, nk_size_t count, ServiceId* id);

/// Number of an endpoint of the server that the client handle `channel` leads to. `endpoint` is
/// <component class>.<endpoint>, or the path of instances from the server's class to the endpoint;
/// see docs/c-binding.md for what this needs. INVALID_RIID: unknown. Cost: names in the solution.
nk_iid_t ServiceLocatorGetRiid(Handle channel, const char* endpoint);

NK_END_DECLS
