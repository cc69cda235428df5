/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * All bytes of packs: every frame unsealed, every chunk compared with its id in
 * the table of contents.  Several packs at a time; what they say is put
 * together by one thread, a batch after the other, and a run that ends in
 * between is continued behind the last batch.
 */
#include "repo/upkeep/check_private.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "repo/base/buf.h"
#include "repo/base/clock.h"
#include "repo/crypto/id.h"
#include "repo/fetch/together.h"
#include "repo/upkeep/pack_reader.h"

#define BATCH TOGETHER_MAX

/* What is wrong with a stretch of a pack. */
struct defect {
	uint64_t off;
	uint32_t len;
	char *text;
};

struct job {
	struct check *c;
	uint32_t pack; /* number */
	struct defect *defects;
	size_t n;
	uint32_t frame; /* of the table, that comes next */
	const struct toc *toc;
	int r; /* of the store */
	struct err e;
};

static void
add_defect(struct job *j, uint64_t off, uint64_t len, const char *text)
{
	j->defects = xrealloc(j->defects, (j->n + 1) * sizeof(*j->defects));
	j->defects[j->n++] = (struct defect){ off,
		len < UINT32_MAX ? (uint32_t)len : UINT32_MAX, xstrdup(text) };
}

/* -- One pack, in a thread
 * ----------------------------------------------------------- */

static bool
has_id(const struct check *c, uint8_t type, const uint8_t *data, uint32_t len,
	const uint8_t key[CHUNK_KEY_LEN])
{
	uint8_t id[CHUNK_ID_LEN];

	if (type == FRAME_DATA) {
		chunk_id(c->rp->keys, CHUNK_DATA, data, len, id);
		return memcmp(id, key, CHUNK_KEY_LEN) == 0;
	}
	chunk_id(c->rp->keys, CHUNK_PAGE, data, len, id);
	if (memcmp(id, key, CHUNK_KEY_LEN) == 0)
		return true;
	chunk_id(c->rp->keys, CHUNK_XATTRS, data, len, id);
	return memcmp(id, key, CHUNK_KEY_LEN) == 0;
}

/* Why a frame is not the one that the table lists, or NULL. */
static const char *
compare(const struct job *j, const struct pack_frame *f)
{
	const struct toc_frame *tf = f->listed;
	uint32_t off = 0;

	if (tf->type != f->type || tf->plain_len != f->plain_len ||
		tf->n_chunks != f->n_chunks)
		return "the table of contents has another frame there";
	for (uint32_t i = 0; i < f->n_chunks; i++) {
		const struct toc_chunk *tc =
			&j->toc->chunks[tf->first_chunk + i];
		uint32_t len = pack_frame_chunk(f, i);

		if (tc->off != off || tc->len != len)
			return "the table of contents has other chunks there";
		if (!has_id(j->c, f->type, f->plain + off, len, tc->id))
			return "a chunk is not the one its id says";
		off += len;
	}
	return NULL;
}

static bool
type_fits(const struct job *j, uint8_t type)
{
	return type == (j->c->packs.p[j->pack].object == OBJECT_DATA
				       ? FRAME_DATA
				       : FRAME_PAGES);
}

static int
look_at_frame(void *ctx, const struct pack_frame *f)
{
	struct job *j = ctx;
	const char *why = f->why;

	if (!f->bad && f->type == FRAME_TOC && !f->listed)
		return 0;
	if (!f->bad && !type_fits(j, f->type))
		why = "a frame of the wrong type";
	else if (!f->bad && f->listed)
		why = compare(j, f);
	if (why)
		add_defect(j, f->off, f->len, why);
	return j->c->o->interrupted && *j->c->o->interrupted ? -ECANCELED : 0;
}

