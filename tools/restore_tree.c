/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/restore.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#include "repo/base/auto.h"
#include "repo/base/buf.h"
#include "repo/base/log.h"
#include "tools/resolve.h"
#include "tools/walk.h"

/* -- Names of one file, by its number
 * ------------------------------------------------- */

struct link_table {
	void *root; /* of tsearch(3) */
};

struct link_entry {
	uint64_t ino;
	struct link_group group;
};

static int
by_ino(const void *a, const void *b)
{
	uint64_t x = ((const struct link_entry *)a)->ino;
	uint64_t y = ((const struct link_entry *)b)->ino;

	return (x > y) - (x < y);
}

static struct link_group *
link_group_of(struct restore *r, const struct view_attr *a)
{
	struct link_entry *made, **found;

	if (a->nlink < 2)
		return NULL;
	made = xcalloc(1, sizeof(*made));
	made->ino = a->ino;
	found = tsearch(made, &r->links->root, by_ino);
	if (!found)
		abort(); /* no memory */
	if (*found != made) {
		free(made);
	} else {
		pthread_mutex_init(&made->group.lock, NULL);
		pthread_cond_init(&made->group.changed, NULL);
	}
	return &(*found)->group;
}

static void
link_entry_free(void *p)
{
	struct link_entry *entry = p;

	pthread_cond_destroy(&entry->group.changed);
	pthread_mutex_destroy(&entry->group.lock);
	free(entry->group.path);
	free(entry);
}

/* -- The walk
 * ------------------------------------------------------------------------------
 */

/* How directories of this pass come to be: made, or only opened. */
typedef struct rdir *rdir_opener(struct rdir *parent, const char *name,
	const struct view_attr *a, struct err *e);

/* The directories on the way to the entry at hand; [0] is the target. */
struct trail {
	struct rdir **dirs;
	size_t n, cap;
};

static void
trail_push(struct trail *t, struct rdir *d)
{
	if (t->n == t->cap) {
		t->cap = t->cap ? 2 * t->cap : 64;
		t->dirs = xrealloc(t->dirs, t->cap * sizeof(*t->dirs));
	}
	t->dirs[t->n++] = d;
}

static void
trail_cut(struct trail *t, size_t n)
{
	while (t->n > n)
		rdir_put(t->dirs[--t->n]);
}

static struct job *
job_new(struct restore *r, struct rdir *dir, const char *name, size_t len,
	const struct view_attr *a)
{
	struct job *j = xcalloc(1, sizeof(*j) + len + 1);

	j->dir = rdir_get(dir);
	j->attr = *a;
	j->group = link_group_of(r, a);
	j->name_len = len;
	memcpy(j->name, name, len);
	return j;
}

static void
visit(struct restore *r, struct trail *t, struct walk *w,
	const struct walk_entry *en, rdir_opener *open_dir)
{
	struct rdir *parent = t->dirs[en->depth - 1], *d;
	struct err e = ERR_INIT;

	if (!resolve_name_ok(en->name, en->name_len)) {
		err_set(&e, EUCLEAN, "is not a name");
		restore_failed(&r->report, parent, en->name, &e);
		walk_skip(w);
	} else if (!S_ISDIR(en->attr.mode)) {
		pool_add(r->pool,
			job_new(r, parent, en->name, en->name_len, &en->attr));
	} else if ((d = open_dir(parent, en->name, &en->attr, &e))) {
		trail_push(t, d);
		r->report.entries += open_dir == rdir_make;
	} else {
		restore_failed(&r->report, parent, en->name, &e);
		walk_skip(w);
	}
	if (r->options->verbose)
		log_info("%s", en->path);
}

/* One pass over all below the node: top is taken over. */
static void
pass(struct restore *r, struct rdir *top, uint64_t node, rdir_opener *open_dir,
	void (*work)(struct restore *r, struct job *j))
{
	auto_walk struct walk *w = walk_new(r->view, node);
	struct trail t = { .n = 0 };
	const struct walk_entry *en;
	struct err e = ERR_INIT;
	int code;

	r->pool = pool_new(r, r->options->threads, work);
	trail_push(&t, top);
	while (!restore_stopped(r) && (code = walk_next(w, &en, &e)) != 0) {
		if (code < 0) {
			restore_failed_text(&r->report, &e);
			continue;
		}
		trail_cut(&t, en->depth);
		if (!en->leaving)
			visit(r, &t, w, en, open_dir);
	}
	trail_cut(&t, 0);
	free(t.dirs);
	pool_finish(r->pool);
	r->pool = NULL;
}

/* What would be done, and what is in the way of it. */
static void
dry_pass(struct restore *r, uint64_t node)
{
	auto_walk struct walk *w = walk_new(r->view, node);
	const struct walk_entry *en;
	struct err e = ERR_INIT;
	struct stat st;
	int code;

	while (!restore_stopped(r) && (code = walk_next(w, &en, &e)) != 0) {
		if (code < 0)
			restore_failed_text(&r->report, &e);
		if (code < 0 || en->leaving)
			continue;
		r->report.entries++;
		if (S_ISREG(en->attr.mode)) {
			r->report.files++;
			r->report.bytes += en->attr.size;
		}
		if (r->target_fd >= 0 && !S_ISDIR(en->attr.mode) &&
			r->options->overwrite == OVERWRITE_NEVER &&
			fstatat(r->target_fd, en->path, &st,
				AT_SYMLINK_NOFOLLOW) == 0) {
			err_set(&e, EEXIST,
				"%s: exists (--overwrite replaces"
				" it)",
				en->path);
			restore_failed_text(&r->report, &e);
		}
		if (r->options->verbose)
			log_info("%s", en->path);
	}
}

