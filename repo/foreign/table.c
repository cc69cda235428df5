/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "repo/foreign/table.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <string.h>
#include "repo/base/bytes.h"

struct block {
	uint64_t first;	  /* rank of its first record */
	const char *from; /* not above its first key, above all before it */
	size_t from_len;
};

/* A block in memory. */
struct held {
	uint64_t number;
	uint64_t used; /* when it was last wanted; 0: nothing here */
	size_t len;
	uint8_t *bytes;
};

struct table {
	struct kept *kept;
	char *name;
	uint8_t *index; /* what `blocks` and head point into */
	const uint8_t *head;
	size_t head_len;
	struct block *blocks;
	uint64_t n_blocks;
	uint64_t n;
	pthread_mutex_t lock; /* a leaf: */
	struct held held[TABLE_BLOCKS];
	uint64_t clock;
};

int
table_compare(const char *a, size_t a_len, const char *b, size_t b_len)
{
	size_t least = a_len < b_len ? a_len : b_len;
	int order = least ? memcmp(a, b, least) : 0;

	return order ? order : (a_len > b_len) - (a_len < b_len);
}

/* -- Opening ----------------------------------------------------------------
 */

/* What is sealed is what we wrote, so it contradicts itself only if we do. */
static int
decode_index(struct table *t, size_t len)
{
	struct reader r = reader_of(t->index, len);
	uint64_t rank = 0;

	t->head = read_blob(&r, KEPT_OBJECT_MAX, &t->head_len);
	t->n = read_varint(&r);
	t->n_blocks = read_bounded(&r, len);
	t->blocks = xcalloc(t->n_blocks + 1, sizeof(*t->blocks));
	for (uint64_t i = 0; i < t->n_blocks; i++) {
		struct block *b = &t->blocks[i];

		b->first = rank;
		rank += read_varint(&r);
		b->from = (const char *)read_blob(
			&r, TABLE_KEY_MAX, &b->from_len);
	}
	return r.bad || rank != t->n ? -EUCLEAN : 0;
}

int
table_open(struct kept *k, const char *name, struct table **out, struct err *e)
{
	auto_free char *index = table_index_name(name);
	struct table *t = xcalloc(1, sizeof(*t));
	size_t len = 0;
	int r = kept_get(k, index, KEPT_OBJECT_MAX, &t->index, &len);

	t->kept = k;
	t->name = xstrdup(name);
	pthread_mutex_init(&t->lock, NULL);
	if (!r)
		r = decode_index(t, len);
	if (!r) {
		*out = t;
		return 0;
	}
	table_free(t);
	return err_set(e, ENOENT, "the table %s is not kept", name);
}

void
table_free(struct table *t)
{
	if (!t)
		return;
	for (size_t i = 0; i < TABLE_BLOCKS; i++)
		free(t->held[i].bytes);
	pthread_mutex_destroy(&t->lock);
	free(t->blocks);
	free(t->index);
	free(t->name);
	free(t);
}

uint64_t
table_n(const struct table *t)
{
	return t->n;
}

const void *
table_head(const struct table *t, size_t *len)
{
	*len = t->head_len;
	return t->head;
}

/* -- Blocks -----------------------------------------------------------------
 */

static int
lost(const struct table *t, struct err *e)
{
	return err_set(e, ENODATA, "part of the table %s is not kept any more",
		t->name);
}

/* Copy a block from memory. */
static bool
take_held(struct table *t, uint64_t number, uint8_t *to, size_t *len)
{
	auto_lock(&t->lock);

	for (size_t i = 0; i < TABLE_BLOCKS; i++) {
		struct held *h = &t->held[i];

		if (h->used == 0 || h->number != number)
			continue;
		h->used = ++t->clock;
		memcpy(to, h->bytes, h->len);
		*len = h->len;
		return true;
	}
	return false;
}

/* Hold a copy, instead of what was not wanted for longest. */
static void
hold(struct table *t, uint64_t number, const uint8_t *from, size_t len)
{
	auto_lock(&t->lock);
	struct held *oldest = &t->held[0];

	for (size_t i = 1; i < TABLE_BLOCKS; i++) {
		if (t->held[i].used < oldest->used)
			oldest = &t->held[i];
	}
	free(oldest->bytes);
	oldest->bytes = xmemdup(from, len);
	oldest->len = len;
	oldest->number = number;
	oldest->used = ++t->clock;
}

static int
load(struct table *t, uint64_t number, uint8_t *to, size_t *len, struct err *e)
{
	if (take_held(t, number, to, len))
		return 0;
	if (!kept_read(t->kept, t->name, number, to, len))
		return lost(t, e);
	hold(t, number, to, *len);
	return 0;
}

