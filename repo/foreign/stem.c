/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "repo/foreign/stem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "repo/base/buf.h"

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
	store_free(s->store);
	pthread_mutex_destroy(&s->refresh_lock);
	pthread_mutex_destroy(&s->lock);
	free(s->history.name);
	free(s->history.local_path);
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
	struct store_stats of;

	store_stats(stem_of(h)->store, &of);
	*st = (struct history_stats){ .store_lists = of.lists,
		.store_gets = of.gets,
		.store_bytes = of.bytes,
		.store_errors = of.errors };
}

void
stem_free(struct history *h)
{
	stem_put(stem_of(h));
}

int
stem_init(struct stem *s, struct store *store, struct stem_root *roots,
	size_t n, struct err *e)
{
	uint64_t id = 1469598103934665603ULL;

	s->store = store;
	s->roots = roots;
	s->n_roots = n;
	s->refs = 1;
	pthread_mutex_init(&s->refresh_lock, NULL);
	pthread_mutex_init(&s->lock, NULL);
	s->history.name = xstrdup(store->name);
	if (store->local_path)
		s->history.local_path = xstrdup(store->local_path);
	for (const char *p = store->name; *p; p++)
		id = (id ^ (unsigned char)*p) * 1099511628211ULL;
	snprintf(s->history.id, sizeof(s->history.id), "%016llx",
		(unsigned long long)id);
	return s->look(s, NULL, &s->listing, e);
}
