/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A record is a list of fields: varint tag, varint length, bytes.  A tag that
 * is odd must be understood; an unknown even one is skipped.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include "repo/base/hex.h"
#include "repo/format/record.h"

enum field {
	FIELD_HOST = 1,
	FIELD_NAME = 3,
	FIELD_SEQ = 5,
	FIELD_TIME = 7,
	FIELD_BEGAN = 8,
	FIELD_GENERATION = 9,
	FIELD_ENDED = 10,
	FIELD_ROOT = 11,
	FIELD_PREVIOUS = 12,
	FIELD_ROOT_PAGE = 14,
	FIELD_EPOCH = 15,
	FIELD_TAG = 16,
	FIELD_ORIGINAL = 17,
	FIELD_NEXT_LINK = 18,
	FIELD_ERRORS = 20,
	FIELD_PATH = 22,
	FIELD_DATABASE = 24,
	FIELD_OPAQUE = 26,
	FIELD_PAGE_PACKS = 28,
	FIELD_GC = 30,
};

void
record_release(struct record *r)
{
	free(r->host);
	free(r->name);
	free(r->path);
	for (uint32_t i = 0; i < r->n_tags; i++)
		free(r->tags[i]);
	free(r->tags);
	free(r->root_page);
	free(r->opaque);
	page_free(r->root_holder);
	free(r->root_bytes);
	memset(r, 0, sizeof(*r));
}

static void
put_number(struct buf *b, enum field tag, uint64_t v)
{
	uint8_t tmp[VARINT_MAX];

	buf_varint(b, tag);
	buf_bytes(b, tmp, put_varint(tmp, v));
}

static void
put_string(struct buf *b, enum field tag, const char *s)
{
	buf_varint(b, tag);
	buf_bytes(b, s, strlen(s));
}

/* A catalog says what the root is like; where its page lies, the record. */
static void
put_root(struct buf *b, const struct entry *root, bool whole)
{
	struct page_encoder *pe = page_encoder_new(PAGE_ROOT);
	struct entry nameless = *root;
	auto_buf struct buf page = BUF_INIT;

	nameless.name = NULL;
	nameless.name_len = 0;
	if (!whole)
		nameless.ref = (struct ref){ .place.object = OBJECT_META };
	page_encoder_entry(pe, &nameless);
	page_encoder_finish(pe, &page);
	page_encoder_free(pe);
	buf_varint(b, FIELD_ROOT);
	buf_bytes(b, page.data, page.len);
}

static void
put_database(struct buf *b, const struct record *r, bool whole)
{
	auto_buf struct buf state = BUF_INIT;

	if (r->is_database) {
		database_state_encode(&state, &r->database);
		buf_varint(b, FIELD_DATABASE);
		buf_bytes(b, state.data, state.len);
	}
	if (whole && r->opaque) {
		buf_varint(b, FIELD_OPAQUE);
		buf_bytes(b, r->opaque, r->opaque_len);
	}
}

static void
put_epoch(struct buf *b, const struct record *r)
{
	uint8_t tmp[2 * VARINT_MAX];
	size_t n = put_varint(tmp, r->epoch);

	n += put_varint(tmp + n, r->n_deltas);
	buf_varint(b, FIELD_EPOCH);
	buf_bytes(b, tmp, n);
	buf_varint(b, FIELD_ORIGINAL);
	buf_bytes(b, r->original, HASH_LEN);
}

static void
put_page_packs(struct buf *b, const struct record *r)
{
	auto_buf struct buf list = BUF_INIT;

	for (uint32_t i = 0; i < r->n_page_packs; i++) {
		buf_append(&list, r->page_packs[i].id, OBJECT_ID_LEN);
		buf_varint(&list, r->page_packs[i].bytes);
	}
	buf_varint(b, FIELD_PAGE_PACKS);
	buf_bytes(b, list.data, list.len);
}

void
record_encode(const struct record *r, bool whole, struct buf *b)
{
	put_string(b, FIELD_HOST, r->host);
	put_string(b, FIELD_NAME, r->name);
	put_number(b, FIELD_SEQ, r->seq);
	put_number(b, FIELD_TIME, zigzag(r->time_ns));
	if (whole)
		put_number(b, FIELD_BEGAN, zigzag(r->began_ns));
	put_number(b, FIELD_GENERATION, r->generation);
	if (whole)
		put_number(b, FIELD_ENDED, zigzag(r->ended_ns));
	put_root(b, &r->root, whole);
	buf_varint(b, FIELD_PREVIOUS);
	buf_bytes(b, r->previous, HASH_LEN);
	if (whole && r->root_page) {
		buf_varint(b, FIELD_ROOT_PAGE);
		buf_bytes(b, r->root_page, r->root_page_len);
	}
	for (uint32_t i = 0; i < r->n_tags; i++)
		put_string(b, FIELD_TAG, r->tags[i]);
	if (whole)
		put_number(b, FIELD_NEXT_LINK, r->next_link);
	put_number(b, FIELD_ERRORS, r->n_errors);
	if (r->path)
		put_string(b, FIELD_PATH, r->path);
	put_database(b, r, whole);
	if (r->epoch)
		put_epoch(b, r);
	if (whole && r->n_page_packs)
		put_page_packs(b, r);
	if (whole && r->gc)
		put_number(b, FIELD_GC, r->gc);
}

