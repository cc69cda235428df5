/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "repo/upkeep/tables.h"

#include <errno.h>
#include <stdlib.h>
#include "repo/base/buf.h"
#include "repo/fetch/together.h"
#include "repo/upkeep/table.h"

/* A pack's table takes some megabytes at most. */
#define BATCH (4 * TOGETHER_MAX)

struct loaded {
	struct toc toc;
	int r;
	struct err e;
};

struct tables {
	struct repository *rp;
	const struct stock *stock;
	uint32_t *packs;
	size_t n, next; /* next: the first that was not loaded */
	size_t from;	/* of which batch holds those up to next */
	struct loaded batch[BATCH];
};

struct tables *
tables_new(struct repository *rp, const struct stock *stock, uint32_t *packs,
	size_t n)
{
	struct tables *t = xcalloc(1, sizeof(*t));

	t->rp = rp;
	t->stock = stock;
	t->packs = packs;
	t->n = n;
	return t;
}

static void
drop_batch(struct tables *t)
{
	for (; t->from < t->next; t->from++)
		toc_release(&t->batch[t->from % BATCH].toc);
}

void
tables_free(struct tables *t)
{
	if (!t)
		return;
	drop_batch(t);
	free(t->packs);
	free(t);
}

static void
load(void *ctx, size_t i)
{
	struct tables *t = ctx;
	struct loaded *l = &t->batch[(t->from + i) % BATCH];
	const struct stock_pack *p = &t->stock->packs[t->packs[t->from + i]];

	*l = (struct loaded){ .toc = TOC_INIT, .e = ERR_INIT };
	l->r = table_load(t->rp, p->object, p->id, p->size, &l->toc, &l->e);
}

int
tables_take(struct tables *t, uint32_t pack, struct toc *toc, struct err *e)
{
	struct loaded *l;

	for (; t->from < t->next && t->packs[t->from] < pack; t->from++)
		toc_release(&t->batch[t->from % BATCH].toc);
	while (t->next < t->n && t->packs[t->next] < pack)
		t->from = ++t->next;
	if (t->from == t->n || t->packs[t->from] != pack)
		return err_set(e, ENOENT, "a table that was not announced");
	if (t->from == t->next) {
		t->next = t->n - t->from < BATCH ? t->n : t->from + BATCH;
		together_run(t->next - t->from, true, load, t);
	}
	l = &t->batch[t->from++ % BATCH];
	if (l->r && e)
		*e = l->e;
	*toc = l->toc;
	l->toc = (struct toc)TOC_INIT;
	return l->r;
}
