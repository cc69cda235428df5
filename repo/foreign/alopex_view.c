/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A file is looked at in pieces.  The first pass over all of them compares its
 * sum with the manifest's and keeps the sum of each piece; from then on a piece
 * is read whole and compared with its own before anything of it is served, so
 * that what changes afterwards is found, too.
 */
#include "repo/foreign/alopex_view.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include "repo/base/buf.h"
#include "repo/base/cancel.h"
#include "repo/base/log.h"
#include "repo/foreign/alopex_manifest.h"
#include "repo/foreign/listed.h"
#include "repo/foreign/gzip.h"
#include "repo/foreign/pieces.h"

#define PIECE (256u << 10)
#define READ_MAX (1u << 20)
#define PASSES 16
#define AHEAD (8u << 20) /* of a pass over a file */

enum state { OK, UNVERIFIED, MISSING, SIZE, CRC, UNLISTED, MANIFEST };

static const char *const state_names[] = { "ok", "unverified", "missing",
	"size-differs", "crc-differs", "unlisted", "manifest" };

struct file {
	_Atomic int state; /* enum state */
	uint32_t crc;	   /* the manifest's */
	uint32_t *pieces;  /* sums; there once the state is OK */
	bool queued;	   /* for the thread; guarded by the view's lock */
};

struct alopex_view {
	struct listed files; /* first */
	struct stem *stem;
	char *prefix;
	bool unfinished;
	size_t n_refused;
	struct file *of; /* one a file, by its index */
	/* held during a pass that a reader waits for: file i has i % PASSES */
	pthread_mutex_t verifying[PASSES];
	pthread_mutex_t lock; /* guards what follows */
	pthread_cond_t more;
	pthread_t thread;
	bool running, ending;
	struct cancel cancel;
};

static struct alopex_view *
view_of(struct listed *f)
{
	return (struct alopex_view *)f;
}

static char *
object_name(const struct alopex_view *v, size_t i)
{
	return xasprintf("%s%s", v->prefix, v->files.files[i].path);
}

/* -- Verifying --------------------------------------------------------------
 */

static size_t
n_pieces(const struct alopex_view *v, size_t i)
{
	return (size_t)((v->files.files[i].size + PIECE - 1) / PIECE);
}

/* Bytes of an object, and fetch so many behind them meanwhile. */
static int
read_object(struct stem *stem, const char *name, const struct listed_entry *f,
	uint64_t off, size_t len, void *to, uint64_t ahead, struct err *e)
{
	auto_free char *key = xasprintf("alopex-%s-%" PRIu64 "-%" PRId64, name,
		f->size, f->modified_ns);
	const struct pieces_object o = {
		.name = name, .size = f->size, .key = key
	};
	struct pieces *p = foreign_place_pieces(stem->place);
	int r = pieces_read(p, &o, off, len, to, e);

	if (r == -ENOENT)
		return err_set(e, EIO, "%s: the file has been removed", name);
	if (r == 0 && ahead > 0)
		pieces_ahead(p, &o, off + len, ahead);
	return r;
}

static int
get(struct alopex_view *v, size_t i, uint64_t off, size_t len, void *to,
	uint64_t ahead, struct err *e)
{
	auto_free char *name = object_name(v, i);

	return read_object(
		v->stem, name, &v->files.files[i], off, len, to, ahead, e);
}

/* The sum of a whole file, and those of its pieces. */
static int
sum_file(struct alopex_view *v, size_t i, uint32_t *pieces, uint32_t *crc,
	struct err *e)
{
	auto_free uint8_t *piece = xmalloc(PIECE);
	uint64_t size = v->files.files[i].size;

	*crc = 0;
	for (uint64_t off = 0; off < size; off += PIECE) {
		size_t len = size - off < PIECE ? (size_t)(size - off) : PIECE;
		int r = get(v, i, off, len, piece, AHEAD, e);

		if (r)
			return r;
		if (cancel_raised(cancel_current()))
			return err_set(
				e, EINTR, "%s: interrupted", v->files.label);
		pieces[off / PIECE] = gzip_crc32(0, piece, len);
		*crc = gzip_crc32(*crc, piece, len);
	}
	return 0;
}

