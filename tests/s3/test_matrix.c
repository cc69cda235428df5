/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The fault matrix: every kind of fault of the test server, in every request
 * of the S3 store that it can happen to, once, three times and for ever.  What
 * can be right is right, what cannot fails and says which object and why, both
 * in time; what comes of it is never wrong.
 *
 *   test_matrix [WORDS]     only cells that are named so, "500 get once"
 *
 * The cells are independent: each has a directory of its own in the bucket and
 * a rule for that, so they run at the same time, which most of them spend
 * waiting.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include "repo/base/buf.h"
#include "repo/base/clock.h"
#include "tests/s3/cells.h"
#include "tests/s3/net.h"

#define WORKERS 40
#define SHORT_S 3    /* patience where nothing can come of it */
#define LONG_S 45    /* where it can: a stalled connection is left after 20 s */
#define SLACK_S 10   /* for a busy machine */
#define PARTS_S 30   /* for one that moves parts for many cells at a time */
#define MATRIX_S 300 /* then something hangs */

struct cell {
	const struct fault_row *fault;
	const struct request_row *request;
	enum mode mode;
	char dir[16], name[64];
	double seconds;
};

static struct {
	struct cell cell[2000];
	size_t n, next, failed;
	pthread_mutex_t lock;
	int control;
	char bucket[64];
} matrix = { .lock = PTHREAD_MUTEX_INITIALIZER };

static const char *const modes[] = { "once", "thrice", "for ever" };
static const char *const when[] = { "1", "1x3", "1+" };

static void
complain(const struct cell *c, const char *what, const char *more)
{
	auto_lock(&matrix.lock);

	matrix.failed++;
	printf("%s (%s, %.1f s): %s %s\n", c->name, c->dir, c->seconds, what,
		more);
}

/* -- The cells ------------------------------------------------------------ */

static void
write_file(const char *dir, const char *name, size_t len)
{
	auto_free char *path = xasprintf("%s/%s/%s", matrix.bucket, dir, name);
	auto_free uint8_t *data = xmalloc(len);
	auto_fclose FILE *f = fopen(path, "we");

	cell_content(data, len);
	if (!f || fwrite(data, len, 1, f) != 1) {
		perror(path);
		exit(99);
	}
}

static void
make_directory(const char *dir, const char *name)
{
	auto_free char *path = xasprintf("%s/%s/%s", matrix.bucket, dir, name);

	if (mkdir(path, 0700)) {
		perror(path);
		exit(99);
	}
}

static void
add_cell(const struct fault_row *f, const struct request_row *r, enum mode m,
	const char *wanted)
{
	struct cell *c = &matrix.cell[matrix.n];

	*c = (struct cell){ .fault = f, .request = r, .mode = m };
	snprintf(c->name, sizeof(c->name), "%s %s %s", f->kind, r->name,
		modes[m]);
	if (wanted && !strstr(c->name, wanted))
		return;
	snprintf(c->dir, sizeof(c->dir), "c%zu", matrix.n++);
	make_directory(c->dir, "");
	make_directory(c->dir, "list");
	write_file(c->dir, "object", CELL_OBJECT);
	for (char i = '0'; i < '5'; i++)
		write_file(
			c->dir, (char[]){ 'l', 'i', 's', 't', '/', i, 0 }, 1);
}

/* A part has minutes by its size, so that nothing shows for ever. */
static bool
is_too_long(const struct request_row *r, enum mode m)
{
	return r->request == PART && m == FOR_EVER;
}

static void
add_cells(const char *wanted)
{
	for (size_t f = 0; f < n_fault_rows; f++)
		for (size_t r = 0; r < n_request_rows; r++)
			for (enum mode m = 0; m < N_MODES; m++)
				if ((fault_rows[f].requests &
					    request_rows[r].request) &&
					!is_too_long(&request_rows[r], m))
					add_cell(&fault_rows[f],
						&request_rows[r], m, wanted);
}

/* -- The server ------------------------------------------------------------ */

/* Start the test server; its two ports. */
static pid_t
start_server(int *port)
{
	const char *top = getenv("top_builddir");
	auto_free char *path = xasprintf("%s/tests/s3/server", top ? top : ".");
	auto_free char *log = xasprintf("%s.log", matrix.bucket);
	auto_fclose FILE *out = NULL;
	int ends[2];
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) || (pid = fork()) < 0)
		abort();
	if (!pid) {
		dup2(ends[1], STDOUT_FILENO);
		execl(path, "server", matrix.bucket, log, "key:secret:rlwd",
			NULL);
		perror(path);
		_exit(99);
	}
	close(ends[1]);
	out = fdopen(ends[0], "r");
	if (!out ||
		fscanf(out, "port=%d control=%d", port, &matrix.control) != 2)
		exit(99);
	return pid;
}

