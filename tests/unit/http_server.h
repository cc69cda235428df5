/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A server on a free loopback port that answers the Nth request it gets with
 * the Nth line of a script, whatever was asked, and keeps what it was sent.
 */
#ifndef YORE_TESTS_HTTP_SERVER_H
#define YORE_TESTS_HTTP_SERVER_H

#include <pthread.h>
#include <stdbool.h>
#include <stdatomic.h>
#include "tests/unit/unit.h"
#include "repo/base/buf.h"

#define SERVER_SEEN_MAX 64
#define SERVER_CONNECTIONS_MAX 512

enum then { THEN_KEEP, THEN_CLOSE, THEN_RESET, THEN_HANG };

struct answer {
	const char *text; /* head and body as they are sent; NULL: nothing */
	size_t len;	  /* of text; 0: it is a string */
	enum then then;	  /* becomes of the connection */
	unsigned wait_ms; /* before it is sent */
};

struct seen {
	char head[4096];
	struct buf body;
};

struct server {
	char url[64];
	pthread_mutex_t lock;
	struct seen seen[SERVER_SEEN_MAX]; /* guarded by lock, as all below */
	size_t n_seen;			   /* may count further than seen */
	unsigned n_connections;
	int fds[SERVER_CONNECTIONS_MAX];
	pthread_t threads[SERVER_CONNECTIONS_MAX];
	const struct answer *answers;
	size_t n_answers; /* the last is repeated */
	int listener;
	pthread_t acceptor;
};

void server_start(struct server *s, const struct answer *answers, size_t n);
/* Forget what was seen and go on with another script. */
void server_script(struct server *s, const struct answer *answers, size_t n);
size_t server_seen(struct server *s);
void server_stop(struct server *s);

/* Assert that the head of request i has this in it, or begins with it. */
void assert_asked(struct server *s, size_t i, const char *text);
void assert_not_asked(struct server *s, size_t i, const char *text);

/* Milliseconds since the first call. */
int64_t elapsed_ms(void);

#endif