/* Look at a file's sum unless that was done.  -EBADMSG it differs. */
static int
verify(struct alopex_view *v, size_t i, struct err *e)
{
	struct file *f = &v->of[i];
	auto_free uint32_t *pieces =
		xcalloc(n_pieces(v, i) + 1, sizeof(*pieces));
	uint32_t crc;
	int r = sum_file(v, i, pieces, &crc, e);

	if (r && r != -EBADMSG)
		return r;
	if (!r && crc == f->crc) {
		f->pieces = steal(pieces);
		f->state = OK;
		return 0;
	}
	f->state = CRC;
	return err_set(e, EBADMSG, "%s:%s: its CRC-32 is not the manifest's",
		v->files.label, v->files.files[i].path);
}

/* The first file that waits; false: none does. */
static bool
next_queued(struct alopex_view *v, size_t *i)
{
	for (*i = 0; *i < v->files.n_files; ++*i) {
		if (v->of[*i].queued)
			return true;
	}
	return false;
}

static void *
run(void *arg)
{
	struct alopex_view *v = arg;
	size_t i;

	cancel_set_current(&v->cancel);
	pthread_mutex_lock(&v->lock);
	while (!v->ending) {
		struct err e = ERR_INIT;

		if (!next_queued(v, &i)) {
			pthread_cond_wait(&v->more, &v->lock);
			continue;
		}
		v->of[i].queued = false;
		pthread_mutex_unlock(&v->lock);
		if (v->of[i].state == UNVERIFIED && verify(v, i, &e) &&
			e.code != EINTR)
			log_warn("%s", e.text);
		pthread_mutex_lock(&v->lock);
	}
	pthread_mutex_unlock(&v->lock);
	return NULL;
}

/* Have the thread look at a big file. */
static void
verify_later(struct alopex_view *v, size_t i)
{
	auto_lock(&v->lock);

	v->of[i].queued = true;
	if (!v->running)
		v->running = !pthread_create(&v->thread, NULL, run, v);
	pthread_cond_signal(&v->more);
}

static int
verify_first(struct alopex_view *v, size_t i, struct err *e)
{
	if (v->files.files[i].size > ALOPEX_VERIFY_FIRST) {
		verify_later(v, i);
		return 0;
	}
	auto_lock(&v->verifying[i % PASSES]);

	return v->of[i].state == UNVERIFIED ? verify(v, i, e) : 0;
}

/* -- Reading ----------------------------------------------------------------
 */

static int
check_state(struct alopex_view *v, size_t i, struct err *e)
{
	int state = v->of[i].state;

	if (state != MISSING && state != SIZE && state != CRC)
		return 0;
	return err_set(e, EBADMSG, "%s:%s is not as in the manifest: %s",
		v->files.label, v->files.files[i].path, state_names[state]);
}

/* Whether whole pieces from off on are what they were at the first pass. */
static int
check_pieces(struct alopex_view *v, size_t i, uint64_t off, const uint8_t *p,
	size_t len, struct err *e)
{
	if (v->of[i].state != OK)
		return 0;
	for (size_t at = 0; at < len; at += PIECE) {
		size_t n = len - at < PIECE ? len - at : PIECE;

		if (gzip_crc32(0, p + at, n) !=
			v->of[i].pieces[(off + at) / PIECE])
			return err_set(e, EBADMSG,
				"%s:%s has changed since it was verified",
				v->files.label, v->files.files[i].path);
	}
	return 0;
}

static int
read_(struct listed *f, size_t i, uint64_t off, size_t len,
	struct view_data *data, struct err *e)
{
	struct alopex_view *v = view_of(f);
	uint64_t first = off / PIECE * PIECE, last;
	int r = check_state(v, i, e);

	if (!r && v->of[i].state == UNVERIFIED)
		r = verify_first(v, i, e);
	if (!r)
		r = check_state(v, i, e);
	if (r)
		return r;
	len = len < READ_MAX ? len : READ_MAX;
	last = (off + len + PIECE - 1) / PIECE * PIECE;
	last = last < f->files[i].size ? last : f->files[i].size;
	auto_free uint8_t *bytes = xmalloc(last - first);

	r = get(v, i, first, last - first, bytes, 0, e);
	if (!r)
		r = check_pieces(v, i, first, bytes, last - first, e);
	if (r)
		return r;
	uint8_t *from = bytes + (off - first);

	listed_give(data, steal(bytes), from, len);
	return 0;
}

/* -- Attributes --------------------------------------------------------------
 */

