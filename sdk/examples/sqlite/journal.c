// SPDX-License-Identifier: Apache-2.0
// SQLite in plain C: keys and values in a database on a disk. Each start of the machine adds one to
// what it finds there.
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>

// SQLite wants more than the 64 KiB of a main thread.
enum { STACK = 256 * 1024 };

static sqlite3* database;

static int run(const char* statements) {
    return sqlite3_exec(database, statements, NULL, NULL, NULL);
}

static int put(const char* key, int value) {
    sqlite3_stmt* statement = NULL;
    int result = sqlite3_prepare_v2(
        database, "INSERT INTO entry(key, value) VALUES(?, ?)", -1, &statement, NULL);
    if (result == SQLITE_OK) {
        sqlite3_bind_text(statement, 1, key, -1, SQLITE_STATIC);
        sqlite3_bind_int(statement, 2, value);
        result = sqlite3_step(statement);
    }
    (void)sqlite3_finalize(statement);
    return result == SQLITE_DONE ? SQLITE_OK : result;
}

/// The newest value of a key, 0 when there is none.
static int get(const char* key) {
    sqlite3_stmt* statement = NULL;
    int value = 0;
    if (sqlite3_prepare_v2(database,
                           "SELECT value FROM entry WHERE key = ? ORDER BY id DESC LIMIT 1",
                           -1,
                           &statement,
                           NULL) == SQLITE_OK) {
        sqlite3_bind_text(statement, 1, key, -1, SQLITE_STATIC);
        value = sqlite3_step(statement) == SQLITE_ROW ? sqlite3_column_int(statement, 0) : 0;
    }
    (void)sqlite3_finalize(statement);
    return value;
}

static void* work(void* done) {
    // EXTRA makes the end of the journal durable, too. With less a power cut may bring it back, and
    // it would undo what was committed last: no directory is written out by and by here.
    if (sqlite3_open("/data/journal.db", &database) != SQLITE_OK ||
        run("PRAGMA synchronous=EXTRA;"
            "CREATE TABLE IF NOT EXISTS entry(id INTEGER PRIMARY KEY, key TEXT, value INT);"
            "CREATE INDEX IF NOT EXISTS by_key ON entry(key)") != SQLITE_OK) {
        printf("journal: cannot be opened: %s\n", sqlite3_errmsg(database));
        return NULL;
    }
    const int starts = get("starts") + 1;
    // Both or neither, whenever the power goes.
    if (run("BEGIN") != SQLITE_OK || put("starts", starts) != SQLITE_OK ||
        put("square", starts * starts) != SQLITE_OK || run("COMMIT") != SQLITE_OK) {
        printf("journal: cannot be written: %s\n", sqlite3_errmsg(database));
        return NULL;
    }
    printf("journal: start %d, its square is %d\n", get("starts"), get("square"));
    return sqlite3_close(database) == SQLITE_OK ? done : NULL;
}

int main(void) {
    pthread_attr_t attributes;
    pthread_t thread;
    void* done = NULL;
    if (pthread_attr_init(&attributes) != 0 || pthread_attr_setstacksize(&attributes, STACK) != 0 ||
        pthread_create(&thread, &attributes, work, &database) != 0 ||
        pthread_join(thread, &done) != 0) {
        return EXIT_FAILURE;
    }
    return done != NULL ? EXIT_SUCCESS : EXIT_FAILURE;
}
