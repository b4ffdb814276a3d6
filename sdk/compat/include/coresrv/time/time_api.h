// SPDX-License-Identifier: Apache-2.0
// The part of the time functions that comes in with the transport.
#pragma once

#include <nk/compiler.h>
#include <rtl/retcode.h>
#include <rtl/stddef.h>

NK_BEGIN_DECLS

/// Milliseconds since the system started.
rtl_size_t KnGetMSecSinceStart(void);

/// Waits for at least this time. rcOk.
Retcode KnSleep(rtl_uint32_t milliseconds);

NK_END_DECLS