static void
read_pack(void *ctx, size_t i)
{
	struct job *j = (struct job *)ctx + i;
	const struct check_pack *p = &j->c->packs.p[j->pack];
	auto_pack_reader struct pack_reader pr = { .size = 0 };
	const struct err *own;

	j->r = pack_reader_open(&pr, j->c->rp->store, j->c->rp->keys, p->object,
		p->id, p->size, &j->e);
	if (!j->r) {
		j->toc = &pr.toc;
		j->r = pack_reader_frames(&pr, look_at_frame, j, &j->e);
	}
	own = pr.table.code ? &pr.table : &pr.head;
	if (!j->r && own->code && p->size > OBJECT_HEADER_LEN + CHECK_END_LEN)
		add_defect(
			j, p->size - CHECK_END_LEN, CHECK_END_LEN, own->text);
	else if (!j->r && own->code)
		add_defect(j, 0, 0, own->text);
}

/* -- What they say
 * ---------------------------------------------------------------------- */

static void
take_defects(struct check *c, struct job *j)
{
	const struct check_pack *p = &c->packs.p[j->pack];
	struct frame_place at = { .object = p->object };
	char name[OBJECT_NAME_MAX];

	memcpy(at.pack, p->id, OBJECT_ID_LEN);
	object_pack_name(name, p->object, p->id);
	for (size_t i = 0; i < j->n; i++) {
		at.off = j->defects[i].off;
		at.len = j->defects[i].len;
		check_fault_frame(c, CHECK_DAMAGED, &at, j->defects[i].text);
		free(j->defects[i].text);
	}
	if (j->n)
		check_resume_bad(&c->reading.resume, name);
	free(j->defects);
}

/* Marks of frames that have just been read and are good. */
static void
forget_good(struct check *c, const struct check_pack *p)
{
	struct gc_frames *lost = &c->state.lost;
	char name[OBJECT_NAME_MAX];
	size_t kept = 0;

	object_pack_name(name, p->object, p->id);
	for (size_t i = 0; i < lost->n; i++) {
		const struct gc_frame *f = &lost->p[i];
		bool same = f->object == p->object &&
			    !memcmp(f->pack, p->id, OBJECT_ID_LEN);

		if (same && !check_fault_find(c, name, f->off) &&
			f->off + f->len <= p->size)
			continue;
		lost->p[kept++] = *f;
	}
	c->res->unmarked += lost->n - kept;
	lost->n = kept;
}

static int
take(struct check *c, struct job *j, struct err *e)
{
	const struct check_pack *p = &c->packs.p[j->pack];
	int r = j->r;

	take_defects(c, j);
	if (r == -ECANCELED)
		return err_set(e, ECANCELED, "interrupted");
	if (r == -ENOENT) { /* pruned, or the listing lied */
		c->packs.p[j->pack].listed = false;
		return 0;
	}
	if (r) {
		*e = j->e;
		return r;
	}
	c->res->read_bytes += p->size;
	forget_good(c, p);
	return 0;
}

static int
read_batch(struct check *c, const uint32_t *packs, size_t n, struct err *e)
{
	struct job *jobs = xcalloc(n, sizeof(*jobs));
	char name[OBJECT_NAME_MAX] = "";
	int r = 0;

	for (size_t i = 0; i < n; i++)
		jobs[i] = (struct job){ .c = c, .pack = packs[i] };
	together_run(n, true, read_pack, jobs);
	for (size_t i = 0; i < n; i++) {
		const struct check_pack *p = &c->packs.p[packs[i]];
		size_t n_defects = jobs[i].n;
		int one = take(c, &jobs[i], e);

		r = r ? r : one;
		if (!r && n_defects) /* which a wrong size makes, too */
			r = check_pack_ask(c, &c->packs.p[packs[i]], e);
		object_pack_name(name, p->object, p->id);
		if (!r && strcmp(name, c->reading.resume.cursor) > 0) {
			c->reading.done += p->size;
			check_resume_reached(&c->reading.resume, name);
		}
	}
	free(jobs);
	return r ? r : check_tick(c, c->reading.done, c->reading.all, e);
}

/* -- Which ones
 * ------------------------------------------------------------------------------
 */

