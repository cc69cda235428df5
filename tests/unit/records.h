/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Records to encode, and whether two are the same in all that is stored: of
 * the whole record, or of what a catalog keeps. */
#ifndef YORE_TESTS_RECORDS_H
#define YORE_TESTS_RECORDS_H

#include "tests/unit/unit.h"

#include <errno.h>
#include "repo/format/record.h"
#include "tests/unit/same.h"

static inline struct entry
record_root(bool any)
{
	struct entry root = { .mode = S_IFDIR | 01777,
		.nlink = 5,
		.size = 4096,
		.blocks = 8,
		.uid = 1000,
		.mtime_s = -77,
		.ctime_s = 1763000000,
		.xattrs = (const uint8_t *)"\x06user.a\1x",
		.xattrs_len = 9 };

	if (any) {
		root.content = CONTENT_MAP;
		root.totals = (struct totals){ .entries = 9,
			.files = 3,
			.bytes = 1ULL << 41,
			.newest_ns = 1,
			.flags = 3 };
		root.ref.place.object = OBJECT_META;
		root.ref.place.off = 64;
		root.ref.place.len = 500;
		root.ref.chunk_len = 700;
		memset(root.ref.id, 0x77, CHUNK_ID_LEN);
	}
	return root;
}

/* Bits of `what` say what it has: tags, a root page, a path, content. */
static inline void
make_record(struct record *r, unsigned what)
{
	static char *tags[] = { (char *)(uintptr_t) "daily",
		(char *)(uintptr_t) "before upgrade" };

	memset(r, 0, sizeof(*r));
	r->host = xstrdup("web1");
	r->name = xasprintf("home-ann-%u", what);
	r->seq = 40 + what;
	r->generation = 12;
	r->time_ns = 1763000000123456789 + what;
	r->began_ns = r->time_ns - 5;
	r->ended_ns = r->time_ns + 5;
	r->next_link = what * 100;
	r->n_errors = what & 8;
	r->root = record_root(what & 16);
	memset(r->previous, (int)what, HASH_LEN);
	if (what & 1) {
		r->tags = tags;
		r->n_tags = 2;
	}
	if (what & 2) {
		r->root_page_len = what & 32 ? RECORD_INLINE_PAGE_MAX : 9;
		r->root_page = xcalloc(1, r->root_page_len);
	}
	if (what & 4)
		r->path = xstrdup("/home/\xff\n");
	if (what & 64) {
		r->is_database = true;
		r->database = (struct database_state){ .page_size = 512,
			.pages = what };
		r->epoch = what & 1 ? DELTA_EPOCH_MAX : 1;
		r->n_deltas = what & 2 ? DELTA_N_MAX : 1;
		memset(r->original, 0x5a, HASH_LEN);
	}
	if (what & 8)
		r->gc = what * 1000;
}

static inline void
drop_record(struct record *r)
{
	r->tags = NULL; /* not ours to free */
	r->n_tags = 0;
	record_release(r);
}

static inline void
assert_same_record(const struct record *a, const struct record *b, bool whole)
{
	struct entry root = a->root;

	assert_string_equal(a->host, b->host);
	assert_string_equal(a->name, b->name);
	assert_int_equal(a->seq, b->seq);
	assert_int_equal(a->generation, b->generation);
	assert_true(a->time_ns == b->time_ns);
	assert_true((whole ? a->began_ns : 0) == b->began_ns);
	assert_true((whole ? a->ended_ns : 0) == b->ended_ns);
	assert_memory_equal(a->previous, b->previous, HASH_LEN);
	assert_int_equal(a->n_tags, b->n_tags);
	for (uint32_t i = 0; i < a->n_tags; i++)
		assert_string_equal(a->tags[i], b->tags[i]);
	if (!whole)
		root.ref = (struct ref){ .place.object = OBJECT_META };
	assert_true(same_entry(&root, &b->root));
	assert_int_equal(whole ? a->next_link : 0, b->next_link);
	assert_int_equal(a->n_errors, b->n_errors);
	assert_int_equal(whole ? a->gc : 0, b->gc);
	assert_true(same_bytes(a->path, a->path ? strlen(a->path) : 0, b->path,
		b->path ? strlen(b->path) : 0));
	assert_int_equal(a->is_database, b->is_database);
	assert_int_equal(a->database.pages, b->database.pages);
	assert_int_equal(a->epoch, b->epoch);
	assert_int_equal(a->n_deltas, b->n_deltas);
	assert_memory_equal(a->original, b->original, HASH_LEN);
	if (whole)
		assert_true(same_bytes(a->root_page, a->root_page_len,
			b->root_page, b->root_page_len));
	else
		assert_null(b->root_page);
}

#endif
