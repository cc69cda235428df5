/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Decoding entries of directories. */
#include <sys/stat.h>
#include <string.h>
#include "repo/format/page_decode.h"

static const uint32_t types[] = { S_IFREG, S_IFDIR, S_IFLNK, S_IFCHR, S_IFBLK,
	S_IFIFO, S_IFSOCK };

static void
take_attributes(struct decoder *d, struct entry *en, unsigned f)
{
	bool dir = S_ISDIR(en->mode);
	struct entry_state *s = dir ? &d->st.dir : &d->st.other;
	struct reader *r = &d->r;

	if (!(f & ENTRY_SAME_PERM))
		s->perm = (uint32_t)read_bounded(r, 07777);
	if (!(f & ENTRY_SAME_OWNER)) {
		s->uid = (uint32_t)read_bounded(r, UINT32_MAX);
		s->gid = (uint32_t)read_bounded(r, UINT32_MAX);
	}
	en->mode |= s->perm;
	en->uid = s->uid;
	en->gid = s->gid;
	en->ino = d->st.ino += (uint64_t)read_svarint(r);
	en->mtime_s = (int64_t)((uint64_t)d->st.mtime_s +
				(uint64_t)read_svarint(r));
	en->mtime_ns = (uint32_t)read_bounded(r, 999999999);
	if (f & ENTRY_CTIME_IS_MTIME) {
		en->ctime_s = en->mtime_s;
		en->ctime_ns = en->mtime_ns;
	} else {
		en->ctime_s = (int64_t)((uint64_t)d->st.ctime_s +
					(uint64_t)read_svarint(r));
		en->ctime_ns = (uint32_t)read_bounded(r, 999999999);
	}
	d->st.mtime_s = en->mtime_s;
	d->st.ctime_s = en->ctime_s;
	en->size = read_bounded(r, INT64_MAX);
	en->blocks = entry_usual_blocks(S_ISLNK(en->mode), en->size);
	if (f & ENTRY_BLOCKS)
		en->blocks = read_bounded(r, BYTES_MAX);
	en->nlink = dir ? 2 : 1;
	if (f & ENTRY_LINKS) {
		en->nlink = (uint32_t)read_bounded(r, UINT32_MAX);
		en->link = read_bounded(r, NODES_MAX - 1);
	}
	if (dir && en->link)
		page_refuse(d, "a directory is a hard link");
	if (S_ISCHR(en->mode) || S_ISBLK(en->mode))
		en->rdev = read_varint(r);
}

static void
take_inline(struct decoder *d, struct entry *en)
{
	bool reg = S_ISREG(en->mode) && en->size <= INLINE_LEN_MAX;
	bool link = S_ISLNK(en->mode) && en->size <= SYMLINK_LEN_MAX;

	if (!reg && !link) {
		page_refuse(d, "inline content is too long");
		return;
	}
	en->data = read_bytes(&d->r, en->size);
	if (link && en->data && memchr(en->data, 0, en->size))
		page_refuse(d, "a symlink's target has a NUL");
}

static void
take_content(struct decoder *d, struct entry *en)
{
	bool dir = S_ISDIR(en->mode);
	bool reg = S_ISREG(en->mode);

	switch (en->content) {
	case CONTENT_NONE:
		if ((reg && en->size) || S_ISLNK(en->mode))
			page_refuse(d, "content is missing");
		break;
	case CONTENT_INLINE:
		take_inline(d, en);
		break;
	case CONTENT_CHUNK:
		if (!reg || en->size == 0)
			page_refuse(d, "content is of the wrong kind");
		page_take_ref(d, OBJECT_DATA, en->size, false, &en->ref);
		break;
	default:
		if (!dir && (!reg || en->size == 0))
			page_refuse(d, "content is of the wrong kind");
		page_take_ref(d, OBJECT_META, 0, true, &en->ref);
		if (en->ref.chunk_len > PAGE_LEN_MAX)
			page_refuse(d, "a page is too long");
	}
}

