/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Chunks of tito, its names, and backups of a few chunks (the first byte says
 * which).  A chunk's entries lie in it, with JSON for values; a state made of
 * the one before it is the one made from the beginning, and is what putting and
 * deleting in order gives.
 */
#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <zlib.h>
#include "repo/base/clock.h"
#include "repo/base/log.h"
#include "repo/foreign/json.h"
#include "repo/foreign/tito_chunk.h"
#include "repo/foreign/tito_path.h"
#include "repo/foreign/tito_state.h"
#include "tests/fuzz/memory.h"

#define CHUNKS_MAX 12

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t len);

/* -- A chunk ----------------------------------------------------------------
 */

struct chunk {
	const uint8_t *in;
	size_t len;
	uint64_t sum; /* of what it said */
};

static int
note(void *ctx, const struct tito_entry *en, struct err *e)
{
	struct chunk *c = ctx;
	struct json v;

	(void)e;
	assert(en->key_len <= TITO_KEY_MAX);
	if (en->put && c->in) {
		assert(en->off <= c->len && en->len <= c->len - en->off);
		assert(!json_check(c->in + en->off, en->len, &v, NULL));
		assert(json_kind(v) != JSON_NULL);
	}
	c->sum = c->sum * 31 + en->off * 7 + en->len + en->key_len + en->put;
	return 0;
}

static void
check_chunk(const uint8_t *in, size_t len, enum unpack_kind kind)
{
	auto_store struct store *s = memory_store_new();
	auto_kept struct kept *k = memory_kept();
	struct chunk a = { kind == UNPACK_PLAIN ? in : NULL, len, 0 }, b = a;
	struct unpacked_source src = { .store = s,
		.kept = k,
		.object = "chunk",
		.size = len,
		.kind = kind,
		.max = 1u << 20 };

	memory_put(s, "chunk", in, len, 0);
	if (tito_chunk_entries(&src, note, &a, NULL))
		return;
	/* from what was kept */
	assert(tito_chunk_entries(&src, note, &b, NULL) == 0);
	assert(a.sum == b.sum);
}

/* -- Names ------------------------------------------------------------------
 */

static void
check_roll(struct store *s)
{
	auto_tito_roll struct tito_roll *r = NULL;

	if (tito_roll_load(s, "", true, &r, NULL))
		return;
	for (size_t i = 0; i < r->n_stamps; i++) {
		const struct tito_stamp *x = &r->stamps[i];

		assert(x->n_chunks > 0);
		assert(i == 0 || x[-1].seconds < x->seconds ||
			(x[-1].full && !x->full));
		assert(tito_roll_stamp(r, x->full, x->seconds) == x);
		for (size_t c = 1; c < x->n_chunks; c++)
			assert(x->chunks[c].number >= x->chunks[c - 1].number);
	}
	for (size_t i = 0; i < r->n_points; i++) {
		const struct tito_point *p = &r->points[i];

		assert(p->full <= p->last && p->last < r->n_stamps);
		assert(r->stamps[p->full].full);
		assert(p->full == p->last || !r->stamps[p->last].full);
	}
}

/* Lines are names. */
static void
check_names(const uint8_t *in, size_t len)
{
	auto_store struct store *s = memory_store_new();
	auto_free char *text = xcalloc(len + 1, 1);
	char *rest = text, *name;
	int64_t when = 0;

	memcpy(text, in, len);
	while ((name = strsep(&rest, "\n")))
		memory_put(s, name, "1000", 4, ++when);
	check_roll(s);
}

/* -- A backup ---------------------------------------------------------------
 */

static const char *const keys[] = { "a", "a:b", "a:b:c", "a.json", "a:b.json",
	"", ":", "%", "a%", "../../x", "A", "t:1" };

struct entry {
	unsigned key;
	bool put;
	unsigned value;
};

struct made {
	bool full;
	unsigned seconds, number;
	struct entry entries[8];
	unsigned n;
};

static struct made made[CHUNKS_MAX];
static size_t n_made;

static void
put_gzip(struct store *s, const char *name, const struct buf *text,
	unsigned seconds)
{
	auto_free uint8_t *out = xmalloc(text->len + 64);
	z_stream z = { .next_in = text->data,
		.avail_in = (uInt)text->len,
		.next_out = out,
		.avail_out = (uInt)text->len + 64 };

	assert(deflateInit2(&z, 0, Z_DEFLATED, 31, 1, Z_DEFAULT_STRATEGY) ==
		Z_OK);
	assert(deflate(&z, Z_FINISH) == Z_STREAM_END);
	memory_put(
		s, name, out, text->len + 64 - z.avail_out, seconds * NS_PER_S);
	deflateEnd(&z);
}

static void
put_chunk(struct store *s, const struct made *m)
{
	auto_free char *name = xasprintf("%s/%u/chunk-%04u.json.gz",
		m->full ? "full" : "changelog", m->seconds, m->number);
	auto_buf struct buf b = BUF_INIT;

	buf_printf(&b, "[");
	for (unsigned i = 0; i < m->n; i++) {
		const struct entry *en = &m->entries[i];

		buf_printf(&b, "%s{\"op\":\"%s\",\"key\":\"%s\",\"data\":",
			i ? "," : "", en->put ? "put" : "delete",
			keys[en->key]);
		buf_printf(&b, en->put ? "%u}" : "null}", en->value);
	}
	buf_printf(&b, "]");
	put_gzip(s, name, &b, m->seconds);
}

