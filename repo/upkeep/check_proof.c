/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The hash of a whole database is a sum over its pages, so each delta changes
 * it by what it takes out and puts in.  With a table of the pages' hashes every
 * point is proven from the base and the deltas alone, each read once; where a
 * page cannot be read nothing is proven until it has been overwritten.
 */
#include "repo/upkeep/check_deltas.h"

#include <errno.h>
#include <string.h>
#include "repo/base/buf.h"
#include "repo/base/hex.h"
#include "repo/native/database.h"
#include "repo/upkeep/pack_reader.h"

#define READ_LEN (64u << 10)

static uint8_t *
hash_at(const struct check_base *b, uint32_t page)
{
	return (uint8_t *)b->hashes.data + (size_t)(page - 1) * PAGE_HASH_LEN;
}

static bool
counts(const struct check_base *b, uint32_t page)
{
	return page != database_lock_page(b->rec->database.page_size);
}

/* -- One page
 * ----------------------------------------------------------------------- */

static void
take_out(struct check_base *b, uint32_t page)
{
	database_hash_take(b->sum, hash_at(b, page));
	memset(hash_at(b, page), 0, PAGE_HASH_LEN);
}

void
check_proof_forget(struct check_base *b, uint32_t page)
{
	struct check_at *at = check_at(b, page);

	if (!b->proving || !counts(b, page) || (at->flags & CHECK_AT_UNKNOWN))
		return;
	take_out(b, page);
	at->flags |= CHECK_AT_UNKNOWN;
	b->unknown++;
}

static void
set_hash(struct check_base *b, uint32_t page, const void *bytes)
{
	struct check_at *at = check_at(b, page);

	if (!counts(b, page))
		return;
	take_out(b, page);
	page_hash(b->c->rp->keys, page, bytes, b->rec->database.page_size,
		hash_at(b, page));
	database_hash_add(b->sum, hash_at(b, page));
	b->unknown -= at->flags & CHECK_AT_UNKNOWN ? 1 : 0;
	at->flags &= (uint8_t)~CHECK_AT_UNKNOWN;
}

static void
tell_wrong(struct check_base *b, struct check_fault *f, uint64_t n)
{
	struct check_touched t = { .part = n ? CHECK_POINTS : CHECK_SNAPSHOT,
		.snapshot = b->label,
		.first = n,
		.last = n };

	hex_encode(t.id, b->base.id, OBJECT_ID_LEN);
	check_fault_touches(b->c, f, &t);
}

/* -- The base
 * ---------------------------------------------------------------------------
 */

/* A stretch of the base's file; what cannot be read is forgotten. */
static void
hash_stretch(struct check_base *b, struct native_database *db, uint64_t off,
	size_t len, uint8_t *buf)
{
	uint32_t size = b->rec->database.page_size;
	uint32_t first = (uint32_t)(off / size) + 1;
	size_t done = 0;

	while (done < len) {
		auto_view_data struct view_data vd = VIEW_DATA_INIT;

		if (db->database.ops->read(
			    &db->database, off + done, len - done, &vd, NULL) ||
			!vd.len)
			break;
		for (int i = 0; i < vd.n; i++) {
			memcpy(buf + done, vd.iov[i].iov_base,
				vd.iov[i].iov_len);
			done += vd.iov[i].iov_len;
		}
	}
	for (uint32_t i = 0; i < len / size; i++) {
		if (done < len)
			check_proof_forget(b, first + i);
		else
			set_hash(b, first + i, buf + (size_t)i * size);
	}
}

static int
hash_base(struct check_base *b, struct native_database *db, struct err *e)
{
	auto_free uint8_t *buf = xmalloc(READ_LEN + DATABASE_PAGE_MAX);
	uint64_t size = db->database.size;
	int r = 0;

	for (uint64_t off = 0; off < size && !r; off += READ_LEN) {
		hash_stretch(b, db, off,
			size - off < READ_LEN ? (size_t)(size - off) : READ_LEN,
			buf);
		r = check_tick(b->c, off, size, e);
	}
	return r;
}

