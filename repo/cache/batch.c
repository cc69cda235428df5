/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writing ranges: room is made and the bytes are claimed in the ledger, they
 * are written without any lock, then they are published.  Should somebody have
 * given up a segment between the two, its serial is another, and what was
 * written is given up as well.
 */
#include "repo/cache/private.h"

#include <errno.h>
#include <string.h>

/* What a batch writes of one segment. */
struct piece {
	struct key key;
	int64_t n;
	int64_t serial;
	struct ranges add;
	bool skip; /* nothing was claimed */
	bool lost; /* somebody gave the segment up meanwhile */
};

struct batch {
	struct cache *c;
	const struct job *const *jobs;
	size_t n_jobs;
	struct piece *pieces; /* by object and number */
	size_t n;
	size_t cap;
};

/* -- Pieces -------------------------------------------------------------- */

static void
add_piece(struct batch *b, const struct job *j, int64_t n, uint64_t from,
	uint64_t to)
{
	struct piece *p;

	if (b->n == b->cap) {
		b->cap = b->cap * 2 + 64;
		b->pieces = xrealloc(b->pieces, b->cap * sizeof(*b->pieces));
	}
	p = &b->pieces[b->n++];
	*p = (struct piece){ .key = j->key, .n = n };
	ranges_add(&p->add, from, to);
}

static int
compare_pieces(const void *a, const void *b)
{
	const struct piece *x = a, *y = b;
	int r = memcmp(&x->key, &y->key, sizeof(x->key));

	return r ? r : (x->n > y->n) - (x->n < y->n);
}

/* One piece a segment. */
static void
merge_pieces(struct batch *b)
{
	size_t n = 0;

	qsort(b->pieces, b->n, sizeof(*b->pieces), compare_pieces);
	for (size_t i = 0; i < b->n; i++) {
		if (n && !compare_pieces(&b->pieces[n - 1], &b->pieces[i])) {
			ranges_join(&b->pieces[n - 1].add, &b->pieces[i].add);
			ranges_release(&b->pieces[i].add);
		} else {
			b->pieces[n++] = b->pieces[i];
		}
	}
	b->n = n;
}

static void
cut_into_pieces(struct batch *b)
{
	for (size_t i = 0; i < b->n_jobs; i++) {
		const struct job *j = b->jobs[i];
		uint64_t at = j->off, end = j->off + j->len;

		while (at < end) {
			uint64_t n = at / CACHE_SEGMENT;
			uint64_t to = (n + 1) * CACHE_SEGMENT;

			add_piece(b, j, (int64_t)n, at, to < end ? to : end);
			at = to;
		}
	}
	merge_pieces(b);
}

static void
batch_release(struct batch *b)
{
	for (size_t i = 0; i < b->n; i++)
		ranges_release(&b->pieces[i].add);
	free(b->pieces);
}

#define auto_batch AUTO(batch_release)

static bool
same_object(const struct batch *b, size_t i)
{
	return i > 0 && memcmp(&b->pieces[i].key, &b->pieces[i - 1].key,
				sizeof(b->pieces[i].key)) == 0;
}

/* -- Claiming ------------------------------------------------------------ */

static uint64_t
count_bytes(const struct batch *b)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < b->n; i++)
		sum += ranges_blocks(&b->pieces[i].add, b->c->files.block);
	return sum;
}

static int
claim_piece(struct batch *b, struct piece *p, int64_t object, bool whole,
	int64_t rank)
{
	auto_row struct row row = ROW_INIT;
	int r = 0;

	p->skip = whole; /* it is all there */
	if (!whole)
		r = ledger_row(b->c->writer, object, p->n, false, &row);
	if (r < 0 || whole)
		return r;
	ranges_join(&row.claimed, &p->add);
	p->skip = row.claimed.n > RANGES_MAX;
	if (p->skip)
		return 0;
	if (row.fresh)
		random_bytes(&row.serial, sizeof(row.serial));
	row.rank = rank;
	p->serial = row.serial;
	return ledger_put_row(b->c->writer, &row, b->c->files.block, 0);
}

static int
claim(struct batch *b)
{
	struct ledger *ix = b->c->writer;
	struct ledger_state *st;
	int64_t object = 0;
	bool whole = false;
	int r = evict_for(b->c, count_bytes(b));

	if (r == 0)
		r = ledger_begin(ix, &st);
	if (r < 0)
		return r;
	for (size_t i = 0; r == 0 && i < b->n; i++) {
		if (!same_object(b, i))
			r = ledger_make(ix, &b->pieces[i].key, &object, &whole);
		if (r == 0)
			r = claim_piece(
				b, &b->pieces[i], object, whole, st->rank);
	}
	if (r == 0)
		return ledger_commit(ix);
	ledger_rollback(ix);
	return r;
}

/* -- Writing ------------------------------------------------------------- */

static struct piece *
find_piece(struct batch *b, const struct job *j, uint64_t at)
{
	struct piece want = { .key = j->key,
		.n = (int64_t)(at / CACHE_SEGMENT) };

	return bsearch(&want, b->pieces, b->n, sizeof(want), compare_pieces);
}

/* A file that ends with a segment: appending would make some file systems
 * give it room beyond its end. */
static int
lengthen(int fd, uint64_t end)
{
	struct stat st;

	end = (end + CACHE_SEGMENT - 1) / CACHE_SEGMENT * CACHE_SEGMENT;
	if (fstat(fd, &st) < 0)
		return -errno;
	return (uint64_t)st.st_size >= end || ftruncate(fd, (off_t)end) == 0
		       ? 0
		       : -errno;
}

