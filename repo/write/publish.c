/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The end of a run: index segment, snapshot record (the commit), catalog.
 * And its beginning: the record before.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "repo/base/auto.h"
#include "repo/base/clock.h"
#include "repo/base/hex.h"
#include "repo/base/log.h"
#include "repo/format/object.h"
#include "repo/history.h"
#include "repo/write/catalogs.h"
#include "repo/write/run.h"
#include "repo/write/sealed.h"

/* -- The index segment ---------------------------------------------------------- */

static int
add_pages(struct sealed *s, const struct segment_entry *en, size_t n,
	struct segment_directory *d, struct err *e)
{
	d->n_entries = n;
	d->pages = xcalloc(n / SEGMENT_PAGE_ENTRIES + 1, sizeof(*d->pages));
	for (size_t i = 0; i < n; i += SEGMENT_PAGE_ENTRIES) {
		size_t m = n - i < SEGMENT_PAGE_ENTRIES ? n - i
							: SEGMENT_PAGE_ENTRIES;
		struct segment_page *p = &d->pages[d->n_pages++];
		auto_buf struct buf page = BUF_INIT;
		int r;

		segment_page_encode(en + i, (uint32_t)m, &page);
		memcpy(p->first, en[i].id, CHUNK_KEY_LEN);
		p->off = s->bytes.len;
		r = sealed_add(s, FRAME_INDEX, page.data, page.len, e);
		if (r)
			return r;
		p->len = (uint32_t)(s->bytes.len - p->off);
	}
	return 0;
}

static int
add_directory(struct sealed *s, const struct segment_directory *d,
	struct err *e)
{
	auto_buf struct buf plain = BUF_INIT;
	struct object_trailer t = { .toc_off = s->bytes.len };
	int r;

	segment_directory_encode(d, &plain);
	r = sealed_add(s, FRAME_INDEX, plain.data, plain.len, e);
	if (r)
		return r;
	t.toc_len = (uint32_t)(s->bytes.len - t.toc_off);
	object_trailer_encode(buf_reserve(&s->bytes, OBJECT_TRAILER_LEN), &t);
	s->bytes.len += OBJECT_TRAILER_LEN;
	return 0;
}

static int
publish_index(struct run *run, struct err *e)
{
	struct segment_directory d = { .n_packs = 0 };
	auto_free struct segment_entry *en = NULL;
	auto_sealed struct sealed s = { .packer = NULL };
	size_t n = known_sorted(run->known, &en, &d.packs, &d.n_packs);
	char name[96];
	int r = 0;

	if (n) {
		sealed_init(&s, run->w->rp->keys, OBJECT_INDEX);
		r = add_pages(&s, en, n, &d, e);
		if (!r)
			r = add_directory(&s, &d, e);
		segment_name(name, 0, n, s.id);
		if (!r)
			r = sink_put(run->w->sink, name, s.bytes.data,
				s.bytes.len, e);
		run->result->stored += s.bytes.len;
		index_refresh(run->w->index);
	}
	segment_directory_release(&d);
	return r;
}

/* -- The record ------------------------------------------------------------------ */

static void
fill_record(struct run *run, struct record *rec, int64_t now)
{
	const struct backup_options *o = run->o;
	bool first = !run->parent.seq;

	rec->host = xstrdup(o->host);
	rec->name = xstrdup(o->name);
	rec->seq = first ? 1 : run->parent.seq + 1;
	rec->generation = run->parent.host ? run->parent.generation : rec->seq;
	rec->time_ns = o->time_ns ? o->time_ns : run->began_ns;
	rec->began_ns = run->began_ns;
	rec->ended_ns = now;
	memcpy(rec->previous, run->parent_hash, HASH_LEN);
	rec->n_tags = (uint32_t)o->n_tags;
	rec->tags = xcalloc(o->n_tags + 1, sizeof(*rec->tags));
	for (size_t i = 0; i < o->n_tags; i++)
		rec->tags[i] = xstrdup(o->tags[i]);
	rec->root = run->root;
	rec->next_link = run->next_link;
	rec->n_errors = run->errors;
	rec->path = xstrdup(o->stdin_name ? o->stdin_name : o->path);
	if (run->root_page.len && run->root_page.len <= RECORD_INLINE_PAGE_MAX) {
		rec->root_page = xmemdup(run->root_page.data,
			run->root_page.len);
		rec->root_page_len = (uint32_t)run->root_page.len;
	}
}

