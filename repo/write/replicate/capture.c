/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The database's own descriptor is opened once and closed only after every
 * connection to it: closing any descriptor of a file drops all locks that the
 * process has on it.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "repo/base/auto.h"
#include "repo/base/clock.h"
#include "repo/sqlite/header.h"
#include "repo/write/replicate/capture.h"
#include "repo/write/replicate/capture_private.h"

#define LOCKED_NS_MAX (50 * 1000000LL) /* the writer's lock, as promised */
#define REST_FACTOR 10		       /* then it is not for so much longer */
#define AGAIN_NS NS_PER_S	       /* between attempts that were in vain */
#define ROUNDS 6		       /* of copying before it is locked */
#define OTHERS_NS (10 * NS_PER_S)
/* Two changes of a file further apart than this never have the same time. */
#define TICK_NS (20 * 1000000LL)

struct capture {
	char *path;
	struct queue *q;
	struct guard *guard;
	struct wal_log log;
	int db_fd; /* or -1 */
	struct position last;
	struct wal_index index; /* that led to last */
	bool proven; /* last led to what is held */
	bool took;   /* in the call under way: there was something */
	bool sync;   /* likewise: to be made durable */
	bool copies; /* likewise: it copies the log */
	struct pages *base;
	struct capture_stats stats;
	int64_t not_before_ns;
	int64_t others_ns; /* when somebody else was seen to copy the log */
};

struct capture *
capture_new(const char *path, struct queue *q)
{
	struct capture *c = xcalloc(1, sizeof(*c));

	c->path = xstrdup(path);
	c->q = q;
	c->guard = guard_new(path);
	c->db_fd = -1;
	wal_log_init(&c->log, path);
	return c;
}

void
capture_free(struct capture *c)
{
	if (!c)
		return;
	capture_rest(c);
	guard_free(c->guard);
	wal_log_release(&c->log);
	if (c->db_fd >= 0)
		close(c->db_fd);
	free(c->path);
	free(c);
}

bool
capture_holds(const struct capture *c)
{
	return guard_is_held(c->guard);
}

void
capture_rest(struct capture *c)
{
	capture_base_end(c);
	guard_close(c->guard);
	c->proven = false;
}

/* -- Which file --------------------------------------------------------------
 */

static int
stale(struct capture *c, const char *why, struct err *e)
{
	return err_set(e, ESTALE, "%s %s", c->path, why);
}

/* The descriptor is of the file that has the name now; not while connections
 * are open. */
