/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rows of the ledger: segments of objects, by place and by last use. */
#include <errno.h>
#include <string.h>
#include "repo/cache/ledger_private.h"

#define SEGMENTS_MAX (1LL << 44) /* of an object: 2^62 bytes */

/* -- Rows ---------------------------------------------------------------- */

void
row_release(struct row *r)
{
	ranges_release(&r->present);
	ranges_release(&r->claimed);
}

static int
decode(sqlite3_stmt *s, int column, int64_t n, bool whole, struct ranges *set)
{
	uint64_t base = whole ? 0 : (uint64_t)n * CACHE_SEGMENT;
	const void *data = sqlite3_column_blob(s, column);
	size_t len = (size_t)sqlite3_column_bytes(s, column);

	if (n < 0 || n > SEGMENTS_MAX || (whole && n > 0))
		return -EUCLEAN;
	return ranges_decode(set, data, len, base,
		base + (whole ? CACHE_WHOLE_MAX : CACHE_SEGMENT));
}

int
ledger_present(struct ledger *ix, int64_t object, struct ranges *present,
	struct ranges *claimed)
{
	auto_ranges struct ranges one = RANGES_INIT;
	sqlite3_stmt *s = ledger_ask(ix, Q_PRESENT);
	int r;

	if (s)
		sqlite3_bind_int64(s, 1, object);
	while ((r = ledger_step(ix, s)) == 1) {
		int64_t n = sqlite3_column_int64(s, 0);
		bool whole = sqlite3_column_int(s, 2) != 0;

		r = decode(s, 1, n, whole, &one);
		if (r < 0)
			break;
		ranges_join(present, &one);
		r = claimed ? decode(s, 3, n, whole, &one) : 0;
		if (r < 0)
			break;
		if (claimed)
			ranges_join(claimed, &one);
	}
	return ledger_done(s, r);
}

static int
will_be_pinned(struct ledger *ix, int64_t object, int64_t n, bool *pinned)
{
	sqlite3_stmt *s = ledger_ask(ix, Q_WILL_BE_PINNED);
	int r;

	if (s) {
		sqlite3_bind_int64(s, 1, object);
		sqlite3_bind_int64(s, 2, n);
	}
	r = ledger_step(ix, s);
	*pinned = r == 1 && sqlite3_column_int(s, 0);
	return ledger_done(s, r < 0 ? r : 0);
}

int
ledger_row(struct ledger *ix, int64_t object, int64_t n, bool whole,
	struct row *row)
{
	sqlite3_stmt *s = ledger_ask(ix, Q_ROW);
	int r;

	row->object = object;
	row->n = n;
	row->bytes = 0;
	row->present.n = row->claimed.n = 0;
	if (s) {
		sqlite3_bind_int64(s, 1, object);
		sqlite3_bind_int64(s, 2, n);
	}
	r = ledger_step(ix, s);
	row->fresh = r == 0;
	if (r == 1) {
		row->serial = sqlite3_column_int64(s, 0);
		row->rank = sqlite3_column_int64(s, 1);
		row->bytes = sqlite3_column_int64(s, 2);
		row->pinned = sqlite3_column_int(s, 3) != 0;
		r = decode(s, 4, n, whole, &row->present);
		if (r == 0)
			r = decode(s, 5, n, whole, &row->claimed);
		return ledger_done(s, r);
	}
	ledger_done(s, 0);
	return r < 0 ? r : will_be_pinned(ix, object, n, &row->pinned);
}

int
ledger_put_row(
	struct ledger *ix, struct row *row, uint64_t block, uint64_t extra)
{
	uint64_t base = row->n * (uint64_t)CACHE_SEGMENT;
	int64_t bytes = (int64_t)(ranges_blocks(&row->claimed, block) + extra);
	auto_buf struct buf present = BUF_INIT, claimed = BUF_INIT;
	sqlite3_stmt *s = ledger_ask(ix, Q_PUT_ROW);

