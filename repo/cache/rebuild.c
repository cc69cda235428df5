/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The files are the truth about what takes room; the ledger can be made from
 * them.  Where a file has data, bytes were written, but a block holds more
 * than that: what is zero at both ends of a stretch of data is taken off, since
 * sealed bytes begin with a type and end in a tag.  Where this guesses wrong,
 * bytes do not verify and are fetched again.  Pins and limits are copied from
 * the damaged ledger as far as it can be read.
 */
#include "repo/cache/private.h"

#include <errno.h>
#include <unistd.h>
#include "repo/base/log.h"

/* File systems need some blocks for the map of a file in many pieces. */
#define AUDIT_SLACK (128u << 10)

/* -- What a file holds --------------------------------------------------- */

static uint64_t
trim_front(int fd, uint64_t from, uint64_t to, uint64_t block)
{
	auto_free uint8_t *b = xmalloc(block);
	uint64_t n = to - from < block ? to - from : block, i = 0;

	if (files_read(fd, from, b, n) < 0)
		return to;
	while (i < n && !b[i])
		i++;
	return from + i;
}

static uint64_t
trim_back(int fd, uint64_t from, uint64_t to, uint64_t block)
{
	auto_free uint8_t *b = xmalloc(block);
	uint64_t n = to - from < block ? to - from : block;

	if (files_read(fd, to - n, b, n) < 0)
		return from;
	while (n > 0 && !b[n - 1])
		n--, to--;
	return to;
}

static void
survey(const struct files *f, int fd, uint64_t size, struct ranges *present,
	struct ranges *claimed)
{
	off_t at = 0;

	while ((at = lseek(fd, at, SEEK_DATA)) >= 0 && (uint64_t)at < size) {
		off_t end = lseek(fd, at, SEEK_HOLE);
		uint64_t from = (uint64_t)at, to = (uint64_t)end;

		if (end <= at)
			break;
		ranges_add(claimed, from, to);
		from = trim_front(fd, from, to, f->block);
		to = trim_back(fd, from, to, f->block);
		ranges_add(present, from, to);
		at = end;
	}
}

/* -- Making it anew ------------------------------------------------------ */

static int
add_row(struct cache *c, int64_t object, int64_t n,
	const struct ranges *present, const struct ranges *claimed, bool whole)
{
	auto_row struct row row = ROW_INIT;
	uint64_t from = (uint64_t)n * CACHE_SEGMENT;
	uint64_t to = whole ? CACHE_WHOLE_MAX : from + CACHE_SEGMENT;
	int r = ledger_row(c->writer, object, n, whole, &row);

	if (r < 0)
		return r;
	ranges_copy(&row.present, present);
	ranges_clip(&row.present, from, to);
	ranges_copy(&row.claimed, claimed);
	ranges_clip(&row.claimed, from, to);
	random_bytes(&row.serial, sizeof(row.serial));
	if (!row.claimed.n || row.claimed.n > RANGES_MAX)
		return 0;
	row.rank = whole ? WHOLE_BONUS_MS : 0; /* nobody knows */
	return ledger_put_row(c->writer, &row, c->files.block, 0);
}

static int
add_rows(struct cache *c, int64_t object, const struct ranges *present,
	const struct ranges *claimed)
{
	int64_t done = -1;
	int r = 0;

	for (size_t i = 0; i < claimed->n; i++) {
		int64_t n = (int64_t)(claimed->r[i].from / CACHE_SEGMENT);
		int64_t last =
			(int64_t)((claimed->r[i].to - 1) / CACHE_SEGMENT);

		for (n = n > done ? n : done + 1; r == 0 && n <= last; n++) {
			r = add_row(c, object, n, present, claimed, false);
			done = n;
		}
	}
	return r;
}

