// SPDX-License-Identifier: Apache-2.0
// Lua runs the scripts of lua/, which are put into the file system first.
#include "check.h"

#include <lauxlib.h>
#include <lualib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EXIT_CODE = 42, LIMIT = 256 * 1024 };

#define SCRIPT(name)                                                                               \
    __asm__(".section .rodata." #name ",\"a\"\n.global script_" #name "\nscript_" #name            \
            ":\n.incbin \"" FOLDER "/lua/" #name ".lua\"\n.byte 0\n.previous\n");                  \
    extern __attribute__((visibility("hidden"))) const char script_##name[]

SCRIPT(shapes);
SCRIPT(language);
SCRIPT(files);
SCRIPT(errors);
SCRIPT(sorting);
SCRIPT(primes);

static bool put(const char* path, const char* text) {
    FILE* file = fopen(path, "w");
    return CHECK(file != NULL) && CHECK(fputs(text, file) >= 0) && CHECK(fclose(file) == 0);
}

static int with_trace(lua_State* state) {
    luaL_traceback(state, state, lua_tostring(state, 1), 1);
    return 1;
}

static void run(const char* path, const char* text) {
    const int64_t begun = now_ms();
    lua_State* state = luaL_newstate();
    if (!CHECK(state != NULL) || !put(path, text)) {
        return;
    }
    luaL_openlibs(state);
    CHECK(luaL_dostring(state, "package.path = '/?.lua'") == LUA_OK);
    lua_pushcfunction(state, with_trace);
    const bool fine = luaL_loadfile(state, path) == LUA_OK && lua_pcall(state, 0, 0, -2) == LUA_OK;
    if (!CHECK(fine)) {
        printf("lua: %s\n", lua_tostring(state, -1));
    }
    lua_close(state);
    printf("lua: script=%s ms=%d\n", path, (int)(now_ms() - begun));
}

static void language(void) {
    if (put("/shapes.lua", script_shapes)) {
        run("/language.lua", script_language);
    }
}

static void files(void) { run("/files.lua", script_files); }

static void errors(void) { run("/errors.lua", script_errors); }

static void sorting(void) { run("/sorting.lua", script_sorting); }

static void primes(void) { run("/primes.lua", script_primes); }

static size_t used;

static void* limited(void* of, void* old, size_t old_size, size_t size) {
    (void)of;
    if (old == NULL) {
        old_size = 0;
    }
    if (size == 0) {
        free(old);
        used -= old_size;
        return NULL;
    }
    if (used - old_size + size > LIMIT) {
        return NULL;
    }
    void* moved = realloc(old, size);
    if (moved != NULL) {
        used = used - old_size + size;
    }
    return moved;
}

static void memory_limit(void) {
    lua_State* state = lua_newstate(limited, NULL);
    if (!CHECK(state != NULL)) {
        return;
    }
    luaL_openlibs(state);
    CHECK(luaL_loadstring(state, "kept = {} for i = 1, 1e7 do kept[i] = {i} end") == LUA_OK);
    CHECK(lua_pcall(state, 0, 0, 0) == LUA_ERRMEM);
    CHECK(strstr(lua_tostring(state, -1), "not enough memory") != NULL);
    lua_settop(state, 0);
    lua_pushnil(state);
    lua_setglobal(state, "kept");
    (void)lua_gc(state, LUA_GCCOLLECT);
    CHECK(luaL_dostring(state, "return #string.rep('x', 1000)") == LUA_OK);
    CHECK(lua_tointeger(state, -1) == 1000 && used <= LIMIT);
    lua_close(state);
    CHECK(used == 0);
}

int main(void) {
    run_test("lua-language", language);
    run_test("lua-files", files);
    run_test("lua-errors", errors);
    run_test("lua-sorting", sorting);
    run_test("lua-primes", primes);
    run_test("lua-memory-limit", memory_limit);
    return EXIT_CODE;
}
