// SPDX-License-Identifier: Apache-2.0
#include <sdk/compat/arena.hpp>

namespace sdk::compat {

std::span<u8> whole(const nk_arena* arena) {
    if (arena == nullptr || arena->start == nullptr) {
        return {};
    }
    auto* const start = static_cast<u8*>(arena->start);
    auto* const end = static_cast<u8*>(arena->end);
    const u64 gap = (0 - std::bit_cast<u64>(start)) % kArenaAlignment;
    if (std::bit_cast<u64>(end) <= std::bit_cast<u64>(start) ||
        static_cast<u64>(end - start) <= gap) {
        return {};
    }
    const u64 size = static_cast<u64>(end - start) - gap;
    return {start + gap, size < abi::kMaxArenaBytes ? size : abi::kMaxArenaBytes};
}

std::span<u8> used(const nk_arena* arena) {
    const std::span<u8> all = whole(arena);
    if (all.empty()) {
        return {};
    }
    const u64 first = std::bit_cast<u64>(all.data());
    const u64 current = std::bit_cast<u64>(arena->current);
    return current <= first
               ? std::span<u8>{}
               : all.first(current - first < all.size() ? current - first : all.size());
}

void set_used(nk_arena* arena, u32 size) {
    const std::span<u8> all = whole(arena);
    if (!all.empty()) {
        arena->current = all.data() + (size < all.size() ? size : all.size());
    } else if (arena != nullptr) {
        arena->current = arena->start;
    }
}

}  // namespace sdk::compat

namespace {

using base::u64;
using base::u8;

/// What a chunk of length zero points to: readable, and an empty text.
constexpr u64 kNothing = 0;

}  // namespace

extern "C" {

void* nk_arena_alloc_(
    nk_arena* arena, nk_ptr_t* chunk, size_t size, size_t alignment, size_t count) {
    *chunk = {};
    const auto all = sdk::compat::whole(arena);
    const u64 in_use = sdk::compat::used(arena).size();
    const u64 at = (in_use + alignment - 1) / alignment * alignment;
    if (all.empty() || alignment > sdk::compat::kArenaAlignment || at > all.size() ||
        count > (all.size() - at) / size) {
        return nullptr;
    }
    const u64 bytes = size * count;
    // Neither the gap nor the part of the chunk that the caller leaves out may carry what an
    // earlier message left.
    __builtin_memset(all.data() + in_use, 0, at - in_use + bytes);
    arena->current = all.data() + at + bytes;
    chunk->offset = static_cast<nk_uint32_t>(at);
    chunk->size = static_cast<nk_uint32_t>(bytes);
    return all.data() + at;
}

int nk_arena_store_(nk_arena* arena,
                    nk_ptr_t* chunk,
                    const void* source,
                    size_t size,
                    size_t alignment,
                    size_t count) {
    *chunk = {};
    if (count == 0) {
        return NK_EOK;
    }
    void* const target = nk_arena_alloc_(arena, chunk, size, alignment, count);
    if (target == nullptr) {
        return NK_ENOMEM;
    }
    __builtin_memcpy(target, source, size * count);
    return NK_EOK;
}

void* nk_arena_get_(
    const nk_arena* arena, const nk_ptr_t* chunk, size_t size, size_t alignment, nk_size_t* count) {
    const auto bytes = sdk::compat::used(arena);
    nk_size_t ignored = 0;
    nk_size_t& number = count != nullptr ? *count : ignored;
    number = 0;
    if (chunk->offset > bytes.size() || chunk->size > bytes.size() - chunk->offset ||
        chunk->offset % alignment != 0 || chunk->size % size != 0) {
        return nullptr;
    }
    if (chunk->size == 0) {
        return const_cast<u64*>(&kNothing);
    }
    number = static_cast<nk_size_t>(chunk->size / size);
    return bytes.data() + chunk->offset;
}
}
