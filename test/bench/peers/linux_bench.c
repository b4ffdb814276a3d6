// SPDX-License-Identifier: Apache-2.0
// /init of a Linux guest: the operations of Linux that come nearest to those the bench image
// measures of ours. It prints the same lines as that image, `BENCH <name> <unit> <value>`, under
// our names.
//
//   ipc.round_trip.*   a pipe each way between two processes: so many bytes there, one byte back.
//                      One byte is the least a pipe carries, so "short" is Linux at its best.
//   kernel.null_call   getppid, straight to the kernel
//   thread.switch      half of sched_yield to another process and back
//   file.*, posix.*    what ../files/meter.c measures: it is /files here
//
// Under `-icount shift=0` the guest's clock advances one nanosecond an instruction, so nanoseconds
// of CNTVCT are instructions. The initial file system holds /dev/console, which is our output.
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/reboot.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    warm_up_count = 100,
    round_trip_count = 5000,
    long_round_trip_count = 1000,
    call_count = 50000,
    largest_size = 65536,
};

static char buffer[largest_size];

static void fail(const char* what) {
    perror(what);
    exit(1);  // the end of /init stops the kernel, and with `panic=-1` the machine
}

static uint64_t now(void) {
    uint64_t ticks;
    __asm__ volatile("isb; mrs %0, cntvct_el0; isb" : "=r"(ticks)::"memory");
    return ticks;
}

static void report(const char* name, uint64_t ticks, uint64_t operations) {
    uint64_t frequency;
    __asm__ volatile("mrs %0, cntfrq_el0" : "=r"(frequency));
    uint64_t instructions = ticks * 1000000000 / frequency;
    printf("BENCH %s instructions %llu\n",
           name,
           (unsigned long long)((instructions + operations / 2) / operations));
    fflush(stdout);
}

static void read_all(int file, long size) {
    for (long done = 0; done < size;) {
        long count = read(file, buffer + done, (size_t)(size - done));
        if (count <= 0) {
            fail("read");
        }
        done += count;
    }
}

static void write_all(int file, long size) {
    for (long done = 0; done < size;) {
        long count = write(file, buffer + done, (size_t)(size - done));
        if (count <= 0) {
            fail("write");
        }
        done += count;
    }
}

static void measure_pipe(const char* name, long size, long count) {
    int there[2];
    int back[2];
    if (pipe(there) != 0 || pipe(back) != 0) {
        fail("pipe");
    }
    pid_t peer = fork();
    if (peer < 0) {
        fail("fork");
    }
    if (peer == 0) {
        for (long i = 0; i < warm_up_count + count; i++) {
            read_all(there[0], size);
            write_all(back[1], 1);
        }
        _exit(0);
    }
    uint64_t start = 0;
    for (long i = 0; i < warm_up_count + count; i++) {
        if (i == warm_up_count) {
            start = now();
        }
        write_all(there[1], size);
        read_all(back[0], 1);
    }
    uint64_t ticks = now() - start;
    report(name, ticks, (uint64_t)count);
    waitpid(peer, NULL, 0);
    for (int i = 0; i < 2; i++) {
        close(there[i]);
        close(back[i]);
    }
}

static void measure_null_call(void) {
    uint64_t start = 0;
    for (long i = 0; i < warm_up_count + call_count; i++) {
        if (i == warm_up_count) {
            start = now();
        }
        syscall(SYS_getppid);
    }
    report("kernel.null_call", now() - start, call_count);
}

static uint64_t switch_count(void) {
    struct rusage usage;
    if (getrusage(RUSAGE_SELF, &usage) != 0) {
        fail("getrusage");
    }
    return (uint64_t)usage.ru_nvcsw + (uint64_t)usage.ru_nivcsw;
}

static void measure_switch(void) {
    pid_t peer = fork();
    if (peer < 0) {
        fail("fork");
    }
    while (peer == 0) {
        sched_yield();
    }
    // Until a new process has run as long as others, a yield may return without a switch.
    for (long i = 0; i < round_trip_count; i++) {
        sched_yield();
    }
    uint64_t switches = switch_count();
    uint64_t start = now();
    for (long i = 0; i < round_trip_count; i++) {
        sched_yield();
    }
    uint64_t ticks = now() - start;
    switches = switch_count() - switches;
    kill(peer, SIGKILL);
    waitpid(peer, NULL, 0);
    if (switches < round_trip_count / 2) {
        puts("the processes did not take turns");
        return;
    }
    report("thread.switch", ticks, 2 * switches);  // there and back
}

/// The program of the image bench_files, built for Linux; files are in memory.
static void measure_files(void) {
    if (mkdir("/safe", 0755) != 0) {
        fail("mkdir");
    }
    pid_t child = fork();
    if (child == 0) {
        execl("/files", "files", NULL);
        fail("execl");
    }
    waitpid(child, NULL, 0);
}

int main(void) {
    memset(buffer, 1, sizeof buffer);  // its pages exist before the clock is read
    measure_null_call();
    measure_pipe("ipc.round_trip.short", 1, round_trip_count);
    measure_pipe("ipc.round_trip.64b", 64, round_trip_count);
    measure_pipe("ipc.round_trip.4k", 4096, round_trip_count);
    measure_pipe("ipc.round_trip.64k", largest_size, long_round_trip_count);
    measure_switch();
    measure_files();
    reboot(RB_POWER_OFF);
    fail("reboot");
}
