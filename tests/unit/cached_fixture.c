/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/cached_fixture.h"

#include <ftw.h>

struct fixture x;
struct pack *pack;
static char dir[] = "/tmp/yore-test-XXXXXX";

unsigned lists;

static int
outer_get(struct store *s, const char *name, uint64_t off, size_t len,
	void *buf, size_t *got, const struct store_call *call, struct err *e)
{
	(void)s;
	return x.store.ops->get(&x.store, name, off, len, buf, got, call, e);
}

static int
outer_list(struct store *s, const char *prefix, const char *after,
	bool (*each)(void *ctx, const char *name, uint64_t size), void *ctx,
	struct err *e)
{
	char name[64];

	(void)s;
	(void)after;
	(void)e;
	lists++;
	snprintf(name, sizeof(name), "%sone", prefix);
	if (each(ctx, name, 1)) {
		snprintf(name, sizeof(name), "%stwo", prefix);
		each(ctx, name, 2);
	}
	return 0;
}

static void
outer_free(struct store *s)
{
	free(s->name);
	free(s);
}

static const struct store_ops outer_ops = {
	.get = outer_get, .list = outer_list, .free = outer_free
};

struct store *
open_cached(bool offline)
{
	const struct cached_options o = { .offline = offline };
	const struct cache_options co = {
		.repository_id = x.keys->repository_id,
		.patient = true
	};
	struct store *outer = xcalloc(1, sizeof(*outer));
	struct cache *cache = NULL;
	struct err e = ERR_INIT;

	outer->ops = &outer_ops;
	outer->name = xstrdup("memory");
	if (cache_open(dir, &co, &cache, &e) < 0)
		fail_msg("%s", e.text);
	return cached_new(outer, cache, &o);
}

int
set_up(void **state)
{
	(void)state;
	strcpy(dir + strlen(dir) - 6, "XXXXXX");
	assert_non_null(mkdtemp(dir));
	fixture_init(&x);
	pack = fixture_pack(&x, OBJECT_DATA);
	pack_fill(&x, pack, 12, CACHED_FRAME_LEN);
	lists = 0;
	return 0;
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *f)
{
	(void)st;
	(void)type;
	(void)f;
	return remove(path);
}

int
tear_down(void **state)
{
	(void)state;
	fixture_release(&x);
	return nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

