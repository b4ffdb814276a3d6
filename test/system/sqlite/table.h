// SPDX-License-Identifier: Apache-2.0
// What the tests and their rival do with databases.
#pragma once

#include <sqlite3.h>
#include <stdbool.h>

enum { ACCOUNTS = 400, DEPOSIT = 1000, PATIENCE_MS = 20000 };

/// Never returns.
void be_a_rival(void);

/// Opens a database, which waits for the locks of others. NULL, and a failure is noted, on error.
sqlite3* open_database(const char* path);
/// Runs statements; gives SQLite's result.
int run(sqlite3* database, const char* statements);
/// The first column of the first row of a query, -1 when there is none.
long long number(sqlite3* database, const char* query);
/// `PRAGMA integrity_check` says ok.
bool is_sound(sqlite3* database);
/// Makes ACCOUNTS rows, each with DEPOSIT and 200 bytes of text.
int make_accounts(sqlite3* database);
