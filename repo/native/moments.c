/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "repo/native/moments.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "repo/base/clock.h"
#include "repo/base/hex.h"
#include "repo/base/log.h"
#include "repo/native/deltas_seen.h"

#define N_BITS 24 /* DELTA_N_MAX fits */

/* What is known of a base's deltas. */
struct moments_base {
	struct delta_base base;
	uint64_t epoch;	 /* in which the store was asked; 0: never */
	bool final;	 /* there will be no more */
	uint64_t n;	 /* the newest; 0: there is none */
	uint64_t last;	 /* the newest that is a moment */
	uint32_t writer; /* where its record lies */
	struct delta_tail tail;
};

void
moments_init(struct moments *m, struct deltas *ds)
{
	*m = (struct moments){ .deltas = ds, .epoch = 1 };
	pthread_mutex_init(&m->lock, NULL);
}

void
moments_release(struct moments *m)
{
	free(m->bases);
	pthread_mutex_destroy(&m->lock);
}

void
moments_refresh(struct moments *m)
{
	m->epoch++;
}

/* -- What is known ------------------------------------------------------------- */

/* With the lock held: the place of a base among the others. */
static size_t
place_of(const struct moments *m, const uint8_t id[OBJECT_ID_LEN])
{
	size_t lo = 0, hi = m->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (memcmp(m->bases[mid].base.id, id, OBJECT_ID_LEN) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static void
recall(struct moments *m, const uint8_t id[OBJECT_ID_LEN],
	struct moments_base *b)
{
	auto_lock(&m->lock);
	size_t i = place_of(m, id);

	memset(b, 0, sizeof(*b));
	memcpy(b->base.id, id, OBJECT_ID_LEN);
	if (i < m->n && !memcmp(m->bases[i].base.id, id, OBJECT_ID_LEN))
		*b = m->bases[i];
}

static void
remember(struct moments *m, const struct moments_base *b)
{
	auto_lock(&m->lock);
	size_t i = place_of(m, b->base.id);

	if (i < m->n && !memcmp(m->bases[i].base.id, b->base.id,
				OBJECT_ID_LEN)) {
		/* another thread may have seen more meanwhile */
		if (b->n >= m->bases[i].n)
			m->bases[i] = *b;
		return;
	}
	if (m->n == m->cap) {
		m->cap = m->cap ? 2 * m->cap : 16;
		m->bases = xrealloc(m->bases, m->cap * sizeof(*m->bases));
	}
	memmove(m->bases + i + 1, m->bases + i,
		(m->n - i) * sizeof(*m->bases));
	m->bases[i] = *b;
	m->n++;
}

/* -- Asking the store ------------------------------------------------------------ */

static void
base_of(const struct native_listing *nl, size_t point, struct delta_base *b)
{
	const struct history_point *p = &nl->l.points[point];

	memcpy(b->source, nl->source_keys[p->source], SOURCE_KEY_LEN);
	b->seq = p->seq;
	b->epoch = nl->extra[point].epoch;
	/* Our own text: it cannot fail. */
	hex_decode(b->id, OBJECT_ID_LEN, p->id);
}

static bool
is_last(const struct native_listing *nl, size_t point)
{
	const struct history_point *p = &nl->l.points[point];
	const struct history_source *s = &nl->l.sources[p->source];

	return point + 1 == (size_t)s->first_point + s->n_points;
}

/* Whether another snapshot of the source has the same seq. */
static bool
has_twin(const struct native_listing *nl, size_t point)
{
	const struct history_point *p = &nl->l.points[point];
	const struct history_source *s = &nl->l.sources[p->source];

	return (point > s->first_point && p[-1].seq == p->seq) ||
	       (!is_last(nl, point) && p[1].seq == p->seq);
}

/* A base that was thinned says how many deltas it has. */
static int
lacks(const struct delta_base *base, uint32_t n, struct err *e)
{
	const struct delta_place place = delta_place_of(base, n);
	char name[OBJECT_NAME_MAX];

	delta_name(name, &place);
	return err_set(e, EBADMSG, "%s is not the newest delta there", name);
}

static void
note_seen(const struct moments *m, const struct native_listing *nl,
	size_t point, const struct delta_base *base, uint64_t n)
{
	const struct history_source *s =
		&nl->l.sources[nl->l.points[point].source];
	auto_free char *plain = xasprintf("%s/%s", s->host, s->name);
	char label[256];

	deltas_seen(deltas_repository(m->deltas), base,
		err_escape(label, sizeof(label), plain, strlen(plain)), n);
}

static int
ask(struct moments *m, const struct native_listing *nl, size_t point,
	const struct delta_base *base, struct moments_base *b,
	struct delta **newest, struct err *e)
{
	uint64_t epoch = m->epoch;
	int r = deltas_newest(m->deltas, base, b->n, newest, e);

	if (r == -ESTALE && !has_twin(nl, point)) {
		e->code = EBADMSG;
		return -EBADMSG;
	}
	if (r && r != -ENOENT && r != -ESTALE)
		return r;
	if (base->epoch && (r || (*newest)->record.n !=
				 nl->extra[point].n_deltas)) {
		delta_put(steal(*newest));
		return lacks(base, nl->extra[point].n_deltas, e);
	}
	b->base = *base;
	b->epoch = epoch;
	b->final = !is_last(nl, point);
	if (!r) {
		const struct delta *d = *newest;

		b->n = d->record.n;
		b->last = d->record.closed ? b->n - 1 : b->n;
		b->final |= d->record.closed;
		b->writer = d->writer;
		b->tail = d->tail;
	}
	remember(m, b);
	note_seen(m, nl, point, base, r ? 0 : b->n);
	return 0;
}

static int
open_known(struct moments *m, const struct delta_base *base,
	const struct moments_base *b, struct delta **newest, struct err *e)
{
	return b->n ? deltas_open(m->deltas, base, b->writer, b->n, &b->tail,
			      NULL, newest, e)
		    : 0;
}

/* The newest delta of a snapshot, NULL: it has none; *last is the newest that
 * is a moment.  What was known before stands in for a store that fails. */
static int
newest_of(struct moments *m, const struct native_listing *nl, size_t point,
	struct delta **newest, uint64_t *last, struct err *e)
{
	struct delta_base base;
	struct moments_base b;
	int r = 0;

	*newest = NULL;
	*last = 0;
	if (!nl->extra[point].is_database)
		return 0;
	base_of(nl, point, &base);
	recall(m, base.id, &b);
	if (b.epoch != m->epoch && !(b.final && b.epoch)) {
		struct err mine = ERR_INIT;
		bool known = b.epoch;

		r = ask(m, nl, point, &base, &b, newest, &mine);
		if (r && known && r != -EINTR)
			log_warn("deltas: %s", mine.text);
		else if (r && e)
			*e = mine;
		if (!known || r == -EINTR)
			goto out;
	}
	if (!*newest)
		r = open_known(m, &base, &b, newest, e);
out:
	*last = r ? 0 : b.last;
	return r;
}

/* -- Telling --------------------------------------------------------------------- */

static uint64_t
seq_of(const struct history_point *base, uint64_t n)
{
	return base->seq << N_BITS | n;
}

static void
tell_base(const struct native_listing *nl, size_t point,
	struct history_point *p)
{
	*p = nl->l.points[point];
	p->seq = seq_of(&nl->l.points[point], 0);
}

static void
tell_delta(const struct native_listing *nl, size_t point,
	const struct delta *of, const struct delta_time *t,
	struct history_point *p)
{
	const struct history_point *base = &nl->l.points[point];
	char id[OBJECT_ID_LEN * 2 + 1];
	struct timespec ts = { .tv_sec = (time_t)(t->time_ns / NS_PER_S),
		.tv_nsec = (long)(t->time_ns % NS_PER_S) };

	if (ts.tv_nsec < 0) {
		ts.tv_sec--;
		ts.tv_nsec += NS_PER_S;
	}
	*p = *base;
	snprintf(p->id, sizeof(p->id), "%s-%" PRIu64,
		hex_encode(id, of->base.id, OBJECT_ID_LEN), t->n);
	p->name[0] = '\0';
	p->time_ns = t->time_ns;
	p->seq = seq_of(base, t->n);
	p->key = (p->seq ^ (uint64_t)of->base.epoch << 44) &
		 ((1ULL << 48) - 1);
	p->tags = NULL;
	p->n_tags = 0;
	p->root.mtime = p->root.ctime = ts;
	p->totals.newest_ns = t->time_ns;
	p->totals.bytes = (uint64_t)t->pages * of->record.state.page_size;
}

struct telling {
	const struct native_listing *nl;
	size_t point;
	uint64_t last;
	history_each *each;
	void *ctx;
	bool enough;
};

static bool
tell(void *ctx, const struct delta *of, const struct delta_time *t)
{
	struct telling *tl = ctx;
	struct history_point p;

	if (t->n > tl->last)
		return false;
	tell_delta(tl->nl, tl->point, of, t, &p);
	tl->enough = !tl->each(tl->ctx, &p);
	return !tl->enough;
}

/* A snapshot and what builds on it. */
static int
each_of(struct moments *m, struct telling *t, int64_t from_ns, struct err *e)
{
	auto_delta struct delta *newest = NULL;
	struct history_point p;
	int r;

	tell_base(t->nl, t->point, &p);
	if (p.time_ns >= from_ns)
		t->enough = !t->each(t->ctx, &p);
	if (t->enough)
		return 0;
	r = newest_of(m, t->nl, t->point, &newest, &t->last, e);
	if (r || !newest)
		return r;
	return deltas_each(newest, 1, from_ns, tell, t, e);
}

int
moments_each(struct moments *m, const struct native_listing *nl,
	size_t generation, int64_t from_ns, history_each *each, void *ctx,
	struct err *e)
{
	const struct history_generation *g = &nl->l.generations[generation];
	struct telling t = { .nl = nl, .each = each, .ctx = ctx };
	int r = 0;

	for (uint32_t i = 0; i < g->n_points && !r && !t.enough; i++) {
		bool more = i + 1 < g->n_points;

		t.point = g->first_point + i;
		/* all that builds on it is older than the next one */
		if (more && nl->l.points[t.point + 1].time_ns < from_ns)
			continue;
		r = each_of(m, &t, from_ns, e);
	}
	return r;
}

/* -- One moment ------------------------------------------------------------------- */

/* Moment n of a snapshot; 0 is the snapshot itself. */
static int
tell_one(const struct native_listing *nl, size_t point, struct delta *newest,
	uint64_t n, struct history_point *p, struct err *e)
{
	struct delta_time t;
	int r;

	if (n == 0) {
		tell_base(nl, point, p);
		return 0;
	}
	r = deltas_time(newest, n, &t, e);
	if (!r)
		tell_delta(nl, point, newest, &t, p);
	return r;
}

int
moments_at(struct moments *m, const struct native_listing *nl, size_t source,
	int64_t t_ns, struct history_point *p, struct err *e)
{
	size_t point = history_find_at(&nl->l, source, t_ns);
	auto_delta struct delta *newest = NULL;
	uint64_t last, n = 0;
	int r;

	if (point == HISTORY_NONE)
		return err_set(e, ENOENT, "there is nothing so early");
	r = newest_of(m, nl, point, &newest, &last, e);
	if (!r && newest)
		r = deltas_at(newest, t_ns, &n, e);
	if (n > last)
		n = last;
	return r ? r : tell_one(nl, point, newest, n, p, e);
}

/* <id of the base>-<n>; 0 when it is none. */
static uint64_t
parse_id(const char *id, char base[OBJECT_ID_LEN * 2 + 1])
{
	const char *dash = id + OBJECT_ID_LEN * 2;
	size_t digits;

	if (strlen(id) <= OBJECT_ID_LEN * 2 + 1 || *dash != '-' ||
		dash[1] == '0')
		return 0;
	digits = strspn(dash + 1, "0123456789");
	if (dash[1 + digits] || digits > 7)
		return 0;
	memcpy(base, id, OBJECT_ID_LEN * 2);
	base[OBJECT_ID_LEN * 2] = '\0';
	return strtoull(dash + 1, NULL, 10);
}

/* The snapshot that a moment builds on. */
static size_t
find_base(const struct native_listing *nl, size_t source, const char *id,
	uint64_t *n)
{
	char base[OBJECT_ID_LEN * 2 + 1];
	size_t point;

	*n = parse_id(id, base);
	if (*n == 0)
		return HISTORY_NONE;
	point = history_find_id(&nl->l, base);
	if (point != HISTORY_NONE && nl->l.points[point].source != source)
		return HISTORY_NONE;
	return point;
}

/* The point whose record has taken the place of a base that was known. */
static size_t
find_successor(const struct native_listing *nl, size_t source,
	const struct delta_base *base)
{
	const struct history_source *s = &nl->l.sources[source];

	if (memcmp(nl->source_keys[source], base->source, SOURCE_KEY_LEN))
		return HISTORY_NONE;
	for (uint32_t i = 0; i < s->n_points; i++) {
		if (nl->l.points[s->first_point + i].seq == base->seq)
			return s->first_point + i;
	}
	return HISTORY_NONE;
}

/* Of a base that was thinned since it was asked about: what somebody holds is
 * there until it is pruned. */
static int
former_of(struct moments *m, const struct native_listing *nl, size_t source,
	const char *id, size_t *point, struct delta **newest, uint64_t *last,
	struct err *e)
{
	struct moments_base b;
	uint8_t base[OBJECT_ID_LEN];
	char text[OBJECT_ID_LEN * 2 + 1];
	int r;

	*point = HISTORY_NONE;
	if (!parse_id(id, text) || hex_decode(base, OBJECT_ID_LEN, text))
		return 0;
	recall(m, base, &b);
	if (!b.n)
		return 0;
	*point = find_successor(nl, source, &b.base);
	*last = b.last;
	r = *point == HISTORY_NONE
		    ? 0
		    : open_known(m, &b.base, &b, newest, e);
	if (r == -ENOENT)
		*point = HISTORY_NONE;
	return r == -ENOENT ? 0 : r;
}

/* The snapshot that a moment builds on, or whose place that one has taken, and
 * its newest delta.  *point is HISTORY_NONE: there is no such moment. */
static int
find_moment(struct moments *m, const struct native_listing *nl, size_t source,
	const char *id, size_t *point, struct delta **newest, uint64_t *n,
	struct err *e)
{
	uint64_t last = 0;
	int r;

	*point = find_base(nl, source, id, n);
	r = *point == HISTORY_NONE
		    ? former_of(m, nl, source, id, point, newest, &last, e)
		    : newest_of(m, nl, *point, newest, &last, e);
	if (!r && (!*newest || *n > last))
		*point = HISTORY_NONE;
	return r;
}

int
moments_by_id(struct moments *m, const struct native_listing *nl,
	size_t source, const char *id, struct history_point *p, struct err *e)
{
	auto_delta struct delta *newest = NULL;
	size_t point;
	uint64_t n;
	int r = find_moment(m, nl, source, id, &point, &newest, &n, e);

	if (r)
		return r;
	if (point == HISTORY_NONE)
		return err_set(e, ENOENT, "no moment has the id %s", id);
	return tell_one(nl, point, newest, n, p, e);
}

int
moments_open(struct moments *m, const struct native_listing *nl,
	const struct history_point *p, struct delta **d, struct err *e)
{
	auto_delta struct delta *newest = NULL;
	size_t point;
	uint64_t n;
	int r = find_moment(m, nl, p->source, p->id, &point, &newest, &n, e);

	if (r)
		return r;
	if (point == HISTORY_NONE)
		return err_set(e, ESTALE, "moment %s has been removed", p->id);
	return deltas_number(newest, n, d, e);
}
