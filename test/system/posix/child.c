// SPDX-License-Identifier: Apache-2.0
// What spawn.c starts: does what its argument says.
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void* leave(void* unused) {
    (void)unused;
    exit(7);
}

int main(int argc, char** argv) {
    const char* what = argc > 1 ? argv[1] : "";
    if (strcmp(what, "exit") == 0) {
        return atoi(argv[2]);
    }
    if (strcmp(what, "texts") == 0) {
        const char* found = getenv("GIVEN");
        printf("posix: a child on stdout\n");
        const int are_mine = argc == 4 && strcmp(argv[0], "another name") == 0 &&
                             strcmp(argv[2], "two words") == 0 && argv[3][0] == '\0';
        return are_mine && found != NULL && strcmp(found, "by the parent") == 0 &&
                       getenv("HOME") == NULL
                   ? 0
                   : 1;
    }
    if (strcmp(what, "write") == 0) {
        volatile uintptr_t nowhere = 16;
        *(volatile int*)nowhere = 1;
    } else if (strcmp(what, "trap") == 0) {
        __asm__ volatile("brk #7");
    } else if (strcmp(what, "undefined") == 0) {
        __asm__ volatile("udf #0");
    } else if (strcmp(what, "thread") == 0) {
        pthread_t thread;
        pthread_create(&thread, NULL, leave, NULL);
        pthread_join(thread, NULL);
    } else if (strcmp(what, "sleep") == 0) {
        sleep(1000);
    }
    return 99;
}
