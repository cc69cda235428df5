/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "repo/foreign/litestream03/database.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include "repo/base/buf.h"
#include "repo/base/clock.h"
#include "repo/foreign/litestream03/pages.h"
#include "repo/foreign/litestream03/vouch.h"
#include "repo/sqlite/database_view.h"
#include "repo/sqlite/header.h"

#define MODE 0444
#define READ_MAX (256u << 10)

struct state {
	struct database database;
	struct ls03 *r;
	struct ls03_timeline *t;
	struct ls03_object base; /* the snapshot */
	struct ls03_pages pages;
	uint32_t unit; /* page size, or what stands for it */
	pthread_mutex_t lock;
	struct ls03_snapshot *snapshot; /* NULL: not opened; guarded by lock,
					 * for good once it is set */
};

/* -- The snapshot --------------------------------------------------------- */

static void
drop_snapshot(struct ls03_snapshot **s)
{
	if (*s)
		ls03_snapshot_release(*s);
	free(*s);
}

static struct ls03_snapshot *
opened(struct state *x, struct ls03_snapshot **new)
{
	auto_lock(&x->lock);

	if (!x->snapshot && new)
		x->snapshot = steal(*new);
	return x->snapshot;
}

/* *s is borrowed from x. */
static int
get_snapshot(struct state *x, struct ls03_snapshot **s, struct err *e)
{
	AUTO(drop_snapshot) struct ls03_snapshot *new = NULL;
	uint32_t page_size = x->pages.page_size;
	int rc;

	*s = opened(x, NULL);
	if (*s)
		return 0;
	new = xcalloc(1, sizeof(*new));
	rc = ls03_snapshot_open(x->r, x->t->generation, &x->base, new, e);
	if (rc < 0)
		return rc;
	if (page_size > 0 && new->size % page_size != 0)
		return err_set(e, EUCLEAN,
			"%s is not a number of pages of %u bytes", new->name,
			page_size);
	rc = ls03_vouch(x->r, x->t, new, e);
	if (rc == 0)
		*s = opened(x, &new);
	return rc;
}

/* -- Reading -------------------------------------------------------------- */

/* The piece of the snapshot that was read last. */
struct piece {
	uint8_t *buf; /* NULL: none */
	uint64_t number;
	size_t len;
};

static int
read_base(struct state *x, uint64_t off, uint8_t *to, size_t len,
	struct piece *piece, struct err *e)
{
	struct ls03_snapshot *s;
	size_t at = (size_t)(off % KEPT_PIECE), n = 0;
	int rc = get_snapshot(x, &s, e);

	if (rc == 0 && (!piece->buf || piece->number != off / KEPT_PIECE)) {
		free(piece->buf);
		piece->buf = xmalloc(KEPT_PIECE);
		piece->number = off / KEPT_PIECE;
		rc = ls03_snapshot_piece(
			s, piece->number, piece->buf, &piece->len, e);
	}
	if (rc < 0) {
		free(steal(piece->buf));
		return rc;
	}
	if (piece->len > at)
		n = piece->len - at < len ? piece->len - at : len;
	memcpy(to, piece->buf + at, n);
	memset(to + n, 0, len - n);
	return 0;
}

static int
read_frame(struct state *x, const struct ls03_place *place, size_t at,
	uint8_t *to, size_t len, struct err *e)
{
	uint32_t page_size = x->pages.page_size;
	auto_free uint8_t *page = xmalloc(page_size);
	int rc = ls03_log_page(
		x->r, x->t, place->segment, place->frame, page_size, page, e);

	if (rc == 0)
		memcpy(to, page + at, len);
	return rc;
}

/* A part of one page. */
static int
read_part(struct state *x, uint64_t off, uint8_t *to, size_t len,
	struct piece *piece, struct err *e)
{
	uint32_t pgno = (uint32_t)(off / x->unit) + 1;
	const struct ls03_place *place = ls03_pages_find(&x->pages, pgno);

	if (place)
		return read_frame(x, place, off % x->unit, to, len, e);
	if (pgno <= x->pages.base_pages)
		return read_base(x, off, to, len, piece, e);
	memset(to, 0, len);
	return 0;
}

