/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Encoding of pages.  Names are front-coded; numbers that run in series are
 * differences; hints say only what does not follow from the reference before.
 * The ids, which no compressor shrinks, stand together at the end.
 */
#include <sys/stat.h>
#include <assert.h>
#include "repo/format/page.h"

struct page_encoder {
	enum page_kind kind;
	uint32_t n;
	struct page_state st;
	struct buf body;
	struct buf ids;
	struct buf packs;
	uint8_t last[NAME_LEN_MAX];
	uint32_t last_len;
	uint64_t first_off;
};

struct page_encoder *
page_encoder_new(enum page_kind kind)
{
	struct page_encoder *pe = xcalloc(1, sizeof(*pe));

	pe->kind = kind;
	return pe;
}

void
page_encoder_free(struct page_encoder *pe)
{
	if (!pe)
		return;
	buf_release(&pe->body);
	buf_release(&pe->ids);
	buf_release(&pe->packs);
	free(pe);
}

size_t
page_encoder_len(const struct page_encoder *pe)
{
	return 16 + pe->body.len + pe->ids.len + pe->packs.len;
}

uint32_t
page_encoder_n(const struct page_encoder *pe)
{
	return pe->n;
}

static uint64_t
pack_number(struct page_encoder *pe, const uint8_t pack[OBJECT_ID_LEN])
{
	size_t n = pe->packs.len / OBJECT_ID_LEN;

	for (size_t i = n; i-- > 0;) {
		if (!memcmp(pe->packs.data + i * OBJECT_ID_LEN, pack,
			    OBJECT_ID_LEN))
			return i;
	}
	buf_append(&pe->packs, pack, OBJECT_ID_LEN);
	return n;
}

static void
put_new_frame(struct page_encoder *pe, const struct ref *r,
	const struct hint_state *h)
{
	const struct frame_place *at = &r->place;
	bool same_pack =
		h->set && !memcmp(h->place.pack, at->pack, OBJECT_ID_LEN);
	bool next = same_pack && at->off == h->place.off + h->place.len;

	buf_varint(&pe->body,
		(same_pack ? HINT_SAME_PACK : 0) | (next ? HINT_NEXT_FRAME : 0) |
			(r->chunk_off == 0 ? HINT_CHUNK_FIRST : 0));
	if (!same_pack)
		buf_varint(&pe->body, pack_number(pe, at->pack));
	if (!next)
		buf_varint(&pe->body, at->off);
	buf_varint(&pe->body, at->len);
	if (r->chunk_off)
		buf_varint(&pe->body, r->chunk_off);
}

static void
put_ref(struct page_encoder *pe, const struct ref *r, bool with_len)
{
	struct hint_state *h =
		r->place.object == OBJECT_DATA ? &pe->st.data : &pe->st.meta;
	bool same = h->set && h->place.off == r->place.off &&
		    h->place.len == r->place.len &&
		    !memcmp(h->place.pack, r->place.pack, OBJECT_ID_LEN);

	buf_append(&pe->ids, r->id, CHUNK_ID_LEN);
	if (!same) {
		put_new_frame(pe, r, h);
	} else if (r->chunk_off == h->chunk_end) {
		buf_varint(&pe->body, HINT_SAME_FRAME | HINT_FOLLOWS);
	} else {
		buf_varint(&pe->body, HINT_SAME_FRAME);
		buf_varint(&pe->body, r->chunk_off);
	}
	if (with_len)
		buf_varint(&pe->body, r->chunk_len);
	h->place = r->place;
	h->chunk_end = r->chunk_off + r->chunk_len;
	h->set = true;
}

static void
put_name(struct page_encoder *pe, const uint8_t *name, uint32_t len)
{
	uint32_t shared = 0;

	assert(len <= NAME_LEN_MAX);
	while (shared < len && shared < pe->last_len &&
		name[shared] == pe->last[shared])
		shared++;
	buf_varint(&pe->body, shared);
	buf_varint(&pe->body, len - shared);
	if (len > shared)
		buf_append(&pe->body, name + shared, len - shared);
	if (len)
		memcpy(pe->last, name, len);
	pe->last_len = len;
}

static void
put_totals(struct page_encoder *pe, const struct totals *t)
{
	buf_varint(&pe->body, t->entries);
	buf_varint(&pe->body, t->files);
	buf_varint(&pe->body, t->bytes);
	buf_svarint(&pe->body, t->newest_ns);
	buf_u8(&pe->body, t->flags);
}

static unsigned
type_of_mode(uint32_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFREG:
		return 0;
	case S_IFDIR:
		return 1;
	case S_IFLNK:
		return 2;
	case S_IFCHR:
		return 3;
	case S_IFBLK:
		return 4;
	case S_IFIFO:
		return 5;
	default:
		return 6;
	}
}

static unsigned
entry_flags(const struct page_encoder *pe, const struct entry *en)
{
	bool dir = S_ISDIR(en->mode);
	const struct entry_state *s = dir ? &pe->st.dir : &pe->st.other;
	unsigned f = type_of_mode(en->mode);

	if ((en->mode & 07777) == s->perm)
		f |= ENTRY_SAME_PERM;
	if (en->uid == s->uid && en->gid == s->gid)
		f |= ENTRY_SAME_OWNER;
	if (en->ctime_s == en->mtime_s && en->ctime_ns == en->mtime_ns)
		f |= ENTRY_CTIME_IS_MTIME;
	if (dir ? en->nlink != 2 : (en->nlink != 1 || en->link))
		f |= ENTRY_LINKS;
	f |= (unsigned)en->content << ENTRY_CONTENT_SHIFT;
	if (en->xattrs)
		f |= ENTRY_XATTRS_INLINE;
	else if (en->xattrs_ref)
		f |= ENTRY_XATTRS_CHUNK;
	if (en->interior)
		f |= ENTRY_EXTENSION;
	if (en->blocks != entry_usual_blocks(S_ISLNK(en->mode), en->size))
		f |= ENTRY_BLOCKS;
	return f;
}

