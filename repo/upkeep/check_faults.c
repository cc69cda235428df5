/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Faults are found by object and offset, so that one that is met from many
 * sides is told once, with everything that it touches.
 */
#include "repo/upkeep/check_private.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "repo/base/bytes.h"

static void
release_fault(struct check_fault *f)
{
	for (size_t i = 0; i < f->n_touched; i++) {
		free(f->touched[i].snapshot);
		free(f->touched[i].path);
	}
	free(f->touched);
	free(f->object);
	free(f->text);
	free(f);
}

void
check_faults_release(struct check_faults *all)
{
	for (size_t i = 0; i < all->n; i++)
		release_fault(all->f[i]);
	free(all->f);
	free(all->slots);
	*all = (struct check_faults){ .n = 0 };
}

/* -- The table ----------------------------------------------------------------
 */

static uint32_t *
slot_of(const struct check_faults *all, const char *object, uint64_t off)
{
	uint64_t h = off * 0x9e3779b97f4a7c15;
	size_t i;

	for (const char *p = object; *p; p++)
		h = (h ^ (uint8_t)*p) * 0x100000001b3;
	i = (h ^ h >> 29) & (all->n_slots - 1);
	for (; all->slots[i]; i = (i + 1) & (all->n_slots - 1)) {
		const struct check_fault *f = all->f[all->slots[i] - 1];

		if (f->off == off && strcmp(f->object, object) == 0)
			break;
	}
	return &all->slots[i];
}

static void
grow(struct check_faults *all)
{
	all->cap = all->cap ? 2 * all->cap : 64;
	all->f = xrealloc(all->f, all->cap * sizeof(*all->f));
	free(all->slots);
	all->n_slots = 2 * all->cap;
	all->slots = xcalloc(all->n_slots, sizeof(*all->slots));
	for (size_t i = 0; i < all->n; i++)
		*slot_of(all, all->f[i]->object, all->f[i]->off) =
			(uint32_t)i + 1;
}

struct check_fault *
check_fault_find(struct check *c, const char *object, uint64_t off)
{
	struct check_faults *all = &c->faults;
	uint32_t i = all->cap ? *slot_of(all, object, off) : 0;

	return i ? all->f[i - 1] : NULL;
}

static struct check_fault *
add(struct check *c, const char *object, uint64_t off)
{
	struct check_faults *all = &c->faults;
	struct check_fault *f;

	if (all->n == CHECK_FAULTS_MAX) {
		all->dropped++;
		return NULL;
	}
	if (all->n == all->cap)
		grow(all);
	*slot_of(all, object, off) = (uint32_t)all->n + 1;
	f = xcalloc(1, sizeof(*f));
	*f = (struct check_fault){ .number = (uint32_t)all->n,
		.object = xstrdup(object),
		.off = off };
	all->f[all->n++] = f;
	return f;
}

/* -- What is found
 * --------------------------------------------------------------- */

struct check_fault *
check_fault(struct check *c, enum check_what what, enum check_cost cost,
	const char *object, const char *fmt, ...)
{
	struct check_fault *f = check_fault_find(c, object, 0);
	va_list ap;

	if (!f) {
		f = add(c, object, 0);
		if (!f)
			return NULL;
		f->what = what;
		va_start(ap, fmt);
		if (vasprintf(&f->text, fmt, ap) < 0)
			f->text = xstrdup(fmt);
		va_end(ap);
	}
	if (cost > f->cost)
		f->cost = cost;
	return f;
}

struct check_fault *
check_fault_at(struct check *c, enum check_what what, const char *object,
	uint64_t off, uint64_t len, const char *text)
{
	struct check_fault *f = check_fault_find(c, object, off);

	if (!f)
		f = add(c, object, off);
	if (!f || f->text)
		return f;
	f->what = what;
	f->cost = CHECK_SPARE;
	f->len = len;
	f->text = xstrdup(text);
	return f;
}

struct check_fault *
check_fault_frame(struct check *c, enum check_what what,
	const struct frame_place *at, const char *text)
{
	struct check_pack *p = check_packs_get(&c->packs, at->object, at->pack);
	char name[OBJECT_NAME_MAX];
	struct check_fault *f;

	object_pack_name(name, at->object, at->pack);
	p->broken = true;
	f = check_fault_find(c, name, at->off);
	if (f)
		return f;
	f = add(c, name, at->off);
	if (!f)
		return NULL;
	f->what = what;
	f->cost = CHECK_SPARE;
	f->len = at->len;
	f->is_frame = true;
	f->place = *at;
	f->text = xstrdup(text);
	f->known = c->state.n && gc_frames_has(&c->state.lost, at);
	return f;
}

/* A file whose content was lost in several places is told once a fault. */
static uint64_t
hash_of(const struct check_touched *t)
{
	uint64_t h = t->part + 1 + t->first * 31;

	for (const char *p = t->id; *p; p++)
		h = (h ^ (uint8_t)*p) * 0x100000001b3;
	for (const char *p = t->path; p && *p; p++)
		h = (h ^ (uint8_t)*p) * 0x100000001b3;
	return h;
}

