/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading one directory: all names first, then what the rules leave of them,
 * then their attributes in order of inode numbers (in which file systems keep
 * them, so that a cold disk is read forward), into places in order of names.
 */
#include "repo/write/scan_private.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include "repo/format/entry.h"

#define DENTS_LEN (32u << 10)
#define SHARE_MIN 4096 /* entries for which help is worth the waking */

/* A name found; the byte before it is its d_type. */
struct found {
	uint64_t ino;
	uint32_t name_off;
	uint32_t place; /* among the sorted names */
};

struct reading {
	struct scan *s;
	struct scan_node *x;
	int fd;
	size_t limit;
	struct buf names;
	struct found *found;
	size_t n, cap;
	bool matters;	  /* a name the rules want to know of is here */
	const char *mark; /* only this is kept */
	struct buf path;  /* of the directory, with '/' unless it is "" */
	struct scan_entry *entries;
};

static void
reading_release(struct reading *r)
{
	buf_release(&r->names);
	buf_release(&r->path);
	free(r->found);
	free(r->entries);
}

static const char *
name_at(const struct reading *r, uint32_t off)
{
	return (const char *)r->names.data + off;
}

static unsigned char
type_at(const struct reading *r, uint32_t off)
{
	return r->names.data[off - 1];
}

/* text is taken over. */
static void
add_problem(struct scan_node *x, const char *name, int code, char *text)
{
	size_t len = strlen(name) + 1;
	struct scan_problem *p = xmalloc(sizeof(*p) + len);

	p->next = NULL;
	p->code = code;
	p->text = text;
	memcpy(p->name, name, len);
	*x->problems_end = p;
	x->problems_end = &p->next;
}

/* -- Names -------------------------------------------------------------------- */

static int
add_name(struct reading *r, const struct dirent64 *de)
{
	const char *name = de->d_name;
	size_t len = strlen(name);
	uint8_t *to;

	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return 0;
	if (len == 0 || len > NAME_LEN_MAX) {
		add_problem(r->x, name, ENAMETOOLONG, NULL);
		return 0;
	}
	if (r->n == r->limit)
		return -E2BIG;
	if (r->names.len > UINT32_MAX - 2 * (SYMLINK_LEN_MAX + NAME_LEN_MAX))
		return -EOVERFLOW;
	if (r->n == r->cap) {
		r->cap = r->cap ? 2 * r->cap : 64;
		r->found = xrealloc(r->found, r->cap * sizeof(*r->found));
	}
	to = buf_reserve(&r->names, len + 2);
	to[0] = de->d_type;
	memcpy(to + 1, name, len + 1);
	r->found[r->n++] = (struct found){
		.ino = de->d_ino, .name_off = (uint32_t)r->names.len + 1
	};
	r->names.len += len + 2;
	if (r->s->o.rules && exclude_name_matters(r->s->o.rules, name))
		r->matters = true;
	return 0;
}

/* 1 more to come, 0 the end. */
static int
read_some_names(struct reading *r)
{
	_Alignas(struct dirent64) char block[DENTS_LEN];
	ssize_t n = getdents64(r->fd, block, sizeof(block));
	ssize_t at = 0;

	if (n < 0)
		return -errno;
	while (at < n) {
		const struct dirent64 *de =
			(const struct dirent64 *)(const void *)(block + at);
		int rc = add_name(r, de);

		if (rc < 0)
			return rc;
		at += de->d_reclen;
	}
	return n > 0;
}

/* A directory that cannot be read to its end is taken as far as it goes. */
static int
read_names(struct reading *r)
{
	int rc;

	/* the descriptor may have been read before: too big to read ahead */
	if (lseek(r->fd, 0, SEEK_SET) < 0)
		return -errno;
	do
		rc = read_some_names(r);
	while (rc > 0);
	if (rc < 0 && rc != -E2BIG && r->n > 0) {
		add_problem(r->x, "", -rc, NULL);
		rc = 0;
	}
	return rc;
}

static int
by_name(const void *a, const void *b, void *arg)
{
	const struct found *x = a, *y = b;

	return strcmp(name_at(arg, x->name_off), name_at(arg, y->name_off));
}

static int
by_ino(const void *a, const void *b)
{
	const struct found *x = a, *y = b;

	return (x->ino > y->ino) - (x->ino < y->ino);
}

