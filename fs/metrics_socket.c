/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>
#include "repo/base/buf.h"
#include "fs/metrics_socket.h"
#include "fs/status.h"

#define REQUEST_MAX 4096
#define PATIENCE_S 2

struct metrics_socket {
	struct mount *mount;
	char *path;
	struct stat made; /* what was bound, so that nothing else is removed */
	int fd;
	int stop[2]; /* a pipe: closed to stop */
	pthread_t thread;
	bool serving;
};

/* -- Opening ------------------------------------------------------------- */

static int
address_of(const char *path, struct sockaddr_un *a, struct err *e)
{
	*a = (struct sockaddr_un){ .sun_family = AF_UNIX };
	if (strlen(path) >= sizeof(a->sun_path))
		return err_set(e, ENAMETOOLONG,
			"%s: a socket's path has at most %zu bytes", path,
			sizeof(a->sun_path) - 1);
	strcpy(a->sun_path, path);
	return 0;
}

/* Remove a socket that nobody answers at. */
static void
remove_left_over(const struct sockaddr_un *a)
{
	auto_close int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct stat st;

	if (fd < 0 || lstat(a->sun_path, &st) < 0 || !S_ISSOCK(st.st_mode))
		return;
	if (connect(fd, (const struct sockaddr *)a, sizeof(*a)) < 0 &&
		errno == ECONNREFUSED)
		unlink(a->sun_path);
}

static int
listen_at(const char *path, int *out, struct err *e)
{
	struct sockaddr_un a;
	int r = address_of(path, &a, e);
	mode_t old;

	if (r < 0)
		return r;
	auto_close int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	remove_left_over(&a);
	old = umask(0177);
	r = fd < 0 ? -1 : bind(fd, (struct sockaddr *)&a, sizeof(a));
	if (r == 0)
		r = listen(fd, 8);
	r = r < 0 ? -errno : 0;
	umask(old);
	if (r < 0)
		return err_sys(e, -r, "cannot listen at %s", path);
	*out = steal_fd(fd);
	return 0;
}

/* The mount leaves the working directory it was started in. */
static char *
absolute(const char *path)
{
	auto_free char *here = *path == '/' ? NULL : getcwd(NULL, 0);

	return here ? xasprintf("%s/%s", here, path) : xstrdup(path);
}

int
metrics_socket_open(
	const char *path, struct metrics_socket **out, struct err *e)
{
	struct metrics_socket *ms = xcalloc(1, sizeof(*ms));
	int r;

	ms->fd = ms->stop[0] = ms->stop[1] = -1;
	ms->path = absolute(path);
	r = listen_at(ms->path, &ms->fd, e);
	if (r == 0 && stat(ms->path, &ms->made) < 0)
		r = err_sys(e, errno, "%s", ms->path);
	if (r == 0 && pipe2(ms->stop, O_CLOEXEC) < 0)
		r = err_sys(e, errno, "cannot make a pipe");
	if (r < 0)
		metrics_socket_close(ms);
	else
		*out = ms;
	return r;
}

void
metrics_socket_close(struct metrics_socket *ms)
{
	struct stat st;

	if (!ms)
		return;
	auto_close_(&ms->stop[1]);
	if (ms->serving)
		pthread_join(ms->thread, NULL);
	auto_close_(&ms->stop[0]);
	auto_close_(&ms->fd);
	if (ms->made.st_ino && lstat(ms->path, &st) == 0 &&
		st.st_ino == ms->made.st_ino && st.st_dev == ms->made.st_dev)
		unlink(ms->path);
	free(ms->path);
	free(ms);
}

/* -- Answering ------------------------------------------------------------- */

/* Read a request up to its empty line, or as much as comes; its length. */
static size_t
read_request(int fd, char request[REQUEST_MAX])
{
	size_t n = 0;

	request[0] = '\0';
	while (n < REQUEST_MAX - 1) {
		ssize_t got = recv(fd, request + n, REQUEST_MAX - 1 - n, 0);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		n += (size_t)got;
		request[n] = '\0';
		if (strstr(request, "\r\n\r\n") || strstr(request, "\n\n"))
			break;
	}
	return n;
}

/* Which of the files below .yore/ is asked for; NULL: none. */
static const char *
file_asked_for(char *request)
{
	static const char *const files[] = { "metrics", "metrics.json" };
	char *path = request + strlen("GET /");

	if (strncmp(request, "GET /", strlen("GET /")) != 0)
		return NULL;
	path[strcspn(path, " ?\r\n")] = '\0';
	for (size_t i = 0; i < n_elements(files); i++)
		if (strcmp(path, files[i]) == 0)
			return files[i];
	return NULL;
}

static void
send_all(int fd, const void *data, size_t len)
{
	const char *p = data;

	while (len > 0) {
		ssize_t n = send(fd, p, len, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return;
		p += n;
		len -= (size_t)n;
	}
}

static void
send_file(struct mount *m, int fd, const char *name)
{
	struct picture *p = mount_picture(m);
	size_t len;
	auto_free char *body = status_text(m, p, name, &len);
	auto_free char *head =
		xasprintf("HTTP/1.0 200 OK\r\nContent-Type: %s\r\n"
			  "Content-Length: %zu\r\n\r\n",
			strcmp(name, "metrics") == 0
				? "text/plain; version=0.0.4; charset=utf-8"
				: "application/json",
			len);

	picture_put(p);
	send_all(fd, head, strlen(head));
	send_all(fd, body, len);
}

static void
answer(struct metrics_socket *ms)
{
	static const char nothing[] = "HTTP/1.0 404 Not Found\r\n"
				      "Content-Length: 0\r\n\r\n";
	const struct timeval patience = { .tv_sec = PATIENCE_S };
	auto_close int fd = accept4(ms->fd, NULL, NULL, SOCK_CLOEXEC);
	char request[REQUEST_MAX];
	const char *file;

	if (fd < 0)
		return;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	if (read_request(fd, request) == 0)
		return;
	file = file_asked_for(request);
	if (file)
		send_file(ms->mount, fd, file);
	else
		send_all(fd, nothing, sizeof(nothing) - 1);
}

static void *
serve(void *arg)
{
	struct metrics_socket *ms = arg;
	struct pollfd on[] = { { .fd = ms->fd, .events = POLLIN },
		{ .fd = ms->stop[0], .events = POLLIN } };

	while (!on[1].revents) {
		if (poll(on, 2, -1) > 0 && on[0].revents && !on[1].revents)
			answer(ms);
	}
	return NULL;
}

int
metrics_socket_serve(struct metrics_socket *ms, struct mount *m, struct err *e)
{
	int r;

	ms->mount = m;
	r = pthread_create(&ms->thread, NULL, serve, ms);
	ms->serving = r == 0;
	return r ? err_sys(e, r, "cannot start a thread") : 0;
}
