/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A walk without recursion: a stack of steps that are still to be taken, the
 * next one on top.  Taking the step of a page puts what the page refers to on
 * top of it, last first, and leaves the step where it is, to be told when all
 * of that is done.  So the steps below one that is being taken include, one
 * for each level, the pages that led to it: that is its path.
 *
 * Names lie one behind the other in a string that grows and shrinks with the
 * stack.
 *
 * Pages are known by the first 12 bytes of their ids, in a table with open
 * addressing: ids are keyed hashes and need no other.
 */
#include "repo/upkeep/reach.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "repo/base/buf.h"
#include "repo/crypto/id.h"

#define STEPS_MAX (1u << 20)
#define NOWHERE UINT32_MAX
#define SPINE_LEN (160u << 10) /* pages that come along with a root */
#define AHEAD_MAX 64

enum step_kind {
	STEP_DATA,
	STEP_XATTRS,
	STEP_ROOT, /* the root page of a directory */
	STEP_DIRECTORY, /* another page of its map */
	STEP_EXTENTS,
	STEP_LEAVE, /* a page, when all below it is done */
};

struct step {
	struct ref ref;
	uint32_t up;	  /* step of the page that has it, or NOWHERE */
	uint32_t name_at; /* in names, where it ends when this is done */
	uint16_t name_len;
	uint8_t kind; /* enum step_kind */
};

struct reach {
	struct reach_options o;
	struct step *steps;
	uint32_t n_steps, cap_steps;
	uint32_t at; /* the step that is being taken */
	struct buf names;
	const struct record *record; /* that is being walked */

	uint8_t (*seen)[CHUNK_KEY_LEN]; /* all zeros: free */
	uint64_t n_seen, cap_seen;	/* cap: a power of two, or 0 */
};

struct reach *
reach_new(const struct reach_options *o)
{
	struct reach *re = xcalloc(1, sizeof(*re));

	re->o = *o;
	return re;
}

void
reach_free(struct reach *re)
{
	if (!re)
		return;
	free(re->steps);
	free(re->seen);
	buf_release(&re->names);
	free(re);
}

uint64_t
reach_pages(const struct reach *re)
{
	return re->n_seen;
}

/* -- Pages that were seen --------------------------------------------------- */

/* Where an id is, or would be. */
static uint8_t *
slot(const struct reach *re, const uint8_t *id)
{
	static const uint8_t none[CHUNK_KEY_LEN];
	uint64_t i;

	memcpy(&i, id, sizeof(i));
	for (;; i++) {
		uint8_t *s = re->seen[i & (re->cap_seen - 1)];

		if (!memcmp(s, id, CHUNK_KEY_LEN) ||
			!memcmp(s, none, CHUNK_KEY_LEN))
			return s;
	}
}

static void
grow_seen(struct reach *re)
{
	uint8_t (*old)[CHUNK_KEY_LEN] = re->seen;
	uint64_t n = re->cap_seen;
	static const uint8_t none[CHUNK_KEY_LEN];

	re->cap_seen = n ? n * 2 : 1024;
	re->seen = xcalloc(re->cap_seen, CHUNK_KEY_LEN);
	for (uint64_t i = 0; i < n; i++) {
		if (memcmp(old[i], none, CHUNK_KEY_LEN))
			memcpy(slot(re, old[i]), old[i], CHUNK_KEY_LEN);
	}
	free(old);
}

static bool
was_seen(const struct reach *re, const uint8_t *id)
{
	return re->cap_seen && !memcmp(slot(re, id), id, CHUNK_KEY_LEN);
}

/* Note a page; false: it was noted before. */
static bool
see(struct reach *re, const uint8_t *id)
{
	uint8_t *s;

	if (re->n_seen + 1 > re->cap_seen / 4 * 3)
		grow_seen(re);
	s = slot(re, id);
	if (!memcmp(s, id, CHUNK_KEY_LEN))
		return false;
	memcpy(s, id, CHUNK_KEY_LEN);
	re->n_seen++;
	return true;
}

/* -- Steps -------------------------------------------------------------------- */

