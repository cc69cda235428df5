/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A repository of many packs and snapshots, for measuring prune (DESIGN,
 * "Pruning"):
 *   yore init -r REPO --no-passphrase && prune_many REPO PACKS SNAPSHOTS
 *   /usr/bin/time -v yore prune -r REPO --grace 0s --unsafe-grace
 * Directories of 1,000 files, each file alone in its pack; each snapshot has 50
 * of the directories, one of ten directories is in no snapshot.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "repo/base/buf.h"
#include "repo/base/clock.h"
#include "repo/crypto/id.h"
#include "repo/format/record.h"
#include "repo/native/repository.h"
#include "repo/write/pack.h"
#include "repo/write/sealed.h"
#include "repo/write/segments.h"

#define FILES 1000
#define SHOWN 50
#define SEGMENT 100000

struct many {
	struct repository *rp;
	struct sink *sink;
	struct pack_writer *data, *meta;
	struct packer *packer;
	struct entry *dirs;
	unsigned n_dirs;
	struct segment_entry *en;
	struct segment_pack *packs;
	uint32_t n;
};

static void
must(int r, const struct err *e)
{
	if (!r)
		return;
	fprintf(stderr, "%s\n", e->text);
	exit(1);
}

static void
put_chunk(struct many *m, enum chunk_type type, const void *data, uint32_t len,
	struct ref *r)
{
	struct pack_chunk ch = { .len = len };
	struct packed p = { .type = type == CHUNK_DATA ? FRAME_DATA : FRAME_PAGES,
		.plain_len = len,
		.chunks = &ch,
		.n_chunks = 1 };
	struct err e = ERR_INIT;
	enum frame_codec codec;

	*r = (struct ref){ .chunk_len = len };
	chunk_id(m->rp->keys, type, data, len, r->id);
	memcpy(ch.id, r->id, CHUNK_ID_LEN);
	must(packer_pack(m->packer, 1, data, len, &p.bytes, &codec, &e), &e);
	p.codec = (uint8_t)codec;
	must(pack_writer_add(type == CHUNK_DATA ? m->data : m->meta, &p,
		     &r->place, &e),
		&e);
	buf_release(&p.bytes);
}

static int
by_id(const void *a, const void *b)
{
	return memcmp(((const struct segment_entry *)a)->id,
		((const struct segment_entry *)b)->id, CHUNK_KEY_LEN);
}

static void
put_segment(struct many *m)
{
	struct err e = ERR_INIT;
	uint64_t stored = 0;

	if (!m->n)
		return;
	qsort(m->en, m->n, sizeof(*m->en), by_id);
	must(segments_put(m->rp, m->sink, m->en, m->n, m->packs, m->n, &stored,
		     &e),
		&e);
	m->n = 0;
}

static void
index_chunk(struct many *m, const struct ref *r)
{
	struct segment_entry *en = &m->en[m->n];

	*en = (struct segment_entry){ .pack = m->n,
		.frame_off = r->place.off,
		.frame_len = r->place.len,
		.chunk_len = r->chunk_len };
	memcpy(en->id, r->id, CHUNK_KEY_LEN);
	m->packs[m->n].object = r->place.object;
	memcpy(m->packs[m->n++].id, r->place.pack, OBJECT_ID_LEN);
	if (m->n == SEGMENT)
		put_segment(m);
}

static struct entry
named(const char *name, uint32_t mode)
{
	return (struct entry){ .name = (const uint8_t *)name,
		.name_len = (uint32_t)strlen(name),
		.mode = mode,
		.nlink = 1 };
}

static void
put_dir(struct many *m, const struct entry *entries, unsigned n,
	struct entry *dir)
{
	struct page_encoder *pe = page_encoder_new(PAGE_DIR_LEAF);
	auto_buf struct buf page = BUF_INIT;