static int
add_file(void *ctx, const struct key *k, int fd, const struct stat *st)
{
	auto_ranges struct ranges present = RANGES_INIT, claimed = RANGES_INIT;
	struct cache *c = ctx;
	uint64_t size = (uint64_t)st->st_size;
	bool whole = files_is_whole(st), known;
	int64_t object;
	int r = files_epoch_taken(&c->files, k);

	if (r < 0)
		return r;
	if (whole)
		ranges_add(&claimed, 0, size);
	else
		survey(&c->files, fd, size, &present, &claimed);
	/* empty, or from a file system that does not tell where holes are */
	if (!claimed.n || size > INT64_MAX / 2 ||
		(whole && size > CACHE_WHOLE_MAX) ||
		ranges_sum(&claimed) >
			(uint64_t)st->st_blocks * 512 + AUDIT_SLACK) {
		(void)files_remove(&c->files, k);
		return 0;
	}
	r = ledger_make(c->writer, k, &object, &known);
	if (r == 0)
		r = ledger_set_whole(c->writer, object, whole);
	if (r < 0)
		return r;
	return whole ? add_row(c, object, 0, &claimed, &claimed, true)
		     : add_rows(c, object, &present, &claimed);
}

static int
fill(struct cache *c)
{
	auto_free char *aside = ledger_aside(c->ledger_path);
	struct ledger_state *st;
	int r;

	ledger_salvage(c->writer, aside);
	r = ledger_begin(c->writer, &st);
	if (r == 0)
		r = files_each(&c->files, add_file, c);
	if (r == 0)
		return ledger_commit(c->writer);
	ledger_rollback(c->writer);
	return r;
}

static void
close_ledger(struct cache *c)
{
	ledger_close(c->writer);
	c->writer = NULL;
	auto_lock(&c->reading);
	ledger_close(c->reader);
	c->reader = NULL;
}

/* Another process has done it already. */
static bool
was_replaced(struct cache *c)
{
	return c->writer && access(c->ledger_path, F_OK) == 0 &&
	       !ledger_is_at(c->writer, c->ledger_path);
}

static int
open_new(struct cache *c, bool replaced, struct err *e)
{
	int r = replaced || access(c->ledger_path, F_OK) != 0
			? 0
			: ledger_set_aside(c->ledger_path);

	if (r < 0)
		return err_sys(e, -r, "cannot set %s aside", c->ledger_path);
	return ledger_open(c->ledger_path, true, &c->writer, e);
}

int
rebuild_ledger(struct cache *c, struct err *e)
{
	bool replaced = was_replaced(c);
	int r;

	close_ledger(c);
	r = open_new(c, replaced, e);
	if (r < 0)
		return r;
	c->damaged = false;
	objects_clear(&c->objects);
	if (replaced)
		return 0;
	r = fill(c);
	if (r < 0) {
		close_ledger(c);
		(void)unlink(c->ledger_path);
		return err_sys(e, -r, "cannot make the ledger of cache %s anew",
			c->files.path);
	}
	log_warn("cache %s: its ledger was damaged and has been made anew from "
		 "the files",
		c->files.path);
	return 0;
}

/* -- Audit --------------------------------------------------------------- */

/* Give back what no row of the object claims. */
static int
audit_object(struct cache *c, const struct key *k, const struct stat *st)
{
	auto_ranges struct ranges present = RANGES_INIT, claimed = RANGES_INIT;
	auto_close int fd = -1;
	int64_t object;
	bool whole;
	int r = ledger_find(c->writer, k, &object, &whole);

	if (r == 0)
		r = ledger_present(c->writer, object, &present, &claimed);
	if (r < 0 && r != -ENOENT)
		return r;
	if (!claimed.n)
		return files_remove(&c->files, k);
	if (whole ||
		(uint64_t)st->st_blocks * 512 <=
			ranges_blocks(&claimed, c->files.block) + AUDIT_SLACK)
		return 0;
	r = files_epoch_taken(&c->files, k);
	fd = r < 0 ? r : files_object(&c->files, k, true);
	return fd < 0 ? fd
		      : files_punch(&c->files, fd, 0, (uint64_t)st->st_size,
				&claimed);
}

static int
audit_file(void *ctx, const struct key *k, int fd, const struct stat *st)
{
	struct cache *c = ctx;
	struct stat now;
	int r = cache_enter(c, LOCK_WAIT_MS, NULL);

	(void)st;
	if (r < 0)
		return r;
	if (fstat(fd, &now) == 0 && now.st_nlink > 0)
		cache_checked(c, audit_object(c, k, &now));
	cache_leave(c);
	return 0;
}

void
rebuild_audit(struct cache *c)
{
	if (cache_enter(c, LOCK_WAIT_MS, NULL) < 0)
		return;
	cache_checked(c, ledger_recount(c->writer));
	files_tidy_tmp(&c->files);
	cache_leave(c);
	(void)files_each(&c->files, audit_file, c);
}
