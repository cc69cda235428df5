/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "repo/store/objects.h"

#include <string.h>

bool
objects_tell_plain(void *plain, const struct store_object *o)
{
	const struct objects_plain *p = plain;

	return p->each(p->ctx, o->name, o->size);
}

struct telling {
	const struct store_query *q;
	bool (*each)(void *ctx, const struct store_object *o);
	void *ctx;
	char folder[STORE_FOREIGN_NAME_MAX + 1]; /* told last */
};

static bool
tell_folder(struct telling *t, const char *name, size_t len)
{
	struct store_object o = { .name = t->folder,
		.modified_ns = STORE_TIME_UNKNOWN };

	if (strncmp(t->folder, name, len) == 0 && t->folder[len] == '\0')
		return true;
	memcpy(t->folder, name, len);
	t->folder[len] = '\0';
	return t->each(t->ctx, &o);
}

static bool
tell(void *ctx, const char *name, uint64_t size)
{
	struct telling *t = ctx;
	const char *slash = strchr(name + strlen(t->q->prefix), '/');
	struct store_object o = {
		.name = name, .size = size, .modified_ns = STORE_TIME_UNKNOWN
	};

	return t->q->folder && slash
		       ? tell_folder(t, name, (size_t)(slash + 1 - name))
		       : t->each(t->ctx, &o);
}

int
objects_of_list(struct store *s, const struct store_query *q,
	bool (*each)(void *ctx, const struct store_object *o), void *ctx,
	struct err *e)
{
	struct telling t = { .q = q, .each = each, .ctx = ctx };

	return s->ops->list(s, q->prefix, q->after, tell, &t, e);
}
