/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Opening, and the way of a read: the epoch tells whether what is known of the
 * object is still so; if not, the ledger is asked; then pread into the caller's
 * buffer, and the epoch once more.  Everything that changes the cache is
 * elsewhere: queue.c and what its thread does, evict.c, admin.c.
 */
#include "repo/cache/private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <string.h>
#include "repo/base/clock.h"
#include "repo/base/log.h"

#define OPEN_DEFAULT 128
#define TRIES 3
#define COMPLAIN_NS (60 * NS_PER_S)

char *
cache_default_dir(void)
{
	const char *xdg = getenv("XDG_CACHE_HOME");
	const char *home = getenv("HOME");

	if (xdg && xdg[0] == '/')
		return xasprintf("%s/yore", xdg);
	if (home && home[0] == '/')
		return xasprintf("%s/.cache/yore", home);
	return NULL;
}

/* -- The ledger ---------------------------------------------------------- */

int
cache_checked(struct cache *c, int r)
{
	if (r == -EUCLEAN)
		c->damaged = true;
	return r;
}

void
cache_complain(struct cache *c, int code, const char *what)
{
	int64_t now = clock_mono_ns(), last = c->complained_ns;
	struct err e = ERR_INIT;

	if ((last && now - last < COMPLAIN_NS) ||
		!atomic_compare_exchange_strong(&c->complained_ns, &last, now))
		return;
	err_sys(&e, code, "cache %s: %s", c->files.path, what);
	log_warn("%s; reading goes on without it", e.text);
}

int
cache_failed(struct cache *c, int r, const char *what, struct err *e)
{
	cache_checked(c, r);
	if (r == -EBUSY)
		return err_set(e, EBUSY,
			"cannot %s the cache %s: another process has held it "
			"for some seconds",
			what, c->files.path);
	return err_sys(e, -r, "cannot %s the cache %s", what, c->files.path);
}

/* Open both handles of the ledger; with the lock held. */
static int
reopen(struct cache *c, struct err *e)
{
	int r;

	ledger_close(c->writer);
	c->writer = NULL;
	r = ledger_open(c->ledger_path, true, &c->writer, e);
	if (r < 0)
		return r;
	auto_lock(&c->reading);
	ledger_close(c->reader);
	c->reader = NULL;
	return ledger_open(c->ledger_path, false, &c->reader, e);
}

/* Make c->writer the ledger that is there; with the lock held. */
static int
enter_ledger(struct cache *c, struct err *e)
{
	int r = 0;

	if (!c->damaged && !ledger_is_at(c->writer, c->ledger_path))
		r = cache_checked(c, reopen(c, e));
	if (c->damaged)
		r = rebuild_ledger(c, e);
	return r;
}

int
cache_enter(struct cache *c, unsigned wait_ms, struct err *e)
{
	int r = files_lock(&c->files, wait_ms);

	if (r < 0)
		return cache_failed(c, r, "change", e);
	r = enter_ledger(c, e);
	if (r < 0)
		files_unlock(&c->files);
	return r;
}

void
cache_leave(struct cache *c)
{
	if (c->writer)
		ledger_tidy(c->writer, c->ledger_path);
	files_unlock(&c->files);
}

/* -- Opening ------------------------------------------------------------- */

static struct cache *
cache_new(const struct cache_options *o)
{
	struct cache *c = xcalloc(1, sizeof(*c));

	pthread_mutex_init(&c->reading, NULL);
	objects_init(&c->objects, o->open ? o->open : OPEN_DEFAULT);
	c->any = !o->repository_id;
	if (o->repository_id)
		memcpy(c->repository, o->repository_id, REPOSITORY_ID_LEN);
	return c;
}

static void
cache_free(struct cache *c)
{
	ledger_close(c->writer);
	ledger_close(c->reader);
	objects_release(&c->objects);
	files_release(&c->files);
	pthread_mutex_destroy(&c->reading);
	free(c->ledger_path);
	free(c);
}

