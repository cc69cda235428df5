/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Databases: the deltas of a base, in order.  Each must be there, be of this
 * base and of its writer, follow the one before by hash and time, and say of
 * the whole span what its members said of themselves.
 *
 * The last bytes of a delta have its record and mostly its index; they are
 * asked for eight deltas at a time.
 */
#include "repo/upkeep/check_deltas.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "repo/base/buf.h"
#include "repo/base/hex.h"
#include "repo/fetch/together.h"
#include "repo/native/deltas_seen.h"

#define BATCH TOGETHER_MAX
#define TAIL_LEN (64u << 10)
/* An index up to here is fetched in one request. */
#define STRETCH_MAX (4u << 20)

static struct check_fault *
fault_at(struct check_base *b, uint64_t n, uint64_t off, uint64_t len,
	enum check_what what, const char *text)
{
	const struct delta_place p = delta_place_of(&b->base, n);
	char name[OBJECT_NAME_MAX];

	delta_name(name, &p);
	return check_fault_at(b->c, what, name, off, len, text);
}

struct check_fault *
check_delta_fault(struct check_base *b, uint64_t n, enum check_lacks lacks,
	enum check_what what, const char *text)
{
	struct check_fault *f = fault_at(b, n, 0, 0, what, text);

	if (f)
		check_points_cause(b, f, lacks, n, 0);
	return f;
}

struct check_fault *
check_delta_frame(struct check_base *b, uint64_t n, uint64_t off, uint64_t len,
	const char *text)
{
	struct check_fault *f = fault_at(b, n, off, len, CHECK_DAMAGED, text);

	if (f)
		check_points_cause(b, f, CHECK_FRAME, n, off);
	return f;
}

void
check_delta_odd(struct check_base *b, uint64_t n, const char *text)
{
	fault_at(b, n, 0, 0, CHECK_DAMAGED, text);
}

/* -- The ends of a few
 * -------------------------------------------------------------- */

struct ends {
	struct check_base *b;
	uint64_t first;
	struct {
		uint8_t *data;
		size_t len;
		int r;
		struct err e;
	} one[BATCH];
};

static void
read_end(void *ctx, size_t i)
{
	struct ends *es = ctx;
	struct check_base *b = es->b;
	const struct delta_place p = delta_place_of(&b->base, es->first + i);
	uint64_t size = check_delta(b, p.n)->tail.len;
	char name[OBJECT_NAME_MAX];
	size_t got = 0;

	es->one[i].r = -ENOENT;
	if (check_delta(b, p.n)->state != DELTA_LISTED)
		return;
	es->one[i].r = err_set(&es->one[i].e, EBADMSG, "it is empty");
	if (!size)
		return;
	delta_name(name, &p);
	es->one[i].len = size < TAIL_LEN ? (size_t)size : TAIL_LEN;
	es->one[i].data = xmalloc(TAIL_LEN);
	es->one[i].r = store_get(b->c->rp->store, name, size - es->one[i].len,
		es->one[i].len, es->one[i].data, &got, &es->one[i].e);
	if (!es->one[i].r && got < es->one[i].len)
		es->one[i].r = err_set(&es->one[i].e, EBADMSG, "cut off");
}

/* -- One delta
 * ---------------------------------------------------------------------- */

static int
read_trailer(struct check_base *b, const uint8_t *end, size_t len,
	struct check_delta *cd, struct err *e)
{
	struct delta_trailer t;
	uint64_t size = cd->tail.len;
	int r;