static void
take_xattrs(struct decoder *d, struct entry *en, unsigned f)
{
	if ((f & ENTRY_XATTRS_INLINE) && (f & ENTRY_XATTRS_CHUNK)) {
		page_refuse(d, "extended attributes are in two places");
	} else if (f & ENTRY_XATTRS_INLINE) {
		size_t n;

		en->xattrs = read_blob(&d->r, INLINE_XATTRS_MAX, &n);
		en->xattrs_len = en->xattrs ? (uint32_t)n : 0;
	} else if (f & ENTRY_XATTRS_CHUNK) {
		struct ref *r;

		if (d->n_ids == 0) {
			page_refuse(d, "there are fewer ids than references");
			return;
		}
		r = &d->page->refs[d->n_refs++];
		page_take_ref(d, OBJECT_META, 0, true, r);
		if (r->chunk_len > XATTRS_LEN_MAX)
			page_refuse(d, "extended attributes are too long");
		en->xattrs_ref = r;
	}
}

static void
take_interior(struct decoder *d, struct reader r, struct entry *en)
{
	struct ref *to = &d->page->refs[d->n_refs];
	const uint8_t *id = read_bytes(&r, CHUNK_ID_LEN);
	const uint8_t *pack = read_bytes(&r, OBJECT_ID_LEN);

	memset(to, 0, sizeof(*to));
	to->place.off = read_bounded(&r, FRAME_OFF_MAX);
	to->place.len = (uint32_t)read_bounded(&r, FRAME_LEN_MAX);
	to->chunk_off = (uint32_t)read_bounded(&r, PLAIN_LEN_MAX);
	to->chunk_len = (uint32_t)read_bounded(&r, PAGE_LEN_MAX);
	if (r.bad || reader_left(&r) || en->interior ||
		en->content != CONTENT_MAP || !S_ISREG(en->mode) ||
		to->chunk_off > PLAIN_LEN_MAX - to->chunk_len) {
		page_refuse(d, "interior pages are said to be where they cannot be");
		return;
	}
	memcpy(to->id, id, CHUNK_ID_LEN);
	memcpy(to->place.pack, pack, OBJECT_ID_LEN);
	to->place.object = OBJECT_META;
	en->interior = to;
	d->n_refs++;
}

/* Fields, of which unknown ones are skipped. */
static void
take_extension(struct decoder *d, struct entry *en)
{
	size_t n, len;
	const uint8_t *p = read_blob(&d->r, PAGE_LEN_MAX, &n);
	struct reader r = reader_of(p, p ? n : 0);

	while (reader_left(&r) && !d->r.bad) {
		uint64_t tag = read_varint(&r);
		const uint8_t *field = read_blob(&r, PAGE_LEN_MAX, &len);

		if (r.bad)
			page_refuse(d, "an entry's extension ends too early");
		else if (tag == EXTENSION_INTERIOR)
			take_interior(d, reader_of(field, len), en);
	}
}

static void
take_entry(struct decoder *d, const struct entry *before, struct entry *en)
{
	unsigned f;

	page_take_name(d, before ? before->name : d->page->names,
		before ? before->name_len : 0,
		&en->name, &en->name_len);
	f = (unsigned)read_bounded(&d->r, ENTRY_KNOWN);
	if ((f & ENTRY_TYPE) >= n_elements(types)) {
		page_refuse(d, "an entry has no known type");
		return;
	}
	en->mode = types[f & ENTRY_TYPE];
	en->content = (f >> ENTRY_CONTENT_SHIFT) & 3;
	take_attributes(d, en, f);
	take_content(d, en);
	take_xattrs(d, en, f);
	if (S_ISDIR(en->mode))
		page_take_totals(d, &en->totals);
	if ((en->content == CONTENT_MAP) != (en->totals.entries > 0) &&
		S_ISDIR(en->mode))
		page_refuse(d, "a directory's total contradicts its content");
	if (f & ENTRY_EXTENSION)
		take_extension(d, en);
}

void
page_take_entries(struct decoder *d)
{
	struct page *p = d->page;

	for (uint32_t i = 0; i < p->n && !d->r.bad; i++) {
		struct entry *en = &p->entries[i];

		take_entry(d, i ? en - 1 : NULL, en);
		p->nodes_before[i + 1] =
			p->nodes_before[i] + 1 + en->totals.entries;
		if (p->nodes_before[i + 1] > NODES_MAX)
			page_refuse(d, "there are too many entries");
	}
}
