/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What points a stretch has, and which of them stay. */
#include <errno.h>
#include <string.h>
#include "repo/upkeep/thin_private.h"

struct deciding {
	struct stretch *s;
	struct delta_time last; /* not decided yet; n 0: there is none */
};

static void
decide(struct deciding *d, const int64_t *next_ns)
{
	struct stretch *s = d->s;
	uint64_t n = d->last.n;

	if (!n || !thin_rules_hold(&s->t->o->rules, s->now_ns,
			  d->last.time_ns, next_ns))
		return;
	s->keep[n / 8] |= (uint8_t)(1 << n % 8);
	s->told.kept++;
}

static bool
note(void *ctx, const struct delta *of, const struct delta_time *t)
{
	struct deciding *d = ctx;
	struct thin_stretch *told = &d->s->told;

	(void)of;
	told->bytes += t->len;
	if (t->n > d->s->last)
		return true;
	decide(d, &t->time_ns);
	if (!told->points++)
		told->first_ns = t->time_ns;
	told->last_ns = t->time_ns;
	d->last = *t;
	return true;
}

static int
decide_all(struct stretch *s, struct err *e)
{
	struct deciding d = { .s = s };
	int r = deltas_each(s->newest, 1, INT64_MIN, note, &d, e);

	if (!r)
		decide(&d, NULL);
	if (!r && s->told.points != s->last)
		r = err_set(e, EUCLEAN, "times lack a delta");
	return r;
}

static enum thin_fate
fate_of(const struct stretch *s)
{
	unsigned share = s->t->o->share ? s->t->o->share : THIN_SHARE;
	uint64_t goes = s->told.points - s->told.kept;

	if (goes == 0)
		return THIN_WHOLE;
	return goes * 100 >= s->told.points * share ? THIN_ANEW : THIN_LATER;
}

/* Of a base that was thinned the record says how many deltas there are. */
int
stretch_newest(struct stretch *s, struct err *e)
{
	const struct record *rec = &s->at->record;
	struct delta_base base = { .seq = rec->seq, .epoch = rec->epoch };
	int r;

	memcpy(base.source, s->at->place->source, SOURCE_KEY_LEN);
	memcpy(base.id, rec->id, OBJECT_ID_LEN);
	r = deltas_newest(s->t->deltas, &base, 0, &s->newest, e);
	if (r == -ENOENT && !rec->epoch)
		return 0;
	if (!r && rec->epoch && s->newest->record.n != rec->n_deltas)
		r = -ENOENT;
	return r == -ENOENT ? err_set(e, EBADMSG, "deltas of snapshot %s are "
			"missing", s->at->place->name)
			    : r;
}

int
stretch_open(struct stretch *s, struct err *e)
{
	const struct record *rec = &s->at->record;
	int r;

	s->told.base = rec;
	s->told.fate = THIN_WHOLE;
	if (rec->epoch && rec->n_deltas == 1) /* which closes it */
		return 0;
	r = stretch_newest(s, e);
	if (r || !s->newest)
		return r;
	s->last = s->newest->record.n - s->newest->record.closed;
	s->keep = xcalloc(s->last / 8 + 1, 1);
	r = decide_all(s, e);
	if (!r)
		s->told.fate = fate_of(s);
	return r;
}

void
stretch_release(struct stretch *s)
{
	delta_put(s->newest);
	free(s->keep);
}