static int
state_read(struct database *d, uint64_t off, size_t len, struct view_data *data,
	struct err *e)
{
	struct state *x = (struct state *)d;
	struct piece piece = { .buf = NULL };
	auto_free uint8_t *buf = NULL;
	int rc = 0;

	if (len > READ_MAX)
		len = READ_MAX;
	buf = xmalloc(len);
	for (size_t at = 0, n; at < len && rc == 0; at += n) {
		n = x->unit - (off + at) % x->unit;
		if (n > len - at)
			n = len - at;
		rc = read_part(x, off + at, buf + at, n, &piece, e);
	}
	free(piece.buf);
	if (rc < 0)
		return rc;
	*data = (struct view_data){ .n = 1, .len = len, .release_owner = free };
	data->iov[0] = (struct iovec){ .iov_base = buf, .iov_len = len };
	data->owner[0] = steal(buf);
	return 0;
}

static void
state_free(struct database *d)
{
	struct state *x = (struct state *)d;

	drop_snapshot(&x->snapshot);
	ls03_pages_release(&x->pages);
	ls03_timeline_put(x->t);
	ls03_put(x->r);
	pthread_mutex_destroy(&x->lock);
	free(d->name);
	free(x);
}

static const struct database_ops state_ops = {
	.read = state_read,
	.free = state_free,
};

/* -- Opening -------------------------------------------------------------- */

/* The logs before the state's own, from the snapshot's on. */
static int
add_whole_logs(struct state *x, uint32_t last, struct err *e)
{
	int rc = 0;

	ls03_log_load_ahead(x->r, x->t, x->base.index, last);
	for (uint32_t i = x->base.index; i < last && rc == 0; i++) {
		auto_ls03_log struct ls03_log log = { .page_size = 0 };
		size_t from, to;

		ls03_timeline_log(x->t, i, &from, &to);
		rc = ls03_log_load(x->r, x->t, i, to, &log, e);
		if (rc == 0)
			rc = ls03_pages_add(
				&x->pages, &log, log.n_frames, true, e);
	}
	return rc;
}

/* The state's own log, which is not the snapshot's. */
static int
add_last_log(struct state *x, uint32_t index, size_t end, struct err *e)
{
	auto_ls03_log struct ls03_log log = { .page_size = 0 };
	int rc = ls03_log_load(x->r, x->t, index, end, &log, e);

	return rc < 0 ? rc
		      : ls03_pages_add(&x->pages, &log, log.n_frames, false, e);
}

/* Look at the snapshot itself: how many frames of its log it needs. */
static int
look_at_snapshot(struct state *x, const struct ls03_log *log, size_t n,
	size_t *needed, bool *doubtful, struct err *e)
{
	struct ls03_snapshot *s;
	int rc = get_snapshot(x, &s, e);

	if (rc < 0)
		return rc;
	return ls03_database_settle(x->r, x->t, log, s, n, needed, doubtful, e);
}

/* The log of the snapshot's own index.  1: the snapshot is of a later state, by
 * what it holds, or may be. */
static int
add_own_log(struct state *x, size_t end, bool last_resort, struct err *e)
{
	auto_ls03_log struct ls03_log log = { .page_size = 0 };
	struct err why = ERR_INIT;
	size_t first, to, n, needed, until;
	bool settled, doubtful = false;
	int rc;

	until = ls03_timeline_may_hold(x->t, &x->base, end, &settled);
	ls03_timeline_log(x->t, x->base.index, &first, &to);
	if (until == first)
		return 0; /* no log at all */
	rc = ls03_log_load(x->r, x->t, x->base.index, until, &log, &why);
	if (rc < 0 && rc != -EINTR && until > end) {
		/* what comes later is damaged */
		if (!last_resort)
			return 1;
		rc = end == first ? err_set(&why, EUCLEAN, "%s", why.text)
				  : ls03_log_load(x->r, x->t, x->base.index,
					    end, &log, &why);
	}
	if (rc < 0)
		return err_set(e, -rc, "%s", why.text);
	needed = n = ls03_log_frames_before(&log, end);
	x->pages.page_size = log.page_size;
	if (log.n_frames > n || !settled)
		rc = look_at_snapshot(x, &log, n, &needed, &doubtful, e);
	if (!last_resort && (doubtful || (rc == -EUCLEAN && !settled)))
		return 1;
	return rc < 0 ? rc : ls03_pages_add(&x->pages, &log, needed, false, e);
}