/* One chunk, later ones instead of earlier ones of their name. */
static void
make_chunk(struct reader *r, unsigned value)
{
	struct made m = { .n = read_u8(r) % 8 };
	uint8_t what = read_u8(r);

	m.full = what & 1;
	m.number = (what >> 1) % 3;
	m.seconds = 1000 + (what >> 3) % 16;
	for (unsigned i = 0; i < m.n; i++) {
		uint8_t en = read_u8(r);

		m.entries[i] = (struct entry){ (en >> 1) % n_elements(keys),
			en & 1, value * 10 + i };
	}
	for (size_t i = 0; i < n_made; i++) {
		if (made[i].full == m.full && made[i].seconds == m.seconds &&
			made[i].number == m.number) {
			made[i] = m;
			return;
		}
	}
	made[n_made++] = m;
}

static void
replay(const struct tito_roll *r, const struct tito_stamp *s, int64_t *values)
{
	(void)r;
	for (unsigned number = 0; number < 3; number++) {
		for (size_t i = 0; i < n_made; i++) {
			const struct made *m = &made[i];

			if (m->full != s->full || m->seconds != s->seconds ||
				m->number != number)
				continue;
			for (unsigned k = 0; k < m->n; k++)
				values[m->entries[k].key] =
					m->entries[k].put
						? (int64_t)m->entries[k].value
						: -1;
		}
	}
}

/* The length of each value is all that a table has of it. */
static uint64_t
digits(int64_t value)
{
	return value < 10 ? 1 : value < 100 ? 2 : 3;
}

static void
check_table(struct table *t, const int64_t *values)
{
	struct view_totals totals;
	uint64_t n = 0, bytes = 0;

	for (size_t i = 0; i < n_elements(keys); i++) {
		auto_buf struct buf path = BUF_INIT, bytes_of = BUF_INIT;
		struct table_record rec = { .key = NULL };
		struct tito_place p = { .len = 0 };
		uint64_t rank;
		int r;

		tito_path(keys[i], strlen(keys[i]), &path);
		assert(table_find(t, (char *)path.data, path.len, &rank,
			       NULL) == 0);
		r = table_get(t, rank, &bytes_of, &rec, NULL);
		bool there = r == 0 && rec.key_len == path.len &&
			     !memcmp(rec.key, path.data, path.len) &&
			     tito_state_place(&rec, &p);

		assert(there == (values[i] >= 0));
		assert(!there || p.len == digits(values[i]));
		n += there;
		bytes += there ? p.len : 0;
	}
	tito_state_totals(t, &totals);
	assert(totals.files == n && totals.bytes == bytes);
	assert(table_n(t) == totals.entries);
}

static void
check_point(struct store *s, struct kept *k, const struct tito_roll *r,
	size_t i, bool anew)
{
	const struct tito_point *p = &r->points[i];
	int64_t values[n_elements(keys)];
	auto_table struct table *t = NULL;
	int rc = tito_state_open(s, k, r, i, anew, &t, NULL);

	assert((rc == 0) == !p->broken);
	if (rc)
		return;
	memset(values, 0xff, sizeof(values));
	for (size_t x = p->full; x <= p->last; x++) {
		const struct tito_stamp *st = &r->stamps[x];

		if (x == p->full || (!st->full && !st->left_out))
			replay(r, st, values);
	}
	check_table(t, values);
}

static void
check_backup(const uint8_t *in, size_t len)
{
	auto_store struct store *s = memory_store_new();
	auto_kept struct kept *k = memory_kept();
	auto_tito_roll struct tito_roll *r = NULL;
	struct reader rd = reader_of(in, len);
	char mark[8];
	unsigned from = read_u8(&rd);

	snprintf(mark, sizeof(mark), "%u", 1000 + read_u8(&rd) % 16);
	memory_put(s, "LATEST_FULL", mark, 4,
		(from >> 4) * NS_PER_S + 1000 * NS_PER_S);
	n_made = 0;
	for (unsigned i = 0; i < CHUNKS_MAX && reader_left(&rd) > 0; i++)
		make_chunk(&rd, i);
	for (size_t i = 0; i < n_made; i++)
		put_chunk(s, &made[i]);
	check_roll(s);
	assert(tito_roll_load(s, "", true, &r, NULL) == 0);
	for (size_t i = 0; i < r->n_points; i++)
		check_point(s, k, r, (from + i) % r->n_points, false);
	for (size_t i = 0; i < r->n_points; i++)
		check_point(s, k, r, i, from & 1);
}

int
LLVMFuzzerTestOneInput(const uint8_t *in, size_t len)
{
	log_set_level(LOG_LEVEL_ERROR);
	if (len == 0)
		return 0;
	if (in[0] % 4 == 0)
		check_chunk(in + 1, len - 1, UNPACK_GZIP);
	else if (in[0] % 4 == 1)
		check_chunk(in + 1, len - 1, UNPACK_PLAIN);
	else if (in[0] % 4 == 2)
		check_names(in + 1, len - 1);
	else
		check_backup(in + 1, len - 1);
	return 0;
}