	if (size < OBJECT_HEADER_LEN + FRAME_OVERHEAD + DELTA_TRAILER_LEN)
		return err_set(e, EBADMSG, "cut off");
	r = delta_trailer_decode(end + len - DELTA_TRAILER_LEN, &t, e);
	if (r)
		return r;
	if (memcmp(t.base, b->base.id, OBJECT_ID_LEN))
		return err_set(e, EUCLEAN, "it is of another snapshot");
	cd->tail = (struct delta_tail){ .len = size,
		.record_off = t.record.toc_off };
	cd->writer = deltas_writer(b->c->deltas, t.writer);
	if (t.record.toc_off < OBJECT_HEADER_LEN ||
		t.record.toc_off > size - DELTA_TRAILER_LEN ||
		size - DELTA_TRAILER_LEN - t.record.toc_off !=
			t.record.toc_len ||
		t.record.toc_len < FRAME_OVERHEAD)
		return err_set(e, EBADMSG, "its trailer does not fit it");
	return 0;
}

static int
open_delta(struct check_base *b, uint64_t n, uint8_t *end, size_t len,
	struct delta **d, struct err *e)
{
	struct check_delta *cd = check_delta(b, n);
	struct delta_way way = { .sealed = NULL };
	uint64_t from;
	int r = read_trailer(b, end, len, cd, e);

	if (r)
		return r;
	from = cd->tail.len - len;
	if (cd->tail.record_off >= from)
		way.sealed = end + (cd->tail.record_off - from);
	return deltas_open(b->c->deltas, &b->base, cd->writer, n, &cd->tail,
		&way, d, e);
}

/* Members of its chain are where they are. */
static bool
chain_fits(const struct check_base *b, const struct delta *d)
{
	for (unsigned i = 0; i < d->record.n_chain; i++) {
		const struct delta_member *m = &d->record.chain[i];
		const struct check_delta *cd;

		if (m->n >= d->record.n || m->writer >= d->record.n_writers)
			return false;
		cd = check_delta(b, m->n);
		if (cd->state == DELTA_GOOD &&
			(cd->time_ns != m->time_ns ||
				cd->writer != d->writers[m->writer] ||
				cd->tail.len != m->tail.len ||
				cd->tail.record_off != m->tail.record_off ||
				cd->tail.set_off != m->tail.set_off ||
				cd->tail.places_off != m->tail.places_off))
			return false;
	}
	return true;
}

/* What contradicts what is known, or NULL. */
static const char *
contradiction(const struct check_base *b, const struct delta *d)
{
	const struct delta_record *r = &d->record;
	const struct check_delta *before = check_delta(b, r->n - 1);

	if (b->has_hash && memcmp(r->previous, b->last_hash, HASH_LEN))
		return "it follows another delta";
	if (before->state == DELTA_GOOD && r->time_ns < before->time_ns)
		return "it is older than the one before";
	if (r->state.page_size != b->rec->database.page_size)
		return "it has pages of another size";
	if (!chain_fits(b, d))
		return "its chain is not where it says";
	return NULL;
}

/* What lies between the data and the end that was read comes in one request. */
static void
fetch_index(struct check_base *b, const struct delta *d, size_t read)
{
	const struct delta_tail *t = &d->tail;
	struct frame_place at;

	if (t->len - t->places_off <= read || t->places_off == t->set_off)
		return;
	deltas_own_place(d, t->places_off, t->first_len, &at);
	fetch_stretch(b->c->fetch, &at,
		t->record_off - t->places_off < STRETCH_MAX
			? (size_t)(t->record_off - t->places_off)
			: STRETCH_MAX);
}

static int
look_at_delta(struct check_base *b, struct delta *d, size_t read, struct err *e)
{
	struct check_delta *cd = check_delta(b, d->record.n);
	const char *why = contradiction(b, d);
	int r = 0;

	cd->tail = d->tail;
	cd->time_ns = d->record.time_ns;
	cd->pages = d->record.state.pages;
	cd->state = DELTA_GOOD;
	deltas_record_hash(d, b->last_hash);
	b->has_hash = true;
	if (why)
		check_delta_odd(b, d->record.n, why);
	r = check_points_resize(b, cd->pages, e);
	if (!r && b->proving)
		r = check_proof_read(b, d, e);
	if (r)
		return r;
	fetch_index(b, d, read);
	r = check_places(b, d, e);
	if (r == 1)
		b->gap = true;
	else if (!r)
		check_proof_at(b, d);
	return r < 0 ? r : 0;
}

