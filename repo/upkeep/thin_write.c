/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writing a stretch anew: deltas, the one that closes them, then the record, of
 * which id and hash are needed first, since deltas name their base.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include "repo/base/clock.h"
#include "repo/native/database.h"
#include "repo/upkeep/thin_pages.h"
#include "repo/upkeep/thin_private.h"
#include "repo/write/run.h"
#include "repo/write/sealed.h"

/* A record is not left standing so long after the last of its deltas. */
#define LATE_NS (12 * 3600 * NS_PER_S)

struct anew {
	struct stretch *s;
	struct record before; /* whole */
	uint8_t hash[HASH_LEN];
	struct native_database *base;
	int64_t closed_ns, closed_mono_ns; /* when the last delta was put */
	struct sealed sealed; /* the new record */
	char name[OBJECT_NAME_MAX * 2];
	struct delta_writer *dw;
	struct delta_chain chain; /* of the point that was written last */
	uint64_t from;		  /* its number in the epoch before */
};

static void
anew_release(struct anew *a)
{
	delta_writer_free(a->dw);
	delta_chain_release(&a->chain);
	native_database_free(a->base);
	sealed_release(&a->sealed);
	record_release(&a->before);
}

#define auto_anew AUTO(anew_release)

/* -- The base ---------------------------------------------------------------- */

/* Page pgno of the snapshot. */
static int
read_base(void *ctx, uint32_t pgno, void *buf, struct err *e)
{
	struct database *db = &((struct anew *)ctx)->base->database;
	uint64_t off = (uint64_t)(pgno - 1) * db->page_size;
	size_t done = 0;

	if (off + db->page_size > db->size)
		return err_set(e, EUCLEAN, "page %" PRIu32 " is not in the "
			"snapshot", pgno);
	while (done < db->page_size) {
		auto_view_data struct view_data d = VIEW_DATA_INIT;
		int r = db->ops->read(
			db, off + done, db->page_size - done, &d, e);

		if (r)
			return r;
		for (int i = 0; i < d.n; i++) {
			memcpy((uint8_t *)buf + done, d.iov[i].iov_base,
				d.iov[i].iov_len);
			done += d.iov[i].iov_len;
		}
	}
	return 0;
}

static int
open_base(struct anew *a, struct err *e)
{
	struct thinning *t = a->s->t;
	const struct native_database_options o = { .deltas = t->deltas,
		.fetch = t->fetch,
		.pages = t->pages,
		.keys = t->w->rp->keys,
		.label = a->s->at->place->name };
	int r = records_load_one(
		t->w->rp, a->s->at->place, &a->before, a->hash, e);

	return r ? r : native_database_base(&o, &a->before, &a->base, e);
}

/* -- The record -------------------------------------------------------------- */

/* Seal the record; *rec is given: it with its id. */
static int
seal_record(struct anew *a, uint32_t epoch, struct record *rec,
	uint8_t hash[HASH_LEN], struct err *e)
{
	auto_buf struct buf plain = BUF_INIT;
	struct record next = a->before; /* borrows from it */
	int r;

	sealed_init(&a->sealed, a->s->t->w->rp->keys, OBJECT_RECORD);
	memcpy(next.id, a->sealed.id, OBJECT_ID_LEN);
	memcpy(next.original, record_link(&a->before, a->hash), HASH_LEN);
	next.epoch = epoch;
	next.n_deltas = (uint32_t)a->s->told.kept + 1;
	record_encode(&next, true, &plain);
	r = sealed_add(&a->sealed, FRAME_RECORD, plain.data, plain.len, e);
	if (!r)
		r = record_decode(plain.data, plain.len, rec, e);
	if (r)
		return r;
	memcpy(rec->id, next.id, OBJECT_ID_LEN);
	record_name(a->name, a->s->at->place->source, rec);
	sha256(a->sealed.bytes.data, a->sealed.bytes.len, hash);
	return 0;
}

static int
open_writer(struct anew *a, uint32_t epoch, struct err *e)
{
	struct record rec = { .host = NULL };
	uint8_t hash[HASH_LEN];
	const struct delta_writer_anew how = { .base = &rec,
		.hash = hash,
		.read = read_base,
		.ctx = a };
	int r = seal_record(a, epoch, &rec, hash, e);

	return r ? r : delta_writer_open_anew(a->s->t->w, &how,
			       a->s->t->scratch, &a->dw, e);
}

/* -- Points ------------------------------------------------------------------ */

static void
count(struct anew *a)
{
	struct delta_writer_state now;

	delta_writer_state(a->dw, &now);
	a->s->told.new_bytes += now.len;
}

/* The chain of point n takes the place of that of the point before, of which
 * it shares most. */
