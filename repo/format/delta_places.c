/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A leaf is a table of blocks and the blocks.  The table has the first page of
 * each block and where the block begins, of fixed width; within a block a run
 * is written relative to the run before.  Searching is a bisection of the
 * table and a walk through one block.
 */
#include "repo/format/delta_places.h"

#include <errno.h>
#include <string.h>
#include "repo/format/delta.h"

enum {
	RUN_ZEROS = 1,	    /* nothing else is said of the place */
	RUN_SAME_DELTA = 2, /* as the run before, */
	RUN_SAME_FRAME = 4, /* which also is in the same frame */
	RUN_NEXT_FRAME = 8, /* or in the frame before this one */
	RUN_ONE = 16,	    /* one page */
	RUN_SLOT_0 = 32,    /* its first page is the frame's first */
	RUN_KNOWN = 63,
};

#define BLOCK_RUNS 64
#define TABLE_ENTRY 8
#define BLOCKS_MAX 65535
#define FRAME_OFF_MAX ((1ULL << 48) - 1)

/* -- Encoding ------------------------------------------------------------- */

static void
begin_block(struct delta_places_encoder *pe, uint32_t first)
{
	buf_be32(&pe->table, first);
	buf_be32(&pe->table, (uint32_t)pe->blocks.len);
	pe->n_blocks++;
	pe->in_block = 0;
	/* nothing is before */
	pe->last = (struct delta_run){ .first = first, .zeros = true };
}

static uint8_t
flags_of(const struct delta_run *run, const struct delta_run *last)
{
	uint8_t flags = run->count == 1 ? RUN_ONE : 0;

	if (run->zeros)
		return flags | RUN_ZEROS;
	if (run->slot == 0)
		flags |= RUN_SLOT_0;
	if (last->zeros || last->n != run->n || last->writer != run->writer)
		return flags;
	flags |= RUN_SAME_DELTA;
	if (last->off == run->off && last->len == run->len)
		flags |= RUN_SAME_FRAME;
	else if (last->off + last->len == run->off)
		flags |= RUN_NEXT_FRAME;
	return flags;
}

void
delta_places_add(struct delta_places_encoder *pe, const struct delta_run *run)
{
	struct buf *b = &pe->blocks;
	uint8_t flags;

	if (!pe->any || pe->in_block == BLOCK_RUNS)
		begin_block(pe, run->first);
	pe->any = true;
	flags = flags_of(run, &pe->last);
	buf_u8(b, flags);
	buf_varint(b, run->first - (pe->last.first + pe->last.count));
	if (!(flags & RUN_ONE))
		buf_varint(b, run->count);
	if (!(flags & (RUN_ZEROS | RUN_SAME_DELTA))) {
		buf_varint(b, pe->n - run->n);
		buf_varint(b, run->writer);
	}
	if (!(flags & (RUN_ZEROS | RUN_SAME_FRAME | RUN_NEXT_FRAME)))
		buf_varint(b, run->off);
	if (!(flags & (RUN_ZEROS | RUN_SAME_FRAME)))
		buf_varint(b, run->len);
	if (!(flags & (RUN_ZEROS | RUN_SLOT_0)))
		buf_varint(b, run->slot);
	pe->last = *run;
	pe->in_block++;
}

size_t
delta_places_len(const struct delta_places_encoder *pe)
{
	return 2 + pe->table.len + pe->blocks.len;
}

void
delta_places_finish(struct delta_places_encoder *pe, struct buf *b)
{
	buf_be16(b, (uint16_t)pe->n_blocks);
	if (pe->n_blocks) {
		buf_append(b, pe->table.data, pe->table.len);
		buf_append(b, pe->blocks.data, pe->blocks.len);
	}
	pe->table.len = pe->blocks.len = 0;
	pe->n_blocks = pe->in_block = 0;
	pe->any = false;
}

void
delta_places_release(struct delta_places_encoder *pe)
{
	buf_release(&pe->table);
	buf_release(&pe->blocks);
}

/* -- Reading --------------------------------------------------------------- */

static int
malformed(struct err *e)
{
	return err_set(e, EUCLEAN, "a delta's places of pages are malformed");
}

static uint32_t
first_of(const struct delta_places *p, uint32_t block)
{
	return get_be32(p->table + (size_t)block * TABLE_ENTRY);
}

static uint32_t
begin_of(const struct delta_places *p, uint32_t block)
{
	return get_be32(p->table + (size_t)block * TABLE_ENTRY + 4);
}

int
delta_places_open(struct delta_places *p, uint64_t n, const uint8_t *data,
	size_t len, struct err *e)
{
	struct reader r = reader_of(data, len);

	*p = (struct delta_places){ .n = n };
	p->n_blocks = read_be16(&r);
	p->table = read_bytes(&r, (size_t)p->n_blocks * TABLE_ENTRY);
	if (r.bad || len > DELTA_PLACES_LEAF_MAX)
		return malformed(e);
	p->data = r.p;
	p->len = reader_left(&r);
	for (uint32_t i = 0; i < p->n_blocks; i++) {
		uint32_t at = begin_of(p, i);

		if (at >= p->len || first_of(p, i) == 0 ||
			(i == 0 && at != 0) ||
			(i > 0 && (at <= begin_of(p, i - 1) ||
					  first_of(p, i) <= first_of(p, i - 1))))
			return malformed(e);
	}
	if (p->n_blocks == 0 && p->len > 0)
		return malformed(e);
	return 0;
}