static ssize_t
xattr_get(struct listed *f, size_t i, const char *name, void *value,
	size_t size, struct err *e)
{
	int state = view_of(f)->of[i].state;

	if (!strcmp(name, "user.yore.state"))
		return listed_answer(state_names[state], value, size, e);
	if (!strcmp(name, "user.yore.unverified") &&
		(state == UNVERIFIED || state == UNLISTED))
		return listed_answer("1", value, size, e);
	return err_set(e, ENODATA, "no attribute %s", name);
}

static ssize_t
root_xattr(struct listed *f, const char *name, void *value, size_t size,
	struct err *e)
{
	struct alopex_view *v = view_of(f);
	size_t n[n_elements(state_names)] = { 0 };
	char text[32];

	for (size_t i = 0; i < f->n_files; i++)
		n[v->of[i].state]++;
	size_t damaged = n[MISSING] + n[SIZE] + n[CRC] + v->n_refused;

	if (!strcmp(name, "user.yore.state"))
		return listed_answer(v->unfinished   ? "unfinished"
				     : damaged > 0   ? "damaged"
				     : n[UNVERIFIED] ? "unverified"
						     : "ok",
			value, size, e);
	if (!strcmp(name, "user.yore.damaged"))
		snprintf(text, sizeof(text), "%zu", damaged);
	else if (!strcmp(name, "user.yore.unlisted"))
		snprintf(text, sizeof(text), "%zu", n[UNLISTED]);
	else
		return err_set(e, ENODATA, "no attribute %s", name);
	return listed_answer(text, value, size, e);
}

/* -- Life -------------------------------------------------------------------
 */

static void
stop(struct alopex_view *v)
{
	pthread_mutex_lock(&v->lock);
	v->ending = true;
	pthread_cond_signal(&v->more);
	pthread_mutex_unlock(&v->lock);
	cancel_raise(&v->cancel);
	if (v->running)
		pthread_join(v->thread, NULL);
}

static void
free_(struct listed *f)
{
	struct alopex_view *v = view_of(f);

	stop(v);
	for (size_t i = 0; i < f->n_files; i++)
		free(v->of[i].pieces);
	free(v->of);
	free(v->prefix);
	for (size_t i = 0; i < PASSES; i++)
		pthread_mutex_destroy(&v->verifying[i]);
	pthread_mutex_destroy(&v->lock);
	pthread_cond_destroy(&v->more);
	listed_release(f);
	stem_put(v->stem);
	free(v);
}

static const struct listed_ops ops = {
	.read = read_,
	.xattr_get = xattr_get,
	.root_xattr = root_xattr,
	.free = free_,
};

/* -- Opening ----------------------------------------------------------------
 */

struct gathering {
	const char *prefix;
	struct listed_entry *entries; /* paths are ours */
	size_t n, room;
	bool too_many;
};

static struct listed_entry *
add(struct gathering *g, const char *path)
{
	if (g->n == g->room) {
		g->room = g->room ? 2 * g->room : 64;
		g->entries =
			xrealloc(g->entries, g->room * sizeof(*g->entries));
	}
	g->entries[g->n] = (struct listed_entry){ .path = xstrdup(path),
		.modified_ns = INT64_MIN };
	return &g->entries[g->n++];
}

static void
release(struct gathering *g)
{
	for (size_t i = 0; i < g->n; i++)
		free((char *)(uintptr_t)g->entries[i].path);
	free(g->entries);
}

#define auto_gathering AUTO(release)

static bool
gather(void *ctx, const struct store_object *o)
{
	struct gathering *g = ctx;
	const char *path = o->name + strlen(g->prefix);

	if (!listed_path_ok(path, strlen(path)) || alopex_manifest_skips(path))
		return true;
	g->too_many = g->n >= LISTED_MAX;
	if (g->too_many)
		return false;
	struct listed_entry *f = add(g, path);

	f->size = o->size;
	f->modified_ns = o->modified_ns;
	f->mode = strcmp(path, ALOPEX_MANIFEST) ? S_ISVTX | 0444 : 0444;
	f->tag = strcmp(path, ALOPEX_MANIFEST) ? UNLISTED : MANIFEST;
	return true;
}

static int
compare(const void *a, const void *b)
{
	const struct listed_entry *x = a, *y = b;

	return listed_compare_paths(x->path, y->path);
}

