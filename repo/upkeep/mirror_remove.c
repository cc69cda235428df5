/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Taking away what the source has no more.  A listing that lacks something is
 * not believed: the source is asked for each object by its name.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "repo/base/auto.h"
#include "repo/base/clock.h"
#include "repo/upkeep/mirror_private.h"

#define RECORD_MAX (1u << 20)

static bool
is_old(const struct mirror *m, const struct mirror_object *o)
{
	return o->modified_ns != STORE_TIME_UNKNOWN &&
	       o->modified_ns < clock_wall_ns() - m->o.grace_ns;
}

/* A snapshot is thrown away as `yore forget` does it: where it can be had back
 * from until the trash is emptied. */
static int
to_trash(struct mirror *m, const struct mirror_object *o, struct err *e)
{
	char name[STORE_NAME_MAX + 1];
	auto_free uint8_t *data = NULL;
	size_t len;
	int r;

	if ((size_t)snprintf(name, sizeof(name), "gc/%s", o->name) >=
		sizeof(name))
		return err_set(e, EINVAL, "%s: a long name", o->name);
	r = store_get_all(m->to, o->name, RECORD_MAX, &data, &len, e);
	if (!r)
		r = sink_put(m->sink, name, data, len, e);
	return r == -EEXIST ? 0 : r;
}

static int
remove_one(struct mirror *m, const struct mirror_object *o, struct err *e)
{
	bool record = strncmp(o->name, "snap/", 5) == 0;
	uint64_t size;
	int r;

	if (!record && !is_old(m, o))
		return 0;
	r = store_size(m->from, o->name, &size, e);
	if (!r)
		return err_set(e, EIO, "%s: a listing lacked %s, which is "
			"there: nothing more is removed", m->from->name,
			o->name);
	if (r != -ENOENT)
		return r;
	r = 0;
	if (record && !m->o.dry_run)
		r = to_trash(m, o, e);
	if (!r && !m->o.dry_run)
		r = sink_remove(m->sink, o->name, e);
	if (!r)
		mirror_tell(m, MIRROR_REMOVED, o->name, o->size);
	return r == -ENOENT ? 0 : r;
}

/* What lies below prefix in the mirror only. */
static int
remove_below(struct mirror *m, const char *prefix, struct err *e)
{
	const struct mirror_object *a, *b;
	struct mirror_list from, to;
	int r = 0;

	mirror_list_begin(&from, m->from, prefix);
	mirror_list_begin(&to, m->to, prefix);
	while (!r && !(r = mirror_list_peek(&to, &b, e)) && b) {
		int c;

		r = mirror_list_peek(&from, &a, e);
		if (r)
			break;
		c = a ? strcmp(a->name, b->name) : 1;
		if (c > 0)
			r = mirror_interrupted(m)
				    ? err_set(e, ECANCELED, "interrupted")
				    : remove_one(m, b, e);
		if (c <= 0)
			mirror_list_next(&from);
		if (c >= 0)
			mirror_list_next(&to);
	}
	mirror_list_end(&from);
	mirror_list_end(&to);
	return r;
}

int
mirror_remove(struct mirror *m, struct err *e)
{
	static const char *const order[] = { "snap/", "cat/", "idx/", "data/",
		"meta/", "db/", "gc/", "keys/" };
	int r = 0;

	for (size_t i = 0; i < n_elements(order) && !r; i++)
		r = remove_below(m, order[i], e);
	return r;
}
