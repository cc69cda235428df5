/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "repo/foreign/litestream05_replica.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "repo/base/buf.h"
#include "repo/base/bytes.h"
#include "repo/base/clock.h"
#include "repo/base/log.h"
#include "repo/foreign/litestream05_whole.h"
#include "repo/sqlite/database_view.h"

/* Every so many refreshes all is listed, however much it is. */
#define FULL_REFRESH 10

/* The last component of a prefix; of a replica at the root what it is called.
 */
static char *
file_name(const char *prefix, const char *name)
{
	size_t end = strlen(prefix), start;

	if (end < 2)
		return xstrdup(name);
	for (start = --end; start > 0 && prefix[start - 1] != '/';)
		start--;
	if (end - start > DATABASE_NAME_MAX)
		start = end - DATABASE_NAME_MAX;
	return xasprintf("%.*s", (int)(end - start), prefix + start);
}

struct litestream05_replica *
litestream05_replica_new(
	struct foreign_place *place, const char *prefix, const char *name)
{
	struct litestream05_replica *r = xcalloc(1, sizeof(*r));

	r->refs = 1;
	r->place = foreign_place_get(place);
	r->prefix = xstrdup(prefix);
	r->name = xstrdup(name);
	r->file = file_name(prefix, name);
	r->label = xasprintf("%s%s%.*s", place->store->name, *prefix ? "/" : "",
		(int)(*prefix ? strlen(prefix) - 1 : 0), prefix);
	r->pages = litestream05_pages_cache_new(place->memory / 4);
	r->whole = litestream05_whole_new(place);
	pthread_mutex_init(&r->refresh_lock, NULL);
	pthread_mutex_init(&r->lock, NULL);
	return r;
}

struct litestream05_replica *
litestream05_replica_get(struct litestream05_replica *r)
{
	r->refs++;
	return r;
}

void
litestream05_replica_put(struct litestream05_replica *r)
{
	if (!r || --r->refs > 0)
		return;
	litestream05_whole_free(r->whole);
	litestream05_replica_keep(r);
	litestream05_pages_cache_free(r->pages);
	litestream05_files_release(&r->files);
	foreign_place_put(r->place);
	pthread_mutex_destroy(&r->refresh_lock);
	pthread_mutex_destroy(&r->lock);
	free(r->prefix);
	free(r->name);
	free(r->file);
	free(r->label);
	free(r);
}

char *
litestream05_replica_object(
	const struct litestream05_replica *r, const struct litestream05_file *f)
{
	char name[LITESTREAM05_NAME_MAX];

	litestream05_file_name(f, name);
	return xasprintf("%s%s", r->prefix, name);
}

char *
litestream05_replica_key(
	const struct litestream05_replica *r, const struct litestream05_file *f)
{
	char name[LITESTREAM05_NAME_MAX];

	litestream05_file_name(f, name);
	return xasprintf("litestream05/%s%s/%" PRIx64 "/%" PRIx64, r->prefix,
		name, f->size, (uint64_t)f->modified_ns);
}

/* -- What is kept: files, and what their headers say -------------------------
 */

#define LINE_LEN (3 * 8 + 8 + 2 + 8 + 2 * 4 + 1)
#define KEPT_MAX (KEPT_OBJECT_MAX / LINE_LEN)

static char *
kept_name(const struct litestream05_replica *r)
{
	return xasprintf("litestream05/%sfiles", r->prefix);
}

/* Remote ones only: what is local can change behind our back. */
static struct kept *
kept_of(const struct litestream05_replica *r)
{
	struct kept *k = NULL;

	if (r->place->store->local_path ||
		foreign_place_kept(r->place, &k, NULL) < 0)
		return NULL;
	return k;
}

static void
encode(struct buf *b, const struct litestream05_file *f)
{
	buf_be64(b, f->min);
	buf_be64(b, f->max);
	buf_be64(b, f->size);
	buf_be64(b, (uint64_t)f->modified_ns);
	buf_u8(b, f->level);
	buf_u8(b, f->layout);
	buf_u8(b, f->info.state == LITESTREAM05_READ);
	buf_be64(b, (uint64_t)f->info.time_ns);
	buf_be32(b, f->info.commit);
	buf_be32(b, f->info.page_size);
}

