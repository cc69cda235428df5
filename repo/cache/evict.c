/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Giving up bytes, in an order that a kill cannot spoil: the ledger forgets
 * that they are present; the epoch is raised, so that readers look again; the
 * holes are punched; then the ledger forgets that the bytes take room.
 *
 * On a disk so full that even the ledger cannot be written, holes come first:
 * what the ledger still calls present then reads as zeros, which do not verify.
 */
#include "repo/cache/private.h"

#include <errno.h>
#include <string.h>
#include <sys/statvfs.h>

#define AT_ONCE 64
/* Evicted beyond what is needed: a part of the limit. */
#define SLACK_PART 256
#define BATCH_PART 16 /* of the limit that is written at once */
#define MIN_FREE_DEFAULT (1ULL << 30)
#define MIN_FREE_PART 20 /* but at most this part of the file system */

/* -- Some rows ----------------------------------------------------------- */

static int64_t
new_serial(void)
{
	int64_t serial;

	random_bytes(&serial, sizeof(serial));
	return serial;
}

static bool
same_object(const struct loss *a, const struct loss *b)
{
	return memcmp(&a->v.key, &b->v.key, sizeof(a->v.key)) == 0;
}

/* They are present no more.  Fills in what is kept of each. */
static int
hide(struct cache *c, struct loss *l, size_t n)
{
	struct ledger_state *st;
	int r = ledger_begin(c->writer, &st);

	for (size_t i = 0; r == 0 && i < n; i++) {
		auto_row struct row row = ROW_INIT;

		r = ledger_row(
			c->writer, l[i].v.object, l[i].v.n, l[i].v.whole, &row);
		if (r < 0 || row.fresh)
			continue;
		ranges_remove(&row.present, l[i].from, l[i].to);
		if (l[i].v.whole)
			row.present.n = 0;
		ranges_copy(&l[i].keep, &row.present);
		row.serial = new_serial();
		r = ledger_put_row(c->writer, &row, c->files.block, 0);
	}
	if (r == 0)
		return ledger_commit(c->writer);
	ledger_rollback(c->writer);
	return r;
}

/* The file to punch, -1: there is none; what cannot be opened keeps its room. */
static int
open_to_punch(struct cache *c, const struct victim *v, int *fd)
{
	*fd = v->whole ? -1 : files_object(&c->files, &v->key, true);
	if (*fd >= 0 || v->whole)
		return 0;
	/* gone, or another's in its place */
	return *fd == -ENOENT || *fd == -EUCLEAN || *fd == -ELOOP ? 0 : *fd;
}

static int
punch(struct cache *c, struct loss *l, size_t n)
{
	int fd = -1, r = 0;

	for (size_t i = 0; i < n && r == 0; i++) {
		uint64_t base = (uint64_t)l[i].v.n * CACHE_SEGMENT;

		if (i == 0 || !same_object(&l[i], &l[i - 1])) {
			auto_close_(&fd);
			r = files_epoch_taken(&c->files, &l[i].v.key);
			if (r == 0)
				r = open_to_punch(c, &l[i].v, &fd);
		}
		if (r == 0 && fd >= 0)
			r = files_punch(&c->files, fd, base,
				base + CACHE_SEGMENT, &l[i].keep);
	}
	auto_close_(&fd);
	return r;
}

/* One row: shorter, or gone. */
static int
settle_row(struct cache *c, struct loss *l, uint64_t *freed)
{
	auto_row struct row row = ROW_INIT;
	int r = ledger_row(c->writer, l->v.object, l->v.n, l->v.whole, &row);
	int64_t before = row.bytes;

	if (r < 0 || row.fresh)
		return r;
	if (l->keep.n) {
		ranges_copy(&row.present, &l->keep);
		ranges_copy(&row.claimed, &l->keep);
		r = ledger_put_row(c->writer, &row, c->files.block, 0);
	} else {
		r = ledger_delete_row(c->writer, &row);
		if (r == 0 && l->v.whole)
			r = ledger_set_whole(c->writer, l->v.object, false);
	}
	*freed += (uint64_t)(before - row.bytes);
	return r;
}

/* The file of an object without rows is not needed. */
static int
drop_if_bare(struct cache *c, const struct loss *l)
{
	struct ledger_scope all = {
		.object = &l->v.key, .last = INT64_MAX, .pinned = true
	};
	struct victim v;
	size_t left;
	int r = ledger_rows(c->writer, &all, &v, 1, &left);

	if (r == 0 && left == 0)
		r = files_remove(&c->files, &l->v.key);
	if (r < 0 || left > 0)
		return r;
	return ledger_drop_if_bare(c->writer, l->v.object);
}

static int
settle(struct cache *c, struct loss *l, size_t n, uint64_t *freed)
{
	struct ledger_state *st;
	int r = ledger_begin(c->writer, &st);

	for (size_t i = 0; r == 0 && i < n; i++)
		r = settle_row(c, &l[i], freed);
	for (size_t i = 0; r == 0 && i < n; i++)
		if (i + 1 == n || !same_object(&l[i], &l[i + 1]))
			r = drop_if_bare(c, &l[i]);
	if (r == 0)
		return ledger_commit(c->writer);
	ledger_rollback(c->writer);
	return r;
}

