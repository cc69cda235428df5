/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "repo/foreign/litestream05_files.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "repo/base/buf.h"
#include "repo/base/hex.h"

/* With more files than this, refreshing asks for new ones of level 0 only. */
#define MANY 5000

/* -- Names ------------------------------------------------------------------
 */

/* 16 lower-case digits; 0 is no TXID. */
static uint64_t
parse_txid(const char *p)
{
	uint8_t bytes[8];
	char digits[17];
	uint64_t v = 0;

	memcpy(digits, p, 16);
	digits[16] = '\0';
	if (hex_decode(bytes, sizeof(bytes), digits) < 0)
		return 0;
	for (int i = 0; i < 8; i++)
		v = v << 8 | bytes[i];
	return v;
}

/* What follows the level, or NULL. */
static const char *
parse_level(const char *name, struct litestream05_file *f)
{
	bool ltx = strncmp(name, "ltx/", 4) == 0;

	if (!ltx && strncmp(name, "000", 3) != 0)
		return NULL;
	name += ltx ? 4 : 3;
	if (*name < '0' || *name > '9' || name[1] != '/')
		return NULL;
	f->layout = ltx ? LITESTREAM05_LTX : LITESTREAM05_S3;
	f->level = (uint8_t)(*name - '0');
	return name + 2;
}

bool
litestream05_file_parse(const char *name, struct litestream05_file *f)
{
	const char *p;

	*f = (struct litestream05_file){ .min = 0 };
	p = parse_level(name, f);
	if (!p || strlen(p) != 37 || p[16] != '-' ||
		strcmp(p + 33, ".ltx") != 0)
		return false;
	f->min = parse_txid(p);
	f->max = parse_txid(p + 17);
	return f->min > 0 && f->min <= f->max &&
	       (f->level != LITESTREAM05_SNAPSHOTS || f->min == 1);
}

void
litestream05_file_name(
	const struct litestream05_file *f, char out[LITESTREAM05_NAME_MAX])
{
	const char *folder = f->layout == LITESTREAM05_LTX ? "ltx/" : "000";

	snprintf(out, LITESTREAM05_NAME_MAX,
		"%s%u/%016" PRIx64 "-%016" PRIx64 ".ltx", folder, f->level,
		f->min, f->max);
}

int
litestream05_file_compare(const void *a, const void *b)
{
	const struct litestream05_file *x = a, *y = b;

	if (x->min != y->min)
		return x->min < y->min ? -1 : 1;
	if (x->max != y->max)
		return x->max < y->max ? -1 : 1;
	if (x->level != y->level)
		return x->level < y->level ? -1 : 1;
	return (x->layout > y->layout) - (x->layout < y->layout);
}

/* -- Listing ----------------------------------------------------------------
 */

struct listing {
	struct litestream05_files *f;
	size_t skip; /* of a name: the replica's prefix */
	size_t room;
	bool too_many;
	bool older; /* there are files without levels */
};

bool
litestream05_file_is_older(const char *name)
{
	auto_free char *leveled = NULL;
	struct litestream05_file f;

	if (strncmp(name, "ltx/", 4) != 0)
		return false;
	leveled = xasprintf("ltx/0/%s", name + 4);
	return litestream05_file_parse(leveled, &f);
}

static bool
add(struct listing *l, const struct litestream05_file *x)
{
	struct litestream05_files *f = l->f;

	l->too_many = f->n == LITESTREAM05_FILES_MAX;
	if (l->too_many)
		return false;
	if (f->n == l->room) {
		l->room = l->room ? 2 * l->room : 256;
		f->files = xrealloc(f->files, l->room * sizeof(*f->files));
	}
	f->files[f->n++] = *x;
	return true;
}

static bool
take(void *ctx, const struct store_object *o)
{
	struct litestream05_file x;
	struct listing *l = ctx;

	if (!litestream05_file_parse(o->name + l->skip, &x)) {
		l->older |= litestream05_file_is_older(o->name + l->skip);
		return true;
	}
	x.size = o->size;
	x.modified_ns = o->modified_ns;
	return add(l, &x);
}

/* As long as names may be those of S3's levels, which are neighbours. */
static bool
take_s3(void *ctx, const struct store_object *o)
{
	struct listing *l = ctx;

	if (strncmp(o->name + l->skip, "000", 3) != 0)
		return false;
	return take(ctx, o);
}

