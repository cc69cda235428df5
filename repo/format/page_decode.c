/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Decoding of pages.  The number of entries is bounded by the page's length
 * before anything is allocated; whatever does not add up is -EUCLEAN.
 */
#include <errno.h>
#include "repo/format/page_decode.h"

/* No entry, extent or child is shorter than this when encoded. */
#define ENTRY_LEN_MIN 7
#define EXTENT_LEN_MIN 1
#define INNER_LEN_MIN 5
/* Of one entry: where its xattrs and its interior pages are, and one that is
 * refused. */
#define ROOT_REFS_MAX 3

void
page_refuse(struct decoder *d, const char *why)
{
	if (!d->r.bad || !d->why)
		d->why = why;
	d->r.bad = true;
}

static void
take_pack(struct decoder *d, struct frame_place *at)
{
	uint64_t i = read_varint(&d->r);

	if (i >= d->n_packs) {
		page_refuse(d, "a hint names no pack");
		return;
	}
	memcpy(at->pack, d->packs + i * OBJECT_ID_LEN, OBJECT_ID_LEN);
}

static void
take_new_frame(struct decoder *d, const struct hint_state *h, uint64_t flags,
	struct ref *r)
{
	if ((flags & HINT_SAME_PACK) && !h->set)
		page_refuse(d, "a hint follows nothing");
	if ((flags & HINT_NEXT_FRAME) && !(flags & HINT_SAME_PACK))
		page_refuse(d, "a hint follows into another pack");
	if (flags & HINT_SAME_PACK)
		memcpy(r->place.pack, h->place.pack, OBJECT_ID_LEN);
	else
		take_pack(d, &r->place);
	if (flags & HINT_NEXT_FRAME)
		r->place.off = h->place.off + h->place.len;
	else
		r->place.off = read_bounded(&d->r, FRAME_OFF_MAX);
	if (r->place.off > FRAME_OFF_MAX)
		page_refuse(d, "a frame lies too far behind");
	r->place.len = (uint32_t)read_bounded(&d->r, FRAME_LEN_MAX);
	if (!(flags & HINT_CHUNK_FIRST))
		r->chunk_off = (uint32_t)read_bounded(&d->r, PLAIN_LEN_MAX);
}

/* len: of the chunk; 0 when it is written after the hint. */
void
page_take_ref(struct decoder *d, enum object_type object, uint64_t len,
	bool with_len, struct ref *r)
{
	struct hint_state *h =
		object == OBJECT_DATA ? &d->st.data : &d->st.meta;
	uint64_t flags = read_bounded(&d->r, 15);

	memset(r, 0, sizeof(*r));
	if (d->n_ids == 0) {
		page_refuse(d, "there are fewer ids than references");
		return;
	}
	memcpy(r->id, d->ids, CHUNK_ID_LEN);
	d->ids += CHUNK_ID_LEN;
	d->n_ids--;
	if (!(flags & HINT_SAME_FRAME)) {
		take_new_frame(d, h, flags, r);
	} else if (!h->set || flags > (HINT_SAME_FRAME | HINT_FOLLOWS)) {
		page_refuse(d, "a hint follows nothing");
	} else {
		r->place = h->place;
		r->chunk_off = flags & HINT_FOLLOWS
				       ? h->chunk_end
				       : (uint32_t)read_bounded(&d->r,
						 PLAIN_LEN_MAX);
	}
	if (with_len)
		len = read_varint(&d->r);
	if (len > PLAIN_LEN_MAX || r->chunk_off > PLAIN_LEN_MAX - len) {
		page_refuse(d, "a chunk is longer than a frame");
		return;
	}
	r->chunk_len = (uint32_t)len;
	r->place.object = (uint8_t)object;
	h->place = r->place;
	h->chunk_end = r->chunk_off + r->chunk_len;
	h->set = true;
}

static bool
name_ok(const uint8_t *name, uint32_t len)
{
	if (len == 0 || len > NAME_LEN_MAX)
		return false;
	if (memchr(name, '/', len) || memchr(name, 0, len))
		return false;
	return !(name[0] == '.' && (len == 1 || (len == 2 && name[1] == '.')));
}

static int
compare_names(const uint8_t *a, uint32_t a_len, const uint8_t *b,
	uint32_t b_len)
{
	size_t common = a_len < b_len ? a_len : b_len;
	int c = common ? memcmp(a, b, common) : 0;

	return c ? c : (a_len > b_len) - (a_len < b_len);
}

