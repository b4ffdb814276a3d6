// SPDX-License-Identifier: Apache-2.0
// SQLite over files of each kind: ramfs at /, safefs on a disk at /safe, FAT at /fat.
#include "check.h"
#include "table.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ROWS = 2000, KILLS = 4, EXIT_CODE = 42, STACK = 512 * 1024 };

int speedtest_main(int argc, char** argv);

static const char* const places[] = {"/db", "/safe/db", "/fat/db"};

enum { PLACES = sizeof places / sizeof *places };

static void in_each_place(void (*body)(const char*)) {
    for (size_t i = 0; i < PLACES; ++i) {
        const int64_t begun = now_ms();
        body(places[i]);
        printf("sqlite: place=%s ms=%d\n", places[i], (int)(now_ms() - begun));
    }
}

static long long size_of(const char* path, const char* ending) {
    char name[64];
    struct stat status;
    (void)snprintf(name, sizeof name, "%s%s", path, ending);
    return stat(name, &status) == 0 ? (long long)status.st_size : -1;
}

static void forget(const char* path) {
    static const char* const endings[] = {"", "-journal", "-wal", "-told"};
    for (size_t i = 0; i < sizeof endings / sizeof *endings; ++i) {
        char name[64];
        (void)snprintf(name, sizeof name, "%s%s", path, endings[i]);
        (void)unlink(name);
    }
}

static void forget_word(const char* path) {
    char name[64];
    (void)snprintf(name, sizeof name, "%s-told", path);
    CHECK(unlink(name) == 0);
}

static void versions(void) {
    CHECK(strcmp(sqlite3_libversion(), SQLITE_VERSION) == 0);
    CHECK(strcmp(sqlite3_sourceid(), SQLITE_SOURCE_ID) == 0);
    CHECK(sqlite3_threadsafe() == 1);
    printf("sqlite: version=%s\n", sqlite3_libversion());
}

// --- journals ------------------------------------------------------------------------------------

static void fill(sqlite3* database) {
    CHECK(
        run(database,
            "CREATE TABLE word(id INTEGER PRIMARY KEY, text TEXT NOT NULL, weight INT);"
            "CREATE UNIQUE INDEX by_text ON word(text); CREATE INDEX by_weight ON word(weight)") ==
        SQLITE_OK);
    sqlite3_stmt* insert = NULL;
    CHECK(sqlite3_prepare_v2(
              database, "INSERT INTO word(text, weight) VALUES(?, ?)", -1, &insert, NULL) ==
          SQLITE_OK);
    CHECK(run(database, "BEGIN") == SQLITE_OK);
    for (int i = 0; i < ROWS; ++i) {
        char text[64];
        (void)snprintf(text, sizeof text, "word %u of many", (unsigned)i * 2654435761U);
        CHECK(sqlite3_bind_text(insert, 1, text, -1, SQLITE_TRANSIENT) == SQLITE_OK &&
              sqlite3_bind_int(insert, 2, i % 10) == SQLITE_OK);
        if (!CHECK(sqlite3_step(insert) == SQLITE_DONE && sqlite3_reset(insert) == SQLITE_OK)) {
            break;
        }
    }
    CHECK(run(database, "COMMIT") == SQLITE_OK && sqlite3_finalize(insert) == SQLITE_OK);
}

static void is_filled(sqlite3* database) {
    CHECK(number(database, "SELECT count(*) FROM word") == ROWS);
    CHECK(number(database, "SELECT count(*) FROM word WHERE weight = 3") == ROWS / 10);
    CHECK(number(database, "SELECT id FROM word WHERE text = 'word 2654435761 of many'") == 2);
    CHECK(is_sound(database));
}

