/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "repo/foreign/alopex.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include "repo/base/buf.h"
#include "repo/base/clock.h"
#include "repo/base/log.h"
#include "repo/foreign/alopex_manifest.h"
#include "repo/foreign/alopex_view.h"
#include "repo/foreign/listed.h"
#include "repo/foreign/points.h"

#define HOST "alopex"
#define UNFINISHED ".unfinished"
#define LATEST_MAX 8192

bool
alopex_parse_name(const char *name, size_t len, uint64_t *seconds)
{
	*seconds = 0;
	if (len < 4 || memcmp(name, "ts-", 3) || (name[3] == '0' && len > 4))
		return false;
	for (size_t i = 3; i < len; i++) {
		unsigned digit = (unsigned)(name[i] - '0');

		if (digit > 9 || *seconds > INT64_MAX / NS_PER_S / 10)
			return false;
		*seconds = *seconds * 10 + digit;
	}
	return *seconds <= INT64_MAX / NS_PER_S;
}

/* -- The listing ------------------------------------------------------------
 */

struct backup {
	uint64_t seconds;
	bool has_manifest;
	struct view_totals totals;
};

struct looking {
	const char *prefix;	/* of names that begin with ts- */
	struct backup *backups; /* by seconds */
	size_t n;
};

static struct backup *
find_backup(struct looking *k, uint64_t seconds)
{
	size_t at = k->n;

	while (at > 0 && k->backups[at - 1].seconds > seconds)
		at--;
	if (at > 0 && k->backups[at - 1].seconds == seconds)
		return &k->backups[at - 1];
	k->backups = xrealloc(k->backups, (k->n + 1) * sizeof(*k->backups));
	memmove(&k->backups[at + 1], &k->backups[at],
		(k->n - at) * sizeof(*k->backups));
	k->backups[at] = (struct backup){ .seconds = seconds };
	k->n++;
	return &k->backups[at];
}

static bool
count_object(void *ctx, const struct store_object *o)
{
	struct looking *k = ctx;
	const char *name = o->name + strlen(k->prefix);
	const char *slash = strchr(name, '/');
	uint64_t seconds;

	if (!slash ||
		!alopex_parse_name(name, (size_t)(slash - name), &seconds) ||
		alopex_manifest_skips(slash + 1))
		return true;
	struct backup *b = find_backup(k, seconds);

	b->has_manifest =
		b->has_manifest || !strcmp(slash + 1, ALOPEX_MANIFEST);
	b->totals.files++;
	b->totals.entries++;
	b->totals.bytes += o->size;
	if (o->modified_ns > b->totals.newest_ns)
		b->totals.newest_ns = o->modified_ns;
	return true;
}

/* The seconds of the backup that `latest` names, if it is there; else of the
 * newest that has a manifest. */
static int
find_latest(struct stem *s, const struct looking *k, uint64_t *seconds,
	bool *named, struct err *e)
{
	auto_free char *name = xasprintf("%slatest", k->prefix);
	auto_free uint8_t *text = NULL;
	size_t len = 0, at;
	int r = store_get_all(s->store, name, LATEST_MAX, &text, &len, e);

	if (r && r != -ENOENT && r != -EUCLEAN)
		return r;
	len = r ? 0 : len;
	while (len > 0 && (text[len - 1] <= ' ' || text[len - 1] == '/'))
		len--;
	for (at = len; at > 0 && text[at - 1] != '/' && text[at - 1] != '\\';)
		at--;
	*named = len > 0 &&
		 alopex_parse_name((char *)text + at, len - at, seconds);
	for (size_t i = k->n; *named && i-- > 0;) {
		if (k->backups[i].seconds == *seconds &&
			k->backups[i].has_manifest)
			return 0;
	}
	*named = false;
	*seconds = UINT64_MAX;
	return 0;
}

static void
add_backups(struct points *p, const struct looking *k, bool finished,
	uint64_t latest, bool named)
{
	for (size_t i = 0; i < k->n; i++) {
		const struct backup *b = &k->backups[i];
		bool good = b->has_manifest && b->seconds <= latest;
		char id[HISTORY_ID_MAX + 1];
		struct points_item it = { .id = id,
			.time_ns = (int64_t)b->seconds * NS_PER_S,
			.seq = b->seconds,
			.totals = b->totals };

		if (good != finished)
			continue;
		snprintf(id, sizeof(id), "ts-%" PRIu64, b->seconds);
		if (named && b->seconds == latest)
			it.tag = "latest";
		listed_root_attr(&it.root, it.time_ns);
		points_add(p, &it);
	}
}

static int
look_at_root(struct stem *s, struct points *p, const struct foreign_root *root,
	struct err *e)
{
	struct looking k = { .prefix = root->prefix };
	auto_free char *unfinished = xasprintf("%s" UNFINISHED, root->name);
	uint64_t latest = 0;
	bool named = false;
	int r = store_list_objects(
		s->store, root->prefix, "", count_object, &k, e);

	if (!r && k.n > 0)
		r = find_latest(s, &k, &latest, &named, e);
	if (!r) {
		points_source(p, HOST, root->name, HISTORY_TREE);
		add_backups(p, &k, true, latest, named);
		points_source(p, HOST, unfinished, HISTORY_TREE);
		add_backups(p, &k, false, latest, named);
	}
	free(k.backups);
	return r;
}

