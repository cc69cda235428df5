/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which packs are condemned, and why the others are not.
 *
 * How much of a pack is in use is exact as far as tables were read: those that
 * may change what becomes of their pack, where that costs requests of some
 * packs only, others in each run.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "repo/base/buf.h"
#include "repo/crypto/keyring.h"
#include "repo/upkeep/prune_private.h"
#include "repo/upkeep/tables.h"
#include "repo/upkeep/upkeep.h"

/* Packs shorter than this are put together when there are so many of them: else
 * a snapshot would lie in as many packs as it has predecessors. */
#define SMALL_DATA (8u << 20)
#define SMALL_META (1u << 20)
#define SMALL_MANY 16
/* What is not used of a pack is left until it is so much: to copy costs all who
 * refer to it a look at the index. */
#define WASTE_MIN (64u << 10)
/* What a state has of each kind at most: the rest is for the next runs. */
#define STATE_PACKS_MAX (GC_PACKS_MAX / 10 * 9)
#define TABLES_FAR 1000 /* read of a store that is far */

static void
tell(const struct prune *p, const struct stock_pack *pack, const char *fate,
	const char *why)
{
	char name[OBJECT_NAME_MAX];
	struct prune_pack pp = { .name = name,
		.size = pack->size,
		.live = pack->live,
		.fate = fate,
		.why = why };

	object_pack_name(name, pack->object, pack->id);
	if (p->o->pack)
		p->o->pack(p->o->ctx, &pp);
}

static void
count(struct prune_sum *s, const struct stock_pack *pack)
{
	s->n++;
	s->bytes += pack->size;
}

/* -- What was condemned -------------------------------------------------------- */

void
prune_resurrect(struct prune *p)
{
	for (size_t i = 0; i < p->stock.n_packs; i++) {
		struct stock_pack *pack = &p->stock.packs[i];

		if (!(pack->flags & STOCK_CONDEMNED) ||
			!(pack->flags & STOCK_LIVE))
			continue;
		pack->flags &= (uint16_t) ~(STOCK_CONDEMNED | STOCK_DUE);
		pack->flags |= STOCK_KEEP;
		count(&p->res->resurrected, pack);
		tell(p, pack, "resurrected", "a snapshot uses it again");
	}
}

bool
prune_sentence(struct prune *p)
{
	bool any = p->state.sentenced.n > 0;
	size_t n = p->state.gone.n;

	for (size_t i = 0; i < p->stock.n_packs; i++) {
		struct stock_pack *pack = &p->stock.packs[i];

		if (!(pack->flags & STOCK_CONDEMNED))
			continue;
		if (!(pack->flags & STOCK_DUE)) {
			count(&p->res->waiting, pack);
			tell(p, pack, "waits", "condemned, in its grace");
		} else if (pack->flags & STOCK_TRASH) {
			count(&p->res->waiting, pack);
			tell(p, pack, "waits",
				"a removed snapshot that can still be brought "
				"back uses it");
		} else if (n++ >= STATE_PACKS_MAX) {
			count(&p->res->waiting, pack);
			tell(p, pack, "waits", "for a later run: these are many");
		} else {
			pack->flags |= STOCK_SENTENCED;
			any = true;
			if (p->o->dry_run) {
				count(&p->res->deleted, pack);
				tell(p, pack, "deleted", "its grace is over");
			}
		}
	}
	return any;
}

struct heirs {
	struct prune *p;
	uint32_t *packs;
};

static int
check_heir(void *ctx, size_t i, struct err *e)
{
	const struct heirs *h = ctx;
	const struct stock_pack *pack = &h->p->stock.packs[h->packs[i]];
	char name[OBJECT_NAME_MAX];
	uint64_t size;
	int r;

	object_pack_name(name, pack->object, pack->id);
	r = store_size(h->p->o->rp->store, name, &size, e);
	if (!r && size != pack->size)
		r = err_set(e, EUCLEAN,
			"%s: listed with another size than it has", name);
	return r;
}

int
prune_check_heirs(struct prune *p, struct err *e)
{
	auto_free uint32_t *packs =
		xcalloc(p->stock.n_packs + 1, sizeof(*packs));
	struct heirs h = { .p = p, .packs = packs };
	size_t n = 0;

	for (size_t i = 0; i < p->stock.n_packs; i++) {
		if (p->stock.packs[i].flags & STOCK_HEIR)
			packs[n++] = (uint32_t)i;
	}
	return upkeep_together(n, check_heir, &h, e);
}

/* -- Rules ------------------------------------------------------------------------- */

static bool
is_small(const struct prune *p, const struct stock_pack *pack)
{
	uint64_t len = p->o->data_pack_len / 4;

	if (pack->object == OBJECT_META)
		return pack->size < SMALL_META;
	return pack->size < (len && len < SMALL_DATA ? len : SMALL_DATA);
}

