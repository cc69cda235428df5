/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "repo/address.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "repo/base/auto.h"
#include "repo/base/buf.h"
#include "repo/when.h"

#define HINTS_MAX 4
#define DISTANCE_MAX 3

const char *
address_host(void)
{
	static char name[256];

	if (!*name && (gethostname(name, sizeof(name) - 1) < 0 || !*name))
		strcpy(name, "localhost");
	return name;
}

char *
address_source_name(const char *path)
{
	char *name;

	path += strspn(path, "/");
	if (!*path)
		return xstrdup("root");
	name = xstrdup(path);
	for (size_t n = strlen(name); n > 1 && name[n - 1] == '/'; n--)
		name[n - 1] = '\0';
	for (char *p = name; *p; p++)
		if (*p == '/')
			*p = '-';
	return name;
}

/* -- Sources ------------------------------------------------------------------ */

/* The source that the first len bytes of text name. */
static size_t
lookup(const struct history_listing *l, const char *text, size_t len,
	const char *host)
{
	auto_free char *copy = strndup(text, len);
	char *slash;

	if (!copy || !len)
		return HISTORY_NONE;
	slash = strchr(copy, '/');
	if (!slash)
		return history_find_source(l, host, copy);
	*slash = '\0';
	return history_find_source(l, copy, slash + 1);
}

/* Changes that turn a into b, counted up to DISTANCE_MAX + 1; both short. */
static int
distance(const char *a, const char *b)
{
	size_t n = strlen(a), m = strlen(b);
	int row[65], diagonal, above;

	if (n > 64 || m > 64)
		return DISTANCE_MAX + 1;
	for (size_t j = 0; j <= m; j++)
		row[j] = (int)j;
	for (size_t i = 1; i <= n; i++) {
		diagonal = row[0];
		row[0] = (int)i;
		for (size_t j = 1; j <= m; j++) {
			int d = diagonal + (a[i - 1] != b[j - 1]);

			above = row[j] + 1;
			diagonal = row[j];
			if (above < d)
				d = above;
			if (row[j - 1] + 1 < d)
				d = row[j - 1] + 1;
			row[j] = d;
		}
	}
	return row[m];
}

/* How many changes a word of this length may take and still be the same. */
static int
typing_errors(const char *name)
{
	size_t n = strlen(name) / 3;

	return n < DISTANCE_MAX ? (int)n : DISTANCE_MAX;
}

static bool
is_near(const struct history_source *s, const char *host, const char *name)
{
	if (strcmp(s->name, name) == 0)
		return true;
	if (*name && (strstr(s->name, name) || strstr(name, s->name)))
		return strcmp(s->host, host) == 0;
	return distance(s->name, name) <= typing_errors(name) &&
		distance(s->host, host) <= DISTANCE_MAX;
}

/* "did you mean a, b?" or, when there are few, all there are. */
static char *
hints(const struct history_listing *l, const char *host, const char *name)
{
	auto_buf struct buf b = BUF_INIT;
	bool all = l->n_sources <= HINTS_MAX;
	size_t n = 0, len;

	if (l->n_sources == 0)
		return xstrdup("the repository is empty");
	for (size_t i = 0; i < l->n_sources && n < HINTS_MAX; i++) {
		const struct history_source *s = &l->sources[i];

		if (all || is_near(s, host, name))
			buf_printf(&b, "%s%s/%s", n++ ? ", " : all ?
				"there is " : "did you mean ", s->host,
				s->name);
	}
	if (n == 0)
		return xstrdup("'yore snapshots' lists them");
	buf_append(&b, "", 1);
	return (char *)buf_steal(&b, &len);
}

static int
unknown_source(const struct history_listing *l, const char *text, size_t len,
	const char *host, struct err *e)
{
	auto_free char *copy = xasprintf("%.*s", (int)len, text);
	char *slash = strchr(copy, '/');
	const char *name = slash ? slash + 1 : copy;
	auto_free char *hint = NULL;

	if (slash)
		*slash = '\0';
	hint = hints(l, slash ? copy : host, name);
	return err_set(e, ENOENT, "no source %s/%s: %s", slash ? copy : host,
		name, hint);
}

int
address_find_source(const struct history_listing *l, const char *text,
	const char *host, size_t *source, struct err *e)
{
	*source = lookup(l, text, strlen(text), host);
	if (*source == HISTORY_NONE)
		return unknown_source(l, text, strlen(text), host, e);
	return 0;
}

/* -- Times ------------------------------------------------------------------ */

/* The newest point not later than t_ns, which time says. */
static int
find_at(const struct address_space *in, const char *time, int64_t t_ns,
	struct address *a, struct err *e)
{
	const struct history_listing *l = in->listing;
	const struct history_source *s = &l->sources[a->source];
	int r = history_moment_at(
		in->history, l, a->source, t_ns, &a->point, e);