/* A directory that changes while it is read may show a name twice. */
static void
sort_names(struct reading *r)
{
	size_t out = 0;

	if (r->n)
		qsort_r(r->found, r->n, sizeof(*r->found), by_name, r);
	for (size_t i = 0; i < r->n; i++)
		if (out == 0 || by_name(&r->found[out - 1], &r->found[i], r))
			r->found[out++] = r->found[i];
	r->n = out;
}

/* -- Rules -------------------------------------------------------------------- */

static void
enter_rules(struct reading *r)
{
	struct scan_node *x = r->x, *parent = scan_parent(x);
	struct exclude_dir *above, *top = NULL;
	struct err e = ERR_INIT;
	const char *path;

	if (!r->s->o.rules)
		return;
	scan_dir_path(&x->pub, NULL, &r->path);
	path = (const char *)r->path.data;
	above = parent ? parent->rules :
			 (top = exclude_dir_top(r->s->o.rules));
	if (!r->matters)
		x->rules = exclude_dir_get(above);
	else if (exclude_dir_enter(above, path, r->fd, &x->rules, &r->mark,
			 &e) < 0)
		add_problem(x, "", e.code, xstrdup(e.text));
	exclude_dir_put(top);
	if (*path)
		buf_append(&r->path, "/", 1);
}

/* Whether a name is not part of this scan.  A listed path below what is no
 * directory cannot be had. */
static bool
is_unwanted(struct reading *r, const char *name, bool is_dir)
{
	struct wanted_range below;

	if (!r->s->o.wanted)
		return false;
	if (!wanted_child(r->s->o.wanted, &r->x->wanted, name, &below))
		return true;
	if (is_dir || below.whole)
		return false;
	add_problem(r->x, name, ENOTDIR, NULL);
	return true;
}

static bool
is_excluded(struct reading *r, const char *name, bool is_dir)
{
	size_t len = r->path.len;
	bool is;

	if (r->mark)
		return is_dir || strcmp(name, r->mark) != 0;
	if (!r->x->rules)
		return false;
	buf_append(&r->path, name, strlen(name) + 1);
	is = excluded(r->x->rules, (const char *)r->path.data, name, is_dir);
	r->path.len = len;
	return is;
}

static bool
leaves_out(struct reading *r, const char *name, bool is_dir)
{
	if (is_unwanted(r, name, is_dir))
		return true;
	if (!is_excluded(r, name, is_dir))
		return false;
	r->x->pub.n_excluded++;
	return true;
}

/* What is left out need not be examined; names of unknown type wait. */
static void
filter_names(struct reading *r)
{
	size_t out = 0;

	for (size_t i = 0; i < r->n; i++) {
		uint32_t off = r->found[i].name_off;
		unsigned char type = type_at(r, off);

		if (type == DT_UNKNOWN ||
			!leaves_out(r, name_at(r, off), type == DT_DIR))
			r->found[out++] = r->found[i];
	}
	r->n = out;
}

static bool
has_name(const struct reading *r, const char *name)
{
	size_t lo = 0, hi = r->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int c = strcmp(name, name_at(r, r->found[mid].name_off));

		if (c == 0)
			return true;
		if (c < 0)
			hi = mid;
		else
			lo = mid + 1;
	}
	return false;
}

/* Report the listed names that do not exist. */
static void
miss_wanted(struct reading *r)
{
	const struct wanted *w = r->s->o.wanted;
	const struct wanted_range *range = &r->x->wanted;
	size_t i = range->lo, len;
	const char *p;

	while (w && (p = wanted_next(w, range, &i, &len))) {
		auto_free char *name = strndup(p, len);

		if (!name)
			abort();
		if (!has_name(r, name))
			add_problem(r->x, name, ENOENT, NULL);
	}
}

/* -- Attributes ---------------------------------------------------------------- */

/* An entry that fails has mode 0 and its errno in ino. */
static void
examine(void *arg, size_t from, size_t to)
{
	struct reading *r = arg;

	for (size_t i = from; i < to; i++) {
		const struct found *f = &r->found[i];
		struct scan_entry *en = &r->entries[f->place];
		const char *name = name_at(r, f->name_off);
		int rc = attributes_read(r->fd, name, &en->a, NULL);

		if (rc < 0)
			en->a = (struct attributes){ .ino = (uint64_t)-rc };
		en->name_off = f->name_off;
		en->name_len = (uint16_t)strlen(name);
	}
}

static void
examine_all(struct reading *r, bool help)
{
	struct scan_share share = { .run = examine, .arg = r, .n = r->n };

	for (size_t i = 0; i < r->n; i++)
		r->found[i].place = (uint32_t)i;
	if (r->n)
		qsort(r->found, r->n, sizeof(*r->found), by_ino);
	r->entries = xcalloc(r->n + 1, sizeof(*r->entries));
	if (help && r->n >= SHARE_MIN)
		scan_share(r->s, &share);
	else
		examine(r, 0, r->n);
}