static void
refuse(struct check_base *b, uint64_t n, int r, const struct err *why)
{
	const struct delta_place p = delta_place_of(&b->base, n);
	char name[OBJECT_NAME_MAX];
	struct check_fault *f;

	delta_name(name, &p);
	check_delta(b, n)->state = DELTA_BAD;
	b->has_hash = false;
	b->gap = true;
	f = check_delta_fault(b, n, CHECK_RECORD,
		r == -ENOENT ? CHECK_MISSING : CHECK_DAMAGED,
		r == -ENOENT ? "the delta is not there"
			     : check_reason(name, why));
	if (f && !check_delta(b, n)->tail.len)
		check_points_cause(b, f, CHECK_DATA, n, 0);
}

/* The end of a delta is wrong; but the newest one knows where its record is,
 * and that is how readers find it. */
static bool
found_by_newest(struct check_base *b, uint64_t n, const struct err *why,
	struct delta **d)
{
	const struct delta_place p = delta_place_of(&b->base, n);
	char name[OBJECT_NAME_MAX];

	if (!b->newest || n == b->n || deltas_number(b->newest, n, d, NULL))
		return false;
	delta_name(name, &p);
	check_delta_odd(b, n, check_reason(name, why));
	check_delta(b, n)->writer = (*d)->writer;
	return true;
}

static int
check_one(struct check_base *b, struct ends *es, size_t i, struct err *e)
{
	uint64_t n = es->first + i;
	auto_delta struct delta *d = NULL;
	struct err why = es->one[i].e;
	int r = es->one[i].r;

	if (!r)
		r = open_delta(b, n, es->one[i].data, es->one[i].len, &d, &why);
	if (r && !check_is_fault(r)) {
		*e = why;
		return r;
	}
	if (r && check_deltas_ask(b, n, e))
		return -e->code;
	if (r && r != -ENOENT && found_by_newest(b, n, &why, &d))
		r = 0;
	if (r)
		refuse(b, n, r, &why);
	else
		r = look_at_delta(b, d, es->one[i].len, e);
	check_points_at(b, n);
	return check_is_fault(r) ? 0 : r;
}

static int
check_batch(struct check_base *b, uint64_t first, size_t n, struct err *e)
{
	struct ends *es = xcalloc(1, sizeof(*es));
	int r = 0;

	es->b = b;
	es->first = first;
	together_run(n, !b->c->rp->store->local_path, read_end, es);
	for (size_t i = 0; i < n; i++) {
		if (!r)
			r = check_one(b, es, i, e);
		free(es->one[i].data);
	}
	free(es);
	return r ? r : check_tick(b->c, first, b->n, e);
}

/* -- All of a base
 * --------------------------------------------------------------------- */

/* A thinned stretch says how many there are; any that another base follows was
 * closed by its last delta. */
static void
check_end(struct check_base *b)
{
	if (b->n && b->has_next && b->newest && !b->newest->record.closed)
		fault_at(b, b->n + 1, 0, 0, CHECK_MISSING,
			"the last deltas before the next base are not there");
	if (b->rec->epoch && b->n < b->rec->n_deltas)
		fault_at(b, b->n + 1, 0, 0, CHECK_MISSING,
			"the last deltas of a thinned stretch are not there");
}

