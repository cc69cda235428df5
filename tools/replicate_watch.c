/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What changes, as inotify(7) tells: one watch for each directory with
 * databases in it.  What other files do there is passed over.
 */
#include "tools/replicate.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>
#include "repo/base/auto.h"
#include "repo/base/buf.h"
#include "repo/base/log.h"
#include "repo/sqlite/header.h"

#define EVENTS (IN_MODIFY | IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE)

/* A database in a directory. */
struct file {
	char *name;
	size_t index; /* of the replicator */
};

struct dir {
	char *path;
	int wd;
	bool matching; /* all files that match the pattern */
	struct file *files;
	size_t n, cap;
};

struct replicate_watch {
	struct replicate *r;
	bool recurring;
	int fd;
	struct dir *dirs;
	size_t n, cap;
};

struct replicate_watch *
replicate_watch_new(struct replicate *r, bool recurring)
{
	struct replicate_watch *w = xcalloc(1, sizeof(*w));

	w->r = r;
	w->recurring = recurring;
	w->fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (w->fd < 0)
		log_warn("inotify: %s: databases are looked at every second",
			strerror(errno));
	return w;
}

void
replicate_watch_free(struct replicate_watch *w)
{
	if (!w)
		return;
	for (size_t i = 0; i < w->n; i++) {
		for (size_t j = 0; j < w->dirs[i].n; j++)
			free(w->dirs[i].files[j].name);
		free(w->dirs[i].files);
		free(w->dirs[i].path);
	}
	free(w->dirs);
	if (w->fd >= 0)
		close(w->fd);
	free(w);
}

int
replicate_watch_fd(const struct replicate_watch *w)
{
	return w->fd;
}

/* -- Adding
 * --------------------------------------------------------------------- */

static struct dir *
watch_dir(struct replicate_watch *w, const char *path)
{
	struct dir *d;

	for (size_t i = 0; i < w->n; i++)
		if (!strcmp(w->dirs[i].path, path))
			return &w->dirs[i];
	if (w->n == w->cap) {
		w->cap = w->cap * 2 + 8;
		w->dirs = xrealloc(w->dirs, w->cap * sizeof(*w->dirs));
	}
	d = &w->dirs[w->n++];
	*d = (struct dir){ .path = xstrdup(path), .wd = -1 };
	if (w->fd >= 0)
		d->wd = inotify_add_watch(w->fd, path, EVENTS);
	if (w->fd >= 0 && d->wd < 0) {
		log_warn("%s cannot be watched: %s: databases are looked at "
			 "every second",
			path, strerror(errno));
		close(steal_fd(w->fd));
	}
	return d;
}

static int
add_file(struct replicate_watch *w, struct dir *d, const char *name,
	const char *source, struct err *e)
{
	auto_free char *path =
		xasprintf("%s/%s", strcmp(d->path, "/") ? d->path : "", name);
	size_t index;
	int r = replicator_add(w->r->replicator, path, source, &index, e);

	if (r)
		return r;
	if (d->n == d->cap) {
		d->cap = d->cap * 2 + 8;
		d->files = xrealloc(d->files, d->cap * sizeof(*d->files));
	}
	d->files[d->n++] = (struct file){ xstrdup(name), index };
	return 0;
}

static bool
ends_in(const char *name, const char *end)
{
	size_t n = strlen(name), m = strlen(end);

	return n > m && !strcmp(name + n - m, end);
}

static bool
matches(const struct replicate_watch *w, const char *name)
{
	return !ends_in(name, "-wal") && !ends_in(name, "-shm") &&
	       !ends_in(name, "-journal") &&
	       !fnmatch(w->r->pattern, name, FNM_PERIOD);
}

