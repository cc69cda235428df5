/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * In batches of at most BATCH_CHUNKS, which bounds memory: the chunks in use of
 * some packs are compared with these packs' tables (compact_plan.c), sorted
 * into walk order, copied (compact_copy.c), looked for in what has been
 * written, indexed.
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include "repo/base/buf.h"
#include "repo/base/log.h"
#include "repo/upkeep/compact_private.h"
#include "repo/upkeep/table.h"
#include "repo/upkeep/upkeep.h"
#include "repo/write/segments.h"

static int
by_order(const void *a, const void *b)
{
	const struct compact_item *x = a, *y = b;

	if (x->order != y->order)
		return x->order < y->order ? -1 : 1;
	if (x->pack != y->pack)
		return x->pack < y->pack ? -1 : 1;
	if (x->frame_off != y->frame_off)
		return x->frame_off < y->frame_off ? -1 : 1;
	return (x->chunk_off > y->chunk_off) - (x->chunk_off < y->chunk_off);
}

void
compact_drop(struct compact *c, uint32_t pack, const struct err *why)
{
	struct stock_pack *p = &c->o->stock->packs[pack];
	char name[OBJECT_NAME_MAX];

	if (!(p->flags & STOCK_COPY))
		return;
	p->flags &= (uint16_t)~STOCK_COPY;
	p->flags |= STOCK_ODD;
	object_pack_name(name, p->object, p->id);
	log_warn("%s stays as it is: %s", name, why->text);
}

/* -- What was written, by its own word ------------------------------------------ */

struct proof {
	struct compact *c;
	pthread_mutex_t lock; /* of all below */
	struct segment_entry *en;
	size_t n, cap;
	struct segment_pack *packs;
	uint32_t n_packs;
};

static void
proof_release(struct proof *p)
{
	free(p->en);
	free(p->packs);
	pthread_mutex_destroy(&p->lock);
}

static void
note_table(struct proof *p, const struct toc *t)
{
	if (p->n + t->n_chunks > p->cap) {
		p->cap = p->n + t->n_chunks + 4096;
		p->en = xrealloc(p->en, p->cap * sizeof(*p->en));
	}
	for (uint32_t i = 0; i < t->n_frames; i++) {
		const struct toc_frame *f = &t->frames[i];

		for (uint32_t k = 0; k < f->n_chunks; k++) {
			const struct toc_chunk *ch =
				&t->chunks[f->first_chunk + k];
			struct segment_entry *en = &p->en[p->n++];

			*en = (struct segment_entry){ .pack = p->n_packs,
				.frame_off = f->off,
				.frame_len = f->len,
				.chunk_off = ch->off,
				.chunk_len = ch->len };
			memcpy(en->id, ch->id, CHUNK_KEY_LEN);
		}
	}
}

static int
read_back(void *ctx, size_t i, struct err *e)
{
	struct proof *p = ctx;
	struct compact *c = p->c;
	const struct segment_pack *pack = &c->written[i];
	auto_toc struct toc toc = TOC_INIT;
	char name[OBJECT_NAME_MAX];
	uint64_t size;
	int r;

	object_pack_name(name, pack->object, pack->id);
	r = store_size(c->o->rp->store, name, &size, e);
	if (!r)
		r = table_load(
			c->o->rp, pack->object, pack->id, size, &toc, e);
	if (r)
		return r;
	auto_lock(&p->lock);
	note_table(p, &toc);
	p->packs[p->n_packs++] = *pack;
	c->res->new_bytes += size;
	c->res->new_packs++;
	return 0;
}

static int
compare_entries(const void *a, const void *b)
{
	return memcmp(((const struct segment_entry *)a)->id,
		((const struct segment_entry *)b)->id, CHUNK_KEY_LEN);
}

static void
drop_doubles(struct proof *p)
{
	size_t kept = 0;

	if (p->n)
		qsort(p->en, p->n, sizeof(*p->en), compare_entries);
	for (size_t i = 0; i < p->n; i++) {
		if (!kept || compare_entries(&p->en[kept - 1], &p->en[i]))
			p->en[kept++] = p->en[i];
	}
	p->n = kept;
}

static bool
has(const struct proof *p, const struct compact_item *it)
{
	struct segment_entry wanted;
	const struct segment_entry *en;

	memcpy(wanted.id, it->key, CHUNK_KEY_LEN);
	en = p->n ? bsearch(&wanted, p->en, p->n, sizeof(*p->en),
			    compare_entries)
		  : NULL;
	return en && en->chunk_len == it->chunk_len;
}

/* Every chunk that was to be copied is in the new packs, or its old pack
 * stays. */
static int
compare(struct compact *c, const struct proof *p, struct err *e)
{
	const void *record;
	int r = sorter_read(c->items, e), got = 0;

	while (!r && (got = sorter_next(c->items, &record, e)) > 0) {
		const struct compact_item *it = record;
		struct err why = ERR_INIT;

		if (has(p, it)) {
			c->res->chunks++;
			continue;
		}
		err_set(&why, EBADMSG, "a copy of a chunk is not to be found");
		compact_drop(c, it->pack, &why);
	}
	return r ? r : got;
}

static int
prove_and_index(struct compact *c, struct err *e)
{
	struct proof p = { .c = c };
	uint64_t stored = 0;
	int r;

	pthread_mutex_init(&p.lock, NULL);
	p.packs = xcalloc(c->n_written + 1, sizeof(*p.packs));
	r = upkeep_together(c->n_written, read_back, &p, e);
	drop_doubles(&p);
	if (!r)
		r = compare(c, &p, e);
	if (!r && p.n)
		r = segments_put(c->o->rp, c->o->sink, p.en, p.n, p.packs,
			p.n_packs, &stored, e);
	proof_release(&p);
	return r;
}

/* -- Batches ------------------------------------------------------------------------ */

static int
run_batch(struct compact *c, bool *more, struct err *e)
{
	int r;

	c->items = sorter_new(
		sizeof(struct compact_item), by_order, c->o->memory);
	c->n_written = 0;
	r = compact_plan(c, more, e);
	if (!r)
		r = compact_copy(c, e);
	if (!r)
		r = prove_and_index(c, e);
	sorter_free(steal(c->items));
	return r;
}

static struct tables *
tables_to_read(const struct compact_options *o)
{
	uint32_t *packs = xcalloc(o->stock->n_packs + 1, sizeof(*packs));
	size_t n = 0;

	for (size_t i = 0; i < o->stock->n_packs; i++) {
		if (o->stock->packs[i].flags & STOCK_COPY)
			packs[n++] = (uint32_t)i;
	}
	return tables_new(o->rp, o->stock, packs, n);
}

int
compact_run(const struct compact_options *o, struct compact_result *res,
	struct err *e)
{
	struct compact c = { .o = o, .res = res };
	bool more = true;
	int r = 0;

	c.planned = xcalloc(o->stock->n_packs + 1, sizeof(*c.planned));
	c.tables = tables_to_read(o);
	while (more && !r)
		r = run_batch(&c, &more, e);
	for (size_t i = 0; i < o->stock->n_packs; i++)
		res->packs += (o->stock->packs[i].flags & STOCK_COPY) != 0;
	tables_free(c.tables);
	free(c.planned);
	free(c.written);
	return r;
}