void
check_fault_touches(
	struct check *c, struct check_fault *f, const struct check_touched *t)
{
	struct check_touched *to;

	if (!f || f->last == hash_of(t))
		return;
	f->last = hash_of(t);
	if (!c->forgotten)
		f->cost = CHECK_LOST;
	else if (f->cost < CHECK_FORGOTTEN)
		f->cost = CHECK_FORGOTTEN;
	f->n_all++;
	if (f->n_touched >= c->o->names_max)
		return;
	f->touched =
		xrealloc(f->touched, (f->n_touched + 1) * sizeof(*f->touched));
	to = &f->touched[f->n_touched++];
	*to = *t;
	to->forgotten = c->forgotten;
	to->snapshot = xstrdup(t->snapshot);
	to->path = t->path ? xstrdup(t->path) : NULL;
}

/* -- Places of frames
 * --------------------------------------------------------------- */

static void
whole_pack(const struct frame_place *at, struct frame_place *all)
{
	*all = *at;
	all->off = 0;
	all->len = 0;
}

void
check_listing_fault(struct check *c, const char *name, const char *what)
{
	if (!*c->packs.fault)
		snprintf(c->packs.fault, sizeof(c->packs.fault), "%s %s", name,
			what);
}

int
check_pack_ask(struct check *c, struct check_pack *p, struct err *e)
{
	char name[OBJECT_NAME_MAX];
	uint64_t size;
	int r;

	if (p->asked)
		return 0;
	object_pack_name(name, p->object, p->id);
	r = store_size(c->rp->store, name, &size, e);
	if (r && r != -ENOENT)
		return r;
	p->asked = true;
	if (r) {
		e->code = 0;
		return 0;
	}
	if (!p->listed)
		check_listing_fault(c, name, "is there and was not listed");
	else if (p->size != size)
		check_listing_fault(c, name, "was listed with another size");
	p->listed = true;
	p->size = size;
	return 0;
}

static enum check_place
missing(struct check *c, const struct frame_place *at, struct check_fault **f)
{
	struct frame_place all;

	whole_pack(at, &all);
	*f = check_fault_frame(c, CHECK_MISSING, &all, "the pack is not there");
	/* deleted on purpose: its chunks lie elsewhere */
	if (*f && (gc_packs_find(&c->state.gone, at->object, at->pack) ||
			  gc_packs_find(
				  &c->state.sentenced, at->object, at->pack)))
		(*f)->known = true;
	return PLACE_MISSING;
}

/* Where frames end when the pack is cut off, the frame is what is damaged. */
static enum check_place
cut_off(struct check *c, const struct check_pack *p,
	const struct frame_place *at, struct check_fault **f)
{
	char text[96];

	snprintf(text, sizeof(text), "the pack ends at %" PRIu64 ", before it",
		p->size);
	*f = check_fault_frame(c, CHECK_DAMAGED, at, text);
	return PLACE_DAMAGED;
}

enum check_place
check_place(struct check *c, const struct frame_place *at,
	struct check_fault **f, struct err *e)
{
	struct check_pack *p = check_packs_get(&c->packs, at->object, at->pack);
	char name[OBJECT_NAME_MAX];

	e->code = 0;
	*f = NULL;
	object_pack_name(name, at->object, at->pack);
	if ((!p->listed || at->off + at->len > p->size) &&
		check_pack_ask(c, p, e))
		return PLACE_MISSING;
	if (!p->listed)
		return missing(c, at, f);
	if (at->off + at->len > p->size)
		return cut_off(c, p, at, f);
	if (p->broken)
		*f = check_fault_find(c, name, at->off);
	if (!*f && c->state.n && gc_frames_has(&c->state.lost, at))
		*f = check_fault_frame(
			c, CHECK_DAMAGED, at, "it was found damaged before");
	return *f ? PLACE_DAMAGED : PLACE_GOOD;
}

bool
check_elsewhere(struct check *c, const struct ref *r, struct ref *better)
{
	*better = *r;
	for (unsigned i = 0; !index_locate(c->index, better, i, NULL); i++) {
		struct check_fault *f;
		struct err e;

		if (better->chunk_len == r->chunk_len &&
			check_place(c, &better->place, &f, &e) == PLACE_GOOD)
			return true;
	}
	return false;
}

/* By key, then kind; the rest only so that equal ones stand together. */
int
check_ref_compare(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct check_ref));
}

int
check_note(struct check *c, const struct ref *r, uint8_t kind, struct err *e)
{
	struct check_ref n = { .kind = kind,
		.object = r->place.object,
		.len = r->place.len,
		.off = r->place.off,
		.chunk_off = r->chunk_off,
		.chunk_len = r->chunk_len };
	struct check_pack *p =
		check_packs_get(&c->packs, r->place.object, r->place.pack);

	memcpy(n.key, r->id, CHUNK_KEY_LEN);
	n.pack = (uint32_t)(p - c->packs.p);
	if (kind)
		p->indexed = true;
	else
		p->used |= !c->forgotten;
	return sorter_add(c->refs, &n, e);
}
