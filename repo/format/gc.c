/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fields as in a record.  Every list is in strictly ascending order, so that
 * nothing is named twice and a look-up is a binary search in what was decoded.
 */
#include "repo/format/gc.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "repo/base/bytes.h"
#include "repo/crypto/seal.h"
#include "repo/format/fields.h"
#include "repo/format/object.h"

enum field {
	FIELD_N = 1,
	FIELD_TIME = 3,
	FIELD_PREVIOUS = 5,
	FIELD_CONDEMNED = 7,
	FIELD_SENTENCED = 9,
	FIELD_GONE = 11,
	FIELD_LOST = 13,
};

#define NEEDED \
	(FIELD_BIT(FIELD_N) | FIELD_BIT(FIELD_TIME) | FIELD_BIT(FIELD_PREVIOUS))

void
gc_state_release(struct gc_state *s)
{
	free(s->condemned.p);
	free(s->sentenced.p);
	free(s->gone.p);
	free(s->lost.p);
	memset(s, 0, sizeof(*s));
}

/* -- Lists --------------------------------------------------------------- */

void
gc_packs_add(struct gc_packs *list, enum object_type object,
	const uint8_t id[OBJECT_ID_LEN], uint64_t since)
{
	struct gc_pack p = { .object = (uint8_t)object, .since = since };

	/* id may be one of the list's own */
	memcpy(p.id, id, OBJECT_ID_LEN);
	if (list->n == list->cap) {
		list->cap = list->cap ? list->cap * 2 : 64;
		list->p = xrealloc(list->p, list->cap * sizeof(*list->p));
	}
	list->p[list->n++] = p;
}

void
gc_frames_add(struct gc_frames *list, const struct frame_place *at)
{
	struct gc_frame *f;

	if (list->n == list->cap) {
		list->cap = list->cap ? list->cap * 2 : 64;
		list->p = xrealloc(list->p, list->cap * sizeof(*list->p));
	}
	f = &list->p[list->n++];
	*f = (struct gc_frame){ .object = at->object, .off = at->off,
		.len = at->off ? at->len : 0 };
	memcpy(f->pack, at->pack, OBJECT_ID_LEN);
}

static int
compare_packs(const void *a, const void *b)
{
	const struct gc_pack *x = a, *y = b;

	if (x->object != y->object)
		return x->object < y->object ? -1 : 1;
	return memcmp(x->id, y->id, OBJECT_ID_LEN);
}

/* Of equal ones the oldest comes first. */
static int
compare_for_sorting(const void *a, const void *b)
{
	const struct gc_pack *x = a, *y = b;
	int c = compare_packs(a, b);

	return c ? c : (x->since > y->since) - (x->since < y->since);
}

static int
compare_frames(const void *a, const void *b)
{
	const struct gc_frame *x = a, *y = b;
	int c;

	if (x->object != y->object)
		return x->object < y->object ? -1 : 1;
	c = memcmp(x->pack, y->pack, OBJECT_ID_LEN);
	return c ? c : (x->off > y->off) - (x->off < y->off);
}

static void
sort_packs(struct gc_packs *list)
{
	size_t kept = 0;

	if (list->n)
		qsort(list->p, list->n, sizeof(*list->p), compare_for_sorting);
	for (size_t i = 0; i < list->n; i++) {
		if (!kept || compare_packs(&list->p[kept - 1], &list->p[i]))
			list->p[kept++] = list->p[i];
	}
	list->n = kept;
}

void
gc_state_sort(struct gc_state *s)
{
	struct gc_frames *lost = &s->lost;
	size_t kept = 0;

	sort_packs(&s->condemned);
	sort_packs(&s->sentenced);
	sort_packs(&s->gone);
	if (lost->n)
		qsort(lost->p, lost->n, sizeof(*lost->p), compare_frames);
	for (size_t i = 0; i < lost->n; i++) {
		if (!kept || compare_frames(&lost->p[kept - 1], &lost->p[i]))
			lost->p[kept++] = lost->p[i];
	}
	lost->n = kept;
}

const struct gc_pack *
gc_packs_find(const struct gc_packs *list, uint8_t object,
	const uint8_t id[OBJECT_ID_LEN])
{
	struct gc_pack key = { .object = object };

	if (!list->n)
		return NULL;
	memcpy(key.id, id, OBJECT_ID_LEN);
	return bsearch(&key, list->p, list->n, sizeof(key), compare_packs);
}

