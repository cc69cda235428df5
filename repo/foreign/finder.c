/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What was found is remembered with the names that its sources were given: what
 * is found later takes others.  What could not be opened is tried again at each
 * refresh, for it may have been found while it was being written.
 */
#include "repo/foreign/finder.h"

#include <errno.h>
#include <string.h>
#include "repo/base/buf.h"
#include "repo/base/log.h"
#include "repo/foreign/gather.h"

#define NAME_MAX_LEN 200

struct finder {
	struct foreign_place *place; /* whose gather has this */
	const struct foreign_format *formats[FINDER_FORMATS_MAX];
	struct look_result found;   /* and opened */
	struct foreign_root *roots; /* as many, in the same order */
	char **said; /* prefixes that could not be opened, and this was said */
	size_t n_said;
	uint64_t n_refreshes;
};

/* -- Names of sources ----------------------------------------------------- */

/* The last component of an address, without what follows a '?'. */
static char *
last_component(const char *address)
{
	size_t end = strcspn(address, strstr(address, "://") ? "?#" : "");
	size_t start;

	while (end > 1 && address[end - 1] == '/')
		end--;
	for (start = end; start > 0 && address[start - 1] != '/';)
		start--;
	if (end - start > NAME_MAX_LEN)
		start = end - NAME_MAX_LEN;
	return xasprintf("%.*s", (int)(end - start), address + start);
}

static bool
is_component(const char *name)
{
	return *name && !strchr(name, '/') && strcmp(name, ".") != 0 &&
	       strcmp(name, "..") != 0;
}

static char *
name_of_root(const struct store *s, const char *prefix)
{
	const char *whole = s->local_path ? s->local_path : s->name;
	char *name = last_component(*prefix ? prefix : whole);

	if (is_component(name))
		return name;
	free(name);
	return xstrdup("replica");
}

/* The whole path below the root, '/' written as '-'. */
static char *
long_name(const char *prefix, unsigned number)
{
	size_t len = strlen(prefix), skip;
	char *name;

	len -= len > 0;
	skip = len > NAME_MAX_LEN ? len - NAME_MAX_LEN : 0;
	name = xasprintf("%.*s", (int)(len - skip), prefix + skip);
	for (char *p = name; *p; p++) {
		if (*p == '/')
			*p = '-';
	}
	if (number > 1) {
		char *other = xasprintf("%s-%u", name, number);

		free(name);
		name = other;
	}
	return name;
}

static bool
is_taken(const struct foreign_root *roots, size_t n, size_t but,
	const char *name)
{
	for (size_t i = 0; i < n; i++) {
		if (i != but && strcmp(roots[i].name, name) == 0)
			return true;
	}
	return false;
}

/* Of n roots those from `first` on get other names where two have the same. */
static void
make_distinct(struct foreign_root *roots, size_t first, size_t n)
{
	auto_free bool *clash = xcalloc(n + 1, sizeof(*clash));

	for (size_t i = first; i < n; i++)
		clash[i] = is_taken(roots, n, i, roots[i].name);
	for (size_t i = first; i < n; i++) {
		for (unsigned k = 1; clash[i] && k; k++) {
			free(roots[i].name);
			roots[i].name = long_name(roots[i].prefix, k);
			clash[i] = is_taken(roots, n, i, roots[i].name);
		}
	}
}

/* -- Remembering ----------------------------------------------------------- */

static void
keep_found(const struct finder *f)
{
	auto_buf struct buf b = BUF_INIT;
	struct kept *k;

	if (f->place->store->local_path ||
		foreign_place_kept(f->place, &k, NULL) < 0)
		return;
	for (size_t i = 0; i < f->found.n; i++)
		buf_printf(&b, "%s\n%s\n", f->found.found[i].format->name,
			f->found.found[i].prefix);
	buf_append(&b, "", 1);
	kept_put(k, FINDER_KEPT_NAME, b.data, b.len);
}

/* Take over n roots, which were opened. */
static void
remember(struct finder *f, const struct foreign_format *format,
	const struct foreign_root *roots, size_t n)
{
	struct look_result *x = &f->found;

	x->found = xrealloc(x->found, (x->n + n) * sizeof(*x->found));
	f->roots = xrealloc(f->roots, (x->n + n) * sizeof(*f->roots));
	for (size_t i = 0; i < n; i++) {
		f->roots[x->n] = roots[i];
		x->found[x->n++] =
			(struct look_found){ format, xstrdup(roots[i].prefix) };
	}
}

static void
release_roots(struct foreign_root *roots, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(roots[i].prefix);
		free(roots[i].name);
	}
}

static void
finder_free(void *ctx)
{
	struct finder *f = ctx;

	release_roots(f->roots, f->found.n);
	free(f->roots);
	look_result_release(&f->found);
	for (size_t i = 0; i < f->n_said; i++)
		free(f->said[i]);
	free(f->said);
	free(f);
}

