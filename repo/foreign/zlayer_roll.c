/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "repo/foreign/zlayer_roll.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include "repo/base/buf.h"
#include "repo/base/clock.h"
#include "repo/foreign/zlayer_proof.h"

#define SNAPSHOTS "snapshots/"
#define SNAPSHOT_END ".sqlite.zst"
#define WALS "wal/"
#define WAL_END ".wal.zst"
#define NUMBER_LEN 20
#define OBJECTS_MAX (1u << 20) /* of each kind */

/* -- Names ------------------------------------------------------------------
 */

bool
zlayer_roll_parse_stamp(const char *text, int64_t *time_ns)
{
	char again[ZLAYER_STAMP_LEN + 1];
	struct tm tm = { .tm_sec = 0 };

	if (strspn(text, "0123456789_") < ZLAYER_STAMP_LEN ||
		sscanf(text, "%4d%2d%2d_%2d%2d%2d", &tm.tm_year, &tm.tm_mon,
			&tm.tm_mday, &tm.tm_hour, &tm.tm_min, &tm.tm_sec) != 6)
		return false;
	tm.tm_year -= 1900;
	tm.tm_mon--;
	*time_ns = (int64_t)timegm(&tm);
	if (__builtin_mul_overflow(*time_ns, NS_PER_S, time_ns))
		return false;
	/* whatever else sscanf and timegm put up with */
	return strftime(again, sizeof(again), "%Y%m%d_%H%M%S", &tm) ==
		       ZLAYER_STAMP_LEN &&
	       memcmp(again, text, ZLAYER_STAMP_LEN) == 0;
}

static bool
parse_snapshot(const char *name, struct zlayer_snapshot *s)
{
	name += strlen(SNAPSHOTS);
	if (!zlayer_roll_parse_stamp(name, &s->time_ns) ||
		strcmp(name + ZLAYER_STAMP_LEN, SNAPSHOT_END) != 0)
		return false;
	memcpy(s->stamp, name, ZLAYER_STAMP_LEN);
	s->stamp[ZLAYER_STAMP_LEN] = '\0';
	return true;
}

static bool
parse_wal(const char *name, struct zlayer_wal *w)
{
	name += strlen(WALS);
	w->number = 0;
	if (strspn(name, "0123456789") != NUMBER_LEN ||
		strcmp(name + NUMBER_LEN, WAL_END) != 0)
		return false;
	for (int i = 0; i < NUMBER_LEN; i++) {
		if (__builtin_mul_overflow(w->number, 10, &w->number) ||
			__builtin_add_overflow(
				w->number, name[i] - '0', &w->number))
			return false;
	}
	return true;
}

bool
zlayer_roll_is_name(const char *name)
{
	struct zlayer_snapshot s;
	struct zlayer_wal w;

	return (strncmp(name, SNAPSHOTS, strlen(SNAPSHOTS)) == 0 &&
		       parse_snapshot(name, &s)) ||
	       (strncmp(name, WALS, strlen(WALS)) == 0 && parse_wal(name, &w));
}

char *
zlayer_roll_snapshot_name(const struct zlayer_roll *r, size_t i)
{
	return xasprintf("%s" SNAPSHOTS "%s" SNAPSHOT_END, r->prefix,
		r->snapshots[i].stamp);
}

char *
zlayer_roll_wal_name(const struct zlayer_roll *r, size_t i)
{
	return xasprintf(
		"%s" WALS "%020" PRIu64 WAL_END, r->prefix, r->wals[i].number);
}

void
zlayer_roll_source(struct unpacked_source *src, struct store *s, struct kept *k,
	const char *name, const struct zlayer_object *o)
{
	*src = (struct unpacked_source){ .store = s,
		.kept = k,
		.object = name,
		.size = o->size,
		.modified_ns = o->modified_ns,
		.kind = UNPACK_ZSTD,
		.max = ZLAYER_DATABASE_MAX };
}

int64_t
zlayer_roll_second(const struct zlayer_object *o)
{
	int64_t s = o->modified_ns / NS_PER_S;

	return o->modified_ns % NS_PER_S < 0 ? s - 1 : s;
}

