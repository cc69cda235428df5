/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "repo/foreign/litestream03/id.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define SNAPSHOT "snapshot-"

/* -- Parsing -------------------------------------------------------------- */

/* 8 to 16 lower-case hexadecimal digits at *p, which moves behind them. */
static bool
take_number(const char **p, uint64_t *n)
{
	static const char digits[] = "0123456789abcdef";
	const char *begin = *p, *digit;

	for (*n = 0; **p && (digit = strchr(digits, **p)) != NULL; ++*p)
		*n = *n << 4 | (uint64_t)(digit - digits);
	return *p - begin >= 8 && *p - begin <= 16;
}

bool
ls03_id_parse(const char *text, struct ls03_id *id)
{
	const char *p = text + LS03_GENERATION_LEN;
	uint64_t index;

	*id = (struct ls03_id){ .off = 0 };
	if (strlen(text) < LS03_GENERATION_LEN + 2 || *p++ != '-')
		return false;
	memcpy(id->generation, text, LS03_GENERATION_LEN);
	if (!ls03_name_is_generation(id->generation))
		return false;
	id->is_snapshot = strncmp(p, SNAPSHOT, strlen(SNAPSHOT)) == 0;
	p += id->is_snapshot ? strlen(SNAPSHOT) : 0;
	if (!take_number(&p, &index) || index > LS03_INDEX_MAX)
		return false;
	id->index = (uint32_t)index;
	if (*p == '-' && !id->is_snapshot) {
		p++;
		id->has_off = true;
		if (!take_number(&p, &id->off))
			return false;
	}
	return *p == '\0';
}

/* What stands for a segment beside its index. */
static uint64_t
number_of(const struct ls03_object *o)
{
	return o->kind == LS03_LIVE ? o->size : o->off;
}

/* The last state of a log: of its segments, if there is any. */
static bool
find_last(
	const struct ls03_timeline *t, size_t n, uint32_t index, size_t *state)
{
	bool found = false;

	for (size_t i = n; i-- > 0 && ls03_timeline_index(t, i) >= index;) {
		if (ls03_timeline_index(t, i) > index)
			continue;
		if (!found || !t->states[i].is_snapshot)
			*state = i;
		found = true;
		if (!t->states[i].is_snapshot)
			break;
	}
	return found;
}

static bool
is_it(const struct ls03_timeline *t, size_t state, const struct ls03_id *id)
{
	const struct ls03_state *s = &t->states[state];

	return ls03_timeline_index(t, state) == id->index &&
	       s->is_snapshot == id->is_snapshot &&
	       (s->is_snapshot || number_of(&t->segments[s->at]) == id->off);
}

bool
ls03_id_find(const struct ls03_timeline *t, size_t n, const struct ls03_id *id,
	size_t *state)
{
	if (!id->is_snapshot && !id->has_off)
		return find_last(t, n, id->index, state);
	for (size_t i = n; i-- > 0 && ls03_timeline_index(t, i) >= id->index;) {
		*state = i;
		if (is_it(t, i, id))
			return true;
	}
	return false;
}

/* -- Printing ------------------------------------------------------------- */

void
ls03_id_snapshot(char out[HISTORY_ID_MAX + 1], const char *generation,
	const struct ls03_object *o)
{
	snprintf(out, HISTORY_ID_MAX + 1, "%s-" SNAPSHOT "%08" PRIx32,
		generation, o->index);
}

/* Whether nothing can follow a segment in its log. */
static bool
ends_its_log(const struct ls03_timeline *t, size_t i)
{
	const struct ls03_object *o = &t->segments[i];

	if (i + 1 < t->n_segments)
		return o[1].index > o->index;
	return o->kind == LS03_WHOLE;
}

void
ls03_id_print(char out[HISTORY_ID_MAX + 1], const struct ls03_timeline *t,
	size_t state)
{
	const struct ls03_state *s = &t->states[state];
	const struct ls03_object *o = &t->segments[s->at];
	int n;

	if (s->is_snapshot) {
		ls03_id_snapshot(out, t->generation, &t->snapshots[s->at]);
		return;
	}
	n = snprintf(out, HISTORY_ID_MAX + 1, "%s-%08" PRIx32, t->generation,
		o->index);
	if (!ends_its_log(t, s->at))
		snprintf(out + n, (size_t)(HISTORY_ID_MAX + 1 - n),
			"-%08" PRIx64, number_of(o));
}

/* -- Numbers -------------------------------------------------------------- */

#define INDEX_BITS 24
#define KEY_INDEX_BITS 20
#define KEY_OFF_BITS 20
#define FRAME_MIN_SHIFT 9 /* frames are longer: no two segments share that */

uint64_t
ls03_id_seq(const struct ls03_timeline *t, size_t state)
{
	const struct ls03_state *s = &t->states[state];
	uint64_t index = ls03_timeline_index(t, state), within = 0;
	size_t end = ls03_timeline_end(t, state);

	/* behind the segment before it, if that is of its log */
	if (end > 0 && t->segments[end - 1].index == index)
		within = 2 * number_of(&t->segments[end - 1]) + 2;
	return index << (64 - INDEX_BITS) | (within + s->is_snapshot);
}

uint64_t
ls03_id_key(const struct ls03_timeline *t, size_t state, unsigned slot)
{
	const struct ls03_state *s = &t->states[state];
	uint64_t index = ls03_timeline_index(t, state), off = 0;

	if (!s->is_snapshot)
		off = (number_of(&t->segments[s->at]) >> FRAME_MIN_SHIFT) + 1;
	return 1ULL << 47 | (uint64_t)slot << (KEY_INDEX_BITS + KEY_OFF_BITS) |
	       (index & ((1u << KEY_INDEX_BITS) - 1)) << KEY_OFF_BITS |
	       (off & ((1u << KEY_OFF_BITS) - 1));
}
