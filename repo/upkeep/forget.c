/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "repo/upkeep/forget.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include "repo/native/roster.h"
#include "repo/native/state.h"
#include "repo/write/catalogs.h"

/* -- What there is ------------------------------------------------------ */

/* A record that cannot be had now may be the one that a rule would hold. */
static int
check_loaded(const struct inventory *iv, struct err *e)
{
	for (size_t i = 0; i < iv->n; i++) {
		if (iv->r[i].state == RECORD_FAILED)
			return err_set(e, EIO,
				"%s cannot be read now: nothing is decided "
				"without it", iv->r[i].place->name);
	}
	return 0;
}

static int
list(struct upkeep *u, struct native_listing **nl, struct err *e)
{
	auto_inventory struct inventory iv = { .n = 0 };
	struct roster ro;
	int r;

	roster_init(&ro, u->rp);
	r = roster_take(&ro, NULL, &iv, e);
	if (!r && !iv.whole)
		r = roster_complete(&ro, NULL, &iv, e);
	if (!r)
		r = check_loaded(&iv, e);
	if (!r)
		*nl = native_listing_new(iv.r, iv.n, NULL);
	roster_release(&ro);
	return r;
}

int
forget_open(struct upkeep *u, struct forget **f, struct err *e)
{
	auto_forget struct forget *p = xcalloc(1, sizeof(*p));
	size_t n;
	int r;

	p->u = u;
	r = list(u, &p->nl, e);
	if (!r)
		r = pinned_list(u->rp, &p->pinned, e);
	if (r)
		return r;
	state_check(u->rp, p->nl, NULL);
	n = p->nl->l.n_points;
	p->why = xcalloc(n + 1, sizeof(*p->why));
	p->asked = xcalloc(n + 1, sizeof(*p->asked));
	p->goes = xcalloc(n + 1, sizeof(*p->goes));
	p->ends = xcalloc(p->nl->l.n_sources + 1, sizeof(*p->ends));
	*f = steal(p);
	return 0;
}

void
forget_free(struct forget *f)
{
	if (!f)
		return;
	if (f->nl)
		history_listing_put(&f->nl->l);
	pinned_release(&f->pinned);
	free(f->why);
	free(f->asked);
	free(f->goes);
	free(f->ends);
	free(f);
}

/* -- Deciding ----------------------------------------------------------- */

static bool
is_pinned(const struct forget *f, const struct history_point *p)
{
	return pinned_has(
		&f->pinned, f->nl->source_keys[p->source], p->seq);
}

static bool
is_newest(const struct forget *f, const struct history_point *p)
{
	const struct history_source *s = &f->nl->l.sources[p->source];
	const struct history_point *last =
		&f->nl->l.points[s->first_point + s->n_points - 1];

	return p->seq == last->seq;
}

static uint32_t
held_by_tags(const struct forget_rules *rules, const struct history_point *p)
{
	for (size_t i = 0; i < rules->n_tags; i++) {
		if (history_has_tag(p, rules->tags[i]))
			return RETENTION_TAG;
	}
	return 0;
}

/* What is known of a point before its time is looked at. */
static uint32_t
held_already(const struct forget *f, const struct forget_rules *rules,
	const struct history_point *p)
{
	return held_by_tags(rules, p) |
	       (is_pinned(f, p) ? RETENTION_PIN : 0) |
	       (is_newest(f, p) ? RETENTION_NEWEST : 0) |
	       (p->damaged ? RETENTION_DAMAGED : 0);
}

/* Those of one number stay together, also when one of them is damaged. */
static void
share(struct forget *f, const struct history_source *s)
{
	const struct history_point *p = f->nl->l.points;
	uint32_t end = s->first_point + s->n_points;

	for (uint32_t i = s->first_point + 1; i < end; i++) {
		if (p[i].seq == p[i - 1].seq)
			f->why[i] |= f->why[i - 1];
	}
	for (uint32_t i = end - 1; i > s->first_point; i--) {
		if (p[i].seq == p[i - 1].seq)
			f->why[i - 1] |= f->why[i];
	}
}

void
forget_by_rules(
	struct forget *f, size_t source, const struct forget_rules *rules)
{
	const struct history_source *s = &f->nl->l.sources[source];
	const struct history_point *points = &f->nl->l.points[s->first_point];
	auto_free struct retention_item *items =
		xcalloc(s->n_points, sizeof(*items));
	size_t n = 0;

