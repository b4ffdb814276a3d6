// SPDX-License-Identifier: Apache-2.0
// What files and threads cost a program in C, in guest instructions of all processes that take
// part: one CPU, -icount shift=0, so that a tick of the counter is 16 instructions.
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TICK = 16, WARM = 8, ROUNDS = 64, PAGE = 4096, CHUNK = 65536, LARGE = 1 << 20, MODE = 0644 };

static char* data;

static uint64_t ticks(void) {
    uint64_t now = 0;
    __asm__ volatile("isb\n\tmrs %0, cntvct_el0" : "=r"(now)::"memory");
    return now;
}

static void fail(const char* what) {
    printf("bench: failed what=%s\n", what);
    exit(1);
}

/// Instructions for one of `per` parts of `work`, after some rounds to warm up.
static void measure(const char* name, unsigned rounds, unsigned per, void (*work)(void)) {
    for (unsigned i = 0; i < WARM; ++i) {
        work();
    }
    const uint64_t begin = ticks();
    for (unsigned i = 0; i < rounds; ++i) {
        work();
    }
    const uint64_t spent = (ticks() - begin) * TICK;
    printf("BENCH %s instructions %llu\n", name, (unsigned long long)(spent / rounds / per));
}

static int file = -1;
static const char* path;

static void open_read_close(void) {
    const int opened = open(path, O_RDONLY);
    if (opened < 0 || read(opened, data, 100) != 100 || close(opened) != 0) {
        fail("open_read_close");
    }
}

static void describe(void) {
    struct stat status;
    if (stat(path, &status) != 0) {
        fail("stat");
    }
}

static void read_page(void) {
    if (pread(file, data, PAGE, PAGE) != PAGE) {
        fail("read_page");
    }
}

static void write_page(void) {
    if (pwrite(file, data, PAGE, PAGE) != PAGE) {
        fail("write_page");
    }
}

static void read_chunk(void) {
    if (pread(file, data, CHUNK, 0) != CHUNK) {
        fail("read_chunk");
    }
}

static void write_chunk(void) {
    if (pwrite(file, data, CHUNK, 0) != CHUNK) {
        fail("write_chunk");
    }
}

static void append_and_sync(void) {
    if (write(file, data, 100) != 100 || fsync(file) != 0) {
        fail("append_and_sync");
    }
}

static void read_stream(void) {
    FILE* const stream = fopen(path, "r");
    size_t done = 0;
    char line[1000];
    while (stream != NULL) {
        const size_t count = fread(line, 1, sizeof line, stream);
        done += count;
        if (count < sizeof line) {
            break;
        }
    }
    if (done != LARGE || fclose(stream) != 0) {
        fail("read_stream");
    }
}

static void* do_nothing(void* argument) { return argument; }

static void create_and_join(void) {
    pthread_t thread;
    if (pthread_create(&thread, NULL, do_nothing, NULL) != 0 || pthread_join(thread, NULL) != 0) {
        fail("create_and_join");
    }
}

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t turned = PTHREAD_COND_INITIALIZER;
static int turn;

static void take_turn(int own) {
    pthread_mutex_lock(&mutex);
    while (turn != own) {
        pthread_cond_wait(&turned, &mutex);
    }
    turn = !own;
    pthread_cond_signal(&turned);
    pthread_mutex_unlock(&mutex);
}

static void take_first_turn(void) { take_turn(0); }

static void* take_other_turns(void* argument) {
    (void)argument;
    for (unsigned i = 0; i < WARM + ROUNDS; ++i) {
        take_turn(1);
    }
    return NULL;
}

static void lock_and_unlock(void) {
    pthread_mutex_lock(&mutex);
    pthread_mutex_unlock(&mutex);
}

static void make(const char* name, size_t size) {
    const int made = open(name, O_CREAT | O_TRUNC | O_RDWR, MODE);
    for (size_t done = 0; done < size;) {
        const size_t part = size - done < CHUNK ? size - done : CHUNK;
        if (write(made, data, part) != (ssize_t)part) {
            fail("make");
        }
        done += part;
    }
    close(made);
}

int main(void) {
    data = malloc(CHUNK);
    memset(data, 'x', CHUNK);
    make("/small", 100);
    make("/large", LARGE);
    make("/safe/large", LARGE);
    path = "/small";
    measure("file.open_read_close", ROUNDS, 1, open_read_close);
    measure("file.stat", ROUNDS, 1, describe);
    path = "/large";
    file = open(path, O_RDWR);
    measure("file.read_4k", ROUNDS, 1, read_page);
    measure("file.write_4k", ROUNDS, 1, write_page);
    measure("file.read_64k.kib", ROUNDS, CHUNK / 1024, read_chunk);
    measure("file.write_64k.kib", ROUNDS, CHUNK / 1024, write_chunk);
    measure("file.fread_1m.kib", 2, LARGE / 1024, read_stream);
    close(file);
    path = "/safe/large";
    file = open(path, O_RDWR);
    measure("file.safefs.read_4k", ROUNDS, 1, read_page);
    measure("file.safefs.write_4k", ROUNDS, 1, write_page);
    close(file);
    file = open("/safe/log", O_CREAT | O_WRONLY | O_APPEND, MODE);
    measure("file.safefs.append_sync", ROUNDS, 1, append_and_sync);
    close(file);
    measure("posix.thread", ROUNDS, 1, create_and_join);
    measure("posix.mutex", ROUNDS * 16, 1, lock_and_unlock);
    pthread_t other;
    pthread_create(&other, NULL, take_other_turns, NULL);
    measure("posix.turn", ROUNDS, 2, take_first_turn);
    pthread_join(other, NULL);
    printf("bench: finished\n");
    return 0;
}