/* Names lie one behind the other in page->names. */
void
page_take_name(struct decoder *d, const uint8_t *last, uint32_t last_len,
	const uint8_t **name, uint32_t *name_len)
{
	uint64_t shared = read_bounded(&d->r, last_len);
	size_t n;
	const uint8_t *suffix = read_blob(&d->r, NAME_LEN_MAX, &n);
	uint8_t *to = d->page->names + d->names_len;

	if (!last)
		last = to; /* of which last_len, 0, bytes are looked at */
	*name = to;
	*name_len = 0;
	if (!suffix || shared + n > NAME_LEN_MAX) {
		page_refuse(d, "a name is too long");
		return;
	}
	memmove(to, last, shared);
	memcpy(to + shared, suffix, n);
	*name_len = (uint32_t)(shared + n);
	d->names_len += shared + n;
	if (d->page->kind == PAGE_ROOT) {
		if (*name_len)
			page_refuse(d, "a root has a name");
		return;
	}
	if (!name_ok(*name, *name_len))
		page_refuse(d, "a name is not one path component");
	if (compare_names(last, last_len, *name, *name_len) >= 0)
		page_refuse(d, "names are not in order");
}

void
page_take_totals(struct decoder *d, struct totals *t)
{
	t->entries = read_bounded(&d->r, NODES_MAX);
	t->files = read_bounded(&d->r, t->entries);
	t->bytes = read_bounded(&d->r, BYTES_MAX);
	t->newest_ns = read_svarint(&d->r);
	t->flags = read_u8(&d->r);
}

static void
take_inners(struct decoder *d, uint64_t off)
{
	struct page *p = d->page;

	p->off = off;
	for (uint32_t i = 0; i < p->n && !d->r.bad; i++) {
		struct inner *in = &p->inners[i];
		struct inner *before = i ? in - 1 : NULL;

		in->n = read_bounded(&d->r, NODES_MAX);
		if (p->kind == PAGE_DIR_INNER) {
			page_take_name(d, before ? before->first : p->names,
				before ? before->first_len : 0, &in->first,
				&in->first_len);
			page_take_totals(d, &in->totals);
		} else {
			in->off = off;
			in->len = read_bounded(&d->r, BYTES_MAX - off);
			off += in->len;
		}
		page_take_ref(d, OBJECT_META, 0, true, &in->ref);
		if (in->n == 0 || in->ref.chunk_len > PAGE_LEN_MAX)
			page_refuse(d, "a child is empty or too long");
		if (in->n > (p->kind == PAGE_DIR_INNER ? in->totals.entries
						       : in->len))
			page_refuse(d, "a child's numbers contradict each other");
		p->n_before[i + 1] = p->n_before[i] + in->n;
		p->nodes_before[i + 1] =
			p->nodes_before[i] + in->totals.entries;
		if (p->n_before[i + 1] > NODES_MAX ||
			p->nodes_before[i + 1] > NODES_MAX)
			page_refuse(d, "there are too many entries");
	}
	p->end = off;
}

/* An upper bound of the bytes all names take, read without decoding. */
static size_t
names_bound(uint32_t n)
{
	return (size_t)n * NAME_LEN_MAX;
}

static size_t
shortest(enum page_kind kind)
{
	switch (kind) {
	case PAGE_EXTENT_LEAF:
		return EXTENT_LEN_MIN;
	case PAGE_DIR_INNER:
	case PAGE_EXTENT_INNER:
		return INNER_LEN_MIN;
	default:
		return ENTRY_LEN_MIN;
	}
}

static void
allocate(struct page *p, uint64_t n_ids)
{
	size_t n = p->n;
	bool dir = p->kind != PAGE_EXTENT_LEAF && p->kind != PAGE_EXTENT_INNER;

	p->memory = sizeof(*p);
	if (p->kind == PAGE_EXTENT_LEAF)
		return; /* page_take_extents */
	if (p->kind == PAGE_DIR_INNER || p->kind == PAGE_EXTENT_INNER) {
		p->inners = xcalloc(n, sizeof(*p->inners));
		p->n_before = xcalloc(n + 1, sizeof(*p->n_before));
		p->memory += n * (sizeof(*p->inners) + 8);
	} else {
		p->entries = xcalloc(n, sizeof(*p->entries));
		p->memory += n * sizeof(*p->entries);
	}
	p->nodes_before = xcalloc(n + 1, sizeof(*p->nodes_before));
	p->memory += n * 8;
	if (dir) {
		p->names = xmalloc(names_bound(p->n) + 1);
		p->refs = xcalloc(n_ids + n, sizeof(*p->refs));
	}
}

static void
finish(struct decoder *d)
{
	if (!d->r.bad && (reader_left(&d->r) || d->n_ids))
		page_refuse(d, "it goes on behind its end");
}

static void
take_all(struct decoder *d, uint64_t off)
{
	switch (d->page->kind) {
	case PAGE_DIR_LEAF:
	case PAGE_ROOT:
		page_take_entries(d);
		break;
	case PAGE_EXTENT_LEAF:
		page_take_extents(d, off);
		break;
	default:
		take_inners(d, off);
	}
	finish(d);
}

