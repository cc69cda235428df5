/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Most patterns are plain names (node_modules), plain suffixes (*.o) or plain
 * paths (/build); those are compared as bytes.  The rest begins, mostly, with
 * plain bytes, which are compared before the wildcards behind them.
 */
#include "repo/write/exclude.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/stat.h>
#include "repo/base/buf.h"
#include "repo/write/glob.h"

struct pattern {
	char *text;	    /* of the plain bytes at its beginning */
	size_t len;
	struct glob *rest;  /* what follows them; NULL nothing */
	bool negative;	    /* takes back in */
	bool only_dirs;
	bool only_name;	    /* no slash: compared with the last component */
	bool suffix;	    /* "*TEXT", only_name */
};

struct pattern_list {
	struct pattern *v;
	size_t n, cap;
};

struct mark {
	struct mark *next;
	char *name;
	char *header; /* NULL: any */
	size_t header_len;
};

struct exclude_rules {
	struct pattern_list flags, files;
	char *per_directory; /* name of files with patterns, or NULL */
	struct mark *marks;
	uint64_t larger_than; /* 0: no limit */
};

struct exclude_dir {
	atomic_uint refs;
	const struct exclude_rules *rules;
	struct exclude_dir *above; /* NULL at the top, which has no patterns */
	size_t base_len; /* of the directory's path with '/' behind it */
	struct pattern_list list;
};

/* -- Patterns ---------------------------------------------------------------- */

static void
pattern_list_release(struct pattern_list *l)
{
	for (size_t i = 0; i < l->n; i++) {
		free(l->v[i].text);
		glob_free(l->v[i].rest);
	}
	free(l->v);
}

static void
pattern_list_append(struct pattern_list *l, const struct pattern *p)
{
	if (l->n == l->cap) {
		l->cap = l->cap ? 2 * l->cap : 8;
		l->v = xrealloc(l->v, l->cap * sizeof(*l->v));
	}
	l->v[l->n++] = *p;
}

static char *
copy_bytes(const char *p, size_t n)
{
	char *copy = xmalloc(n + 1);

	memcpy(copy, p, n);
	copy[n] = 0;
	return copy;
}

/* Split what remains of a pattern into plain bytes and wildcards.  False when
 * it can match nothing. */
static bool
compile(struct pattern *p, const char *s, size_t len)
{
	size_t plain = glob_literal_len(s, len);

	if (p->only_name && len > 1 && *s == '*' &&
		glob_literal_len(s + 1, len - 1) == len - 1) {
		p->suffix = true;
		p->text = copy_bytes(s + 1, len - 1);
		p->len = len - 1;
		return true;
	}
	if (plain < len) {
		p->rest = glob_new(s + plain, len - plain);
		if (!p->rest)
			return false;
	}
	p->text = copy_bytes(s, plain);
	p->len = plain;
	return true;
}

/* Add one pattern; trailing blanks and comments have been dealt with. */
static void
add_pattern(struct pattern_list *l, const char *s, size_t len)
{
	struct pattern p = { .text = NULL };

	if (len && *s == '!') {
		p.negative = true;
		s++;
		len--;
	}
	if (len && s[len - 1] == '/') {
		p.only_dirs = true;
		len--;
	}
	p.only_name = !memchr(s, '/', len);
	if (len && *s == '/') {
		s++;
		len--;
	}
	if (len && compile(&p, s, len))
		pattern_list_append(l, &p);
}

/* The length of a line without the spaces at its end that are not escaped. */
static size_t
without_trailing_spaces(const char *s, size_t len)
{
	size_t kept = 0;

	for (size_t i = 0; i < len; i++) {
		if (s[i] == ' ')
			continue;
		if (s[i] == '\\' && ++i == len)
			return len;
		kept = i + 1;
	}
	return kept;
}

static void
add_line(struct pattern_list *l, const char *s, size_t len)
{
	if (len == 0 || *s == '#')
		return;
	if (s[len - 1] == '\r')
		len--;
	len = strnlen(s, len);
	add_pattern(l, s, without_trailing_spaces(s, len));
}

static void
add_lines(struct pattern_list *l, const char *s, size_t len)
{
	const char *end = len ? s + len : s; /* of nothing s may be NULL */

	if (len >= 3 && memcmp(s, "\xef\xbb\xbf", 3) == 0)
		s += 3;
	while (s < end) {
		const char *stop = memchr(s, '\n', (size_t)(end - s));

		if (!stop)
			stop = end;
		add_line(l, s, (size_t)(stop - s));
		s = stop + 1;
	}
}

