// SPDX-License-Identifier: Apache-2.0
// Results of transport code. sdk/compat/status.cpp says which status of the kernel becomes which.
#pragma once

#include <nk/types.h>

#define NK_EOK 0         ///< same as rcOk
#define NK_EPERM 1       ///< the security policy does not grant it
#define NK_ENOENT 2      ///< no such interface or method, or nobody implements it
#define NK_EAGAIN 11     ///< the time is over, or the other side is busy
#define NK_ENOMEM 12     ///< an arena or a buffer is too small for the message
#define NK_EINVAL 22     ///< wrong handle, or a parameter beyond the maximum of its type
#define NK_ENOTEMPTY 39  ///< kept for sources that name it
#define NK_ENOMSG 42     ///< nothing to reply to
#define NK_EBADMSG 74    ///< a message that is not of its interface's shape
#define NK_ENOTCONN 107  ///< the server is gone, or was not started
