/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pins; and what is known of the ledger as a whole. */
#include <errno.h>
#include <string.h>
#include "repo/cache/ledger_private.h"

/* -- Pins ---------------------------------------------------------------- */

static void
bind_pin(sqlite3_stmt *s, const uint8_t *repository, const char *pin)
{
	if (!s)
		return;
	if (repository)
		sqlite3_bind_blob(
			s, 1, repository, REPOSITORY_ID_LEN, SQLITE_STATIC);
	if (pin)
		sqlite3_bind_text(s, 2, pin, -1, SQLITE_STATIC);
}

static int
find_pin(struct ledger *ix, const uint8_t *repository, const char *pin,
	int64_t *id)
{
	sqlite3_stmt *s = ledger_ask(ix, Q_PIN_FIND);
	int r;

	bind_pin(s, repository, pin);
	r = ledger_step(ix, s);
	if (r == 1)
		*id = sqlite3_column_int64(s, 0);
	return ledger_done(s, r == 1 ? 0 : r == 0 ? -ENOENT : r);
}

static int
pin_rows(struct ledger *ix, int64_t object, int64_t first, int64_t last)
{
	sqlite3_stmt *s = ledger_ask(ix, Q_PIN_ROWS);

	if (s) {
		sqlite3_bind_int64(s, 1, object);
		sqlite3_bind_int64(s, 2, first);
		sqlite3_bind_int64(s, 3, last);
	}
	return ledger_run(ix, s);
}

int
ledger_pin(struct ledger *ix, const uint8_t *repository, const char *pin,
	const struct key *k, const struct cache_extent *at)
{
	uint64_t until =
		at->len > INT64_MAX - at->off ? INT64_MAX : at->off + at->len;
	int64_t first = (int64_t)(at->off / CACHE_SEGMENT), last, id = 0;
	int64_t object = 0;
	sqlite3_stmt *s = ledger_ask(ix, Q_PIN);
	bool whole;
	int r;

	bind_pin(s, repository, pin);
	r = ledger_run(ix, s);
	if (r == 0)
		r = find_pin(ix, repository, pin, &id);
	if (r == 0)
		r = ledger_make(ix, k, &object, &whole);
	if (r < 0)
		return r;
	last = (int64_t)((until - 1) / CACHE_SEGMENT);
	if (whole)
		first = 0;
	s = ledger_ask(ix, Q_PIN_PLACE);
	if (s) {
		sqlite3_bind_int64(s, 1, id);
		sqlite3_bind_int64(s, 2, object);
		sqlite3_bind_int64(s, 3, (int64_t)at->off);
		sqlite3_bind_int64(s, 4, (int64_t)until);
		sqlite3_bind_int64(s, 5, first);
		sqlite3_bind_int64(s, 6, last);
	}
	r = ledger_run(ix, s);
	return r < 0 ? r : pin_rows(ix, object, first, last);
}

static int
run_with_id(struct ledger *ix, enum ledger_question q, int64_t id)
{
	sqlite3_stmt *s = ledger_ask(ix, q);

	if (s)
		sqlite3_bind_int64(s, 1, id);
	return ledger_run(ix, s);
}

int
ledger_unpin(struct ledger *ix, const uint8_t *repository, const char *pin)
{
	int64_t id = 0;
	int r = find_pin(ix, repository, pin, &id);

	if (r == 0)
		r = run_with_id(ix, Q_UNPIN_ROWS, id);
	if (r == 0)
		r = run_with_id(ix, Q_UNPIN_PLACES, id);
	return r < 0 ? r : run_with_id(ix, Q_UNPIN, id);
}

static int
run_with_repository(
	struct ledger *ix, enum ledger_question q, const uint8_t *repository)
{
	sqlite3_stmt *s = ledger_ask(ix, q);

	bind_pin(s, repository, NULL);
	return ledger_run(ix, s);
}

int
ledger_unpin_all(struct ledger *ix, const uint8_t *repository)
{
	int r = run_with_repository(ix, Q_UNPIN_ALL_ROWS, repository);

	if (r == 0)
		r = run_with_repository(ix, Q_UNPIN_ALL_PLACES, repository);
	return r < 0 ? r : run_with_repository(ix, Q_UNPIN_ALL, repository);
}

static int
take_place(sqlite3_stmt *s, struct key *k, struct cache_extent *at)
{
	const void *repository = ledger_blob(s, 1, REPOSITORY_ID_LEN);
	const void *id = ledger_blob(s, 2, FILES_KEY_LEN);
	int64_t off = sqlite3_column_int64(s, 3);
	int64_t until = sqlite3_column_int64(s, 4);

	if (!sqlite3_column_text(s, 0) || !repository || !id || off < 0 ||
		until <= off)
		return -EUCLEAN;
	memcpy(k->repository, repository, REPOSITORY_ID_LEN);
	memcpy(k->id, id, FILES_KEY_LEN);
	at->off = (uint64_t)off;
	at->len = until == INT64_MAX ? UINT64_MAX : (uint64_t)(until - off);
	return 0;
}