static uint64_t
take_number(struct reader *f)
{
	uint64_t v = read_varint(f);

	if (reader_left(f))
		f->bad = true;
	return v;
}

static void
take_string(struct reader *f, size_t max, char **s)
{
	size_t n = reader_left(f);

	if (n > max || *s || memchr(f->p, 0, n)) {
		f->bad = true;
		return;
	}
	*s = xcalloc(1, n + 1);
	memcpy(*s, f->p, n);
}

static void
take_tag(struct reader *f, struct record *r)
{
	if (r->n_tags == RECORD_TAGS_MAX) {
		f->bad = true;
		return;
	}
	r->tags = xrealloc(r->tags, (r->n_tags + 1) * sizeof(*r->tags));
	r->tags[r->n_tags] = NULL;
	take_string(f, RECORD_TAG_LEN_MAX, &r->tags[r->n_tags]);
	if (!f->bad)
		r->n_tags++;
}

static void
take_root(struct reader *f, struct record *r)
{
	size_t n = reader_left(f);

	if (r->root_bytes || n > PAGE_LEN_MAX || n == 0) {
		f->bad = true;
		return;
	}
	r->root_bytes = xmemdup(f->p, n);
	if (page_decode(r->root_bytes, n, &r->root_holder, NULL) ||
		r->root_holder->kind != PAGE_ROOT) {
		f->bad = true;
		return;
	}
	r->root = r->root_holder->entries[0];
	if (!S_ISDIR(r->root.mode))
		f->bad = true;
}

static void
take_database(struct reader *f, struct record *r)
{
	database_state_read(f, &r->database);
	r->is_database = true;
	if (reader_left(f))
		f->bad = true;
}

static void
take_epoch(struct reader *f, struct record *r)
{
	r->epoch = (uint32_t)read_bounded(f, DELTA_EPOCH_MAX);
	r->n_deltas = (uint32_t)read_bounded(f, DELTA_N_MAX);
	if (r->epoch == 0 || r->n_deltas == 0 || reader_left(f))
		f->bad = true;
}

static void
take_bytes(struct reader *f, size_t max, uint8_t **data, uint32_t *len)
{
	size_t n = reader_left(f);

	if (*data || n > max || n == 0) {
		f->bad = true;
		return;
	}
	*data = xmemdup(f->p, n);
	*len = (uint32_t)n;
}

static void
take_hash(struct reader *f, uint8_t hash[HASH_LEN])
{
	const uint8_t *h = read_bytes(f, HASH_LEN);

	if (h && !reader_left(f))
		memcpy(hash, h, HASH_LEN);
	else
		f->bad = true;
}

/* 0, -EUCLEAN, or -EPROTONOSUPPORT for a field we had to know. */
static void
take_page_packs(struct reader *f, struct record *r)
{
	r->n_page_packs = 0;
	while (reader_left(f) && !f->bad) {
		struct page_pack *p;
		const uint8_t *id;

		if (r->n_page_packs == RECORD_PAGE_PACKS_MAX) {
			f->bad = true;
			return;
		}
		p = &r->page_packs[r->n_page_packs];
		id = read_bytes(f, OBJECT_ID_LEN);
		if (id)
			memcpy(p->id, id, OBJECT_ID_LEN);
		p->bytes = read_varint(f);
		r->n_page_packs++;
	}
}

