/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "repo/foreign/litestream05_database.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include "repo/base/buf.h"
#include "repo/base/cancel.h"
#include "repo/base/clock.h"
#include "repo/fetch/together.h"
#include "repo/foreign/litestream05_whole.h"

#define PILE_MAX 20000 /* files of one plan */

static struct litestream05_database *
database_of(struct database *d)
{
	return (struct litestream05_database *)d;
}

/* -- Making the pile ----------------------------------------------------------
 */

static void
release_layers(struct litestream05_database *db)
{
	for (size_t i = 0; i < db->n; i++) {
		struct litestream05_layer *l = &db->layers[i];

		litestream05_pages_put(db->replica->pages, l->pages);
		if (l->searched)
			ltx_search_release(&l->search);
		free(l->object);
		free(l->key);
	}
	free(db->layers);
	db->layers = NULL;
	db->n = 0;
}

static void
database_free(struct database *d)
{
	struct litestream05_database *db = database_of(d);

	release_layers(db);
	pthread_mutex_destroy(&db->load_lock);
	pthread_mutex_destroy(&db->lock);
	litestream05_replica_put(db->replica);
	free(d->name);
	free(db);
}

static void
make_layers(struct litestream05_database *db,
	const struct litestream05_file *plan, size_t n)
{
	struct pieces *pieces = foreign_place_pieces(db->replica->place);

	db->layers = xcalloc(n, sizeof(*db->layers));
	db->n = n;
	for (size_t i = 0; i < n; i++) {
		struct litestream05_layer *l = &db->layers[i];

		l->file = plan[i];
		l->object = litestream05_replica_object(db->replica, &plan[i]);
		l->key = litestream05_replica_key(db->replica, &plan[i]);
		l->at = (struct pieces_object){
			.name = l->object, .size = plan[i].size, .key = l->key
		};
		l->pieces = pieces;
	}
}

struct reading {
	struct litestream05_database *db;
	struct cancel *cancel;
	pthread_mutex_t lock;
	int rc; /* of the first that failed */
	struct err e;
	int (*read)(struct litestream05_database *db,
		struct litestream05_layer *l, struct err *e);
};

static void
read_layer(void *ctx, size_t i)
{
	struct reading *g = ctx;
	struct err e = ERR_INIT;
	int rc;

	if (g->rc < 0)
		return;
	cancel_set_current(g->cancel);
	rc = g->read(g->db, &g->db->layers[i], &e);
	if (rc == 0)
		return;
	pthread_mutex_lock(&g->lock);
	if (g->rc == 0) {
		g->rc = rc;
		g->e = e;
	}
	pthread_mutex_unlock(&g->lock);
}

int
litestream05_database_each(struct litestream05_database *db,
	int (*read)(struct litestream05_database *db,
		struct litestream05_layer *l, struct err *e),
	struct err *e)
{
	struct reading g = { .db = db,
		.cancel = cancel_current(),
		.lock = PTHREAD_MUTEX_INITIALIZER,
		.read = read };

	together_run(db->n, db->n > 1, read_layer, &g);
	cancel_set_current(g.cancel);
	return g.rc < 0 ? err_set(e, -g.rc, "%s", g.e.text) : 0;
}

static int
read_header(struct litestream05_database *db, struct litestream05_layer *l,
	struct err *e)
{
	int rc;

	if (l->at.size < LTX_LEN_MIN)
		return err_set(
			e, EBADMSG, "%s: too short for an LTX file", l->object);
	rc = litestream05_replica_header(db->replica, &l->file, e);
	l->header = (struct ltx_header){ .page_size = l->file.info.page_size,
		.commit = l->file.info.commit,
		.min = l->file.min,
		.max = l->file.max,
		.time_ms = l->file.info.time_ns / 1000000 };
	return rc;
}

/* From the top down: what was cut off later, whether all agree. */
static int
settle(struct litestream05_database *db, struct err *e)
{
	const struct litestream05_layer *top = &db->layers[db->n - 1];
	uint32_t limit = UINT32_MAX;

	db->page_size = top->header.page_size;
	db->commit = top->header.commit;
	for (size_t i = db->n; i-- > 0;) {
		struct litestream05_layer *l = &db->layers[i];

		l->limit = limit;
		if (l->header.commit < limit)
			limit = l->header.commit;
		if (l->header.page_size != db->page_size)
			return err_set(e, EUCLEAN,
				"%s has pages of %" PRIu32 " bytes, %s of "
				"%" PRIu32,
				l->object, l->header.page_size, top->object,
				db->page_size);
	}
	if (db->layers[0].header.min != 1)
		return err_set(e, EUCLEAN, "%s does not begin with TXID 1",
			db->layers[0].object);
	return 0;
}

