/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The index against what snapshots refer to.  All entries of all segments in
 * use are put beside the references, and sorted together by key: what stands
 * together is compared.
 */
#include "repo/upkeep/check_private.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "repo/base/buf.h"
#include "repo/format/segment.h"
#include "repo/native/id_set.h"
#include "repo/upkeep/stretch.h"

/* -- Segments
 * ---------------------------------------------------------------------- */

struct segments {
	struct check *c;
	struct id_set in_use, superseded;
	struct segment_name {
		uint8_t id[OBJECT_ID_LEN];
		char name[96];
	} * names; /* of those that were listed */
	size_t n;
	bool again;
};

static void
note_in_use(struct segments *s, size_t n)
{
	uint8_t id[OBJECT_ID_LEN];

	for (size_t i = 0; i < n; i++) {
		const struct segment_directory *d =
			index_segment_directory(s->c->index, i);

		index_segment_id(s->c->index, i, id);
		id_set_add(&s->in_use, id);
		for (uint32_t k = 0; k < d->n_supersedes; k++)
			id_set_add(&s->superseded, d->supersedes[k]);
	}
	id_set_sort(&s->in_use);
	id_set_sort(&s->superseded);
}

/* One that is neither in use nor superseded could not be read. */
static bool
look(void *ctx, const char *name, uint64_t size)
{
	struct segments *s = ctx;
	uint8_t id[OBJECT_ID_LEN];
	unsigned level;

	(void)size;
	if (segment_name_parse(name, &level, id))
		return true;
	s->c->res->segments++;
	s->names = xrealloc(s->names, (s->n + 1) * sizeof(*s->names));
	memcpy(s->names[s->n].id, id, OBJECT_ID_LEN);
	snprintf(s->names[s->n++].name, sizeof(s->names->name), "%s", name);
	if (id_set_has(&s->in_use, id) || id_set_has(&s->superseded, id))
		return true;
	s->c->bad_index = true;
	if (!s->again)
		return true;
	check_fault(s->c, CHECK_DAMAGED, CHECK_SPARE, name,
		"the index segment cannot be read");
	return true;
}

static int
note_page(struct check *c, const struct segment_directory *d,
	const struct segment_entry *en, uint32_t n, const char *name,
	struct err *e)
{
	int r = 0;

	for (uint32_t i = 0; i < n && !r; i++) {
		struct ref ref = { .chunk_off = en[i].chunk_off,
			.chunk_len = en[i].chunk_len };

		if (en[i].pack >= d->n_packs) {
			check_fault(c, CHECK_DAMAGED, CHECK_SPARE, name,
				"an entry of the index names no pack");
			continue;
		}
		memcpy(ref.id, en[i].id, CHUNK_KEY_LEN);
		memcpy(ref.place.pack, d->packs[en[i].pack].id, OBJECT_ID_LEN);
		ref.place.object = d->packs[en[i].pack].object;
		ref.place.off = en[i].frame_off;
		ref.place.len = en[i].frame_len;
		r = check_note(c, &ref, 1, e);
		c->res->index_entries++;
	}
	return r;
}

static const char *
name_of(const struct segments *s, size_t segment)
{
	uint8_t id[OBJECT_ID_LEN];

	index_segment_id(s->c->index, segment, id);
	for (size_t i = 0; i < s->n; i++) {
		if (!memcmp(s->names[i].id, id, OBJECT_ID_LEN))
			return s->names[i].name;
	}
	return "idx/";
}

static int
note_segment(struct check *c, size_t i, const char *name, struct err *e)
{
	const struct segment_directory *d =
		index_segment_directory(c->index, i);
	int r = 0;

	for (uint32_t k = 0; k < d->n_pages && !r; k++) {
		auto_free struct segment_entry *en = NULL;
		struct err why = ERR_INIT;
		uint32_t n = 0;

		r = index_segment_page(c->index, i, k, &en, &n, &why);
		if (check_is_fault(r)) {
			check_fault(c, CHECK_DAMAGED, CHECK_SPARE, name, "%s",
				check_reason(name, &why));
			c->bad_index = true;
			r = 0;
			continue;
		}
		if (r)
			*e = why;
		if (!r)
			r = note_page(c, d, en, n, name, e);
		if (!r)
			r = check_tick(c, c->res->index_entries, 0, e);
	}
	return r;
}

/* -- What stands together
 * -------------------------------------------------------------- */

struct group {
	uint8_t key[CHUNK_KEY_LEN];
	uint64_t refs, entries;
	uint32_t chunk_len; /* of the references */
	bool differs;	    /* entries have another length */
};

static void
end_group(struct check *c, const struct group *g)
{
	if (!g->refs)
		return;
	if (g->differs)
		check_fault(c, CHECK_DAMAGED, CHECK_SPARE, "idx/",
			"the index has other lengths of chunks than snapshots");
	if (!g->entries)
		c->lacks++;
}

static int
add_to_group(struct check *c, struct group *g, const struct check_ref *n,
	struct err *e)
{
	struct frame_place at = {
		.off = n->off, .len = n->len, .object = n->object
	};
	struct check_fault *f;
	enum check_place place;

	if (memcmp(g->key, n->key, CHUNK_KEY_LEN)) {
		end_group(c, g);
		*g = (struct group){ .refs = 0 };
		memcpy(g->key, n->key, CHUNK_KEY_LEN);
	}
	if (n->kind == 0) {
		g->refs++;
		g->chunk_len = n->chunk_len;
		return 0;
	}
	g->entries++;
	memcpy(at.pack, c->packs.p[n->pack].id, OBJECT_ID_LEN);
	place = check_place(c, &at, &f, e);
	g->differs |= g->refs && g->chunk_len != n->chunk_len;
	return place == PLACE_GOOD ? 0 : -e->code;
}

static int
compare(struct check *c, struct err *e)
{
	struct group g = { .refs = 0 };
	const void *next;
	uint64_t done = 0;
	int r = sorter_read(c->refs, e);

	while (!r && (r = sorter_next(c->refs, &next, e)) == 1) {
		r = add_to_group(c, &g, next, e);
		if (!r)
			r = check_tick(c, ++done, sorter_n(c->refs), e);
	}
	if (!r)
		end_group(c, &g);
	return r;
}

/* Those in use, and which cannot be read.  The index does not tell one that is
 * damaged from one that the store failed to give: it is asked twice. */
static int
take_segments(struct segments *s, size_t *n, struct err *e)
{
	struct check *c = s->c;
	int r;

	c->bad_index = false;
	c->res->segments = 0;
	s->n = 0;
	id_set_release(&s->in_use);
	id_set_release(&s->superseded);
	r = index_segments(c->index, n, e);
	if (!r) {
		note_in_use(s, *n);
		r = store_list_names(c->rp->store, "idx/", "", look, s, e);
	}
	if (r || !c->bad_index || s->again)
		return r;
	s->again = true;
	stretch_drop(c->rp->store);
	index_refresh(c->index);
	return take_segments(s, n, e);
}

int
check_index(struct check *c, struct err *e)
{
	struct segments s = { .c = c };
	size_t n = 0;
	int r = take_segments(&s, &n, e);

	for (size_t i = 0; i < n && !r; i++)
		r = note_segment(c, i, name_of(&s, i), e);
	if (!r)
		r = compare(c, e);
	if (!r && c->lacks && !c->bad_index)
		check_fault(c, CHECK_MISSING, CHECK_SPARE, "idx/",
			"the index does not know %" PRIu64
			" chunks that snapshots need",
			c->lacks);
	free(s.names);
	id_set_release(&s.in_use);
	id_set_release(&s.superseded);
	return r;
}