bool
gc_frames_has(const struct gc_frames *list, const struct frame_place *at)
{
	struct gc_frame key = { .object = at->object };

	if (!list->n)
		return false;
	memcpy(key.pack, at->pack, OBJECT_ID_LEN);
	if (bsearch(&key, list->p, list->n, sizeof(key), compare_frames))
		return true;
	key.off = at->off;
	return bsearch(&key, list->p, list->n, sizeof(key), compare_frames);
}

bool
gc_state_avoids(const struct gc_state *s, const struct frame_place *at)
{
	return gc_packs_find(&s->condemned, at->object, at->pack) ||
	       gc_packs_find(&s->sentenced, at->object, at->pack) ||
	       gc_packs_find(&s->gone, at->object, at->pack) ||
	       gc_frames_has(&s->lost, at);
}

bool
gc_state_is_empty(const struct gc_state *s)
{
	return !s->condemned.n && !s->sentenced.n && !s->gone.n && !s->lost.n;
}

/* -- What must hold ------------------------------------------------------ */

static bool
is_pack(uint8_t object)
{
	return object == OBJECT_DATA || object == OBJECT_META;
}

static bool
packs_ok(const struct gc_packs *list)
{
	for (size_t i = 0; i < list->n; i++) {
		if (!is_pack(list->p[i].object) ||
			(i && compare_packs(&list->p[i - 1], &list->p[i]) >= 0))
			return false;
	}
	return true;
}

static bool
frame_ok(const struct gc_frame *f)
{
	if (!f->off)
		return is_pack(f->object) && !f->len;
	return is_pack(f->object) && f->off >= OBJECT_HEADER_LEN &&
	       f->off < 1ULL << 48 && f->len >= FRAME_OVERHEAD &&
	       f->len <= FRAME_SEALED_MAX;
}

static bool
frames_ok(const struct gc_frames *list)
{
	for (size_t i = 0; i < list->n; i++) {
		if (!frame_ok(&list->p[i]) ||
			(i && compare_frames(&list->p[i - 1], &list->p[i]) >= 0))
			return false;
	}
	return true;
}

/* What is deleted was condemned, by this state or one before. */
static bool
sentences_ok(const struct gc_state *s)
{
	for (size_t i = 0; i < s->condemned.n; i++) {
		if (!s->condemned.p[i].since || s->condemned.p[i].since > s->n)
			return false;
	}
	for (size_t i = 0; i < s->sentenced.n; i++) {
		const struct gc_pack *p = &s->sentenced.p[i];

		if (!gc_packs_find(&s->condemned, p->object, p->id))
			return false;
	}
	return true;
}

static int
check(const struct gc_state *s, int code, struct err *e)
{
	if (s->n == 0 || s->n > GC_NUMBER_MAX)
		return err_set(e, code, "state of pruning has no number");
	if (!packs_ok(&s->condemned) || !packs_ok(&s->sentenced) ||
		!packs_ok(&s->gone) || !frames_ok(&s->lost) ||
		!sentences_ok(s))
		return err_set(e, code, "state of pruning %" PRIu64
			" contradicts itself", s->n);
	return 0;
}

/* -- Encoding ------------------------------------------------------------ */

static void
put_packs(struct buf *b, enum field tag, const struct gc_packs *list)
{
	auto_buf struct buf all = BUF_INIT;

	if (!list->n)
		return;
	for (size_t i = 0; i < list->n; i++) {
		buf_u8(&all, list->p[i].object);
		buf_append(&all, list->p[i].id, OBJECT_ID_LEN);
		if (tag == FIELD_CONDEMNED)
			buf_varint(&all, list->p[i].since);
	}
	fields_put(b, tag, all.data, all.len);
}

static void
put_frames(struct buf *b, const struct gc_frames *list)
{
	auto_buf struct buf all = BUF_INIT;

	if (!list->n)
		return;
	for (size_t i = 0; i < list->n; i++) {
		buf_u8(&all, list->p[i].object);
		buf_append(&all, list->p[i].pack, OBJECT_ID_LEN);
		buf_varint(&all, list->p[i].off);
		buf_varint(&all, list->p[i].len);
	}
	fields_put(b, FIELD_LOST, all.data, all.len);
}