/* What cannot be shown is said once. */
static void
say(struct finder *f, const char *prefix, const char *why)
{
	for (size_t i = 0; i < f->n_said; i++) {
		if (strcmp(f->said[i], prefix) == 0)
			return;
	}
	log_warn("%s", why);
	f->said = xrealloc(f->said, (f->n_said + 1) * sizeof(*f->said));
	f->said[f->n_said++] = xstrdup(prefix);
}

/* -- Opening -------------------------------------------------------------- */

struct opening {
	struct finder *f;
	const struct look_result *found;
	struct history **histories; /* room for one a format */
	size_t n;
};

/* Those of one format that are found now: room for all, behind those that are
 * known of it.  *first is how many these are. */
static struct foreign_root *
collect(const struct opening *o, const struct foreign_format *format,
	size_t *first, size_t *n)
{
	const struct finder *f = o->f;
	struct foreign_root *roots =
		xcalloc(f->found.n + o->found->n + 1, sizeof(*roots));

	*n = 0;
	for (size_t i = 0; i < f->found.n; i++) {
		if (f->found.found[i].format == format)
			roots[(*n)++] = f->roots[i];
	}
	*first = *n;
	for (size_t i = 0; i < o->found->n; i++) {
		const struct look_found *x = &o->found->found[i];

		if (x->format != format)
			continue;
		roots[*n].name = name_of_root(f->place->store, x->prefix);
		roots[(*n)++].prefix = xstrdup(x->prefix);
	}
	make_distinct(roots, *first, *n);
	return roots;
}

/* Those of one format; *why when they cannot be opened. */
static int
open_format(
	struct opening *o, const struct foreign_format *format, struct err *why)
{
	struct finder *f = o->f;
	size_t first, n;
	auto_free struct foreign_root *roots = collect(o, format, &first, &n);
	const struct foreign_open how = { .place = f->place,
		.host = format->name,
		.roots = roots + first,
		.n_roots = n - first };
	int r;

	if (n == first)
		return 0;
	r = format->open(&how, &o->histories[o->n], why);
	if (r < 0) {
		if (r != -EINTR && n - first < o->found->n)
			say(f, roots[first].prefix, why->text);
		release_roots(roots + first, n - first);
		return r;
	}
	o->n++;
	remember(f, format, roots + first, n - first);
	return 0;
}

/* All of them.  Where all that was found is of one format which cannot be
 * opened, that is the error. */
static int
open_all(struct opening *o, struct err *e)
{
	size_t before = o->f->found.n;
	struct err why = ERR_INIT;
	int r = 0;

	for (size_t i = 0; o->f->formats[i]; i++) {
		int one = open_format(o, o->f->formats[i], &why);

		r = one < 0 ? one : r;
		if (one == -EINTR)
			break;
	}
	if (o->n > 0 && r != -EINTR) {
		if (o->f->found.n > before)
			keep_found(o->f);
		return 0;
	}
	return r < 0 ? err_set(e, -r, "%s", why.text) : 0;
}

/* -- Those that appear later ------------------------------------------------
 */

/* Looking takes longer where there are many folders: then it is done less
 * often. */
static bool
is_time(struct finder *f)
{
	return f->n_refreshes++ % (1 + f->found.n_folders / FINDER_FOLDERS) ==
	       0;
}

static int
find_more(void *ctx, struct history **histories, size_t *n, struct err *e)
{
	struct finder *f = ctx;
	struct look_result new;
	struct opening o = { .f = f, .found = &new, .histories = histories };
	struct err why = ERR_INIT;
	int r;

	*n = 0;
	if (foreign_place_offline(f->place) || !is_time(f))
		return 0;
	r = look_for(f->place->direct, f->formats, &f->found, &new, e);
	if (r < 0)
		return r;
	f->found.n_folders = new.n_folders;
	r = open_all(&o, &why);
	*n = o.n;
	if (r < 0 && r != -EINTR && new.n > 0)
		say(f, new.found[0].prefix, why.text);
	look_result_release(&new);
	return r == -EINTR ? err_set(e, EINTR, "%s", why.text) : 0;
}

int
finder_open(struct foreign_place *place,
	const struct foreign_format *const *formats,
	const struct look_result *found, struct history **h, struct err *e)
{
	struct finder *f = xcalloc(1, sizeof(*f));
	struct history *histories[FINDER_FORMATS_MAX];
	struct opening o = { .f = f, .found = found, .histories = histories };
	bool whole = found->n == 1 && !*found->found[0].prefix;
	int r;

	f->place = place;
	f->found.n_folders = found->n_folders;
	for (size_t i = 0; formats[i]; i++)
		f->formats[i] = formats[i];
	r = open_all(&o, e);
	if (r == 0 && o.n == 0)
		r = err_set(e, EIO, "%s: none of its replicas can be shown",
			place->store->name);
	if (r == 0 && !whole) {
		*h = gather_new(place, histories, o.n);
		gather_more(*h, find_more, finder_free, f);
		return 0;
	}
	if (r == 0)
		*h = histories[0];
	else
		while (o.n > 0)
			history_free(histories[--o.n]);
	finder_free(f);
	return r;
}