static int
add_logs(struct state *x, size_t state, bool last_resort, struct err *e)
{
	uint32_t index = ls03_timeline_index(x->t, state);
	size_t end = ls03_timeline_end(x->t, state);
	int rc;

	if (index == x->base.index)
		return add_own_log(x, end, last_resort, e);
	rc = add_whole_logs(x, index, e);
	return rc < 0 ? rc : add_last_log(x, index, end, e);
}

/* Size and page size of what no log says them of. */
static int
ask_snapshot(struct state *x, struct err *e)
{
	uint8_t *head = NULL;
	struct sqlite_header h;
	struct ls03_snapshot *s;
	size_t len = 0;
	int rc = get_snapshot(x, &s, e);

	if (rc < 0)
		return rc;
	x->database.size = s->size;
	if (x->pages.page_size > 0)
		return 0;
	head = xmalloc(KEPT_PIECE);
	rc = ls03_snapshot_piece(s, 0, head, &len, e);
	if (rc == 0 && len >= SQLITE_HEADER_LEN &&
		sqlite_header_decode(head, &h, NULL) == 0)
		x->pages.page_size = h.page_size;
	free(head);
	return rc;
}

static int
work_out(struct state *x, size_t state, bool last_resort, struct err *e)
{
	struct database *d = &x->database;
	int rc = add_logs(x, state, last_resort, e);

	if (rc == 0 && x->pages.n_pages == LS03_PAGES_UNKNOWN)
		rc = ask_snapshot(x, e);
	else
		d->size = (uint64_t)x->pages.n_pages * x->pages.page_size;
	if (rc != 0)
		return rc;
	ls03_pages_end(&x->pages);
	d->page_size = x->pages.page_size;
	x->unit = d->page_size ? d->page_size : KEPT_PIECE;
	return 0;
}

static struct timespec
time_of(int64_t ns)
{
	int64_t past = ns % NS_PER_S;

	past += past < 0 ? NS_PER_S : 0;
	return (struct timespec){ .tv_sec = (ns - past) / NS_PER_S,
		.tv_nsec = past };
}

static struct state *
new_state(struct ls03 *r, struct ls03_timeline *t, size_t state, size_t base)
{
	struct state *x = xcalloc(1, sizeof(*x));

	x->database = (struct database){ .ops = &state_ops,
		.name = xstrdup(r->name),
		.mtime = time_of(t->states[state].time_ns),
		.mode = MODE,
		.uid = geteuid(),
		.gid = getegid() };
	x->r = ls03_get(r);
	x->t = ls03_timeline_get(t);
	x->base = t->snapshots[t->states[base].at];
	x->pages = (struct ls03_pages)LS03_PAGES_INIT;
	pthread_mutex_init(&x->lock, NULL);
	return x;
}

int
ls03_database_open(struct ls03 *r, struct ls03_timeline *t, size_t state,
	struct view **view, struct err *e)
{
	size_t base = ls03_timeline_base(t, state);
	bool first = t->states[base].at == 0;
	struct state *x = new_state(r, t, state, base);
	int rc = work_out(x, state, first, e);

	if (rc > 0) { /* then the snapshot before that one */
		state_free(&x->database);
		base = ls03_timeline_base(t, base - 1);
		x = new_state(r, t, state, base);
		rc = work_out(x, state, true, e);
	}
	if (rc < 0) {
		state_free(&x->database);
		return rc;
	}
	return database_view_new(&x->database, view, e);
}

void
ls03_database_root_at(int64_t time_ns, struct view_attr *a)
{
	struct timespec mtime = time_of(time_ns);

	*a = (struct view_attr){ .node = VIEW_ROOT,
		.ino = VIEW_ROOT,
		.mtime = mtime,
		.ctime = mtime,
		.mode = S_IFDIR | MODE | (MODE & 0444) >> 2,
		.uid = geteuid(),
		.gid = getegid(),
		.nlink = 2 };
}