/* Nothing of it is locked by this process, so it may be opened and closed. */
static bool
is_database(int dir_fd, const char *name)
{
	uint8_t head[SQLITE_HEADER_LEN];
	struct sqlite_header h;
	auto_close int fd = openat(
		dir_fd, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
	struct stat st;

	return fd >= 0 && !fstat(fd, &st) && S_ISREG(st.st_mode) &&
	       pread(fd, head, sizeof(head), 0) == sizeof(head) &&
	       !sqlite_header_decode(head, &h, NULL);
}

static const struct file *
find(const struct dir *d, const char *name, size_t len)
{
	for (size_t i = 0; i < d->n; i++)
		if (!strncmp(d->files[i].name, name, len) &&
			!d->files[i].name[len])
			return &d->files[i];
	return NULL;
}

static void
maybe_add(
	struct replicate_watch *w, struct dir *d, int dir_fd, const char *name)
{
	struct err e = ERR_INIT;

	if (find(d, name, strlen(name)) || !matches(w, name) ||
		!is_database(dir_fd, name))
		return;
	if (add_file(w, d, name, name, &e))
		log_error("%s", e.text);
	else
		log_info("%s/%s: is replicated from now on", d->path, name);
}

static int
add_dir(struct replicate_watch *w, const char *path, struct err *e)
{
	struct dir *d = watch_dir(w, path);
	auto_closedir DIR *dir = opendir(path);
	struct dirent *en;

	if (!dir)
		return err_sys(e, errno, "%s", path);
	d->matching = true;
	while ((en = readdir(dir)))
		maybe_add(w, d, dirfd(dir), en->d_name);
	if (!d->n)
		log_warn("%s: no database there matches %s%s", path,
			w->r->pattern, w->recurring ? " yet" : "");
	return 0;
}

/* A file's real directory, so that one file has one path. */
static int
split(const char *path, char **dir, const char **name, struct err *e)
{
	auto_free char *given = xstrdup(path);
	char *slash = strrchr(given, '/');

	*name = slash ? strrchr(path, '/') + 1 : path;
	if (slash)
		slash[slash == given] = 0;
	*dir = realpath(slash ? given : ".", NULL);
	if (!*dir)
		return err_sys(e, errno, "%s", path);
	if (!**name)
		return err_set(e, EINVAL, "%s is not a database", path);
	return 0;
}

int
replicate_watch_add(struct replicate_watch *w, const char *path, struct err *e)
{
	auto_free char *real = realpath(path, NULL);
	auto_free char *dir = NULL;
	const char *name;
	struct stat st;
	int r;

	if (real && !stat(real, &st) && S_ISDIR(st.st_mode)) {
		if (!w->r->pattern)
			return err_set(e, EINVAL,
				"%s is a directory: give --pattern too", path);
		return add_dir(w, real, e);
	}
	r = split(real ? real : path, &dir, &name, e);
	if (r)
		return r;
	return add_file(w, watch_dir(w, dir), name,
		w->r->source ? w->r->source : name, e);
}

/* -- Changes
 * -------------------------------------------------------------------- */

static void
take_name(struct replicate_watch *w, struct dir *d, const char *name)
{
	bool log = ends_in(name, "-wal");
	size_t len = strlen(name) - (log ? strlen("-wal") : 0);
	const struct file *f = find(d, name, len);

	if (f)
		replicator_changed(w->r->replicator, f->index, !log);
	if (f || !d->matching || !w->recurring)
		return;
	{
		auto_close int fd =
			open(d->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		if (fd >= 0)
			maybe_add(w, d, fd, name);
	}
}

void
replicate_watch_poll(struct replicate_watch *w)
{
	for (size_t i = 0; i < replicator_count(w->r->replicator); i++)
		replicator_changed(w->r->replicator, i, true);
}

static void
take_event(struct replicate_watch *w, const struct inotify_event *ev)
{
	if (ev->mask & IN_Q_OVERFLOW)
		replicate_watch_poll(w);
	for (size_t i = 0; i < w->n && ev->len; i++)
		if (w->dirs[i].wd == ev->wd)
			take_name(w, &w->dirs[i], ev->name);
}

void
replicate_watch_read(struct replicate_watch *w)
{
	char bytes[65536]
		__attribute__((aligned(__alignof__(struct inotify_event))));
	ssize_t n = read(w->fd, bytes, sizeof(bytes));

	for (ssize_t at = 0; at < n;) {
		const struct inotify_event *ev = (void *)(bytes + at);

		take_event(w, ev);
		at += (ssize_t)(sizeof(*ev) + ev->len);
	}
}