static int
try_open(struct litestream05_database *db, uint64_t txid, struct err *e)
{
	auto_free struct litestream05_file *plan = NULL;
	size_t n, from = 0;
	int rc = litestream05_replica_plan(db->replica, txid, &plan, &n, e);

	if (rc == -ENOENT)
		return err_set(e, ESTALE,
			"%s: TXID %016" PRIx64 " has been removed",
			db->replica->label, txid);
	if (rc == 0 && n > PILE_MAX)
		rc = err_set(e, E2BIG,
			"%s: TXID %016" PRIx64 " is made of %zu "
			"files",
			db->replica->label, txid, n);
	if (rc < 0)
		return rc;
	/* what begins with TXID 1 has all pages: nothing shows through */
	for (size_t i = 0; i < n; i++) {
		if (plan[i].min == 1)
			from = i;
	}
	make_layers(db, plan + from, n - from);
	rc = litestream05_database_each(db, read_header, e);
	return rc < 0 ? rc : settle(db, e);
}

/* A file that has gone was joined with others meanwhile. */
static int
open_pile(struct litestream05_database *db, uint64_t txid, struct err *e)
{
	int rc = try_open(db, txid, e);

	if (rc != -ENOENT)
		return rc;
	release_layers(db);
	rc = litestream05_replica_refresh(db->replica, e);
	if (rc == 0)
		rc = try_open(db, txid, e);
	return rc == -ENOENT
		       ? err_set(e, ESTALE,
				 "%s: TXID %016" PRIx64 " has been removed",
				 db->replica->label, txid)
		       : rc;
}

/* -- Attributes
 * ---------------------------------------------------------------- */

static ssize_t
xattr_get(struct database *d, const char *name, void *value, size_t size,
	struct err *e)
{
	struct litestream05_database *db = database_of(d);
	auto_buf struct buf b = BUF_INIT;

	if (strcmp(name, "user.yore.unverified") == 0) {
		for (size_t i = 0; i < db->n; i++) {
			const struct litestream05_layer *l = &db->layers[i];

			if (l->file.size > LITESTREAM05_WHOLE_MAX &&
				!litestream05_whole_is_verified(
					db->replica, &l->at))
				buf_printf(&b, "%s%s", b.len ? "," : "",
					l->object);
		}
	}
	if (b.len == 0)
		return err_set(e, ENODATA, "no such attribute");
	buf_append(&b, "", 1);
	return database_answer((char *)b.data, value, size, e);
}

/* Where the bytes come from, as far as it is known without asking: the files
 * of the pile, each as a whole. */
static int
extents(struct database *d, uint64_t from,
	bool (*each)(void *ctx, const struct view_extent *x), void *ctx,
	struct err *e)
{
	struct litestream05_database *db = database_of(d);

	(void)e;
	for (size_t i = 0; i < db->n && from < d->size; i++) {
		const struct litestream05_layer *l = &db->layers[i];
		struct view_extent x = { .off = from,
			.len = d->size - from,
			.object_len = l->file.size };

		snprintf(x.object, sizeof(x.object), "%s", l->object);
		if (!each(ctx, &x))
			break;
	}
	return 0;
}

static const struct database_ops ops = {
	.read = litestream05_database_read,
	.extents = extents,
	.xattr_get = xattr_get,
	.free = database_free,
};

void
litestream05_database_fill(const struct litestream05_replica *r,
	int64_t time_ns, uint64_t size, uint32_t page_size, struct database *d)
{
	int64_t ns = time_ns % NS_PER_S;

	*d = (struct database){ .ops = &ops,
		.name = r->file,
		.size = size,
		.page_size = page_size,
		.mtime = { .tv_sec = time_ns / NS_PER_S - (ns < 0),
			.tv_nsec = ns < 0 ? ns + NS_PER_S : ns },
		.mode = 0444,
		.uid = geteuid(),
		.gid = getegid() };
}

int
litestream05_database_open(struct litestream05_replica *r, uint64_t txid,
	int64_t time_ns, struct view **view, struct err *e)
{
	struct litestream05_database *db = xcalloc(1, sizeof(*db));
	int rc;

	db->replica = litestream05_replica_get(r);
	pthread_mutex_init(&db->load_lock, NULL);
	pthread_mutex_init(&db->lock, NULL);
	rc = open_pile(db, txid, e);
	litestream05_database_fill(r, time_ns,
		(uint64_t)db->commit * db->page_size, db->page_size,
		&db->database);
	db->database.name = xstrdup(r->file);
	if (rc < 0) {
		database_free(&db->database);
		return rc;
	}
	return database_view_new(&db->database, view, e);
}
