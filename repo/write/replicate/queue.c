/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Records are appended to the newest file, in place of whatever a failed call
 * left behind the last commit.  A new file is begun when one is full, at a
 * cut; the one before is synced first, so only the newest can be torn.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>
#include "repo/base/auto.h"
#include "repo/crypto/keyring.h"
#include "repo/write/replicate/queue_private.h"

/* A new file is begun behind so many bytes, or, when all of it is stored,
 * behind these; or parts of the limit, if that is small. */
#define FILE_LEN (64u << 20)
#define FILE_EMPTY (8u << 20)

static int
lock_directory(struct queue *q, struct err *e)
{
	q->dir_fd = open(q->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (q->dir_fd < 0)
		return err_sys(e, errno, "%s", q->dir);
	q->lock_fd =
		openat(q->dir_fd, "lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (q->lock_fd < 0)
		return err_sys(e, errno, "%s/lock", q->dir);
	if (flock(q->lock_fd, LOCK_EX | LOCK_NB) && errno == EWOULDBLOCK)
		return err_set(e, EBUSY,
			"%s is in use by another process: "
			"one replicates a database",
			q->dir);
	return 0;
}

int
queue_open(const char *dir, uint64_t limit, struct queue **q, struct err *e)
{
	auto_queue struct queue *p = xcalloc(1, sizeof(*p));
	int r;

	pthread_mutex_init(&p->lock, NULL);
	p->dir = xstrdup(dir);
	p->dir_fd = p->lock_fd = p->fd = -1;
	p->limit = limit;
	p->filling = 1;
	r = lock_directory(p, e);
	if (!r)
		r = queue_recover(p, e);
	if (r)
		return r;
	*q = steal(p);
	return 0;
}

void
queue_free(struct queue *q)
{
	if (!q)
		return;
	if (q->fd >= 0)
		close(q->fd);
	if (q->lock_fd >= 0)
		close(q->lock_fd);
	if (q->dir_fd >= 0)
		close(q->dir_fd);
	free(q->units);
	free(q->dir);
	pthread_mutex_destroy(&q->lock);
	free(q);
}

bool
queue_is_begun(struct queue *q)
{
	auto_lock(&q->lock);
	return q->begun;
}

/* -- Files ------------------------------------------------------------------
 */

static int
full(struct err *e)
{
	return err_set(e, ENOSPC, "the queue is full");
}

static int
sync_all(struct queue *q, struct err *e)
{
	if (q->fd >= 0 && fdatasync(q->fd))
		return err_sys(e, errno, "%s", q->dir);
	return 0;
}

/* Begin a file with what is known now. */
static int
begin_file(struct queue *q, const struct queue_start *s, struct err *e)
{
	auto_free char *name = queue_file_name(q->file + 1);
	auto_buf struct buf b = BUF_INIT;
	struct queue_mark end = { .off = 0 };
	auto_close int fd = openat(
		q->dir_fd, name, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	int r;

	if (fd < 0)
		return err_sys(e, errno, "%s/%s", q->dir, name);
	buf_append(&b, s->lineage, QUEUE_LINEAGE_LEN);
	position_encode(&s->at, &b);
	buf_be64(&b, s->unit);
	r = queue_file_append(fd, &end, QUEUE_START, &b, e);
	if (!r && (fdatasync(fd) || fsync(q->dir_fd)))
		r = err_sys(e, errno, "%s/%s", q->dir, name);
	if (r) {
		unlinkat(q->dir_fd, name, 0);
		return r;
	}
	if (q->fd >= 0)
		close(q->fd);
	q->fd = steal_fd(fd);
	q->file++;
	q->old_bytes += q->end.off;
	q->start = *s;
	q->end = q->committed = q->cut = end;
	return 0;
}

/* Remove the files that no unit needs; call at a cut. */
static void
tidy(struct queue *q)
{
	queue_files_remove(q, q->n_units ? q->units[0].file : q->file);
}

static int
maybe_begin_file(struct queue *q, struct err *e)
{
	uint64_t len = q->n_units ? FILE_LEN : FILE_EMPTY;
	uint64_t part = q->n_units ? q->limit / 4 : q->limit / 16;
	struct queue_start s = q->start;
	int r;

	if (q->dirty || q->committed.off != q->end.off ||
		q->end.off < (len < part ? len : part))
		return 0;
	s.at = q->last;
	s.unit = q->filling - 1;
	r = sync_all(q, e);
	if (!r)
		r = begin_file(q, &s, e);
	if (!r)
		tidy(q);
	return r;
}

int
queue_begin(struct queue *q, const struct position *at, struct err *e)
{
	struct queue_start s = { .at = *at };
	int r;

	auto_lock(&q->lock);
	random_bytes(s.lineage, sizeof(s.lineage));
	r = begin_file(q, &s, e);
	if (r)
		return r;
	q->begun = true;
	q->dirty = q->pages = false;
	q->n_units = 0;
	q->last = *at;
	q->filling = 1;
	tidy(q);
	return 0;
}

int
queue_drop(struct queue *q, struct err *e)
{
	auto_lock(&q->lock);
	if (q->fd >= 0)
		close(q->fd);
	q->fd = -1;
	q->begun = q->dirty = q->pages = false;
	q->n_units = 0;
	q->old_bytes += q->end.off;
	q->end = q->committed = q->cut = (struct queue_mark){ .off = 0 };
	queue_files_remove(q, q->file + 1);
	q->old_bytes = 0;
	if (fsync(q->dir_fd))
		return err_sys(e, errno, "%s", q->dir);
	return 0;
}

void
queue_last(struct queue *q, struct position *p)
{
	auto_lock(&q->lock);
	*p = q->last;
}

void
queue_lineage(struct queue *q, uint8_t lineage[QUEUE_LINEAGE_LEN])
{
	auto_lock(&q->lock);
	memcpy(lineage, q->start.lineage, QUEUE_LINEAGE_LEN);
}

/* -- Adding ------------------------------------------------------------------
 */

static int
append(struct queue *q, enum queue_type type, const struct buf *b,
	struct err *e)
{
	if (q->old_bytes + q->end.off + b->len > q->limit)
		return full(e);
	return queue_file_append(q->fd, &q->end, type, b, e);
}

int
queue_pages(struct queue *q, uint32_t page_size, const uint32_t *pgno,
	uint32_t n, const void *pages, struct err *e)
{
	auto_buf struct buf b = BUF_INIT;

	buf_be32(&b, page_size);
	buf_be32(&b, n);
	for (uint32_t i = 0; i < n; i++)
		buf_be32(&b, pgno[i]);
	if (n % 2)
		buf_be32(&b, 0);
	buf_append(&b, pages, (size_t)n * page_size);
	auto_lock(&q->lock);
	q->pages = true;
	return append(q, QUEUE_PAGES, &b, e);
}

int
queue_commit(struct queue *q, const struct position *p, struct err *e)
{
	auto_buf struct buf b = BUF_INIT;
	int r;

	position_encode(p, &b);
	auto_lock(&q->lock);
	r = append(q, QUEUE_COMMIT, &b, e);
	if (r)
		return r;
	q->committed = q->end;
	q->last = *p;
	q->dirty |= q->pages;
	q->pages = false;
	return 0;
}

void
queue_rollback(struct queue *q)
{
	auto_lock(&q->lock);
	q->end = q->committed;
	q->pages = false;
	/* what is left of it does not verify behind what comes next */
	if (q->fd >= 0 && ftruncate(q->fd, (off_t)q->end.off))
		return;
}

int
queue_cut(struct queue *q, uint64_t *unit, struct err *e)
{
	auto_buf struct buf b = BUF_INIT;
	int r = 0;

	auto_lock(&q->lock);
	if (q->dirty) {
		struct queue_unit_place p = { .number = q->filling,
			.file = q->file,
			.from = q->cut,
			.to = q->committed.off,
			.at = q->last };

		buf_be64(&b, q->filling);
		q->end = q->committed;
		r = queue_file_append(q->fd, &q->end, QUEUE_CUT, &b, e);
		if (r)
			return r;
		queue_unit_add(q, &p);
		q->filling++;
		q->committed = q->cut = q->end;
		q->dirty = false;
		r = maybe_begin_file(q, e);
	}
	if (unit)
		*unit = q->filling - 1;
	return r;
}

int
queue_sync(struct queue *q, struct err *e)
{
	auto_lock(&q->lock);
	return sync_all(q, e);
}

/* -- Taking ------------------------------------------------------------------
 */

struct taking {
	struct queue_unit *u;
	size_t cap;
};

static int
take_pages(void *ctx, const struct queue_record *r,
	const struct queue_mark *behind, struct err *e)
{
	struct taking *t = ctx;
	struct queue_unit *u = t->u;
	uint32_t page_size, n;
	const uint8_t *pgno;
	size_t at;
	int err;

	(void)behind;
	if (r->type != QUEUE_PAGES)
		return 0;
	err = queue_pages_decode(r, &page_size, &n, &pgno, &at, e);
	if (err)
		return err;
	if (page_size != u->at.page_size)
		return err_set(e, EUCLEAN, "the queue contradicts itself");
	while (u->n + n > t->cap) {
		t->cap = t->cap * 2 + 256;
		u->pages = xrealloc(u->pages, t->cap * sizeof(*u->pages));
	}
	for (uint32_t i = 0; i < n; i++)
		u->pages[u->n++] = (struct queue_page){
			.pgno = get_be32(pgno + 4 * (size_t)i),
			.off = r->off + at + (uint64_t)i * page_size,
		};
	return 0;
}

/* By number, the newest (the highest offset) first. */
static int
by_number(const void *a, const void *b)
{
	const struct queue_page *x = a, *y = b;

	if (x->pgno != y->pgno)
		return x->pgno < y->pgno ? -1 : 1;
	return (x->off < y->off) - (x->off > y->off);
}

static void
keep_newest(struct queue_unit *u)
{
	size_t n = 0;

	if (u->n)
		qsort(u->pages, u->n, sizeof(*u->pages), by_number);
	for (size_t i = 0; i < u->n; i++)
		if (u->pages[i].pgno <= u->at.pages &&
			(!n || u->pages[n - 1].pgno != u->pages[i].pgno))
			u->pages[n++] = u->pages[i];
	u->n = n;
}

/* The place of the oldest unit, and its file opened. */
static int
oldest_place(struct queue *q, struct queue_unit_place *p, struct err *e)
{
	auto_free char *name = NULL;
	int fd;

	auto_lock(&q->lock);
	if (!q->n_units)
		return err_set(e, ENOENT, "nothing waits");
	*p = q->units[0];
	name = queue_file_name(p->file);
	fd = openat(q->dir_fd, name, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, errno, "%s/%s", q->dir, name);
	return fd;
}

int
queue_oldest(struct queue *q, struct queue_unit *u, struct err *e)
{
	struct queue_unit_place p;
	struct taking t = { .u = u };
	int fd = oldest_place(q, &p, e), r;

	*u = (struct queue_unit){ .fd = fd };
	if (fd < 0)
		return fd;
	u->number = p.number;
	u->at = p.at;
	r = queue_file_scan(fd, &p.from, p.to, take_pages, &t, e);
	if (!r && p.from.off != p.to)
		r = err_set(e, EBADMSG, "%s: what waits there does not verify",
			q->dir);
	if (r)
		queue_unit_release(u);
	else
		keep_newest(u);
	return r;
}

int
queue_unit_read(const struct queue_unit *u, size_t i, void *page, struct err *e)
{
	ssize_t n = pread(u->fd, page, u->at.page_size, (off_t)u->pages[i].off);

	if (n == (ssize_t)u->at.page_size)
		return 0;
	return err_sys(e, n < 0 ? errno : EBADMSG, "cannot read the queue");
}

void
queue_unit_release(struct queue_unit *u)
{
	if (u->fd >= 0)
		close(u->fd);
	free(u->pages);
	*u = (struct queue_unit){ .fd = -1 };
}

int
queue_remove(struct queue *q, uint64_t unit, struct err *e)
{
	size_t n = 0;
	int r;

	auto_lock(&q->lock);
	while (n < q->n_units && q->units[n].number <= unit)
		n++;
	q->n_units -= n;
	if (n && q->n_units)
		memmove(q->units, q->units + n, q->n_units * sizeof(*q->units));
	r = q->begun ? maybe_begin_file(q, e) : 0;
	tidy(q);
	return r;
}

static uint64_t
bytes_waiting(const struct queue *q)
{
	if (!q->n_units)
		return q->dirty ? q->committed.off - q->cut.off : 0;
	if (q->units[0].file == q->file)
		return q->end.off - q->units[0].from.off;
	return q->old_bytes + q->end.off;
}

void
queue_stats(struct queue *q, struct queue_stats *s)
{
	auto_lock(&q->lock);
	*s = (struct queue_stats){
		.bytes = bytes_waiting(q),
		.units = q->n_units,
		.last = q->filling - 1,
		.open = q->dirty,
		.since_ns = q->n_units ? q->units[0].at.time_ns
			    : q->dirty ? q->last.time_ns
				       : 0,
	};
}