int
gc_state_encode(const struct gc_state *s, struct buf *b, struct err *e)
{
	size_t before = b->len;
	int r = check(s, EINVAL, e);

	if (r)
		return r;
	fields_put_number(b, FIELD_N, s->n);
	fields_put_number(b, FIELD_TIME, zigzag(s->time_ns));
	fields_put(b, FIELD_PREVIOUS, s->previous, HASH_LEN);
	put_packs(b, FIELD_CONDEMNED, &s->condemned);
	put_packs(b, FIELD_SENTENCED, &s->sentenced);
	put_packs(b, FIELD_GONE, &s->gone);
	put_frames(b, &s->lost);
	if (b->len - before <= GC_LEN_MAX && s->condemned.n <= GC_PACKS_MAX &&
		s->sentenced.n <= GC_PACKS_MAX && s->gone.n <= GC_PACKS_MAX &&
		s->lost.n <= GC_PACKS_MAX)
		return 0;
	b->len = before;
	return err_set(e, EFBIG, "state of pruning %" PRIu64
		" names too many packs: %zu condemned, %zu gone, %zu frames lost",
		s->n, s->condemned.n, s->gone.n, s->lost.n);
}

/* -- Decoding ------------------------------------------------------------ */

static void
take_packs(struct reader *f, unsigned tag, struct gc_packs *list)
{
	while (reader_left(f) && !f->bad) {
		uint8_t object = read_u8(f);
		const uint8_t *id = read_bytes(f, OBJECT_ID_LEN);
		uint64_t since =
			tag == FIELD_CONDEMNED ? read_varint(f) : 0;

		if (f->bad || list->n == GC_PACKS_MAX)
			f->bad = true;
		else
			gc_packs_add(list, (enum object_type)object, id, since);
	}
}

static void
take_frames(struct reader *f, struct gc_frames *list)
{
	while (reader_left(f) && !f->bad) {
		struct frame_place at = { .object = read_u8(f) };
		const uint8_t *id = read_bytes(f, OBJECT_ID_LEN);

		at.off = read_bounded(f, 1ULL << 48);
		at.len = (uint32_t)read_bounded(f, FRAME_SEALED_MAX);
		if (f->bad || list->n == GC_PACKS_MAX || (!at.off && at.len)) {
			f->bad = true;
			return;
		}
		memcpy(at.pack, id, OBJECT_ID_LEN);
		gc_frames_add(list, &at);
	}
}

static bool
take_field(unsigned tag, struct reader *f, void *ctx)
{
	struct gc_state *s = ctx;

	switch (tag) {
	case FIELD_N:
		s->n = fields_take_number(f);
		break;
	case FIELD_TIME:
		s->time_ns = unzigzag(fields_take_number(f));
		break;
	case FIELD_PREVIOUS:
		fields_take_hash(f, s->previous);
		break;
	case FIELD_CONDEMNED:
		take_packs(f, tag, &s->condemned);
		break;
	case FIELD_SENTENCED:
		take_packs(f, tag, &s->sentenced);
		break;
	case FIELD_GONE:
		take_packs(f, tag, &s->gone);
		break;
	case FIELD_LOST:
		take_frames(f, &s->lost);
		break;
	default:
		return false;
	}
	return true;
}

static int
take_fields(const uint8_t *data, size_t len, struct gc_state *s, struct err *e)
{
	struct fields fs = { .of = "state of pruning", .take = take_field,
		.ctx = s };
	int r = fields_each(&fs, data, len, e);

	if (r)
		return r;
	if ((fs.seen & NEEDED) != NEEDED)
		return err_set(e, EUCLEAN, "state of pruning lacks a field");
	return check(s, EUCLEAN, e);
}

int
gc_state_decode(const uint8_t *data, size_t len, struct gc_state *s,
	struct err *e)
{
	int r;

	memset(s, 0, sizeof(*s));
	if (len > GC_LEN_MAX)
		return err_set(e, EUCLEAN, "state of pruning is too long");
	r = take_fields(data, len, s, e);
	if (r)
		gc_state_release(s);
	return r;
}

/* -- Names --------------------------------------------------------------- */

void
gc_name(char out[GC_NAME_LEN + 1], uint64_t n)
{
	snprintf(out, GC_NAME_LEN + 1, "gc/%012" PRIu64,
		(GC_NUMBER_MAX - n) % (GC_NUMBER_MAX + 1));
}

uint64_t
gc_name_parse(const char *name)
{
	if (strlen(name) != GC_NAME_LEN || strncmp(name, "gc/", 3) ||
		strspn(name + 3, "0123456789") != GC_NAME_LEN - 3)
		return 0;
	return GC_NUMBER_MAX - strtoull(name + 3, NULL, 10);
}