	if (r != -ENOENT)
		return r;
	return err_set(e, ENOENT, "%s/%s has no %s at %s: the first is %s",
		s->host, s->name,
		s->kind == HISTORY_DATABASE ? "point" : "snapshot", time,
		l->points[s->first_point].name);
}

/* A moment by its name, which may have a suffix that is no part of a time;
 * -ENOENT. */
static int
find_name(const struct address_space *in, const char *name, struct address *a,
	struct err *e)
{
	const struct history_listing *l = in->listing;
	const struct history_source *s = &l->sources[a->source];
	size_t i = history_find_name(l, a->source, name);
	int r = -ENOENT;

	if (i != HISTORY_NONE) {
		a->point = l->points[i];
		return 0;
	}
	if (!strchr(name, '.'))
		return -ENOENT;
	for (uint32_t g = s->n_generations; r == -ENOENT && g-- > 0;)
		r = history_moment_by_name(in->history, l,
			s->first_generation + g, name, &a->point, e);
	return r;
}

static int
find_id(const struct address_space *in, const char *id, struct address *a,
	struct err *e)
{
	const struct history_listing *l = in->listing;
	const struct history_source *s = &l->sources[a->source];
	size_t i = history_find_id(l, id);
	int r;

	if (i != HISTORY_NONE && l->points[i].source == a->source) {
		a->point = l->points[i];
		return 0;
	}
	r = history_moment_by_id(in->history, l, a->source, id, &a->point, e);
	if (r != -ENOENT)
		return r;
	if (i != HISTORY_NONE) {
		s = &l->sources[l->points[i].source];
		return err_set(e, ENOENT, "snapshot %s belongs to %s/%s", id,
			s->host, s->name);
	}
	return err_set(e, EINVAL, "%s: neither a time nor a snapshot of %s/%s"
		" (times: latest, yesterday, 10:32, 2026-11-20, 2h-ago, ...)",
		id, s->host, s->name);
}

/* The point of the source that a TIME names. */
static int
find_point(const struct address_space *in, const char *time, struct address *a,
	struct err *e)
{
	int64_t t_ns;
	int r;

	if (!*time || strcmp(time, "latest") == 0)
		return find_at(in, time, INT64_MAX, a, e);
	r = find_name(in, time, a, e);
	if (r != -ENOENT)
		return r;
	if (when_parse(time, in->now_ns, &t_ns) == 0)
		return find_at(in, time, t_ns, a, e);
	return find_id(in, time, a, e);
}

/*
 * How many bytes of "TIME:PATH" are TIME: the longest that is a time, since
 * times hold ':' too; else up to the first ':'.
 */
static size_t
time_len(const char *text, int64_t now_ns)
{
	size_t first = strcspn(text, ":"), best = 0;

	for (size_t n = first;; n += 1 + strcspn(text + n + 1, ":")) {
		auto_free char *part = xasprintf("%.*s", (int)n, text);
		int64_t t_ns;

		if (when_parse(part, now_ns, &t_ns) == 0)
			best = n;
		if (!text[n])
			return best ? best : first;
	}
}

/* A point of whatever source by its id. */
static int
find_anywhere(const struct address_space *in, const char *id, struct address *a,
	struct err *e)
{
	const struct history_listing *l = in->listing;
	size_t i = history_find_id(l, id);
	int r = 0;

	if (i != HISTORY_NONE)
		a->point = l->points[i];
	else
		r = history_moment_by_id(
			in->history, l, HISTORY_NONE, id, &a->point, e);
	a->source = a->point.source;
	if (r == -ENOENT)
		return err_set(e, ENOENT, "no snapshot has the id %s", id);
	return r;
}

static int
find_time_and_path(const struct address_space *in, const char *text,
	struct address *a, struct err *e)
{
	size_t n = time_len(text, in->now_ns);
	auto_free char *time = xasprintf("%.*s", (int)n, text);

	a->path = text + n + (text[n] == ':');
	return a->source == HISTORY_NONE ? find_anywhere(in, time, a, e)
					 : find_point(in, time, a, e);
}

int
address_find(const struct address_space *in, const char *text,
	struct address *a, struct err *e)
{
	const struct history_listing *l = in->listing;

	*a = (struct address){ .source = HISTORY_NONE, .path = "" };
	if (*text == '@')
		return find_time_and_path(in, text + 1, a, e);
	for (const char *p = text; (p = strchr(p, '@')); p++) {
		a->source = lookup(l, text, (size_t)(p - text), in->host);
		if (a->source != HISTORY_NONE)
			return find_time_and_path(in, p + 1, a, e);
	}
	for (const char *p = text; (p = strchr(p, ':')); p++) {
		a->source = lookup(l, text, (size_t)(p - text), in->host);
		if (a->source != HISTORY_NONE) {
			a->path = p + 1;
			return find_point(in, "", a, e);
		}
	}
	a->source = lookup(l, text, strlen(text), in->host);
	if (a->source != HISTORY_NONE)
		return find_point(in, "", a, e);
	return unknown_source(l, text, strcspn(text, "@:"), in->host, e);
}
