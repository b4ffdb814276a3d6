// SPDX-License-Identifier: Apache-2.0
#include "table.h"

#include "check.h"

#include <stdio.h>
#include <string.h>

sqlite3* open_database(const char* path) {
    sqlite3* database = NULL;
    if (!CHECK(sqlite3_open(path, &database) == SQLITE_OK)) {
        printf("sqlite: open path=%s error=%s errno=%d\n",
               path,
               sqlite3_errmsg(database),
               sqlite3_system_errno(database));
        (void)sqlite3_close(database);
        return NULL;
    }
    CHECK(sqlite3_busy_timeout(database, PATIENCE_MS) == SQLITE_OK);
    return database;
}

int run(sqlite3* database, const char* statements) {
    return sqlite3_exec(database, statements, NULL, NULL, NULL);
}

long long number(sqlite3* database, const char* query) {
    sqlite3_stmt* statement = NULL;
    long long found = -1;
    if (sqlite3_prepare_v2(database, query, -1, &statement, NULL) == SQLITE_OK &&
        sqlite3_step(statement) == SQLITE_ROW) {
        found = sqlite3_column_int64(statement, 0);
    }
    (void)sqlite3_finalize(statement);
    return found;
}

bool is_sound(sqlite3* database) {
    sqlite3_stmt* statement = NULL;
    bool sound = false;
    if (sqlite3_prepare_v2(database, "PRAGMA integrity_check", -1, &statement, NULL) == SQLITE_OK &&
        sqlite3_step(statement) == SQLITE_ROW) {
        const char* text = (const char*)sqlite3_column_text(statement, 0);
        sound = text != NULL && strcmp(text, "ok") == 0;
        if (!sound) {
            printf("sqlite: unsound text=%s\n", text != NULL ? text : "none");
        }
    }
    (void)sqlite3_finalize(statement);
    return sound;
}

int make_accounts(sqlite3* database) {
    char statements[512];
    (void)snprintf(statements,
                   sizeof statements,
                   "BEGIN; CREATE TABLE account(id INTEGER PRIMARY KEY, money INT, note TEXT);"
                   "CREATE INDEX by_money ON account(money);"
                   "CREATE TABLE done(moves INT); INSERT INTO done VALUES(0);"
                   "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d)"
                   "INSERT INTO account SELECT i, %d, printf('%%.200c', 'a') FROM n; COMMIT",
                   ACCOUNTS,
                   DEPOSIT);
    return run(database, statements);
}
