/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "repo/foreign/tito_roll.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "repo/base/bytes.h"
#include "repo/base/clock.h"
#include "repo/base/log.h"

#define MARK_MAX 64
#define LOG_ONCE(l, ...) ((l)->again ? (void)0 : log_warn(__VA_ARGS__))
#define CHUNKS_MAX (1u << 22)

/* -- Names ------------------------------------------------------------------
 */

/* A decimal number without needless zeros beyond `least` digits; returns what
 * follows it, or NULL. */
static const char *
parse_number(const char *p, size_t least, uint64_t max, uint64_t *n)
{
	const char *begin = p;

	*n = 0;
	for (; *p >= '0' && *p <= '9'; p++) {
		if (*n > (max - (uint64_t)(*p - '0')) / 10)
			return NULL;
		*n = *n * 10 + (uint64_t)(*p - '0');
	}
	size_t len = (size_t)(p - begin);

	return len < least || (len > least && *begin == '0') ? NULL : p;
}

/* "full/SECONDS/chunk-NNNN.json.gz" or the same of a changelog. */
static bool
parse_name(const char *name, bool *full, uint64_t *seconds, uint64_t *number)
{
	*full = strncmp(name, "full/", 5) == 0;
	if (!*full && strncmp(name, "changelog/", 10) != 0)
		return false;
	name = parse_number(
		name + (*full ? 5 : 10), 1, INT64_MAX / NS_PER_S, seconds);
	if (!name || strncmp(name, "/chunk-", 7) != 0)
		return false;
	name = parse_number(name + 7, 4, CHUNKS_MAX, number);
	return name && !strcmp(name, ".json.gz");
}

char *
tito_roll_object(const struct tito_roll *r, const struct tito_stamp *s,
	const struct tito_chunk *c)
{
	return xasprintf("%s%s/%" PRIu64 "/chunk-%04u.json.gz", r->prefix,
		s->full ? "full" : "changelog", s->seconds, c->number);
}

/* -- What is there -----------------------------------------------------------
 */

struct loading {
	struct tito_roll *roll;
	size_t n_chunks;
	bool later_layout;
	bool again; /* nothing is said twice */
	/* of LATEST_FULL; INT64_MIN: there is none */
	int64_t mark_modified_ns;
	uint64_t mark;
};

static struct tito_stamp *
last_stamp(struct tito_roll *r, bool full, uint64_t seconds)
{
	struct tito_stamp *s = r->n_stamps ? &r->stamps[r->n_stamps - 1] : NULL;

	if (s && s->full == full && s->seconds == seconds)
		return s;
	/* doubled when the number is a power of two */
	if ((r->n_stamps & (r->n_stamps - 1)) == 0)
		r->stamps = xrealloc(
			r->stamps, 2 * (r->n_stamps + 1) * sizeof(*r->stamps));
	s = &r->stamps[r->n_stamps++];
	*s = (struct tito_stamp){ .full = full, .seconds = seconds };
	return s;
}

static void
add_chunk(struct tito_stamp *s, const struct store_object *o, uint64_t number)
{
	if ((s->n_chunks & (s->n_chunks - 1)) == 0)
		s->chunks = xrealloc(
			s->chunks, 2 * (s->n_chunks + 1) * sizeof(*s->chunks));
	s->chunks[s->n_chunks++] =
		(struct tito_chunk){ .number = (uint32_t)number,
			.size = o->size,
			.modified_ns = o->modified_ns };
}

/* The names of a stamp follow each other in a listing. */
static bool
take_object(void *ctx, const struct store_object *o)
{
	struct loading *l = ctx;
	const char *name = o->name + strlen(l->roll->prefix);
	uint64_t seconds, number;
	bool full;

	if (!strcmp(name, "LATEST_STATE_FULL") || !strncmp(name, "state/", 6))
		l->later_layout = true;
	if (!strcmp(name, "LATEST_FULL"))
		l->mark_modified_ns = o->modified_ns;
	if (l->n_chunks == CHUNKS_MAX ||
		!parse_name(name, &full, &seconds, &number))
		return l->n_chunks < CHUNKS_MAX;
	add_chunk(last_stamp(l->roll, full, seconds), o, number);
	l->n_chunks++;
	return true;
}