	ranges_encode(&row->present, base, &present);
	ranges_encode(&row->claimed, base, &claimed);
	if (s) {
		sqlite3_bind_int64(s, 1, row->object);
		sqlite3_bind_int64(s, 2, row->n);
		sqlite3_bind_int64(s, 3, row->serial);
		sqlite3_bind_int64(s, 4, row->rank);
		sqlite3_bind_int64(s, 5, bytes);
		sqlite3_bind_int(s, 6, row->pinned);
		sqlite3_bind_blob(
			s, 7, present.data, (int)present.len, SQLITE_STATIC);
		sqlite3_bind_blob(
			s, 8, claimed.data, (int)claimed.len, SQLITE_STATIC);
	}
	ix->state.bytes += bytes - row->bytes;
	row->bytes = bytes;
	return ledger_run(ix, s);
}

int
ledger_delete_row(struct ledger *ix, struct row *row)
{
	sqlite3_stmt *s = ledger_ask(ix, Q_DELETE_ROW);

	if (s) {
		sqlite3_bind_int64(s, 1, row->object);
		sqlite3_bind_int64(s, 2, row->n);
	}
	ix->state.bytes -= row->bytes;
	row->bytes = 0;
	return ledger_run(ix, s);
}

int
ledger_used(struct ledger *ix, int64_t object, int64_t first, int64_t last,
	int64_t rank)
{
	sqlite3_stmt *s = ledger_ask(ix, Q_USED);

	if (s) {
		sqlite3_bind_int64(s, 1, object);
		sqlite3_bind_int64(s, 2, first);
		sqlite3_bind_int64(s, 3, last);
		sqlite3_bind_int64(s, 4, rank);
	}
	return ledger_run(ix, s);
}

/* -- Victims ------------------------------------------------------------- */

static int
take_victim(sqlite3_stmt *s, struct victim *v)
{
	const void *repository = ledger_blob(s, 0, REPOSITORY_ID_LEN);
	const void *id = ledger_blob(s, 1, FILES_KEY_LEN);

	if (!repository || !id)
		return -EUCLEAN;
	memcpy(v->key.repository, repository, REPOSITORY_ID_LEN);
	memcpy(v->key.id, id, FILES_KEY_LEN);
	v->object = sqlite3_column_int64(s, 2);
	v->n = sqlite3_column_int64(s, 3);
	v->bytes = sqlite3_column_int64(s, 4);
	v->whole = sqlite3_column_int(s, 5) != 0;
	return v->n < 0 || v->n > SEGMENTS_MAX || v->bytes < 0 ? -EUCLEAN : 0;
}

static int
take_victims(struct ledger *ix, sqlite3_stmt *s, struct victim *v, size_t max,
	size_t *n)
{
	int r = 0;

	*n = 0;
	while (*n < max && (r = ledger_step(ix, s)) == 1) {
		r = take_victim(s, &v[*n]);
		if (r < 0)
			break;
		(*n)++;
	}
	return ledger_done(s, r < 0 ? r : 0);
}

int
ledger_oldest(struct ledger *ix, struct victim *v, size_t max, size_t *n)
{
	sqlite3_stmt *s = ledger_ask(ix, Q_OLDEST);

	if (s)
		sqlite3_bind_int64(s, 1, (sqlite3_int64)max);
	return take_victims(ix, s, v, max, n);
}

int
ledger_rows(struct ledger *ix, const struct ledger_scope *sc, struct victim *v,
	size_t max, size_t *n)
{
	sqlite3_stmt *s = ledger_ask(ix, Q_ROWS);
	const uint8_t *repository =
		sc->object ? sc->object->repository : sc->repository;

	if (s) {
		if (repository)
			sqlite3_bind_blob(s, 1, repository, REPOSITORY_ID_LEN,
				SQLITE_STATIC);
		if (sc->object)
			sqlite3_bind_blob(s, 2, sc->object->id, FILES_KEY_LEN,
				SQLITE_STATIC);
		sqlite3_bind_int64(s, 3, sc->first);
		sqlite3_bind_int64(s, 4, sc->last);
		sqlite3_bind_int(s, 5, sc->pinned);
		sqlite3_bind_int64(s, 6, (sqlite3_int64)max);
	}
	return take_victims(ix, s, v, max, n);
}
