/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Depth first, the entries of each directory sorted with a '/' behind the
 * names of directories: then whole names come out in byte order ("a.b" before
 * "a/b" before "a0").
 *
 * A directory too big to sort in memory is read several times, each time for
 * the next BATCH names, or FEW where few are wanted: whenever twice as many are
 * collected, the upper half is dropped and with it all that would follow it.
 */
#include "repo/store/listing.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include "repo/base/buf.h"
#include "repo/base/clock.h"
#include "repo/store/beneath.h"
#include "repo/store/store.h"

#define BATCH 32768
#define FEW 256
#define NAME_SIZE (STORE_FOREIGN_NAME_MAX + 2) /* with a '/' behind */

/* The next names of one directory: whole names; directories end in '/'. */
struct batch {
	struct buf text; /* of one name after the other, terminated */
	size_t *at;	 /* where each begins */
	size_t n, cap;
	size_t max; /* BATCH or FEW */
	bool more; /* some were dropped: they sort after the last */
};

static void
batch_release(struct batch *b)
{
	buf_release(&b->text);
	free(b->at);
}
#define auto_batch AUTO(batch_release)

static const char *
name_at(const struct batch *b, size_t i)
{
	return (const char *)b->text.data + b->at[i];
}

static int
compare(const void *a, const void *b, void *text)
{
	const size_t *i = a, *k = b;

	return strcmp((char *)text + *i, (char *)text + *k);
}

static void
append(struct batch *b, const char *name)
{
	if (b->n == b->cap) {
		b->cap = b->cap ? b->cap * 2 : 64;
		b->at = xrealloc(b->at, b->cap * sizeof(*b->at));
	}
	b->at[b->n++] = b->text.len;
	buf_append(&b->text, name, strlen(name) + 1);
}

/* Only the first max are left. */
static void
trim(struct batch *b)
{
	struct batch left = { .max = b->max, .more = true };

	for (size_t i = 0; i < b->max; i++)
		append(&left, name_at(b, i));
	batch_release(b);
	*b = left;
}

static void
sort_and_trim(struct batch *b)
{
	if (b->n)
		qsort_r(b->at, b->n, sizeof(*b->at), compare, b->text.data);
	if (b->n > b->max)
		trim(b);
}

static void
add_to_batch(struct batch *b, const char *name)
{
	/* after a trim the first max are sorted */
	if (b->more && strcmp(name, name_at(b, b->max - 1)) > 0)
		return;
	append(b, name);
	if (b->n == 2 * b->max)
		sort_and_trim(b);
}

/* Whether name, or a name below it, sorts after `after`. */
static bool
comes_after(const char *name, const char *after)
{
	size_t len = strlen(name);

	if (strcmp(name, after) > 0)
		return true;
	return name[len - 1] == '/' && strncmp(after, name, len) == 0;
}

