/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Merged are the names of each version of a directory, the newest first, into
 * one sorted list: a directory's time changes with its names, so no others need
 * be read.
 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include "repo/base/buf.h"
#include "repo/base/cancel.h"
#include "repo/base/log.h"
#include "repo/versions/look.h"

/* Names in byte order, each terminated, and how many. */
struct list {
	struct buf bytes;
	size_t n;
};

/* A list being merged with the entries of a directory. */
struct merge {
	const struct list *old;
	size_t at; /* the first byte of old that is not yet in new */
	struct list new;
	bool full;
};

static size_t
cost(const struct list *l)
{
	return l->bytes.len + l->n * sizeof(uint32_t);
}

/* False when there is no room. */
static bool
append(struct merge *m, const char *name, size_t len)
{
	static const char end = '\0';

	if (cost(&m->new) + len + 1 + sizeof(uint32_t) > VERSIONS_NAMES_MAX) {
		m->full = true;
		return false;
	}
	buf_append(&m->new.bytes, name, len);
	buf_append(&m->new.bytes, &end, 1);
	m->new.n++;
	return true;
}

/* Take over what the old list has before a name, and it; NULL: all. */
static bool
take_before(struct merge *m, const char *name)
{
	while (m->at < m->old->bytes.len) {
		const char *old = (const char *)m->old->bytes.data + m->at;
		int order = name ? strcmp(old, name) : -1;
		size_t len = strlen(old);

		if (order > 0)
			break;
		m->at += len + 1;
		if (order < 0 && !append(m, old, len))
			return false;
	}
	return true;
}

static bool
take_entry(void *ctx, const struct view_dirent *d)
{
	struct merge *m = ctx;
	char name[256];

	if (d->name_len >= sizeof(name))
		return true;
	memcpy(name, d->name, d->name_len);
	name[d->name_len] = '\0';
	return take_before(m, name) && append(m, name, d->name_len);
}

/* Merge what a directory has into the list, unless there is no room. */
static int
merge_directory(const struct versions_query *q, const struct version *v,
	struct list *names, bool *all, struct err *e)
{
	auto_view struct view *view = NULL;
	struct merge m = { .old = names };
	int r = versions_open_view(q, v->point, &view, e);

	if (r == 0)
		r = view_list(view, v->attr.node, 0, take_entry, &m, e);
	if (r == 0 && !m.full)
		take_before(&m, NULL);
	if (r == 0 && (!m.full || names->n == 0)) {
		buf_release(&names->bytes);
		*names = m.new;
		m.new.bytes = (struct buf)BUF_INIT;
	}
	*all &= !m.full;
	buf_release(&m.new.bytes);
	return r;
}

/* A directory that cannot be read, of a snapshot that is damaged or gone, has
 * no names. */
static int
survive(int r, const struct err *e)
{
	if (r != -EBADMSG && r != -EUCLEAN && r != -ESTALE)
		return r;
	log_warn("names are left out: %s", e->text);
	return 0;
}

static void
index_names(struct list *l, struct versions_names *names)
{
	size_t at = 0;

	names->n = l->n;
	names->at = xcalloc(l->n + 1, sizeof(*names->at));
	names->bytes = (char *)buf_steal(&l->bytes, &at);
	at = 0;
	for (size_t i = 0; i < l->n; i++) {
		names->at[i] = (uint32_t)at;
		at += strlen(names->bytes + at) + 1;
	}
}

int
versions_list_names(const struct versions_query *q, const struct versions *vs,
	struct versions_names *names, struct err *e)
{
	struct list l = { .bytes = BUF_INIT };
	bool all = true;
	int r = 0;

	for (size_t i = vs->n; r == 0 && all && i-- > 0;) {
		struct err why = ERR_INIT;

		if (cancel_raised(cancel_current())) {
			r = err_set(e, EINTR, "interrupted");
			break;
		}

		if (!S_ISDIR(vs->v[i].attr.mode))
			continue;
		r = survive(merge_directory(q, &vs->v[i], &l, &all, &why),
			&why);
		if (r != 0 && e)
			*e = why;
	}
	*names = (struct versions_names){ .all = all };
	if (r == 0)
		index_names(&l, names);
	buf_release(&l.bytes);
	return r;
}

void
versions_names_release(struct versions_names *names)
{
	free(names->bytes);
	free(names->at);
	*names = (struct versions_names){ .n = 0 };
}
