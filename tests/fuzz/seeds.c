/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writes what the encoders make of the samples, as the corpora of the targets
 * of repo/format:   tests/fuzz/seeds tests/fuzz/corpus
 * The corpora are kept; run this when the format changes.
 */
#include <stdio.h>
#include <sys/stat.h>
#include "repo/format/delta.h"
#include "repo/format/delta_places.h"
#include "repo/format/delta_times.h"
#include "repo/format/header.h"
#include "repo/format/segment.h"
#include "tests/unit/gc_states.h"
#include "tests/unit/records.h"
#include "tests/unit/samples.h"

static const char *top;

static void
save(const char *target, const char *name, struct buf *b)
{
	auto_free char *dir = xasprintf("%s/%s", top, target);
	auto_free char *path = xasprintf("%s/%s", dir, name);
	auto_fclose FILE *f = NULL;

	mkdir(dir, 0777);
	f = fopen(path, "wb");
	if (!f || fwrite(b->data, 1, b->len, f) != b->len)
		perror(path);
	b->len = 0;
}

static void
add_one(struct page_encoder *pe, struct samples *s, enum page_kind kind,
	uint32_t i)
{
	struct extent x = { .len = 10, .hole = i % 3 == 0 };
	struct inner in = { .n = 1, .len = 5 };

	if (kind == PAGE_DIR_LEAF) {
		struct entry en = sample_entry(s, i);

		en.name_len = sample_name(s, i, &en.name);
		page_encoder_entry(pe, &en);
	} else if (kind == PAGE_EXTENT_LEAF) {
		x.ref = sample_ref(s, OBJECT_DATA, 10);
		page_encoder_extent(pe, &x);
	} else {
		in.ref = sample_ref(s, OBJECT_META, 500);
		if (kind == PAGE_DIR_INNER) {
			in.first_len = sample_name(s, i, &in.first);
			in.totals = sample_totals(s);
		}
		page_encoder_inner(pe, &in);
	}
}

static void
save_pages(void)
{
	static const char *const names[] = { "", "leaf", "inner", "extents",
		"extents-inner" };
	auto_free struct samples *s = xcalloc(1, sizeof(*s));
	auto_buf struct buf b = BUF_INIT;

	for (int kind = PAGE_DIR_LEAF; kind < PAGE_ROOT; kind++) {
		for (uint32_t n = 1; n <= 16; n *= 4) {
			struct page_encoder *pe =
				page_encoder_new((enum page_kind)kind);
			auto_free char *name =
				xasprintf("%s-%u", names[kind], n);

			s->state = n + 5;
			for (uint32_t i = 0; i < n; i++)
				add_one(pe, s, (enum page_kind)kind, i);
			page_encoder_finish(pe, &b);
			page_encoder_free(pe);
			save("page", name, &b);
		}
	}
}

static void
save_records(void)
{
	auto_buf struct buf b = BUF_INIT;
	struct catalog c = { .n = 0 };

	for (unsigned what = 0; what < 32; what += 5) {
		auto_free char *name = xasprintf("record-%u", what);
		uint8_t hash[HASH_LEN] = { 1 };
		struct record r;

		make_record(&r, what);
		record_encode(&r, true, &b);
		save("record", name, &b);
		drop_record(&r);
		make_record(&r, what & ~1u);
		catalog_add(&c, &r, hash);
	}
	catalog_encode(&c, &b);
	save("catalog", "seven", &b);
	catalog_release(&c);
	catalog_encode(&c, &b);
	save("catalog", "none", &b);
	buf_printf(&b, "snap/01020300000000000000/000000000042-"
		       "20261120T103215Z-abababababababababababababababab");
	save("record", "name", &b);
}

static void
save_states(void)
{
	auto_buf struct buf b = BUF_INIT;

	for (uint32_t n = 0; n < 100; n = 5 * n + 1) {
		auto_free char *name = xasprintf("state-%u", n);
		auto_gc_state struct gc_state s;

		make_gc_state(&s, n);
		gc_state_sort(&s);
		if (!gc_state_encode(&s, &b, NULL))
			save("gc", name, &b);
	}
	buf_printf(&b, "gc/999999999957");
	save("gc", "name", &b);
}

static void
save_segments(void)
{
	struct segment_entry en[40] = { { .id = { 0 } } };
	struct segment_pack packs[2] = { { .object = OBJECT_META },
		{ .object = OBJECT_DATA } };
	struct segment_page pages[2] = { { .off = 64, .len = 500 },
		{ .first = { 1 }, .off = 564, .len = 90 } };
	uint8_t superseded[1][OBJECT_ID_LEN] = { { 7 } };
	struct segment_directory d = { packs, 2, pages, 2, 600, superseded, 1 };
	auto_buf struct buf b = BUF_INIT;

	for (uint32_t i = 0; i < 40; i++) {
		en[i].id[0] = (uint8_t)i;
		en[i].frame_off = i * 1000;
		en[i].frame_len = 1000;
		en[i].chunk_off = en[i].chunk_len = 8 * i;
	}
	buf_u8(&b, 0);
	segment_page_encode(en, 40, &b);
	save("segment", "page", &b);
	buf_u8(&b, 1);
	segment_directory_encode(&d, &b);
	save("segment", "directory", &b);
	buf_printf(&b, "\2idx/0-000000000042-abababababababababababababababab");
	save("segment", "name", &b);
}

