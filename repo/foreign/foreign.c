/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "repo/foreign/foreign.h"

#include <errno.h>
#include <string.h>
#include "repo/base/buf.h"
#include "repo/base/log.h"
#include "repo/foreign/gather.h"
#include "repo/foreign/look.h"

#define NAME_MAX_LEN 200
#define FORMATS_MAX 16

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

static void
make_distinct(struct foreign_root *roots, size_t n)
{
	auto_free bool *clash = xcalloc(n, sizeof(*clash));

	for (size_t i = 0; i < n; i++)
		clash[i] = is_taken(roots, n, i, roots[i].name);
	for (size_t i = 0; i < n; i++) {
		for (unsigned k = 1; clash[i] && k; k++) {
			free(roots[i].name);
			roots[i].name = long_name(roots[i].prefix, k);
			clash[i] = is_taken(roots, n, i, roots[i].name);
		}
	}
}

/* -- Opening -------------------------------------------------------------- */

struct opening {
	struct foreign_place *place;
	const struct look_result *found;
	struct history *histories[FORMATS_MAX];
	size_t n;
};

static int
open_roots(struct opening *o, const struct foreign_format *f,
	struct foreign_root *roots, size_t n, struct err *e)
{
	const struct foreign_open how = {
		.place = o->place, .host = f->name, .roots = roots, .n_roots = n
	};
	struct err why = ERR_INIT;
	int r;

	make_distinct(roots, n);
	r = f->open(&how, &o->histories[o->n], &why);
	if (r == 0)
		o->n++;
	else if (n == o->found->n || r == -EINTR)
		return err_set(e, -r, "%s", why.text);
	else
		log_warn("%s", why.text);
	return 0;
}

/* All replicas of one format. */
static int
open_format(struct opening *o, const struct foreign_format *f, struct err *e)
{
	auto_free struct foreign_root *roots =
		xcalloc(o->found->n, sizeof(*roots));
	size_t n = 0;
	int r = 0;

	for (size_t i = 0; i < o->found->n; i++) {
		const struct look_found *x = &o->found->found[i];

		if (x->format != f)
			continue;
		roots[n].name = name_of_root(o->place->store, x->prefix);
		roots[n++].prefix = xstrdup(x->prefix);
	}
	if (n > 0)
		r = open_roots(o, f, roots, n, e);
	for (size_t i = 0; i < n; i++) {
		free(roots[i].prefix);
		free(roots[i].name);
	}
	return r;
}

static int
open_found(struct foreign_place *place, const struct look_result *found,
	struct history **h, struct err *e)
{
	struct opening o = { .place = place, .found = found };
	int r = 0;

	for (size_t i = 0; r == 0 && foreign_formats[i] && i < FORMATS_MAX; i++)
		r = open_format(&o, foreign_formats[i], e);
	if (r == 0 && o.n == 0)
		r = err_set(e, EIO, "%s: none of its replicas can be shown",
			place->store->name);
	if (r < 0) {
		while (o.n > 0)
			history_free(o.histories[--o.n]);
		return r;
	}
	*h = o.n == 1 ? o.histories[0] : gather_new(place, o.histories, o.n);
	return 0;
}

/* -- Looking -------------------------------------------------------------- */

static int
nothing_found(const char *address, const struct foreign_format *const *formats,
	struct err *e)
{
	auto_buf struct buf b = BUF_INIT;

	for (size_t i = 0; formats[i]; i++)
		buf_printf(&b, "%s%s (%s)", i ? ", " : "", formats[i]->name,
			formats[i]->marks);
	buf_append(&b, "", 1);
	return err_set(e, ENOENT,
		"%s: no replica there that could be shown;"
		" looked for %s",
		address, (char *)b.data);
}

/* The formats to look for: all, or one; ends with NULL. */
static int
choose(const char *format, const struct foreign_format **chosen, struct err *e)
{
	size_t n = 0;

	for (size_t i = 0; foreign_formats[i] && n + 1 < FORMATS_MAX; i++) {
		if (!format || strcmp(format, foreign_formats[i]->name) == 0)
			chosen[n++] = foreign_formats[i];
	}
	chosen[n] = NULL;
	if (n > 0 || !format)
		return 0;
	return err_set(e, EINVAL,
		"%s: not a format; \"yore formats\" lists them", format);
}

/* What was found is kept, so that it can be mounted offline. */
#define FOUND_NAME "replicas"
#define FOUND_MAX (4u << 20)

static void
keep_found(struct foreign_place *p, const struct look_result *found)
{
	auto_buf struct buf b = BUF_INIT;
	struct kept *k;

	if (p->store->local_path || foreign_place_kept(p, &k, NULL) < 0)
		return;
	for (size_t i = 0; i < found->n; i++)
		buf_printf(&b, "%s\n%s\n", found->found[i].format->name,
			found->found[i].prefix);
	buf_append(&b, "", 1);
	kept_put(k, FOUND_NAME, b.data, b.len);
}

static void
take_found(struct look_result *out, const char *format, const char *prefix)
{
	for (size_t i = 0; foreign_formats[i]; i++) {
		if (strcmp(foreign_formats[i]->name, format) != 0)
			continue;
		out->found = xrealloc(
			out->found, (out->n + 1) * sizeof(*out->found));
		out->found[out->n++] = (struct look_found){ foreign_formats[i],
			xstrdup(prefix) };
	}
}

static int
find_kept(struct foreign_place *p, struct look_result *out, struct err *e)
{
	auto_free uint8_t *data = NULL;
	struct kept *k;
	size_t len;
	int r = foreign_place_kept(p, &k, e);

	*out = (struct look_result){ .n = 0 };
	if (r < 0)
		return r;
	if (kept_get(k, FOUND_NAME, FOUND_MAX, &data, &len) < 0)
		return err_set(e, ENETDOWN,
			"%s: not in the cache, and offline "
			"nothing else is asked",
			p->store->name);
	for (char *at = (char *)data; *at;) {
		char *format = strsep(&at, "\n");
		char *prefix = at ? strsep(&at, "\n") : NULL;

		if (!prefix || !at)
			break;
		take_found(out, format, prefix);
	}
	return 0;
}

static int
find(struct foreign_place *p, const struct foreign_format *const *formats,
	struct look_result *out, struct err *e)
{
	int r;

	if (foreign_place_offline(p))
		return find_kept(p, out, e);
	r = look_for(p->direct, formats, out, e);
	if (r == 0 && out->n > 0)
		keep_found(p, out);
	if (r == 0 && out->n == 0)
		r = nothing_found(p->store->name, formats, e);
	return r;
}

int
foreign_open_history(const char *address, const char *format,
	const struct history_open_options *o, struct history **h, struct err *e)
{
	const struct foreign_format *formats[FORMATS_MAX];
	struct look_result found = { .n = 0 };
	struct foreign_place *place;
	struct store *store = NULL;
	int r = choose(format, formats, e);

	if (r == 0)
		r = store_open_foreign(address, &store, e);
	if (r < 0)
		return r;
	place = foreign_place_new(store, o);
	r = find(place, formats, &found, e);
	if (r == 0)
		r = open_found(place, &found, h, e);
	look_result_release(&found);
	foreign_place_put(place);
	return r;
}