/* -- The target
 * -------------------------------------------------------------------------------
 */

/* Make the directories above the last component. */
static int
make_parents(const char *path, struct err *e)
{
	auto_free char *copy = xstrdup(path);

	for (char *p = copy + 1; (p = strchr(p, '/')); p++) {
		*p = '\0';
		if (mkdir(copy, 0777) < 0 && errno != EEXIST)
			return err_sys(e, errno, "%s", copy);
		*p = '/';
	}
	return 0;
}

static bool
is_empty(int fd)
{
	auto_closedir DIR *dir =
		fdopendir(openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	struct dirent *d;

	while (dir && (d = readdir(dir)))
		if (strcmp(d->d_name, ".") != 0 && strcmp(d->d_name, "..") != 0)
			return false;
	return dir != NULL;
}

/* One line instead of one for every file. */
static int
check_kernel(int fd, struct err *e)
{
	auto_close int again = resolve_open(fd, ".", O_PATH | O_DIRECTORY, 0);

	if (again == -ENOSYS)
		return err_set(e, ENOSYS,
			"cannot restore safely: this kernel lacks openat2"
			" (Linux 5.6 or newer has it)");
	return 0;
}

static int
restore_directory(struct restore *r, const struct view_attr *a,
	const char *target, struct err *e)
{
	bool made = false, ours;
	int fd, why = 0;

	if (!r->options->dry_run) {
		if (make_parents(target, e) < 0)
			return -e->code;
		made = mkdir(target, 0700) == 0;
		why = made ? 0 : errno;
	}
	fd = open(target, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT && why)
		return err_sys(e, why, "cannot make %s", target);
	if (fd < 0 && !(r->options->dry_run && errno == ENOENT))
		return err_sys(e, errno, "%s", target);
	r->target_fd = fd;
	if (r->options->dry_run) {
		dry_pass(r, a->node);
		return 0;
	}
	if (check_kernel(fd, e) < 0)
		return -e->code;
	ours = made || r->options->overwrite || is_empty(fd);
	pass(r, rdir_top(r, fcntl(fd, F_DUPFD_CLOEXEC, 3), a, ours), a->node,
		rdir_make, job_restore);
	if (r->options->verify && !restore_stopped(r))
		pass(r, rdir_top(r, fcntl(fd, F_DUPFD_CLOEXEC, 3), a, false),
			a->node, rdir_open, job_verify);
	return 0;
}

static void
one_job(struct restore *r, const struct view_attr *a, const char *name,
	void (*work)(struct restore *r, struct job *j))
{
	struct rdir *top =
		rdir_top(r, fcntl(r->target_fd, F_DUPFD_CLOEXEC, 3), a, false);

	r->pool = pool_new(r, r->options->threads, work);
	pool_add(r->pool, job_new(r, top, name, strlen(name), a));
	rdir_put(top);
	pool_finish(r->pool);
	r->pool = NULL;
}

/* Anything but a directory: it becomes target, or goes into it. */
static int
restore_single(struct restore *r, const struct view_attr *a, const char *path,
	const char *target, struct err *e)
{
	auto_free char *for_dir = xstrdup(target), *for_name = xstrdup(target);
	const char *slash = strrchr(path, '/'), *name, *dir = target;
	struct stat st;
	size_t len = strlen(target);

	name = slash ? slash + 1 : path;
	if ((stat(target, &st) < 0 || !S_ISDIR(st.st_mode)) &&
		!(len && target[len - 1] == '/')) {
		dir = dirname(for_dir);
		name = basename(for_name);
	}
	if (!resolve_name_ok(name, strlen(name)))
		return err_set(e, EINVAL, "%s: cannot be a file", target);
	r->target_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (r->target_fd < 0)
		return err_sys(e, errno, "%s", dir);
	if (r->options->dry_run) {
		r->report.entries = 1;
		return 0;
	}
	if (check_kernel(r->target_fd, e) < 0)
		return -e->code;
	one_job(r, a, name, job_restore);
	if (r->options->verify && !restore_stopped(r))
		one_job(r, a, name, job_verify);
	return 0;
}

/* A deep tree needs a descriptor a level. */
static void
raise_descriptor_limit(void)
{
	struct rlimit l;

	if (getrlimit(RLIMIT_NOFILE, &l) == 0) {
		l.rlim_cur = l.rlim_max;
		setrlimit(RLIMIT_NOFILE, &l);
	}
}

int
restore_run(struct restore *r, const struct view_attr *attr, const char *path,
	const char *target, struct err *e)
{
	struct link_table links = { .root = NULL };
	int code;

	raise_descriptor_limit();
	r->links = &links;
	r->target_fd = -1;
	if (S_ISDIR(attr->mode))
		code = restore_directory(r, attr, target, e);
	else
		code = restore_single(r, attr, path, target, e);
	if (r->target_fd >= 0)
		close(r->target_fd);
	tdestroy(links.root, link_entry_free);
	if (code == 0 && r->report.fatal.code) {
		*e = r->report.fatal;
		code = -e->code;
	}
	return code;
}
