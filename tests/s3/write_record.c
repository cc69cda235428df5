/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/s3/write_record.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "repo/base/clock.h"
#include "repo/write/catalogs.h"
#include "repo/write/sealed.h"

void
world_must(int r, const struct err *e)
{
	if (r == 0)
		return;
	fprintf(stderr, "%s\n", e->text);
	exit(1);
}

void
world_open(struct world *w, const char *repository)
{
	struct record_places all = { .n = 0 };
	struct err e = ERR_INIT;

	memset(w, 0, sizeof(*w));
	world_must(repository_open(repository, NULL, &w->rp, &e), &e);
	world_must(sink_open(repository, false, &w->sink, &e), &e);
	world_must(records_list(w->rp, "snap/", &all, &e), &e);
	world_must(records_load_one(
			   w->rp, &all.p[all.n - 1], &w->newest, w->hash, &e),
		&e);
	record_places_release(&all);
}

void
world_close(struct world *w)
{
	record_release(&w->newest);
	sink_free(w->sink);
	repository_free(w->rp);
}

void
world_put(struct world *w)
{
	auto_sealed struct sealed s = { .packer = NULL };
	auto_buf struct buf plain = BUF_INIT;
	struct record *r = &w->newest;
	struct err e = ERR_INIT;
	struct record_place p;

	r->seq++;
	r->time_ns += 60 * NS_PER_S + random() % 1000000;
	memcpy(r->previous, w->hash, HASH_LEN);
	sealed_init(&s, w->rp->keys, OBJECT_RECORD);
	memcpy(r->id, s.id, OBJECT_ID_LEN);
	record_encode(r, true, &plain);
	world_must(sealed_add(&s, FRAME_RECORD, plain.data, plain.len, &e), &e);
	record_place_of(w->rp, r, &p);
	sha256(s.bytes.data, s.bytes.len, w->hash);
	world_must(
		sink_put(w->sink, p.name, s.bytes.data, s.bytes.len, &e), &e);
}

void
world_note(struct world *w)
{
	struct err e = ERR_INIT;

	world_must(catalogs_add(w->rp, w->sink, &w->newest, w->hash, &e), &e);
}
