/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "repo/foreign/stem.h"

#include <errno.h>
#include <stdlib.h>
#include "repo/base/buf.h"
#include "repo/base/log.h"

struct stem *
stem_get(struct stem *s)
{
	s->refs++;
	return s;
}

void
stem_put(struct stem *s)
{
	if (--s->refs > 0)
		return;
	history_listing_put(s->listing);
	for (size_t i = 0; i < s->n_roots; i++) {
		free(s->roots[i].prefix);
		free(s->roots[i].name);
	}
	free(s->roots);
	foreign_place_put(s->place);
	pthread_mutex_destroy(&s->refresh_lock);
	pthread_mutex_destroy(&s->lock);
	foreign_place_unname(&s->history);
	s->free(s);
}

struct history_listing *
stem_listing(struct history *h)
{
	struct stem *s = stem_of(h);

	auto_lock(&s->lock);
	return history_listing_get(s->listing);
}

static void
replace(struct stem *s, struct history_listing *l)
{
	struct history_listing *old;

	pthread_mutex_lock(&s->lock);
	old = s->listing;
	s->listing = l;
	pthread_mutex_unlock(&s->lock);
	history_listing_put(old);
}

int
stem_refresh(struct history *h, struct err *e)
{
	struct stem *s = stem_of(h);
	struct history_listing *l;
	auto_lock(&s->refresh_lock);
	int r = s->look(s, s->listing, &l, e);

	if (!r)
		replace(s, l);
	return r;
}

void
stem_stats(struct history *h, struct history_stats *st)
{
	foreign_place_stats(stem_of(h)->place, st);
}

void
stem_free(struct history *h)
{
	stem_put(stem_of(h));
}

bool
stem_does_without(const struct stem *s, int r, const struct err *e)
{
	if (s->n_roots == 1 || (r != -EPROTONOSUPPORT && r != -EUCLEAN))
		return false;
	log_warn("%s", e->text);
	return true;
}

int
stem_open(struct stem *s, const struct foreign_open *o, struct history **h,
	struct err *e)
{
	int r;

	s->place = foreign_place_get(o->place);
	s->store = s->place->store;
	s->roots = xcalloc(o->n_roots, sizeof(*s->roots));
	for (; s->n_roots < o->n_roots; s->n_roots++) {
		const struct foreign_root *root = &o->roots[s->n_roots];

		s->roots[s->n_roots] =
			(struct foreign_root){ .prefix = xstrdup(root->prefix),
				.name = xstrdup(root->name) };
	}
	s->refs = 1;
	pthread_mutex_init(&s->refresh_lock, NULL);
	pthread_mutex_init(&s->lock, NULL);
	foreign_place_name(s->place, &s->history);
	r = s->look(s, NULL, &s->listing, e);
	if (r)
		stem_put(s);
	else
		*h = &s->history;
	return r;
}