static int
push(struct reach *re, enum step_kind kind, const struct ref *r,
	const uint8_t *name, uint32_t name_len, struct err *e)
{
	struct step *s;

	if (re->n_steps == STEPS_MAX || re->names.len > UINT32_MAX / 2)
		return err_set(e, EUCLEAN, "a tree is too deep");
	if (re->n_steps == re->cap_steps) {
		re->cap_steps = re->cap_steps ? re->cap_steps * 2 : 1024;
		re->steps = xrealloc(
			re->steps, re->cap_steps * sizeof(*re->steps));
	}
	s = &re->steps[re->n_steps++];
	*s = (struct step){ .ref = *r,
		.up = re->at,
		.name_at = (uint32_t)re->names.len,
		.name_len = (uint16_t)name_len,
		.kind = (uint8_t)kind };
	if (name_len)
		buf_append(&re->names, name, name_len);
	return 0;
}

static void
pop(struct reach *re)
{
	re->names.len = re->steps[--re->n_steps].name_at;
}

/* What an entry refers to: content first, then what there is of it once more. */
static int
push_entry(struct reach *re, const struct entry *en, struct err *e)
{
	enum step_kind kind = STEP_DATA;
	int r = 0;

	if (en->xattrs_ref)
		r = push(re, STEP_XATTRS, en->xattrs_ref, en->name,
			en->name_len, e);
	if (en->interior && !r)
		r = push(re, STEP_EXTENTS, en->interior, en->name, en->name_len,
			e);
	if (en->content == CONTENT_MAP)
		kind = S_ISDIR(en->mode) ? STEP_ROOT : STEP_EXTENTS;
	else if (en->content != CONTENT_CHUNK)
		return r;
	return r ? r : push(re, kind, &en->ref, en->name, en->name_len, e);
}

/* The extents of a leaf are told at once: they have no names. */
static int
tell_extents(struct reach *re, const struct page *p, struct err *e)
{
	struct extent x;
	int r = 0;

	for (uint32_t i = 0; i < p->n && !r; i++) {
		page_extent(p, i, &x);
		if (!x.hole)
			r = re->o.found(re->o.ctx, REACH_DATA, &x.ref, e);
	}
	return r;
}

static int
push_page(struct reach *re, enum step_kind kind, const struct page *p,
	struct err *e)
{
	int r = 0;

	if (p->kind == PAGE_EXTENT_LEAF)
		return tell_extents(re, p, e);
	for (uint32_t i = p->n; i-- > 0 && !r;) {
		if (p->kind == PAGE_DIR_LEAF)
			r = push_entry(re, &p->entries[i], e);
		else
			r = push(re, kind, &p->inners[i].ref, NULL, 0, e);
	}
	return r;
}

/* -- Pages ---------------------------------------------------------------------- */

static bool
fits(enum step_kind kind, const struct page *p)
{
	if (kind == STEP_EXTENTS)
		return p->kind == PAGE_EXTENT_LEAF ||
		       p->kind == PAGE_EXTENT_INNER;
	return p->kind == PAGE_DIR_LEAF || p->kind == PAGE_DIR_INNER;
}

static bool
has_id(const struct reach *re, const struct ref *r, const uint8_t *data)
{
	uint8_t id[CHUNK_ID_LEN];

	chunk_id(re->o.keys, CHUNK_PAGE, data, r->chunk_len, id);
	return !memcmp(id, r->id, CHUNK_ID_LEN);
}

/* The bytes of a page: in the record, or in *frame. */
static int
bytes_of(struct reach *re, enum step_kind kind, const struct ref *r,
	struct frame **frame, const uint8_t **data, struct err *e)
{
	const struct record *rec = re->record;
	struct ref at = *r;
	int rc;

	if (r->chunk_len > PAGE_LEN_MAX)
		return err_set(e, EUCLEAN, "a page is too long");
	if (kind == STEP_ROOT && rec->root_page &&
		rec->root_page_len == r->chunk_len &&
		has_id(re, r, rec->root_page)) {
		*data = rec->root_page;
		return 0;
	}
	if (re->o.where)
		re->o.where(re->o.ctx, &at);
	rc = fetch_spine(re->o.fetch, &at, kind == STEP_ROOT ? SPINE_LEN : 0,
		frame, data, e);
	if (rc)
		return rc;
	if ((*frame)->type != FRAME_PAGES)
		return err_set(e, EUCLEAN, "a page's frame is of another type");
	return has_id(re, r, *data)
		       ? 0
		       : err_set(e, EBADMSG, "a page is not the one that was "
					     "referred to");
}