static int
look(struct stem *s, struct history_listing *before, struct history_listing **l,
	struct err *e)
{
	auto_points struct points *p = points_new();

	for (size_t i = 0; i < s->n_roots; i++) {
		int r = look_at_root(s, p, &s->roots[i], e);

		if (r)
			return r;
	}
	*l = points_listing(p, before);
	return 0;
}

/* -- Opening ----------------------------------------------------------------
 */

/* The root that a source is of, and whether it is of what was not finished. */
static const struct foreign_root *
root_of(const struct stem *s, const char *source, bool *unfinished)
{
	for (size_t i = 0; i < s->n_roots; i++) {
		size_t len = strlen(s->roots[i].name);

		if (strncmp(source, s->roots[i].name, len))
			continue;
		*unfinished = !strcmp(source + len, UNFINISHED);
		if (source[len] == '\0' || *unfinished)
			return &s->roots[i];
	}
	return NULL;
}

static int
open_(struct history *h, const struct history_listing *l, size_t point,
	struct view **view, struct err *e)
{
	struct stem *s = stem_of(h);
	const struct history_point *p = &l->points[point];
	const struct history_source *source = &l->sources[p->source];
	bool unfinished = false;
	const struct foreign_root *root = root_of(s, source->name, &unfinished);

	if (!root)
		return err_set(e, ESTALE, "%s is gone", source->name);
	auto_free char *prefix = xasprintf("%s%s/", root->prefix, p->id);
	auto_free char *label = xasprintf(HOST "/%s@%s", source->name, p->id);
	const struct alopex_backup b = { .prefix = prefix,
		.label = label,
		.time_ns = p->time_ns,
		.unfinished = unfinished };

	return alopex_view_open(s, &b, view, e);
}

static void
free_(struct stem *s)
{
	free(s);
}

static const struct history_ops ops = {
	.listing = stem_listing,
	.refresh = stem_refresh,
	.open = open_,
	.stats = stem_stats,
	.free = stem_free,
};

/* -- Recognising and opening --------------------------------------------------
 */

/* Backups are below ALOPEX_BACKUPS, or here, when that was moved. */
static int
is_here(struct foreign_look *k, const char *below, struct err *e)
{
	const struct foreign_names *names;
	int r = foreign_look_names(k, below, &names, e);
	uint64_t seconds;

	for (size_t i = 0; !r && i < names->n; i++) {
		const char *name = names->names[i];
		size_t len = strlen(name);

		if (name[len - 1] == '/' &&
			alopex_parse_name(name, len - 1, &seconds))
			return 1;
	}
	return r;
}

/* A backup has a manifest, or something beside it says which is the newest. */
static int
look_for_moved(struct foreign_look *k, const struct foreign_names *names,
	struct err *e)
{
	int r = is_here(k, "", e);

	if (r <= 0 || foreign_names_have(names, "latest"))
		return r;
	for (size_t i = 0; i < names->n; i++) {
		const struct foreign_names *in;
		uint64_t seconds;

		if (!alopex_parse_name(names->names[i],
			    strlen(names->names[i]) - 1, &seconds))
			continue;
		r = foreign_look_names(k, names->names[i], &in, e);
		return r ? r : foreign_names_have(in, ALOPEX_MANIFEST);
	}
	return 0;
}

static int
look_for_backups(struct foreign_look *k, struct err *e)
{
	const struct foreign_names *names;
	int r = foreign_look_names(k, "", &names, e);

	if (r)
		return r;
	if (foreign_names_have(names, ".lifecycle/"))
		return is_here(k, ALOPEX_BACKUPS, e);
	return look_for_moved(k, names, e);
}

static bool
note_lifecycle(void *ctx, const struct store_object *o)
{
	size_t len = strlen(o->name), end = strlen("/.lifecycle/");
	bool *found = ctx;

	*found |= len < end ? !strcmp(o->name, ".lifecycle/")
			    : !strcmp(o->name + len - end, "/.lifecycle/");
	return true; /* to its end, so that it is kept */
}

/* Where the backups of each root are, so that stem's roots are those. */
static int
find_backups(
	const struct foreign_open *o, struct foreign_root *roots, struct err *e)
{
	for (size_t i = 0; i < o->n_roots; i++) {
		bool below = false;
		int r = store_list_folder(o->place->store, o->roots[i].prefix,
			note_lifecycle, &below, e);

		if (r)
			return r;
		roots[i].name = o->roots[i].name;
		roots[i].prefix = xasprintf("%s%s", o->roots[i].prefix,
			below ? ALOPEX_BACKUPS : "");
	}
	return 0;
}

static int
open_backups(const struct foreign_open *o, struct history **h, struct err *e)
{
	struct stem *s = xcalloc(1, sizeof(*s));
	struct foreign_open at = *o;
	auto_free struct foreign_root *roots =
		xcalloc(o->n_roots, sizeof(*roots));
	int r = find_backups(o, roots, e);

	at.roots = roots;
	s->history.ops = &ops;
	s->look = look;
	s->free = free_;
	if (r)
		free(s);
	else
		r = stem_open(s, &at, h, e);
	for (size_t i = 0; i < o->n_roots; i++)
		free(roots[i].prefix);
	return r;
}

const struct foreign_format alopex_format = {
	.name = HOST,
	.about = "snapshot directories of alopex",
	.marks = ALOPEX_BACKUPS "ts-SECONDS/",
	.look = look_for_backups,
	.open = open_backups,
};