static void
save_objects(void)
{
	struct object_header h = { .type = OBJECT_DATA };
	struct object_trailer t = { .toc_off = 5064, .toc_len = 300 };
	static const uint32_t lens[] = { 4, 4 };
	auto_toc struct toc toc = TOC_INIT;
	auto_buf struct buf b = BUF_INIT;

	for (uint32_t i = 0; i < 5; i++) {
		uint8_t id[CHUNK_KEY_LEN] = { (uint8_t)i };

		toc_add_frame(
			&toc, 1, 64 + 1000 * i, 1000, i % 2 ? 4012 : 2000);
		toc_add_chunk(&toc, id, 0, 2000);
		if (i % 2)
			toc_add_chunk(&toc, id, 2000, 2000);
	}
	toc_encode(&toc, &b);
	save("toc", "five", &b);
	buf_append(&b, "abcdefgh", 8);
	solid_table_encode(&b, lens, 2);
	save("toc", "solid", &b);
	object_header_encode(buf_zeros(&b, OBJECT_HEADER_LEN), &h);
	save("toc", "header", &b);
	object_trailer_encode(buf_zeros(&b, OBJECT_TRAILER_LEN), &t);
	save("toc", "trailer", &b);
}

static void
save_header_and_xattrs(void)
{
	static const char *const names[] = { "security.capability", "user.a" };
	static const void *const values[] = { "\1\0\0\2", "" };
	static const size_t lens[] = { 4, 0 };
	struct repository_header h = { .created = "2026-11-20T10:32:15Z" };
	auto_buf struct buf b = BUF_INIT;

	repository_header_encode(&h, &b);
	repository_header_add_mac(&b, h.mac);
	save("header", "plain", &b);
	buf_printf(
		&b, "yore-repository 1\nid %032d\nmust-write x\nnote y\n", 0);
	repository_header_add_mac(&b, h.mac);
	save("header", "other", &b);
	xattrs_encode(&b, names, values, lens, 2);
	save("xattrs", "two", &b);
}

/* -- Deltas: what kind it is, u32 n - 1, u32 page, then bytes; or a record -- */

#define SAMPLE_N 077 /* spans of seven deltas and of 56 */

static void
head(struct buf *b, uint8_t kind)
{
	buf_u8(b, kind);
	buf_be32(b, SAMPLE_N - 1);
	buf_be32(b, 40);
}

static void
add_runs(struct buf *b, uint32_t n)
{
	struct delta_places_encoder pe = { .n = SAMPLE_N };
	struct delta_run run = { .first = 1, .count = 1, .n = SAMPLE_N,
		.off = 64, .len = 1000 };

	for (uint32_t i = 0; i < n; i++) {
		delta_places_add(&pe, &run);
		run.first += run.count + i % 3;
		run.zeros = i % 7 == 6;
		run.count = 1 + i % 4;
		run.n = SAMPLE_N - i % 5;
		run.writer = i % 2;
		run.off += i % 3 ? run.len : 0;
		run.slot = i % 3;
	}
	delta_places_finish(&pe, b);
	delta_places_release(&pe);
}

static void
add_times(struct buf *b, uint32_t n)
{
	struct delta_time last, now = { .n = 57, .time_ns = 1700000000000000000,
		.pages = 10, .len = 70000, .record_off = 60000 };

	for (uint32_t i = 0; i < n; i++) {
		delta_times_add(b, &now, i ? &last : NULL);
		last = now;
		now.n++;
		now.time_ns += 1000000000;
		now.pages += i % 3 - 1;
		now.writer = i % 2;
	}
}

static void
save_record(const char *name, bool leaves)
{
	static const uint8_t writers[2 * WRITER_ID_LEN] = { 1 };
	struct delta_leaf leaf[2] = { { .off = 900000, .len = 5000,
					      .first_page = 1, .first_n = 57 },
		{ .off = 905000, .len = 5000, .first_page = 90,
			.first_n = 60 } };
	auto_buf struct buf b = BUF_INIT, places = BUF_INIT, times = BUF_INIT;
	struct delta_record r = { .n = SAMPLE_N, .time_ns = 1700000000,
		.state = { .page_size = 4096, .pages = 100 },
		.writers = writers, .n_writers = 2,
		.base_page = writers, .base_page_len = 9,
		.opaque = writers, .opaque_len = 4, .n_chain = 1 };

	add_runs(&places, 70);
	add_times(&times, 5);
	r.chain[0] = (struct delta_member){ .n = 070, .writer = 1,
		.time_ns = 1600000000,
		.tail = { .len = 90000, .record_off = 80000, .set_off = 79000,
			.places_off = 50000, .first_len = 9000 } };
	if (leaves) {
		r.places.leaf = r.times.leaf = leaf;
		r.places.n = r.times.n = 2;
	} else {
		r.places.whole = places.data;
		r.places.whole_len = places.len;
		r.times.whole = times.data;
		r.times.whole_len = times.len;
	}
	buf_u8(&b, 0);
	delta_record_encode(&r, &b);
	save("delta", name, &b);
}

static void
save_deltas(void)
{
	auto_buf struct buf b = BUF_INIT, set = BUF_INIT;

	save_record("record", false);
	save_record("record-leaves", true);
	head(&b, 1);
	add_runs(&b, 200);
	save("delta", "places", &b);
	head(&b, 2);
	add_times(&b, 6);
	save("delta", "times", &b);
	head(&b, 3);
	delta_set_begin(&set, 100);
	delta_set_add(&set, 39, 3);
	buf_append(&b, set.data, set.len);
	save("delta", "set", &b);
}

int
main(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "usage: seeds DIRECTORY\n");
		return 2;
	}
	top = argv[1];
	save_pages();
	save_deltas();
	save_records();
	save_states();
	save_segments();
	save_objects();
	save_header_and_xattrs();
	return 0;
}
