/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A delta's record is a list of fields, as a snapshot record is. */
#include "repo/format/delta.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include "repo/base/hex.h"
#include "repo/format/entry.h"
#include "repo/format/fields.h"

#define NUMBER_MAX 999999999999
#define NUMBER_LEN 12

enum field {
	FIELD_N = 1,
	FIELD_TIME = 3,
	FIELD_STATE = 5,
	FIELD_PREVIOUS = 7,
	FIELD_WRITERS = 9,
	FIELD_CHAIN = 11,
	FIELD_BASE = 13,
	FIELD_PLACES = 15,
	FIELD_TIMES = 17,
	FIELD_OPAQUE = 18,
	FIELD_CLOSED = 20,
};

/* -- State ------------------------------------------------------------------ */

bool
database_page_size_ok(uint32_t page_size)
{
	return page_size >= DATABASE_PAGE_MIN &&
	       page_size <= DATABASE_PAGE_MAX &&
	       (page_size & (page_size - 1)) == 0;
}

/* As two halves; carries go by hand, for any compiler. */
void
database_hash_add(uint8_t sum[PAGE_HASH_LEN], const uint8_t hash[PAGE_HASH_LEN])
{
	uint64_t low = get_be64(sum + 8) + get_be64(hash + 8);
	uint64_t carry = low < get_be64(hash + 8);

	put_be64(sum, get_be64(sum) + get_be64(hash) + carry);
	put_be64(sum + 8, low);
}

void
database_hash_take(uint8_t sum[PAGE_HASH_LEN],
	const uint8_t hash[PAGE_HASH_LEN])
{
	uint64_t low = get_be64(sum + 8);
	uint64_t borrow = low < get_be64(hash + 8);

	put_be64(sum, get_be64(sum) - get_be64(hash) - borrow);
	put_be64(sum + 8, low - get_be64(hash + 8));
}

void
database_state_encode(struct buf *b, const struct database_state *s)
{
	buf_varint(b, s->page_size);
	buf_varint(b, s->pages);
	buf_append(b, s->hash, PAGE_HASH_LEN);
}

void
database_state_read(struct reader *r, struct database_state *s)
{
	const uint8_t *hash;

	s->page_size = (uint32_t)read_bounded(r, DATABASE_PAGE_MAX);
	s->pages = (uint32_t)read_bounded(r, UINT32_MAX - 1);
	hash = read_bytes(r, PAGE_HASH_LEN);
	if (!hash || !database_page_size_ok(s->page_size))
		r->bad = true;
	else
		memcpy(s->hash, hash, PAGE_HASH_LEN);
}

/* -- Names ------------------------------------------------------------------ */

void
delta_prefix(char out[OBJECT_NAME_MAX], const struct delta_place *p)
{
	char hex[SOURCE_KEY_LEN * 2 + 1], epoch[16] = "";

	if (p->epoch)
		snprintf(epoch, sizeof(epoch), "-%04" PRIu32, p->epoch);
	snprintf(out, OBJECT_NAME_MAX, "db/%s/%012" PRIu64 "%s/",
		hex_encode(hex, p->source, SOURCE_KEY_LEN), p->base_seq,
		epoch);
}

void
delta_name(char out[OBJECT_NAME_MAX], const struct delta_place *p)
{
	size_t len;

	delta_prefix(out, p);
	len = strlen(out);
	snprintf(out + len, OBJECT_NAME_MAX - len, "%012" PRIu64,
		NUMBER_MAX - p->n);
}

uint64_t
delta_name_n(const char *name)
{
	const char *last = strrchr(name, '/');
	uint64_t n;

	if (!last || strspn(last + 1, "0123456789") != NUMBER_LEN ||
		last[1 + NUMBER_LEN])
		return 0;
	n = NUMBER_MAX - strtoull(last + 1, NULL, 10);
	return n <= DELTA_N_MAX ? n : 0;
}

/* What it says leads back to it: so nothing else is taken for one. */
bool
delta_name_parse(const char *name, struct delta_place *p)
{
	char source[SOURCE_KEY_LEN * 2 + 1], again[OBJECT_NAME_MAX];
	int end = 0;

	*p = (struct delta_place){ .n = delta_name_n(name) };
	if (!p->n ||
		sscanf(name, "db/%20[0-9a-f]/%12" SCNu64 "%n", source,
			&p->base_seq, &end) != 2 ||
		!end || hex_decode(p->source, SOURCE_KEY_LEN, source))
		return false;
	if (name[end] == '-')
		p->epoch = (uint32_t)strtoul(name + end + 1, NULL, 10);
	delta_name(again, p);
	return p->epoch <= DELTA_EPOCH_MAX && strcmp(again, name) == 0;
}