static void
decode(struct reader *rd, struct litestream05_file *f)
{
	f->min = read_be64(rd);
	f->max = read_be64(rd);
	f->size = read_be64(rd);
	f->modified_ns = (int64_t)read_be64(rd);
	f->level = read_u8(rd);
	f->layout = read_u8(rd);
	f->info.state = read_u8(rd) ? LITESTREAM05_READ : LITESTREAM05_UNREAD;
	f->info.time_ns = (int64_t)read_be64(rd);
	f->info.commit = read_be32(rd);
	f->info.page_size = read_be32(rd);
}

void
litestream05_replica_keep(struct litestream05_replica *r)
{
	auto_free char *name = kept_name(r);
	auto_buf struct buf b = BUF_INIT;
	struct kept *k = kept_of(r);

	if (!k)
		return;
	pthread_mutex_lock(&r->lock);
	if (r->new_infos > 0 && r->files.n <= KEPT_MAX) {
		for (size_t i = 0; i < r->files.n; i++)
			encode(&b, &r->files.files[i]);
	}
	r->new_infos = 0;
	pthread_mutex_unlock(&r->lock);
	if (b.len > 0)
		kept_put(k, name, b.data, b.len);
}

/* What was kept last; no files when nothing was. */
static void
take_kept(const struct litestream05_replica *r, struct litestream05_files *f)
{
	auto_free char *name = kept_name(r);
	auto_free uint8_t *data = NULL;
	struct kept *k = kept_of(r);
	struct reader rd;
	size_t len;

	*f = (struct litestream05_files){ .n = 0 };
	if (!k || kept_get(k, name, KEPT_OBJECT_MAX, &data, &len) < 0)
		return;
	rd = reader_of(data, len);
	f->files = xcalloc(len / LINE_LEN + 1, sizeof(*f->files));
	while (reader_left(&rd) >= LINE_LEN)
		decode(&rd, &f->files[f->n++]);
	litestream05_files_derive(f);
}

/* -- Refreshing --------------------------------------------------------------
 */

static void
say_what_is_missing(const struct litestream05_replica *r,
	const struct litestream05_files *f, uint64_t said)
{
	if (f->missing && f->missing != said)
		log_warn("%s: TXID %016" PRIx64 " is missing, so what came "
			 "after it, up to TXID %016" PRIx64 ", cannot be shown",
			r->label, f->missing, f->newest);
}

/* Make these the replica's files. */
static void
adopt(struct litestream05_replica *r, struct litestream05_files *f)
{
	struct litestream05_files old = { .n = 0 };

	pthread_mutex_lock(&r->lock);
	if (r->version > 0 && litestream05_files_same(&r->files, f)) {
		old = *f;
	} else {
		litestream05_files_inherit(f, &r->files);
		old = r->files;
		r->files = *f;
		r->version++;
		r->new_infos++;
	}
	pthread_mutex_unlock(&r->lock);
	say_what_is_missing(r, &r->files, old.missing);
	litestream05_files_release(&old);
}

static int
refresh_offline(struct litestream05_replica *r, struct err *e)
{
	struct litestream05_files f;

	take_kept(r, &f);
	if (f.n == 0) {
		litestream05_files_release(&f);
		return err_set(e, ENETDOWN,
			"%s: not in the cache, and offline "
			"nothing else is asked",
			r->label);
	}
	adopt(r, &f);
	return 0;
}

int
litestream05_replica_refresh(struct litestream05_replica *r, struct err *e)
{
	struct litestream05_files f, kept;
	auto_lock(&r->refresh_lock);
	bool first = r->version == 0;
	int rc;

	if (foreign_place_offline(r->place))
		return first ? refresh_offline(r, e) : 0;
	rc = litestream05_files_list(r->place->store, r->prefix,
		first ? NULL : &r->files, r->refreshes++ % FULL_REFRESH == 0,
		&f, e);
	if (rc < 0)
		return rc;
	if (first) {
		take_kept(r, &kept);
		litestream05_files_inherit(&f, &kept);
		litestream05_files_release(&kept);
	}
	adopt(r, &f);
	litestream05_replica_keep(r);
	return 0;
}

int
litestream05_replica_changed(
	const struct litestream05_replica *r, struct err *e)
{
	return err_set(e, ESTALE, "%s has changed", r->label);
}

/* -- Moments ------------------------------------------------------------------
 */

size_t
litestream05_replica_moments(struct litestream05_replica *r, uint64_t *version)
{
	auto_lock(&r->lock);

	*version = r->version;
	return r->files.n_moments;
}

