/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Segments and snapshots of Litestream 0.3, and the log that segments make up
 * (the first byte says which).  A log that was written in pieces and then
 * damaged loads as it was, up to the damage, or not at all, also when what was
 * kept gets lost meanwhile.
 */
#include <assert.h>
#include <errno.h>
#include <lz4frame.h>
#include <string.h>
#include "repo/base/log.h"
#include "repo/foreign/litestream03/log.h"
#include "repo/foreign/litestream03/snapshot.h"
#include "tests/fuzz/memory.h"
#include "tests/unit/wal_fixture.h"

#define GENERATION "0123456789abcdef"
#define PAGE 512u
#define SEGMENTS_MAX 8

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t len);

static struct ls03 *
new_replica(struct store *s)
{
	const struct history_open_options o = { .offline = false };
	struct foreign_place *p = foreign_place_new(s, &o);
	struct ls03 *r = NULL;

	assert(ls03_new(p, "", "db", &r, NULL) == 0);
	foreign_place_put(p);
	return r;
}

static void
put(struct ls03 *r, const struct ls03_object *o, const void *data, size_t len)
{
	auto_free char *name = ls03_object_name(r, GENERATION, o);

	assert(memory_put(r->place->direct, name, data, len, o->written_ns));
}

/* -- Objects of any bytes ---------------------------------------------------
 */

static void
check_segment(const uint8_t *in, size_t len, enum ls03_kind kind)
{
	struct ls03 *r = new_replica(memory_store_new());
	struct ls03_object o = { .size = len, .kind = kind };
	auto_ls03_objects struct ls03_objects none = { .n = 0 },
					      one = { .n = 0 };
	auto_ls03_log struct ls03_log log = { .first = 0 };
	struct ls03_timeline *t;
	uint8_t page[WAL_PAGE_SIZE_MAX];

	put(r, &o, in, len);
	ls03_objects_add(&one, &o);
	t = ls03_timeline_new(GENERATION, &none, &one);
	if (ls03_log_load(r, t, 0, 1, &log, NULL) == 0) {
		assert(log.n_segments == 1);
		assert(log.segments[0].end == log.n_frames);
		assert(log.n_frames == 0 ||
			log.frames[log.n_frames - 1].commit_pages > 0);
		for (uint32_t i = 0; i < log.n_frames; i++)
			assert(!ls03_log_page(
				r, t, 0, i, log.page_size, page, NULL));
	}
	ls03_timeline_put(t);
	ls03_put(r);
}

static void
check_snapshot(const uint8_t *in, size_t len)
{
	struct ls03 *r = new_replica(memory_store_new());
	struct ls03_object o = { .size = len, .kind = LS03_SNAPSHOT };
	auto_free uint8_t *piece = xmalloc(KEPT_PIECE);
	struct ls03_snapshot s;
	uint64_t off = 0;
	size_t n = 1;

	put(r, &o, in, len);
	if (ls03_snapshot_open(r, GENERATION, &o, &s, NULL) == 0) {
		memory_kept_loses(r->kept, 3);
		for (uint64_t i = 0; n > 0; i++, off += n)
			assert(!ls03_snapshot_piece(&s, i, piece, &n, NULL));
		assert(off == s.size);
		ls03_snapshot_release(&s);
	}
	ls03_put(r);
}

/* -- A log ------------------------------------------------------------------
 */

struct segment {
	size_t from, to; /* bytes of the log */
};

struct whole {
	struct wal_made log;
	struct segment segments[SEGMENTS_MAX];
	size_t n;
};

/* Frames, of which those that commit may end a segment. */
static void
make_log(struct whole *w, struct reader *r)
{
	uint8_t how = read_u8(r);
	unsigned n = read_u8(r) % 24;
	size_t from = 0;

	wal_made_begin(&w->log, PAGE, how & 1, how);
	for (unsigned i = 0; i < n && w->n < SEGMENTS_MAX; i++) {
		uint8_t what = read_u8(r);
		bool commits = what & 3 || i + 1 == n;

		wal_made_frame(&w->log, 1 + (what >> 4),
			commits ? 1 + (what >> 4) : 0, (uint8_t)i);
		if (!commits || ((what & 3) == 1 && i + 1 < n))
			continue;
		w->segments[w->n++] =
			(struct segment){ from, w->log.bytes.len };
		from = w->log.bytes.len;
	}
}

