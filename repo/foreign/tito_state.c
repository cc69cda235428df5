/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "repo/foreign/tito_state.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include "repo/base/bytes.h"
#include "repo/base/clock.h"
#include "repo/base/hex.h"
#include "repo/foreign/table_sorter.h"
#include "repo/foreign/tito_chunk.h"
#include "repo/foreign/tito_path.h"

/* -- Values of records -------------------------------------------------------
 */

enum { DIRECTORY, PUT, DELETE };

static size_t
encode(uint8_t *out, int op, const struct tito_place *p)
{
	size_t n = 0;

	out[n++] = (uint8_t)op;
	if (op != PUT)
		return n;
	out[n++] = p->full;
	n += put_varint(out + n, p->seconds);
	n += put_varint(out + n, p->chunk);
	n += put_varint(out + n, p->off);
	n += put_varint(out + n, p->len);
	return n;
}

bool
tito_state_place(const struct table_record *r, struct tito_place *p)
{
	struct reader in = reader_of(r->value, r->value_len);
	int op = read_u8(&in);

	p->full = read_u8(&in);
	p->seconds = read_varint(&in);
	p->chunk = (uint32_t)read_varint(&in);
	p->off = read_varint(&in);
	p->len = read_varint(&in);
	return op == PUT;
}

/* -- Writing ----------------------------------------------------------------
 */

struct writing {
	struct table_writer *w;
	struct buf last; /* path of the last file */
	struct view_totals totals;
};

static void
add_directory(struct writing *x, const char *path, size_t len)
{
	uint8_t value[VARINT_MAX];
	struct table_record r = { .key = path,
		.key_len = len,
		.value = value,
		.value_len = encode(value, DIRECTORY, NULL) };

	table_writer_add(x->w, &r);
	x->totals.entries++;
}

/* The directories of a path that the last one did not lie in. */
static void
add_directories(struct writing *x, const struct table_record *r)
{
	size_t same = 0;

	while (same < x->last.len && same < r->key_len &&
		x->last.data[same] == (uint8_t)r->key[same])
		same++;
	for (size_t i = 0; i < r->key_len; i++) {
		if (r->key[i] == TITO_PATH_SEPARATOR && i >= same)
			add_directory(x, r->key, i);
	}
}

static int
write_record(void *ctx, const struct table_record *r, struct err *e)
{
	struct writing *x = ctx;
	struct tito_place p;

	(void)e;
	/* directories of the state before may have become empty */
	if (!tito_state_place(r, &p))
		return 0;
	add_directories(x, r);
	table_writer_add(x->w, r);
	x->last.len = 0;
	buf_append(&x->last, r->key, r->key_len);
	x->totals.entries++;
	x->totals.files++;
	x->totals.bytes += p.len;
	if ((int64_t)p.seconds * NS_PER_S > x->totals.newest_ns)
		x->totals.newest_ns = (int64_t)p.seconds * NS_PER_S;
	return 0;
}

void
tito_state_totals(const struct table *t, struct view_totals *out)
{
	size_t len;
	const void *head = table_head(t, &len);
	struct reader r = reader_of(head, len);

	*out = (struct view_totals){ .entries = read_varint(&r) };
	out->files = read_varint(&r);
	out->bytes = read_varint(&r);
	out->newest_ns = read_svarint(&r);
}

static int
finish(struct writing *x, struct err *e)
{
	auto_buf struct buf head = BUF_INIT;

	buf_varint(&head, x->totals.entries);
	buf_varint(&head, x->totals.files);
	buf_varint(&head, x->totals.bytes);
	buf_svarint(&head, x->totals.newest_ns);
	return table_writer_finish(x->w, head.data, head.len, e);
}

/* -- Making -----------------------------------------------------------------
 */

struct making {
	struct store *store;
	struct kept *kept;
	const struct tito_roll *roll;
	struct table_sorter *sorter;
	const struct tito_stamp *stamp; /* being read */
	const struct tito_chunk *chunk;
	struct buf path;
};