static void journal(const char* path, const char* mode) {
    char pragma[64];
    (void)snprintf(pragma, sizeof pragma, "PRAGMA journal_mode=%s; PRAGMA cache_size=40", mode);
    sqlite3* database = open_database(path);
    CHECK(run(database, pragma) == SQLITE_OK);
    fill(database);
    is_filled(database);

    // Rolled back as a whole, then in part.
    CHECK(run(database,
              "BEGIN; UPDATE word SET weight = weight + 1; DELETE FROM word WHERE id % 2; "
              "DROP INDEX by_weight; CREATE TABLE more(x)") == SQLITE_OK);
    CHECK(number(database, "SELECT count(*) FROM word") == ROWS / 2);
    const bool in_memory = strcmp(mode, "MEMORY") == 0;
    CHECK((size_of(path, "-journal") > 0) == !in_memory);
    CHECK(run(database, "ROLLBACK") == SQLITE_OK);
    is_filled(database);
    CHECK(run(database,
              "BEGIN; SAVEPOINT a; DELETE FROM word; ROLLBACK TO a; RELEASE a;"
              "INSERT INTO word(text, weight) VALUES('last', 77); COMMIT") == SQLITE_OK);
    CHECK(run(database, "INSERT INTO word(text, weight) VALUES('last', 78)") == SQLITE_CONSTRAINT);
    const long long rest = size_of(path, "-journal");
    CHECK(strcmp(mode, "TRUNCATE") == 0  ? rest == 0
          : strcmp(mode, "PERSIST") == 0 ? rest > 0
                                         : rest == -1);
    CHECK(sqlite3_close(database) == SQLITE_OK);

    database = open_database(path);
    CHECK(number(database, "SELECT weight FROM word WHERE text = 'last'") == 77);
    CHECK(run(database, "DELETE FROM word WHERE weight = 77; VACUUM") == SQLITE_OK);
    is_filled(database);
    CHECK(sqlite3_close(database) == SQLITE_OK);
    forget(path);
}

static void journals_in(const char* path) {
    static const char* const modes[] = {"DELETE", "TRUNCATE", "PERSIST", "MEMORY"};
    for (size_t i = 0; i < sizeof modes / sizeof *modes; ++i) {
        journal(path, modes[i]);
    }
}

static void journals(void) { in_each_place(journals_in); }

// --- queries -------------------------------------------------------------------------------------

static void queries_in(const char* path) {
    sqlite3* const database = open_database(path);
    fill(database);
    CHECK(run(database,
              "PRAGMA foreign_keys=ON; CREATE TABLE kind(weight INTEGER PRIMARY KEY, name TEXT);"
              "INSERT INTO kind SELECT DISTINCT weight, 'kind ' || weight FROM word;"
              "CREATE TABLE sentence(word INT REFERENCES word(id) ON DELETE CASCADE, at INT);"
              "INSERT INTO sentence SELECT id, id * 7 FROM word WHERE id <= 100;"
              "CREATE TABLE log(id INT);"
              "CREATE TRIGGER gone AFTER DELETE ON word BEGIN INSERT INTO log VALUES(old.id); END;"
              "CREATE VIEW heavy AS SELECT * FROM word JOIN kind USING(weight) WHERE weight > 7") ==
          SQLITE_OK);
    CHECK(number(database, "SELECT count(*) FROM heavy WHERE name = 'kind 9'") == ROWS / 10);
    CHECK(number(database,
                 "SELECT max(c) FROM (SELECT count(*) AS c FROM word GROUP BY substr(text, 6, 2) "
                 "ORDER BY text)") > 0);
    CHECK(number(database,
                 "SELECT sum(a.id) FROM word a JOIN word b ON a.text = b.text "
                 "WHERE b.weight IN (1, 2)") ==
          number(database, "SELECT sum(id) FROM word WHERE weight BETWEEN 1 AND 2"));
    CHECK(number(database, "SELECT count(*) FROM word ORDER BY random()") == ROWS);
    CHECK(number(database,
                 "SELECT rank FROM (SELECT id, row_number() OVER (ORDER BY id DESC) AS rank "
                 "FROM word) WHERE id = 1") == ROWS);
    CHECK(run(database, "DELETE FROM word WHERE id <= 50") == SQLITE_OK);
    CHECK(number(database, "SELECT count(*) FROM sentence") == 50);
    CHECK(number(database, "SELECT count(*) FROM log") == 50);
    CHECK(run(database, "INSERT INTO sentence VALUES(1, 1)") == SQLITE_CONSTRAINT);
    CHECK(run(database, "SELECT nothing FROM word") == SQLITE_ERROR);
    CHECK(number(database, "SELECT json_extract('{\"a\": [1, 2, 39]}', '$.a[2]')") == 39);
    CHECK(run(database,
              "CREATE TEMP TABLE passing AS SELECT * FROM word; DROP TABLE passing;"
              "PRAGMA temp_store=FILE; PRAGMA cache_size=10;"
              "CREATE TABLE copy AS SELECT text, weight FROM word ORDER BY text DESC;"
              "ANALYZE; REINDEX; PRAGMA user_version=5") == SQLITE_OK);
    CHECK(number(database, "PRAGMA user_version") == 5 && is_sound(database));

    // A second file in the same transaction.
    CHECK(run(database,
              "ATTACH '/other' AS other; BEGIN; CREATE TABLE other.t(x);"
              "INSERT INTO other.t SELECT id FROM main.word; DELETE FROM main.word; ROLLBACK") ==
          SQLITE_OK);
    CHECK(number(database, "SELECT count(*) FROM word") == ROWS - 50);
    CHECK(run(database,
              "BEGIN; CREATE TABLE other.t(x); INSERT INTO other.t SELECT id FROM main.word;"
              "DELETE FROM main.copy; COMMIT") == SQLITE_OK);
    CHECK(number(database, "SELECT count(*) FROM other.t") == ROWS - 50);

    // And a copy of all of it.
    sqlite3* const memory = open_database(":memory:");
    sqlite3_backup* const backup = sqlite3_backup_init(memory, "main", database, "main");
    CHECK(backup != NULL && sqlite3_backup_step(backup, -1) == SQLITE_DONE &&
          sqlite3_backup_finish(backup) == SQLITE_OK);
    CHECK(number(memory, "SELECT count(*) FROM word") == ROWS - 50 && is_sound(memory));
    CHECK(sqlite3_close(memory) == SQLITE_OK && sqlite3_close(database) == SQLITE_OK);
    forget(path);
    forget("/other");
}