/* Write what was claimed of a job. */
static int
write_job(struct batch *b, const struct job *j, int fd)
{
	uint64_t at = j->off, end = j->off + j->len;
	int r = lengthen(fd, end);

	while (r == 0 && at < end) {
		const struct piece *p = find_piece(b, j, at);
		uint64_t to = (uint64_t)(p->n + 1) * CACHE_SEGMENT;

		if (to > end)
			to = end;
		if (!p->skip)
			r = files_write(fd, at, j->data + (at - j->off),
				(size_t)(to - at));
		at = to;
	}
	return r;
}

/* The job's bytes are not there. */
static void
job_failed(struct batch *b, const struct job *j, int r)
{
	for (uint64_t at = j->off; at < j->off + j->len;
		at = (at / CACHE_SEGMENT + 1) * CACHE_SEGMENT)
		ranges_remove(
			&find_piece(b, j, at)->add, j->off, j->off + j->len);
	b->c->dropped += j->len;
	if (r == -ENOSPC || r == -EDQUOT)
		b->c->pressure += j->len;
	queue_failed(b->c, r, "cannot write");
}

static void
write_jobs(struct batch *b)
{
	const struct key *open = NULL;
	int fd = -1;

	for (size_t i = 0; i < b->n_jobs; i++) {
		const struct job *j = b->jobs[i];
		int r;

		if (!open || memcmp(open, &j->key, sizeof(*open)) != 0) {
			if (fd >= 0)
				close(fd);
			fd = files_object_write(&b->c->files, &j->key);
			open = &j->key;
		}
		r = fd < 0 ? fd : write_job(b, j, fd);
		if (r < 0)
			job_failed(b, j, r);
		else
			b->c->written += j->len;
	}
	auto_close_(&fd);
}

/* -- Publishing ---------------------------------------------------------- */

static int
publish_piece(struct batch *b, struct piece *p, int64_t object)
{
	auto_row struct row row = ROW_INIT;
	int r = ledger_row(b->c->writer, object, p->n, false, &row);

	if (r < 0)
		return r;
	p->lost = row.fresh || row.serial != p->serial;
	if (p->lost)
		return 0;
	ranges_join(&row.present, &p->add);
	return ledger_put_row(b->c->writer, &row, b->c->files.block, 0);
}

/* Tell everyone, once the ledger says so. */
static void
announce(struct batch *b)
{
	for (size_t i = 0; i < b->n; i++) {
		struct piece *p = &b->pieces[i];
		auto_ranges struct ranges all = RANGES_INIT;
		struct epoch ep = files_epoch(&b->c->files, &p->key);

		if (same_object(b, i))
			continue;
		for (size_t k = i; k < b->n && (k == i || same_object(b, k));
			k++)
			if (!b->pieces[k].skip && !b->pieces[k].lost)
				ranges_join(&all, &b->pieces[k].add);
		if (files_epoch_added(&b->c->files, &p->key) == 0)
			objects_added(&b->c->objects, &p->key, ep, &all);
	}
}

static int
give_up_lost(struct batch *b)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < b->n; i++) {
		struct piece *p = &b->pieces[i];
		struct loss l = { .v = { .key = p->key, .n = p->n },
			.to = UINT64_MAX };

		if (!p->lost)
			continue;
		r = ledger_find(b->c->writer, &p->key, &l.v.object, &l.v.whole);
		if (r == 0 && l.v.whole)
			continue; /* another file by now */
		if (r == 0 || r == -ENOENT)
			r = evict_losses(b->c, &l, 1, NULL);
	}
	return r;
}

static int
publish(struct batch *b)
{
	struct ledger *ix = b->c->writer;
	struct ledger_state *st;
	int64_t object = 0;
	bool whole = false;
	int r = ledger_begin(ix, &st), found = 0;

	for (size_t i = 0; r == 0 && i < b->n; i++) {
		struct piece *p = &b->pieces[i];

		if (!same_object(b, i))
			found = ledger_find(ix, &p->key, &object, &whole);
		if (found < 0 && found != -ENOENT)
			r = found;
		else if (found < 0 || whole)
			p->lost = !p->skip;
		else if (!p->skip && p->add.n)
			r = publish_piece(b, p, object);
	}
	if (r == 0)
		r = ledger_commit(ix);
	if (r < 0) {
		ledger_rollback(ix);
		return r;
	}
	announce(b);
	return give_up_lost(b);
}

/* -- All of it ----------------------------------------------------------- */

static int
under_lock(struct batch *b, int (*step)(struct batch *b))
{
	int r = cache_enter(b->c, LOCK_WAIT_MS, NULL);

	if (r < 0)
		return r;
	r = cache_checked(b->c, step(b));
	cache_leave(b->c);
	return r;
}

void
batch_write(struct cache *c, const struct job *const *jobs, size_t n)
{
	auto_batch struct batch b = { .c = c, .jobs = jobs, .n_jobs = n };
	int r;

	cut_into_pieces(&b);
	r = under_lock(&b, claim);
	if (r < 0) {
		for (size_t i = 0; i < n; i++)
			c->dropped += jobs[i]->len;
		queue_failed(c, r, "cannot make room");
		return;
	}
	write_jobs(&b);
	r = under_lock(&b, publish);
	if (r < 0)
		queue_failed(c, r, "cannot note what was written");
}
