/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/forge.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include "repo/base/hex.h"
#include "repo/open.h"
#include "repo/store/directory.h"
#include "repo/write/init.h"
#include "tests/unit/scratch.h"

static void
begin_pack(struct forge *f, struct forge_pack *p, enum object_type type)
{
	struct object_header h = { .type = (uint8_t)type };

	random_bytes(p->id, OBJECT_ID_LEN);
	memcpy(h.id, p->id, OBJECT_ID_LEN);
	memcpy(h.repository_id, f->rp->header.id, REPOSITORY_ID_LEN);
	p->bytes.len = 0;
	object_header_encode(buf_zeros(&p->bytes, OBJECT_HEADER_LEN), &h);
	object_key_init(&p->key, f->rp->keys, type, p->id);
}

void
forge_init(struct forge *f, uint32_t page_max)
{
	const struct slot_secret open = { .type = SLOT_OPEN };
	auto_free char *state = NULL;
	struct err e = ERR_INIT;
	char id[33];

	memset(f, 0, sizeof(*f));
	f->page_max = page_max;
	assert_true(scratch_make(f->dir, sizeof(f->dir)));
	f->repo = xasprintf("%s/repo", f->dir);
	state = xasprintf("%s/state", f->dir);
	setenv("XDG_STATE_HOME", state, 1);
	assert_int_equal(repository_init(f->repo, &open, id, &e), 0);
	assert_int_equal(repository_open(f->repo, NULL, &f->rp, &e), 0);
	assert_int_equal(sink_directory_open(f->repo, false, &f->sink, &e), 0);
	begin_pack(f, &f->data, OBJECT_DATA);
	begin_pack(f, &f->meta, OBJECT_META);
}

void
forge_release(struct forge *f)
{
	sink_free(f->sink);
	repository_free(f->rp);
	buf_release(&f->data.bytes);
	buf_release(&f->meta.bytes);
	free(f->repo);
	assert_true(scratch_remove(f->dir));
}

/* -- Frames -------------------------------------------------------------------- */

static void
seal(struct forge_pack *p, uint8_t type, uint8_t flags, const struct buf *plain,
	struct frame_place *at)
{
	struct frame_prefix prefix = { .type = type,
		.codec = CODEC_RAW,
		.flags = flags,
		.plain_len = (uint32_t)plain->len };
	struct err e = ERR_INIT;

	at->off = p->bytes.len;
	assert_int_equal(frame_seal(&p->key, p->bytes.len, &prefix, plain,
				 &p->bytes, &e),
		0);
	at->len = (uint32_t)(p->bytes.len - at->off);
	memcpy(at->pack, p->id, OBJECT_ID_LEN);
}

void
forge_frame(struct forge *f, enum object_type object, uint8_t type,
	const struct forge_chunk *chunks, size_t n, struct ref *refs)
{
	struct forge_pack *p = object == OBJECT_DATA ? &f->data : &f->meta;
	enum chunk_type kind = object == OBJECT_DATA ? CHUNK_DATA : CHUNK_PAGE;
	auto_free uint32_t *lens = xcalloc(n + 1, sizeof(*lens));
	auto_buf struct buf plain = BUF_INIT;
	struct frame_place at = { .object = (uint8_t)object };

	for (size_t i = 0; i < n; i++) {
		memset(&refs[i], 0, sizeof(refs[i]));
		refs[i].chunk_off = (uint32_t)plain.len;
		refs[i].chunk_len = lens[i] = (uint32_t)chunks[i].len;
		chunk_id(f->rp->keys, kind, chunks[i].data, chunks[i].len,
			refs[i].id);
		buf_append(&plain, chunks[i].data, chunks[i].len);
	}
	if (n > 1)
		solid_table_encode(&plain, lens, (uint32_t)n);
	seal(p, type, n > 1 ? FRAME_SOLID : 0, &plain, &at);
	for (size_t i = 0; i < n; i++)
		refs[i].place = at;
}

void
forge_page(struct forge *f, const void *page, size_t len, struct ref *r)
{
	const struct forge_chunk c = { .data = page, .len = len };

	forge_frame(f, OBJECT_META, FRAME_PAGES, &c, 1, r);
}