static bool
tell(const char *line)
{
	auto_close int fd = net_connect(matrix.control);
	char reply[3];

	return fd >= 0 && net_send(fd, line, strlen(line)) &&
	       recv(fd, reply, 3, MSG_WAITALL) == 3 && !memcmp(reply, "ok", 2);
}

/* -- Running a cell ---------------------------------------------------------
 */

static unsigned
patience(const struct cell *c)
{
	return c->fault->end[c->mode] == RIGHT ? LONG_S : SHORT_S;
}

static unsigned
deadline(const struct cell *c)
{
	return patience(c) + SLACK_S +
	       (c->request->request & (BEGIN | PART | COMPLETE) ? PARTS_S : 0);
}

/* Make the request while the fault happens. */
static int
run(const struct cell *c, struct err *e)
{
	auto_free char *address =
		xasprintf("s3://yore?timeout=%u", patience(c));
	auto_free char *rule = xasprintf("fault %s %s/* %s %s\n",
		c->request->operation, c->dir, when[c->mode], c->fault->kind);
	auto_store struct store *s = NULL;
	auto_sink struct sink *k = NULL;
	int ret;

	if (!tell(rule))
		return err_set(e, EPROTO, "the server does not know %s", rule);
	ret = store_open(address, &s, e);
	if (!ret)
		ret = sink_open(address, false, &k, e);
	return ret ? ret : c->request->run(s, k, c->dir, e);
}

/* One line with the address of the object, or of the bucket, and why. */
static bool
is_explained(const struct cell *c, const struct err *e)
{
	const char *named = c->request->request == LIST ? "s3://yore" : c->dir;

	return strstr(e->text, named) && !strchr(e->text, '\n') &&
	       strlen(e->text) > strlen(c->dir) + 10;
}

static void
judge(struct cell *c, int ret, const struct err *e)
{
	enum outcome wanted = c->fault->end[c->mode];

	if (ret > 0)
		complain(c, "WRONG", e->text);
	else if (ret == 0 && wanted == FAILS)
		complain(c, "should have failed", "");
	else if (ret < 0 && wanted == RIGHT)
		complain(c, "should have succeeded:", e->text);
	else if (ret < 0 && !is_explained(c, e))
		complain(c, "does not say what failed:", e->text);
	if (c->seconds > deadline(c))
		complain(c, "took too long", e->text);
}

static struct cell *
next_cell(void)
{
	auto_lock(&matrix.lock);

	return matrix.next < matrix.n ? &matrix.cell[matrix.next++] : NULL;
}

static void *
work(void *unused)
{
	struct cell *c;

	while ((c = next_cell())) {
		struct err e = ERR_INIT;
		int64_t start = clock_mono_ns();
		int ret = run(c, &e);

		c->seconds = (double)(clock_mono_ns() - start) / 1e9;
		judge(c, ret, &e);
	}
	return unused;
}

/* The longest cells first: stalls. */
static int
by_length(const void *a, const void *b)
{
	const struct cell *x = a, *y = b;
	int d = (strncmp(x->fault->kind, "stall", 5) != 0) -
		(strncmp(y->fault->kind, "stall", 5) != 0);

	return d ? d : x < y ? -1 : x > y;
}

int
main(int argc, char **argv)
{
	auto_free char *endpoint = NULL, *remove = NULL;
	pthread_t thread[WORKERS];
	int port = 0;
	pid_t server;

	snprintf(matrix.bucket, sizeof(matrix.bucket),
		"/tmp/yore-matrix.XXXXXX");
	if (!mkdtemp(matrix.bucket))
		return 99;
	alarm(MATRIX_S);
	add_cells(argc > 1 ? argv[1] : NULL);
	qsort(matrix.cell, matrix.n, sizeof(*matrix.cell), by_length);
	server = start_server(&port);
	tell("set page=2\n");
	endpoint = xasprintf("http://127.0.0.1:%d", port);
	setenv("AWS_ENDPOINT_URL", endpoint, 1);
	setenv("AWS_REGION", "test-1", 1);
	setenv("AWS_ACCESS_KEY_ID", "key", 1);
	setenv("AWS_SECRET_ACCESS_KEY", "secret", 1);
	for (int i = 0; i < WORKERS; i++)
		pthread_create(&thread[i], NULL, work, NULL);
	for (int i = 0; i < WORKERS; i++)
		pthread_join(thread[i], NULL);
	kill(server, SIGTERM);
	waitpid(server, NULL, 0);
	remove = xasprintf("rm -rf %s %s.log", matrix.bucket, matrix.bucket);
	if (!getenv("KEEP") && system(remove))
		return 99;
	printf("%zu cells, %zu complaints\n", matrix.n, matrix.failed);
	return matrix.failed > 0 || (argc == 1 && matrix.n < 300);
}
