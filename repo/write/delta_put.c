/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Making one delta.  Hashes first go to a file beside the table, the object is
 * put, then they become the table: a crash in between leaves a table that fits
 * one of the two states.
 *
 * A put that fails may have succeeded: the answer was lost, or comes later.
 * Then nothing more is sealed under the id that was used, and the next call
 * begins by looking.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include "repo/base/log.h"
#include "repo/base/zeros.h"
#include "repo/fetch/cached.h"
#include "repo/write/delta_index.h"
#include "repo/write/delta_private.h"

/* Pages that follow each other share a frame up to here, others up to there:
 * who wants one of them gets all. */
#define FRAME_LEN (64u << 10)
#define FRAME_SCATTERED (16u << 10)
#define PAGES_LEVEL 2	      /* zstd; as databases' in DESIGN, "Sizes" */
#define RECORD_LEVEL 3

struct making {
	struct delta_writer *dw;
	const struct delta_writer_delta *d; /* NULL: the base is closed */
	struct delta_record record;
	struct delta_chain before;
	struct delta_object object;
	struct delta_index index;
	struct delta_own own;
	struct buf frame; /* pages for the next one */
};

static void
making_release(struct making *m)
{
	delta_chain_release(&m->before);
	delta_object_release(&m->object);
	delta_index_release(&m->index);
	delta_record_release(&m->record);
	free(m->own.frames);
	buf_release(&m->frame);
}

/* -- Pages ------------------------------------------------------------------ */

static void
add_frame(struct delta_own *own, uint64_t off, uint32_t len, size_t end)
{
	if (own->n_frames == own->cap) {
		own->cap = own->cap ? 2 * own->cap : 16;
		own->frames = xrealloc(
			own->frames, own->cap * sizeof(*own->frames));
	}
	own->frames[own->n_frames++] =
		(struct delta_frame){ .off = off, .len = len, .end = end };
}

/* Pages pgno[from..to) are in the frame's buffer: their numbers, and off it
 * goes. */
static int
put_frame(struct making *m, size_t from, size_t to, struct err *e)
{
	uint64_t off = m->object.off;
	uint32_t len;
	int r;

	for (size_t i = from; i < to; i++)
		buf_be32(&m->frame, m->own.pgno[i]);
	r = delta_object_frame(
		&m->object, FRAME_DATA, PAGES_LEVEL, &m->frame, &len, e);
	m->frame.len = 0;
	if (!r)
		add_frame(&m->own, off, len, to);
	return r;
}

static int
check_number(const struct making *m, size_t i, struct err *e)
{
	uint32_t pgno = m->own.pgno[i];

	if (pgno > 0 && pgno <= m->d->pages &&
		(i == 0 || pgno > m->own.pgno[i - 1]))
		return 0;
	return err_set(e, EINVAL, "page %" PRIu32 " out of order", pgno);
}

/* Whether a frame with `len` bytes of pages ends behind page pgno[i]. */
static bool
frame_ends(const struct delta_own *own, size_t i, size_t len, uint32_t size)
{
	if (i + 1 == own->n || len + size > FRAME_LEN)
		return true;
	return len >= FRAME_SCATTERED && own->pgno[i + 1] != own->pgno[i] + 1;
}

static int
put_pages(struct making *m, struct err *e)
{
	struct database_state *s = &m->record.state;
	struct delta_own *own = &m->own;
	uint32_t size = s->page_size;
	size_t from = 0;
	int r = 0;

	for (size_t i = 0; i < own->n && !r; i++) {
		uint8_t *page = buf_reserve(&m->frame, size);

		r = check_number(m, i, e);
		if (!r)
			r = m->d->read(m->d->ctx, i, page, e);
		if (!r)
			r = page_table_set(
				&m->dw->table, s, own->pgno[i], page, e);
		m->frame.len += size;
		if (!r && frame_ends(own, i, m->frame.len, size)) {
			r = put_frame(m, from, i + 1, e);
			from = i + 1;
		}
	}
	return r;
}

/* Pages that the database has grown by, and nobody wrote. */
static int
put_zeros(struct making *m, struct err *e)
{
	const struct delta_own *own = &m->own;
	size_t i = 0;
	int r = 0;

	for (uint64_t p = own->zeros_from; p <= m->d->pages && !r; p++) {
		while (i < own->n && own->pgno[i] < p)
			i++;
		if (i < own->n && own->pgno[i] == p)
			continue;
		r = page_table_set(&m->dw->table, &m->record.state,
			(uint32_t)p, zeros, e);
	}
	return r;
}

