/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/dirlist.h"

#include <stdlib.h>

void
dirlist_init(struct dirlist *d, struct view *v, uint64_t dir, size_t batch)
{
	*d = (struct dirlist){
		.view = v, .dir = dir, .batch = batch, .names = BUF_INIT
	};
}

void
dirlist_release(struct dirlist *d)
{
	free(steal(d->entries));
	free(steal(d->name_off));
	free(steal(d->failed));
	buf_release(&d->names);
}

static bool
take(void *ctx, const struct view_dirent *entry)
{
	struct dirlist *d = ctx;

	if (d->n == d->cap) {
		d->cap = d->cap ? 4 * d->cap : 8;
		if (d->cap > d->batch)
			d->cap = d->batch;
		d->entries = xrealloc(d->entries, d->cap * sizeof(*d->entries));
		d->name_off =
			xrealloc(d->name_off, d->cap * sizeof(*d->name_off));
	}
	d->entries[d->n] = *entry;
	d->name_off[d->n++] = d->names.len;
	buf_append(&d->names, entry->name, entry->name_len);
	d->from = entry->next;
	return d->n < d->batch;
}

static void
fill(struct dirlist *d)
{
	struct err e = ERR_INIT;
	int r;

	d->n = d->at = 0;
	d->names.len = 0;
	r = view_list(d->view, d->dir, d->from, take, d, &e);
	d->ended = r < 0 || d->n < d->batch;
	if (r < 0)
		d->failed = xmemdup(&e, sizeof(e));
}

static int
report(struct dirlist *d, struct err *e)
{
	auto_free struct err *failed = steal(d->failed);

	if (!failed)
		return 0;
	if (e)
		*e = *failed;
	return -failed->code;
}

int
dirlist_next(struct dirlist *d, const struct view_dirent **entry, struct err *e)
{
	if (d->at == d->n && !d->ended)
		fill(d);
	if (d->at == d->n)
		return report(d, e);
	d->entries[d->at].name =
		(const char *)d->names.data + d->name_off[d->at];
	*entry = &d->entries[d->at++];
	return 1;
}
