/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between ledger.c and ledger_pins.c: the database and how it is asked. */
#ifndef YORE_CACHE_LEDGER_PRIVATE_H
#define YORE_CACHE_LEDGER_PRIVATE_H

#include "repo/base/sqlite.h"
#include "repo/cache/ledger.h"

enum ledger_question {
	Q_BEGIN,
	Q_LOOK,
	Q_COMMIT,
	Q_ROLLBACK,
	Q_STATE,
	Q_SET_STATE,
	Q_FIND,
	Q_MAKE,
	Q_SET_WHOLE,
	Q_DROP_BARE,
	Q_PRESENT,
	Q_ROW,
	Q_WILL_BE_PINNED,
	Q_PUT_ROW,
	Q_DELETE_ROW,
	Q_USED,
	Q_OLDEST,
	Q_ROWS,
	Q_PIN,
	Q_PIN_FIND,
	Q_PIN_PLACE,
	Q_PIN_ROWS,
	Q_UNPIN_ROWS,
	Q_UNPIN_PLACES,
	Q_UNPIN,
	Q_UNPIN_ALL_ROWS,
	Q_UNPIN_ALL_PLACES,
	Q_UNPIN_ALL,
	Q_PINS,
	Q_RECOUNT,
	Q_COUNT,
	Q_N
};

struct ledger {
	sqlite3 *db;
	sqlite3_stmt *asked[Q_N];
	bool in_transaction;
	struct ledger_state state;
	dev_t dev;
	ino_t ino;
};

/* The statement, ready for values; NULL when it cannot be made. */
sqlite3_stmt *ledger_ask(struct ledger *ix, enum ledger_question q);
/* 1 a line of the answer, 0 no more, -errno. */
int ledger_step(struct ledger *ix, sqlite3_stmt *s);
/* For statements without an answer; NULL is -EUCLEAN. */
int ledger_run(struct ledger *ix, sqlite3_stmt *s);
/* Ready for the next time; returns r. */
int ledger_done(sqlite3_stmt *s, int r);
/* A blob of exactly len bytes; NULL when it is none. */
const void *ledger_blob(sqlite3_stmt *s, int column, int len);

#endif