static int
put_content(struct making *m, struct err *e)
{
	struct page_table *t = &m->dw->table;
	struct database_state *s = &m->record.state;
	int r = page_table_begin(t, m->record.n, s, e);

	m->own.pgno = m->d->pgno;
	m->own.n = m->d->n;
	m->own.zeros_from = s->pages + 1;
	if (!r)
		r = put_pages(m, e);
	if (!r)
		r = put_zeros(m, e);
	if (!r && m->d->pages < s->pages)
		r = page_table_shrink(t, s, m->d->pages, e);
	if (!r && m->d->hash && memcmp(m->d->hash, s->hash, PAGE_HASH_LEN))
		r = err_set(e, EBADMSG, "%s/%s: pages do not sum up to the hash "
			"of the database", m->dw->host, m->dw->name);
	return r;
}

/* -- The record --------------------------------------------------------------- */

static void
fill_record(struct making *m)
{
	struct delta_writer *dw = m->dw;
	struct delta_record *rec = &m->record;
	const struct delta_record *last = dw->last ? &dw->last->record : NULL;
	int64_t least = last ? last->time_ns : dw->base.time_ns;

	rec->n = last ? last->n + 1 : 1;
	rec->time_ns = m->d && m->d->time_ns > least ? m->d->time_ns : least;
	rec->closed = !m->d;
	rec->state = *delta_writer_database(dw);
	rec->base_page = last ? last->base_page : dw->base.root_page;
	rec->base_page_len = last ? last->base_page_len
				  : dw->base.root_page_len;
	if (dw->last)
		deltas_record_hash(dw->last, rec->previous);
	else
		memcpy(rec->previous, dw->base_hash, HASH_LEN);
	if (m->d && m->d->opaque_len) {
		rec->opaque = m->d->opaque;
		rec->opaque_len = m->d->opaque_len;
	}
	if (m->d)
		return;
	rec->opaque = last ? last->opaque : dw->base.opaque;
	rec->opaque_len = last ? last->opaque_len : dw->base.opaque_len;
}

/* The record's frame; what is in it reads as it was meant to. */
static int
put_record(struct making *m, uint64_t *off, struct err *e)
{
	auto_buf struct buf plain = BUF_INIT;
	auto_delta_record struct delta_record again = { .n = 0 };
	struct delta_tail tail;
	uint32_t len;
	int r;

	*off = m->object.off;
	delta_record_encode(&m->record, &plain);
	r = delta_object_frame(&m->object, FRAME_DELTA, RECORD_LEVEL, &plain,
		&len, e);
	if (r)
		return r;
	tail = (struct delta_tail){ .record_off = *off,
		.len = m->object.off + DELTA_TRAILER_LEN };
	return delta_record_decode(plain.data, plain.len, &again, &tail, e);
}

/* -- The object ------------------------------------------------------------------ */

static int
build(struct making *m, uint64_t *record_off, struct err *e)
{
	struct delta_writer *dw = m->dw;
	struct writer *w = dw->w;
	const struct delta_object_id id = { .base = &dw->home,
		.writer = dw->writer,
		.n = m->record.n };
	int r = delta_object_begin(&m->object, w->sink, w->rp->keys, &id, e);

	if (!r && m->d)
		r = put_content(m, e);
	if (!m->d)
		m->own.zeros_from = m->record.state.pages + 1;
	delta_index_init(
		&m->index, &m->record, &m->object, &m->before, dw->writer);
	if (!r)
		r = delta_index_write(&m->index, &m->own, e);
	if (!r)
		r = put_record(m, record_off, e);
	if (!r && m->d)
		r = page_table_end(&dw->table, &m->record.state, e);
	return r;
}

/* The end of what was put is wanted for the index of later ones. */
static void
keep_tail(struct making *m)
{
	struct cache *c = cached_cache(m->dw->w->rp->store);
	const struct delta_object *o = &m->object;

	if (c && o->keep)
		cache_write(c, o->name, o->kept_off, o->kept.data,
			o->kept.len);
}

/* It is in the store. */
static int
move_on(struct making *m, uint64_t record_off, struct err *e)
{
	struct delta_writer *dw = m->dw;
	const struct delta_tail tail = { .len = m->object.off,
		.record_off = record_off };
	const struct delta_way way = { .sealed = m->object.sealed.data };
	struct delta *d;
	int r = deltas_open(dw->w->deltas, &dw->home,
		deltas_writer(dw->w->deltas, dw->writer), m->record.n, &tail,
		&way, &d, e);

	keep_tail(m);
	if (!r) {
		if (m->d)
			page_table_apply(&dw->table, &m->record.state);
		delta_writer_move(dw, d);
	}
	return r;
}