/* A file system without holes: the objects go as a whole. */
static int
remove_all(struct cache *c, const struct loss *l, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct ledger_scope all = {
			.object = &l[i].v.key, .last = INT64_MAX, .pinned = true
		};
		struct loss rest[AT_ONCE] = { 0 };
		struct victim v[AT_ONCE];
		uint64_t freed = 0;
		size_t left = 0;
		int r;

		(void)files_remove(&c->files, &l[i].v.key);
		do {
			r = ledger_rows(c->writer, &all, v, AT_ONCE, &left);
			for (size_t k = 0; k < left; k++)
				rest[k].v = v[k];
			if (r == 0 && left > 0)
				r = settle(c, rest, left, &freed);
		} while (r == 0 && left > 0);
		if (r < 0)
			return r;
	}
	return 0;
}

int
evict_losses(struct cache *c, struct loss *l, size_t n, uint64_t *freed)
{
	uint64_t got = 0;
	int r = hide(c, l, n);

	if (r == 0 || r == -ENOSPC)
		r = punch(c, l, n);
	if (r == -EOPNOTSUPP)
		r = remove_all(c, l, n);
	if (r == 0)
		r = settle(c, l, n, &got);
	for (size_t i = 0; i < n; i++)
		ranges_release(&l[i].keep);
	if (freed)
		*freed += got;
	return r;
}

/* -- What was used longest ago ------------------------------------------- */

int
evict_free_space(const struct cache *c, int64_t set, uint64_t *free_bytes,
	uint64_t *min_free)
{
	struct statvfs v;

	if (fstatvfs(c->files.dir, &v) < 0)
		return -errno;
	*free_bytes = (uint64_t)v.f_bavail * v.f_frsize;
	*min_free = (uint64_t)v.f_blocks * v.f_frsize / MIN_FREE_PART;
	if (set >= 0)
		*min_free = (uint64_t)set;
	else if (*min_free > MIN_FREE_DEFAULT)
		*min_free = MIN_FREE_DEFAULT;
	return 0;
}

/* How much lacks for need more bytes. */
static int
count_excess(struct cache *c, uint64_t need, uint64_t *excess, uint64_t *slack)
{
	uint64_t used, disk, min_free, over = 0;
	struct ledger_state st;
	int r = ledger_state(c->writer, &st);

	if (r == 0)
		r = evict_free_space(c, st.min_free, &disk, &min_free);
	if (r < 0)
		return r;
	used = (uint64_t)st.bytes + ledger_room(c->writer, c->ledger_path) +
	       need;
	if (used > (uint64_t)st.limit)
		over = used - (uint64_t)st.limit;
	if (need && disk < min_free + need && over < min_free + need - disk)
		over = min_free + need - disk;
	if (over < c->pressure)
		over = c->pressure;
	*slack = (uint64_t)st.limit / SLACK_PART;
	c->batch_max = (size_t)((uint64_t)st.limit / BATCH_PART);
	*excess = over;
	return need > (uint64_t)st.limit / 2 ? -ENOSPC : 0;
}

/* The oldest rows until they make up `bytes`; returns how many. */
static int
evict_oldest(struct cache *c, uint64_t bytes, uint64_t *freed)
{
	struct loss l[AT_ONCE] = { 0 };
	struct victim v[AT_ONCE];
	uint64_t sum = 0;
	size_t n, k = 0;
	int r = ledger_oldest(c->writer, v, AT_ONCE, &n);

	if (r < 0)
		return r;
	for (; k < n && sum < bytes; k++) {
		l[k].v = v[k];
		l[k].to = UINT64_MAX;
		sum += (uint64_t)v[k].bytes;
	}
	r = k > 0 ? evict_losses(c, l, k, freed) : 0;
	return r < 0 ? r : (int)k;
}

int
evict_for(struct cache *c, uint64_t need)
{
	uint64_t excess, slack, freed = 0;
	int r = count_excess(c, need, &excess, &slack);

	if (r < 0 || excess == 0)
		return r;
	uses_note(c); /* what was read just now is not the oldest */
	while (freed < excess + slack) {
		r = evict_oldest(c, excess + slack - freed, &freed);
		if (r <= 0)
			break;
	}
	if (r >= 0)
		c->pressure = 0;
	if (r < 0)
		return r;
	return freed < excess ? -ENOSPC : 0;
}

/* -- Ranges of an object ------------------------------------------------- */

int
evict_range(struct cache *c, const struct key *k, uint64_t off, uint64_t len,
	bool pinned, uint64_t *freed)
{
	uint64_t to = len > INT64_MAX - off ? INT64_MAX : off + len;
	struct ledger_scope scope = { .object = k,
		.first = (int64_t)(off / CACHE_SEGMENT),
		.last = (int64_t)((to - 1) / CACHE_SEGMENT),
		.pinned = pinned };
	struct victim v[AT_ONCE];
	size_t n = AT_ONCE;
	int64_t object;
	bool whole;
	int r = ledger_find(c->writer, k, &object, &whole);

	if (r < 0)
		return r == -ENOENT ? 0 : r;
	if (whole)
		scope.first = 0;
	for (r = 0; r == 0 && n == AT_ONCE;) {
		struct loss l[AT_ONCE] = { 0 };

		r = ledger_rows(c->writer, &scope, v, AT_ONCE, &n);
		for (size_t i = 0; i < n; i++) {
			l[i] = (struct loss){
				.v = v[i], .from = off, .to = to
			};
			if (v[i].n >= scope.first)
				scope.first = v[i].n + 1;
		}
		if (r == 0 && n > 0)
			r = evict_losses(c, l, n, freed);
	}
	return r;
}