/* With the lock held. */
static int64_t
time_of(const struct litestream05_files *f, size_t i)
{
	const struct litestream05_file *x = &f->files[f->moments[i].file];

	return x->info.state == LITESTREAM05_READ ? x->info.time_ns
						  : x->modified_ns;
}

int
litestream05_replica_tell(struct litestream05_replica *r, uint64_t version,
	size_t i, struct litestream05_told *told, struct err *e)
{
	const struct litestream05_files *f = &r->files;
	const struct litestream05_file *x;
	auto_lock(&r->lock);

	if (r->version != version || i >= f->n_moments)
		return litestream05_replica_changed(r, e);
	x = &f->files[f->moments[i].file];
	*told = (struct litestream05_told){ .txid = f->moments[i].txid,
		.time_ns = time_of(f, i),
		.size = (uint64_t)x->info.commit * x->info.page_size,
		.page_size = x->info.page_size,
		.damaged = x->info.state == LITESTREAM05_BAD,
		.snapshot = f->moments[i].snapshot };
	if (i > 0 && time_of(f, i - 1) > told->time_ns &&
		f->files[f->moments[i - 1].file].info.state ==
			LITESTREAM05_READ)
		told->time_ns = time_of(f, i - 1);
	return 0;
}

/* The first moment in [lo, hi) that is later, as far as times are known. */
static size_t
search(struct litestream05_replica *r, int64_t t_ns, size_t lo, size_t hi)
{
	auto_lock(&r->lock);

	if (hi > r->files.n_moments)
		hi = r->files.n_moments;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (time_of(&r->files, mid) <= t_ns)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/* Is moment i, whose header has been read, later? */
static bool
is_later(struct litestream05_replica *r, size_t i, int64_t t_ns)
{
	auto_lock(&r->lock);

	return i < r->files.n_moments && time_of(&r->files, i) > t_ns;
}

/*
 * When objects were written is about when the states were captured, so that
 * says where to look; the headers of the few moments around there, read at
 * once, say whether it was right.  Where it is wrong again and again (a replica
 * that was copied), halving finds it too.
 */
#define AROUND 4
#define GUESSES 3

int
litestream05_replica_after(struct litestream05_replica *r, uint64_t version,
	int64_t t_ns, size_t *i, struct err *e)
{
	uint64_t now;
	size_t lo = 0, hi = litestream05_replica_moments(r, &now);

	for (int tries = 0;; tries++) {
		size_t at = tries < GUESSES ? search(r, t_ns, lo, hi)
					    : lo + (hi - lo) / 2;
		size_t from = at - lo > AROUND ? at - AROUND : lo;
		size_t to = hi - at > AROUND ? at + AROUND : hi;
		int rc = litestream05_replica_learn(r, version, from, to, e);

		if (rc < 0)
			return rc;
		if (from > lo && is_later(r, from, t_ns)) {
			hi = from;
		} else if (to < hi && !is_later(r, to - 1, t_ns)) {
			lo = to;
		} else {
			*i = search(r, t_ns, from, to);
			return version == now
				       ? 0
				       : litestream05_replica_changed(r, e);
		}
	}
}

size_t
litestream05_replica_find(
	struct litestream05_replica *r, uint64_t version, uint64_t txid)
{
	auto_lock(&r->lock);
	size_t n = r->files.n_moments, i;

	if (r->version != version)
		return n;
	i = litestream05_files_find(&r->files, txid);
	return i < n && r->files.moments[i].txid == txid ? i : n;
}

int
litestream05_replica_gap(struct litestream05_replica *r, struct err *e)
{
	auto_lock(&r->lock);

	if (!r->files.missing)
		return 0;
	return err_set(e, EIO,
		"%s: TXID %016" PRIx64 " is missing, so what came after it, up "
		"to TXID %016" PRIx64 ", cannot be shown",
		r->label, r->files.missing, r->files.newest);
}

int
litestream05_replica_plan(struct litestream05_replica *r, uint64_t txid,
	struct litestream05_file **plan, size_t *n, struct err *e)
{
	auto_free uint32_t *chosen = NULL;
	auto_lock(&r->lock);
	int rc = litestream05_files_plan(&r->files, txid, &chosen, n, e);

	if (rc < 0)
		return err_prefix(e, "%s", r->label), rc;
	*plan = xcalloc(*n + 1, sizeof(**plan));
	for (size_t i = 0; i < *n; i++)
		(*plan)[i] = r->files.files[chosen[i]];
	return 0;
}