static int
take_field(uint64_t tag, struct reader *f, struct record *r)
{
	switch (tag) {
	case FIELD_HOST:
		take_string(f, NAME_LEN_MAX, &r->host);
		break;
	case FIELD_NAME:
		take_string(f, NAME_LEN_MAX, &r->name);
		break;
	case FIELD_SEQ:
		r->seq = take_number(f);
		break;
	case FIELD_TIME:
		r->time_ns = unzigzag(take_number(f));
		break;
	case FIELD_BEGAN:
		r->began_ns = unzigzag(take_number(f));
		break;
	case FIELD_GENERATION:
		r->generation = take_number(f);
		break;
	case FIELD_ENDED:
		r->ended_ns = unzigzag(take_number(f));
		break;
	case FIELD_ROOT:
		take_root(f, r);
		break;
	case FIELD_PREVIOUS:
		take_hash(f, r->previous);
		break;
	case FIELD_ROOT_PAGE:
		take_bytes(f, PAGE_LEN_MAX, &r->root_page, &r->root_page_len);
		break;
	case FIELD_TAG:
		take_tag(f, r);
		break;
	case FIELD_NEXT_LINK:
		r->next_link = take_number(f);
		break;
	case FIELD_ERRORS:
		r->n_errors = take_number(f);
		break;
	case FIELD_PATH:
		take_string(f, 4096 * 4, &r->path);
		break;
	case FIELD_DATABASE:
		take_database(f, r);
		break;
	case FIELD_EPOCH:
		take_epoch(f, r);
		break;
	case FIELD_ORIGINAL:
		take_hash(f, r->original);
		break;
	case FIELD_OPAQUE:
		take_bytes(f, DATABASE_OPAQUE_MAX, &r->opaque, &r->opaque_len);
		break;
	case FIELD_PAGE_PACKS:
		take_page_packs(f, r);
		break;
	case FIELD_GC:
		r->gc = take_number(f);
		break;
	default:
		if (tag & 1)
			return -EPROTONOSUPPORT;
	}
	return f->bad ? -EUCLEAN : 0;
}

static bool
component_ok(const char *s)
{
	return s && *s && !strchr(s, '/') && strcmp(s, ".") && strcmp(s, "..");
}

static int
record_take(const uint8_t *data, size_t len, struct record *r, struct err *e)
{
	struct reader rd = reader_of(data, len);
	uint64_t seen = 0;

	while (reader_left(&rd)) {
		uint64_t tag = read_varint(&rd);
		uint64_t bit = tag < 64 && tag != FIELD_TAG ? 1ULL << tag : 0;
		size_t n;
		const uint8_t *bytes = read_blob(&rd, len, &n);
		struct reader f;
		int rc;

		if (!bytes)
			return err_set(e, EUCLEAN, "record ends too early");
		if (seen & bit)
			return err_set(e, EUCLEAN,
				"record has field %" PRIu64 " twice", tag);
		seen |= bit;
		f = reader_of(bytes, n);
		rc = take_field(tag, &f, r);
		if (rc == -EPROTONOSUPPORT)
			return err_set(e, EPROTONOSUPPORT,
				"record has field %" PRIu64
				": written by a newer yore",
				tag);
		if (rc)
			return err_set(e, EUCLEAN,
				"record's field %" PRIu64 " is malformed", tag);
	}
	if (!component_ok(r->host) || !component_ok(r->name) || !r->seq ||
		!r->root_holder || !r->generation || r->generation > r->seq)
		return err_set(e, EUCLEAN, "record lacks a field");
	if (!r->epoch == !(seen & 1ULL << FIELD_ORIGINAL) &&
		(!r->epoch || r->is_database))
		return 0;
	return err_set(e, EUCLEAN, "record contradicts itself");
}

int
record_decode(const uint8_t *data, size_t len, struct record *r, struct err *e)
{
	int rc;

	memset(r, 0, sizeof(*r));
	rc = record_take(data, len, r, e);
	if (rc)
		record_release(r);
	return rc;
}

/* The time in a record's name is for people who look into the store. */
void
record_name(char out[OBJECT_NAME_MAX * 2],
	const uint8_t source[SOURCE_KEY_LEN], const struct record *r)
{
	char src[SOURCE_KEY_LEN * 2 + 1], id[OBJECT_ID_LEN * 2 + 1];
	char when[32] = "0";
	time_t t = (time_t)(r->time_ns / 1000000000);
	struct tm tm;

	if (gmtime_r(&t, &tm))
		strftime(when, sizeof(when), "%Y%m%dT%H%M%SZ", &tm);
	snprintf(out, OBJECT_NAME_MAX * 2, "snap/%s/%012" PRIu64 "-%s-%s",
		hex_encode(src, source, SOURCE_KEY_LEN), r->seq, when,
		hex_encode(id, r->id, OBJECT_ID_LEN));
}

int
record_name_parse(const char *name, uint64_t *seq, uint8_t id[OBJECT_ID_LEN])
{
	const char *last = strrchr(name, '-');
	const char *base = strrchr(name, '/');

	if (!last || !base || strlen(last + 1) != OBJECT_ID_LEN * 2 ||
		strncmp(name, "snap/", 5))
		return -EINVAL;
	if (strspn(base + 1, "0123456789") != 12 || base[13] != '-')
		return -EINVAL;
	*seq = strtoull(base + 1, NULL, 10);
	if (*seq == 0)
		return -EINVAL;
	return hex_decode(id, OBJECT_ID_LEN, last + 1);
}
