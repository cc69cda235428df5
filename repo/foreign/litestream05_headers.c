/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the headers of a replica's files say, read when it is asked for. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "repo/base/buf.h"
#include "repo/base/cancel.h"
#include "repo/base/log.h"
#include "repo/fetch/together.h"
#include "repo/foreign/litestream05_replica.h"
#include "repo/foreign/ltx.h"
#include "repo/foreign/pieces.h"

#define NS_PER_MS 1000000

/* A small file comes as a whole in the same request, and is kept for when it
 * is part of a database. */
static int
read_beginning(struct litestream05_replica *r,
	const struct litestream05_file *f, const char *name,
	uint8_t bytes[LTX_HEADER_LEN], struct err *e)
{
	const struct store_call call = { .cancel = cancel_current() };
	auto_free char *key = litestream05_replica_key(r, f);
	const struct pieces_object o = {
		.name = name, .size = f->size, .key = key
	};
	size_t got = 0;
	int rc;

	if (f->size <= KEPT_PIECE)
		return pieces_read(foreign_place_pieces(r->place), &o, 0,
			LTX_HEADER_LEN, bytes, e);
	if (foreign_place_offline(r->place))
		return err_set(e, ENETDOWN, "%s is not in the cache", name);
	rc = store_get_call(r->place->store, name, 0, LTX_HEADER_LEN, bytes,
		&got, &call, e);
	if (rc == 0 && got < LTX_HEADER_LEN)
		rc = err_set(e, EBADMSG, "%s is cut off", name);
	return rc;
}

static int
read_header(struct litestream05_replica *r, const struct litestream05_file *f,
	struct litestream05_info *info, struct err *e)
{
	auto_free char *name = litestream05_replica_object(r, f);
	uint8_t bytes[LTX_HEADER_LEN];
	struct ltx_header h;
	int rc;

	rc = read_beginning(r, f, name, bytes, e);
	if (rc == 0)
		rc = ltx_header_decode(bytes, &h, e);
	if (rc == -EUCLEAN)
		err_prefix(e, "%s", name);
	if (rc == 0 && (h.min != f->min || h.max != f->max))
		rc = err_set(
			e, EBADMSG, "%s is not the file its name says", name);
	if (rc == 0 && __builtin_mul_overflow(
			       h.time_ms, (int64_t)NS_PER_MS, &info->time_ns))
		rc = err_set(e, EUCLEAN, "%s has no time", name);
	info->commit = h.commit;
	info->page_size = h.page_size;
	return rc;
}

/* Where a file is now, or NULL; with the lock held. */
static struct litestream05_file *
find_file(struct litestream05_replica *r, const struct litestream05_file *f)
{
	return r->files.n ? bsearch(f, r->files.files, r->files.n, sizeof(*f),
				    litestream05_file_compare)
			  : NULL;
}

int
litestream05_replica_header(struct litestream05_replica *r,
	struct litestream05_file *f, struct err *e)
{
	struct litestream05_file *there;
	int rc;

	if (f->info.state == LITESTREAM05_READ && !r->place->store->local_path)
		return 0;
	rc = read_header(r, f, &f->info, e);
	if (rc < 0)
		return rc;
	f->info.state = LITESTREAM05_READ;
	auto_lock(&r->lock);
	there = find_file(r, f);
	if (there && there->size == f->size &&
		there->modified_ns == f->modified_ns) {
		there->info = f->info;
		r->new_infos++;
	}
	return 0;
}

struct learning {
	struct litestream05_replica *r;
	uint64_t version;
	bool snapshots;	 /* only of those */
	uint32_t *which; /* indexes of files */
	size_t n;
	struct cancel *cancel;
	pthread_mutex_t lock;
	int rc; /* of the first that failed for good */
	struct err e;
};

/* The file of that index, as long as the files are the same. */
static bool
copy_file(struct litestream05_replica *r, uint64_t version, uint32_t i,
	struct litestream05_file *f)
{
	auto_lock(&r->lock);

	if (r->version != version)
		return false;
	*f = r->files.files[i];
	return true;
}

static void
set_info(struct litestream05_replica *r, uint64_t version, uint32_t i,
	const struct litestream05_info *info)
{
	auto_lock(&r->lock);

	if (r->version != version)
		return;
	r->files.files[i].info = *info;
	r->new_infos++;
}

/* What is wrong with the file is known then; that the store could not be
 * asked is no knowledge. */
static bool
is_lasting(int rc)
{
	return rc == -EBADMSG || rc == -EUCLEAN || rc == -ENOENT;
}

static void
learn_one(void *ctx, size_t n)
{
	struct learning *l = ctx;
	struct litestream05_info info = { .time_ns = 0 };
	struct litestream05_file f;
	struct err e = ERR_INIT;
	int rc;

	if (l->rc < 0 || !copy_file(l->r, l->version, l->which[n], &f))
		return;
	cancel_set_current(l->cancel);
	rc = read_header(l->r, &f, &info, &e);
	if (rc == 0 || is_lasting(rc)) {
		if (rc < 0)
			log_warn("%s: %s", l->r->label, e.text);
		info.state = rc == 0 ? LITESTREAM05_READ : LITESTREAM05_BAD;
		set_info(l->r, l->version, l->which[n], &info);
		return;
	}
	pthread_mutex_lock(&l->lock);
	if (l->rc == 0) {
		l->rc = rc;
		l->e = e;
	}
	pthread_mutex_unlock(&l->lock);
}

/* The files whose headers tell of moments [from, to), and are not read. */
static int
find_unread(struct learning *l, size_t from, size_t to, struct err *e)
{
	struct litestream05_replica *r = l->r;
	auto_lock(&r->lock);

	if (r->version != l->version)
		return litestream05_replica_changed(r, e);
	if (to > r->files.n_moments)
		to = r->files.n_moments;
	l->which = xcalloc(to > from ? to - from : 1, sizeof(*l->which));
	for (size_t i = from; i < to; i++) {
		const struct litestream05_moment *m = &r->files.moments[i];

		if ((m->snapshot || !l->snapshots) &&
			r->files.files[m->file].info.state ==
				LITESTREAM05_UNREAD)
			l->which[l->n++] = m->file;
	}
	return 0;
}

static int
learn(struct litestream05_replica *r, uint64_t version, size_t from, size_t to,
	bool snapshots, struct err *e)
{
	struct learning l = { .r = r,
		.version = version,
		.snapshots = snapshots,
		.cancel = cancel_current(),
		.lock = PTHREAD_MUTEX_INITIALIZER };
	int rc = find_unread(&l, from, to, e);

	if (rc == 0 && l.n > 0) {
		together_run(l.n, !r->place->store->local_path && l.n > 1,
			learn_one, &l);
		cancel_set_current(l.cancel);
	}
	free(l.which);
	return l.rc < 0 ? err_set(e, -l.rc, "%s", l.e.text) : rc;
}

int
litestream05_replica_learn(struct litestream05_replica *r, uint64_t version,
	size_t from, size_t to, struct err *e)
{
	return learn(r, version, from, to, false, e);
}

int
litestream05_replica_learn_snapshots(
	struct litestream05_replica *r, uint64_t version, struct err *e)
{
	return learn(r, version, 0, SIZE_MAX, true, e);
}