/* What could only be decided with the attributes at hand. */
static bool
is_kept(struct reading *r, const struct scan_entry *en)
{
	const struct exclude_rules *rules = r->s->o.rules;
	const char *name = name_at(r, en->name_off);
	unsigned char type = type_at(r, en->name_off);
	bool is_dir = S_ISDIR(en->a.mode);

	if (en->a.mode == 0) {
		add_problem(r->x, name, (int)en->a.ino, NULL);
		return false;
	}
	if ((type == DT_UNKNOWN || is_dir != (type == DT_DIR)) &&
		leaves_out(r, name, is_dir))
		return false;
	if (rules && S_ISREG(en->a.mode) && exclude_larger(rules, en->a.size)) {
		r->x->pub.n_excluded++;
		return false;
	}
	return true;
}

/* Put name and target of a symlink one behind the other. */
static bool
read_target(struct reading *r, struct scan_entry *en)
{
	char name[NAME_LEN_MAX + 1];
	size_t off;
	int rc;

	memcpy(name, name_at(r, en->name_off), en->name_len + 1u);
	off = r->names.len;
	buf_append(&r->names, name, en->name_len + 1u);
	rc = off < UINT32_MAX - SYMLINK_LEN_MAX - 2 * NAME_LEN_MAX ?
		attributes_target(r->fd, name, &r->names, NULL) :
		-EOVERFLOW;
	buf_zeros(&r->names, 1);
	if (rc < 0) {
		add_problem(r->x, name, -rc, NULL);
		return false;
	}
	en->name_off = (uint32_t)off;
	return true;
}

static bool
is_mount(const struct reading *r, const struct scan_entry *en)
{
	return r->s->o.one_file_system && S_ISDIR(en->a.mode) &&
		en->a.dev != r->s->dev;
}

/* Close the gaps; note which entries are directories to enter. */
static void
settle(struct reading *r)
{
	struct scan_node *x = r->x;
	uint32_t n = 0, dirs = 0;

	for (size_t i = 0; i < r->n; i++) {
		struct scan_entry *en = &r->entries[i];

		if (!is_kept(r, en) ||
			(S_ISLNK(en->a.mode) && !read_target(r, en)))
			continue;
		if (is_mount(r, en))
			en->flags |= SCAN_MOUNT;
		else if (S_ISDIR(en->a.mode))
			dirs++;
		r->entries[n++] = *en;
	}
	x->subdirs = xcalloc(dirs + 1, sizeof(*x->subdirs));
	for (uint32_t i = 0; i < n; i++)
		if (S_ISDIR(r->entries[i].a.mode) &&
			!(r->entries[i].flags & SCAN_MOUNT))
			x->subdirs[x->n_subdirs++] = i;
	x->pub.n = n;
	x->pub.entries = steal(r->entries);
}

/* Names as long as they are, in memory that is no longer than them. */
static void
keep_names(struct reading *r)
{
	size_t len;
	uint8_t *names = buf_steal(&r->names, &len);

	r->x->pub.names = names ? xrealloc(names, len + 1) : NULL;
}

int
scan_read(struct scan *s, struct scan_node *x, size_t limit, bool help)
{
	AUTO(reading_release) struct reading r = {
		.s = s, .x = x, .fd = x->fd, .limit = limit
	};
	int rc;

	if (s->o.one_file_system && x->pub.a.dev != s->dev)
		return 0;
	rc = read_names(&r);
	if (rc < 0)
		return rc;
	enter_rules(&r);
	sort_names(&r);
	miss_wanted(&r);
	filter_names(&r);
	examine_all(&r, help);
	settle(&r);
	keep_names(&r);
	return 0;
}

void
scan_read_release(struct scan_node *x)
{
	struct scan_problem *p;

	while ((p = x->problems)) {
		x->problems = p->next;
		free(p->text);
		free(p);
	}
	x->problems_end = &x->problems;
	free((void *)(uintptr_t)x->pub.entries);
	free((void *)(uintptr_t)x->pub.names);
	free(x->subdirs);
	exclude_dir_put(x->rules);
	x->pub.entries = NULL;
	x->pub.names = NULL;
	x->subdirs = NULL;
	x->rules = NULL;
	x->pub.n = x->pub.n_excluded = x->n_subdirs = 0;
}
