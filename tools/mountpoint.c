/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/mountpoint.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <unistd.h>
#include "repo/base/auto.h"
#include "repo/base/buf.h"
#include "tools/print.h"

#define USERS_SHOWN 5
#define ARGUMENTS_MAX (128 * 1024) /* bytes looked at */

/* mountinfo writes space, tab, newline and backslash as \ooo. */
static void
unescape(char *s)
{
	char *out = s;

	for (; *s; s++)
		if (s[0] == '\\' && s[1] && s[2] && s[3]) {
			*out++ = (char)((s[1] - '0') * 64 + (s[2] - '0') * 8 +
					(s[3] - '0'));
			s += 3;
		} else {
			*out++ = *s;
		}
	*out = '\0';
}

/* The mountpoint (field 5) and type (after " - ") of one line, in place. */
static bool
parse_line(char *line, char **where, char **type)
{
	char *rest = strstr(line, " - "), *save = NULL;

	if (!rest)
		return false;
	*rest = '\0';
	strtok_r(line, " ", &save);
	for (int i = 0; i < 4; i++)
		*where = strtok_r(NULL, " ", &save);
	*type = strtok_r(rest + 3, " ", &save);
	if (!*where || !*type)
		return false;
	unescape(*where);
	return true;
}

unsigned
mountpoint_depth(const char *path)
{
	auto_fclose FILE *f = fopen("/proc/self/mountinfo", "re");
	auto_free char *line = NULL;
	char *where, *type;
	bool yore = false; /* the last line of a path is the topmost mount */
	unsigned n = 0;
	size_t size = 0;

	while (f && getline(&line, &size, f) > 0)
		if (parse_line(line, &where, &type) &&
			strcmp(where, path) == 0) {
			yore = strcmp(type, "fuse.yorefs") == 0;
			n++;
		}
	return yore ? n : 0;
}

char *
mountpoint_path(const char *path)
{
	auto_free char *for_dir = xstrdup(path), *for_name = xstrdup(path);
	auto_free char *parent = NULL;
	const char *name = basename(for_name);

	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 ||
		strcmp(name, "/") == 0)
		return realpath(path, NULL);
	parent = realpath(dirname(for_dir), NULL);
	if (!parent)
		return NULL;
	return xasprintf("%s/%s", strcmp(parent, "/") ? parent : "", name);
}

/* -- Who is there
 * ------------------------------------------------------------------ */

static bool
link_leads_below(int dir, const char *name, const char *path)
{
	char target[4096];
	ssize_t n = readlinkat(dir, name, target, sizeof(target) - 1);
	size_t len = strlen(path);

	if (n < 0)
		return false;
	target[n] = '\0';
	return strncmp(target, path, len) == 0 &&
	       (target[len] == '/' || target[len] == '\0');
}

static bool
process_uses(int proc, const char *path)
{
	auto_closedir DIR *fds = NULL;
	struct dirent *d;
	int fd;

	if (link_leads_below(proc, "cwd", path) ||
		link_leads_below(proc, "root", path) ||
		link_leads_below(proc, "exe", path))
		return true;
	fd = openat(proc, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || !(fds = fdopendir(fd)))
		return false;
	while ((d = readdir(fds)))
		if (link_leads_below(fd, d->d_name, path))
			return true;
	return false;
}

static void
add_user(struct buf *users, int proc, const char *pid)
{
	auto_close int fd = openat(proc, "comm", O_RDONLY | O_CLOEXEC);
	char name[64] = "?", safe[256];
	ssize_t n = fd < 0 ? -1 : read(fd, name, sizeof(name) - 1);

	if (n > 0)
		name[n - (name[n - 1] == '\n')] = '\0';
	err_escape(safe, sizeof(safe), name, strlen(name));
	buf_printf(users, "%s%s (%s)", users->len ? ", " : "", safe, pid);
}

/* Call for every process but this one, until it says no. */
static void
each_process(bool (*each)(void *ctx, int proc, const char *pid), void *ctx)
{
	auto_closedir DIR *all = opendir("/proc");
	struct dirent *d;
	bool more = true;

	while (all && more && (d = readdir(all))) {
		auto_close int proc = -1;

		if (!isdigit((unsigned char)d->d_name[0]) ||
			atoi(d->d_name) == getpid())
			continue;
		proc = openat(dirfd(all), d->d_name,
			O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (proc >= 0)
			more = each(ctx, proc, d->d_name);
	}
}

struct users {
	const char *path;
	struct buf names;
	size_t n;
};

static bool
note_user(void *ctx, int proc, const char *pid)
{
	struct users *u = ctx;

	if (!process_uses(proc, u->path))
		return true;
	add_user(&u->names, proc, pid);
	return ++u->n < USERS_SHOWN;
}

char *
mountpoint_users(const char *path)
{
	struct users u = { .path = path, .names = BUF_INIT };
	size_t len;

	each_process(note_user, &u);
	buf_append(&u.names, "", 1);
	return (char *)buf_steal(&u.names, &len);
}

/* -- Who serves it ---------------------------------------------------------- */

struct daemons {
	const char *path;
	int *fds;
	size_t n, max;
};

/* Whether a process is yorefs, and was told of the path. */
static bool
process_serves(int proc, const char *path)
{
	auto_close int comm = openat(proc, "comm", O_RDONLY | O_CLOEXEC);
	auto_close int args = openat(proc, "cmdline", O_RDONLY | O_CLOEXEC);
	auto_free char *all = xcalloc(1, ARGUMENTS_MAX + 1);
	char name[64] = "";
	ssize_t n;

	if (comm < 0 || read(comm, name, sizeof(name) - 1) < 0 ||
		strcmp(name, "yorefs\n") != 0)
		return false;
	n = args < 0 ? -1 : read(args, all, ARGUMENTS_MAX);
	for (ssize_t at = 0; at < n; at += (ssize_t)strlen(all + at) + 1)
		if (strcmp(all + at, path) == 0)
			return true;
	return false;
}

static bool
note_daemon(void *ctx, int proc, const char *pid)
{
	struct daemons *ds = ctx;
	int fd = process_serves(proc, ds->path) ? pidfd_open(atoi(pid), 0) : -1;

	if (fd >= 0)
		ds->fds[ds->n++] = fd;
	return ds->n < ds->max;
}

size_t
mountpoint_daemons(const char *path, int *fds, size_t n)
{
	struct daemons ds = { .path = path, .fds = fds, .max = n };

	each_process(note_daemon, &ds);
	return ds.n;
}
