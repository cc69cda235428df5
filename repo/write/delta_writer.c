/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the store has of a database; and its bases. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include "repo/base/hex.h"
#include "repo/base/log.h"
#include "repo/native/ended.h"
#include "repo/native/records.h"
#include "repo/write/delta_private.h"

/* Pages read together. */
#define READ_MAX (1u << 20)
/* Records that may share the highest seq. */
#define CANDIDATES_MAX 4

/* -- What the store has ---------------------------------------------------------- */

void
delta_writer_move(struct delta_writer *dw, struct delta *d)
{
	delta_put(dw->last);
	dw->last = d;
}

static void
forget(struct delta_writer *dw)
{
	delta_writer_move(dw, NULL);
	record_release(&dw->base);
}

/* The records with the highest seq: more than one, if writers raced. */
struct candidates {
	struct record_place at[CANDIDATES_MAX];
	unsigned n;
};

static int
list_candidates(struct delta_writer *dw, struct candidates *c, struct err *e)
{
	struct record_places all = { .n = 0 };
	char prefix[OBJECT_NAME_MAX], hex[SOURCE_KEY_LEN * 2 + 1];
	int r;

	snprintf(prefix, sizeof(prefix), "snap/%s/",
		hex_encode(hex, dw->home.source, SOURCE_KEY_LEN));
	r = records_list(dw->w->rp, prefix, &all, e);
	c->n = 0;
	for (size_t i = all.n; i-- > 0 && c->n < CANDIDATES_MAX && !r;) {
		if (all.p[i].seq != all.p[all.n - 1].seq)
			break;
		c->at[c->n++] = all.p[i];
	}
	record_places_release(&all);
	return r;
}

/* The one that has deltas, else the first. */
static int
choose(struct delta_writer *dw, const struct candidates *c, unsigned *best,
	struct err *e)
{
	*best = 0;
	for (unsigned i = 0; i < c->n; i++) {
		int r;

		dw->home.epoch = 0;
		dw->home.seq = c->at[i].seq;
		memcpy(dw->home.id, c->at[i].id, OBJECT_ID_LEN);
		r = deltas_newest(
			dw->w->deltas, &dw->home, 0, &dw->last, e);
		if (r && r != -ENOENT && !(r == -ESTALE && c->n > 1))
			return r;
		if (!r) {
			*best = i;
			return 0;
		}
	}
	dw->home.seq = c->at[0].seq;
	memcpy(dw->home.id, c->at[0].id, OBJECT_ID_LEN);
	return 0;
}

static int
load_base(struct delta_writer *dw, const struct record_place *at,
	struct err *e)
{
	int r = records_load_one(dw->w->rp, at, &dw->base, dw->base_hash, e);

	if (r)
		return r;
	dw->home.epoch = dw->base.epoch;
	if (dw->base.is_database && dw->base.root_page)
		return 0;
	record_release(&dw->base);
	return err_set(e, EUCLEAN,
		"%s/%s is no database but a tree: choose another source",
		dw->host, dw->name);
}

static int
load(struct delta_writer *dw, struct err *e)
{
	struct candidates c;
	unsigned best = 0;
	int r;

	forget(dw);
	r = list_candidates(dw, &c, e);
	if (r || c.n == 0)
		return r;
	r = choose(dw, &c, &best, e);
	if (!r)
		r = load_base(dw, &c.at[best], e);
	/* which was thinned, though it is the newest */
	if (!r && dw->home.epoch)
		r = deltas_newest(dw->w->deltas, &dw->home, 0, &dw->last, e);
	if (r)
		forget(dw);
	return r;
}

const struct database_state *
delta_writer_database(const struct delta_writer *dw)
{
	return dw->last ? &dw->last->record.state : &dw->base.database;
}

int
delta_writer_refresh(struct delta_writer *dw, struct err *e)
{
	int r = load(dw, e);

	if (r || !dw->base.host)
		return r;
	page_table_open(&dw->table, delta_writer_database(dw),
		dw->last ? dw->last->record.n : 0);
	dw->unsure = false;
	return 0;
}

void
delta_writer_state(const struct delta_writer *dw, struct delta_writer_state *s)
{
	const struct delta_record *d = dw->last ? &dw->last->record : NULL;
	const struct database_state *db = delta_writer_database(dw);

	*s = (struct delta_writer_state){ .exists = dw->base.host };
	if (!s->exists)
		return;
	s->closed = d && d->closed;
	s->can_delta = !s->closed && page_table_known(&dw->table);
	s->base_seq = dw->base.seq;
	hex_encode(s->base_id, dw->base.id, OBJECT_ID_LEN);
	s->n = d ? d->n : 0;
	s->time_ns = d ? d->time_ns : dw->base.time_ns;
	s->len = dw->last ? dw->last->tail.len : 0;
	s->page_size = db->page_size;
	s->pages = db->pages;
	memcpy(s->hash, db->hash, PAGE_HASH_LEN);
	s->opaque = d ? d->opaque : dw->base.opaque;
	s->opaque_len = d ? d->opaque_len : dw->base.opaque_len;
}

