/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * deltas REPO DATABASE STATE_DIR DELTAS PAGES [base]: a long past for a database,
 * made in minutes.  Source bench/NAME, NAME being the file's, gets a base (unless
 * there is one; with "base" another one) and so many deltas, one second apart, each of so many pages:
 * page 1, whose change counter becomes the delta's number, a few that change all
 * the time, and others, of which those at the end change more often.  Contents
 * stay as they are, so any query works at any moment.
 *
 *	make tests/bench/deltas; sqlite3 /tmp/big.db '...'; yore init -r /tmp/r ...
 *	mkdir /tmp/s; tests/bench/deltas /tmp/r /tmp/big.db /tmp/s 86400 20
 */
#include <sys/stat.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include "repo/base/auto.h"
#include "repo/base/bytes.h"
#include "repo/base/clock.h"
#include "repo/sqlite/header.h"
#include "repo/write/delta_writer.h"

#define COUNTER_AT 24
#define VALID_FOR_AT 92
#define HOT 64 /* pages that change all the time */

struct generator {
	int fd;
	uint32_t page_size, pages;
	uint64_t seed;
	uint32_t number; /* of the delta */
	uint32_t *pgno;
	size_t n;
};

static int
read_page(struct generator *g, uint32_t pgno, uint8_t *to, struct err *e)
{
	ssize_t n = pread(g->fd, to, g->page_size,
		(off_t)(pgno - 1) * g->page_size);

	if (n != (ssize_t)g->page_size)
		return err_set(e, EIO, "page %u cannot be read", pgno);
	if (pgno == 1 && g->number) {
		put_be32(to + COUNTER_AT, g->number);
		put_be32(to + VALID_FOR_AT, g->number);
	}
	return 0;
}

static int
read_range(void *ctx, uint32_t first, uint32_t n, void *to, struct err *e)
{
	struct generator *g = ctx;
	int r = 0;

	for (uint32_t i = 0; i < n && !r; i++)
		r = read_page(g, first + i,
			(uint8_t *)to + (size_t)i * g->page_size, e);
	return r;
}

static int
read_changed(void *ctx, size_t i, void *to, struct err *e)
{
	struct generator *g = ctx;

	return read_page(g, g->pgno[i], to, e);
}

static uint32_t
draw(struct generator *g, uint32_t below)
{
	g->seed = g->seed * 6364136223846793005 + 1442695040888963407;
	return (uint32_t)((g->seed >> 33) % below);
}

static int
compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static void
choose_pages(struct generator *g, size_t want)
{
	size_t kept = 1;

	g->pgno[0] = 1;
	for (size_t i = 1; i < want; i++) {
		uint32_t half = g->pages / 2;

		if (i < want / 4) /* anywhere, but always the same */
			g->pgno[i] = 1 + (draw(g, HOT) + 1) *
						 (g->pages / (HOT + 2));
		else if (i < want / 2)
			g->pgno[i] = 1 + half + draw(g, g->pages - half);
		else
			g->pgno[i] = 1 + draw(g, g->pages);
		if (g->pgno[i] > g->pages)
			g->pgno[i] = g->pages;
	}
	qsort(g->pgno, want, sizeof(*g->pgno), compare);
	for (size_t i = 1; i < want; i++) {
		if (g->pgno[i] != g->pgno[kept - 1])
			g->pgno[kept++] = g->pgno[i];
	}
	g->n = kept;
}

static int
open_database(struct generator *g, const char *path, struct err *e)
{
	uint8_t head[SQLITE_HEADER_LEN];
	struct sqlite_header h;
	struct stat st;
	int r;

	g->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (g->fd < 0 || fstat(g->fd, &st) ||
		pread(g->fd, head, sizeof(head), 0) != sizeof(head))
		return err_set(e, EIO, "%s: cannot be read", path);
	r = sqlite_header_decode(head, &h, e);
	if (r)
		return r;
	g->page_size = h.page_size;
	g->pages = (uint32_t)((uint64_t)st.st_size / h.page_size);
	return 0;
}

static int
put_base(struct generator *g, struct delta_writer *dw, int64_t now,
	struct err *e)
{
	const struct delta_writer_base b = { .pages = {
						     .page_size = g->page_size,
						     .n = g->pages,
						     .read = read_range,
						     .ctx = g },
		.time_ns = now, .continues = true, .mode = 0600, .uid = geteuid(),
		.gid = getegid() };
	struct backup_result result;

	return delta_writer_base(dw, &b, &result, e);
}

static int
put_deltas(struct generator *g, struct delta_writer *dw, uint32_t n,
	size_t pages, struct err *e)
{
	struct delta_writer_state s;
	int64_t began = clock_mono_ns();
	int r = 0;

	g->pgno = xcalloc(pages + 1, sizeof(*g->pgno));
	for (uint32_t i = 0; i < n && !r; i++) {
		struct delta_writer_delta d = { .read = read_changed,
			.ctx = g, .pages = g->pages };

		delta_writer_state(dw, &s);
		g->number = (uint32_t)s.n + 1;
		choose_pages(g, pages);
		d.pgno = g->pgno;
		d.n = g->n;
		d.time_ns = s.time_ns + NS_PER_S;
		r = delta_writer_delta(dw, &d, e);
	}
	printf("%u deltas in %.1f s\n", n,
		(double)(clock_mono_ns() - began) / 1e9);
	free(g->pgno);
	return r;
}

static int
run(char **argv, struct err *e)
{
	const char *file = strrchr(argv[2], '/');
	struct generator g = { .seed = 1 };
	const struct delta_writer_options o = { .host = "bench",
		.name = file ? file + 1 : argv[2],
		.file = file ? file + 1 : argv[2],
		.path = argv[2],
		.state_dir = argv[3] };
	auto_writer struct writer *w = NULL;
	auto_delta_writer struct delta_writer *dw = NULL;
	const struct history_open_options how = { .memory = 0 };
	struct delta_writer_state s;
	uint32_t n = (uint32_t)strtoul(argv[4], NULL, 10);
	int r = open_database(&g, argv[2], e);

	if (!r)
		r = writer_open(argv[1], &how, &w, e);
	if (!r)
		r = delta_writer_open(w, &o, &dw, e);
	if (r)
		return r;
	delta_writer_state(dw, &s);
	if (!s.exists)
		r = put_base(&g, dw, clock_wall_ns() - n * NS_PER_S, e);
	else if (argv[6] && !strcmp(argv[6], "base"))
		r = put_base(&g, dw, s.time_ns + NS_PER_S, e);
	return r ? r
		 : put_deltas(&g, dw, n, strtoul(argv[5], NULL, 10), e);
}

int
main(int argc, char **argv)
{
	struct err e = ERR_INIT;

	if (argc < 6 || argc > 7) {
		fputs("usage: deltas REPO DATABASE STATE_DIR DELTAS PAGES [base]\n",
			stderr);
		return 2;
	}
	if (run(argv, &e) == 0)
		return 0;
	fprintf(stderr, "deltas: %s\n", e.text);
	return 1;
}