/* What is there and what the manifest says, made one. */
static void
compare_all(struct gathering *g, const struct alopex_manifest *m)
{
	size_t at = 0, n = g->n;

	if (n > 0)
		qsort(g->entries, n, sizeof(*g->entries), compare);
	for (size_t i = 0; i < m->n; i++) {
		const struct alopex_entry *x = &m->entries[i];
		int order = 1;

		while (at < n && (order = listed_compare_paths(
					  g->entries[at].path, x->path)) < 0)
			at++;
		struct listed_entry *f = at < n && order == 0 ? &g->entries[at]
							      : add(g, x->path);

		f->tag = at >= n || order     ? MISSING
			 : f->size != x->size ? SIZE
					      : UNVERIFIED;
		f->mode = f->tag == UNVERIFIED ? 0444 : 0;
		f->size = x->size;
	}
}

/* What the listing says of the manifest; NULL: it has none. */
static const struct listed_entry *
find_manifest(const struct gathering *g)
{
	for (size_t i = 0; i < g->n; i++) {
		if (g->entries[i].tag == MANIFEST)
			return &g->entries[i];
	}
	return NULL;
}

static int
load_manifest(struct stem *stem, const struct alopex_backup *b,
	const struct gathering *g, struct alopex_manifest *m, struct err *e)
{
	auto_free char *name = xasprintf("%s" ALOPEX_MANIFEST, b->prefix);
	const struct listed_entry *f = find_manifest(g);
	auto_free uint8_t *text = NULL;
	int r = -ENOENT;

	if (f && f->size > ALOPEX_MANIFEST_MAX)
		r = err_set(e, EUCLEAN, "bigger than any manifest");
	else if (f) {
		text = xmalloc(f->size + 1);
		r = read_object(stem, name, f, 0, f->size, text, 0, e);
		if (r)
			return r;
		r = alopex_manifest_decode(text, f->size, m, e);
	}
	if (r == -ENOENT && b->unfinished)
		return 0;
	if (r == -ENOENT)
		return err_set(e, EIO, "%s has been removed", name);
	if (r && e)
		err_prefix(e, "%s", name);
	if (!r && m->n_refused > 0)
		log_warn("%s: %zu entries have paths that no backup has: "
			 "refused",
			name, m->n_refused);
	return r;
}

/* The sums, where listed_init has put each file. */
static void
take_sums(struct alopex_view *v, const struct alopex_manifest *m)
{
	size_t at = 0;

	v->of = xcalloc(v->files.n_files + 1, sizeof(*v->of));
	for (size_t i = 0; i < v->files.n_files; i++) {
		const char *path = v->files.files[i].path;
		int order = 1;

		v->of[i].state = (int)v->files.files[i].tag;
		while (at < m->n && (order = listed_compare_paths(
					     m->entries[at].path, path)) < 0)
			at++;
		if (at < m->n && order == 0)
			v->of[i].crc = m->entries[at].crc;
		/* of no bytes there is no pass */
		if (v->of[i].state == UNVERIFIED && v->files.files[i].size == 0)
			v->of[i].state = v->of[i].crc == 0 ? OK : CRC;
	}
}

int
alopex_view_open(struct stem *stem, const struct alopex_backup *b,
	struct view **view, struct err *e)
{
	auto_gathering struct gathering g = { .prefix = b->prefix };
	auto_alopex_manifest struct alopex_manifest m = ALOPEX_MANIFEST_INIT;
	int r = gzip_load(e);

	if (!r)
		r = store_list_objects(
			stem->store, b->prefix, "", gather, &g, e);
	if (!r && g.n == 0)
		r = err_set(
			e, ESTALE, "%s: the backup has been removed", b->label);
	if (!r && g.too_many)
		r = err_set(e, EUCLEAN, "%s has more than %u files", b->label,
			LISTED_MAX);
	if (!r)
		r = load_manifest(stem, b, &g, &m, e);
	if (r)
		return r;
	struct alopex_view *v = xcalloc(1, sizeof(*v));

	compare_all(&g, &m);
	v->stem = stem_get(stem);
	v->prefix = xstrdup(b->prefix);
	v->unfinished = b->unfinished;
	v->n_refused = m.n_refused;
	for (size_t i = 0; i < PASSES; i++)
		pthread_mutex_init(&v->verifying[i], NULL);
	pthread_mutex_init(&v->lock, NULL);
	pthread_cond_init(&v->more, NULL);
	listed_init(&v->files, &ops, b->label, b->time_ns, g.entries, g.n);
	take_sums(v, &m);
	*view = &v->files.view;
	return 0;
}
