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
#include <unistd.h>
#include "repo/base/auto.h"
#include "repo/base/buf.h"
#include "tools/print.h"

#define USERS_SHOWN 5

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

char *
mountpoint_users(const char *path)
{
	auto_closedir DIR *all = opendir("/proc");
	struct buf users = BUF_INIT;
	struct dirent *d;
	size_t n = 0;

	while (all && n < USERS_SHOWN && (d = readdir(all))) {
		auto_close int proc = -1;

		if (!isdigit((unsigned char)d->d_name[0]) ||
			atoi(d->d_name) == getpid())
			continue;
		proc = openat(dirfd(all), d->d_name,
			O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (proc < 0 || !process_uses(proc, path))
			continue;
		add_user(&users, proc, d->d_name);
		n++;
	}
	buf_append(&users, "", 1);
	return (char *)buf_steal(&users, &n);
}