/* Ask for the pages that are on top of the stack. */
static void
ask_ahead(struct reach *re, uint32_t from)
{
	struct frame_place at[AHEAD_MAX];
	size_t n = 0;

	if (!fetch_is_far(re->o.fetch))
		return;
	for (uint32_t i = re->n_steps; i-- > from && n < AHEAD_MAX;) {
		const struct step *s = &re->steps[i];

		if (s->kind >= STEP_ROOT && !was_seen(re, s->ref.id))
			at[n++] = s->ref.place;
	}
	fetch_ahead(re->o.fetch, at, n);
}

static int
read_page(struct reach *re, enum step_kind kind, const struct ref *r,
	struct err *e)
{
	auto_frame struct frame *frame = NULL;
	const uint8_t *data;
	struct page *p = NULL;
	uint32_t top = re->n_steps;
	int rc = bytes_of(re, kind, r, &frame, &data, e);

	if (!rc)
		rc = page_decode(data, r->chunk_len, &p, e);
	if (!rc && !fits(kind, p))
		rc = err_set(e, EUCLEAN, "a page is of another kind");
	if (rc && re->o.unread)
		rc = re->o.unread(re->o.ctx, r, e);
	else if (!rc && re->o.page)
		re->o.page(re->o.ctx, r, p);
	if (!rc && p && fits(kind, p))
		rc = push_page(re, kind == STEP_ROOT ? STEP_DIRECTORY : kind, p,
			e);
	page_free(p);
	if (!rc)
		ask_ahead(re, top);
	return rc;
}

/* -- The walk --------------------------------------------------------------------- */

static int
tell_and_pop(struct reach *re, enum reach_kind kind, const struct ref *r,
	struct err *e)
{
	int rc = re->o.found(re->o.ctx, kind, r, e);

	pop(re);
	return rc;
}

static int
take(struct reach *re, struct err *e)
{
	struct step *s = &re->steps[re->n_steps - 1];
	enum step_kind kind = s->kind;
	struct ref r = s->ref;

	re->at = re->n_steps - 1;
	if (kind == STEP_DATA)
		return tell_and_pop(re, REACH_DATA, &r, e);
	if (kind == STEP_XATTRS)
		return tell_and_pop(re, REACH_XATTRS, &r, e);
	if (kind == STEP_LEAVE || !see(re, r.id))
		return tell_and_pop(re, REACH_PAGE, &r, e);
	s->kind = STEP_LEAVE;
	return read_page(re, kind, &r, e);
}

int
reach_record(struct reach *re, const struct record *rec, struct err *e)
{
	struct err own = ERR_INIT;
	int r;

	re->n_steps = 0;
	re->names.len = 0;
	re->at = NOWHERE;
	re->record = rec;
	if (!e)
		e = &own;
	r = push_entry(re, &rec->root, e);
	while (!r && re->n_steps)
		r = take(re, e);
	return r;
}

void
reach_ahead(struct reach *re, const struct record *r)
{
	if (r->root.content == CONTENT_MAP && !r->root_page &&
		!was_seen(re, r->root.ref.id) && fetch_is_far(re->o.fetch))
		fetch_ahead(re->o.fetch, &r->root.ref.place, 1);
}

void
reach_path(const struct reach *re, char *out, size_t size)
{
	size_t at = size - 1;

	out[at] = '\0';
	for (uint32_t i = re->at; i != NOWHERE; i = re->steps[i].up) {
		const struct step *s = &re->steps[i];
		size_t n = s->name_len, sep = n && out[at] ? 1 : 0;

		if (n + sep > at)
			break;
		if (sep)
			out[--at] = '/';
		at -= n;
		memcpy(out + at, re->names.data + s->name_at, n);
	}
	memmove(out, out + at, size - at);
	if (!*out && size > 1)
		memcpy(out, ".", 2);
}