int
ledger_pins(struct ledger *ix, const uint8_t *repository, const char *pin,
	int (*each)(void *ctx, const char *pin, const struct key *k,
		const struct cache_extent *at),
	void *ctx)
{
	sqlite3_stmt *s = ledger_ask(ix, Q_PINS);
	struct cache_extent at;
	struct key k;
	int r;

	bind_pin(s, repository, pin);
	while ((r = ledger_step(ix, s)) == 1) {
		r = take_place(s, &k, &at);
		if (r == 0)
			r = each(ctx, (const char *)sqlite3_column_text(s, 0),
				&k, &at);
		if (r < 0)
			break;
	}
	return ledger_done(s, r);
}

/* -- Salvage ------------------------------------------------------------- */

static void
salvage_state(struct ledger *ix, sqlite3 *old)
{
	struct ledger from = { .db = old };
	struct ledger_state st, *now;

	if (ledger_state(&from, &st) == 0 && ledger_begin(ix, &now) == 0) {
		now->limit = st.limit;
		now->min_free = st.min_free;
		now->hits = st.hits;
		now->misses = st.misses;
		now->rank = st.rank;
		ledger_commit(ix);
	}
	sqlite3_finalize(from.asked[Q_STATE]);
}

/* One line of: repository of the pin, name, repository, key, off, until. */
static int
salvage_pin(struct ledger *ix, sqlite3_stmt *s)
{
	const void *repository = ledger_blob(s, 5, REPOSITORY_ID_LEN);
	const char *name = (const char *)sqlite3_column_text(s, 0);
	struct cache_extent at;
	struct key k;

	if (!repository || take_place(s, &k, &at) < 0 ||
		strlen(name) > CACHE_PIN_NAME_MAX)
		return -EUCLEAN;
	return ledger_pin(ix, repository, name, &k, &at);
}

static void
salvage_pins(struct ledger *ix, sqlite3 *old)
{
	static const char all[] =
		"SELECT i.name, o.repository, o.key, p.off, p.until,"
		" i.repository FROM pin i JOIN place p ON p.pin = i.id"
		" JOIN object o ON o.id = p.object";
	sqlite3_stmt *s = NULL;
	struct ledger_state *st;

	if (sqlite3_prepare_v2(old, all, -1, &s, NULL) != SQLITE_OK ||
		ledger_begin(ix, &st) < 0)
		return;
	while (sqlite3_step(s) == SQLITE_ROW && salvage_pin(ix, s) == 0)
		;
	ledger_commit(ix);
	sqlite3_finalize(s);
}

void
ledger_salvage(struct ledger *ix, const char *path)
{
	sqlite3 *old = NULL;

	if (sqlite3_open_v2(path, &old,
		    SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOFOLLOW,
		    NULL) == SQLITE_OK) {
		salvage_state(ix, old);
		salvage_pins(ix, old);
	}
	sqlite3_close(old);
}

/* -- Status -------------------------------------------------------------- */

int
ledger_recount(struct ledger *ix)
{
	sqlite3_stmt *s = ledger_ask(ix, Q_RECOUNT);
	struct ledger_state *st;
	int r = ledger_begin(ix, &st);

	if (r < 0)
		return r;
	r = ledger_step(ix, s);
	if (r == 1)
		st->bytes = sqlite3_column_int64(s, 0);
	ledger_done(s, 0);
	if (r == 1)
		return ledger_commit(ix);
	ledger_rollback(ix);
	return r < 0 ? r : -EUCLEAN;
}

int
ledger_status(struct ledger *ix, struct cache_status *cs)
{
	sqlite3_stmt *s = ledger_ask(ix, Q_COUNT);
	struct ledger_state st;
	int r = ledger_step(ix, s);

	if (r == 1) {
		cs->pinned = (uint64_t)sqlite3_column_int64(s, 0);
		cs->repositories = (uint64_t)sqlite3_column_int64(s, 1);
		cs->objects = (uint64_t)sqlite3_column_int64(s, 2);
		cs->n_pins = (uint64_t)sqlite3_column_int64(s, 3);
	}
	r = ledger_done(s, r == 1 ? 0 : r == 0 ? -EUCLEAN : r);
	if (r == 0)
		r = ledger_state(ix, &st);
	if (r < 0)
		return r;
	cs->bytes = (uint64_t)st.bytes;
	cs->limit = (uint64_t)st.limit;
	cs->min_free = (uint64_t)st.min_free;
	cs->hits = (uint64_t)st.hits;
	cs->misses = (uint64_t)st.misses;
	return 0;
}
