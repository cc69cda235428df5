/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/s3/control.h"

#include <stdio.h>
#include <string.h>
#include "tests/s3/net.h"

static struct {
	int fd;
	bool (*handle)(char *line, struct buf *reply);
} control;

/* The line that the other side sends, cut off its end; false without one. */
static bool
read_line(int fd, char *line, size_t size)
{
	size_t len = 0;
	ssize_t n;

	while (len < size - 1 &&
		(n = read(fd, line + len, size - 1 - len)) > 0) {
		char *end;

		len += (size_t)n;
		line[len] = 0;
		end = strchr(line, '\n');
		if (end) {
			*end = 0;
			return true;
		}
	}
	return false;
}

static void *
serve(void *unused)
{
	for (;;) {
		auto_buf struct buf reply = BUF_INIT;
		auto_close int fd = net_accept(control.fd);
		char line[4096];

		if (!read_line(fd, line, sizeof(line)))
			continue;
		if (control.handle(line, &reply)) {
			net_send(fd, "ok\n", 3);
			net_send(fd, reply.data, reply.len);
		} else {
			net_send(fd, "error\n", 6);
		}
	}
	return unused;
}

void
control_start(int port, bool (*handle)(char *line, struct buf *reply))
{
	int control_port;

	control.fd = net_listen(&control_port);
	control.handle = handle;
	net_thread(serve, NULL);
	printf("port=%d control=%d\n", port, control_port);
	fclose(stdout);
}
