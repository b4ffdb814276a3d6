// SPDX-License-Identifier: Apache-2.0
// Types of messages and of what generated code declares. Layouts that travel are those of
// kernel/abi/call.hpp; sdk/compat/transport.cpp asserts that they are.
#pragma once

#include <nk/compiler.h>
#include <nk/inttypes.h>
#include <nk/stddef.h>

typedef int nk_bool_t;

#define NK_TRUE 1
#define NK_FALSE 0

/// Number of an endpoint in its process class (RIID).
typedef nk_uint16_t nk_iid_t;

/// Number of a method in its interface.
typedef nk_uint16_t nk_mid_t;

#define NK_IID_MAX NK_UINT16_C(0xFFFF)

/// One of nk/errno.h; 0 is success.
typedef int nk_err_t;

/// Security id.
typedef nk_uint64_t nk_sid_t;

/// A handle as a number; 0 is none.
typedef nk_uint32_t nk_handle_t;

/// Rights that a handle carries, a mask.
typedef nk_uint32_t nk_rights_t;

/// Place of a variable-size parameter in the arena, in bytes.
typedef struct nk_ptr {
    nk_uint32_t offset;
    nk_uint32_t size;
} nk_ptr_t;

/// A handle in a message. Sent: the sender's handle and the rights to pass on, which can only
/// shrink. Received: the receiver's own new handle and its rights.
typedef struct nk_handle_desc {
    nk_handle_t handle;
    nk_rights_t rights;
    nk_uint64_t badge;
} nk_handle_desc_t;

/// `handle` with these rights and this badge.
static inline nk_handle_desc_t
nk_handle_desc_copy(nk_handle_t handle, nk_rights_t rights, nk_uint64_t badge) {
    nk_handle_desc_t desc;
    desc.handle = handle;
    desc.rights = rights;
    desc.badge = badge;
    return desc;
}

/// `handle` with all the rights it has.
#define nk_handle_desc(handle) nk_handle_desc_copy((handle), NK_UINT32_C(0xFFFFFFFF), 0)

/// The handle; 0 is none.
static inline nk_handle_t nk_get_handle(const nk_handle_desc_t* desc) { return desc->handle; }

/// The rights it arrived with.
static inline nk_rights_t nk_get_rights(const nk_handle_desc_t* desc) { return desc->rights; }

/// Whether a handle of a user object came home and the descriptor names its context.
static inline nk_bool_t nk_is_handle_dereferenced(const nk_handle_desc_t* desc) {
    return desc->badge != 0;
}
