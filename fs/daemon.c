/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include "repo/base/auto.h"
#include "repo/base/log.h"
#include "fs/daemon.h"

static void
wait_and_exit(int report, pid_t child)
{
	unsigned char status = 1;
	int how;
	ssize_t n;

	do
		n = read(report, &status, 1);
	while (n < 0 && errno == EINTR);
	if (n == 1)
		_exit(status);
	if (waitpid(child, &how, 0) == child && WIFSIGNALED(how))
		_exit(WTERMSIG(how) == SIGINT ? 130 : 1);
	_exit(1);
}

/* More than a store keeps open (repo/store/handles.h), and threads do. */
#define DESCRIPTORS 512

void
daemon_reserve_descriptors(void)
{
	int fd = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, DESCRIPTORS - 1);

	if (fd >= 0)
		close(fd);
}

static void
close_inherited(int keep)
{
	unsigned from = STDERR_FILENO + 1;

	if (keep >= (int)from) {
		if (keep > (int)from)
			close_range(from, (unsigned)keep - 1, 0);
		from = (unsigned)keep + 1;
	}
	close_range(from, ~0u, 0);
}

int
daemon_fork(int keep)
{
	int fds[2];
	pid_t child;

	close_inherited(keep);
	if (pipe2(fds, O_CLOEXEC) != 0) {
		log_error("pipe: %s", strerror(errno));
		return -1;
	}
	child = fork();
	if (child > 0) {
		close(fds[1]);
		wait_and_exit(fds[0], child);
	}
	close(fds[0]);
	if (child == 0)
		return fds[1];
	log_error("fork: %s", strerror(errno));
	close(fds[1]);
	return -1;
}

static void
tell(int report, unsigned char status)
{
	if (report < 0)
		return;
	if (write(report, &status, 1) != 1)
		log_warn("whoever started this mount did not wait for it");
	close(report);
}

void
daemon_failed(int report, int status)
{
	tell(report, (unsigned char)status);
}

void
daemon_ready(int report)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	log_to_syslog();
	setsid();
	if (chdir("/") != 0)
		log_warn("cannot leave the working directory: %s",
			strerror(errno));
	for (int fd = 0; fd < 3 && null >= 0; fd++)
		dup2(null, fd);
	if (null > 2)
		close(null);
	tell(report, 0);
}

void
daemon_notify(const char *state)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	auto_close int fd = -1;
	socklen_t len;

	if (!path || (*path != '/' && *path != '@') ||
		strlen(path) >= sizeof(to.sun_path))
		return;
	memcpy(to.sun_path, path, strlen(path));
	if (*path == '@')
		to.sun_path[0] = '\0';
	len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) +
			  strlen(path));
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || sendto(fd, state, strlen(state), MSG_NOSIGNAL,
			      (struct sockaddr *)&to, len) < 0)
		log_warn("cannot notify %s: %s", path, strerror(errno));
}
