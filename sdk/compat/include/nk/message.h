// SPDX-License-Identifier: Apache-2.0
// The header in front of each generated request and response. It does not travel: the transport
// turns it into a message tag (kernel/abi/call.hpp) and back, and what follows it is the fixed part
// of the message, byte for byte.
#pragma once

#include <nk/types.h>

/// Member `base_` of every request and response. Its length, count and flags are for the macros
/// below and the transport only.
struct nk_message {
    nk_iid_t iid;
    nk_mid_t mid;
    nk_uint16_t ncaps_;  ///< handles in the message
    nk_uint16_t flags_;  ///< NK_MESSAGE_*
    nk_uint32_t size_;   ///< bytes with this header; before receiving: room for them
    nk_uint32_t reserved_;
} __nk_alignas(8);

nk_static_assert(sizeof(struct nk_message) == 16, nk_message_size);

/// Room for any message that travels in registers, as requests of the kernel do.
struct nk_message_short_ {
    struct nk_message base_;
    nk_uint64_t words[7];
};

#define NK_MESSAGE_ERROR_ 1u   ///< an error response
#define NK_MESSAGE_SHAPED_ 2u  ///< set by generated code: the two below are known
#define NK_MESSAGE_LONG_ 4u    ///< by its type it does not travel in registers
#define NK_MESSAGE_ARENA_ 8u   ///< by its type it may have an arena

#define nk_message_of_(message) nk_cast_(struct nk_message*, nk_cast_(void*, message))

static inline void nk_message_reset_(struct nk_message* message, nk_size_t size, unsigned flags) {
    message->size_ = size;
    message->ncaps_ = 0;
    message->flags_ = nk_cast_(nk_uint16_t, flags);
}

/// Prepares the header of a request or response, whose parameters it leaves alone: length of the
/// object, no handles, not an error. Before receiving, the length is the room there is.
#define nk_req_reset(message)                                                                      \
    nk_message_reset_(nk_message_of_(message), nk_cast_(nk_size_t, sizeof *(message)), 0u)

/// Makes a response an error response: `err_` counts, and results are not sent.
#define nk_err_reset(response)                                                                     \
    nk_message_reset_(                                                                             \
        nk_message_of_(response), nk_cast_(nk_size_t, sizeof(response)->err_), NK_MESSAGE_ERROR_)

/// Whether a response is an error response.
#define nk_msg_check_err(message) ((nk_message_of_(message)->flags_ & NK_MESSAGE_ERROR_) != 0u)

/// Says which method of which endpoint a request is for.
#define nk_msg_set_method_id(message, iid_, mid_)                                                  \
    (nk_message_of_(message)->iid = nk_cast_(nk_iid_t, iid_),                                      \
     nk_message_of_(message)->mid = nk_cast_(nk_mid_t, mid_),                                      \
     (void)0)

/// Says how many handles stand in the fixed part.
#define nk_msg_set_ncaps(message, count)                                                           \
    (nk_message_of_(message)->ncaps_ = nk_cast_(nk_uint16_t, count), (void)0)
