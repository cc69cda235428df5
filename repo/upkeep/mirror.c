/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "repo/upkeep/mirror.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "repo/base/auto.h"
#include "repo/base/buf.h"
#include "repo/base/clock.h"
#include "repo/upkeep/mirror_private.h"

#define HEADER_MAX 4096
#define ROUNDS 5

/* What becomes visible last, as it was listed before all else. */
struct round {
	struct mirror_names catalogs, records, states;
	struct mirror_names shown; /* records that the mirror had */
};

static void
round_release(struct round *r)
{
	mirror_names_release(&r->catalogs);
	mirror_names_release(&r->records);
	mirror_names_release(&r->states);
	mirror_names_release(&r->shown);
}

#define auto_round AUTO(round_release)

/* -- What lacks ---------------------------------------------------------------------- */

/* One that is there, too: fine, unless it is something else. */
static int
is_there(struct mirror *m, const struct mirror_object *from,
	const struct mirror_object *to, struct err *e)
{
	struct mirror_object o = *from;

	if (from->size != to->size) {
		mirror_tell(m, MIRROR_DIFFERS, from->name, from->size);
		return 0;
	}
	pthread_mutex_lock(&m->lock);
	m->result->there++;
	pthread_mutex_unlock(&m->lock);
	o.compare = true;
	return m->o.verify ? mirror_pool_add(m, &o, e) : 0;
}

/* Copy what the mirror lacks below prefix. */
static int
copy_below(struct mirror *m, const char *prefix, struct err *e)
{
	const struct mirror_object *a, *b;
	struct mirror_list from, to;
	int r = 0;

	mirror_list_begin(&from, m->from, prefix);
	mirror_list_begin(&to, m->to, prefix);
	while (!r && !(r = mirror_list_peek(&from, &a, e)) && a) {
		int c;

		r = mirror_list_peek(&to, &b, e);
		if (r)
			break;
		c = b ? strcmp(a->name, b->name) : -1;
		if (c == 0)
			r = is_there(m, a, b, e);
		else if (c < 0)
			r = mirror_pool_add(m, a, e);
		if (c <= 0)
			mirror_list_next(&from);
		if (c >= 0)
			mirror_list_next(&to);
		if (mirror_interrupted(m))
			r = err_set(e, ECANCELED, "interrupted");
	}
	mirror_list_end(&from);
	mirror_list_end(&to);
	return r;
}

/* The same of names that were listed before. */
static int
copy_names(struct mirror *m, const struct mirror_names *names,
	const char *prefix, struct err *e)
{
	const struct mirror_object *b;
	struct mirror_list to;
	int r = 0;

	mirror_list_begin(&to, m->to, prefix);
	for (size_t i = 0; i < names->n && !r; i++) {
		const struct mirror_object *a = &names->o[i];
		int c = 1;

		while (!(r = mirror_list_peek(&to, &b, e)) && b &&
			(c = strcmp(b->name, a->name)) < 0)
			mirror_list_next(&to);
		if (r)
			break;
		r = b && c == 0 ? is_there(m, a, b, e)
				: mirror_pool_add(m, a, e);
	}
	mirror_list_end(&to);
	return r ? r : mirror_pool_wait(m, e);
}

/* -- Deltas ------------------------------------------------------------------------------ */

/* Characters of a name up to its base's directory, without '/'. */
static size_t
directory_len(const char *name)
{
	return (size_t)(strrchr(name, '/') - name);
}

/* Whether the mirror shows the base of a delta: then nothing may be behind a
 * gap. */
static bool
is_shown(const struct round *rd, const char *name)
{
	char record[STORE_NAME_MAX + 16];
	size_t source = strcspn(name + 3, "/");

	snprintf(record, sizeof(record), "snap/%.*s/%.12s-", (int)source,
		name + 3, name + 3 + source + 1);
	return mirror_names_find(&rd->shown, record) != NULL;
}

/* What one base's directory lacks, oldest last.  Of one that is shown each goes
 * behind the one before. */
static int
copy_deltas_of(struct mirror *m, const struct round *rd, bool shown,
	struct mirror_names *lack, struct err *e)
{
	int r = 0;

	for (size_t i = lack->n; i-- > 0 && !r;) {
		const struct mirror_object *o = &lack->o[i];

		if (shown != is_shown(rd, o->name))
			continue;
		if (mirror_interrupted(m))
			return err_set(e, ECANCELED, "interrupted");
		r = shown ? mirror_copy(m, o, e) : mirror_pool_add(m, o, e);
		if (r == -ENOENT) {
			m->gone = true;
			r = 0;
		}
	}
	lack->n = 0;
	return r;
}