/* What this user has seen beyond the newest that is listed. */
static int
check_seen_deltas(struct check_base *b, struct err *e)
{
	struct check *c = b->c;
	struct check_touched t = { .part = CHECK_POINTS,
		.snapshot = b->label,
		.first = b->n + 1,
		.last = deltas_seen_before(c->rp, &b->base) };
	const struct delta_place p = delta_place_of(&b->base, t.last);
	char name[OBJECT_NAME_MAX];
	struct err why = ERR_INIT;
	uint64_t size;
	int r;

	if (t.last <= b->n) {
		deltas_seen(c->rp, &b->base, b->label, b->n);
		return 0;
	}
	delta_name(name, &p);
	r = store_size(c->rp->store, name, &size, &why);
	if (r && r != -ENOENT)
		*e = why;
	else if (!r)
		check_listing_fault(c, name, "is there and was not listed");
	if (r != -ENOENT)
		return r;
	hex_encode(t.id, b->rec->id, OBJECT_ID_LEN);
	check_fault_touches(c, fault_at(b, b->n + 1, 0, 0, CHECK_MISSING,
		"later deltas were here before: the store was put back"), &t);
	return 0;
}

/* The newest, which says where the others are. */
static void
open_newest(struct check_base *b)
{
	struct ends *es = xcalloc(1, sizeof(*es));
	struct check_delta was = *check_delta(b, b->n);

	es->b = b;
	es->first = b->n;
	read_end(es, 0);
	if (!es->one[0].r)
		open_delta(b, b->n, es->one[0].data, es->one[0].len, &b->newest,
			NULL);
	*check_delta(b, b->n) = was;
	free(es->one[0].data);
	free(es);
}

static int
check_all(struct check_base *b, struct err *e)
{
	int r = check_points_begin(b, e);

	if (!r && b->n)
		open_newest(b);
	if (b->newest)
		b->followed = b->newest->record.closed;

	if (!r && b->proving)
		r = check_proof_begin(b, e);
	for (uint64_t n = 1; n <= b->n && !r; n += BATCH)
		r = check_batch(b, n,
			b->n - n + 1 < BATCH ? (size_t)(b->n - n + 1) : BATCH,
			e);
	if (r)
		return r;
	check_points_end(b);
	check_end(b);
	if (b->c->forgotten)
		return 0;
	b->c->res->databases++;
	b->c->res->points += check_base_last(b) + 1;
	return check_seen_deltas(b, e);
}

static void
release(struct check_base *b)
{
	delta_put(b->newest);
	scratch_release(&b->deltas);
	scratch_release(&b->at);
	scratch_release(&b->hashes);
	free(b->label);
	free(b);
}

static bool
has_next(const struct check *c, const struct record_place *at)
{
	/* one that came late is not among them */
	if (at < c->places.p || at >= c->places.p + c->places.n)
		return false;
	return at + 1 < c->places.p + c->places.n && at[1].seq > at->seq &&
	       !memcmp(at[1].source, at->source, SOURCE_KEY_LEN);
}

int
check_deltas(struct check *c, const struct record *rec,
	const struct record_place *at, const uint8_t hash[HASH_LEN],
	struct err *e)
{
	struct check_base *b = xcalloc(1, sizeof(*b));
	uint64_t bytes = 0;
	int r;

	*b = (struct check_base){ .c = c, .rec = rec, .has_hash = true };
	b->base.seq = at->seq;
	b->base.epoch = rec->epoch;
	memcpy(b->base.source, at->source, SOURCE_KEY_LEN);
	memcpy(b->base.id, at->id, OBJECT_ID_LEN);
	memcpy(b->last_hash, hash, HASH_LEN);
	b->label = check_label(rec);
	b->object = at->name;
	b->hashed_pages = rec->database.pages;
	b->followed = !c->forgotten && has_next(c, at);
	b->has_next = b->followed;
	r = scratch_new(&b->deltas, sizeof(struct check_delta), e);
	if (!r)
		r = check_deltas_list(b, &bytes, e);
	b->proving = !r && !c->forgotten && check_read_wants(c, at->name, bytes);
	if (!r)
		r = check_all(b, e);
	if (!r && b->proving)
		check_read_did(c, at->name, bytes);
	release(b);
	return r;
}
