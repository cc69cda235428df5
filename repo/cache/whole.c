/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whole objects: room for old and new is claimed, the new one is written to a
 * file in tmp/ and takes the name of the old one, then only the new one counts.
 * Its length is that of the file, so that a kill at any point leaves the old
 * or the new.
 */
#include "repo/cache/private.h"

#include <errno.h>
#include <string.h>

struct put {
	struct cache *c;
	const struct job *job;
	int64_t serial;
	char tmp[FILES_TMP_NAME];
	int fd;
};

/* The row of a whole object; what else there is of it has to go. */
static int
row_of(struct put *p, struct row *row)
{
	struct ledger *ix = p->c->writer;
	int64_t object;
	bool whole;
	int r = ledger_make(ix, &p->job->key, &object, &whole);

	if (r == 0 && !whole)
		r = ledger_set_whole(ix, object, true);
	return r < 0 ? r : ledger_row(ix, object, 0, true, row);
}

static int
claim_row(struct put *p, int64_t rank)
{
	auto_row struct row row = ROW_INIT;
	uint64_t old, block = p->c->files.block;
	int r = row_of(p, &row);

	if (r < 0)
		return r;
	old = ranges_blocks(&row.claimed, block);
	if (row.fresh)
		random_bytes(&row.serial, sizeof(row.serial));
	row.rank = rank + WHOLE_BONUS_MS;
	p->serial = row.serial;
	ranges_add(&row.claimed, 0, p->job->len);
	return ledger_put_row(p->c->writer, &row, block, old);
}

static int
claim(struct put *p)
{
	struct ledger *ix = p->c->writer;
	struct ledger_state *st;
	int64_t object;
	bool whole = true;
	int r = ledger_find(ix, &p->job->key, &object, &whole);

	if (r == 0 && !whole)
		r = evict_range(p->c, &p->job->key, 0, INT64_MAX, true, NULL);
	if (r == 0 || r == -ENOENT)
		r = evict_for(p->c, p->job->len + p->c->files.block);
	if (r == 0)
		r = ledger_begin(ix, &st);
	if (r < 0)
		return r;
	r = claim_row(p, st->rank);
	if (r == 0)
		return ledger_commit(ix);
	ledger_rollback(ix);
	return r;
}

static int
name_it(struct put *p)
{
	auto_row struct row row = ROW_INIT;
	int r = row_of(p, &row);

	if (r == 0 && (row.fresh || row.serial != p->serial))
		r = -EAGAIN; /* given up meanwhile */
	if (r == 0)
		r = files_tmp_name(&p->c->files, p->tmp, p->fd, &p->job->key);
	if (r < 0)
		return r;
	row.claimed.n = row.present.n = 0;
	ranges_add(&row.claimed, 0, p->job->len);
	ranges_add(&row.present, 0, p->job->len);
	return ledger_put_row(p->c->writer, &row, p->c->files.block, 0);
}

static int
publish(struct put *p)
{
	struct ledger_state *st;
	int r = ledger_begin(p->c->writer, &st);

	if (r < 0)
		return r;
	r = name_it(p);
	if (r < 0) {
		ledger_rollback(p->c->writer);
		return r;
	}
	r = ledger_commit(p->c->writer);
	return r < 0 ? r : files_epoch_taken(&p->c->files, &p->job->key);
}

static int
under_lock(struct put *p, int (*step)(struct put *p))
{
	int r = cache_enter(p->c, LOCK_WAIT_COMMAND_MS, NULL);

	if (r < 0)
		return r;
	r = cache_checked(p->c, step(p));
	cache_leave(p->c);
	return r;
}

static int
put(struct put *p)
{
	int r = under_lock(p, claim);

	if (r < 0)
		return r;
	p->fd = files_tmp(&p->c->files, p->tmp);
	if (p->fd < 0)
		return p->fd;
	r = files_write(p->fd, 0, p->job->data, p->job->len);
	if (r == 0)
		r = under_lock(p, publish);
	if (r < 0)
		files_tmp_remove(&p->c->files, p->tmp);
	return r;
}

void
whole_put(struct cache *c, const struct job *j)
{
	struct put p = { .c = c, .job = j, .fd = -1 };
	int r = put(&p);

	auto_close_(&p.fd);
	if (r == -ENOSPC || r == -EDQUOT)
		c->pressure += j->len;
	if (r < 0)
		queue_failed(c, r, "cannot keep an object");
	*(r < 0 ? &c->dropped : &c->written) += j->len;
}
