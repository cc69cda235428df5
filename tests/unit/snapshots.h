/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Snapshots of empty trees, catalogs of them, and what is logged about them. */
#ifndef YORE_TESTS_SNAPSHOTS_H
#define YORE_TESTS_SNAPSHOTS_H

#include "tests/unit/forge.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include "repo/base/clock.h"

#define DAY (86400 * NS_PER_S)
#define T0 (1700000000 * NS_PER_S)

static struct forge f;

static inline int
set_up(void **state)
{
	(void)state;
	forge_init(&f, 4);
	return 0;
}

static inline int
tear_down(void **state)
{
	(void)state;
	forge_release(&f);
	return 0;
}

/* A snapshot of an empty tree, written; the chain goes on from *hash, which
 * becomes its own. */
struct made {
	char name[OBJECT_NAME_MAX * 2];
	uint8_t hash[HASH_LEN];
	struct record r;
};

static inline struct made
make(const char *host, const char *source, uint64_t seq, int64_t time_ns,
	const struct made *before)
{
	struct made m = { .r = { .host = (char *)(uintptr_t)host,
				  .name = (char *)(uintptr_t)source,
				  .seq = seq,
				  .generation = 1,
				  .time_ns = time_ns,
				  .root = { .mode = S_IFDIR | 0700,
					  .nlink = 2,
					  .uid = 7 } } };

	if (before)
		memcpy(m.r.previous, before->hash, HASH_LEN);
	return m;
}

static inline struct made
put(struct made m)
{
	forge_record(&f, &m.r, m.hash, m.name);
	return m;
}

static inline struct made
snapshot(const char *host, const char *source, uint64_t seq, int64_t time_ns,
	const struct made *before)
{
	return put(make(host, source, seq, time_ns, before));
}

static inline struct history_stats
stats_of(struct history *h)
{
	struct history_stats s;

	history_stats(h, &s);
	return s;
}

/* What is written to standard error while this is in force. */
static struct {
	FILE *file;
	int old;
	char text[4000];
} caught;

static inline void
catch_log(void)
{
	caught.file = tmpfile();
	fflush(stderr);
	caught.old = dup(2);
	dup2(fileno(caught.file), 2);
}

static inline const char *
caught_log(void)
{
	size_t n;

	fflush(stderr);
	dup2(caught.old, 2);
	close(caught.old);
	rewind(caught.file);
	n = fread(caught.text, 1, sizeof(caught.text) - 1, caught.file);
	caught.text[n] = '\0';
	fclose(caught.file);
	return caught.text;
}

static inline unsigned
count_lines(const char *text)
{
	unsigned n = 0;

	for (; *text; text++)
		n += *text == '\n';
	return n;
}

static inline void
add_to_catalog(struct catalog *c, const struct made *m)
{
	auto_buf struct buf b = BUF_INIT;
	struct record copy;
	struct err e = ERR_INIT;

	record_encode(&m->r, false, &b);
	assert_int_equal(record_decode(b.data, b.len, &copy, &e), 0);
	memcpy(copy.id, m->r.id, OBJECT_ID_LEN);
	catalog_add(c, &copy, m->hash);
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, set_up, tear_down)

#endif