int
check_proof_begin(struct check_base *b, struct err *e)
{
	struct check *c = b->c;
	const struct native_database_options o = { .deltas = c->deltas,
		.fetch = c->fetch,
		.pages = c->page_cache,
		.keys = c->rp->keys,
		.label = b->label };
	struct native_database *db;
	int r = scratch_grow(
		&b->hashes, ((size_t)b->cap + 1) * PAGE_HASH_LEN, e);

	if (r)
		return r;
	if (native_database_base(&o, b->rec, &db, NULL)) {
		b->gap = true; /* which check_tree has told */
		return 0;
	}
	r = hash_base(b, db, e);
	native_database_free(db);
	if (r || b->unknown)
		return r;
	if (!memcmp(b->sum, b->rec->database.hash, PAGE_HASH_LEN)) {
		c->res->proven++;
		return 0;
	}
	b->gap = true;
	tell_wrong(b,
		check_fault(c, CHECK_DAMAGED, CHECK_LOST, b->object,
			"the database is not the one that was stored"),
		0);
	return 0;
}

/* -- Deltas
 * --------------------------------------------------------------------------------
 */

struct reading {
	struct check_base *b;
	struct delta *d;
};

static int
take_frame(void *ctx, const struct pack_frame *f)
{
	struct reading *rd = ctx;
	struct check_base *b = rd->b;
	uint32_t size = b->rec->database.page_size;
	uint32_t n = f->plain_len / (size + 4);

	if (f->bad) {
		check_delta_frame(b, rd->d->record.n, f->off, f->len, f->why);
		return 0;
	}
	if (f->type != FRAME_DATA)
		return 0;
	if (f->plain_len % (size + 4) || n == 0) {
		check_delta_frame(b, rd->d->record.n, f->off, f->len,
			"it does not hold whole pages");
		return 0;
	}
	for (uint32_t i = 0; i < n; i++) {
		uint32_t page = get_be32(f->plain + (size_t)n * size + 4 * i);

		if (!page || page > b->pages)
			continue;
		check_points_move(
			b, page, rd->d->record.n, f->off, (uint16_t)i, 0);
		set_hash(b, page, f->plain + (size_t)i * size);
	}
	return 0;
}

int
check_proof_read(struct check_base *b, struct delta *d, struct err *e)
{
	const struct delta_place p = delta_place_of(&b->base, d->record.n);
	auto_pack_reader struct pack_reader pr = { .size = 0 };
	struct reading rd = { .b = b, .d = d };
	uint8_t id[OBJECT_ID_LEN], writer[WRITER_ID_LEN];
	char name[OBJECT_NAME_MAX];
	int r;

	delta_name(name, &p);
	deltas_writer_id(b->c->deltas, d->writer, writer);
	delta_id(b->c->rp->keys, writer, b->base.id, d->record.n, id);
	r = pack_reader_delta(&pr, b->c->rp->store, b->c->rp->keys, name, id,
		d->tail.record_off, e);
	if (!r && pr.head.code)
		check_fault(b->c, CHECK_DAMAGED, CHECK_SPARE, name, "%s",
			pr.head.text);
	return r ? r : pack_reader_frames(&pr, take_frame, &rd, e);
}

/* Pages that nobody wrote are zeros, which the index says. */
static void
hash_zeros(struct check_base *b, const struct delta *d)
{
	auto_free uint8_t *zeros = xcalloc(1, DATABASE_PAGE_MAX);

	for (uint32_t p = 1; p <= b->pages; p++) {
		const struct check_at *at = check_at(b, p);

		if (at->n == d->record.n && (at->flags & CHECK_AT_ZEROS))
			set_hash(b, p, zeros);
	}
}

void
check_proof_at(struct check_base *b, const struct delta *d)
{
	uint64_t n = d->record.n;
	struct check_fault *f;

	if (!b->proving || b->gap)
		return;
	if (d->record.state.pages > b->hashed_pages)
		hash_zeros(b, d);
	b->hashed_pages = d->record.state.pages;
	if (b->unknown)
		return;
	if (!memcmp(b->sum, d->record.state.hash, PAGE_HASH_LEN)) {
		b->c->res->proven++;
		return;
	}
	f = check_delta_fault(b, n, CHECK_FRAME, CHECK_DAMAGED,
		"the database is not the one that was stored");
	tell_wrong(b, f, n);
	b->gap = true;
}