	/* rules count what can be read */
	for (uint32_t i = 0; i < s->n_points; i++) {
		if (!points[i].damaged)
			items[n++] = (struct retention_item){
				.time_ns = points[i].time_ns,
				.seq = points[i].seq,
				.why = held_already(f, rules, &points[i]) };
	}
	retention_apply(&rules->retention, items, n, rules->now_ns);
	n = 0;
	for (uint32_t i = 0; i < s->n_points; i++) {
		uint32_t at = s->first_point + i;

		f->why[at] = points[i].damaged
				     ? held_already(f, rules, &points[i])
				     : items[n++].why;
	}
	share(f, s);
	for (uint32_t i = 0; i < s->n_points; i++) {
		uint32_t at = s->first_point + i;

		f->asked[at] = true;
		f->goes[at] = !f->why[at];
		f->n_going += f->goes[at];
	}
}

int
forget_name(struct forget *f, size_t point, struct err *e)
{
	const struct history_point *p = &f->nl->l.points[point];
	const struct history_source *s = &f->nl->l.sources[p->source];

	if (is_newest(f, p))
		return err_set(e, EPERM,
			"%s/%s@%s: the newest snapshot of a source is not "
			"forgotten", s->host, s->name, p->name);
	if (is_pinned(f, p))
		return err_set(e, EPERM,
			"%s/%s@%s: is pinned; 'yore forget --unpin' lets it go",
			s->host, s->name, p->name);
	f->n_going += !f->goes[point];
	f->asked[point] = f->goes[point] = true;
	return 0;
}

/* Of a source's points the last that can be read stays. */
static int
check_source(const struct forget *f, size_t source, struct err *e)
{
	const struct history_source *s = &f->nl->l.sources[source];

	for (uint32_t i = s->first_point + s->n_points;
		i-- > s->first_point;) {
		const struct history_point *p = &f->nl->l.points[i];

		if (p->damaged)
			continue;
		if (f->goes[i])
			return err_set(e, EPERM,
				"%s/%s@%s: is the newest snapshot of its "
				"source that can be read, and is not forgotten",
				s->host, s->name, p->name);
		break;
	}
	return 0;
}

int
forget_check(const struct forget *f, struct err *e)
{
	const struct history_listing *l = &f->nl->l;
	int r = 0;

	for (size_t i = 0; i < l->n_sources && !r; i++)
		r = f->ends[i] ? 0 : check_source(f, i, e);
	for (size_t i = 1; i < l->n_points && !r; i++) {
		const struct history_point *p = &l->points[i], *q = p - 1;
		const struct history_source *s = &l->sources[p->source];

		if (p->source == q->source && p->seq == q->seq &&
			f->goes[i] != f->goes[i - 1])
			r = err_set(e, EPERM,
				"%s/%s: %s and %s have one number (%" PRIu64
				") and go together: name both", s->host,
				s->name, q->name, p->name, p->seq);
	}
	return r;
}

/* -- Doing it ----------------------------------------------------------- */

/* Whether it lies behind a record of its number that goes. */
static bool
goes_with_another(const struct forget *f, const struct record_place *hidden)
{
	for (size_t i = 0; i < f->nl->l.n_points; i++) {
		const struct history_point *p = &f->nl->l.points[i];

		if (f->goes[i] && p->seq == hidden->seq &&
			!memcmp(f->nl->source_keys[p->source], hidden->source,
				SOURCE_KEY_LEN))
			return true;
	}
	return false;
}

/* What is hidden goes first: it would be seen again. */
static struct trash_item *
gather(const struct forget *f, size_t *n)
{
	struct trash_item *items = xcalloc(
		f->n_going + f->nl->n_hidden + 1, sizeof(*items)), *it = items;

	for (size_t i = 0; i < f->nl->n_hidden && f->n_going; i++) {
		if (goes_with_another(f, &f->nl->hidden[i]))
			(it++)->place = f->nl->hidden[i];
	}
	for (size_t i = 0; i < f->nl->l.n_points; i++) {
		if (!f->goes[i])
			continue;
		native_listing_place(f->nl, i, &it->place);
		memcpy(it->hash, f->nl->extra[i].hash, HASH_LEN);
		it++;
	}
	*n = (size_t)(it - items);
	return items;
}

int
forget_carry_out(struct forget *f, struct err *e)
{
	size_t n;
	auto_free struct trash_item *items = gather(f, &n);
	int r = forget_check(f, e);

	if (!r)
		r = trash_put(f->u, items, n, e);
	return r ? r : catalogs_settle(f->u->rp, f->u->sink, e);
}