/* -- Trailer ---------------------------------------------------------------- */

void
delta_trailer_encode(uint8_t out[DELTA_TRAILER_LEN],
	const struct delta_trailer *t)
{
	memcpy(out, t->base, OBJECT_ID_LEN);
	memcpy(out + OBJECT_ID_LEN, t->writer, WRITER_ID_LEN);
	object_trailer_encode(out + OBJECT_ID_LEN + WRITER_ID_LEN, &t->record);
}

int
delta_trailer_decode(const uint8_t in[DELTA_TRAILER_LEN],
	struct delta_trailer *t, struct err *e)
{
	memcpy(t->base, in, OBJECT_ID_LEN);
	memcpy(t->writer, in + OBJECT_ID_LEN, WRITER_ID_LEN);
	return object_trailer_decode(
		in + OBJECT_ID_LEN + WRITER_ID_LEN, &t->record, e);
}

/* -- Encoding a record ------------------------------------------------------ */

static void
put_field(struct buf *b, enum field tag, const struct buf *value)
{
	fields_put(b, tag, value->data, value->len);
}

static void
put_chain(struct buf *b, const struct delta_record *r)
{
	auto_buf struct buf v = BUF_INIT;
	int64_t later = r->time_ns;

	for (unsigned i = 0; i < r->n_chain; i++) {
		const struct delta_member *m = &r->chain[i];
		const struct delta_tail *t = &m->tail;

		buf_varint(&v, m->writer);
		buf_varint(&v, (uint64_t)later - (uint64_t)m->time_ns);
		buf_varint(&v, t->len);
		buf_varint(&v, t->len - t->record_off);
		buf_varint(&v, t->record_off - t->set_off);
		buf_varint(&v, t->set_off - t->places_off);
		buf_varint(&v, t->first_len);
		later = m->time_ns;
	}
	put_field(b, FIELD_CHAIN, &v);
}

/* 0 and the leaf, or what the leaves are. */
static void
put_places(struct buf *b, const struct delta_leaves *l)
{
	auto_buf struct buf v = BUF_INIT;
	uint32_t page = 0;

	buf_u8(&v, l->whole ? 0 : 1);
	if (l->whole)
		buf_append(&v, l->whole, l->whole_len);
	else
		buf_varint(&v, l->n ? l->leaf[0].off : 0);
	for (uint32_t i = 0; !l->whole && i < l->n; i++) {
		buf_varint(&v, l->leaf[i].first_page - page);
		buf_varint(&v, l->leaf[i].len);
		page = l->leaf[i].first_page;
	}
	put_field(b, FIELD_PLACES, &v);
}

static void
put_times(struct buf *b, const struct delta_leaves *l)
{
	auto_buf struct buf v = BUF_INIT;
	struct delta_leaf none = { .first_n = 0 };
	const struct delta_leaf *last = &none;

	buf_u8(&v, l->whole ? 0 : 1);
	if (l->whole)
		buf_append(&v, l->whole, l->whole_len);
	else
		buf_varint(&v, l->n ? l->leaf[0].off : 0);
	for (uint32_t i = 0; !l->whole && i < l->n; i++) {
		const struct delta_leaf *leaf = &l->leaf[i];

		buf_varint(&v, leaf->first_n - last->first_n);
		buf_svarint(&v, (int64_t)((uint64_t)leaf->first_ns -
					  (uint64_t)last->first_ns));
		buf_varint(&v, leaf->len);
		last = leaf;
	}
	put_field(b, FIELD_TIMES, &v);
}

void
delta_record_encode(const struct delta_record *r, struct buf *b)
{
	auto_buf struct buf state = BUF_INIT;

	database_state_encode(&state, &r->state);
	fields_put_number(b, FIELD_N, r->n);
	fields_put_number(b, FIELD_TIME, zigzag(r->time_ns));
	put_field(b, FIELD_STATE, &state);
	fields_put(b, FIELD_PREVIOUS, r->previous, HASH_LEN);
	fields_put(b, FIELD_WRITERS, r->writers, (size_t)r->n_writers * WRITER_ID_LEN);
	put_chain(b, r);
	fields_put(b, FIELD_BASE, r->base_page, r->base_page_len);
	put_places(b, &r->places);
	put_times(b, &r->times);
	if (r->opaque) {
		fields_put(b, FIELD_OPAQUE, r->opaque, r->opaque_len);
	}
	if (r->closed)
		fields_put_number(b, FIELD_CLOSED, 1);
}