static size_t
pack(const uint8_t *in, size_t len, uint8_t *out, size_t room)
{
	const LZ4F_preferences_t p = {
		.frameInfo = { .contentChecksumFlag =
				       LZ4F_contentChecksumEnabled }
	};
	size_t n = LZ4F_compressFrame(out, room, in, len, &p);

	assert(!LZ4F_isError(n));
	return n;
}

/* Segments as objects, as they are or one in some way damaged: returns how many
 * of the first are as they were. */
static size_t
put_segments(struct ls03 *r, struct whole *w, struct reader *rd,
	struct ls03_objects *list)
{
	uint8_t how = read_u8(rd) % 5, which = read_u8(rd), where = read_u8(rd);
	size_t hit = w->n > 0 && how ? which % w->n : w->n;
	auto_free uint8_t *out = xmalloc(1u << 17);

	for (size_t i = 0; i < w->n; i++) {
		const struct segment *x = &w->segments[i];
		const struct segment *y = x;
		struct ls03_object o = { .off = x->from,
			.kind = LS03_SEGMENT,
			.written_ns = (int64_t)i };
		size_t n;

		if (i == hit && how == 1) /* it is not there */
			continue;
		if (i == hit && how == 2) /* another one's content */
			y = &w->segments[where % w->n];
		n = pack(w->log.bytes.data + y->from, y->to - y->from, out,
			1u << 17);
		if (i == hit && how == 3)
			n = n * where / 256;
		if (i == hit && how == 4)
			out[where * n / 256] ^= (uint8_t)(1 << which % 8);
		o.size = n;
		put(r, &o, out, n);
		ls03_objects_add(list, &o);
		if (y == x && how == 2 && i == hit)
			hit = w->n; /* its own */
	}
	return hit;
}

static void
check_frames(struct ls03 *r, const struct ls03_timeline *t,
	const struct whole *w, const struct ls03_log *log)
{
	uint8_t page[PAGE];

	for (uint32_t i = 0; i < log->n_frames; i++) {
		const uint8_t *f = w->log.bytes.data + WAL_HEADER_LEN +
				   i * (WAL_FRAME_HEADER_LEN + PAGE);
		int rc = ls03_log_page(
			r, t, ls03_log_segment(log, i), i, PAGE, page, NULL);

		assert(log->frames[i].pgno == get_be32(f));
		assert(log->frames[i].commit_pages == get_be32(f + 4));
		assert(rc == 0);
		assert(!memcmp(page, f + WAL_FRAME_HEADER_LEN, PAGE));
	}
}

static void
check_log(const uint8_t *in, size_t len)
{
	struct ls03 *r = new_replica(memory_store_new());
	struct reader rd = reader_of(in, len);
	struct whole w = { .n = 0 };
	auto_ls03_objects struct ls03_objects none = { .n = 0 },
					      list = { .n = 0 };
	struct ls03_timeline *t;
	unsigned loses = read_u8(&rd) % 8;
	size_t good;

	make_log(&w, &rd);
	good = put_segments(r, &w, &rd, &list);
	t = ls03_timeline_new(GENERATION, &none, &list);
	memory_kept_loses(r->kept, loses);
	for (size_t k = 0; k < 2 * t->n_segments; k++) {
		/* forwards, and again in an order of its own */
		size_t end =
			1 + (k < t->n_segments ? k : k * 7 % t->n_segments);
		auto_ls03_log struct ls03_log log = { .first = 0 };
		int rc = ls03_log_load(r, t, 0, end, &log, NULL);

		assert(rc == 0 || end > good);
		/* what is damaged may decode to the same */
		if (rc == 0)
			check_frames(r, t, &w, &log);
	}
	ls03_timeline_put(t);
	ls03_put(r);
	buf_release(&w.log.bytes);
}

int
LLVMFuzzerTestOneInput(const uint8_t *in, size_t len)
{
	auto_buf struct buf copy = BUF_INIT;

	log_set_level(LOG_LEVEL_ERROR);
	if (len == 0)
		return 0;
	buf_append(&copy, in + 1, len - 1);
	if (in[0] % 4 == 0)
		check_segment(copy.data, copy.len, LS03_SEGMENT);
	else if (in[0] % 4 == 1)
		check_snapshot(copy.data, copy.len);
	else if (in[0] % 4 == 2) {
		if (copy.len >= WAL_HEADER_LEN &&
			get_be32(copy.data + 8) % 8 == 0 &&
			get_be32(copy.data + 8) <= WAL_PAGE_SIZE_MAX)
			wal_convert(copy.data, copy.len, in[0] & 4);
		check_segment(copy.data, copy.len, LS03_LIVE);
	} else
		check_log(in + 1, len - 1);
	return 0;
}
