// SPDX-License-Identifier: Apache-2.0
// The variable-size part of a message, in memory of the program: filled from the start by the
// sender, looked at in place by the receiver. A buffer may begin at any address; chunks are placed
// from the first multiple of 8 in it, so that every type is aligned, and generated sizes have 8
// bytes to spare for that. A buffer of size zero is an arena in which nothing fits.
#pragma once

#include <nk/errno.h>
#include <nk/types.h>
#include <stddef.h>

/// [start, end) is the memory; what is in use ends at `current`.
struct nk_arena {
    void* start;
    void* current;
    void* end;
};

/// Initialises a struct nk_arena with the memory from `start_` to `end_`, none of it in use.
#define NK_ARENA_INITIALIZER(start_, end_) {(start_), (start_), (end_)}

NK_BEGIN_DECLS

/// Forgets all chunks. Their bytes stay until they are given out again.
static inline void nk_arena_reset(struct nk_arena* arena) { arena->current = arena->start; }

/// Room for `count` elements of `type`, zeroed, for the caller to fill; its place is stored in
/// `*chunk`. Null when there is no room. Cost: count.
#define nk_arena_alloc(type, arena, chunk, count)                                                  \
    nk_cast_(type*, nk_arena_alloc_((arena), (chunk), sizeof(type), nk_alignof(type), (count)))

/// Copies `count` elements of `type` from `source` into a new chunk. 0, or NK_ENOMEM: no room.
#define nk_arena_store(type, arena, chunk, source, count)                                          \
    nk_arena_store_((arena), (chunk), (source), sizeof(type), nk_alignof(type), (count))

/// The elements of a chunk, whose number is stored in `*count`; of a text it includes the zero at
/// its end. Null when the chunk lies outside of the arena, is not aligned for `type` or ends within
/// an element. A chunk of length zero gives count 0 and a pointer that must not be written to.
#define nk_arena_get(type, arena, chunk, count)                                                    \
    nk_cast_(type*, nk_arena_get_((arena), (chunk), sizeof(type), nk_alignof(type), (count)))

void* nk_arena_alloc_(
    struct nk_arena* arena, nk_ptr_t* chunk, size_t size, size_t alignment, size_t count);
int nk_arena_store_(struct nk_arena* arena,
                    nk_ptr_t* chunk,
                    const void* source,
                    size_t size,
                    size_t alignment,
                    size_t count);
void* nk_arena_get_(const struct nk_arena* arena,
                    const nk_ptr_t* chunk,
                    size_t size,
                    size_t alignment,
                    nk_size_t* count);

NK_END_DECLS