static int
take_entry(void *ctx, const struct tito_entry *en, struct err *e)
{
	struct making *m = ctx;
	const struct tito_place p = { .full = m->stamp->full,
		.seconds = m->stamp->seconds,
		.chunk = m->chunk->number,
		.off = en->off,
		.len = en->len };
	uint8_t value[TABLE_VALUE_MAX];

	m->path.len = 0;
	tito_path(en->key, en->key_len, &m->path);
	struct table_record r = { .key = (char *)m->path.data,
		.key_len = m->path.len,
		.value = value,
		.value_len = encode(value, en->put ? PUT : DELETE, &p) };

	return table_sorter_add(m->sorter, &r, e);
}

static int
add_stamp(struct making *m, const struct tito_stamp *s, struct err *e)
{
	int r = 0;

	m->stamp = s;
	for (size_t i = 0; !r && i < s->n_chunks; i++) {
		auto_free char *object =
			tito_roll_object(m->roll, s, &s->chunks[i]);
		struct unpacked_source src = { .store = m->store,
			.kept = m->kept,
			.object = object,
			.size = s->chunks[i].size,
			.modified_ns = s->chunks[i].modified_ns };

		tito_chunk_source(&src);
		m->chunk = &s->chunks[i];
		r = tito_chunk_entries(&src, take_entry, m, e);
		if (r == -ENOENT)
			r = err_set(e, EIO, "%s has been removed", object);
	}
	return r;
}

static char *
name_of(const struct tito_point *p)
{
	char digits[2 * HASH_LEN + 1];

	return xasprintf(
		"tito-state-%s", hex_encode(digits, p->digest, HASH_LEN));
}

/* The nearest state before a point that is kept, and the stamp it ends with;
 * none: *t is NULL, and *last the stamp before the full backup. */
static void
find_base(const struct making *m, size_t point, struct table **t, size_t *last)
{
	const struct tito_point *p = &m->roll->points[point];

	*t = NULL;
	*last = p->full - 1;
	for (size_t i = point; i-- > 0 && m->roll->points[i].full == p->full;) {
		auto_free char *name = name_of(&m->roll->points[i]);

		if (table_open(m->kept, name, t, NULL) == 0) {
			*last = m->roll->points[i].last;
			return;
		}
	}
}

static int
write_state(struct making *m, const struct tito_point *p, struct table *base,
	struct err *e)
{
	auto_free char *name = name_of(p);
	auto_table_writer struct table_writer *w =
		table_writer_new(m->kept, name);
	struct writing x = { .w = w };
	int r = table_sorter_each(m->sorter, base, write_record, &x, e);

	buf_release(&x.last);
	return r ? r : finish(&x, e);
}

static int
make(struct making *m, size_t point, bool from_base, struct err *e)
{
	const struct tito_point *p = &m->roll->points[point];
	auto_table_sorter struct table_sorter *sorter =
		table_sorter_new(m->kept, 0);
	auto_table struct table *base = NULL;
	size_t last = p->full - 1;
	int r = 0;

	m->sorter = sorter;
	if (from_base)
		find_base(m, point, &base, &last);
	for (size_t i = last + 1; !r && i <= p->last; i++) {
		const struct tito_stamp *s = &m->roll->stamps[i];

		if (i == p->full || (!s->full && !s->left_out))
			r = add_stamp(m, s, e);
	}
	return r ? r : write_state(m, p, base, e);
}

/* Twice, should the state it is built on be kept in part only. */
static int
make_some_way(struct making *m, size_t point, struct err *e)
{
	int r = make(m, point, true, e);

	return r == -ENODATA ? make(m, point, false, e) : r;
}

int
tito_state_open(struct store *s, struct kept *k, const struct tito_roll *roll,
	size_t point, bool anew, struct table **t, struct err *e)
{
	const struct tito_point *p = &roll->points[point];
	auto_free char *name = name_of(p);
	struct making m = { .store = s, .kept = k, .roll = roll };

	if (p->broken)
		return err_set(e, EIO,
			"%s%s/%" PRIu64 ": a chunk is missing that the state "
			"at %s is made of",
			roll->prefix,
			roll->stamps[p->last].full ? "full" : "changelog",
			roll->stamps[p->last].seconds, p->id);
	if (!anew && table_open(k, name, t, NULL) == 0)
		return 0;
	int r = make_some_way(&m, point, e);

	buf_release(&m.path);
	if (!r)
		r = table_open(k, name, t, e);
	if (r == -ENOENT || r == -ENODATA)
		return err_set(e, ENOSPC,
			"there is no room to keep the state at %s", p->id);
	return r;
}
