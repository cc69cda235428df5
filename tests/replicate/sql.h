/* SPDX-License-Identifier: GPL-2.0-or-later */
/* For programs that use a database and give up when SQLite does. */
#ifndef YORE_TESTS_REPLICATE_SQL_H
#define YORE_TESTS_REPLICATE_SQL_H

#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>

/* db may be NULL. */
__attribute__((noreturn)) static inline void
die(sqlite3 *db, const char *what)
{
	fprintf(stderr, "%s: %s: %s\n", program_invocation_short_name, what,
		db ? sqlite3_errmsg(db) : "");
	exit(1);
}

static inline sqlite3_stmt *
prepare(sqlite3 *db, const char *sql)
{
	sqlite3_stmt *st = NULL;

	if (sqlite3_prepare_v2(db, sql, -1, &st, NULL))
		die(db, sql);
	return st;
}

#endif
