/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * yore umount: end a mount, and wait until it is gone and the program that
 * served it, which may use the cache until then, has ended.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "repo/base/auto.h"
#include "repo/base/log.h"
#include "tools/mountpoint.h"
#include "tools/options.h"

#define WAIT_STEPS 500
#define WAIT_STEP_NS 10000000 /* 5 s together */
#define DAEMONS_MAX 8
#define DAEMON_PATIENCE_S 30

/* fusermount3 is the setuid helper that lets users unmount what is theirs.
 * Its own words are not ours; only its status is used. */
static int
run_fusermount(const char *path, bool lazy)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		execlp("fusermount3", "fusermount3", "-q", lazy ? "-uz" : "-u",
			"--", path, (char *)NULL);
		_exit(127);
	}
	if (pid < 0)
		return -errno;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
		return -ENOPKG;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -EBUSY;
}

static int
detach(const char *path, bool lazy)
{
	if (geteuid() != 0)
		return run_fusermount(path, lazy);
	return umount2(path, UMOUNT_NOFOLLOW | (lazy ? MNT_DETACH : 0)) < 0
		       ? -errno
		       : 0;
}

/* The kernel may list it a little longer. */
static bool
wait_gone(const char *path, unsigned before)
{
	const struct timespec step = { .tv_nsec = WAIT_STEP_NS };

	for (int i = 0; i < WAIT_STEPS; i++) {
		if (mountpoint_depth(path) < before)
			return true;
		nanosleep(&step, NULL);
	}
	return false;
}

/* Of mounts that lie on each other one has ended.  Closes the descriptors. */
static bool
wait_ended(const int *daemons, size_t n)
{
	struct pollfd polled[DAEMONS_MAX];
	int r;

	for (size_t i = 0; i < n; i++)
		polled[i] =
			(struct pollfd){ .fd = daemons[i], .events = POLLIN };
	do
		r = poll(polled, n, n ? DAEMON_PATIENCE_S * 1000 : 0);
	while (r < 0 && errno == EINTR);
	for (size_t i = 0; i < n; i++)
		close(daemons[i]);
	return n == 0 || r > 0;
}

static int
explain(const char *path, int code)
{
	auto_free char *users = NULL;

	if (code == -ENOPKG) {
		log_error("%s: fusermount3 is not installed (package fuse3)",
			path);
		return STATUS_FAILED;
	}
	if (code != -EBUSY) {
		log_error("%s: %s", path, strerror(-code));
		return STATUS_FAILED;
	}
	users = mountpoint_users(path);
	log_error("%s is in use%s%s: end what uses it, or detach it now with"
		  " 'yore umount -l'",
		path, *users ? " by " : "", users);
	return STATUS_FAILED;
}

/* End the topmost of so many mounts at path. */
static int
end(const char *path, unsigned before, bool lazy)
{
	int daemons[DAEMONS_MAX];
	size_t n = lazy ? 0 : mountpoint_daemons(path, daemons, DAEMONS_MAX);
	int code = detach(path, lazy);

	if (code < 0)
		return explain(path, code);
	if (!wait_gone(path, before)) {
		log_error("%s: still there after 5 seconds", path);
		return STATUS_FAILED;
	}
	if (wait_ended(daemons, n))
		return STATUS_DONE;
	log_error("%s is unmounted, but the program that served it has not"
		  " ended within %d seconds",
		path, DAEMON_PATIENCE_S);
	return STATUS_FAILED;
}

static int
run(const struct command *c, int argc, char **argv)
{
	static const struct option own[] = {
		{ "lazy", no_argument, NULL, 'l' },
		{ NULL, 0, NULL, 0 },
	};
	auto_free char *path = NULL;
	struct options o;
	bool lazy = false;
	unsigned before;

	options_begin(&o, c, argc, argv, "l", own);
	while (options_next(&o) != -1)
		lazy = true;
	if (options_arguments(&o, 1, 1))
		return STATUS_USAGE;
	path = mountpoint_path(argv[optind]);
	before = path ? mountpoint_depth(path) : 0;
	if (before > 0)
		return end(path, before, lazy);
	log_error("%s: nothing of yore is mounted there", argv[optind]);
	return STATUS_FAILED;
}

const struct command command_umount = {
	.name = "umount",
	.synopsis = "[-l] MOUNTPOINT",
	.summary = "End a mount",
	.help = "  -l, --lazy                 detach now, end when unused\n",
	.run = run,
};