/* -- Life ------------------------------------------------------------------------ */

static int
check_names(const struct delta_writer_options *o, struct err *e)
{
	size_t len = strlen(o->file);

	if (len > 0 && len <= 251 && !strchr(o->file, '/') &&
		strcmp(o->file, ".") && strcmp(o->file, ".."))
		return 0;
	return err_set(e, EINVAL, "\"%s\" cannot name a database", o->file);
}

int
delta_writer_open(struct writer *w, const struct delta_writer_options *o,
	struct delta_writer **out, struct err *e)
{
	auto_delta_writer struct delta_writer *dw = xcalloc(1, sizeof(*dw));
	int r;

	dw->table.dir = dw->table.fd = -1;
	r = check_names(o, e);
	if (r)
		return r;
	dw->w = w;
	dw->host = xstrdup(o->host);
	dw->name = xstrdup(o->name);
	dw->file = xstrdup(o->file);
	dw->path = xstrdup(o->path);
	source_key(w->rp->keys, o->host, o->name, dw->home.source);
	random_bytes(dw->writer, sizeof(dw->writer));
	r = page_table_init(&dw->table, o->state_dir, w->rp->keys, e);
	if (!r)
		r = delta_writer_refresh(dw, e);
	if (r)
		return r;
	*out = steal(dw);
	return 0;
}

void
delta_writer_free(struct delta_writer *dw)
{
	if (!dw)
		return;
	forget(dw);
	buf_release(&dw->tried_opaque);
	page_table_release(&dw->table);
	free(dw->host);
	free(dw->name);
	free(dw->file);
	free(dw->path);
	free(dw);
}

int
delta_writer_open_anew(struct writer *w, const struct delta_writer_anew *a,
	const char *state_dir, struct delta_writer **out, struct err *e)
{
	auto_delta_writer struct delta_writer *dw = xcalloc(1, sizeof(*dw));
	int r;

	dw->table.dir = dw->table.fd = -1;
	dw->w = w;
	dw->host = xstrdup(a->base->host);
	dw->name = xstrdup(a->base->name);
	dw->base = *a->base;
	memset(a->base, 0, sizeof(*a->base));
	memcpy(dw->base_hash, a->hash, HASH_LEN);
	dw->home.seq = dw->base.seq;
	dw->home.epoch = dw->base.epoch;
	memcpy(dw->home.id, dw->base.id, OBJECT_ID_LEN);
	source_key(w->rp->keys, dw->host, dw->name, dw->home.source);
	random_bytes(dw->writer, sizeof(dw->writer));
	r = page_table_init(&dw->table, state_dir, w->rp->keys, e);
	if (!r)
		r = page_table_open_of(&dw->table, &dw->base.database, a->read,
			a->ctx, e);
	if (r)
		return r;
	*out = steal(dw);
	return 0;
}

int
delta_writer_has_zeros(struct delta_writer *dw, uint32_t pgno, bool *zeros,
	struct err *e)
{
	return page_table_is_zeros(&dw->table, pgno, zeros, e);
}

/* -- Reading the whole database ---------------------------------------------------- */

/* Pages as a stream of bytes, hashed as they pass. */
struct reading {
	struct delta_writer *dw;
	const struct delta_writer_pages *p;
	struct database_state state; /* of what has passed */
	uint8_t *buf;
	size_t len, off; /* bytes in it, and those that were taken */
};

static int
begin_reading(struct reading *rd, struct delta_writer *dw,
	const struct delta_writer_pages *p, struct err *e)
{
	*rd = (struct reading){ .dw = dw, .p = p,
		.state = { .page_size = p->page_size } };
	if (!database_page_size_ok(p->page_size) || p->n == UINT32_MAX)
		return err_set(e, EINVAL, "pages of %" PRIu32 " bytes",
			p->page_size);
	rd->buf = xmalloc(READ_MAX);
	return page_table_begin_new(&dw->table, &rd->state, e);
}

/* 0 at the end. */
static int
read_pages(struct reading *rd, struct err *e)
{
	uint32_t size = rd->p->page_size, done = rd->state.pages;
	uint32_t n = rd->p->n - done;
	int r;

	if (n > READ_MAX / size)
		n = READ_MAX / size;
	if (n == 0)
		return 0;
	r = rd->p->read(rd->p->ctx, done + 1, n, rd->buf, e);
	for (uint32_t i = 0; i < n && !r; i++)
		r = page_table_add(&rd->dw->table, &rd->state,
			rd->buf + (size_t)i * size, e);
	rd->len = (size_t)n * size;
	rd->off = 0;
	return r < 0 ? r : 1;
}

static ssize_t
read_bytes_of(void *ctx, void *to, size_t len, struct err *e)
{
	struct reading *rd = ctx;
	size_t n;

	if (rd->off == rd->len) {
		int r = read_pages(rd, e);

		if (r <= 0)
			return r;
	}
	n = rd->len - rd->off;
	if (n > len)
		n = len;
	memcpy(to, rd->buf + rd->off, n);
	rd->off += n;
	return (ssize_t)n;
}

