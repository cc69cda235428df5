/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/s3/cells.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "repo/base/buf.h"

#define BIG (17 << 20) /* bytes that travel in parts */

#define ALWAYS(o)       \
	{               \
		o, o, o \
	}
#define PASSES                      \
	{                           \
		RIGHT, RIGHT, FAILS \
	}

const struct fault_row fault_rows[] = {
	/* the server says that it cannot now */
	{ "500", ALL, PASSES },
	{ "502", SMALL, PASSES },
	{ "503", ALL, PASSES },
	{ "504", SMALL, PASSES },
	{ "429", SMALL, PASSES },
	{ "408", SMALL, PASSES },
	{ "error", LIST | BEGIN | COMPLETE, PASSES },
	/* or that it will not */
	{ "403", ALL, ALWAYS(FAILS) },
	{ "404", ALL & ~REMOVE, ALWAYS(FAILS) },
	{ "301", SMALL, ALWAYS(FAILS) },
	{ "307", SMALL, ALWAYS(FAILS) },
	{ "501", PUT | COMPLETE, ALWAYS(SAFE) },
	/* or that somebody's clock is wrong: one more attempt can help (and the
	 * answer to HEAD cannot say so) */
	{ "skewed", SMALL & ~SIZE, { RIGHT, FAILS, FAILS } },
	/* it breaks */
	{ "reset", ALL, PASSES },
	{ "close", ALL, PASSES },
	{ "garbage", SMALL, PASSES },
	{ "headers", SMALL, PASSES },
	{ "reset=60", READS | LIST | BEGIN | COMPLETE, { RIGHT, RIGHT, SAFE } },
	{ "truncated", READS | LIST | BEGIN | COMPLETE,
		{ RIGHT, RIGHT, SAFE } },
	{ "stall", SMALL | COMPLETE, { RIGHT, FAILS, FAILS } },
	{ "stall=60", READS | LIST, { RIGHT, SAFE, SAFE } },
	/* it is slow, or speaks HTTP as one may */
	{ "delay=300", ALL, ALWAYS(RIGHT) },
	{ "slow=20000", READS | LIST | PUT, ALWAYS(RIGHT) },
	{ "chunked", ALL, ALWAYS(RIGHT) },
	/* ranges */
	{ "whole", GET, ALWAYS(RIGHT) },
	{ "shorter", GET, { RIGHT, RIGHT, SAFE } },
	{ "longer", GET, ALWAYS(SAFE) },
	{ "beside", GET, PASSES },
	{ "mute", GET, PASSES },
	/* listings */
	{ "twice", LIST, ALWAYS(SAFE) },
	{ "unordered", LIST, ALWAYS(SAFE) },
	{ "endless", LIST, ALWAYS(SAFE) },
	{ "tokenless", LIST, ALWAYS(SAFE) },
	{ "foreign", LIST, ALWAYS(SAFE) },
	{ "malformed", LIST, ALWAYS(SAFE) },
	{ "entities", LIST, ALWAYS(SAFE) },
	/* it was done, and nobody said so */
	{ "unheard", PUT | COMPLETE | REMOVE | BEGIN | PART,
		{ RIGHT, RIGHT, SAFE } },
};
const size_t n_fault_rows = n_elements(fault_rows);

void
cell_content(uint8_t *out, size_t len)
{
	uint32_t x = 1;

	for (size_t i = 0; i < len; i++) {
		x = x * 1664525 + 1013904223;
		out[i] = (uint8_t)(x >> 24);
	}
}

/* Whether the bytes are those at off of the content. */
static bool
is_content(const uint8_t *data, size_t off, size_t len)
{
	auto_free uint8_t *whole = xmalloc(off + len);

	cell_content(whole, off + len);
	return memcmp(whole + off, data, len) == 0;
}

static char *
name_in(const char *dir, const char *name)
{
	return xasprintf("%s/%s", dir, name);
}

static int
run_get(struct store *s, struct sink *k, const char *dir, struct err *e)
{
	auto_free char *name = name_in(dir, "object");
	uint8_t data[200];
	size_t got = 0;
	int ret = store_get(s, name, 1000, sizeof(data), data, &got, e);

	(void)k;
	if (ret)
		return ret;
	return got != sizeof(data) || !is_content(data, 1000, got);
}