/* DT_DIR, DT_REG or another. */
static unsigned char
type_of(DIR *dir, const struct dirent *entry)
{
	struct stat st;

	if (entry->d_type != DT_UNKNOWN)
		return entry->d_type;
	if (fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return DT_UNKNOWN;
	return IFTODT(st.st_mode);
}

/* The whole name of an entry, "" when it is none of ours. */
static void
whole_name(const struct listing *l, char out[NAME_SIZE], const char *prefix,
	DIR *dir, const struct dirent *entry)
{
	size_t len = strlen(prefix) + strlen(entry->d_name);
	unsigned char type;

	out[0] = '\0';
	if (len > STORE_FOREIGN_NAME_MAX)
		return;
	strcpy(stpcpy(out, prefix), entry->d_name);
	if (!store_takes_name(l->store, out) ||
		strcmp(out, "lost+found") == 0) {
		out[0] = '\0';
		return;
	}
	type = type_of(dir, entry);
	if (type == DT_DIR)
		strcpy(out + len, "/");
	else if (type != DT_REG)
		out[0] = '\0';
}

/* Collect the names of one directory that come next, after `last`. */
static int
read_batch(struct listing *l, DIR *dir, const char *prefix, const char *last,
	struct batch *b, struct err *e)
{
	char name[NAME_SIZE];
	struct dirent *entry;

	rewinddir(dir);
	while (errno = 0, entry = readdir(dir)) {
		whole_name(l, name, prefix, dir, entry);
		if (name[0] && comes_after(name, l->q.after) &&
			strcmp(name, last) > 0)
			add_to_batch(b, name);
	}
	if (errno != 0)
		return err_sys(e, errno, "cannot list %s",
			*prefix ? prefix : "the repository");
	sort_and_trim(b);
	return 0;
}

static int64_t
ns_of(const struct timespec *t)
{
	int64_t ns;

	return __builtin_mul_overflow(t->tv_sec, NS_PER_S, &ns) ||
			       __builtin_add_overflow(ns, t->tv_nsec, &ns)
		       ? STORE_TIME_UNKNOWN
		       : ns;
}

/* 1 to go on, 0 when the callback has enough. */
static int
emit_file(struct listing *l, DIR *dir, const char *prefix, const char *name,
	struct err *e)
{
	struct store_object o = { .name = name,
		.modified_ns = STORE_TIME_UNKNOWN };
	struct stat st;

	if (l->names)
		return l->each(l->ctx, &o);
	if (fstatat(dirfd(dir), name + strlen(prefix), &st,
		    AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT
			       ? 1
			       : err_sys(e, errno, "cannot stat %s", name);
	if (!S_ISREG(st.st_mode))
		return 1;
	o.size = (uint64_t)st.st_size;
	o.modified_ns = ns_of(&st.st_mtim);
	return l->each(l->ctx, &o);
}

static int
emit_folder(struct listing *l, const char *name)
{
	struct store_object o = { .name = name,
		.modified_ns = STORE_TIME_UNKNOWN };

	return l->each(l->ctx, &o);
}

static int list_directory(struct listing *l, const char *prefix, struct err *e);

static int
emit_batch(struct listing *l, DIR *dir, const char *prefix,
	const struct batch *b, struct err *e)
{
	int r = 1;

	for (size_t i = 0; i < b->n && r == 1; i++) {
		const char *name = name_at(b, i);

		if (name[strlen(name) - 1] != '/')
			r = emit_file(l, dir, prefix, name, e);
		else
			r = l->q.folder ? emit_folder(l, name)
					: list_directory(l, name, e);
	}
	return r;
}

static int
open_directory(int root, const char *prefix, DIR **dir, struct err *e)
{
	auto_close int fd = beneath_open(
		root, *prefix ? prefix : ".", O_RDONLY | O_DIRECTORY, e);

	if (fd < 0)
		return fd;
	*dir = fdopendir(fd);
	if (!*dir)
		return err_sys(e, errno, "cannot list %s", prefix);
	steal_fd(fd);
	return 0;
}

/* As emit_file. */
static int
list_directory(struct listing *l, const char *prefix, struct err *e)
{
	auto_closedir DIR *dir = NULL;
	char last[NAME_SIZE] = "";
	bool more = true;
	int r = open_directory(l->root, prefix, &dir, e);

	if (r < 0)
		return r == -ENOENT ? 1 : r;
	for (r = 1; more && r == 1;) {
		auto_batch struct batch b = { .max = l->q.few ? FEW : BATCH };

		r = read_batch(l, dir, prefix, last, &b, e);
		if (r < 0)
			return r;
		more = b.more;
		if (more)
			strcpy(last, name_at(&b, b.n - 1));
		r = emit_batch(l, dir, prefix, &b, e);
	}
	return r;
}

int
listing_run(struct listing *l, struct err *e)
{
	int r = list_directory(l, l->q.prefix, e);

	return r < 0 ? r : 0;
}
