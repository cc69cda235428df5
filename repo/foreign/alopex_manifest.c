/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "repo/foreign/alopex_manifest.h"

#include <errno.h>
#include <string.h>
#include "repo/foreign/listed.h"
#include "repo/foreign/json.h"

/* The member of an object that has this name: once, or -EUCLEAN. */
static int
member(struct json object, const char *name, struct json *v, struct err *e)
{
	struct json n, el;
	size_t at = 0;
	int found = 0;

	if (json_kind(object) != JSON_OBJECT)
		return err_set(e, EUCLEAN, "not an object of JSON");
	while (json_next(object, &at, &n, &el)) {
		if (!json_is_text(n, name))
			continue;
		*v = el;
		found++;
	}
	return found == 1 ? 0
			  : err_set(e, EUCLEAN, "has \"%s\" %d times, not once",
				    name, found);
}

static int
number(struct json object, const char *name, uint64_t max, uint64_t *n,
	struct err *e)
{
	struct json v;
	int r = member(object, name, &v, e);

	if (r)
		return r;
	if (!json_number_of(v, n) || *n > max)
		return err_set(
			e, EUCLEAN, "its \"%s\" is no number that fits", name);
	return 0;
}

/* Below such a name alopex keeps its backups, not its data. */
bool
alopex_manifest_skips(const char *path)
{
	static const char name[] = ".lifecycle";
	size_t len = strlen(name);

	for (const char *p = path; p; p = strchr(p, '/')) {
		p += *p == '/';
		if (!strncmp(p, name, len) && (!p[len] || p[len] == '/'))
			return true;
	}
	return false;
}

static int
add_entry(struct alopex_manifest *m, size_t *room, struct json v, struct err *e)
{
	auto_buf struct buf path = BUF_INIT;
	uint64_t size, crc;
	struct json text;
	int r = number(v, "size", INT64_MAX, &size, e);

	if (!r)
		r = number(v, "crc32", UINT32_MAX, &crc, e);
	if (!r)
		r = member(v, "path", &text, e);
	if (!r && json_kind(text) != JSON_STRING)
		r = err_set(e, EUCLEAN, "its \"path\" is no string");
	if (r)
		return r;
	json_bytes_of(text, &path);
	size_t len = path.len;

	buf_append(&path, "", 1);
	if (!listed_path_ok((char *)path.data, len) ||
		alopex_manifest_skips((char *)path.data)) {
		m->n_refused++;
		return 0;
	}
	if (m->n == LISTED_MAX)
		return err_set(e, EUCLEAN, "more than %u entries", LISTED_MAX);
	if (m->n == *room) {
		*room = *room ? 2 * *room : 64;
		m->entries = xrealloc(m->entries, *room * sizeof(*m->entries));
	}
	m->entries[m->n++] =
		(struct alopex_entry){ .path = (char *)buf_steal(&path, &len),
			.size = size,
			.crc = (uint32_t)crc };
	return 0;
}

static int
compare(const void *a, const void *b)
{
	const struct alopex_entry *x = a, *y = b;

	return listed_compare_paths(x->path, y->path);
}

/* In order; what is there twice must not say two things. */
static int
sort(struct alopex_manifest *m, struct err *e)
{
	size_t n = 0;

	if (m->n > 0)
		qsort(m->entries, m->n, sizeof(*m->entries), compare);
	for (size_t i = 0; i < m->n; i++) {
		struct alopex_entry *x = &m->entries[i];
		struct alopex_entry *last = n ? &m->entries[n - 1] : NULL;

		if (!last || strcmp(last->path, x->path)) {
			struct alopex_entry keep = *x;

			x->path = NULL;
			m->entries[n++] = keep;
		} else if (last->size != x->size || last->crc != x->crc) {
			return err_set(
				e, EUCLEAN, "says two things of %s", x->path);
		} else {
			free(steal(x->path));
		}
	}
	m->n = n;
	return 0;
}

int
alopex_manifest_decode(
	const void *data, size_t len, struct alopex_manifest *m, struct err *e)
{
	struct json v, entries, el;
	uint64_t version;
	size_t at = 0, room = 0;
	int r = json_check(data, len, &v, e);

	if (!r)
		r = number(v, "version", UINT64_MAX, &version, e);
	if (!r && version != 1)
		r = err_set(e, EUCLEAN, "is not of version 1");
	if (!r)
		r = member(v, "entries", &entries, e);
	if (!r && json_kind(entries) != JSON_ARRAY)
		r = err_set(e, EUCLEAN, "its \"entries\" are no array");
	while (!r && json_next(entries, &at, NULL, &el))
		r = add_entry(m, &room, el, e);
	return r ? r : sort(m, e);
}

void
alopex_manifest_release(struct alopex_manifest *m)
{
	for (size_t i = 0; i < m->n; i++)
		free(m->entries[i].path);
	free(m->entries);
	*m = (struct alopex_manifest)ALOPEX_MANIFEST_INIT;
}
