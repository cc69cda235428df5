/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether a database is the one that was stored: the hash of its whole. */
#include <errno.h>
#include <string.h>
#include "repo/native/database.h"

struct check {
	struct view_check check; /* first */
	const struct keyring *keys; /* borrowed from the view */
	struct database_state want;
	uint8_t sum[PAGE_HASH_LEN];
	uint32_t pages; /* so far */
	uint32_t len;	/* bytes in page */
	uint8_t page[];
};

static void
end_page(struct check *c)
{
	uint8_t hash[PAGE_HASH_LEN];

	c->pages++;
	c->len = 0;
	if (c->pages == database_lock_page(c->want.page_size))
		return;
	page_hash(c->keys, c->pages, c->page, c->want.page_size, hash);
	database_hash_add(c->sum, hash);
}

static void
add(struct view_check *vc, const void *data, size_t len)
{
	struct check *c = (struct check *)vc;
	const uint8_t *from = data;

	while (len > 0) {
		size_t n = c->want.page_size - c->len;

		n = n < len ? n : len;
		memcpy(c->page + c->len, from, n);
		c->len += (uint32_t)n;
		from += n;
		len -= n;
		if (c->len == c->want.page_size)
			end_page(c);
	}
}

static int
compare(const struct database_state *want, const uint8_t sum[PAGE_HASH_LEN],
	uint64_t pages, struct err *e)
{
	if (pages == want->pages && !memcmp(sum, want->hash, PAGE_HASH_LEN))
		return 0;
	return err_set(
		e, EBADMSG, "the database is not the one that was stored");
}

static int
end(struct view_check *vc, struct err *e)
{
	struct check *c = (struct check *)vc;
	int r = compare(&c->want, c->sum, c->len ? UINT64_MAX : c->pages, e);

	free(c);
	return r;
}

int
native_database_compare(const struct native_database *d,
	const uint8_t sum[PAGE_HASH_LEN], uint64_t pages, struct err *e)
{
	return compare(&d->state, sum, pages, e);
}

static const struct view_check_ops ops = { .add = add, .end = end };

int
native_database_check(struct database *db, struct view_check **out,
	struct err *e)
{
	const struct native_database *d = (struct native_database *)db;
	struct check *c = xcalloc(1, sizeof(*c) + d->state.page_size);

	(void)e;
	c->check.ops = &ops;
	c->keys = d->keys;
	c->want = d->state;
	*out = &c->check;
	return 0;
}