static int
list_all(struct store *s, const char *prefix, struct listing *l, struct err *e)
{
	auto_free char *ltx = xasprintf("%sltx/", prefix);
	auto_free char *s3 = xasprintf("%s000", prefix);
	int r = store_list_objects(s, ltx, "", take, l, e);

	if (r < 0 && r != -ENOENT)
		return r;
	if (l->f->n > 0)
		return 0;
	return store_list_objects(s, prefix, s3, take_s3, l, e);
}

/* The last file of level 0, or NULL. */
static const struct litestream05_file *
last_of_level_0(const struct litestream05_files *f)
{
	for (size_t i = f->n; i-- > 0;) {
		if (f->files[i].level == 0)
			return &f->files[i];
	}
	return NULL;
}

/* What is known already, and the files of level 0 that follow. */
static int
list_new(struct store *s, const char *prefix,
	const struct litestream05_files *before, struct listing *l,
	struct err *e)
{
	const struct litestream05_file *last = last_of_level_0(before);
	char name[LITESTREAM05_NAME_MAX];
	auto_free char *folder = NULL, *after = NULL;

	litestream05_file_name(last, name);
	after = xasprintf("%s%s", prefix, name);
	folder = xasprintf(
		"%s%.*s/", prefix, (int)(strrchr(name, '/') - name), name);
	for (size_t i = 0; i < before->n; i++)
		add(l, &before->files[i]);
	return store_list_objects(s, folder, after, take, l, e);
}

int
litestream05_files_list(struct store *s, const char *prefix,
	const struct litestream05_files *before, bool all,
	struct litestream05_files *f, struct err *e)
{
	struct litestream05_files new = { .n = 0 };
	struct listing l = { .f = &new, .skip = strlen(prefix) };
	int r;

	if (before && !all && before->n > MANY && last_of_level_0(before))
		r = list_new(s, prefix, before, &l, e);
	else
		r = list_all(s, prefix, &l, e);
	if (r == 0 && new.n == 0 && l.older)
		r = err_set(e, EPROTONOSUPPORT,
			"%s%s%s has LTX files without levels, as LiteFS and "
			"Litestream before 0.5 wrote them, which yore does not "
			"read",
			s->name, *prefix ? "/" : "", prefix);
	if (r == 0 && l.too_many)
		r = err_set(e, E2BIG, "%s%s: more than %d files", s->name,
			prefix, LITESTREAM05_FILES_MAX);
	if (r < 0) {
		free(new.files);
		return r;
	}
	litestream05_files_derive(&new);
	*f = new;
	return 0;
}

/* -- What can be had --------------------------------------------------------
 */

static int
compare_ends(const void *a, const void *b, void *files)
{
	const struct litestream05_file *f = files;
	const struct litestream05_file *x = &f[*(const uint32_t *)a],
				       *y = &f[*(const uint32_t *)b];

	if (x->max != y->max)
		return x->max < y->max ? -1 : 1;
	return (x->level > y->level) - (x->level < y->level);
}

/*
 * A state can be had if a file ends with it that begins with TXID 1, or one
 * that begins no later than right after a state that can be had.  Files in
 * order of their ends, so that such states are known.
 */
static void
find_moments(struct litestream05_files *f)
{
	auto_free uint32_t *order = xcalloc(f->n + 1, sizeof(*order));
	uint64_t last = 0; /* state that can be had */

	for (uint32_t i = 0; i < f->n; i++)
		order[i] = i;
	if (f->n > 0)
		qsort_r(order, f->n, sizeof(*order), compare_ends, f->files);
	f->moments = xcalloc(f->n + 1, sizeof(*f->moments));
	for (size_t i = 0, first = 0; i < f->n; i++) {
		const struct litestream05_file *x = &f->files[order[i]];

		if (x->max != f->files[order[first]].max)
			first = i;
		if (x->max != last && (x->min == 1 || x->min - 1 <= last))
			f->moments[f->n_moments++] =
				(struct litestream05_moment){ .txid = x->max,
					.file = order[first] };
		else if (x->max != last)
			continue;
		last = x->max;
		if (x->level == LITESTREAM05_SNAPSHOTS)
			f->moments[f->n_moments - 1].snapshot = true;
	}
	f->moments[0].snapshot = true;
}