/* -- Maps ---------------------------------------------------------------------- */

/* One level of a map: pages of what add() puts in; returns how many, and what
 * the level above says of each. */
struct level {
	struct forge *f;
	enum page_kind kind;
	const struct entry *entries;
	const struct extent *extents;
	struct inner *inners;
	size_t n;
	struct inner *above;
	size_t n_above;
	struct buf *last; /* receives the last page, or NULL */
};

static void
add(struct level *l, struct page_encoder *pe, size_t i, struct inner *in)
{
	struct totals t = { 0 };

	switch (l->kind) {
	case PAGE_DIR_LEAF:
		entry_totals(&l->entries[i], &t);
		totals_add(&in->totals, &t);
		in->n++;
		page_encoder_entry(pe, &l->entries[i]);
		break;
	case PAGE_EXTENT_LEAF:
		in->len += l->extents[i].len;
		in->n++;
		page_encoder_extent(pe, &l->extents[i]);
		break;
	default:
		totals_add(&in->totals, &l->inners[i].totals);
		in->len += l->inners[i].len;
		in->n += l->inners[i].n;
		struct inner said = l->inners[i];
		if (l->f->lie)
			l->f->lie(l->f, &said);
		page_encoder_inner(pe, &said);
	}
}

static void
begin(const struct level *l, size_t i, struct inner *in)
{
	memset(in, 0, sizeof(*in));
	if (l->kind == PAGE_DIR_LEAF) {
		in->first = l->entries[i].name;
		in->first_len = l->entries[i].name_len;
	} else if (l->kind == PAGE_EXTENT_LEAF) {
		in->off = l->extents[i].off;
	} else {
		in->first = l->inners[i].first;
		in->first_len = l->inners[i].first_len;
		in->off = l->inners[i].off;
	}
}

static void
make_level(struct level *l)
{
	struct page_encoder *pe = page_encoder_new(l->kind);

	l->above = xcalloc(l->n + 1, sizeof(*l->above));
	for (size_t i = 0; i < l->n;) {
		auto_buf struct buf page = BUF_INIT;
		struct inner *in = &l->above[l->n_above++];

		begin(l, i, in);
		for (uint32_t k = 0; k < l->f->page_max && i < l->n; k++)
			add(l, pe, i++, in);
		page_encoder_finish(pe, &page);
		forge_page(l->f, page.data, page.len, &in->ref);
		if (l->last) {
			l->last->len = 0;
			buf_append(l->last, page.data, page.len);
		}
	}
	page_encoder_free(pe);
}

static struct inner
make_map(struct level *l, enum page_kind inner_kind)
{
	struct inner top;

	make_level(l);
	while (l->n_above > 1) {
		struct inner *below = l->above;

		free(l->inners);
		l->kind = inner_kind;
		l->inners = below;
		l->n = l->n_above;
		l->n_above = 0;
		make_level(l);
	}
	top = l->above[0];
	free(l->inners);
	free(l->above);
	return top;
}

void
forge_dir(struct forge *f, const struct entry *entries, size_t n,
	struct entry *dir, struct buf *root_page)
{
	struct level l = { .f = f, .kind = PAGE_DIR_LEAF, .entries = entries,
		.n = n, .last = root_page };
	struct inner top;

	dir->content = CONTENT_NONE;
	memset(&dir->totals, 0, sizeof(dir->totals));
	if (n == 0)
		return;
	top = make_map(&l, PAGE_DIR_INNER);
	dir->content = CONTENT_MAP;
	dir->ref = top.ref;
	dir->totals = top.totals;
}

void
forge_extents(struct forge *f, const struct extent *x, size_t n,
	struct entry *file)
{
	struct level l = { .f = f, .kind = PAGE_EXTENT_LEAF, .extents = x,
		.n = n };

	file->content = CONTENT_MAP;
	file->ref = make_map(&l, PAGE_EXTENT_INNER).ref;
}

/* -- Objects ------------------------------------------------------------------- */

