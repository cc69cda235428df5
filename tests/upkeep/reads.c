/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What of a repository can be read, found out by reading it as a mount would.
 *
 *   reads REPO         list everything: "ID<tab>PATH", ID being that of a
 *                      snapshot or of a point
 *   reads REPO LIST    read what that list has: "ok" or "lost", and the line
 */
#include <sys/stat.h>
#include <stdio.h>
#include <string.h>
#include "repo/base/auto.h"
#include "repo/base/buf.h"
#include "repo/base/log.h"
#include "repo/open.h"

#define LIST_MAX 65536

/* -- Listing
 * ------------------------------------------------------------------- */

struct walk {
	struct view *view;
	const char *id;
	char path[4096];
	int r;
};

static bool
each_entry(void *ctx, const struct view_dirent *d)
{
	struct walk *w = ctx;
	size_t len = strlen(w->path);

	if (d->name_len > 4 && !memcmp(d->name + d->name_len - 4, ".raw", 4))
		return true;
	snprintf(w->path + len, sizeof(w->path) - len, "%s%.*s", len ? "/" : "",
		(int)d->name_len, d->name);
	printf("%s\t%s\n", w->id, w->path);
	if (S_ISDIR(d->attr.mode))
		w->r |= view_list(
			w->view, d->attr.node, 0, each_entry, w, NULL);
	w->path[len] = '\0';
	return true;
}

static int
list_point(struct history *h, const struct history_listing *l, size_t i)
{
	auto_view struct view *v = NULL;
	struct walk w = { .id = l->points[i].id };
	int r = history_open(h, l, i, &v, NULL);

	if (r)
		return r;
	printf("%s\t.\n", w.id);
	w.view = v;
	r = view_list(v, 0, 0, each_entry, &w, NULL);
	return r ? r : w.r;
}

static bool
each_moment(void *ctx, const struct history_point *p)
{
	const char *name = ctx;

	if (strchr(p->id, '-'))
		printf("%s\t%s\n", p->id, name);
	return true;
}

static int
list_all(struct history *h, const struct history_listing *l)
{
	int r = 0;

	for (size_t i = 0; i < l->n_points && !r; i++)
		r = list_point(h, l, i);
	for (size_t i = 0; i < l->n_generations && !r; i++) {
		const struct history_source *s =
			&l->sources[l->generations[i].source];

		if (s->kind == HISTORY_DATABASE)
			r = history_moments(h, l, i, INT64_MIN, each_moment,
				(void *)(uintptr_t)s->name, NULL);
	}
	return r;
}

/* -- Reading
 * -------------------------------------------------------------------- */

static int
read_file(struct view *v, const struct view_attr *a)
{
	uint64_t off = 0;

	while (off < a->size) {
		auto_view_data struct view_data d = VIEW_DATA_INIT;
		int r = view_read(v, a->node, off, a->size - off, &d, NULL);

		if (r || !d.len)
			return -1;
		off += d.len;
	}
	return 0;
}

static int
read_xattrs(struct view *v, uint64_t node)
{
	auto_free char *names = xmalloc(LIST_MAX);
	auto_free char *value = xmalloc(LIST_MAX);
	ssize_t n = view_xattr_list(v, node, names, LIST_MAX, NULL);

	for (ssize_t i = 0; i < n; i += (ssize_t)strlen(names + i) + 1) {
		if (view_xattr_get(v, node, names + i, value, LIST_MAX, NULL) <
			0)
			return -1;
	}
	return n < 0 ? -1 : 0;
}

static bool
count_entry(void *ctx, const struct view_dirent *d)
{
	(void)d;
	++*(uint64_t *)ctx;
	return true;
}

static int
read_path(struct view *v, const char *path)
{
	char target[4096];
	struct view_attr a;
	uint64_t n = 0;

	if (view_resolve(v, path, &a, NULL) || read_xattrs(v, a.node))
		return -1;
	if (S_ISREG(a.mode))
		return read_file(v, &a);
	if (S_ISDIR(a.mode))
		return view_list(v, a.node, 0, count_entry, &n, NULL);
	return S_ISLNK(a.mode) &&
	       view_readlink(v, a.node, target, sizeof(target), NULL) < 0;
}

static int
open_id(struct history *h, const struct history_listing *l, const char *id,
	struct view **v)
{
	size_t i = history_find_id(l, id);
	struct history_point p;

	if (!strchr(id, '-'))
		return i == HISTORY_NONE ? -1 : history_open(h, l, i, v, NULL);
	if (history_moment_by_id(h, l, HISTORY_NONE, id, &p, NULL))
		return -1;
	return history_open_moment(h, l, &p, v, NULL);
}

static int
read_all(struct history *h, const struct history_listing *l, const char *file)
{
	auto_fclose FILE *f = fopen(file, "re");
	auto_free char *line = NULL;
	auto_view struct view *v = NULL;
	char last[64] = "";
	size_t cap = 0;

	while (f && getline(&line, &cap, f) > 0) {
		char *path = strchr(line, '\t');

		if (!path)
			return 1;
		*path++ = '\0';
		path[strcspn(path, "\n")] = '\0';
		if (strcmp(last, line) != 0) {
			view_put(steal(v));
			open_id(h, l, line, &v);
			snprintf(last, sizeof(last), "%s", line);
		}
		printf("%s\t%s\t%s\n", !v || read_path(v, path) ? "lost" : "ok",
			line, path);
	}
	return f ? 0 : 1;
}

int
main(int argc, char **argv)
{
	auto_listing struct history_listing *l = NULL;
	/* one that caches nothing: each read asks the store */
	struct history_open_options o = { .cache_dir = "" };
	struct err e = ERR_INIT;
	struct history *h;
	int r;

	log_set_level(LOG_LEVEL_ERROR);
	if (argc < 2 || history_open_repository(argv[1], &o, &h, &e)) {
		fprintf(stderr, "%s\n", e.text);
		return 1;
	}
	l = history_listing(h);
	r = argc > 2 ? read_all(h, l, argv[2]) : list_all(h, l);
	history_listing_put(steal(l));
	history_free(h);
	return r ? 1 : 0;
}