static void
find_missing(struct litestream05_files *f)
{
	uint64_t known = 0; /* every TXID up to this one is in a file */

	for (size_t i = 0; i < f->n; i++) {
		const struct litestream05_file *x = &f->files[i];

		if (!f->missing && x->min > known + 1)
			f->missing = known + 1;
		if (x->max > known)
			known = x->max;
	}
	f->newest = known;
}

void
litestream05_files_derive(struct litestream05_files *f)
{
	if (f->n > 0)
		qsort(f->files, f->n, sizeof(*f->files),
			litestream05_file_compare);
	find_moments(f);
	find_missing(f);
}

void
litestream05_files_release(struct litestream05_files *f)
{
	free(f->files);
	free(f->moments);
	*f = (struct litestream05_files){ .n = 0 };
}

static bool
is_same(const struct litestream05_file *x, const struct litestream05_file *y)
{
	return litestream05_file_compare(x, y) == 0 && x->size == y->size &&
	       x->modified_ns == y->modified_ns;
}

void
litestream05_files_inherit(
	struct litestream05_files *f, const struct litestream05_files *before)
{
	for (size_t i = 0, k = 0; i < f->n && k < before->n;) {
		const struct litestream05_file *old = &before->files[k];
		int order = litestream05_file_compare(&f->files[i], old);

		if (is_same(&f->files[i], old))
			f->files[i].info = old->info;
		i += order <= 0;
		k += order >= 0;
	}
}

bool
litestream05_files_same(
	const struct litestream05_files *a, const struct litestream05_files *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++) {
		if (!is_same(&a->files[i], &b->files[i]))
			return false;
	}
	return true;
}

size_t
litestream05_files_find(const struct litestream05_files *f, uint64_t txid)
{
	size_t lo = 0, hi = f->n_moments;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (f->moments[mid].txid <= txid)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo ? lo - 1 : f->n_moments;
}

/* -- Plans ------------------------------------------------------------------
 */

/* Of two files that may come next the one that is taken. */
static bool
is_better(const struct litestream05_file *a, const struct litestream05_file *b)
{
	if (a->max != b->max)
		return a->max > b->max;
	if (a->min != b->min)
		return a->min < b->min;
	if (a->level != b->level)
		return a->level > b->level;
	return a->modified_ns < b->modified_ns;
}

/* The newest snapshot not later than txid, or NONE. */
#define NONE UINT32_MAX
static uint32_t
find_snapshot(const struct litestream05_files *f, uint64_t txid)
{
	uint32_t found = NONE;

	for (uint32_t i = 0; i < f->n && f->files[i].min == 1; i++) {
		if (f->files[i].level == LITESTREAM05_SNAPSHOTS &&
			f->files[i].max <= txid)
			found = i; /* by max: the last one is the newest */
	}
	return found;
}

/* Take into account what may come next: all that begins no later than right
 * after `reached`.  Returns the best one. */
static uint32_t
look_on(const struct litestream05_files *f, uint64_t txid, uint64_t reached,
	uint32_t best, uint32_t *next)
{
	for (; *next < f->n && f->files[*next].min - 1 <= reached; ++*next) {
		const struct litestream05_file *x = &f->files[*next];

		if (x->level == LITESTREAM05_SNAPSHOTS || x->max > txid)
			continue;
		if (best == NONE || is_better(x, &f->files[best]))
			best = *next;
	}
	return best;
}

int
litestream05_files_plan(const struct litestream05_files *f, uint64_t txid,
	uint32_t **plan, size_t *n, struct err *e)
{
	auto_free uint32_t *chosen = xcalloc(f->n + 1, sizeof(*chosen));
	uint32_t snapshot = find_snapshot(f, txid), best = NONE, next = 0;
	uint64_t reached = 0;

	*n = 0;
	if (snapshot != NONE) {
		chosen[(*n)++] = snapshot;
		reached = f->files[snapshot].max;
	}
	while (reached != txid) {
		best = look_on(f, txid, reached, best, &next);
		if (best == NONE || f->files[best].max <= reached)
			return err_set(e, ENOENT,
				"TXID %016" PRIx64
				" cannot be had of the files that are there",
				txid);
		chosen[(*n)++] = best;
		reached = f->files[best].max;
	}
	*plan = steal(chosen);
	return 0;
}