/* Whether a pack that snapshots use may be condemned at all. */
static bool
may_go(const struct prune *p, const struct stock_pack *pack)
{
	return !(pack->flags & (STOCK_CONDEMNED | STOCK_PINNED | STOCK_ODD |
				       STOCK_KEEP | STOCK_DELETED)) &&
	       pack->flags & STOCK_LIVE &&
	       (!p->marked || pack->modified_ns <= p->now_ns - p->keep_ns);
}

static bool
is_little_used(const struct prune *p, const struct stock_pack *pack)
{
	unsigned threshold =
		p->o->threshold ? p->o->threshold : PRUNE_THRESHOLD;

	return pack->live + WASTE_MIN <= pack->size &&
	       pack->live * 100 < pack->size * threshold;
}

/* Packs of one kind that are to be put together. */
static bool
small_are_many(const struct prune *p, uint8_t object)
{
	uint64_t n = 0;

	for (size_t i = 0; i < p->stock.n_packs; i++) {
		const struct stock_pack *pack = &p->stock.packs[i];

		n += pack->object == object && is_small(p, pack) &&
		     may_go(p, pack);
	}
	return n >= SMALL_MANY;
}

/* -- How much is in use ------------------------------------------------------------ */

struct exact {
	struct prune *p;
	uint32_t pack; /* STOCK_NONE: none */
	struct toc toc;
	uint32_t frame;
	uint64_t used;	      /* of this frame's chunks */
	uint64_t live;
	struct tables *tables;
};

/* The length of all chunks of a frame. */
static uint64_t
frame_total(const struct toc *t, const struct toc_frame *f)
{
	const struct toc_chunk *last;

	if (!f->n_chunks)
		return 0;
	last = &t->chunks[f->first_chunk + f->n_chunks - 1];
	return (uint64_t)last->off + last->len;
}

static void
end_frame(struct exact *x)
{
	const struct toc_frame *f = &x->toc.frames[x->frame];
	uint64_t total;

	if (!x->used)
		return;
	total = frame_total(&x->toc, f);
	if (total)
		x->live += x->used >= total ? f->len : f->len * x->used / total;
	x->used = 0;
}

static void
end_pack(struct exact *x)
{
	if (x->pack == STOCK_NONE)
		return;
	end_frame(x);
	if (x->live < x->p->stock.packs[x->pack].live)
		x->p->stock.packs[x->pack].live = x->live;
	toc_release(&x->toc);
	x->toc = (struct toc)TOC_INIT;
	x->pack = STOCK_NONE;
	x->frame = 0;
	x->live = 0;
}

/* Begin with a pack; of those whose table is not read what is known stays. */
static void
begin_pack(struct exact *x, uint32_t n)
{
	end_pack(x);
	if (!tables_take(x->tables, n, &x->toc, NULL))
		x->pack = n;
}

static void
add_chunk(struct exact *x, const struct live_chunk *c)
{
	while (x->frame < x->toc.n_frames &&
		x->toc.frames[x->frame].off < c->frame_off) {
		end_frame(x);
		x->frame++;
	}
	if (x->frame < x->toc.n_frames &&
		x->toc.frames[x->frame].off == c->frame_off)
		x->used += c->chunk_len;
	else
		x->p->stock.packs[c->pack].flags |= STOCK_ODD;
	if (x->frame == x->toc.n_frames && x->frame)
		x->frame--; /* a frame for end_frame to look at */
}

/*
 * Whether its table is worth reading.  It tells only that less is in use: of a
 * pack that is too short for that to matter it is not, nor where it is a
 * request and the pack will be copied from whatever it says.
 */
static bool
table_matters(const struct prune *p, const struct stock_pack *pack,
	bool far, bool small_go)
{
	if (pack->object != OBJECT_DATA || pack->size <= WASTE_MIN ||
		!may_go(p, pack))
		return false;
	return !far || (!is_little_used(p, pack) &&
			       !(small_go && is_small(p, pack)));
}

static struct tables *
choose_tables(const struct prune *p)
{
	bool far = !p->o->rp->store->local_path;
	bool small_go = small_are_many(p, OBJECT_DATA);
	uint32_t *packs = xcalloc(p->stock.n_packs + 1, sizeof(*packs));
	size_t n = 0, max = far ? TABLES_FAR : SIZE_MAX;
	uint32_t from = 0;

	for (size_t i = 0; i < p->stock.n_packs; i++) {
		if (table_matters(p, &p->stock.packs[i], far, small_go))
			packs[n++] = (uint32_t)i;
	}
	if (n > max) {
		random_bytes(&from, sizeof(from));
		from %= (uint32_t)(n - max + 1);
		memmove(packs, packs + from, max * sizeof(*packs));
		n = max;
	}
	return tables_new(p->o->rp, &p->stock, packs, n);
}

static int
measure(struct prune *p, struct err *e)
{
	auto_tables struct tables *tables = choose_tables(p);
	struct exact x = { .p = p,
		.pack = STOCK_NONE,
		.toc = TOC_INIT,
		.tables = tables };
	struct live_chunk c;
	uint32_t last = STOCK_NONE;
	int r = live_read(p->live, e), got = 0;

	while (!r && (got = live_next(p->live, &c, e)) > 0) {
		if (c.order >> LIVE_CLASS_SHIFT == LIVE_TRASH)
			continue;
		if (c.pack != last)
			begin_pack(&x, c.pack);
		last = c.pack;
		if (x.pack == c.pack)
			add_chunk(&x, &c);
		r = prune_check_interrupted(p, e);
	}
	end_pack(&x);
	return r ? r : got;
}

