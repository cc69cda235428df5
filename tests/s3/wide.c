/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * wide REPOSITORY N: make another snapshot of the only source, which holds one
 * directory, "wide", of N files f0000000, f0000001, ... of 4 KiB each: the
 * pages that a backup would write, without the content, which nobody may read.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "repo/crypto/id.h"
#include "repo/write/map.h"
#include "repo/write/pack.h"
#include "tests/s3/write_record.h"

struct pages {
	struct world *w;
	struct pack_writer *packs;
	struct packer *packer;
};

static int
store_page(void *ctx, const uint8_t *page, size_t len, struct ref *ref,
	struct err *e)
{
	struct pages *p = ctx;
	struct pack_chunk chunk = { .len = (uint32_t)len };
	struct packed packed = { .type = FRAME_PAGES,
		.plain_len = (uint32_t)len,
		.chunks = &chunk,
		.n_chunks = 1 };
	enum frame_codec codec;
	int r;

	*ref = (struct ref){ .chunk_len = (uint32_t)len };
	chunk_id(p->w->rp->keys, CHUNK_PAGE, page, len, ref->id);
	memcpy(chunk.id, ref->id, CHUNK_ID_LEN);
	r = packer_pack(p->packer, 0, page, len, &packed.bytes, &codec, e);
	packed.codec = (uint8_t)codec;
	if (r == 0)
		r = pack_writer_add(p->packs, &packed, &ref->place, e);
	buf_release(&packed.bytes);
	return r;
}

/* End a directory's map; its root page is left in *page. */
static void
finish(struct map_builder *mb, struct entry *dir, const uint8_t **page,
	size_t *len)
{
	struct err e = ERR_INIT;
	bool any;

	world_must(map_builder_finish(mb, &any, &dir->ref, page, len, &e), &e);
	dir->content = CONTENT_MAP;
	dir->totals = map_builder_totals(mb);
}

/* Content that does not compress and lies where nothing is: 64 files a frame.
 */
static void
point_nowhere(struct entry *en, unsigned long i)
{
	uint64_t x = i;

	en->content = CONTENT_CHUNK;
	en->size = en->ref.chunk_len = 4096;
	en->blocks = 8;
	for (size_t k = 0; k < CHUNK_ID_LEN; k++) {
		x = (x + 0x9e3779b97f4a7c15) * 0xbf58476d1ce4e5b9;
		en->ref.id[k] = (uint8_t)(x >> 56);
	}
	en->mtime_ns = en->ctime_ns = (uint32_t)(x % 1000000000);
	en->ref.place.object = OBJECT_DATA;
	en->ref.place.off = 64 + i / 64 * 200000;
	en->ref.place.len = 200000;
	en->ref.chunk_off = (uint32_t)(i % 64 * 4096);
}

static void
fill(struct map_builder *mb, unsigned long n)
{
	struct err e = ERR_INIT;
	char name[24];

	for (unsigned long i = 0; i < n; i++) {
		struct entry en = { .name = (const uint8_t *)name,
			.name_len = (uint32_t)snprintf(
				name, sizeof(name), "f%07lu", i),
			.mode = S_IFREG | 0644,
			.nlink = 1,
			.mtime_s = 1600000000 + (int64_t)(i % 1000),
			.ctime_s = 1600000000 + (int64_t)(i % 1000),
			.ino = 1000 + i };

		point_nowhere(&en, i);
		world_must(map_builder_entry(mb, &en, &e), &e);
	}
}

int
main(int argc, char **argv)
{
	struct entry wide = { .name = (const uint8_t *)"wide",
		.name_len = 4,
		.mode = S_IFDIR | 0755,
		.nlink = 2 };
	struct map_builder *below, *root;
	struct err e = ERR_INIT;
	const uint8_t *page;
	struct map_cut cut;
	struct pages p;
	struct world w;
	size_t len;

	if (argc != 3)
		return 2;
	world_open(&w, argv[1]);
	map_cut_init(&cut, w.rp->keys);
	p.w = &w;
	p.packer = packer_new(3);
	p.packs = pack_writer_new(w.sink, w.rp->keys, OBJECT_META, 16 << 20, 0);
	below = map_builder_new(true, &cut, store_page, &p);
	fill(below, strtoul(argv[2], NULL, 10));
	finish(below, &wide, &page, &len);
	root = map_builder_new(true, &cut, store_page, &p);
	world_must(map_builder_entry(root, &wide, &e), &e);
	finish(root, &w.newest.root, &page, &len);
	world_must(pack_writer_finish(p.packs, &e), &e);
	free(w.newest.root_page);
	w.newest.root_page = memcpy(malloc(len), page, len);
	w.newest.root_page_len = (uint32_t)len;
	world_put(&w);
	world_note(&w);
	map_builder_free(below);
	map_builder_free(root);
	packer_free(p.packer);
	pack_writer_free(p.packs);
	world_close(&w);
	return 0;
}