static int
put_record(struct run *run, struct record *rec, uint8_t hash[HASH_LEN],
	struct err *e)
{
	auto_sealed struct sealed s = { .packer = NULL };
	auto_buf struct buf plain = BUF_INIT;
	uint8_t source[SOURCE_KEY_LEN];
	char name[OBJECT_NAME_MAX * 2];
	int r;

	sealed_init(&s, run->w->rp->keys, OBJECT_RECORD);
	memcpy(rec->id, s.id, OBJECT_ID_LEN);
	record_encode(rec, true, &plain);
	r = sealed_add(&s, FRAME_RECORD, plain.data, plain.len, e);
	if (r)
		return r;
	source_key(run->w->rp->keys, rec->host, rec->name, source);
	record_name(name, source, rec);
	sha256(s.bytes.data, s.bytes.len, hash);
	run->result->stored += s.bytes.len;
	return sink_put(run->w->sink, name, s.bytes.data, s.bytes.len, e);
}

int
run_publish(struct run *run, struct err *e)
{
	struct record rec = { .host = NULL };
	uint8_t hash[HASH_LEN];
	struct err late = ERR_INIT;
	int r = publish_index(run, e);

	if (r)
		return r;
	fill_record(run, &rec, clock_wall_ns());
	r = put_record(run, &rec, hash, e);
	if (!r) {
		hex_encode(run->result->id, rec.id, OBJECT_ID_LEN);
		run->result->seq = rec.seq;
		run->result->first = rec.seq == 1;
		if (catalogs_add(run->w->rp, run->w->sink, &rec, hash, &late))
			log_warn("snapshot is safe, but the catalog was not "
				 "written: %s", late.text);
	}
	record_release(&rec);
	return r;
}

/* -- The record before ------------------------------------------------------------ */

static bool
keep_last(void *ctx, const char *name, uint64_t size)
{
	char *last = ctx;
	uint8_t id[OBJECT_ID_LEN];
	uint64_t seq;

	(void)size;
	if (!record_name_parse(name, &seq, id))
		snprintf(last, STORE_NAME_MAX + 1, "%s", name);
	return true;
}

int
run_find_parent(struct run *run, struct err *e)
{
	char prefix[OBJECT_NAME_MAX], last[STORE_NAME_MAX + 1] = "";
	char hex[SOURCE_KEY_LEN * 2 + 1];
	uint8_t source[SOURCE_KEY_LEN], id[OBJECT_ID_LEN];
	auto_free uint8_t *plain = NULL;
	uint64_t seq;
	size_t len;
	int r;

	source_key(run->w->rp->keys, run->o->host, run->o->name, source);
	snprintf(prefix, sizeof(prefix), "snap/%s/",
		hex_encode(hex, source, SOURCE_KEY_LEN));
	r = store_list(run->w->rp->store, prefix, "", keep_last, last, e);
	if (r || !*last)
		return r;
	record_name_parse(last, &seq, id);
	r = repository_load(run->w->rp, last, OBJECT_RECORD, id, RECORD_LEN_MAX,
		&plain, &len, run->parent_hash, e);
	if (!r)
		r = record_decode(plain, len, &run->parent, e);
	if (!r && run->parent.seq == seq)
		return 0;
	log_warn("%s: the snapshot before is damaged; every file is read again",
		last);
	record_release(&run->parent);
	run->parent.seq = seq;
	return 0;
}