/* -- Choosing --------------------------------------------------------------------- */

static void
choose_small(struct prune *p, uint8_t object)
{
	bool many = small_are_many(p, object);

	for (size_t i = 0; i < p->stock.n_packs && many; i++) {
		struct stock_pack *pack = &p->stock.packs[i];

		if (pack->object == object && is_small(p, pack) && may_go(p, pack))
			pack->flags |= STOCK_COPY;
	}
}

static int
by_use(const void *a, const void *b, void *stock)
{
	const struct stock_pack *packs = stock;
	const struct stock_pack *x = &packs[*(const uint32_t *)a];
	const struct stock_pack *y = &packs[*(const uint32_t *)b];
	double u = (double)x->live / (double)(x->size + 1);
	double v = (double)y->live / (double)(y->size + 1);

	return (u > v) - (u < v);
}

/* Of what was chosen, only what frees the most for the least copying. */
static void
limit_copying(struct prune *p)
{
	auto_free uint32_t *chosen =
		xcalloc(p->stock.n_packs + 1, sizeof(*chosen));
	uint64_t bytes = 0;
	size_t n = 0;

	for (size_t i = 0; i < p->stock.n_packs; i++) {
		if (p->stock.packs[i].flags & STOCK_COPY)
			chosen[n++] = (uint32_t)i;
	}
	qsort_r(chosen, n, sizeof(*chosen), by_use, p->stock.packs);
	for (size_t i = 0; i < n; i++) {
		bytes += p->stock.packs[chosen[i]].live;
		if (bytes > p->o->copy_max)
			p->stock.packs[chosen[i]].flags &=
				(uint16_t)~STOCK_COPY;
	}
}

int
prune_choose(struct prune *p, struct err *e)
{
	int r = measure(p, e);

	if (r)
		return r;
	for (size_t i = 0; i < p->stock.n_packs; i++) {
		struct stock_pack *pack = &p->stock.packs[i];

		p->res->in_use.bytes += pack->live;
		p->res->in_use.n += (pack->flags & STOCK_LIVE) != 0;
		if (!(pack->flags & STOCK_DELETED))
			count(&p->res->all, pack);
		if (may_go(p, pack) && is_little_used(p, pack))
			pack->flags |= STOCK_COPY;
	}
	choose_small(p, OBJECT_DATA);
	choose_small(p, OBJECT_META);
	if (p->o->copy_max)
		limit_copying(p);
	return 0;
}

/* -- Condemning -------------------------------------------------------------------- */

static const char *
why_it_stays(const struct prune *p, const struct stock_pack *pack)
{
	if (pack->flags & STOCK_ODD)
		return "it could not be copied: see yore check";
	if (pack->flags & STOCK_KEEP)
		return "it was condemned, and is used again";
	if (pack->flags & STOCK_PINNED)
		return "a host that cannot read uses it";
	if (p->marked && pack->modified_ns > p->now_ns - p->keep_ns)
		return "hosts that cannot read may use it";
	return is_little_used(p, pack) ? "enough is copied in this run"
				       : "in use";
}

/* Nobody uses it.  A run may be under way that will. */
static void
condemn_useless(struct prune *p, struct stock_pack *pack)
{
	int64_t age = p->marked ? p->keep_ns : p->grace_ns;

	if (pack->modified_ns == STORE_TIME_UNKNOWN ||
		pack->modified_ns > p->now_ns - age) {
		p->res->young++;
		tell(p, pack, "stays",
			"nothing uses it, but a run may be under way that "
			"will");
		return;
	}
	pack->flags |= STOCK_CONDEMNED;
	count(&p->res->condemned, pack);
	tell(p, pack, "condemned", "nothing uses it");
}

void
prune_condemn(struct prune *p)
{
	size_t n = p->state.condemned.n;

	for (size_t i = 0; i < p->stock.n_packs; i++) {
		struct stock_pack *pack = &p->stock.packs[i];

		if (pack->flags & (STOCK_CONDEMNED | STOCK_DELETED))
			continue;
		if (n >= STATE_PACKS_MAX) {
			tell(p, pack, "stays", "for a later run: these are many");
		} else if (!(pack->flags & STOCK_LIVE)) {
			condemn_useless(p, pack);
		} else if (pack->flags & STOCK_COPY) {
			pack->flags |= STOCK_CONDEMNED;
			count(&p->res->copied, pack);
			tell(p, pack, "condemned",
				is_little_used(p, pack)
					? "little of it is used, and copied"
					: "it is small, and put together with "
					  "others");
		} else {
			tell(p, pack, "stays", why_it_stays(p, pack));
		}
		n += (pack->flags & STOCK_CONDEMNED) != 0;
	}
	p->res->lost = live_lost(p->live);
}