static bool
matches(const struct pattern *p, const char *s, size_t len)
{
	if (len < p->len)
		return false;
	if (p->suffix)
		return memcmp(s + len - p->len, p->text, p->len) == 0;
	if (memcmp(s, p->text, p->len) != 0)
		return false;
	return p->rest ? glob_match(p->rest, s + p->len, len - p->len) :
			 len == p->len;
}

enum verdict { UNDECIDED, EXCLUDED, INCLUDED };

/* path is relative to the directory the patterns are for. */
static enum verdict
judge(const struct pattern_list *l, const char *path, size_t path_len,
	const char *name, bool is_dir)
{
	size_t name_len = strlen(name);

	for (size_t i = l->n; i-- > 0;) {
		const struct pattern *p = &l->v[i];

		if (p->only_dirs && !is_dir)
			continue;
		if (p->only_name ? matches(p, name, name_len) :
				   matches(p, path, path_len))
			return p->negative ? INCLUDED : EXCLUDED;
	}
	return UNDECIDED;
}

/* -- Rules --------------------------------------------------------------------- */

struct exclude_rules *
exclude_rules_new(void)
{
	return xcalloc(1, sizeof(struct exclude_rules));
}

void
exclude_rules_free(struct exclude_rules *r)
{
	struct mark *m;

	if (!r)
		return;
	while ((m = r->marks)) {
		r->marks = m->next;
		free(m->name);
		free(m->header);
		free(m);
	}
	pattern_list_release(&r->flags);
	pattern_list_release(&r->files);
	free(r->per_directory);
	free(r);
}

void
exclude_rules_pattern(struct exclude_rules *r, const char *pattern)
{
	add_line(&r->flags, pattern, strlen(pattern));
}

/* Append what fd has left, at most EXCLUDE_FILE_MAX bytes. */
static int
read_all(int fd, struct buf *b)
{
	for (;;) {
		uint8_t *p = buf_reserve(b, 16384);
		ssize_t n = read(fd, p, 16384);

		if (n == 0)
			return 0;
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		b->len += (size_t)n;
		if (b->len > EXCLUDE_FILE_MAX)
			return -EFBIG;
	}
}

int
exclude_rules_file(struct exclude_rules *r, const char *path, struct err *e)
{
	auto_buf struct buf lines = BUF_INIT;
	auto_close int fd = open(path, O_RDONLY | O_CLOEXEC);
	int rc;

	if (fd < 0)
		return err_sys(e, errno, "%s", path);
	rc = read_all(fd, &lines);
	if (rc < 0)
		return err_sys(e, -rc, "%s", path);
	add_lines(&r->files, (const char *)lines.data, lines.len);
	return 0;
}

int
exclude_rules_per_directory(struct exclude_rules *r, const char *name,
	struct err *e)
{
	if (!*name || strchr(name, '/'))
		return err_set(e, EINVAL,
			"'%s' cannot be the name of a file with patterns",
			name);
	free(r->per_directory);
	r->per_directory = xstrdup(name);
	return 0;
}

/* header is taken over; name is copied. */
static void
add_mark(struct exclude_rules *r, const char *name, size_t len, char *header)
{
	struct mark *m = xcalloc(1, sizeof(*m));

	m->name = copy_bytes(name, len);
	m->header = header;
	m->header_len = header ? strlen(header) : 0;
	m->next = r->marks;
	r->marks = m;
}

void
exclude_rules_caches(struct exclude_rules *r)
{
	static const char name[] = "CACHEDIR.TAG";

	add_mark(r, name, strlen(name),
		xstrdup("Signature: 8a477f597d28d172789f06886806bc55"));
}

int
exclude_rules_if_present(struct exclude_rules *r, const char *spec,
	struct err *e)
{
	size_t len = strcspn(spec, ":");

	if (len == 0 || memchr(spec, '/', len))
		return err_set(e, EINVAL,
			"'%s' does not begin with a file's name", spec);
	add_mark(r, spec, len, spec[len] ? xstrdup(spec + len + 1) : NULL);
	return 0;
}

void
exclude_rules_larger_than(struct exclude_rules *r, uint64_t bytes)
{
	r->larger_than = bytes;
}