static void queries(void) { in_each_place(queries_in); }

// --- write-ahead logs ----------------------------------------------------------------------------

// Without memory that processes share, a write-ahead log is for one connection alone.
static void ahead_in(const char* path) {
    sqlite3* database = open_database(path);
    CHECK(make_accounts(database) == SQLITE_OK);
    CHECK(run(database, "PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL") == SQLITE_OK);
    CHECK(run(database, "UPDATE account SET money = 1") == SQLITE_OK);
    CHECK(size_of(path, "-wal") > 0);
    CHECK(run(database, "BEGIN; DELETE FROM account; ROLLBACK") == SQLITE_OK);
    CHECK(number(database, "SELECT sum(money) FROM account") == ACCOUNTS && is_sound(database));
    CHECK(sqlite3_close(database) == SQLITE_OK && size_of(path, "-wal") == -1);

    // Another may not use it so, and says it; the content is not lost.
    database = open_database(path);
    CHECK(number(database, "SELECT count(*) FROM account") == -1);
    CHECK(sqlite3_close(database) == SQLITE_OK);
    database = open_database(path);
    CHECK(run(database, "PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=DELETE") == SQLITE_OK);
    CHECK(sqlite3_close(database) == SQLITE_OK);
    database = open_database(path);
    CHECK(number(database, "SELECT sum(money) FROM account") == ACCOUNTS && is_sound(database));
    CHECK(sqlite3_close(database) == SQLITE_OK);
    forget(path);
}

static void ahead(void) { in_each_place(ahead_in); }

// --- full disks ----------------------------------------------------------------------------------

static const char kDeleted[] = "PRAGMA journal_mode=DELETE";
static const char kTruncated[] = "PRAGMA journal_mode=TRUNCATE";