static int
open_database(struct capture *c, struct err *e)
{
	struct stat now, ours;

	if (stat(c->path, &now))
		return err_sys(e, errno, "%s", c->path);
	if (!S_ISREG(now.st_mode))
		return err_set(e, EINVAL, "%s is not a regular file", c->path);
	if (c->db_fd >= 0 && !fstat(c->db_fd, &ours) &&
		ours.st_dev == now.st_dev && ours.st_ino == now.st_ino)
		return 0;
	if (c->db_fd >= 0)
		close(c->db_fd);
	c->db_fd = open(c->path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	return c->db_fd < 0 ? err_sys(e, errno, "%s", c->path) : 0;
}

/* What is held is still what has the names. */
static int
check_files(struct capture *c, struct err *e)
{
	struct stat now, ours;

	if (stat(c->path, &now))
		return errno == ENOENT ? stale(c, "was removed", e)
				       : err_sys(e, errno, "%s", c->path);
	if (fstat(c->db_fd, &ours))
		return err_sys(e, errno, "%s", c->path);
	if (ours.st_dev != now.st_dev || ours.st_ino != now.st_ino)
		return stale(c, "was replaced", e);
	if (c->log.fd >= 0 &&
		(stat(c->log.path, &now) || fstat(c->log.fd, &ours) ||
			ours.st_ino != now.st_ino))
		return stale(c, "has lost its write-ahead log", e);
	return 0;
}

int
capture_stat(const struct capture *c, struct stat *st, struct err *e)
{
	if (c->db_fd < 0 || fstat(c->db_fd, st))
		return err_sys(e, c->db_fd < 0 ? EBADF : errno, "%s", c->path);
	return 0;
}

/* -- The index, and where it leads -------------------------------------------
 */

/* An index whose log has never been used says neither the page size nor how
 * many pages there are: the file does. */
static int
complete(struct capture *c, struct wal_index *ix, struct err *e)
{
	uint8_t head[SQLITE_HEADER_LEN];
	struct sqlite_header h;
	struct stat st;
	int r;

	if (ix->frames)
		return 0;
	if (pread(c->db_fd, head, sizeof(head), 0) != sizeof(head) ||
		fstat(c->db_fd, &st))
		return err_set(e, EUCLEAN, "%s is empty", c->path);
	r = sqlite_header_decode(head, &h, e);
	if (r)
		return err_prefix(e, "%s", c->path);
	ix->page_size = h.page_size;
	ix->pages = (uint32_t)((uint64_t)st.st_size / h.page_size);
	return 0;
}

static int
index_now(struct capture *c, struct wal_index *ix, struct err *e)
{
	int r = guard_index(c->guard, ix, e);

	return r ? r : complete(c, ix, e);
}

/* What an index says, as a position. */
static struct position
position_of(struct capture *c, const struct wal_index *ix)
{
	struct position p = { .page_size = ix->page_size,
		.pages = ix->pages,
		.salt = { ix->salt[0], ix->salt[1] },
		.frames = ix->frames,
		.sum = { ix->sum[0], ix->sum[1] },
		.big_endian = ix->big_endian,
		.time_ns = clock_wall_ns() };
	struct stat st;

	if (!fstat(c->db_fd, &st)) {
		p.dev = st.st_dev;
		p.ino = st.st_ino;
		if (ix->copied >= ix->frames)
			p.copied_ns = st.st_ctim.tv_sec * NS_PER_S +
				      st.st_ctim.tv_nsec;
	}
	return p;
}

/*
 * After a time without holding.  Either the log is the one that it was, and
 * goes on from there; or all of the log was in the file then and the file has
 * not been changed since, so that no log can have come and gone: then the one
 * that is there now is the next, from its beginning.
 */
static int
prove(struct capture *c, struct position *last, const struct wal_index *ix,
	struct err *e)
{
	struct stat st;

	if (fstat(c->db_fd, &st))
		return err_sys(e, errno, "%s", c->path);
	if (st.st_dev != last->dev || st.st_ino != last->ino)
		return stale(c, "is not the file it was", e);
	if (ix->page_size != last->page_size)
		return stale(c, "has other pages than before", e);
	if (!memcmp(ix->salt, last->salt, sizeof(ix->salt)) &&
		(last->salt[0] || last->salt[1])) {
		if (ix->frames < last->frames)
			return stale(c, "lost commits of its log", e);
		return wal_log_leads_to(&c->log, last, e);
	}
	if (!last->copied_ns || last->time_ns - last->copied_ns < TICK_NS ||
		last->copied_ns !=
			st.st_ctim.tv_sec * NS_PER_S + st.st_ctim.tv_nsec)
		return stale(c, "went on while nobody looked", e);
	last->frames = 0;
	memcpy(last->salt, ix->salt, sizeof(ix->salt));
	return 0;
}

/* -- Taking ------------------------------------------------------------------
 */

static int
take_frame(void *ctx, uint32_t frame, uint32_t pgno, const uint8_t *page,
	struct err *e)
{
	(void)frame;
	return batch_add(ctx, pgno, page, e);
}

static bool
is_same(const struct position *p, const struct wal_index *ix)
{
	return p->frames == ix->frames &&
	       !memcmp(p->salt, ix->salt, sizeof(p->salt));
}

static int
take_log(struct capture *c, const struct wal_index *ix, struct err *e)
{
	auto_batch struct batch b;
	struct position from = c->last, to;
	int r;

	/* The log was begun anew since: by the guard's word nothing is missing
	 * in between. */
	if (memcmp(from.salt, ix->salt, sizeof(from.salt)))
		from.frames = 0;
	batch_init(&b, c->q, ix->page_size);
	r = wal_log_scan(&c->log, &from, ix, take_frame, &b, &to, e);
	if (!r)
		r = batch_flush(&b, e);
	if (r)
		return r;
	to = position_of(c, ix);
	r = queue_commit(c->q, &to, e);
	if (!r)
		c->last = to;
	return r;
}

/* Nothing to take, but where it was is worth knowing: the log is empty now, or
 * all of it is in the file, for long enough to tell. */
static bool
is_news(const struct position *last, const struct wal_index *ix)
{
	return !is_same(last, ix) ||
	       (ix->copied >= ix->frames &&
		       (!last->copied_ns ||
			       last->time_ns - last->copied_ns < TICK_NS));
}

/* Whether more of the log has been copied than we know of. */
static bool
others_copied(const struct wal_index *old, const struct wal_index *ix)
{
	if (!memcmp(old->salt, ix->salt, sizeof(ix->salt)))
		return ix->copied > old->copied;
	return old->copied < old->frames;
}

static int
take_index(struct capture *c, const struct wal_index *ix, struct err *e)
{
	bool same_log = !memcmp(c->last.salt, ix->salt, sizeof(ix->salt));
	struct position now;
	int r = 0;

	if (!c->copies && others_copied(&c->index, ix))
		c->others_ns = clock_mono_ns();
	c->index = *ix;
	if (ix->page_size != c->last.page_size)
		return stale(c, "has other pages than before", e);
	if (same_log && ix->frames < c->last.frames)
		return stale(c, "lost commits of its log", e);
	c->stats.log_bytes =
		ix->frames ? position_off(ix->page_size, ix->frames) : 0;
	if (ix->frames && !is_same(&c->last, ix)) {
		r = take_log(c, ix, e);
		c->took |= !r;
	} else if (is_news(&c->last, ix)) {
		now = position_of(c, ix);
		r = queue_commit(c->q, &now, e);
		if (!r)
			c->last = now;
	}
	if (r)
		queue_rollback(c->q);
	return r;
}

/* -- Holding -----------------------------------------------------------------
 */

int
capture_hold(struct capture *c, struct err *e)
{
	struct wal_index ix;
	int r;

	if (capture_holds(c))
		return c->proven ? 0 : stale(c, "has no base yet", e);
	r = open_database(c, e);
	if (!r)
		r = guard_hold(c->guard, e);
	if (!r)
		r = wal_log_open(&c->log, e);
	if (!r)
		r = index_now(c, &ix, e);
	if (r) {
		guard_close(c->guard);
		return r == -ESTALE ? -EIO : r;
	}
	if (!queue_is_begun(c->q))
		return stale(c, "has no base yet", e);
	queue_last(c->q, &c->last);
	r = prove(c, &c->last, &ix, e);
	/* at once: this holder has none before it that kept what is new */
	if (!r)
		r = take_index(c, &ix, e);
	c->proven = !r;
	return r;
}

/* What guard_renew and guard_checkpoint call, when a younger reader reads. */
static int
take(void *ctx, struct err *e)
{
	struct capture *c = ctx;
	struct wal_index ix;
	int r = check_files(c, e);

	if (!r)
		r = index_now(c, &ix, e);
	if (!r)
		r = take_index(c, &ix, e);
	return !r && c->sync ? queue_sync(c->q, e) : r;
}

int
capture_take(struct capture *c, bool *taken, struct err *e)
{
	int r;

	c->took = c->sync = false;
	if (!c->proven)
		return stale(c, "has no base yet", e);
	r = guard_renew(c->guard, take, c, e);
	if (taken)
		*taken = c->took;
	if (r == -ESTALE)
		c->proven = false;
	return r;
}

int
capture_refresh(struct capture *c, bool *more, struct err *e)
{
	*more = false;
	if (!c->proven)
		return stale(c, "has no base yet", e);
	return guard_refresh(c->guard, more, e);
}

static bool
is_longer(const struct capture *c, uint64_t bytes, uint32_t frames)
{
	return c->stats.log_bytes >= bytes || c->last.frames >= frames;
}

/* SQLite makes the database durable only when all of the log is copied, and
 * that may be under the lock. */
static int
copy_held(struct capture *c, struct err *e)
{
	int r = queue_sync(c->q, e);

	if (!r)
		r = guard_copy_held(c->guard, e);
	if (!r && fdatasync(c->db_fd))
		r = err_sys(e, errno, "%s", c->path);
	return r;
}

/*
 * Without the writer's lock: make durable what was taken, copy, take, again and
 * again, each time what was committed while the time before took.  *left_ns:
 * what the rest may take, which is what the last time took.
 */
static int
copy_ahead(struct capture *c, int64_t *left_ns, struct err *e)
{
	int r = 0;

	c->sync = false;
	*left_ns = LOCKED_NS_MAX;
	for (int i = 0; i < ROUNDS && !r && *left_ns > LOCKED_NS_MAX / 4; i++) {
		int64_t before = clock_mono_ns();

		r = copy_held(c, e);
		*left_ns = clock_mono_ns() - before;
		if (!r)
			r = guard_renew(c->guard, take, c, e);
	}
	return r;
}

static int
copy(struct capture *c, bool now, struct err *e)
{
	int64_t left_ns = 0, locked_ns = 0;
	int r = copy_ahead(c, &left_ns, e);

	if (r)
		return r;
	/* nobody wrote meanwhile: the next commit begins the log anew */
	if (c->index.copied >= c->index.frames) {
		c->stats.checkpoints++;
		return 0;
	}
	c->not_before_ns = clock_mono_ns() + REST_FACTOR * left_ns;
	if (!now && !is_longer(c, CAPTURE_LOG_LEN, CAPTURE_LOG_FRAMES))
		return 0;
	if (left_ns > LOCKED_NS_MAX * 3 / 4)
		return err_set(e, EBUSY, "%s: the disk is slow", c->path);
	c->sync = true;
	r = guard_checkpoint(c->guard, take, c, &locked_ns, e);
	if (locked_ns > c->stats.locked_ns_max)
		c->stats.locked_ns_max = locked_ns;
	c->stats.checkpoints += !r;
	if (!r)
		c->index.copied = c->index.frames;
	c->not_before_ns = clock_mono_ns() + REST_FACTOR * locked_ns;
	return r;
}

/* Who meets our checkpoint with one of theirs gets SQLITE_BUSY: as long as
 * others do it we wait. */
static bool
is_due(const struct capture *c)
{
	int64_t now = clock_mono_ns();
	unsigned part = c->others_ns && now - c->others_ns < OTHERS_NS ? 1 : 2;

	return c->index.copied < c->index.frames && now >= c->not_before_ns &&
	       is_longer(c, CAPTURE_LOG_LEN / part, CAPTURE_LOG_FRAMES / part);
}

int
capture_checkpoint(struct capture *c, bool now, struct err *e)
{
	int r;

	if (!c->proven || c->base || (!now && !is_due(c)))
		return 0;
	c->took = false;
	c->copies = true;
	r = copy(c, now, e);
	c->copies = false;
	if (r)
		c->not_before_ns = clock_mono_ns() + AGAIN_NS;
	if (r == -EBUSY && capture_holds(c))
		return 0;
	if (r == -ESTALE || !capture_holds(c))
		c->proven = false;
	return r;
}

/* -- Resting, bases ----------------------------------------------------------
 */

/* SQLite's bytes for shared locks; a connection in WAL mode always has one. */
bool
capture_is_shared(struct capture *c)
{
	struct flock l = { .l_type = F_WRLCK,
		.l_whence = SEEK_SET,
		.l_start = SQLITE_LOCK_BYTE + 2,
		.l_len = 510 };

	if (c->db_fd < 0 || fcntl(c->db_fd, F_GETLK, &l))
		return true;
	return l.l_type != F_UNLCK;
}

static int
begin_at(struct capture *c, bool begin_queue, struct position *at,
	uint64_t *unit, struct err *e)
{
	int r;

	if (!begin_queue) {
		r = take(c, e);
		*at = c->last;
		return r ? r : queue_cut(c->q, unit, e);
	}
	r = index_now(c, &c->index, e);
	if (r)
		return r;
	c->last = *at = position_of(c, &c->index);
	*unit = 0;
	return queue_begin(c->q, at, e);
}

int
capture_base_begin(struct capture *c, bool begin_queue, struct pages **p,
	struct position *at, uint64_t *unit, struct err *e)
{
	int r = check_files(c, e);

	if (!r)
		r = wal_log_open(&c->log, e);
	if (!r)
		r = guard_pin(c->guard, e);
	if (r)
		return r;
	c->sync = false;
	r = begin_at(c, begin_queue, at, unit, e);
	if (!r)
		r = pages_new(c->db_fd, &c->log, &c->index, &c->base, e);
	if (r) {
		guard_unpin(c->guard);
		return r;
	}
	c->proven = true;
	*p = c->base;
	return 0;
}

void
capture_base_end(struct capture *c)
{
	if (!c->base)
		return;
	pages_free(steal(c->base));
	guard_unpin(c->guard);
}

void
capture_stats(const struct capture *c, struct capture_stats *s)
{
	*s = c->stats;
}