bool
exclude_larger(const struct exclude_rules *r, uint64_t size)
{
	return r->larger_than && size > r->larger_than;
}

/* -- Directories ----------------------------------------------------------------- */

struct exclude_dir *
exclude_dir_top(const struct exclude_rules *r)
{
	struct exclude_dir *d = xcalloc(1, sizeof(*d));

	atomic_init(&d->refs, 1);
	d->rules = r;
	return d;
}

struct exclude_dir *
exclude_dir_get(struct exclude_dir *d)
{
	atomic_fetch_add(&d->refs, 1);
	return d;
}

void
exclude_dir_put(struct exclude_dir *d)
{
	while (d && atomic_fetch_sub(&d->refs, 1) == 1) {
		struct exclude_dir *above = d->above;

		pattern_list_release(&d->list);
		free(d);
		d = above;
	}
}

bool
exclude_name_matters(const struct exclude_rules *r, const char *name)
{
	if (r->per_directory && strcmp(name, r->per_directory) == 0)
		return true;
	for (const struct mark *m = r->marks; m; m = m->next)
		if (strcmp(name, m->name) == 0)
			return true;
	return false;
}

struct exclude_dir *
exclude_dir_lines(struct exclude_dir *above, const char *path,
	const char *lines, size_t len)
{
	struct exclude_dir *d;
	struct pattern_list list = { .v = NULL };

	add_lines(&list, lines, len);
	if (list.n == 0)
		return exclude_dir_get(above);
	d = exclude_dir_top(above->rules);
	d->above = exclude_dir_get(above);
	d->base_len = *path ? strlen(path) + 1 : 0;
	d->list = list;
	return d;
}

/* Open a regular file; a fifo or device of that name does not block. */
static int
open_regular(int dirfd, const char *name)
{
	auto_close int fd = openat(dirfd, name,
		O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	return S_ISREG(st.st_mode) ? steal_fd(fd) : -EINVAL;
}

static bool
is_marked(const struct mark *m, int dirfd)
{
	struct stat st;
	auto_close int fd = -1;
	auto_free char *head = NULL;

	if (fstatat(dirfd, m->name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
		!S_ISREG(st.st_mode))
		return false;
	if (!m->header)
		return true;
	fd = open_regular(dirfd, m->name);
	head = xmalloc(m->header_len + 1);
	return fd >= 0 &&
		pread(fd, head, m->header_len, 0) == (ssize_t)m->header_len &&
		memcmp(head, m->header, m->header_len) == 0;
}

static const char *
find_mark(const struct exclude_rules *r, int fd)
{
	for (const struct mark *m = r->marks; m; m = m->next)
		if (is_marked(m, fd))
			return m->name;
	return NULL;
}

/* The lines of the directory's own file; none when it has no such file. */
static int
read_lines(const struct exclude_rules *r, int dirfd, struct buf *lines)
{
	auto_close int fd = -1;

	if (!r->per_directory)
		return 0;
	fd = open_regular(dirfd, r->per_directory);
	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	return read_all(fd, lines);
}

int
exclude_dir_enter(struct exclude_dir *above, const char *path, int fd,
	struct exclude_dir **d, const char **mark, struct err *e)
{
	auto_buf struct buf lines = BUF_INIT;
	const struct exclude_rules *r = above->rules;
	int rc = read_lines(r, fd, &lines);

	*mark = *path ? find_mark(r, fd) : NULL;
	if (rc < 0)
		lines.len = 0;
	*d = exclude_dir_lines(above, path, (const char *)lines.data,
		lines.len);
	if (rc == -EINVAL)
		return err_set(e, EINVAL, "%s%s%s: not a regular file", path,
			*path ? "/" : "", r->per_directory);
	return rc < 0 ? err_sys(e, -rc, "%s%s%s", path, *path ? "/" : "",
				r->per_directory) :
			0;
}

bool
excluded(const struct exclude_dir *d, const char *path, const char *name,
	bool is_dir)
{
	const struct exclude_rules *r = d->rules;
	size_t len = strlen(path);
	enum verdict v = judge(&r->flags, path, len, name, is_dir);

	for (; v == UNDECIDED && d->above; d = d->above)
		v = judge(&d->list, path + d->base_len, len - d->base_len, name,
			is_dir);
	if (v == UNDECIDED)
		v = judge(&r->files, path, len, name, is_dir);
	return v == EXCLUDED;
}