static int
go_to(struct anew *a, uint64_t n, struct err *e)
{
	auto_delta struct delta *d = NULL;
	struct delta_chain chain = { .n = 0 };
	int r = deltas_number(a->s->newest, n, &d, e);

	if (!r)
		r = deltas_chain(d, &chain, e);
	if (r)
		return r;
	delta_chain_release(&a->chain);
	a->chain = chain;
	return 0;
}

static int
write_point(struct anew *a, uint64_t n, struct err *e)
{
	auto_thin_pages struct thin_pages p = { .chain = &a->chain,
		.from = a->from };
	const struct delta_record *rec;
	struct delta_writer_delta d = { .read = thin_pages_read, .ctx = &p };
	int r = go_to(a, n, e);

	if (!r)
		r = thin_pages_find(&p, a->dw, e);
	if (r)
		return r;
	rec = &a->chain.d[0]->record;
	d.pgno = p.pgno;
	d.n = p.n;
	d.pages = rec->state.pages;
	d.time_ns = rec->time_ns;
	d.opaque = rec->opaque;
	d.opaque_len = rec->opaque_len;
	d.hash = rec->state.hash;
	r = delta_writer_delta(a->dw, &d, e);
	if (!r)
		count(a);
	a->from = n;
	return r;
}

static bool
is_interrupted(const struct anew *a)
{
	const atomic_bool *flag = a->s->t->o->interrupted;

	return flag && atomic_load(flag);
}

static int
write_points(struct anew *a, struct err *e)
{
	int r = 0;

	for (uint64_t n = 1; n <= a->s->last && !r; n++) {
		if (!stretch_keeps(a->s, n))
			continue;
		r = is_interrupted(a) ? err_set(e, ECANCELED, "interrupted")
				      : write_point(a, n, e);
	}
	a->closed_ns = clock_wall_ns();
	a->closed_mono_ns = clock_mono_ns();
	if (!r)
		r = delta_writer_close(a->dw, e);
	if (!r)
		count(a);
	return r;
}

/* -- The end ----------------------------------------------------------------- */

static bool
count_one(void *ctx, const char *name, uint64_t size)
{
	(void)size;
	*(uint64_t *)ctx += delta_name_n(name) != 0;
	return true;
}

/* Prune deletes deltas that nothing refers to when all of them are older than its
 * grace, of a day at least. */
static bool
is_late(const struct anew *a)
{
	return clock_mono_ns() - a->closed_mono_ns > LATE_NS ||
	       clock_wall_ns() - a->closed_ns > LATE_NS;
}

/* Who was stopped for longer than prune waits may have lost deltas, or be about
 * to: looked at after the record is there, since prune deletes none that have
 * one. */
static int
look_again(struct anew *a, uint32_t epoch, struct err *e)
{
	struct delta_place at = { .base_seq = a->before.seq, .epoch = epoch };
	struct thinning *t = a->s->t;
	char prefix[OBJECT_NAME_MAX];
	struct err why = ERR_INIT;
	uint64_t n = 0;
	int r;

	memcpy(at.source, a->s->at->place->source, SOURCE_KEY_LEN);
	delta_prefix(prefix, &at);
	r = store_list_names(t->w->rp->store, prefix, "", count_one, &n, &why);
	if (!r && n == a->s->told.kept + 1 && !is_late(a))
		return 0;
	if (sink_remove(t->w->sink, a->name, e))
		return err_prefix(e, "%s lacks deltas and cannot be withdrawn",
			a->name);
	return r ? err_set(e, -r, "%s", why.text)
		 : err_set(e, ESTALE, "%s: deltas may have been pruned meanwhile: "
			"thin it again", prefix);
}

static int
publish(struct anew *a, uint32_t epoch, struct err *e)
{
	struct thinning *t = a->s->t;
	uint64_t size;
	int r = store_size(t->w->rp->store, a->s->at->place->name, &size, e);

	if (r == -ENOENT)
		return err_set(e, ESTALE, "%s was forgotten meanwhile",
			a->s->at->place->name);
	if (!r)
		r = sink_put(t->w->sink, a->name, a->sealed.bytes.data,
			a->sealed.bytes.len, e);
	return r ? r : look_again(a, epoch, e);
}

int
stretch_write(struct stretch *s, uint32_t epoch, struct err *e)
{
	auto_anew struct anew a = { .s = s };
	int r = open_base(&a, e);

	if (!r)
		r = open_writer(&a, epoch, e);
	if (!r)
		r = write_points(&a, e);
	if (r == -EEXIST)
		return err_set(e, EEXIST, "snapshot %s is being thinned by "
			"somebody else", s->at->place->name);
	return r ? r : publish(&a, epoch, e);
}
