/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The paths are kept as sorted strings, '/' below every other byte, so that
 * what lies below one directory is a contiguous range of them.
 */
#include "repo/write/wanted.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include "repo/base/buf.h"

struct wanted {
	struct buf text; /* terminated strings, one behind the other */
	char **paths;
	size_t n;
	struct buf root; /* the source's own path, normalised */
	struct buf scratch;
};

/* Append the components of path joined by single slashes, and a terminator. */
static int
normalise(struct buf *out, const char *path, size_t len)
{
	const char *end = path + len;
	size_t first = out->len;

	while (path < end) {
		const char *stop = memchr(path, '/', (size_t)(end - path));
		size_t n = (size_t)((stop ? stop : end) - path);

		if (n == 2 && memcmp(path, "..", 2) == 0)
			return -EINVAL;
		if (n > 0 && !(n == 1 && *path == '.')) {
			if (out->len > first)
				buf_append(out, "/", 1);
			buf_append(out, path, n);
		}
		path += n + 1;
	}
	buf_zeros(out, 1);
	return 0;
}

struct wanted *
wanted_new(const char *root)
{
	struct wanted *w = xcalloc(1, sizeof(*w));

	/* ".." in the source's own path: then absolute paths match nothing */
	if (normalise(&w->root, root, strlen(root)) < 0)
		w->root.len = 0;
	return w;
}

void
wanted_free(struct wanted *w)
{
	if (!w)
		return;
	buf_release(&w->text);
	buf_release(&w->root);
	buf_release(&w->scratch);
	free(w->paths);
	free(w);
}

/* What follows the source's own path in an absolute one, or NULL. */
static const char *
below_root(const struct wanted *w, const char *path)
{
	const char *root = (const char *)w->root.data;
	size_t len;

	if (w->root.len == 0)
		return NULL;
	len = w->root.len - 1;
	if (len == 0)
		return path;
	if (strncmp(path, root, len) != 0)
		return NULL;
	if (path[len] == '/')
		return path + len + 1;
	return path[len] ? NULL : path + len;
}

int
wanted_add(struct wanted *w, const char *path, size_t len, struct err *e)
{
	const char *p;

	w->scratch.len = 0;
	if (len == 0 || memchr(path, 0, len) ||
		normalise(&w->scratch, path, len) < 0)
		return err_set(e, EINVAL, "'%.*s' is not a path in the source",
			(int)(len < 400 ? len : 400), path);
	p = (const char *)w->scratch.data;
	if (*path == '/')
		p = below_root(w, p);
	if (!p)
		return err_set(e, EINVAL, "'%.*s' is outside of the source",
			(int)(len < 400 ? len : 400), path);
	buf_append(&w->text, p, strlen(p) + 1);
	w->n++;
	return 0;
}

/* Add what is complete in b, keep the rest; final: the rest too. */
static int
add_complete(struct wanted *w, struct buf *b, char separator, bool final,
	struct err *e)
{
	const char *p = (const char *)b->data, *end = p + b->len;

	while (p < end) {
		const char *stop = memchr(p, separator, (size_t)(end - p));

		if (!stop && !final)
			break;
		if (!stop)
			stop = end;
		if (stop > p) {
			int rc = wanted_add(w, p, (size_t)(stop - p), e);

			if (rc < 0)
				return rc;
		}
		p = stop < end ? stop + 1 : end;
	}
	b->len = (size_t)(end - p);
	memmove(b->data, p, b->len);
	return 0;
}

int
wanted_read(struct wanted *w, int fd, char separator, struct err *e)
{
	auto_buf struct buf b = BUF_INIT;

	for (;;) {
		uint8_t *p = buf_reserve(&b, 65536);
		ssize_t n = read(fd, p, 65536);
		int rc;

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(e, errno, "the list of files");
		b.len += (size_t)n;
		rc = add_complete(w, &b, separator, n == 0, e);
		if (rc < 0 || n == 0)
			return rc;
		if (b.len > 1u << 20)
			return err_set(e, EINVAL,
				"the list of files has a path of over 1 MiB");
	}
}

/* End below '/' below all other bytes. */
static unsigned
rank(unsigned char c)
{
	return c == 0 ? 0 : c == '/' ? 1 : c + 1u;
}

static int
by_components(const void *a, const void *b)
{
	const unsigned char *x = *(const unsigned char *const *)a;
	const unsigned char *y = *(const unsigned char *const *)b;

	while (*x && *x == *y) {
		x++;
		y++;
	}
	return (rank(*x) > rank(*y)) - (rank(*x) < rank(*y));
}

void
wanted_seal(struct wanted *w)
{
	char *p = (char *)w->text.data;

	w->paths = xcalloc(w->n + 1, sizeof(*w->paths));
	for (size_t i = 0; i < w->n; i++) {
		w->paths[i] = p;
		p += strlen(p) + 1;
	}
	qsort(w->paths, w->n, sizeof(*w->paths), by_components);
}

struct wanted_range
wanted_top(const struct wanted *w)
{
	return (struct wanted_range){
		.lo = 0, .hi = w->n, .whole = w->n > 0 && !*w->paths[0]
	};
}

/* Order of the component that begins at path, and name. */
static int
compare_component(const char *path, const char *name)
{
	const unsigned char *x = (const unsigned char *)path;
	const unsigned char *y = (const unsigned char *)name;

	while (*x && *x != '/' && *x == *y) {
		x++;
		y++;
	}
	if (*x == 0 || *x == '/')
		return *y ? -1 : 0;
	return *x < *y ? -1 : 1;
}

/* The first path of the range whose component is not below name, or, after
 * it: that is above name. */
static size_t
bound(const struct wanted *w, const struct wanted_range *r, const char *name,
	bool after)
{
	size_t lo = r->lo, hi = r->hi;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int c = compare_component(w->paths[mid] + r->off, name);

		if (c < 0 || (after && c == 0))
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

bool
wanted_child(const struct wanted *w, const struct wanted_range *r,
	const char *name, struct wanted_range *below)
{
	*below = (struct wanted_range){ .whole = r->whole };
	if (r->whole)
		return true;
	below->lo = bound(w, r, name, false);
	below->hi = bound(w, r, name, true);
	below->off = r->off + strlen(name) + 1;
	if (below->lo == below->hi)
		return false;
	below->whole = !w->paths[below->lo][below->off - 1];
	return true;
}

const char *
wanted_next(const struct wanted *w, const struct wanted_range *r, size_t *i,
	size_t *name_len)
{
	const char *name;

	if (r->whole || *i >= r->hi)
		return NULL;
	name = w->paths[*i] + r->off;
	*name_len = strcspn(name, "/");
	while (++*i < r->hi) {
		const char *next = w->paths[*i] + r->off;

		if (strcspn(next, "/") != *name_len ||
			memcmp(next, name, *name_len) != 0)
			break;
	}
	return name;
}
