/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is in a listing. */
#include <stdio.h>
#include "repo/base/hex.h"
#include "repo/native/listing.h"

size_t
native_listing_find(const struct native_listing *nl,
	const uint8_t id[OBJECT_ID_LEN])
{
	char text[OBJECT_ID_LEN * 2 + 1];

	if (!nl || nl->l.n_points == 0)
		return HISTORY_NONE;
	return history_find_id(&nl->l, hex_encode(text, id, OBJECT_ID_LEN));
}

static bool
are_among(const struct record_place *all, size_t n,
	const struct record_place *p)
{
	for (size_t i = 0; i < n; i++) {
		if (!memcmp(all[i].id, p->id, OBJECT_ID_LEN))
			return true;
	}
	return false;
}

bool
native_listing_hides(const struct native_listing *nl,
	const struct record_place *p)
{
	return are_among(nl->hidden, nl->n_hidden, p);
}

bool
native_listing_knows(const struct native_listing *nl,
	const struct record_place *p)
{
	size_t i = native_listing_find(nl, p->id);

	if (i != HISTORY_NONE)
		return !nl->extra[i].retry;
	return nl && are_among(nl->refused, nl->n_refused, p);
}

void
native_listing_place(const struct native_listing *nl, size_t point,
	struct record_place *p)
{
	const struct history_point *pt = &nl->l.points[point];
	struct record r = { .seq = pt->seq, .time_ns = pt->time_ns };
	char name[OBJECT_NAME_MAX * 2];

	/* Our own text: it cannot fail. */
	hex_decode(r.id, OBJECT_ID_LEN, pt->id);
	memcpy(p->source, nl->source_keys[pt->source], SOURCE_KEY_LEN);
	memcpy(p->id, r.id, OBJECT_ID_LEN);
	p->seq = r.seq;
	record_name(name, p->source, &r);
	snprintf(p->name, sizeof(p->name), "%.*s", RECORD_NAME_LEN_MAX, name);
}
