/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sockets on the loopback for the test servers: everything blocks, a thread
 * serves a connection.
 */
#ifndef YORE_TESTS_S3_NET_H
#define YORE_TESTS_S3_NET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include "repo/base/auto.h"

/* Listen on a free port of 127.0.0.1; ends the program when it cannot. */
int net_listen(int *port);
/* Connect to a port of 127.0.0.1; -1 when nobody is there. */
int net_connect(int port);
/* The next connection; waits through lack of descriptors. */
int net_accept(int listener);
/* Send all of it; false when the other side is gone. */
bool net_send(int fd, const void *data, size_t len);
/* Cut the connection at once: the other side sees a reset, whoever waits on fd
 * wakes up.  fd stays open and is good for nothing. */
void net_reset(int fd);
/* Be ended with the parent process. */
void net_die_with_parent(void);
/* Run run(ctx) in a thread that nobody waits for. */
void net_thread(void *(*run)(void *), void *ctx);

/* Nanoseconds of the monotonic clock. */
int64_t net_now(void);
void net_sleep_until(int64_t when);

/* Buffered reading. */
struct stream {
	int fd;
	uint8_t *data;
	size_t start, end, size;
};
void stream_init(struct stream *s, int fd);
void stream_release(struct stream *s); /* leaves fd open */
/* Wait for more bytes behind those there are; 0 at the end, -1 on errors or
 * when more than limit bytes would be there. */
ssize_t stream_fill(struct stream *s, size_t limit);
/* At most len bytes as they come; 0 at the end, -1 on errors. */
ssize_t stream_read(struct stream *s, void *buf, size_t len);
/* Exactly len bytes. */
bool stream_read_all(struct stream *s, void *buf, size_t len);

#endif
