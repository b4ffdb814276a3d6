// SPDX-License-Identifier: Apache-2.0
// Handles as numbers, and the rights they carry: those of kernel/abi/rights.hpp.
#pragma once

#include <nk/types.h>

/// A handle; compared, copied and printed as a number.
typedef nk_uint32_t Handle;

#define INVALID_HANDLE NK_UINT32_C(0)

/// Least type number of objects that programs make.
#define HANDLE_TYPE_USER_FIRST 0x100u

#define OCAP_HANDLE_TRANSFER (1u << 0)
#define OCAP_HANDLE_COPY (1u << 1)
#define OCAP_HANDLE_GET_SID (1u << 2)
#define OCAP_HANDLE_SET_EVENT (1u << 3)
#define OCAP_HANDLE_GET_EVENT (1u << 3)
#define OCAP_IPC_CALL (1u << 16)