void
delta_places_seek(struct delta_places *p, uint32_t page)
{
	uint32_t lo = 0, hi = p->n_blocks;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (first_of(p, mid) <= page)
			lo = mid + 1;
		else
			hi = mid;
	}
	p->block = lo ? lo - 1 : 0;
	p->in_block = false;
	p->next = 0;
}

static void
enter_block(struct delta_places *p)
{
	uint32_t from = begin_of(p, p->block);
	size_t to = p->block + 1 < p->n_blocks ? begin_of(p, p->block + 1)
					       : p->len;

	p->r = reader_of(p->data + from, to - from);
	p->last = (struct delta_run){ .first = first_of(p, p->block),
		.zeros = true };
	if (p->last.first < p->next)
		p->r.bad = true;
	p->block++;
	p->in_block = true;
}

/* The frame of a run; flags are consistent. */
static void
read_frame(struct reader *r, uint8_t flags, const struct delta_run *last,
	uint64_t leaf_n, struct delta_run *run)
{
	if (flags & RUN_SAME_DELTA) {
		run->n = last->n;
		run->writer = last->writer;
	} else {
		run->n = leaf_n - read_bounded(r,
					  leaf_n - delta_before(leaf_n) - 1);
		run->writer = (uint32_t)read_bounded(r, DELTA_WRITERS_MAX - 1);
	}
	if (flags & RUN_SAME_FRAME)
		run->off = last->off;
	else if (flags & RUN_NEXT_FRAME)
		run->off = last->off + last->len;
	else
		run->off = read_bounded(r, FRAME_OFF_MAX);
	run->len = flags & RUN_SAME_FRAME
			   ? last->len
			   : (uint32_t)read_bounded(r, FRAME_SEALED_MAX);
	if (!(flags & RUN_SLOT_0))
		run->slot = (uint32_t)read_bounded(r, DELTA_SLOTS_MAX - 1);
	if (run->off < OBJECT_HEADER_LEN || run->off > FRAME_OFF_MAX ||
		run->len < FRAME_OVERHEAD ||
		run->slot + run->count > DELTA_SLOTS_MAX)
		r->bad = true;
}

static bool
flags_ok(uint8_t flags, const struct delta_run *last)
{
	uint8_t of_place = RUN_SAME_DELTA | RUN_SAME_FRAME | RUN_NEXT_FRAME |
			   RUN_SLOT_0;

	if (flags & ~RUN_KNOWN)
		return false;
	if (flags & RUN_ZEROS)
		return !(flags & of_place);
	if (flags & RUN_SAME_DELTA)
		return !last->zeros && (flags & (RUN_SAME_FRAME |
							RUN_NEXT_FRAME)) !=
					       (RUN_SAME_FRAME | RUN_NEXT_FRAME);
	return !(flags & (RUN_SAME_FRAME | RUN_NEXT_FRAME));
}

static void
read_run(struct delta_places *p, struct delta_run *run)
{
	struct reader *r = &p->r;
	const struct delta_run *last = &p->last;
	uint64_t from = (uint64_t)last->first + last->count;
	uint8_t flags = read_u8(r);

	*run = (struct delta_run){ .zeros = flags & RUN_ZEROS };
	run->first = (uint32_t)(from + read_bounded(r, UINT32_MAX - from));
	run->count = flags & RUN_ONE
			     ? 1
			     : (uint32_t)read_bounded(r, UINT32_MAX);
	if (r->bad || !flags_ok(flags, last) || run->count == 0 ||
		run->count > UINT32_MAX - run->first)
		r->bad = true;
	else if (!run->zeros)
		read_frame(r, flags, last, p->n, run);
}

int
delta_places_next(struct delta_places *p, struct delta_run *run,
	struct err *e)
{
	if (!p->in_block || (!p->r.bad && !reader_left(&p->r))) {
		if (p->block == p->n_blocks)
			return 0;
		enter_block(p);
	}
	read_run(p, run);
	if (p->r.bad) {
		p->in_block = true; /* and it stays bad */
		return malformed(e);
	}
	p->last = *run;
	p->next = run->first + run->count;
	return 1;
}

/* -- Sets ------------------------------------------------------------------- */

uint8_t
delta_set_shift(uint32_t pages)
{
	uint8_t shift = 0;

	while ((uint64_t)pages >> shift > (uint64_t)DELTA_SET_MAX * 8)
		shift++;
	return shift;
}

void
delta_set_begin(struct buf *b, uint32_t pages)
{
	uint8_t shift = delta_set_shift(pages);

	buf_u8(b, shift);
	buf_zeros(b, ((uint64_t)pages >> shift) / 8 + 1);
}

void
delta_set_add(struct buf *b, uint32_t first, uint32_t count)
{
	uint8_t shift = b->data[0];
	uint64_t to = ((uint64_t)first - 1 + count - 1) >> shift;

	for (uint64_t i = (first - 1) >> shift;
		i <= to && i / 8 + 1 < b->len; i++)
		b->data[1 + i / 8] |= (uint8_t)(1 << i % 8);
}

bool
delta_set_may_have(const uint8_t *data, size_t len, uint32_t first,
	uint32_t count)
{
	uint64_t i, to;

	if (len < 2 || data[0] > 31)
		return true;
	to = ((uint64_t)first - 1 + count - 1) >> data[0];
	for (i = (first - 1) >> data[0]; i <= to && i / 8 + 1 < len; i++) {
		if (data[1 + i / 8] & 1 << i % 8)
			return true;
	}
	return false;
}