static int
compare_chunks(const void *a, const void *b)
{
	const struct tito_chunk *x = a, *y = b;

	return (x->number > y->number) - (x->number < y->number);
}

static int
compare_stamps(const void *a, const void *b)
{
	const struct tito_stamp *x = a, *y = b;
	int order = (x->seconds > y->seconds) - (x->seconds < y->seconds);

	return order ? order : y->full - x->full;
}

static void
sort(struct tito_roll *r)
{
	if (r->n_stamps > 0)
		qsort(r->stamps, r->n_stamps, sizeof(*r->stamps),
			compare_stamps);
	for (size_t i = 0; i < r->n_stamps; i++) {
		struct tito_stamp *s = &r->stamps[i];

		qsort(s->chunks, s->n_chunks, sizeof(*s->chunks),
			compare_chunks);
		s->broken =
			s->chunks[s->n_chunks - 1].number != s->n_chunks - 1;
	}
}

/* The seconds in LATEST_FULL, which name a full backup; without them none was
 * finished, for all that can be told. */
static int
load_mark(struct loading *l, struct store *s, struct err *e)
{
	auto_free char *name = xasprintf("%sLATEST_FULL", l->roll->prefix);
	auto_free uint8_t *text = NULL;
	char digits[MARK_MAX + 1];
	const char *end;
	size_t len = 0;
	int r = 0;

	l->mark = 0;
	if (l->mark_modified_ns == INT64_MIN)
		return 0;
	r = store_get_all(s, name, MARK_MAX, &text, &len, e);
	if (r)
		return r;
	memcpy(digits, text, len);
	digits[len] = '\0';
	end = parse_number(digits, 1, UINT64_MAX, &l->mark);
	while (end && *end && *end <= ' ')
		end++;
	/* whoever guessed here could take half a backup for a whole one */
	if (!end || *end || !tito_roll_stamp(l->roll, true, l->mark)) {
		LOG_ONCE(l, "%s does not name a full backup that is there",
			name);
		l->mark = 0;
	}
	return 0;
}

/* -- What follows from it ----------------------------------------------------
 */

/* Whether all of a changelog was written after LATEST_FULL. */
static bool
is_after_mark(const struct loading *l, const struct tito_stamp *s)
{
	for (size_t i = 0; i < s->n_chunks; i++) {
		if (s->chunks[i].modified_ns <= l->mark_modified_ns)
			return false;
	}
	return true;
}

static void
digest_stamp(uint8_t digest[HASH_LEN], const struct tito_stamp *s)
{
	auto_buf struct buf b = BUF_INIT;

	buf_append(&b, digest, HASH_LEN);
	buf_u8(&b, s->full);
	buf_varint(&b, s->seconds);
	for (size_t i = 0; i < s->n_chunks; i++) {
		buf_varint(&b, s->chunks[i].number);
		buf_varint(&b, s->chunks[i].size);
		buf_be64(&b, (uint64_t)s->chunks[i].modified_ns);
	}
	sha256(b.data, b.len, digest);
}

static struct tito_point *
add_point(struct tito_roll *r, size_t full, size_t last)
{
	const struct tito_stamp *s = &r->stamps[last];
	struct tito_point *before =
		full == last ? NULL : &r->points[r->n_points - 1];
	struct tito_point *p = &r->points[r->n_points++];

	p->full = full;
	p->last = last;
	p->time_ns = (int64_t)s->seconds * NS_PER_S;
	p->broken = s->broken;
	snprintf(p->id, sizeof(p->id), "%" PRIu64, s->seconds);
	if (before) {
		p->broken = p->broken || before->broken;
		memcpy(p->digest, before->digest, HASH_LEN);
	} else {
		sha256(r->prefix, strlen(r->prefix), p->digest);
	}
	digest_stamp(p->digest, s);
	return p;
}