int
delta_writer_adopt(struct delta_writer *dw, const struct delta_writer_pages *p,
	struct err *e)
{
	const struct database_state *s = delta_writer_database(dw);
	struct reading rd;
	int r;

	if (!dw->base.host || (dw->last && dw->last->record.closed) ||
		p->page_size != s->page_size || p->n != s->pages)
		return err_set(e, ESTALE, "%s/%s: the repository has another "
			"state of it", dw->host, dw->name);
	r = begin_reading(&rd, dw, p, e);
	while (!r && (r = read_pages(&rd, e)) == 1)
		r = 0;
	free(rd.buf);
	if (!r && memcmp(rd.state.hash, s->hash, PAGE_HASH_LEN))
		r = err_set(e, ESTALE, "%s/%s: the repository has another "
			"state of it", dw->host, dw->name);
	if (r)
		page_table_drop_new(&dw->table);
	else
		page_table_keep_new(&dw->table, s);
	return r;
}

int
delta_writer_lost(const struct delta_writer *dw, const char *why, struct err *e)
{
	uint64_t ended = 0;

	if (dw->base.host && !ended_number(dw->w->rp, dw->home.source, &ended,
				     NULL) && ended >= dw->base.seq)
		why = "was forgotten as a whole (yore forget --all); this "
		      "replicator stops";
	return err_set(e, EEXIST, "%s/%s: %s", dw->host, dw->name, why);
}

/* -- Bases ------------------------------------------------------------------------- */

/* Everything but the record is there. */
static int
commit_base(void *ctx, uint64_t parent, struct err *e)
{
	struct reading *rd = ctx;
	struct delta_writer *dw = rd->dw;

	if (parent != (dw->base.host ? dw->base.seq : 0))
		return delta_writer_lost(dw,
			"another replicator has made a snapshot meanwhile", e);
	if (!dw->base.host || (dw->last && dw->last->record.closed))
		return 0;
	return delta_writer_close(dw, e);
}

static int64_t
not_before(const struct delta_writer *dw, int64_t time_ns)
{
	int64_t last = dw->last ? dw->last->record.time_ns
				: dw->base.time_ns;

	return dw->base.host && time_ns < last ? last : time_ns;
}

static int
back_up(struct delta_writer *dw, const struct delta_writer_base *b,
	struct reading *rd, struct backup_result *result, struct err *e)
{
	const struct backup_database db = { .file = dw->file,
		.read = read_bytes_of,
		.commit = commit_base,
		.ctx = rd,
		.state = &rd->state,
		.continues = b->continues && dw->base.host,
		.opaque = b->opaque,
		.opaque_len = b->opaque_len,
		.mode = b->mode,
		.uid = b->uid,
		.gid = b->gid };
	const struct backup_options o = { .path = dw->path,
		.host = dw->host,
		.name = dw->name,
		.time_ns = not_before(dw, b->time_ns),
		.database = &db,
		.limit_upload = b->limit_upload,
		.interrupted = b->interrupted,
		.progress = b->progress,
		.ctx = b->ctx };

	return writer_backup(dw->w, &o, result, e);
}

/* A call before this one failed: its base may have been stored all the same. */
static int
look_for_base(struct delta_writer *dw, struct err *e)
{
	const struct buf *tried = &dw->tried_opaque;
	int r = delta_writer_refresh(dw, e);
	uint64_t seq = !r && dw->base.host ? dw->base.seq : 0;

	if (!r && seq != dw->tried_seq &&
		((dw->tried_seq && seq != dw->tried_seq + 1) || !tried->len ||
			dw->base.opaque_len != tried->len ||
			memcmp(dw->base.opaque, tried->data, tried->len)))
		r = err_set(e, EEXIST, "%s/%s: another replicator has made a "
			"snapshot after one of ours", dw->host, dw->name);
	dw->base_unsure = r;
	return r;
}

static void
doubt_base(struct delta_writer *dw, const struct delta_writer_base *b)
{
	dw->base_unsure = true;
	dw->tried_seq = dw->base.host ? dw->base.seq : 0;
	dw->tried_opaque.len = 0;
	buf_append(&dw->tried_opaque, b->opaque, b->opaque_len);
}

int
delta_writer_base(struct delta_writer *dw, const struct delta_writer_base *b,
	struct backup_result *result, struct err *e)
{
	struct reading rd;
	int r;

	if (b->opaque_len > DELTA_WRITER_OPAQUE_MAX)
		return err_set(e, EINVAL, "%zu bytes to be kept",
			b->opaque_len);
	r = dw->base_unsure ? look_for_base(dw, e) : 0;
	if (r)
		return r;
	doubt_base(dw, b);
	r = begin_reading(&rd, dw, &b->pages, e);
	if (!r)
		r = back_up(dw, b, &rd, result, e);
	free(rd.buf);
	if (r) {
		page_table_drop_new(&dw->table);
		return r;
	}
	page_table_keep_new(&dw->table, &rd.state);
	r = delta_writer_refresh(dw, e);
	dw->base_unsure = r;
	return r;
}