static int
run_whole(struct store *s, struct sink *k, const char *dir, struct err *e)
{
	auto_free char *name = name_in(dir, "object");
	auto_free uint8_t *data = NULL;
	size_t len = 0;
	int ret = store_get_all(s, name, 2 * CELL_OBJECT, &data, &len, e);

	(void)k;
	if (ret)
		return ret;
	return len != CELL_OBJECT || !is_content(data, 0, len);
}

static int
run_size(struct store *s, struct sink *k, const char *dir, struct err *e)
{
	auto_free char *name = name_in(dir, "object");
	uint64_t size = 0;
	int ret = store_size(s, name, &size, e);

	(void)k;
	return ret ? ret : size != CELL_OBJECT;
}

struct listed {
	char *prefix;
	unsigned n;
	bool wrong;
};

static bool
take_name(void *ctx, const char *name, uint64_t size)
{
	struct listed *l = ctx;
	auto_free char *wanted = xasprintf("%s%u", l->prefix, l->n++);

	if (strcmp(name, wanted) || size != 1)
		l->wrong = true;
	return l->n < 100;
}

static int
run_list(struct store *s, struct sink *k, const char *dir, struct err *e)
{
	auto_free char *prefix = name_in(dir, "list/");
	struct listed l = { .prefix = prefix };
	int ret = store_list(s, prefix, "", take_name, &l, e);

	(void)k;
	return ret ? ret : l.wrong || l.n != 5;
}

/* Whether the new object is there and right.  (Nothing goes wrong with GET in
 * the cells of writing.) */
static int
check_new(struct store *s, const char *name, size_t len, struct err *e)
{
	auto_free uint8_t *data = NULL;
	size_t got = 0;
	int ret = store_get_all(s, name, 2 * len, &data, &got, e);

	return ret || got != len || !is_content(data, 0, len);
}

static int
run_put(struct store *s, struct sink *k, const char *dir, struct err *e)
{
	auto_free char *name = name_in(dir, "new");
	uint8_t data[5000];
	int ret;

	cell_content(data, sizeof(data));
	ret = sink_put(k, name, data, sizeof(data), e);
	return ret ? ret : check_new(s, name, sizeof(data), e);
}

static int
run_remove(struct store *s, struct sink *k, const char *dir, struct err *e)
{
	auto_free char *name = name_in(dir, "object");
	struct err unused = ERR_INIT;
	uint64_t size;
	int ret = sink_remove(k, name, e);

	/* that it is gone already is what was wanted */
	if (ret && ret != -ENOENT)
		return ret;
	return store_size(s, name, &size, &unused) != -ENOENT;
}

static int
run_parts(struct store *s, struct sink *k, const char *dir, struct err *e)
{
	auto_free char *name = name_in(dir, "big");
	auto_free uint8_t *data = xmalloc(BIG);
	struct upload *up = NULL;
	int ret = sink_begin(k, name, &up, e);

	if (ret)
		return ret;
	cell_content(data, BIG);
	for (size_t off = 0; !ret && off < BIG; off += 1 << 20)
		ret = upload_append(up, data + off, 1 << 20, e);
	if (ret) {
		upload_abort(up);
		return ret;
	}
	ret = upload_commit(up, e);
	return ret ? ret : check_new(s, name, BIG, e);
}

const struct request_row request_rows[] = {
	{ GET, "get", "GET", run_get },
	{ WHOLE, "whole", "GET", run_whole },
	{ SIZE, "size", "HEAD", run_size },
	{ LIST, "list", "LIST", run_list },
	{ PUT, "put", "PUT", run_put },
	{ REMOVE, "remove", "DELETE", run_remove },
	{ BEGIN, "begin", "BEGIN", run_parts },
	{ PART, "part", "PART", run_parts },
	{ COMPLETE, "complete", "COMPLETE", run_parts },
};
const size_t n_request_rows = n_elements(request_rows);
