// SPDX-License-Identifier: Apache-2.0
// A file of a FAT that is larger than all caches, in turn and at random places.
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { PAGE = 4096, CHUNK = 65536, SIZE = 8 << 20, PLACES = 256, MODE = 0644, KIB = 1024 };

static char* data;
static int file;
static uint64_t begin_us;

static uint64_t now_us(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

// What test/plugins/insncount.c looks for: one region for each figure.
#define MEASURE(region, name, kib, ...)                                                            \
    begin_us = now_us();                                                                           \
    __asm__ volatile("hint #0x70 + " #region ::: "memory");                                        \
    __VA_ARGS__;                                                                                   \
    __asm__ volatile("hint #0x78 + " #region ::: "memory");                                        \
    report(name, region, kib)

static void report(const char* name, int region, unsigned kib) {
    const uint64_t us = now_us() - begin_us;
    printf("BENCH-REGION %s.kib %d 1 %u\n", name, region, kib);
    printf("BENCH %s.mb_s MB/s %llu\n", name, (unsigned long long)kib * KIB / (us + 1));
}

static void check(bool holds, const char* what) {
    if (!holds) {
        printf("bench: failed what=%s errno=%d\n", what, errno);
        exit(1);
    }
}

static void write_all(void) {
    for (off_t at = 0; at < SIZE; at += CHUNK) {
        check(pwrite(file, data, CHUNK, at) == CHUNK, "write");
    }
    check(fsync(file) == 0, "fsync");
}

static void read_all(void) {
    for (off_t at = 0; at < SIZE; at += CHUNK) {
        check(pread(file, data, CHUNK, at) == CHUNK, "read");
    }
}

static off_t place(unsigned i) { return (off_t)(i * 2654435761U % (SIZE / PAGE)) * PAGE; }

static void read_places(void) {
    for (unsigned i = 0; i < PLACES; ++i) {
        check(pread(file, data, PAGE, place(i)) == PAGE, "read at random");
    }
}

static void write_places(void) {
    for (unsigned i = 0; i < PLACES; ++i) {
        check(pwrite(file, data, PAGE, place(i)) == PAGE, "write at random");
    }
    check(fsync(file) == 0, "fsync");
}

int main(void) {
    data = malloc(CHUNK);
    memset(data, 'x', CHUNK);
    file = open("/fat/large", O_CREAT | O_TRUNC | O_RDWR, MODE);
    check(file >= 0, "open");
    write_all();  // its clusters are there afterwards
    MEASURE(0, "disk.fat.write_64k", SIZE / KIB, write_all());
    MEASURE(1, "disk.fat.read_64k", SIZE / KIB, read_all());
    MEASURE(2, "disk.fat.read_4k", PLACES * PAGE / KIB, read_places());
    MEASURE(3, "disk.fat.write_4k", PLACES * PAGE / KIB, write_places());
    printf("bench: finished\n");
    return 0;
}
