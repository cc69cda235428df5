/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How fast the disk cache is, alone: cache_speed DIRECTORY [MiB]
 *
 * Writes objects of 32 MiB in frames, reopens, reads them in order and at
 * random, with what the kernel has in memory; then fills the ledger with a
 * million segments and opens it again.  Bytes are not unsealed.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "repo/base/clock.h"
#include "repo/cache/private.h"

#define PACK (32u << 20)
#define KIB 1024u
#define SEGMENTS 1000000
#define SEGMENTS_OBJECT 128

static const uint8_t repository[REPOSITORY_ID_LEN] = "cache_speed.....";
static uint8_t frame[1 << 20];

static struct cache *
open_it(const char *dir)
{
	struct cache_options o = { .repository_id = repository,
		.patient = true };
	struct err e = ERR_INIT;
	struct cache *c = NULL;

	if (cache_open(dir, &o, &c, &e) < 0) {
		fprintf(stderr, "cache_speed: %s\n", e.text);
		exit(1);
	}
	return c;
}

static void
name_pack(char name[64], uint64_t i)
{
	snprintf(name, 64, "data/%02x/%02x%030" PRIx64, (unsigned)(i % 256),
		(unsigned)(i % 256), i);
}

static void
tell(const char *what, unsigned kib, uint64_t bytes, int64_t began)
{
	double s = (double)(clock_mono_ns() - began) / 1e9;

	printf("%-28s %5u KiB  %8.0f MB/s\n", what, kib,
		(double)bytes / 1e6 / s);
}

static void
write_all(struct cache *c, uint64_t packs, unsigned kib)
{
	int64_t began = clock_mono_ns();
	char name[64];

	for (uint64_t i = 0; i < packs; i++) {
		name_pack(name, i);
		for (uint64_t off = 0; off < PACK; off += kib * KIB)
			cache_write(c, name, off, frame, kib * KIB);
	}
	cache_sync(c, NULL);
	tell("write", kib, packs * PACK, began);
}

static void
read_all(struct cache *c, uint64_t packs, unsigned kib, bool at_random)
{
	uint64_t frames = packs * PACK / (kib * KIB), lacks = 0;
	int64_t began = clock_mono_ns();
	char name[64];

	for (uint64_t i = 0; i < frames; i++) {
		uint64_t at = at_random ? (uint64_t)random() % frames : i;
		uint64_t byte = at * kib * KIB;

		name_pack(name, byte / PACK);
		lacks += !cache_read(
			c, name, byte % PACK, kib * KIB, frame, NULL);
	}
	tell(at_random ? "read at random" : "read in order", kib, packs * PACK,
		began);
	if (lacks)
		printf("%" PRIu64 " frames were not there\n", lacks);
}

static int
add_segments(struct cache *c)
{
	struct ledger_state *st;
	int r = ledger_begin(c->writer, &st);

	for (int64_t i = 0; r == 0 && i < SEGMENTS; i++) {
		auto_row struct row row = ROW_INIT;
		struct key k = { .id = "m" };
		int64_t object = 0, n = i % SEGMENTS_OBJECT;
		bool whole;

		memcpy(k.repository, repository, sizeof(repository));
		memcpy(k.id + 8, &(int64_t){ i / SEGMENTS_OBJECT }, 8);
		r = ledger_make(c->writer, &k, &object, &whole);
		if (r == 0)
			r = ledger_row(c->writer, object, n, false, &row);
		row.rank = st->rank;
		ranges_add(&row.claimed, (uint64_t)n * CACHE_SEGMENT,
			(uint64_t)n * CACHE_SEGMENT + 1000);
		ranges_copy(&row.present, &row.claimed);
		if (r == 0)
			r = ledger_put_row(c->writer, &row, 4096, 0);
	}
	return r == 0 ? ledger_commit(c->writer) : r;
}

static void
open_big(const char *dir)
{
	struct cache *c = open_it(dir);
	int64_t began;
	char name[64];

	cache_set_limit(c, INT64_MAX, 0, NULL);
	if (cache_enter(c, 5000, NULL) < 0 || add_segments(c) < 0)
		printf("cannot fill the ledger\n");
	cache_leave(c);
	printf("%d segments              %8.1f MB of ledger\n", SEGMENTS,
		(double)ledger_size(c->ledger_path) / 1e6);
	cache_close(c);
	began = clock_mono_ns();
	c = open_it(dir);
	printf("opening it again             %8.2f ms\n",
		(double)(clock_mono_ns() - began) / 1e6);
	name_pack(name, 0);
	began = clock_mono_ns();
	cache_read(c, name, 0, 64 * KIB, frame, NULL);
	printf("first read                   %8.2f ms\n",
		(double)(clock_mono_ns() - began) / 1e6);
	began = clock_mono_ns();
	cache_write(c, "data/xx", 0, frame, 64 * KIB);
	cache_sync(c, NULL);
	printf("first write                  %8.2f ms\n",
		(double)(clock_mono_ns() - began) / 1e6);
	cache_close(c);
}

int
main(int argc, char **argv)
{
	static const unsigned sizes[] = { 16, 64, 256, 512 };
	uint64_t packs = argc > 2 ? strtoull(argv[2], NULL, 10) / 32 : 32;
	struct cache *c;

	if (argc < 2) {
		fprintf(stderr, "usage: cache_speed DIRECTORY [MiB]\n");
		return 2;
	}
	random_bytes(frame, sizeof(frame));
	c = open_it(argv[1]);
	write_all(c, packs, 512);
	write_all(c, packs, 32);
	cache_close(c);
	c = open_it(argv[1]);
	for (size_t i = 0; i < n_elements(sizes); i++) {
		read_all(c, packs, sizes[i], false);
		read_all(c, packs, sizes[i], true);
	}
	cache_close(c);
	open_big(argv[1]);
	return 0;
}