static int
copy_deltas(struct mirror *m, const struct round *rd, bool shown, struct err *e)
{
	struct mirror_names lack = { .o = NULL };
	const struct mirror_object *a, *b;
	struct mirror_list from, to;
	int r = 0, c;

	mirror_list_begin(&from, m->from, "db/");
	mirror_list_begin(&to, m->to, "db/");
	while (!r && !(r = mirror_list_peek(&from, &a, e)) && a) {
		if (lack.n && (directory_len(a->name) !=
					      directory_len(lack.o[0].name) ||
				      memcmp(a->name, lack.o[0].name,
					      directory_len(a->name))))
			r = copy_deltas_of(m, rd, shown, &lack, e);
		if (!r)
			r = mirror_list_peek(&to, &b, e);
		if (r)
			break;
		c = b ? strcmp(a->name, b->name) : -1;
		if (c < 0)
			mirror_names_add(&lack, a);
		else if (c == 0 && shown)
			r = is_there(m, a, b, e);
		if (c <= 0)
			mirror_list_next(&from);
		if (c >= 0)
			mirror_list_next(&to);
	}
	if (!r)
		r = copy_deltas_of(m, rd, shown, &lack, e);
	mirror_list_end(&from);
	mirror_list_end(&to);
	mirror_names_release(&lack);
	return r ? r : mirror_pool_wait(m, e);
}

/* -- All ------------------------------------------------------------------------------------ */

static int
list_first(struct mirror *m, struct round *rd, struct err *e)
{
	int r = mirror_names_load(&rd->states, m->from, "gc/", e);

	if (!r)
		r = mirror_names_load(&rd->catalogs, m->from, "cat/", e);
	if (!r)
		r = mirror_names_load(&rd->records, m->from, "snap/", e);
	if (!r)
		r = mirror_names_load(&rd->shown, m->to, "snap/", e);
	return r;
}

static int
copy_round(struct mirror *m, struct err *e)
{
	static const char *const before[] = { "keys/", "data/", "meta/",
		"idx/" };
	auto_round struct round rd = { .catalogs = { .o = NULL } };
	int r = list_first(m, &rd, e);

	m->gone = false;
	for (size_t i = 0; i < n_elements(before) && !r; i++)
		r = copy_below(m, before[i], e);
	if (!r)
		r = mirror_pool_wait(m, e);
	if (!r && !m->gone)
		r = copy_deltas(m, &rd, false, e);
	if (r || m->gone)
		return r;
	r = copy_names(m, &rd.records, "snap/", e);
	if (!r)
		r = copy_deltas(m, &rd, true, e);
	if (!r)
		r = copy_names(m, &rd.catalogs, "cat/", e);
	if (!r)
		r = copy_names(m, &rd.states, "gc/", e);
	return r;
}

static int
copy_all(struct mirror *m, struct err *e)
{
	for (int i = 0; i < ROUNDS; i++) {
		struct mirror_result before = *m->result;
		int r = copy_round(m, e);

		if (r || !m->gone)
			return r;
		m->result->there = before.there;
	}
	return err_set(e, EAGAIN, "%s: objects vanish while they are copied: "
		"run it again", m->from->name);
}

static bool
stop_at_first(void *ctx, const char *name, uint64_t size)
{
	(void)name;
	(void)size;
	*(bool *)ctx = true;
	return false;
}

/* The header tells whose mirror it is; where there is none nothing may be. */
static int
check_header(struct mirror *m, struct err *e)
{
	auto_free uint8_t *ours = NULL, *theirs = NULL;
	struct mirror_object o = { .name = "format" };
	size_t n, len = 0;
	bool found = false;
	int r = store_get_all(m->from, "format", HEADER_MAX, &ours, &n, e);

	if (r == -ENOENT)
		return err_set(e, ENOENT, "%s: no yore repository there",
			m->from->name);
	if (r || !m->to)
		return r;
	r = store_get_all(m->to, "format", HEADER_MAX, &theirs, &len, e);
	if (!r && (len != n || memcmp(ours, theirs, n) != 0))
		return err_set(e, EEXIST, "%s: there is another repository",
			m->to->name);
	if (r != -ENOENT)
		return r;
	r = store_list(m->to, "", "", stop_at_first, &found, e);
	if (!r && found)
		return err_set(e, EEXIST, "%s: not empty; a mirror needs a "
			"directory of its own", m->to->name);
	o.size = n;
	return r ? r : mirror_copy(m, &o, e);
}

static int
open_both(struct mirror *m, struct err *e)
{
	int r = store_open(m->o.from, &m->from, e);

	if (!r && !m->o.dry_run)
		r = sink_open(m->o.to, true, &m->sink, e);
	if (!r)
		r = store_open(m->o.to, &m->to, e);
	return r;
}

int
mirror_run(const struct mirror_options *o, struct mirror_result *result,
	struct err *e)
{
	struct mirror *m = xcalloc(1, sizeof(*m));
	int r;

	m->o = *o;
	m->result = result;
	m->began_ns = clock_mono_ns();
	pthread_mutex_init(&m->lock, NULL);
	pthread_cond_init(&m->changed, NULL);
	r = open_both(m, e);
	if (!r)
		r = check_header(m, e);
	if (!r)
		r = mirror_pool_start(m, e);
	if (!r)
		r = copy_all(m, e);
	mirror_pool_stop(m);
	if (!r && o->remove)
		r = mirror_remove(m, e);
	if (m->sink)
		sink_free(m->sink);
	if (m->to)
		store_free(m->to);
	if (m->from)
		store_free(m->from);
	pthread_cond_destroy(&m->changed);
	pthread_mutex_destroy(&m->lock);
	free(m);
	return r;
}