/* -- Decoding --------------------------------------------------------------- */

void
delta_record_release(struct delta_record *r)
{
	free(r->places.leaf);
	free(r->times.leaf);
	memset(r, 0, sizeof(*r));
}

/* The fields as they were found, by tag; one needs another to be understood. */
struct found {
	struct reader value[FIELD_CLOSED + 1];
	uint64_t seen;
};

static bool
gather(unsigned tag, struct reader *f, void *ctx)
{
	struct found *found = ctx;

	if (tag > FIELD_CLOSED ||
		((tag & 1) == 0 && tag != FIELD_OPAQUE && tag != FIELD_CLOSED))
		return false;
	found->value[tag] = *f;
	return true;
}

/* The parts of an object's end, from the end. */
static void
read_tail(struct reader *f, struct delta_tail *t)
{
	uint64_t part;

	t->len = read_bounded(f, INT64_MAX);
	t->record_off = t->set_off = t->places_off = 0;
	part = read_bounded(f, t->len);
	t->record_off = t->len - part;
	if (part < FRAME_OVERHEAD + DELTA_TRAILER_LEN ||
		part > FRAME_SEALED_MAX + DELTA_TRAILER_LEN)
		f->bad = true;
	t->set_off = t->record_off - read_bounded(f, t->record_off);
	t->places_off = t->set_off - read_bounded(f, t->set_off);
	t->first_len = (uint32_t)read_bounded(f, FRAME_SEALED_MAX);
	if (t->places_off < OBJECT_HEADER_LEN || t->first_len < FRAME_OVERHEAD)
		f->bad = true;
}

static void
take_chain(struct reader *f, struct delta_record *r)
{
	int64_t later = r->time_ns;

	for (uint64_t n = delta_before(r->n); n; n = delta_before(n)) {
		struct delta_member *m = &r->chain[r->n_chain++];
		uint64_t passed;

		m->n = n;
		m->writer = (uint32_t)read_bounded(f, DELTA_WRITERS_MAX - 1);
		passed = read_bounded(f, INT64_MAX);
		if (later < INT64_MIN + (int64_t)passed)
			f->bad = true;
		else
			later -= (int64_t)passed;
		m->time_ns = later;
		read_tail(f, &m->tail);
	}
	if (reader_left(f))
		f->bad = true;
}

/* Whether a leaf is in the record; else *off is where the first one lies and
 * there is room for as many as there can be. */
static bool
begin_leaves(struct reader *f, struct delta_leaves *l, uint64_t *off,
	size_t least)
{
	uint8_t kind = read_u8(f);

	if (kind > 1)
		f->bad = true;
	*off = kind == 1 ? read_bounded(f, INT64_MAX) : 0;
	if (kind == 0) {
		l->whole_len = reader_left(f);
		l->whole = f->p;
	} else if (!f->bad) {
		l->leaf = xcalloc(reader_left(f) / least + 1, sizeof(*l->leaf));
	}
	return kind == 0;
}

/* One more leaf, which lies at *off. */
static struct delta_leaf *
add_leaf(struct reader *f, struct delta_leaves *l, uint64_t *off,
	uint64_t end)
{
	struct delta_leaf *leaf = &l->leaf[l->n++];

	leaf->off = *off;
	leaf->len = (uint32_t)read_bounded(f, FRAME_SEALED_MAX);
	*off += leaf->len;
	if (leaf->off < OBJECT_HEADER_LEN || leaf->len < FRAME_OVERHEAD ||
		*off > end)
		f->bad = true;
	return leaf;
}

/* Leaves lie one behind the other, then the set, then the record. */
static void
take_places(struct reader *f, struct delta_record *r, struct delta_tail *t)
{
	struct delta_leaves *l = &r->places;
	uint64_t off, page = 0;

	t->places_off = t->set_off = t->record_off;
	if (begin_leaves(f, l, &off, 2)) {
		t->first_len = (uint32_t)(t->len - t->record_off -
					  DELTA_TRAILER_LEN);
		return;
	}
	t->places_off = off;
	while (reader_left(f) && !f->bad) {
		uint64_t next = page + read_bounded(f, UINT32_MAX - page);

		if (next <= page)
			f->bad = true;
		page = next;
		add_leaf(f, l, &off, t->record_off)->first_page =
			(uint32_t)page;
	}
	if (l->n == 0)
		f->bad = true;
	else
		t->first_len = l->leaf[0].len;
	t->set_off = off;
	if (t->record_off - off < FRAME_OVERHEAD)
		f->bad = true; /* leaves have a set */
}