	for (unsigned i = 0; i < n; i++) {
		page_encoder_entry(pe, &entries[i]);
		entry_totals(&entries[i], &dir->totals);
	}
	page_encoder_finish(pe, &page);
	page_encoder_free(pe);
	put_chunk(m, CHUNK_PAGE, page.data, (uint32_t)page.len, &dir->ref);
	dir->content = CONTENT_MAP;
}

static void
put_files(struct many *m, unsigned d)
{
	struct entry files[FILES];
	char names[FILES][8];

	for (unsigned i = 0; i < FILES; i++) {
		uint8_t content[200];

		random_bytes(content, sizeof(content));
		snprintf(names[i], sizeof(names[i]), "%05u", i);
		files[i] = named(names[i], S_IFREG | 0644);
		files[i].content = CONTENT_CHUNK;
		files[i].size = sizeof(content);
		put_chunk(m, CHUNK_DATA, content, sizeof(content),
			&files[i].ref);
		index_chunk(m, &files[i].ref);
	}
	m->dirs[d] = named(xasprintf("%06u", d), S_IFDIR | 0755);
	put_dir(m, files, FILES, &m->dirs[d]);
}

static void
put_snapshot(struct many *m, unsigned n)
{
	static char host[] = "h", source[] = "many";
	static uint8_t hash[HASH_LEN];
	struct entry shown[SHOWN];
	struct record r = { .host = host, .name = source, .seq = n,
		.generation = 1, .time_ns = n * NS_PER_S * 60,
		.root = named("", S_IFDIR | 0755) };
	auto_sealed struct sealed s = { .packer = NULL };
	auto_buf struct buf plain = BUF_INIT;
	uint8_t key[SOURCE_KEY_LEN];
	char name[OBJECT_NAME_MAX * 2];
	struct err e = ERR_INIT;
	unsigned used = m->n_dirs / 10 * 9, k = 0;

	for (unsigned d = 0; d < used && k < SHOWN; d++) {
		/* a run of directories, another one in each snapshot */
		if ((d + used - n % used) % used < SHOWN)
			shown[k++] = m->dirs[d];
	}
	put_dir(m, shown, k, &r.root);
	memcpy(r.previous, hash, HASH_LEN);
	sealed_init(&s, m->rp->keys, OBJECT_RECORD);
	memcpy(r.id, s.id, OBJECT_ID_LEN);
	record_encode(&r, true, &plain);
	must(sealed_add(&s, FRAME_RECORD, plain.data, plain.len, &e), &e);
	source_key(m->rp->keys, host, source, key);
	record_name(name, key, &r);
	sha256(s.bytes.data, s.bytes.len, hash);
	must(sink_put(m->sink, name, s.bytes.data, s.bytes.len, &e), &e);
}

int
main(int argc, char **argv)
{
	struct many m = { .n = 0 };
	struct err e = ERR_INIT;
	unsigned snapshots;

	if (argc != 4)
		return 2;
	m.n_dirs = (unsigned)atoi(argv[2]) / FILES;
	snapshots = (unsigned)atoi(argv[3]);
	must(repository_open(argv[1], NULL, &m.rp, &e), &e);
	must(sink_open(argv[1], false, &m.sink, &e), &e);
	m.data = pack_writer_new(m.sink, m.rp->keys, OBJECT_DATA, 1, 0);
	m.meta = pack_writer_new(m.sink, m.rp->keys, OBJECT_META, 8 << 20, 0);
	m.packer = packer_new(1);
	m.dirs = xcalloc(m.n_dirs, sizeof(*m.dirs));
	m.en = xcalloc(SEGMENT, sizeof(*m.en));
	m.packs = xcalloc(SEGMENT, sizeof(*m.packs));
	for (unsigned d = 0; d < m.n_dirs; d++)
		put_files(&m, d);
	put_segment(&m);
	for (unsigned n = 1; n <= snapshots; n++)
		put_snapshot(&m, n);
	must(pack_writer_finish(m.data, &e), &e);
	must(pack_writer_finish(m.meta, &e), &e);
	return 0;
}