/* Header, packs and ids; the reader is left on the body alone. */
static int
open_page(struct decoder *d, uint64_t *off, struct err *e)
{
	struct page *p = d->page;
	uint64_t n;

	p->kind = read_u8(&d->r);
	if (p->kind < PAGE_DIR_LEAF || p->kind > PAGE_ROOT)
		return err_set(e, EUCLEAN, "a page is of no known kind");
	n = read_varint(&d->r);
	d->n_packs = read_varint(&d->r);
	d->n_ids = read_varint(&d->r);
	*off = 0;
	if (p->kind == PAGE_EXTENT_LEAF || p->kind == PAGE_EXTENT_INNER)
		*off = read_bounded(&d->r, BYTES_MAX);
	if (!d->r.bad && n == 0)
		return err_set(e, EUCLEAN, "a page is empty");
	if (d->r.bad || n > reader_left(&d->r) / shortest(p->kind) ||
		d->n_packs > reader_left(&d->r) / OBJECT_ID_LEN)
		return err_set(e, EUCLEAN, "a page is shorter than it says");
	d->packs = read_bytes(&d->r, d->n_packs * OBJECT_ID_LEN);
	if (d->r.bad || d->n_ids > reader_left(&d->r) / CHUNK_ID_LEN)
		return err_set(e, EUCLEAN, "a page is shorter than it says");
	d->r.end -= d->n_ids * CHUNK_ID_LEN;
	d->ids = d->r.end;
	p->n = (uint32_t)n;
	if (p->kind == PAGE_ROOT && n != 1)
		return err_set(e, EUCLEAN, "a root page has not one entry");
	return 0;
}

/* Give back what the bounds of names and references took too much. */
static void
trim(struct decoder *d)
{
	struct page *p = d->page;
	auto_free uint8_t *names = p->names;
	auto_free struct ref *refs = p->refs;

	if (!names)
		return;
	p->names = xmalloc(d->names_len + 1);
	memcpy(p->names, names, d->names_len);
	p->refs = xcalloc(d->n_refs + 1, sizeof(*refs));
	memcpy(p->refs, refs, d->n_refs * sizeof(*refs));
	p->memory += d->names_len + d->n_refs * sizeof(*refs);
	for (uint32_t i = 0; i < p->n; i++) {
		if (p->kind == PAGE_DIR_INNER) {
			p->inners[i].first =
				p->names + (p->inners[i].first - names);
			continue;
		}
		struct entry *en = &p->entries[i];

		en->name = p->names + (en->name - names);
		if (en->xattrs_ref)
			en->xattrs_ref = p->refs + (en->xattrs_ref - refs);
		if (en->interior)
			en->interior = p->refs + (en->interior - refs);
	}
}

static int
why_bad(const struct decoder *d, struct err *e)
{
	return err_set(e, EUCLEAN, "a page contradicts itself: %s",
		d->why ? d->why : "it ends too early");
}

int
page_decode(const uint8_t *data, size_t len, struct page **page, struct err *e)
{
	struct decoder d = { .r = reader_of(data, len) };
	uint64_t off = 0;
	int r;

	*page = NULL;
	if (len > PAGE_LEN_MAX)
		return err_set(e, EUCLEAN, "a page of %zu bytes is too long", len);
	d.page = xcalloc(1, sizeof(*d.page));
	r = open_page(&d, &off, e);
	if (!r) {
		allocate(d.page, d.n_ids);
		take_all(&d, off);
		r = d.r.bad ? why_bad(&d, e) : 0;
	}
	if (r) {
		page_free(d.page);
		return r;
	}
	trim(&d);
	*page = d.page;
	return 0;
}

/* The entry's references, mostly none, get memory of their own. */
static struct ref *
keep_refs(const struct decoder *d, struct entry *en)
{
	const struct ref *from = d->page->refs;
	struct ref *to;

	if (d->n_refs == 0)
		return NULL;
	to = xmemdup(from, d->n_refs * sizeof(*to));
	if (en->xattrs_ref)
		en->xattrs_ref = to + (en->xattrs_ref - from);
	if (en->interior)
		en->interior = to + (en->interior - from);
	return to;
}

int
page_decode_root(const uint8_t *data, size_t len, struct entry *root,
	struct ref **refs, struct err *e)
{
	uint8_t names[NAME_LEN_MAX];
	uint64_t nodes_before[2] = { 0 };
	struct ref few[ROOT_REFS_MAX];
	struct page page = { .entries = root, .names = names,
		.nodes_before = nodes_before, .refs = few };
	struct decoder d = { .r = reader_of(data, len), .page = &page };
	uint64_t off;
	int r;

	*refs = NULL;
	memset(root, 0, sizeof(*root));
	if (len > PAGE_LEN_MAX)
		return err_set(e, EUCLEAN, "a page of %zu bytes is too long", len);
	r = open_page(&d, &off, e);
	if (!r && page.kind != PAGE_ROOT)
		r = err_set(e, EUCLEAN, "a page is not a root");
	if (r)
		return r;
	page_take_entries(&d);
	finish(&d);
	root->name = NULL;
	if (d.r.bad)
		return why_bad(&d, e);
	*refs = keep_refs(&d, root);
	return 0;
}

void
page_free(struct page *p)
{
	if (!p)
		return;
	free(p->entries); /* also extents and inners: one union */
	free(p->nodes_before);
	free(p->n_before);
	free(p->names);
	free(p->refs);
	free(p);
}
