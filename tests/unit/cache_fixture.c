/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/cache_fixture.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <sys/stat.h>
#include "repo/base/buf.h"
#include "repo/base/hex.h"
#include "repo/base/log.h"
#include "tests/unit/scratch.h"

char cache_root[200];
char cache_dir[256];
const uint8_t cache_repository[REPOSITORY_ID_LEN] = "a repository id";

int
cache_set_up(void **state)
{
	const char *tmp = getenv("TMPDIR");

	(void)state;
	log_set_level(LOG_LEVEL_ERROR);
	snprintf(cache_root, sizeof(cache_root), "%s/yore-test-XXXXXX",
		tmp ? tmp : "/tmp");
	if (!mkdtemp(cache_root))
		return -1;
	snprintf(cache_dir, sizeof(cache_dir), "%s/cache", cache_root);
	return 0;
}

int
cache_tear_down(void **state)
{
	(void)state;

	return !scratch_remove(cache_root);
}

struct cache *
open_cache(void)
{
	struct cache_options o = { .repository_id = cache_repository,
		.patient = true };
	struct err e = ERR_INIT;
	struct cache *c = NULL;

	if (cache_open(cache_dir, &o, &c, &e) < 0)
		fail_msg("%s", e.text);
	return c;
}

struct cache *
open_cache_of(uint64_t limit)
{
	struct cache *c = open_cache();

	assert_int_equal(cache_set_limit(c, limit, 0, NULL), 0);
	return c;
}

const char *
pack_name(unsigned i)
{
	static _Thread_local char names[16][48];
	static _Thread_local unsigned next;
	char *name = names[next++ % 16];

	snprintf(name, sizeof(names[0]), "data/%02x/%02x%030x", i % 251,
		i % 251, i);
	return name;
}

static uint64_t
mix(uint64_t x)
{
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
	x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
	return x ^ (x >> 31);
}

uint8_t *
content_of(const char *name, uint64_t off, size_t len)
{
	uint8_t *data = xmalloc(len + 16);
	uint64_t seed = 0x9e3779b97f4a7c15, first = off / 8;

	for (const char *p = name; *p; p++)
		seed = mix(seed + (uint8_t)*p);
	for (uint64_t i = first; i * 8 < off + len; i++) {
		uint64_t word = mix(seed + i) | 0x0101010101010101;

		for (unsigned k = 0; k < 8; k++) {
			uint64_t at = i * 8 + k;

			if (at >= off && at < off + len)
				data[at - off] = (uint8_t)(word >> (8 * k));
		}
	}
	return data;
}

bool
content_is(const char *name, uint64_t off, const void *data, size_t len)
{
	auto_free uint8_t *right = content_of(name, off, len);

	return memcmp(right, data, len) == 0;
}

void
keep(struct cache *c, const char *name, uint64_t off, size_t len)
{
	auto_free uint8_t *data = content_of(name, off, len);
	struct err e = ERR_INIT;

	cache_write(c, name, off, data, len);
	if (cache_sync(c, &e) < 0)
		fail_msg("%s", e.text);
}

bool
is_kept(struct cache *c, const char *name, uint64_t off, size_t len)
{
	auto_free uint8_t *data = xmalloc(len);

	if (!cache_read(c, name, off, len, data, NULL))
		return false;
	if (!content_is(name, off, data, len))
		fail_msg("wrong bytes of %s at %llu", name,
			(unsigned long long)off);
	return true;
}

enum outcome
read_through(struct cache *c, const char *name, uint64_t off, size_t len)
{
	auto_free uint8_t *right = content_of(name, off, len);
	auto_free uint8_t *data = xmalloc(len);
	struct cache_gaps gaps;

	if (!cache_read(c, name, off, len, data, &gaps)) {
		for (unsigned i = 0; i < gaps.n; i++)
			cache_write(c, name, gaps.gap[i].off,
				right + (gaps.gap[i].off - off),
				gaps.gap[i].len);
		return OUT_MISS;
	}
	if (memcmp(data, right, len) == 0)
		return OUT_HIT;
	cache_forget(c, name, off, len);
	cache_write(c, name, off, right, len);
	return OUT_BAD;
}

static void
put_format(struct cache *c, unsigned version)
{
	char text[5000];
	int n = snprintf(text, sizeof(text), "%u %0*u", version,
		(int)(version * 997 % 4000 + 1), version);

	cache_put(c, "format", text, (size_t)n);
}

unsigned
format_version(struct cache *c)
{
	auto_free uint8_t *data = NULL;
	char right[5000];
	unsigned version;
	size_t len;
	int n;

	if (cache_get(c, "format", sizeof(right), &data, &len) < 0)
		return 0;
	version = (unsigned)strtoul((const char *)data, NULL, 10);
	n = snprintf(right, sizeof(right), "%u %0*u", version,
		(int)(version * 997 % 4000 + 1), version);
	assert_int_equal(n, len);
	assert_memory_equal(right, data, len);
	return version;
}

void
cache_workload(
	struct cache *c, unsigned seed, unsigned rounds, unsigned outcomes[3])
{
	for (unsigned i = 0; i < rounds; i++) {
		unsigned x = (unsigned)rand_r(&seed);
		struct cache_place at = { pack_name(x % 3), x % 80 * 100000,
			x % 300000 + 1 };

		outcomes[read_through(c, at.name, at.off, x % 120000 + 1)]++;
		if (x % 31 == 0)
			cache_forget(c, at.name, at.off, at.len);
		if (x % 37 == 0)
			cache_evict(c, &at, NULL, NULL);
		if (x % 41 == 0)
			cache_pin(c, "pin", &at, 1, NULL);
		if (x % 43 == 0)
			cache_evict_pin(c, "pin", NULL, NULL);
		if (i % 25 == 0)
			put_format(c, i / 25 + 1);
		if (i % 50 == 0)
			cache_sync(c, NULL);
	}
}

static uint64_t used;

static int
add_use(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)path;
	(void)ftw;
	if (type == FTW_F)
		used += (uint64_t)st->st_blocks * 512;
	return 0;
}

uint64_t
disk_use(void)
{
	used = 0;
	nftw(cache_dir, add_use, 20, FTW_PHYS);
	return used;
}

const char *
file_of(const char *pack)
{
	static char path[512];
	char repository[REPOSITORY_ID_LEN * 2 + 1];

	hex_encode(repository, cache_repository, REPOSITORY_ID_LEN);
	snprintf(path, sizeof(path), "%s/%s/%s", cache_dir, repository,
		pack + strlen("data/"));
	return path;
}

void
flip(const char *path, uint64_t off)
{
	auto_close int fd = open(path, O_RDWR | O_CLOEXEC);
	uint8_t byte;

	assert_true(fd >= 0);
	assert_int_equal(pread(fd, &byte, 1, (off_t)off), 1);
	byte ^= 0x10;
	assert_int_equal(pwrite(fd, &byte, 1, (off_t)off), 1);
}
