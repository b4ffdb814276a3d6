// SPDX-License-Identifier: Apache-2.0
// The part of the time functions that comes in with the transport.
#pragma once

#include <nk/compiler.h>
#include <rtl/if_time.h>
#include <rtl/retcode.h>
#include <rtl/stddef.h>

/// Stands for no limit where a function takes milliseconds.
#define INFINITE_TIMEOUT RTL_UINT32_C(0xFFFFFFFF)

NK_BEGIN_DECLS

/// Milliseconds since the system started.
rtl_size_t KnGetMSecSinceStart(void);

/// Waits for at least this time. rcOk.
Retcode KnSleep(rtl_uint32_t milliseconds);

/// The wall clock. rcSecurityDisallow.
Retcode KnGetSystemTime(RtlTimeSpec* time);

NK_END_DECLS