/* -- Records ----------------------------------------------------------------
 */

void
table_cursor_init(struct table_cursor *c, struct table *t)
{
	*c = (struct table_cursor){ .t = t };
	c->bytes = xmalloc(KEPT_PIECE);
}

void
table_cursor_release(struct table_cursor *c)
{
	free(c->bytes);
	buf_release(&c->key);
}

/* The record at c->at, of a block of which there is more. */
static int
step(struct table_cursor *c, struct err *e)
{
	struct reader r = reader_of(c->bytes + c->at, c->len - c->at);
	uint64_t same = read_bounded(&r, c->key.len);
	size_t n;
	const uint8_t *more = read_blob(&r, TABLE_KEY_MAX, &n);

	c->r.value = read_blob(&r, TABLE_VALUE_MAX, &c->r.value_len);
	if (r.bad)
		return lost(c->t, e);
	c->key.len = (size_t)same;
	buf_append(&c->key, more, n);
	c->r.key = (char *)c->key.data;
	c->r.key_len = c->key.len;
	c->at = c->len - reader_left(&r);
	return 1;
}

int
table_cursor_next(struct table_cursor *c, struct err *e)
{
	while (c->at == c->len) {
		if (c->block == c->t->n_blocks)
			return 0;
		int r = load(c->t, c->block, c->bytes, &c->len, e);

		if (r)
			return r;
		c->block++;
		c->at = 0;
		c->key.len = 0;
	}
	return step(c, e);
}

/* Number of the block that holds a rank, which there is. */
static uint64_t
block_of_rank(const struct table *t, uint64_t rank)
{
	uint64_t lo = 0, hi = t->n_blocks;

	while (hi - lo > 1) {
		uint64_t mid = lo + (hi - lo) / 2;

		if (t->blocks[mid].first <= rank)
			lo = mid;
		else
			hi = mid;
	}
	return lo;
}

/* Stand on the record of a rank, which there is. */
static int
go_to(struct table_cursor *c, uint64_t rank, struct err *e)
{
	uint64_t skip;
	int r = 1;

	c->block = block_of_rank(c->t, rank);
	skip = rank - c->t->blocks[c->block].first;
	for (uint64_t i = 0; r > 0 && i <= skip; i++)
		r = table_cursor_next(c, e);
	return r;
}

int
table_find(struct table *t, const char *key, size_t len, uint64_t *rank,
	struct err *e)
{
	auto_table_cursor struct table_cursor c;
	uint64_t lo = 0, hi = t->n_blocks;
	int r;

	table_cursor_init(&c, t);
	/* the last block that does not begin above the key */
	while (hi - lo > 1) {
		uint64_t mid = lo + (hi - lo) / 2;
		const struct block *b = &t->blocks[mid];

		if (table_compare(b->from, b->from_len, key, len) <= 0)
			lo = mid;
		else
			hi = mid;
	}
	*rank = t->n;
	if (t->n == 0)
		return 0;
	c.block = lo;
	*rank = t->blocks[lo].first;
	while ((r = table_cursor_next(&c, e)) > 0) {
		if (table_compare(c.r.key, c.r.key_len, key, len) >= 0)
			return 0;
		++*rank;
	}
	return r;
}

int
table_get(struct table *t, uint64_t rank, struct buf *bytes,
	struct table_record *out, struct err *e)
{
	auto_table_cursor struct table_cursor c;
	int r;

	table_cursor_init(&c, t);
	if (rank >= t->n)
		return err_set(e, ENOENT, "the table %s has no record %" PRIu64,
			t->name, rank);
	r = go_to(&c, rank, e);
	if (r <= 0)
		return r < 0 ? r : lost(t, e);
	bytes->len = 0;
	buf_append(bytes, c.r.key, c.r.key_len);
	buf_append(bytes, c.r.value, c.r.value_len);
	*out = (struct table_record){ .key = (char *)bytes->data,
		.key_len = c.r.key_len,
		.value = bytes->data + c.r.key_len,
		.value_len = c.r.value_len };
	return 0;
}

int
table_each(struct table *t, uint64_t rank,
	bool (*each)(void *ctx, const struct table_record *r), void *ctx,
	struct err *e)
{
	auto_table_cursor struct table_cursor c;
	int r;

	table_cursor_init(&c, t);
	if (rank >= t->n)
		return 0;
	for (r = go_to(&c, rank, e); r > 0; r = table_cursor_next(&c, e)) {
		if (!each(ctx, &c.r))
			return 0;
	}
	return r;
}