static void
doubt(struct delta_writer *dw, bool closing)
{
	dw->unsure = true;
	dw->tried_closing = closing;
	memcpy(dw->tried, dw->writer, WRITER_ID_LEN);
	random_bytes(dw->writer, sizeof(dw->writer));
}

static int
make(struct making *m, struct err *e)
{
	struct delta_writer *dw = m->dw;
	uint64_t record_off;
	int r = dw->last ? deltas_chain(dw->last, &m->before, e) : 0;

	fill_record(m);
	if (r)
		return r;
	r = build(m, &record_off, e);
	if (r) {
		/* frames of a big delta may be there already */
		random_bytes(dw->writer, sizeof(dw->writer));
		return r;
	}
	r = delta_object_commit(&m->object, record_off, e);
	if (!r)
		return move_on(m, record_off, e);
	doubt(dw, !m->d);
	return r;
}

/* -- Doubts ------------------------------------------------------------------------ */

static int
lost(const struct delta_writer *dw, struct err *e)
{
	return delta_writer_lost(
		dw, "another replicator writes it; this one stops", e);
}

/*
 * Look whether the store has moved on: 0 no, -EALREADY yes, by a call of ours
 * (the state is that now), -EEXIST by another writer.
 */
static int
look(struct delta_writer *dw, struct err *e)
{
	auto_delta struct delta *newest = NULL;
	uint64_t n = dw->last ? dw->last->record.n : 0;
	uint8_t id[WRITER_ID_LEN];
	int r = deltas_newest(dw->w->deltas, &dw->home, n, &newest, e);

	if (r == -ESTALE) /* of a snapshot that raced ours */
		return lost(dw, e);
	if (r && r != -ENOENT)
		return r;
	if (r || newest->record.n == n) {
		dw->unsure = false;
		return 0;
	}
	deltas_writer_id(dw->w->deltas, newest->writer, id);
	if (newest->record.n != n + 1 ||
		memcmp(id, dw->tried, WRITER_ID_LEN))
		return lost(dw, e);
	dw->unsure = false;
	delta_writer_move(dw, steal(newest));
	if (!dw->tried_closing)
		page_table_open(&dw->table, delta_writer_database(dw), n + 1);
	return err_set(e, EALREADY, "%s/%s: delta %" PRIu64 " was stored "
		"after all", dw->host, dw->name, n + 1);
}

/* Put it; a name that is taken may be taken by what was tried before. */
static int
put(struct delta_writer *dw, const struct delta_writer_delta *d,
	struct err *e)
{
	struct making m = { .dw = dw, .d = d };
	uint8_t before[WRITER_ID_LEN];
	bool doubted = dw->unsure;
	int r;

	memcpy(before, dw->tried, WRITER_ID_LEN);
	r = make(&m, e);
	making_release(&m);
	if (r != -EEXIST)
		return r;
	r = look(dw, e);
	if (r == -EEXIST && doubted) {
		memcpy(dw->tried, before, WRITER_ID_LEN);
		r = look(dw, e);
	}
	return r ? r : lost(dw, e);
}

int
delta_writer_close(struct delta_writer *dw, struct err *e)
{
	int r = dw->unsure ? look(dw, e) : 0;

	if (!r)
		r = put(dw, NULL, e);
	if (r == -EALREADY && dw->last->record.closed)
		return 0;
	return r;
}

int
delta_writer_delta(struct delta_writer *dw, const struct delta_writer_delta *d,
	struct err *e)
{
	struct delta_writer_state s;
	int r;

	if (d->opaque_len > DELTA_WRITER_OPAQUE_MAX || d->pages == UINT32_MAX)
		return err_set(e, EINVAL, "that does not fit a delta");
	r = dw->unsure ? look(dw, e) : 0;
	if (r)
		return r;
	delta_writer_state(dw, &s);
	if (!s.can_delta)
		return err_set(e, ESTALE, "%s/%s: a new base is needed",
			dw->host, dw->name);
	if (s.n >= DELTA_N_MAX - 1)
		return err_set(e, EOVERFLOW, "%s/%s: its base has all deltas "
			"it may have", dw->host, dw->name);
	return put(dw, d, e);
}