/* -- What is there -----------------------------------------------------------
 */

struct loading {
	struct zlayer_roll *roll;
	size_t room_snapshots, room_wals;
};

static bool
take_snapshot(void *ctx, const struct store_object *o)
{
	struct loading *l = ctx;
	struct zlayer_roll *r = l->roll;
	struct zlayer_snapshot s = { .o = { o->size, o->modified_ns } };

	if (!parse_snapshot(o->name + strlen(r->prefix), &s))
		return true;
	if (r->n_snapshots == l->room_snapshots) {
		l->room_snapshots = 2 * l->room_snapshots + 16;
		r->snapshots = xrealloc(r->snapshots,
			l->room_snapshots * sizeof(*r->snapshots));
	}
	r->snapshots[r->n_snapshots++] = s;
	return r->n_snapshots < OBJECTS_MAX;
}

static bool
take_wal(void *ctx, const struct store_object *o)
{
	struct loading *l = ctx;
	struct zlayer_roll *r = l->roll;
	struct zlayer_wal w = { .o = { o->size, o->modified_ns } };

	if (!parse_wal(o->name + strlen(r->prefix), &w))
		return true;
	if (r->n_wals == l->room_wals) {
		l->room_wals = 2 * l->room_wals + 16;
		r->wals = xrealloc(r->wals, l->room_wals * sizeof(*r->wals));
	}
	r->wals[r->n_wals++] = w;
	return r->n_wals < OBJECTS_MAX;
}

static int
compare_wals(const void *a, const void *b)
{
	const struct zlayer_wal *x = a, *y = b;

	if (x->o.modified_ns != y->o.modified_ns)
		return x->o.modified_ns < y->o.modified_ns ? -1 : 1;
	return (x->number > y->number) - (x->number < y->number);
}

int
zlayer_roll_load(struct store *s, const char *prefix, struct zlayer_roll **out,
	struct err *e)
{
	struct zlayer_roll *r = xcalloc(1, sizeof(*r));
	struct loading l = { .roll = r };
	auto_free char *snapshots = xasprintf("%s" SNAPSHOTS, prefix);
	auto_free char *wals = xasprintf("%s" WALS, prefix);
	int rc;

	r->refs = 1;
	r->prefix = xstrdup(prefix);
	rc = store_list_objects(s, snapshots, "", take_snapshot, &l, e);
	if (!rc)
		rc = store_list_objects(s, wals, "", take_wal, &l, e);
	if (rc) {
		zlayer_roll_put(r);
		return rc;
	}
	if (r->n_wals > 0)
		qsort(r->wals, r->n_wals, sizeof(*r->wals), compare_wals);
	r->proof = zlayer_proof_new(r);
	*out = r;
	return 0;
}

static bool
same_object(const struct zlayer_object *a, const struct zlayer_object *b)
{
	return a->size == b->size && a->modified_ns == b->modified_ns;
}

bool
zlayer_roll_same(const struct zlayer_roll *a, const struct zlayer_roll *b)
{
	if (a->n_snapshots != b->n_snapshots || a->n_wals != b->n_wals)
		return false;
	for (size_t i = 0; i < a->n_snapshots; i++) {
		const struct zlayer_snapshot *x = &a->snapshots[i];
		const struct zlayer_snapshot *y = &b->snapshots[i];

		if (!same_object(&x->o, &y->o) || x->time_ns != y->time_ns)
			return false;
	}
	for (size_t i = 0; i < a->n_wals; i++) {
		if (!same_object(&a->wals[i].o, &b->wals[i].o) ||
			a->wals[i].number != b->wals[i].number)
			return false;
	}
	return true;
}

struct zlayer_roll *
zlayer_roll_get(struct zlayer_roll *r)
{
	r->refs++;
	return r;
}

void
zlayer_roll_put(struct zlayer_roll *r)
{
	if (!r || --r->refs > 0)
		return;
	zlayer_proof_free(r->proof);
	free(r->snapshots);
	free(r->wals);
	free(r->prefix);
	free(r);
}