static void full_at(const char* path, const char* mode) {
    sqlite3* database = open_database(path);
    CHECK(run(database, mode) == SQLITE_OK);
    CHECK(run(database, "CREATE TABLE t(id INTEGER PRIMARY KEY, bytes BLOB)") == SQLITE_OK);
    int result = SQLITE_OK;
    int kept = 0;
    while (kept < 10000 && result == SQLITE_OK) {
        result = run(database,
                     "BEGIN; INSERT INTO t(bytes) VALUES(randomblob(1500));"
                     "INSERT INTO t(bytes) VALUES(randomblob(1500)); COMMIT");
        kept += result == SQLITE_OK;
    }
    // It says so, too, when not even a journal can be made.
    const bool is_short = strcmp(mode, kDeleted) == 0 && result == SQLITE_CANTOPEN;
    CHECK((result == SQLITE_FULL || is_short) && kept > 10);
    printf("sqlite: full place=%s result=%d kept=%d bytes=%lld\n",
           path,
           result,
           2 * kept,
           size_of(path, ""));
    if (sqlite3_get_autocommit(database) == 0) {
        CHECK(run(database, "ROLLBACK") == SQLITE_OK);
    }
    CHECK(number(database, "SELECT count(*) FROM t WHERE length(bytes) = 1500") == 2 * kept);
    CHECK(is_sound(database) && sqlite3_close(database) == SQLITE_OK);

    // It is found so again, and pages that a deletion frees are written.
    database = open_database(path);
    CHECK(number(database, "SELECT count(*) FROM t") == 2 * kept && is_sound(database));
    CHECK(run(database, "PRAGMA journal_mode=MEMORY") == SQLITE_OK);
    CHECK(run(database, "DELETE FROM t WHERE id = 1") == SQLITE_OK);
    CHECK(run(database, "INSERT INTO t(id, bytes) VALUES(1, randomblob(1000))") == SQLITE_OK);
    CHECK(number(database, "SELECT count(*) FROM t") == 2 * kept && is_sound(database));
    CHECK(sqlite3_close(database) == SQLITE_OK);
    forget(path);
}

static void full(void) {
    static const char* const small[] = {"/small-ram/db", "/small-safe/db", "/small-fat/db"};
    for (size_t i = 0; i < sizeof small / sizeof *small; ++i) {
        full_at(small[i], kDeleted);
        full_at(small[i], kTruncated);
    }
}

// --- others --------------------------------------------------------------------------------------

/// Has the rival do something.
static void order(const char* word, const char* path, int number_too) {
    FILE* const file = fopen("/order-new", "w");
    CHECK(file != NULL && fprintf(file, "%s %s %d", word, path, number_too) > 0 &&
          fclose(file) == 0 && rename("/order-new", "/order") == 0);
}

static void wait_for_word(const char* path) {
    const int64_t end = now_ms() + PATIENCE_MS;
    while (size_of(path, "-told") < 0 && now_ms() < end) {
        sleep_ms(5);
    }
    CHECK(size_of(path, "-told") == 0);
}

static void wait_for_next_life(long long lives) {
    const int64_t end = now_ms() + PATIENCE_MS;
    while (size_of("/lives", "") <= lives && now_ms() < end) {
        sleep_ms(5);
    }
    CHECK(size_of("/lives", "") == lives + 1);
}

static void two_connections(const char* path) {
    sqlite3* const one = open_database(path);
    sqlite3* const two = open_database(path);
    CHECK(make_accounts(one) == SQLITE_OK);
    CHECK(sqlite3_busy_timeout(two, 20) == SQLITE_OK);
    CHECK(run(one, "BEGIN IMMEDIATE; UPDATE account SET money = 0") == SQLITE_OK);
    CHECK(number(two, "SELECT sum(money) FROM account") == ACCOUNTS * DEPOSIT);
    CHECK(run(two, "UPDATE account SET money = 5") == SQLITE_BUSY);
    CHECK(run(two, "BEGIN; SELECT * FROM account") == SQLITE_OK);
    CHECK(sqlite3_busy_timeout(one, 20) == SQLITE_OK && run(one, "COMMIT") == SQLITE_BUSY);
    CHECK(run(two, "COMMIT") == SQLITE_OK && run(one, "COMMIT") == SQLITE_OK);
    CHECK(number(two, "SELECT sum(money) FROM account") == 0);
    CHECK(run(one, "BEGIN EXCLUSIVE") == SQLITE_OK);
    CHECK(run(two, "SELECT * FROM account") == SQLITE_BUSY);
    CHECK(run(one, "COMMIT") == SQLITE_OK && run(two, "SELECT * FROM account") == SQLITE_OK);
    CHECK(sqlite3_close(one) == SQLITE_OK && sqlite3_close(two) == SQLITE_OK);
    forget(path);
}

