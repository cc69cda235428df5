/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The gear hash of a position is the sum of gear[b] << k over the 64 bytes b
 * before it, the nearest with k = 0: one shift and one addition a byte, and
 * bytes farther away fall out by themselves.  A position is a cut when its
 * hash, taken as a number, is below a threshold; thresholds instead of bit
 * masks allow any mean and look at the top bits, which depend on most bytes.
 *
 * Normalised chunking: the threshold is strict (a quarter of 2^64 / mean) up to
 * the turn and loose (four times it) from there on, so that lengths crowd
 * around the mean.  With min = mean / 4 a turn at 13/16 of the mean makes the
 * mean length of random content the mean.
 *
 * No cut can lie before min, so hashing begins one window before it: a
 * boundary depends on the content before it, not on where the chunk began.
 */
#include "repo/write/cut.h"

#include <errno.h>
#include <string.h>
#include "repo/base/bytes.h"
#include "repo/crypto/id.h"

#define CUT_MAX_MAX (8u << 20)
#define SQLITE_HEAD_LEN 18
/* Bytes hashed side by side. */
#define STRIDE 4096
#define unlikely(x) __builtin_expect(!!(x), 0)

int
cut_params_check(const struct cut_params *p, struct err *e)
{
	if (p->min < CUT_WINDOW || p->min > p->mean || p->mean > p->max ||
		p->max > CUT_MAX_MAX)
		return err_set(e, EINVAL,
			"chunk sizes must be %u <= min <= mean <= max <= %u, "
			"not %u, %u, %u",
			CUT_WINDOW, CUT_MAX_MAX, p->min, p->mean, p->max);
	return 0;
}

void
cut_gear_init(struct cut_gear *g, const struct keyring *keys)
{
	cut_table(keys, "gear", g->value, n_elements(g->value));
}

void
cutter_init(struct cutter *c, const struct cut_gear *gear,
	const struct cut_params *params)
{
	uint64_t even = UINT64_MAX / params->mean;
	uint32_t turn = (uint32_t)((uint64_t)params->mean * 13 / 16);

	*c = (struct cutter){
		.gear = gear,
		.params = *params,
		.strict = even / 4,
		.loose = even * 4,
		.turn = turn > params->min ? turn : params->min,
	};
	cutter_begin(c, 0);
}

static void
begin_chunk(struct cutter *c)
{
	c->done = c->params.min - CUT_WINDOW;
	c->hash = 0;
}

void
cutter_begin(struct cutter *c, uint32_t every)
{
	c->every = every;
	begin_chunk(c);
}

/* Hash without looking for a cut up to (not including) byte `to`. */
static void
warm_up(struct cutter *c, const uint8_t *data, size_t to)
{
	while (c->done < to)
		c->hash = (c->hash << 1) + c->gear->value[data[c->done++]];
}

/* Hash up to byte `to`, stop at the first cut: true. */
static bool
look(struct cutter *c, const uint8_t *data, size_t to, uint64_t below)
{
	const uint64_t *gear = c->gear->value;
	uint64_t h = c->hash;
	size_t i = c->done;
	bool cut = false;

	while (i < to && !cut) {
		h = (h << 1) + gear[data[i++]];
		cut = h < below;
	}
	c->hash = h;
	c->done = i;
	return cut;
}

/*
 * Hash the next two strides side by side, which hides the latency of one
 * hash's shift and addition behind the other's.  False when there is a cut in
 * either; then nothing has changed and look() will find it.
 */
static bool
skip_two_strides(struct cutter *c, const uint8_t *data, uint64_t below)
{
	const uint64_t *gear = c->gear->value;
	const uint8_t *p = data + c->done, *q = p + STRIDE;
	uint64_t h = c->hash, k = 0;

	for (int i = -CUT_WINDOW; i < 0; i++)
		k = (k << 1) + gear[q[i]];
	for (size_t i = 0; i < STRIDE; i++) {
		h = (h << 1) + gear[p[i]];
		k = (k << 1) + gear[q[i]];
		if (unlikely(h < below) || unlikely(k < below))
			return false;
	}
	c->hash = k;
	c->done += 2 * STRIDE;
	return true;
}

static bool
look_fast(struct cutter *c, const uint8_t *data, size_t to, uint64_t below)
{
	while (c->done + 2 * STRIDE <= to)
		if (!skip_two_strides(c, data, below))
			break;
	return look(c, data, to, below);
}

/* Look at what is new of the first `end` bytes; true when done is a cut. */
static bool
find(struct cutter *c, const uint8_t *data, size_t end)
{
	size_t first = c->params.min - 1;

	warm_up(c, data, end < first ? end : first);
	if (c->done < c->turn && end > c->done &&
		look_fast(c, data, end < c->turn ? end : c->turn, c->strict))
		return true;
	return end > c->done && look_fast(c, data, end, c->loose);
}

size_t
cutter_next(struct cutter *c, const uint8_t *data, size_t len, bool final)
{
	size_t max = c->every ? c->every : c->params.max;
	size_t end = len < max ? len : max;
	size_t cut = 0;

	if (!c->every && find(c, data, end))
		cut = c->done;
	else if (end == max || final)
		cut = end;
	if (cut)
		begin_chunk(c);
	return cut;
}

bool
cut_is_database(const uint8_t *head, size_t len)
{
	static const char magic[16] = "SQLite format 3";
	uint32_t page;

	if (len < SQLITE_HEAD_LEN || memcmp(head, magic, sizeof(magic)) != 0)
		return false;
	page = get_be16(head + 16);
	if (page == 1)
		return true; /* 65536 */
	return page >= 512 && page <= 32768 && (page & (page - 1)) == 0;
}

uint32_t
cut_page_size(const uint8_t *head)
{
	uint32_t page = get_be16(head + 16);

	return page == 1 ? 65536 : page;
}

uint32_t
cut_database_len(const uint8_t *head)
{
	uint32_t page = cut_page_size(head);

	return page < CUT_DATABASE_LEN ? CUT_DATABASE_LEN : page;
}