static void
put_attributes(struct page_encoder *pe, const struct entry *en, unsigned f)
{
	struct entry_state *s = S_ISDIR(en->mode) ? &pe->st.dir : &pe->st.other;
	struct buf *b = &pe->body;

	if (!(f & ENTRY_SAME_PERM))
		buf_varint(b, s->perm = en->mode & 07777);
	if (!(f & ENTRY_SAME_OWNER)) {
		buf_varint(b, s->uid = en->uid);
		buf_varint(b, s->gid = en->gid);
	}
	buf_svarint(b, (int64_t)(en->ino - pe->st.ino));
	buf_svarint(b, (int64_t)((uint64_t)en->mtime_s - (uint64_t)pe->st.mtime_s));
	buf_varint(b, en->mtime_ns);
	if (!(f & ENTRY_CTIME_IS_MTIME)) {
		buf_svarint(b, (int64_t)((uint64_t)en->ctime_s -
				       (uint64_t)pe->st.ctime_s));
		buf_varint(b, en->ctime_ns);
	}
	pe->st.ino = en->ino;
	pe->st.mtime_s = en->mtime_s;
	pe->st.ctime_s = en->ctime_s;
	buf_varint(b, en->size);
	if (f & ENTRY_BLOCKS)
		buf_varint(b, en->blocks);
	if (f & ENTRY_LINKS) {
		buf_varint(b, en->nlink);
		buf_varint(b, en->link);
	}
	if (S_ISCHR(en->mode) || S_ISBLK(en->mode))
		buf_varint(b, en->rdev);
}

/* Beside the page's own packs and ids, so that it can be skipped. */
static void
put_extension(struct page_encoder *pe, const struct ref *r)
{
	auto_buf struct buf field = BUF_INIT, all = BUF_INIT;

	buf_append(&field, r->id, CHUNK_ID_LEN);
	buf_append(&field, r->place.pack, OBJECT_ID_LEN);
	buf_varint(&field, r->place.off);
	buf_varint(&field, r->place.len);
	buf_varint(&field, r->chunk_off);
	buf_varint(&field, r->chunk_len);
	buf_varint(&all, EXTENSION_INTERIOR);
	buf_bytes(&all, field.data, field.len);
	buf_bytes(&pe->body, all.data, all.len);
}

void
page_encoder_entry(struct page_encoder *pe, const struct entry *en)
{
	unsigned f = entry_flags(pe, en);

	assert(pe->kind == PAGE_DIR_LEAF || pe->kind == PAGE_ROOT);
	put_name(pe, en->name, en->name_len);
	buf_varint(&pe->body, f);
	put_attributes(pe, en, f);
	if (en->content == CONTENT_INLINE)
		buf_append(&pe->body, en->data, en->size);
	else if (en->content == CONTENT_CHUNK)
		put_ref(pe, &en->ref, false);
	else if (en->content == CONTENT_MAP)
		put_ref(pe, &en->ref, true);
	if (f & ENTRY_XATTRS_INLINE)
		buf_bytes(&pe->body, en->xattrs, en->xattrs_len);
	else if (f & ENTRY_XATTRS_CHUNK)
		put_ref(pe, en->xattrs_ref, true);
	if (S_ISDIR(en->mode))
		put_totals(pe, &en->totals);
	if (en->interior)
		put_extension(pe, en->interior);
	pe->n++;
}

void
page_encoder_extent(struct page_encoder *pe, const struct extent *x)
{
	assert(pe->kind == PAGE_EXTENT_LEAF);
	if (pe->n == 0)
		pe->first_off = x->off;
	buf_varint(&pe->body, x->len << 1 | (x->hole ? 1 : 0));
	if (!x->hole)
		put_ref(pe, &x->ref, false);
	pe->n++;
}

void
page_encoder_inner(struct page_encoder *pe, const struct inner *in)
{
	buf_varint(&pe->body, in->n);
	if (pe->kind == PAGE_DIR_INNER) {
		put_name(pe, in->first, in->first_len);
		put_totals(pe, &in->totals);
	} else {
		assert(pe->kind == PAGE_EXTENT_INNER);
		if (pe->n == 0)
			pe->first_off = in->off;
		buf_varint(&pe->body, in->len);
	}
	put_ref(pe, &in->ref, true);
	pe->n++;
}

void
page_encoder_finish(struct page_encoder *pe, struct buf *b)
{
	buf_u8(b, (uint8_t)pe->kind);
	buf_varint(b, pe->n);
	buf_varint(b, pe->packs.len / OBJECT_ID_LEN);
	buf_varint(b, pe->ids.len / CHUNK_ID_LEN);
	if (pe->kind == PAGE_EXTENT_LEAF || pe->kind == PAGE_EXTENT_INNER)
		buf_varint(b, pe->first_off);
	buf_append(b, pe->packs.data, pe->packs.len);
	buf_append(b, pe->body.data, pe->body.len);
	buf_append(b, pe->ids.data, pe->ids.len);
	pe->packs.len = pe->body.len = pe->ids.len = 0;
	pe->n = 0;
	pe->last_len = 0;
	pe->first_off = 0;
	memset(&pe->st, 0, sizeof(pe->st));
}
