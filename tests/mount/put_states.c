/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Stores states of a database as its history: the first as a base, the others
 * as deltas, one millisecond-exact moment each.
 *
 *   put_states REPO STATE_DIR NAME FIRST_MS STEP_MS FILE...
 *
 * The source is host/NAME; later runs go on with its generation.
 */
#include <stdio.h>
#include <string.h>
#include "repo/base/auto.h"
#include "repo/base/buf.h"
#include "repo/base/log.h"
#include "repo/write/delta_writer.h"

#define PAGE 4096

struct states {
	struct buf before; /* the whole file */
	struct buf now;
	uint32_t *changed;
	size_t n_changed;
	int64_t time_ns;
};

static int
read_file(const char *path, struct buf *b, struct err *e)
{
	auto_fclose FILE *f = fopen(path, "re");
	char part[PAGE];
	size_t n;

	b->len = 0;
	while (f && (n = fread(part, 1, sizeof(part), f)) > 0)
		buf_append(b, part, n);
	return f && b->len > 0 && b->len % PAGE == 0
		       ? 0
		       : err_set(e, 22, "%s: not whole pages", path);
}

static int
read_pages(void *ctx, uint32_t first, uint32_t n, void *to, struct err *e)
{
	const struct states *s = ctx;

	(void)e;
	memcpy(to, s->now.data + (size_t)(first - 1) * PAGE, (size_t)n * PAGE);
	return 0;
}

static int
read_changed(void *ctx, size_t i, void *to, struct err *e)
{
	const struct states *s = ctx;

	return read_pages(ctx, s->changed[i], 1, to, e);
}

static void
compare(struct states *s)
{
	uint32_t n = (uint32_t)(s->now.len / PAGE);

	s->changed = xrealloc(s->changed, n * sizeof(*s->changed));
	s->n_changed = 0;
	for (uint32_t i = 0; i < n; i++) {
		size_t at = (size_t)i * PAGE;

		if (at >= s->before.len || memcmp(s->before.data + at,
						   s->now.data + at, PAGE) != 0)
			s->changed[s->n_changed++] = i + 1;
	}
}

static int
put_base(struct delta_writer *dw, struct states *s, struct err *e)
{
	struct delta_writer_state known;
	struct delta_writer_base b = {
		.pages = { .page_size = PAGE,
			.n = (uint32_t)(s->now.len / PAGE),
			.read = read_pages,
			.ctx = s },
		.time_ns = s->time_ns,
		.mode = 0640
	};
	struct backup_result result;

	delta_writer_state(dw, &known);
	b.continues = known.exists;
	return delta_writer_base(dw, &b, &result, e);
}

static int
put_delta(struct delta_writer *dw, struct states *s, struct err *e)
{
	struct delta_writer_delta d = { .pgno = s->changed,
		.n = s->n_changed,
		.read = read_changed,
		.ctx = s,
		.pages = (uint32_t)(s->now.len / PAGE),
		.time_ns = s->time_ns };

	return delta_writer_delta(dw, &d, e);
}

static int
put_all(struct delta_writer *dw, char **argv, struct err *e)
{
	struct states s = { .before = BUF_INIT, .now = BUF_INIT };
	int64_t step_ns = atoll(argv[5]) * 1000000;
	int rc = 0;

	s.time_ns = atoll(argv[4]) * 1000000;
	for (char **file = argv + 6; *file && rc == 0; file++) {
		struct buf other = s.before;

		s.before = s.now;
		s.now = other;
		rc = read_file(*file, &s.now, e);
		if (rc == 0 && file == argv + 6) {
			rc = put_base(dw, &s, e);
		} else if (rc == 0) {
			compare(&s);
			rc = put_delta(dw, &s, e);
		}
		s.time_ns += step_ns;
	}
	buf_release(&s.before);
	buf_release(&s.now);
	free(s.changed);
	return rc;
}

int
main(int argc, char **argv)
{
	const struct history_open_options open = { .cache_dir = "" };
	struct delta_writer_options o = { .host = "host" };
	auto_delta_writer struct delta_writer *dw = NULL;
	struct writer *w = NULL;
	struct err e = ERR_INIT;
	int rc;

	if (argc < 7)
		return 2;
	o.state_dir = argv[2];
	o.name = o.file = o.path = argv[3];
	rc = writer_open(argv[1], &open, &w, &e);
	if (rc == 0)
		rc = delta_writer_open(w, &o, &dw, &e);
	if (rc == 0)
		rc = put_all(dw, argv, &e);
	if (rc != 0)
		log_error("%s", e.text);
	delta_writer_free(dw);
	dw = NULL;
	writer_free(w);
	return rc != 0;
}