/* Without the sink's care for power cuts, which would take most of the time. */
static void
put(struct forge *f, const char *name, const struct buf *b)
{
	auto_free char *path = forge_path(f, name);
	auto_free char *temporary = xasprintf("%s/new", f->dir);
	FILE *to;

	for (char *p = path + strlen(f->repo) + 1; (p = strchr(p, '/')); p++) {
		*p = '\0';
		mkdir(path, 0700);
		*p = '/';
	}
	to = fopen(temporary, "wxe");
	assert_non_null(to);
	assert_int_equal(fwrite(b->data, 1, b->len, to), b->len);
	assert_int_equal(fclose(to), 0);
	assert_int_equal(rename(temporary, path), 0);
}

void
forge_flush(struct forge *f)
{
	char name[OBJECT_NAME_MAX];

	if (f->data.bytes.len > OBJECT_HEADER_LEN) {
		object_pack_name(name, OBJECT_DATA, f->data.id);
		put(f, name, &f->data.bytes);
		begin_pack(f, &f->data, OBJECT_DATA);
	}
	if (f->meta.bytes.len > OBJECT_HEADER_LEN) {
		object_pack_name(name, OBJECT_META, f->meta.id);
		put(f, name, &f->meta.bytes);
		begin_pack(f, &f->meta, OBJECT_META);
	}
}

void
forge_record(struct forge *f, struct record *r, uint8_t hash[HASH_LEN],
	char name[OBJECT_NAME_MAX * 2])
{
	struct forge_pack p = { .bytes = BUF_INIT };
	auto_buf struct buf plain = BUF_INIT;
	char own[OBJECT_NAME_MAX * 2];
	uint8_t source[SOURCE_KEY_LEN];
	struct frame_place at;

	begin_pack(f, &p, OBJECT_RECORD);
	memcpy(r->id, p.id, OBJECT_ID_LEN);
	record_encode(r, true, &plain);
	seal(&p, FRAME_RECORD, 0, &plain, &at);
	source_key(f->rp->keys, r->host, r->name, source);
	record_name(own, source, r);
	put(f, own, &p.bytes);
	if (hash)
		sha256(p.bytes.data, p.bytes.len, hash);
	if (name)
		strcpy(name, own);
	buf_release(&p.bytes);
}

void
forge_catalog(
	struct forge *f, uint64_t number, char kind, const struct catalog *c)
{
	struct forge_pack p = { .bytes = BUF_INIT };
	auto_buf struct buf plain = BUF_INIT;
	char hex[OBJECT_ID_LEN * 2 + 1];
	auto_free char *name = NULL;
	struct frame_place at;

	begin_pack(f, &p, OBJECT_CATALOG);
	catalog_encode(c, &plain);
	seal(&p, FRAME_CATALOG, 0, &plain, &at);
	name = xasprintf("cat/%012" PRIu64 "-%c-%s", 999999999999 - number,
		kind, hex_encode(hex, p.id, OBJECT_ID_LEN));
	put(f, name, &p.bytes);
	buf_release(&p.bytes);
}

char *
forge_path(const struct forge *f, const char *name)
{
	return xasprintf("%s/%s", f->repo, name);
}

void
forge_damage(const struct forge *f, const char *name, size_t off, uint8_t xor)
{
	auto_free char *path = forge_path(f, name);
	auto_close int fd = -1;
	uint8_t byte;

	chmod(path, 0600);
	fd = open(path, O_RDWR | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(pread(fd, &byte, 1, (off_t)off), 1);
	byte ^= xor;
	assert_int_equal(pwrite(fd, &byte, 1, (off_t)off), 1);
}

struct history *
forge_open(const struct forge *f, size_t memory)
{
	const struct history_open_options o = { .memory = memory };
	struct history *h = NULL;
	struct err e = ERR_INIT;

	if (history_open_repository(f->repo, &o, &h, &e))
		fail_msg("%s", e.text);
	return h;
}

struct view *
forge_view(struct history *h, size_t point)
{
	auto_listing struct history_listing *l = history_listing(h);
	struct view *v = NULL;
	struct err e = ERR_INIT;

	if (history_open(h, l, point, &v, &e))
		fail_msg("%s", e.text);
	return v;
}