int
cache_open(const char *dir, const struct cache_options *o, struct cache **out,
	struct err *e)
{
	struct cache *c = cache_new(o);
	int r = files_open(&c->files, dir, e);

	if (r == 0) {
		c->ledger_path = xasprintf("%s/ledger.db", c->files.path);
		r = cache_enter(c, LOCK_WAIT_COMMAND_MS, e);
	}
	if (r == 0) {
		cache_leave(c);
		r = queue_start(c, o, e);
	}
	if (r < 0) {
		cache_free(c);
		return r;
	}
	*out = c;
	return 0;
}

void
cache_close(struct cache *c)
{
	if (!c)
		return;
	queue_stop(c);
	cache_free(c);
}

/* -- What is known of an object ------------------------------------------ */

/* Ask the ledger; with `reading` held. */
static int
learn(struct cache *c, struct object *o)
{
	int r;

	if (!ledger_is_at(c->reader, c->ledger_path)) {
		ledger_close(c->reader);
		c->reader = NULL;
		r = ledger_open(c->ledger_path, false, &c->reader, NULL);
		if (r < 0) /* others may be making it just now */
			return -EBUSY;
	}
	r = ledger_learn(c->reader, &o->key, &o->whole, &o->present);
	return r == -ENOENT ? 0 : cache_checked(c, r);
}

/* Learn what there is of an object as of epoch ep; NULL when it cannot be. */
static struct object *
load(struct cache *c, const struct key *k, struct epoch ep)
{
	auto_object struct object *o =
		object_new(k, ep, files_object(&c->files, k, false));
	struct stat st;
	int r;

	pthread_mutex_lock(&c->reading);
	r = learn(c, o);
	pthread_mutex_unlock(&c->reading);
	if (r < 0)
		return NULL;
	if (o->fd >= 0 && fstat(o->fd, &st) == 0 &&
		files_is_whole(&st) != o->whole) {
		close(o->fd); /* it is about to be replaced */
		o->fd = -1;
	}
	if (o->fd < 0)
		o->present.n = 0;
	queue_subtract(c, k, &o->present);
	objects_enter(&c->objects, o);
	return steal(o);
}

static struct object *
current(struct cache *c, const struct key *k, struct epoch ep)
{
	struct object *o = objects_find(&c->objects, k);

	if (o && o->taken == ep.taken)
		return o;
	object_put(o);
	return load(c, k, ep);
}

/* -- Reading ------------------------------------------------------------- */

struct reading {
	struct key key;
	uint64_t off;
	uint64_t len;
	struct range gaps[CACHE_GAPS_MAX];
	size_t n_gaps;
};

static void
miss_all(struct reading *rd)
{
	rd->gaps[0] = (struct range){ rd->off, rd->off + rd->len };
	rd->n_gaps = 1;
}

/* Whether the object has more than it had when it was learnt. */
static bool
look(struct object *o, struct reading *rd, struct epoch ep)
{
	auto_lock(&o->lock);

	rd->n_gaps = ranges_gaps(&o->present, rd->off, rd->off + rd->len,
		rd->gaps, CACHE_GAPS_MAX);
	return rd->n_gaps && o->added != ep.added;
}

/* All that is not a gap into buf. */
static int
read_present(const struct object *o, const struct reading *rd, char *buf)
{
	uint64_t at = rd->off;
	int r = 0;

	for (size_t i = 0; i <= rd->n_gaps && r == 0; i++) {
		uint64_t to =
			i < rd->n_gaps ? rd->gaps[i].from : rd->off + rd->len;

		if (to > at)
			r = files_read(o->fd, at, buf + (at - rd->off),
				(size_t)(to - at));
		if (i < rd->n_gaps)
			at = rd->gaps[i].to;
	}
	return r;
}

/* A file that ends early or cannot be read: its bytes are not there. */
static void
unreadable(struct cache *c, const struct reading *rd, int r)
{
	if (r != -ENODATA)
		cache_complain(c, -r, "cannot read");
	queue_forget(c, &rd->key, rd->off, rd->len);
}