/* A changelog of the second of the full backup that it follows. */
static void
add_same_second(struct loading *l, size_t full, size_t i)
{
	struct tito_roll *r = l->roll;
	struct tito_stamp *s = &r->stamps[i];

	s->left_out = s->seconds != l->mark || !is_after_mark(l, s);
	if (s->left_out) {
		LOG_ONCE(l,
			"%schangelog/%" PRIu64 " is left out: it need not be "
			"later than the full backup of that second",
			r->prefix, s->seconds);
		return;
	}
	struct tito_point *p = add_point(r, full, i);

	snprintf(p->id, sizeof(p->id), "%" PRIu64 "-changelog", s->seconds);
	p->time_ns += NS_PER_S - 1;
}

static void
derive(struct loading *l)
{
	struct tito_roll *r = l->roll;
	size_t full = SIZE_MAX;

	r->points = xcalloc(r->n_stamps + 1, sizeof(*r->points));
	for (size_t i = 0; i < r->n_stamps; i++) {
		struct tito_stamp *s = &r->stamps[i];

		if (s->full && s->seconds <= l->mark) {
			full = i;
			add_point(r, full, i);
		} else if (s->full) {
			s->left_out = true;
			LOG_ONCE(l,
				"%sfull/%" PRIu64 " was not finished: "
				"LATEST_FULL is %" PRIu64,
				r->prefix, s->seconds, l->mark);
		} else if (full == SIZE_MAX) {
			s->left_out = true;
		} else if (s->seconds == r->stamps[full].seconds) {
			add_same_second(l, full, i);
		} else {
			add_point(r, full, i);
		}
	}
	/* those that were not finished come last, each for itself */
	for (size_t i = 0; i < r->n_stamps; i++) {
		if (r->stamps[i].full && r->stamps[i].left_out)
			add_point(r, i, i)->unfinished = true;
	}
}

int
tito_roll_load(struct store *s, const char *prefix, bool again,
	struct tito_roll **roll, struct err *e)
{
	auto_tito_roll struct tito_roll *r = xcalloc(1, sizeof(*r));
	struct loading l = {
		.roll = r, .mark_modified_ns = INT64_MIN, .again = again
	};
	int rc;

	r->refs = 1;
	r->prefix = xstrdup(prefix);
	rc = store_list_objects(s, prefix, "", take_object, &l, e);
	if (!rc && l.later_layout)
		rc = err_set(e, EPROTONOSUPPORT,
			"%s%s holds backups of a tito later than 0.4.7 "
			"(LATEST_STATE_FULL, state/), which yore does not read",
			s->name, *prefix ? prefix : "");
	if (!rc && l.n_chunks == CHUNKS_MAX)
		rc = err_set(e, EUCLEAN, "%s%s has more than %u chunks",
			s->name, prefix, CHUNKS_MAX);
	if (rc)
		return rc;
	sort(r);
	rc = load_mark(&l, s, e);
	if (rc)
		return rc;
	derive(&l);
	*roll = steal(r);
	return 0;
}

struct tito_roll *
tito_roll_get(struct tito_roll *r)
{
	r->refs++;
	return r;
}

void
tito_roll_put(struct tito_roll *r)
{
	if (--r->refs > 0)
		return;
	for (size_t i = 0; i < r->n_stamps; i++)
		free(r->stamps[i].chunks);
	free(r->stamps);
	free(r->points);
	free(r->prefix);
	free(r);
}

const struct tito_stamp *
tito_roll_stamp(const struct tito_roll *r, bool full, uint64_t seconds)
{
	const struct tito_stamp key = { .full = full, .seconds = seconds };

	return r->n_stamps ? bsearch(&key, r->stamps, r->n_stamps, sizeof(key),
				     compare_stamps)
			   : NULL;
}
