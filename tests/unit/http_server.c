/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/http_server.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include "repo/base/clock.h"

struct connection {
	struct server *server;
	int fd;
};

int64_t
elapsed_ms(void)
{
	static int64_t first;

	if (!first)
		first = clock_mono_ns();
	return (clock_mono_ns() - first) / 1000000;
}

static size_t
body_length(const char *head)
{
	const char *at = strcasestr(head, "\r\ncontent-length:");

	return at ? strtoull(at + 17, NULL, 10) : 0;
}

/* One request; false at the end of the connection. */
static bool
receive(int fd, struct seen *q)
{
	size_t n = 0, left;
	char *end;

	do {
		ssize_t m = recv(fd, q->head + n, 1, 0);

		if (m <= 0 || n == sizeof(q->head) - 2)
			return false;
		q->head[++n] = '\0';
		end = strstr(q->head, "\r\n\r\n");
	} while (!end);
	left = body_length(q->head);
	while (left > 0) {
		ssize_t m = recv(fd, buf_reserve(&q->body, left), left, 0);

		if (m <= 0)
			return false;
		q->body.len += (size_t)m;
		left -= (size_t)m;
	}
	return true;
}

static void
keep(struct server *s, struct seen *q, struct answer *a)
{
	auto_lock(&s->lock);
	size_t i = s->n_seen++;

	*a = s->answers[i < s->n_answers ? i : s->n_answers - 1];
	if (i < SERVER_SEEN_MAX)
		s->seen[i] = *q;
	else
		buf_release(&q->body);
}

static void
send_all(int fd, const char *text, size_t len)
{
	while (len > 0) {
		ssize_t n = send(fd, text, len, MSG_NOSIGNAL);

		if (n <= 0)
			return;
		text += n;
		len -= (size_t)n;
	}
}

static void
drop(int fd, enum then then)
{
	struct linger now = { .l_onoff = 1, .l_linger = 0 };

	if (then == THEN_RESET)
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
}

static void *
serve(void *arg)
{
	struct connection *c = arg;
	struct answer a = { .then = THEN_KEEP };
	char byte;

	while (a.then == THEN_KEEP) {
		struct seen q = { .body = BUF_INIT };

		if (!receive(c->fd, &q)) {
			buf_release(&q.body);
			break;
		}
		keep(c->server, &q, &a);
		nanosleep(&(struct timespec){ .tv_sec = a.wait_ms / 1000,
				  .tv_nsec = a.wait_ms % 1000 * 1000000L },
			NULL);
		if (a.text)
			send_all(c->fd, a.text, a.len ? a.len : strlen(a.text));
	}
	while (a.then == THEN_HANG && recv(c->fd, &byte, 1, 0) > 0)
		;
	drop(c->fd, a.then);
	if (a.then == THEN_RESET || a.then == THEN_CLOSE)
		close(c->fd);
	free(c);
	return NULL;
}

static void *
accept_all(void *arg)
{
	struct server *s = arg;
	int fd;

	while ((fd = accept(s->listener, NULL, NULL)) >= 0) {
		struct connection *c = xcalloc(1, sizeof(*c));
		auto_lock(&s->lock);

		assert_true(s->n_connections < SERVER_CONNECTIONS_MAX);
		c->server = s;
		c->fd = s->fds[s->n_connections] = fd;
		pthread_create(&s->threads[s->n_connections++], NULL, serve, c);
	}
	return NULL;
}

void
server_start(struct server *s, const struct answer *answers, size_t n)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(a);

	memset(s, 0, sizeof(*s));
	pthread_mutex_init(&s->lock, NULL);
	s->answers = answers;
	s->n_answers = n;
	s->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(s->listener, (struct sockaddr *)&a, len), 0);
	assert_int_equal(listen(s->listener, 128), 0);
	getsockname(s->listener, (struct sockaddr *)&a, &len);
	snprintf(s->url, sizeof(s->url), "http://127.0.0.1:%u",
		ntohs(a.sin_port));
	assert_int_equal(pthread_create(&s->acceptor, NULL, accept_all, s), 0);
}

static void
forget(struct server *s)
{
	for (size_t i = 0; i < SERVER_SEEN_MAX; i++)
		buf_release(&s->seen[i].body);
	memset(s->seen, 0, sizeof(s->seen));
	s->n_seen = 0;
}

void
server_script(struct server *s, const struct answer *answers, size_t n)
{
	auto_lock(&s->lock);

	forget(s);
	s->answers = answers;
	s->n_answers = n;
}

size_t
server_seen(struct server *s)
{
	auto_lock(&s->lock);

	return s->n_seen;
}

void
server_stop(struct server *s)
{
	shutdown(s->listener, SHUT_RDWR);
	pthread_join(s->acceptor, NULL);
	close(s->listener);
	for (unsigned i = 0; i < s->n_connections; i++)
		shutdown(s->fds[i], SHUT_RDWR);
	for (unsigned i = 0; i < s->n_connections; i++)
		pthread_join(s->threads[i], NULL);
	forget(s);
	pthread_mutex_destroy(&s->lock);
}

void
assert_asked(struct server *s, size_t i, const char *text)
{
	auto_lock(&s->lock);

	assert_true(i < s->n_seen);
	if (!strcasestr(s->seen[i].head, text))
		fail_msg(
			"request %zu has no %s:\n%s", i, text, s->seen[i].head);
}

void
assert_not_asked(struct server *s, size_t i, const char *text)
{
	auto_lock(&s->lock);

	assert_true(i < s->n_seen);
	if (strcasestr(s->seen[i].head, text))
		fail_msg("request %zu has %s:\n%s", i, text, s->seen[i].head);
}