static bool
may_go_on(struct check *c)
{
	const struct check_reading *rd = &c->reading;

	return (!rd->max || c->res->read_bytes < rd->max) &&
	       (!rd->until_ns || clock_mono_ns() < rd->until_ns);
}

/* What earlier runs of the round found bad may have been repaired. */
static int
read_again(struct check *c, struct err *e)
{
	const struct check_resume *cr = &c->reading.resume;
	int r = 0;

	for (uint32_t i = 0; i < c->packs.n && cr->n_bad && !r; i++) {
		char name[OBJECT_NAME_MAX];
		uint64_t before = c->res->read_bytes;

		object_pack_name(name, c->packs.p[i].object, c->packs.p[i].id);
		for (size_t k = 0; k < cr->n_bad && !r; k++) {
			if (!strcmp(cr->bad[k], name) && c->packs.p[i].listed)
				r = read_batch(c, &i, 1, e);
		}
		c->res->read_bytes = before; /* not what was asked for */
	}
	return r;
}

static int
read_rest(struct check *c, struct err *e)
{
	struct check_reading *rd = &c->reading;
	uint32_t batch[BATCH];
	size_t n = 0;
	int r = 0;

	/* listed in the order of their names */
	for (uint32_t i = 0; i < c->packs.n && !r; i++) {
		const struct check_pack *p = &c->packs.p[i];
		char name[OBJECT_NAME_MAX];

		object_pack_name(name, p->object, p->id);
		if (!p->listed)
			continue;
		if (strcmp(name, rd->resume.cursor) <= 0) {
			rd->done += p->size;
			continue;
		}
		rd->left = rd->left || !may_go_on(c);
		if (rd->left)
			break;
		batch[n++] = i;
		if (n == BATCH) {
			r = read_batch(c, batch, n, e);
			n = 0;
		}
	}
	if (n && !r)
		r = read_batch(c, batch, n, e);
	return r;
}

static void
begin(struct check *c)
{
	struct check_reading *rd = &c->reading;
	const struct check_options *o = c->o;
	bool part = o->subset_share > 0 || o->subset_bytes || o->budget_ns;

	check_resume_load(&rd->resume, c->rp);
	if (o->restart || !rd->resume.since_ns || (!part && !rd->resume.whole))
		check_resume_begin(&rd->resume, !part);
	rd->all = c->packs.bytes;
	rd->max = o->subset_bytes;
	if (o->subset_share > 0)
		rd->max = (uint64_t)(o->subset_share * (double)rd->all) + 1;
	if (o->budget_ns)
		rd->until_ns = clock_mono_ns() + o->budget_ns;
}

int
check_read(struct check *c, struct err *e)
{
	int r;

	c->phase = "data";
	begin(c);
	r = read_again(c, e);
	if (!r)
		r = read_rest(c, e);
	check_resume_save(&c->reading.resume);
	return r;
}

bool
check_read_wants(struct check *c, const char *name, uint64_t bytes)
{
	struct check_reading *rd = &c->reading;

	if (!c->o->read_data)
		return false;
	rd->all += bytes;
	if (strcmp(name, rd->resume.cursor) <= 0) {
		rd->done += bytes;
		return false;
	}
	rd->left = rd->left || !may_go_on(c);
	return !rd->left;
}

void
check_read_did(struct check *c, const char *name, uint64_t bytes)
{
	c->reading.done += bytes;
	c->res->read_bytes += bytes;
	check_resume_reached(&c->reading.resume, name);
}

void
check_read_end(struct check *c)
{
	struct check_reading *rd = &c->reading;

	c->res->since_ns = rd->resume.since_ns;
	c->res->before_ns = rd->resume.before_ns;
	c->res->share = rd->all ? (double)rd->done / (double)rd->all : 1;
	if (rd->left) {
		check_resume_save(&rd->resume);
	} else {
		c->res->share = 1;
		check_resume_end(&rd->resume);
	}
}
