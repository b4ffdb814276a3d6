// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <bit>
#include <catch2/catch_test_macros.hpp>
#include <coresrv/nk/transport-kos.h>
#include <cstring>
#include <string>

namespace {

struct Buffer {
    alignas(8) char bytes[64];
};

nk_arena arena_in(Buffer& buffer, std::size_t from = 0, std::size_t size = sizeof(Buffer)) {
    return NK_ARENA_INITIALIZER(buffer.bytes + from, buffer.bytes + from + size);
}

}  // namespace

TEST_CASE("chunks are aligned, zeroed and found again", "[compat][arena]") {
    Buffer buffer;
    std::memset(buffer.bytes, 0xEE, sizeof buffer.bytes);
    nk_arena arena = arena_in(buffer);
    nk_ptr_t text = {};
    nk_ptr_t numbers = {};
    REQUIRE(nk_arena_alloc(nk_char_t, &arena, &text, 3) != nullptr);
    nk_uint64_t* const two = nk_arena_alloc(nk_uint64_t, &arena, &numbers, 2);
    REQUIRE(two != nullptr);
    CHECK(std::bit_cast<std::uintptr_t>(two) % alignof(nk_uint64_t) == 0);
    CHECK(two[1] == 0);
    CHECK(buffer.bytes[3] == 0);  // the gap
    CHECK(text.offset == 0);
    CHECK(text.size == 3);
    CHECK(numbers.offset == 8);
    CHECK(numbers.size == 16);
    two[1] = 5;
    nk_size_t count = 0;
    const nk_uint64_t* const found = nk_arena_get(nk_uint64_t, &arena, &numbers, &count);
    REQUIRE(found == two);
    CHECK(count == 2);
    nk_arena_reset(&arena);
    CHECK(nk_arena_get(nk_uint64_t, &arena, &numbers, &count) == nullptr);
    CHECK(count == 0);
}

TEST_CASE("a buffer may begin at any address", "[compat][arena]") {
    for (std::size_t from = 0; from < 8; ++from) {
        Buffer buffer;
        nk_arena arena = arena_in(buffer, from, 24);
        nk_ptr_t chunk = {};
        nk_uint64_t* const two = nk_arena_alloc(nk_uint64_t, &arena, &chunk, 2);
        REQUIRE(two != nullptr);
        CHECK(chunk.offset == 0);
        CHECK(std::bit_cast<std::uintptr_t>(two) % alignof(nk_uint64_t) == 0);
        CHECK((two + 2) <= arena.end);
    }
}

TEST_CASE("what does not fit is not given out", "[compat][arena]") {
    Buffer buffer;
    nk_arena arena = arena_in(buffer);
    nk_ptr_t chunk = {7, 7};
    CHECK(nk_arena_alloc(nk_uint64_t, &arena, &chunk, 9) == nullptr);
    CHECK(chunk.size == 0);
    CHECK(nk_arena_alloc(nk_uint64_t, &arena, &chunk, SIZE_MAX) == nullptr);
    CHECK(nk_arena_alloc(nk_uint64_t, &arena, &chunk, SIZE_MAX / 8 + 2) == nullptr);
    CHECK(nk_arena_alloc(nk_uint64_t, &arena, &chunk, 8) != nullptr);
    CHECK(nk_arena_alloc(nk_char_t, &arena, &chunk, 1) == nullptr);
    CHECK(nk_arena_store(nk_char_t, &arena, &chunk, "x", 1) == NK_ENOMEM);
    CHECK(nk_arena_store(nk_char_t, &arena, &chunk, "x", 0) == NK_EOK);
}

TEST_CASE("a buffer of size zero and no arena at all hold nothing", "[compat][arena]") {
    Buffer buffer;
    nk_arena empty = arena_in(buffer, 0, 0);
    nk_arena tiny = arena_in(buffer, 1, 3);
    nk_arena none = NK_ARENA_INITIALIZER(nullptr, nullptr);
    for (nk_arena* const arena : {&empty, &tiny, &none}) {
        nk_ptr_t chunk = {};
        nk_size_t count = 1;
        CHECK(nk_arena_alloc(nk_char_t, arena, &chunk, 1) == nullptr);
        const nk_char_t* const nothing = nk_arena_get(nk_char_t, arena, &chunk, &count);
        REQUIRE(nothing != nullptr);
        CHECK(*nothing == '\0');
        CHECK(count == 0);
        chunk.size = 1;
        CHECK(nk_arena_get(nk_char_t, arena, &chunk, &count) == nullptr);
    }
}

TEST_CASE("a chunk outside, misaligned or cut is refused", "[compat][arena]") {
    Buffer buffer;
    nk_arena arena = arena_in(buffer);
    nk_ptr_t good = {};
    REQUIRE(nk_arena_alloc(nk_uint32_t, &arena, &good, 4) != nullptr);
    const nk_ptr_t wrong[] = {
        {0, 20}, {16, 4}, {20, 0}, {0xFFFFFFFC, 8}, {4, 0xFFFFFFFC}, {2, 4}, {0, 6}};
    for (const nk_ptr_t& chunk : wrong) {
        nk_size_t count = 1;
        CHECK(nk_arena_get(nk_uint32_t, &arena, &chunk, &count) == nullptr);
        CHECK(count == 0);
    }
    CHECK(nk_arena_get(nk_uint32_t, &arena, &good, nullptr) != nullptr);
}

TEST_CASE("pointers that make no sense give no memory", "[compat][arena]") {
    Buffer buffer;
    nk_arena reversed = {buffer.bytes + 32, buffer.bytes + 32, buffer.bytes};
    nk_arena beyond = arena_in(buffer, 0, 16);
    beyond.current = buffer.bytes + 64;
    nk_ptr_t chunk = {};
    CHECK(nk_arena_alloc(nk_char_t, &reversed, &chunk, 1) == nullptr);
    CHECK(nk_arena_alloc(nk_char_t, &beyond, &chunk, 1) == nullptr);
    chunk = {0, 17};
    CHECK(nk_arena_get(nk_char_t, &beyond, &chunk, nullptr) == nullptr);
}

TEST_CASE("texts are copied with their end", "[compat][arena]") {
    Buffer buffer;
    nk_arena arena = arena_in(buffer);
    nk_ptr_t chunk = {};
    REQUIRE(NkKosCopyStringToArena(&arena, &chunk, "valve") == NK_EOK);
    CHECK(chunk.size == 6);
    CHECK(std::string{NkKosGetStringFromArena(&arena, &chunk)} == "valve");
    chunk.size = 5;
    CHECK(NkKosGetStringFromArena(&arena, &chunk) == nullptr);
    chunk = {};
    CHECK(std::string{NkKosGetStringFromArena(&arena, &chunk)}.empty());
    CHECK(NkKosCopyStringToArena(&arena, &chunk, std::string(64, 'x').c_str()) == NK_ENOMEM);
}

TEST_CASE("a program may derive its arena and its transport", "[compat][arena]") {
    struct Arena : nk_arena {
        std::array<char, 32> memory{};

        Arena() : nk_arena{} {
            start = memory.data();
            current = start;
            end = memory.data() + memory.size();
        }
    };

    struct Transport : NkKosTransport {};

    Arena arena;
    nk_ptr_t chunk = {};
    CHECK(nk_arena_alloc(nk_char_t, &arena, &chunk, 4) != nullptr);
    Transport transport = Transport();
    NkKosTransport_Init(&transport, 7, NK_NULL, 0);
    CHECK(transport.handle == 7);
}
