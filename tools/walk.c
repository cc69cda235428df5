/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/walk.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "repo/base/buf.h"
#include "tools/dirlist.h"

/* From this depth on directories are taken over in small batches. */
#define DEEP 48
#define DEEP_BATCH 16

struct level {
	struct dirlist list;
	size_t path_len; /* of the directory itself */
	struct view_attr attr;
};

struct walk {
	struct view *view;
	struct level *levels;
	size_t n, cap;
	struct buf path;
	struct walk_entry entry;
	bool enter; /* the entry returned last is a directory to enter */
};

static void
push(struct walk *w, uint64_t dir)
{
	struct level *l;

	if (w->n == w->cap) {
		w->cap = w->cap ? 2 * w->cap : 16;
		w->levels = xrealloc(w->levels, w->cap * sizeof(*w->levels));
	}
	l = &w->levels[w->n++];
	dirlist_init(&l->list, w->view, dir,
		w->n > DEEP ? DEEP_BATCH : DIRLIST_BATCH);
	l->path_len = w->path.len;
	l->attr = w->entry.attr;
}

struct walk *
walk_new(struct view *v, uint64_t start)
{
	struct walk *w = xcalloc(1, sizeof(*w));

	w->view = v;
	push(w, start);
	return w;
}

void
walk_free(struct walk *w)
{
	if (!w)
		return;
	while (w->n)
		dirlist_release(&w->levels[--w->n].list);
	free(w->levels);
	buf_release(&w->path);
	free(w);
}

/* The entry that the path ends in now; its name begins at name_off. */
static void
set_entry(struct walk *w, size_t name_off, bool leaving)
{
	buf_append(&w->path, "", 1);
	w->path.len--;
	w->entry.path = (const char *)w->path.data;
	w->entry.path_len = w->path.len;
	w->entry.name = w->entry.path + name_off;
	w->entry.name_len = w->path.len - name_off;
	w->entry.depth = (unsigned)w->n;
	w->entry.leaving = leaving;
}

/* Leave the deepest directory: true when there is an entry to return. */
static bool
pop(struct walk *w)
{
	struct level *l = &w->levels[--w->n];
	size_t name_off;

	dirlist_release(&l->list);
	w->path.len = l->path_len;
	if (w->n == 0)
		return false;
	w->entry.attr = l->attr;
	name_off = w->levels[w->n - 1].path_len;
	set_entry(w, name_off + (name_off > 0), true);
	return true;
}

static int
enter(struct walk *w, struct err *e)
{
	w->enter = false;
	if (w->n >= WALK_DEPTH_MAX)
		return err_set(e, ELOOP, "%s: nested deeper than %d",
			w->entry.path, WALK_DEPTH_MAX);
	push(w, w->entry.attr.node);
	return 0;
}

int
walk_next(struct walk *w, const struct walk_entry **entry, struct err *e)
{
	const struct view_dirent *d;
	struct level *l;
	int r = w->enter ? enter(w, e) : 0;

	if (r < 0 || w->n == 0)
		return r;
	*entry = &w->entry;
	l = &w->levels[w->n - 1];
	w->path.len = l->path_len;
	r = dirlist_next(&l->list, &d, e);
	if (r < 0 && w->path.len)
		return err_prefix(e, "%.*s", (int)w->path.len,
			(const char *)w->path.data);
	if (r <= 0)
		return r < 0 ? r : pop(w);
	if (w->path.len)
		buf_append(&w->path, "/", 1);
	buf_append(&w->path, d->name, d->name_len);
	w->entry.attr = d->attr;
	set_entry(w, w->path.len - d->name_len, false);
	w->enter = S_ISDIR(d->attr.mode);
	return 1;
}

void
walk_skip(struct walk *w)
{
	w->enter = false;
}
