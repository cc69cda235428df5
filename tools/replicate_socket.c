/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Each replicator listens on a socket of its own, control/PID below its state
 * directory, which only its owner may enter.  A request is a line of JSON, the
 * answer lines of JSON until the end.  Sockets of processes that died are
 * removed by whoever finds them.
 */
#include "tools/replicate.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include "repo/base/auto.h"
#include "repo/base/buf.h"

char *
replicate_state_dir(void)
{
	const char *given = getenv("STATE_DIRECTORY");
	const char *state = getenv("XDG_STATE_HOME");
	const char *home = getenv("HOME");

	if (given && *given == '/')
		return xstrdup(given);
	if (state && *state == '/')
		return xasprintf("%s/yore/replicate", state);
	return xasprintf("%s/.local/state/yore/replicate", home ? home : "");
}

/* By way of the directory's descriptor: its path may be longer than a socket
 * address. */
static struct sockaddr_un
address(int dir_fd, const char *name)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };

	snprintf(sa.sun_path, sizeof(sa.sun_path), "/proc/self/fd/%d/%.32s",
		dir_fd, name);
	return sa;
}

static int
open_control(const char *state_dir, struct err *e)
{
	auto_free char *dir = xasprintf("%s/control", state_dir);
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? err_sys(e, errno, "%s", dir) : fd;
}

int
replicate_listen(const char *state_dir, char **name, struct err *e)
{
	auto_free char *dir = xasprintf("%s/control", state_dir);
	auto_free char *own = xasprintf("%ld", (long)getpid());
	auto_close int dir_fd = -1, fd = -1;
	struct sockaddr_un sa;

	if (mkdir(dir, 0700) && errno != EEXIST)
		return err_sys(e, errno, "%s", dir);
	dir_fd = open_control(state_dir, e);
	if (dir_fd < 0)
		return dir_fd;
	sa = address(dir_fd, own);
	unlinkat(dir_fd, own, 0);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || fchmod(fd, 0600) ||
		bind(fd, (struct sockaddr *)&sa, sizeof(sa)) ||
		fchmodat(dir_fd, own, 0600, 0) || listen(fd, 8))
		return err_sys(e, errno, "%s/%s", dir, own);
	*name = xasprintf("%s/%s", dir, own);
	return steal_fd(fd);
}

/* -- Asking
 * --------------------------------------------------------------------- */

static int
call(int dir_fd, const char *name)
{
	struct sockaddr_un sa = address(dir_fd, name);
	auto_close int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	if (!connect(fd, (struct sockaddr *)&sa, sizeof(sa)))
		return steal_fd(fd);
	if (errno == ECONNREFUSED)
		unlinkat(dir_fd, name, 0);
	return -1;
}

static void
talk(int fd, json_t *request, void (*line)(void *ctx, json_t *line), void *ctx)
{
	auto_fclose FILE *f = fdopen(fd, "r+");
	auto_free char *text = NULL;
	size_t cap = 0;
	json_t *answer;

	if (!f || json_dumpf(request, f, JSON_COMPACT) || putc('\n', f) < 0 ||
		fflush(f))
		return;
	while (getline(&text, &cap, f) > 0) {
		answer = json_loads(text, 0, NULL);
		if (answer)
			line(ctx, answer);
		json_decref(answer);
	}
}

int
replicate_ask(const char *state_dir, json_t *request,
	void (*line)(void *ctx, json_t *line), void *ctx, struct err *e)
{
	int dir_fd = open_control(state_dir, e), n = 0;
	auto_closedir DIR *d = dir_fd < 0 ? NULL : fdopendir(dir_fd);
	struct dirent *en;

	if (dir_fd < 0)
		return dir_fd == -ENOENT ? 0 : dir_fd;
	while ((en = readdir(d))) {
		int fd = en->d_name[0] == '.' ? -1 : call(dir_fd, en->d_name);

		if (fd < 0)
			continue;
		talk(fd, request, line, ctx);
		n++;
	}
	return n;
}