// Who asks is told BUSY while another process has the lock; when that is ended in the middle of its
// transaction the lock is free, and what it wrote is taken back.
static void two_processes(const char* path) {
    sqlite3* database = open_database(path);
    CHECK(make_accounts(database) == SQLITE_OK);
    const long long lives = size_of("/lives", "");
    order("half", path, 0);
    wait_for_word(path);
    CHECK(sqlite3_busy_timeout(database, 20) == SQLITE_OK);
    CHECK(run(database, "BEGIN IMMEDIATE") == SQLITE_BUSY);
    CHECK(run(database, "SELECT * FROM account") == SQLITE_BUSY);
    CHECK(close(open("/end", O_CREAT | O_WRONLY, 0644)) == 0);
    wait_for_next_life(lives);
    CHECK(unlink("/end") == 0);
    // The journal is hot: what it covers has been written to the database.
    CHECK(size_of(path, "-journal") > 4096);
    CHECK(sqlite3_busy_timeout(database, PATIENCE_MS) == SQLITE_OK);
    CHECK(number(database, "SELECT count(*) FROM account WHERE money = 1000") == ACCOUNTS);
    CHECK(number(database, "SELECT count(*) FROM account WHERE note GLOB 'a*'") == ACCOUNTS);
    CHECK(is_sound(database) && size_of(path, "-journal") == -1);

    forget_word(path);
    order("counts", path, 0);
    for (int i = 0; i < 50; ++i) {
        CHECK(run(database, "BEGIN IMMEDIATE; UPDATE done SET moves = moves + 1; COMMIT") ==
              SQLITE_OK);
    }
    wait_for_word(path);
    CHECK(number(database, "SELECT moves FROM done") == 100 && is_sound(database));
    CHECK(sqlite3_close(database) == SQLITE_OK);
    forget(path);
}

static void locks(void) {
    in_each_place(two_connections);
    in_each_place(two_processes);
}

// --- ends in the middle --------------------------------------------------------------------------

static void ends_anywhere(const char* path) {
    sqlite3* database = open_database(path);
    CHECK(make_accounts(database) == SQLITE_OK && sqlite3_close(database) == SQLITE_OK);
    int hot = 0;
    long long moves = 0;
    for (int i = 0; i < KILLS; ++i) {
        const long long lives = size_of("/lives", "");
        order("moves", path, 400 + 37 * i % 100);
        wait_for_next_life(lives);
        hot += size_of(path, "-journal") > 0;
        database = open_database(path);
        const long long moved = number(database, "SELECT moves FROM done");
        CHECK(moved >= moves && is_sound(database));
        moves = moved;
        CHECK(number(database, "SELECT sum(money) FROM account") == ACCOUNTS * DEPOSIT);
        CHECK(number(database, "SELECT min(money) FROM account") == DEPOSIT - moves);
        CHECK(number(database, "SELECT max(money) FROM account") == DEPOSIT + moves);
        CHECK(sqlite3_close(database) == SQLITE_OK);
    }
    printf("sqlite: ended place=%s times=%d moves=%lld hot-journals=%d\n", path, KILLS, moves, hot);
    forget(path);
}

static void ends(void) { in_each_place(ends_anywhere); }

// --- the distribution's own measurement ----------------------------------------------------------

static void speed_in(const char* path) {
    char* arguments[] = {
        (char*)"speedtest1", (char*)"--size", (char*)"1", (char*)"--verify", (char*)path, NULL};
    CHECK(speedtest_main(sizeof arguments / sizeof *arguments - 1, arguments) == 0);
    sqlite3* const database = open_database(path);
    CHECK(is_sound(database) && sqlite3_close(database) == SQLITE_OK);
    forget(path);
}

static void speed(void) { in_each_place(speed_in); }

static void* all(void* is_rival) {
    if (is_rival != NULL) {
        be_a_rival();
    }
    run_test("sqlite-versions", versions);
    run_test("sqlite-journals", journals);
    run_test("sqlite-queries", queries);
    run_test("sqlite-write-ahead", ahead);
    run_test("sqlite-full-disks", full);
    run_test("sqlite-locks", locks);
    run_test("sqlite-ends-in-transactions", ends);
    run_test("sqlite-speedtest1", speed);
    return NULL;
}

int main(int argc, char** argv) {
    // SQLite wants more stack than a main thread has.
    pthread_attr_t attributes;
    pthread_t thread;
    if (pthread_attr_init(&attributes) != 0 || pthread_attr_setstacksize(&attributes, STACK) != 0 ||
        pthread_create(&thread, &attributes, all, argc > 1 ? argv[1] : NULL) != 0 ||
        pthread_join(thread, NULL) != 0) {
        return 1;
    }
    return EXIT_CODE;
}
