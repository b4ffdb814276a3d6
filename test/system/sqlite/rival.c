// SPDX-License-Identifier: Apache-2.0
// A component of its own that uses the same databases, and ends in the middle of what it does. The
// file /order says what: a word, a database, a number.
#include "check.h"
#include "table.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// init forgets a failure for each second that a life lasts.
enum { LIFE_MS = 1000, MODE = 0644, COUNT = 50, ROOM = 64 };

static void tell(const char* path) {
    char name[ROOM];
    (void)snprintf(name, sizeof name, "%s-told", path);
    (void)close(open(name, O_CREAT | O_WRONLY, MODE));
}

/// Changes every row, with so small a cache that changed pages are in the database before the end
/// of the transaction, and ends there.
static void half(sqlite3* database, const char* path) {
    CHECK(run(database, "PRAGMA cache_size=4; BEGIN") == SQLITE_OK);
    CHECK(run(database, "UPDATE account SET money = money + 7, note = printf('%.200c', 'b')") ==
          SQLITE_OK);
    tell(path);
    while (access("/end", F_OK) != 0) {
        sleep_ms(5);
    }
    __builtin_trap();
}

static void* end_all(void* ms) {
    sleep_ms(*(const int*)ms);
    __builtin_trap();
}

/// Moves money between rows, one transaction after the other, until the other thread ends both.
static void moves(sqlite3* database, int ms) {
    pthread_t thread;
    CHECK(run(database, "PRAGMA cache_size=16") == SQLITE_OK);
    CHECK(pthread_create(&thread, NULL, end_all, &ms) == 0);
    while (CHECK(run(database,
                     "BEGIN IMMEDIATE;"
                     "UPDATE account SET money = money - 1, note = printf('%.200c', 'c') "
                     "WHERE id % 3 = 0 AND id <= 300;"
                     "UPDATE account SET money = money + 1 WHERE id % 3 = 1 AND id <= 300;"
                     "UPDATE done SET moves = moves + 1; COMMIT") == SQLITE_OK)) {
    }
    (void)pthread_join(thread, NULL);
}

static void counts(sqlite3* database, const char* path) {
    for (int i = 0; i < COUNT; ++i) {
        CHECK(run(database, "BEGIN IMMEDIATE; UPDATE done SET moves = moves + 1; COMMIT") ==
              SQLITE_OK);
    }
    tell(path);
}

static void obey(const char* word, const char* path, int ms) {
    sqlite3* const database = open_database(path);
    if (strcmp(word, "half") == 0) {
        half(database, path);
    } else if (strcmp(word, "moves") == 0) {
        moves(database, ms);
    } else {
        counts(database, path);
    }
    CHECK(sqlite3_close(database) == SQLITE_OK);
}

void be_a_rival(void) {
    const int lives = open("/lives", O_CREAT | O_WRONLY | O_APPEND, MODE);
    CHECK(write(lives, ".", 1) == 1 && close(lives) == 0);
    sleep_ms(LIFE_MS);
    for (;;) {
        char word[ROOM] = "";
        char path[ROOM] = "";
        int ms = 0;
        FILE* const order = fopen("/order", "r");
        if (order == NULL) {
            sleep_ms(5);
            continue;
        }
        const int found = fscanf(order, "%63s %63s %d", word, path, &ms);
        CHECK(fclose(order) == 0 && unlink("/order") == 0);
        if (CHECK(found == 3)) {
            obey(word, path, ms);
        }
    }
}