static void
take_times(struct reader *f, struct delta_record *r,
	const struct delta_tail *t)
{
	struct delta_leaves *l = &r->times;
	uint64_t off, n = 0, ns = 0;

	if (begin_leaves(f, l, &off, 3))
		return;
	while (reader_left(f) && !f->bad) {
		uint64_t next = n + read_bounded(f, DELTA_N_MAX);
		struct delta_leaf *leaf;

		if (next >= r->n || (n ? next <= n
				      : next != delta_before(r->n) + 1))
			f->bad = true;
		n = next;
		ns += (uint64_t)read_svarint(f);
		leaf = add_leaf(f, l, &off, t->record_off);
		leaf->first_n = n;
		leaf->first_ns = (int64_t)ns;
	}
	if (l->n == 0)
		f->bad = true;
}

static void
take_writers(struct reader *f, struct delta_record *r)
{
	size_t n = reader_left(f) / WRITER_ID_LEN;

	if (n == 0 || n > DELTA_WRITERS_MAX ||
		reader_left(f) % WRITER_ID_LEN) {
		f->bad = true;
		return;
	}
	r->writers = f->p;
	r->n_writers = (uint32_t)n;
}

static void
take_bytes(struct reader *f, size_t max, const uint8_t **data, size_t *len)
{
	*data = f->p;
	*len = reader_left(f);
	if (*len > max)
		f->bad = true;
}

static bool
writers_known(const struct delta_record *r)
{
	for (unsigned i = 0; i < r->n_chain; i++) {
		if (r->chain[i].writer >= r->n_writers)
			return false;
	}
	return true;
}

static void
take_all(struct found *f, struct delta_record *r, struct delta_tail *tail)
{
	struct reader *v = f->value;
	const uint8_t *hash = read_bytes(&v[FIELD_PREVIOUS], HASH_LEN);
	size_t base_len = 0;

	r->n = fields_take_number(&v[FIELD_N]);
	r->time_ns = unzigzag(fields_take_number(&v[FIELD_TIME]));
	database_state_read(&v[FIELD_STATE], &r->state);
	if (hash)
		memcpy(r->previous, hash, HASH_LEN);
	if (r->n == 0 || r->n > DELTA_N_MAX) {
		v[FIELD_N].bad = true;
		return;
	}
	take_writers(&v[FIELD_WRITERS], r);
	take_chain(&v[FIELD_CHAIN], r);
	take_bytes(&v[FIELD_BASE], PAGE_LEN_MAX, &r->base_page, &base_len);
	r->base_page_len = (uint32_t)base_len;
	take_places(&v[FIELD_PLACES], r, tail);
	take_times(&v[FIELD_TIMES], r, tail);
	if (f->seen & FIELD_BIT(FIELD_OPAQUE))
		take_bytes(&v[FIELD_OPAQUE], DATABASE_OPAQUE_MAX, &r->opaque,
			&r->opaque_len);
	r->closed = f->seen & FIELD_BIT(FIELD_CLOSED);
}

#define NEEDED \
	(FIELD_BIT(FIELD_N) | FIELD_BIT(FIELD_TIME) | FIELD_BIT(FIELD_STATE) | \
		FIELD_BIT(FIELD_PREVIOUS) | FIELD_BIT(FIELD_WRITERS) | \
		FIELD_BIT(FIELD_CHAIN) | FIELD_BIT(FIELD_BASE) | \
		FIELD_BIT(FIELD_PLACES) | FIELD_BIT(FIELD_TIMES))

int
delta_record_decode(const uint8_t *data, size_t len, struct delta_record *r,
	struct delta_tail *tail, struct err *e)
{
	struct found f = { .seen = 0 };
	struct fields fs = { .of = "delta", .take = gather, .ctx = &f };
	int rc = fields_each(&fs, data, len, e);
	bool bad = false;

	memset(r, 0, sizeof(*r));
	if (rc)
		return rc;
	f.seen = fs.seen;
	if ((f.seen & NEEDED) != NEEDED)
		return err_set(e, EUCLEAN, "delta lacks a field");
	take_all(&f, r, tail);
	for (size_t i = 0; i < n_elements(f.value); i++)
		bad |= f.value[i].bad;
	if (!bad && writers_known(r) && !reader_left(&f.value[FIELD_STATE]) &&
		!reader_left(&f.value[FIELD_PREVIOUS]))
		return 0;
	delta_record_release(r);
	return err_set(e, EUCLEAN, "delta contradicts itself");
}
