/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/s3/net.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include "repo/base/buf.h"

static void
die(const char *what)
{
	perror(what);
	exit(1);
}

static struct sockaddr_in
loopback(int port)
{
	return (struct sockaddr_in){
		.sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
}

int
net_listen(int *port)
{
	struct sockaddr_in a = loopback(0);
	socklen_t len = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof(a)) ||
		listen(fd, 1024) ||
		getsockname(fd, (struct sockaddr *)&a, &len))
		die("listen");
	*port = ntohs(a.sin_port);
	return fd;
}

static void
no_delay(int fd)
{
	int one = 1;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
}

int
net_connect(int port)
{
	struct sockaddr_in a = loopback(port);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		die("socket");
	if (connect(fd, (struct sockaddr *)&a, sizeof(a))) {
		close(fd);
		return -1;
	}
	no_delay(fd);
	return fd;
}

int
net_accept(int listener)
{
	int fd;

	while ((fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC)) < 0)
		net_sleep_until(net_now() + 1000000);
	no_delay(fd);
	return fd;
}

bool
net_send(int fd, const void *data, size_t len)
{
	const char *p = data;

	while (len) {
		ssize_t n = send(fd, p, len, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		p += n;
		len -= (size_t)n;
	}
	return true;
}

void
net_reset(int fd)
{
	struct sockaddr a = { .sa_family = AF_UNSPEC };

	connect(fd, &a, sizeof(a));
}

void
net_die_with_parent(void)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() == 1)
		exit(1);
}

void
net_thread(void *(*run)(void *), void *ctx)
{
	pthread_t t;

	if (pthread_create(&t, NULL, run, ctx))
		die("pthread_create");
	pthread_detach(t);
}

int64_t
net_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

void
net_sleep_until(int64_t when)
{
	struct timespec t = { when / 1000000000, when % 1000000000 };

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) ==
		EINTR)
		;
}

void
stream_init(struct stream *s, int fd)
{
	*s = (struct stream){ .fd = fd, .size = 64 << 10 };
	s->data = xmalloc(s->size);
}

void
stream_release(struct stream *s)
{
	free(s->data);
	*s = (struct stream){ .fd = -1 };
}

static ssize_t
receive(int fd, void *buf, size_t len)
{
	ssize_t n;

	do
		n = recv(fd, buf, len, 0);
	while (n < 0 && errno == EINTR);
	return n;
}

ssize_t
stream_fill(struct stream *s, size_t limit)
{
	ssize_t n;

	if (s->end - s->start >= limit)
		return -1;
	if (s->start) {
		memmove(s->data, s->data + s->start, s->end - s->start);
		s->end -= s->start;
		s->start = 0;
	}
	if (s->end == s->size) {
		s->size *= 2;
		s->data = xrealloc(s->data, s->size);
	}
	n = receive(s->fd, s->data + s->end, s->size - s->end);
	if (n > 0)
		s->end += (size_t)n;
	return n;
}

ssize_t
stream_read(struct stream *s, void *buf, size_t len)
{
	size_t have = s->end - s->start;

	if (!have)
		return receive(s->fd, buf, len);
	if (len > have)
		len = have;
	memcpy(buf, s->data + s->start, len);
	s->start += len;
	return (ssize_t)len;
}

bool
stream_read_all(struct stream *s, void *buf, size_t len)
{
	uint8_t *p = buf;

	while (len) {
		ssize_t n = stream_read(s, p, len);

		if (n <= 0)
			return false;
		p += n;
		len -= (size_t)n;
	}
	return true;
}
