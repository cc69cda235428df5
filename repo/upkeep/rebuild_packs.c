/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "repo/upkeep/rebuild_private.h"

#include <errno.h>
#include <string.h>
#include "repo/base/buf.h"
#include "repo/crypto/id.h"
#include "repo/fetch/together.h"
#include "repo/format/entry.h"
#include "repo/upkeep/pack_reader.h"
#include "repo/upkeep/table.h"

#define BATCH TOGETHER_MAX

struct job {
	struct rebuild *rb;
	uint32_t pack;
	struct toc toc;
	int r;
	struct err e;
};

static void
load(void *ctx, size_t i)
{
	struct job *j = (struct job *)ctx + i;
	const struct check_pack *p = &j->rb->packs.p[j->pack];

	j->r = table_load(
		j->rb->u->rp, p->object, p->id, p->size, &j->toc, &j->e);
}

static int
add(struct rebuild *rb, uint32_t pack, const uint8_t *key,
	struct rebuild_entry en, struct err *e)
{
	memcpy(en.key, key, CHUNK_KEY_LEN);
	en.pack = pack;
	rb->res->chunks++;
	return sorter_add(rb->entries, &en, e);
}

static int
add_table(
	struct rebuild *rb, uint32_t pack, const struct toc *toc, struct err *e)
{
	int r = 0;

	for (uint32_t i = 0; i < toc->n_frames; i++) {
		const struct toc_frame *f = &toc->frames[i];

		for (uint32_t k = 0; k < f->n_chunks && !r; k++) {
			const struct toc_chunk *c =
				&toc->chunks[f->first_chunk + k];

			r = add(rb, pack, c->id,
				(struct rebuild_entry){ .off = f->off,
					.len = f->len,
					.chunk_off = c->off,
					.chunk_len = c->len },
				e);
		}
	}
	return r;
}

/* -- Without a table
 * --------------------------------------------------------------- */

struct salvage {
	struct rebuild *rb;
	struct pack_reader *pr;
	uint32_t pack;
	struct err e;
};

/* Of metadata the type is not written anywhere: what is a page decodes as one.
 */
static enum chunk_type
type_of(const struct pack_frame *f, const uint8_t *data, uint32_t len)
{
	struct page *p = NULL;

	if (f->type == FRAME_DATA)
		return CHUNK_DATA;
	if (page_decode(data, len, &p, NULL))
		return CHUNK_XATTRS;
	page_free(p);
	return CHUNK_PAGE;
}

static int
take_frame(void *ctx, const struct pack_frame *f)
{
	struct salvage *s = ctx;
	uint32_t off = 0;
	int r = 0;

	if (f->bad && f->off == s->pr->table_off)
		return 0; /* which is known to be lost */
	if (f->bad) {
		s->rb->res->unreadable++;
		s->rb->o->report(s->rb->o->ctx, s->pr->name, f->why);
		return 0;
	}
	if (f->type != FRAME_DATA && f->type != FRAME_PAGES)
		return 0;
	for (uint32_t i = 0; i < f->n_chunks && !r; i++) {
		uint32_t len = pack_frame_chunk(f, i);
		uint8_t id[CHUNK_ID_LEN];

		chunk_id(s->rb->u->rp->keys, type_of(f, f->plain + off, len),
			f->plain + off, len, id);
		r = add(s->rb, s->pack, id,
			(struct rebuild_entry){ .off = f->off,
				.len = (uint32_t)f->len,
				.chunk_off = off,
				.chunk_len = len },
			&s->e);
		off += len;
	}
	return r;
}

static int
salvage(struct rebuild *rb, uint32_t pack, struct err *e)
{
	const struct check_pack *p = &rb->packs.p[pack];
	auto_pack_reader struct pack_reader pr = { .size = 0 };
	struct salvage s = { .rb = rb, .pr = &pr, .pack = pack };
	int r = pack_reader_open(&pr, rb->u->rp->store, rb->u->rp->keys,
		p->object, p->id, p->size, e);

	if (r)
		return r;
	rb->res->salvaged++;
	rb->o->report(rb->o->ctx, pr.name,
		"its table of contents is lost; read by its frames");
	r = pack_reader_frames(&pr, take_frame, &s, e);
	if (r && s.e.code)
		*e = s.e;
	return r;
}

/* -- All
 * -----------------------------------------------------------------------------
 */

static int
take(struct rebuild *rb, struct job *j, struct err *e)
{
	rb->res->packs++;
	if (!j->r)
		return add_table(rb, j->pack, &j->toc, e);
	if (j->r == -EBADMSG || j->r == -EUCLEAN || j->r == -EPROTONOSUPPORT)
		return salvage(rb, j->pack, e);
	if (j->r == -ENOENT) /* pruned meanwhile */
		return 0;
	*e = j->e;
	return j->r;
}

static int
run_batch(struct rebuild *rb, const uint32_t *packs, size_t n, struct err *e)
{
	struct job *jobs = xcalloc(n, sizeof(*jobs));
	int r = 0;

	for (size_t i = 0; i < n; i++)
		jobs[i] = (struct job){
			.rb = rb, .pack = packs[i], .toc = TOC_INIT
		};
	together_run(n, !rb->u->rp->store->local_path, load, jobs);
	for (size_t i = 0; i < n; i++) {
		if (!r)
			r = take(rb, &jobs[i], e);
		toc_release(&jobs[i].toc);
	}
	free(jobs);
	if (!r && rb->o->interrupted && *rb->o->interrupted)
		r = err_set(e, ECANCELED, "interrupted");
	if (!r && rb->o->progress)
		rb->o->progress(rb->o->ctx, rb->res->packs, rb->packs.n);
	return r;
}

int
rebuild_packs(struct rebuild *rb, struct err *e)
{
	uint32_t batch[BATCH];
	size_t n = 0;
	int r = 0;

	for (uint32_t i = 0; i < rb->packs.n && !r; i++) {
		const struct check_pack *p = &rb->packs.p[i];

		/* what is being deleted is not worth an entry */
		if (!gc_packs_find(&rb->state.sentenced, p->object, p->id))
			batch[n++] = i;
		if (n && (n == BATCH || i + 1 == rb->packs.n)) {
			r = run_batch(rb, batch, n, e);
			n = 0;
		}
	}
	return r || !n ? r : run_batch(rb, batch, n, e);
}
