// SPDX-License-Identifier: Apache-2.0
// The heap and mappings. The component has 8 MiB, so what is not given back runs out here.
#include "check.h"

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { BLOCKS = 200, ROUNDS = 3000, MOST_BYTES = 6000, PAGE = 4096, MEBIBYTE = 1 << 20 };

struct block {
    unsigned char* bytes;
    size_t size;
    unsigned char pattern;
};

static uint32_t random_state = 1;

static uint32_t next_random(void) {
    random_state = random_state * 1664525u + 1013904223u;
    return random_state >> 8;
}

static bool holds_pattern(const unsigned char* bytes, size_t size, unsigned char pattern) {
    for (size_t i = 0; i < size; ++i) {
        if (bytes[i] != (unsigned char)(pattern + i)) {
            return false;
        }
    }
    return true;
}

static void fill(struct block* block) {
    block->pattern = (unsigned char)next_random();
    for (size_t i = 0; i < block->size; ++i) {
        block->bytes[i] = (unsigned char)(block->pattern + i);
    }
}

/// Blocks of all sizes, resized and freed in no order, never overlap.
static void heap_keeps_patterns(void) {
    static struct block blocks[BLOCKS];
    bool sound = true;
    for (int round = 0; round < ROUNDS && sound; ++round) {
        struct block* block = &blocks[next_random() % BLOCKS];
        sound = holds_pattern(block->bytes, block->size, block->pattern);
        if (next_random() % 3 == 0) {
            free(block->bytes);
            *block = (struct block){0};
            continue;
        }
        const size_t size = 1 + next_random() % MOST_BYTES;
        unsigned char* moved = realloc(block->bytes, size);
        if (!CHECK(moved != NULL)) {
            return;
        }
        const size_t kept = size < block->size ? size : block->size;
        sound = sound && holds_pattern(moved, kept, block->pattern) && (uintptr_t)moved % 16 == 0;
        block->bytes = moved;
        block->size = size;
        fill(block);
    }
    CHECK(sound);
    for (int i = 0; i < BLOCKS; ++i) {
        CHECK(holds_pattern(blocks[i].bytes, blocks[i].size, blocks[i].pattern));
        free(blocks[i].bytes);
        blocks[i] = (struct block){0};
    }
}

static void heap_clears_and_aligns(void) {
    unsigned char* dirty = malloc(5000);
    memset(dirty, 0xA5, 5000);
    free(dirty);
    unsigned char* zeroed = calloc(50, 100);
    size_t ones = 0;
    for (int i = 0; i < 5000; ++i) {
        ones += zeroed[i] != 0;
    }
    CHECK(ones == 0);
    free(zeroed);
    for (size_t alignment = 16; alignment <= 8192; alignment *= 2) {
        void* aligned = NULL;
        CHECK(posix_memalign(&aligned, alignment, 100) == 0);
        CHECK((uintptr_t)aligned % alignment == 0);
        free(aligned);
    }
}

static void heap_runs_out_and_recovers(void) {
    errno = 0;
    void* volatile too_much = malloc((size_t)64 * MEBIBYTE);
    CHECK(too_much == NULL && errno == ENOMEM);
    errno = 0;
    void* volatile wraps = calloc(SIZE_MAX / 2, 4);
    CHECK(wraps == NULL && errno == ENOMEM);
    for (int i = 0; i < 10; ++i) {  // 20 MiB in all
        unsigned char* large = malloc(2 * MEBIBYTE);
        if (!CHECK(large != NULL)) {
            return;
        }
        large[0] = 1;
        large[2 * MEBIBYTE - 1] = 1;
        free(large);
    }
}

static void* map(size_t size, int access) {
    return mmap(NULL, size, access, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static void mappings_can_be_taken_apart(void) {
    for (int i = 0; i < 300; ++i) {
        unsigned char* pages = map(4 * PAGE, PROT_READ | PROT_WRITE);
        if (!CHECK(pages != MAP_FAILED && pages[3 * PAGE] == 0)) {
            return;
        }
        pages[0] = 1;
        CHECK(munmap(pages, 4 * PAGE) == 0);
    }
    unsigned char* pages = map(4 * PAGE, PROT_READ | PROT_WRITE);
    memset(pages, 7, 4 * PAGE);
    CHECK(munmap(pages + PAGE, PAGE) == 0);
    CHECK(pages[0] == 7 && pages[2 * PAGE] == 7);
    unsigned char* again = mmap(
        pages + PAGE, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    CHECK(again == pages + PAGE && again[5] == 0);
    again[5] = 9;
    again = mmap(
        pages + PAGE, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    CHECK(again == pages + PAGE && again[5] == 0);
    CHECK(munmap(pages, 4 * PAGE) == 0);
}

static void access_can_be_changed(void) {
    unsigned char* pages = map(4 * PAGE, PROT_NONE);
    CHECK(pages != MAP_FAILED);
    CHECK(mprotect(pages + PAGE, 2 * PAGE, PROT_READ | PROT_WRITE) == 0);
    pages[PAGE] = 1;
    pages[3 * PAGE - 1] = 1;
    CHECK(mprotect(pages + PAGE, PAGE, PROT_READ) == 0);
    CHECK(pages[PAGE] == 1);
    CHECK(mprotect(pages + PAGE, 2 * PAGE, PROT_READ | PROT_WRITE) == 0);
    errno = 0;
    CHECK(mprotect(pages + PAGE, PAGE, PROT_WRITE | PROT_EXEC) == -1 && errno == ENOTSUP);
    errno = 0;
    CHECK(map(PAGE, PROT_WRITE | PROT_EXEC) == MAP_FAILED && errno == ENOTSUP);
    errno = 0;
    CHECK(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, 1, 0) == MAP_FAILED && errno == EACCES);
    CHECK(munmap(pages, 4 * PAGE) == 0);
}

static void memory_stays(void) {
    unsigned char* pages = map(2 * PAGE, PROT_READ | PROT_WRITE);
    CHECK(mlock(pages + 1, PAGE) == 0 && munlock(pages, 2 * PAGE) == 0);
    CHECK(msync(pages, 2 * PAGE, MS_SYNC) == 0);
    errno = 0;
    CHECK(msync(pages, PAGE, MS_SYNC | MS_ASYNC) == -1 && errno == EINVAL);
    errno = 0;
    CHECK(msync(pages + 1, PAGE, MS_SYNC) == -1 && errno == EINVAL);
    CHECK(munmap(pages + PAGE, PAGE) == 0);
    errno = 0;
    CHECK(mlock(pages, 2 * PAGE) == -1 && errno == ENOMEM);
    errno = 0;
    CHECK(msync(pages, 2 * PAGE, MS_ASYNC) == -1 && errno == ENOMEM);
    CHECK(mlockall(MCL_CURRENT | MCL_FUTURE) == 0 && munlockall() == 0);
    errno = 0;
    CHECK(mlockall(0) == -1 && errno == EINVAL);
    CHECK(munmap(pages, PAGE) == 0);
}

void memory_tests(void) {
    run_test("heap-keeps-patterns", heap_keeps_patterns);
    run_test("heap-clears-and-aligns", heap_clears_and_aligns);
    run_test("heap-runs-out-and-recovers", heap_runs_out_and_recovers);
    run_test("mappings-can-be-taken-apart", mappings_can_be_taken_apart);
    run_test("access-can-be-changed", access_can_be_changed);
    run_test("memory-stays", memory_stays);
}