/* One attempt; false when the object changed meanwhile. */
static bool
try_read(struct cache *c, struct reading *rd, void *buf)
{
	struct epoch ep = files_epoch(&c->files, &rd->key);
	auto_object struct object *o = current(c, &rd->key, ep);
	int r;

	miss_all(rd);
	if (!o)
		return true;
	if (look(o, rd, ep)) {
		object_put(o);
		o = load(c, &rd->key, ep);
		miss_all(rd);
		if (!o)
			return true;
		look(o, rd, ep);
	}
	if (!buf)
		return true;
	r = read_present(o, rd, buf);
	if (r == 0 && !rd->n_gaps)
		object_touch(o, rd->off, rd->len);
	if (files_epoch(&c->files, &rd->key).taken != o->taken)
		return false;
	if (r < 0) {
		unreadable(c, rd, r);
		miss_all(rd);
	}
	return true;
}

static void
tell_gaps(const struct reading *rd, struct cache_gaps *gaps)
{
	gaps->n = (unsigned)rd->n_gaps;
	for (size_t i = 0; i < rd->n_gaps; i++)
		gaps->gap[i] = (struct cache_extent){ rd->gaps[i].from,
			rd->gaps[i].to - rd->gaps[i].from };
}

bool
cache_read(struct cache *c, const char *name, uint64_t off, size_t len,
	void *buf, struct cache_gaps *gaps)
{
	struct reading rd = { .off = off, .len = len };
	bool settled = false;

	miss_all(&rd);
	if (!c->any && len > 0 && off <= INT64_MAX - (uint64_t)len) {
		files_key(&rd.key, c->repository, name);
		for (int i = 0; i < TRIES && !settled; i++)
			settled = try_read(c, &rd, buf);
		if (!settled)
			miss_all(&rd);
	}
	if (gaps)
		tell_gaps(&rd, gaps);
	if (buf) {
		*(rd.n_gaps ? &c->misses : &c->hits) += 1;
		*(rd.n_gaps ? &c->all_misses : &c->all_hits) += 1;
		c->read_bytes += rd.n_gaps ? 0 : len;
	}
	return rd.n_gaps == 0;
}

/* -- Whole objects ------------------------------------------------------- */

static int
read_whole(const struct object *o, size_t max, uint8_t **data, size_t *len)
{
	auto_free uint8_t *bytes = NULL;
	struct stat st;
	int r;

	if (!o->whole || !o->present.n || o->fd < 0 || fstat(o->fd, &st) < 0 ||
		st.st_size <= 0 || (uint64_t)st.st_size > max)
		return -ENOENT;
	bytes = xmalloc((size_t)st.st_size);
	r = files_read(o->fd, 0, bytes, (size_t)st.st_size);
	if (r < 0)
		return r;
	*len = (size_t)st.st_size;
	*data = steal(bytes);
	return 0;
}

int
cache_get(struct cache *c, const char *name, size_t max, uint8_t **data,
	size_t *len)
{
	struct key k;
	int r = -EAGAIN;

	if (c->any)
		return -ENOENT;
	files_key(&k, c->repository, name);
	for (int i = 0; i < TRIES && r == -EAGAIN; i++) {
		struct epoch ep = files_epoch(&c->files, &k);
		auto_object struct object *o = current(c, &k, ep);

		if (o && o->added != ep.added && !o->present.n) {
			object_put(o);
			o = load(c, &k, ep);
		}
		r = o ? read_whole(o, max, data, len) : -ENOENT;
		if (r == 0)
			object_touch(o, 0, 1);
		else if (o && files_epoch(&c->files, &k).taken != o->taken)
			r = -EAGAIN;
	}
	*(r == 0 ? &c->hits : &c->misses) += 1;
	*(r == 0 ? &c->all_hits : &c->all_misses) += 1;
	c->read_bytes += r == 0 ? *len : 0;
	return r == 0 ? 0 : -ENOENT;
}
