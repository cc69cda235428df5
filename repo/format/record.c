/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <sys/stat.h>
#include <time.h>
#include "repo/base/hex.h"
#include "repo/format/fields.h"
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
	FIELD_SCATTERED = 32,
};

void
record_release(struct record *r)
{
	if (!r->bytes) {
		free(r->host);
		free(r->name);
		free(r->path);
	}
	for (uint32_t i = 0; i < r->n_tags; i++)
		free(r->tags[i]);
	free(r->tags);
	free(r->root_page);
	free(r->opaque);
	free(r->page_packs);
	free(r->scattered);
	free(r->bytes);
	free(r->root_refs);
	memset(r, 0, sizeof(*r));
}

void
record_reset_page_packs(struct record *r)
{
	if (!r->page_packs)
		r->page_packs =
			xcalloc(RECORD_PAGE_PACKS_MAX, sizeof(*r->page_packs));
	r->n_page_packs = 0;
}

void
record_reset_scattered(struct record *r)
{
	if (!r->scattered)
		r->scattered =
			xcalloc(RECORD_SCATTERED_MAX, sizeof(*r->scattered));
	r->n_scattered = 0;
}

static void
put_string(struct buf *b, enum field tag, const char *s)
{
	fields_put(b, tag, s, strlen(s));
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
	fields_put(b, FIELD_ROOT, page.data, page.len);
}

static void
put_database(struct buf *b, const struct record *r, bool whole)
{
	auto_buf struct buf state = BUF_INIT;

	if (r->is_database) {
		database_state_encode(&state, &r->database);
		fields_put(b, FIELD_DATABASE, state.data, state.len);
	}
	if (whole && r->opaque) {
		fields_put(b, FIELD_OPAQUE, r->opaque, r->opaque_len);
	}
}

static void
put_epoch(struct buf *b, const struct record *r)
{
	uint8_t tmp[2 * VARINT_MAX];
	size_t n = put_varint(tmp, r->epoch);

	n += put_varint(tmp + n, r->n_deltas);
	fields_put(b, FIELD_EPOCH, tmp, n);
	fields_put(b, FIELD_ORIGINAL, r->original, HASH_LEN);
}

static void
put_page_packs(struct buf *b, const struct record *r)
{
	auto_buf struct buf list = BUF_INIT;

	for (uint32_t i = 0; i < r->n_page_packs; i++) {
		buf_append(&list, r->page_packs[i].id, OBJECT_ID_LEN);
		buf_varint(&list, r->page_packs[i].bytes);
	}
	fields_put(b, FIELD_PAGE_PACKS, list.data, list.len);
}

static void
put_scattered(struct buf *b, const struct record *r)
{
	auto_buf struct buf list = BUF_INIT;

	for (uint32_t i = 0; i < r->n_scattered; i++) {
		buf_append(&list, r->scattered[i].pack, OBJECT_ID_LEN);
		buf_varint(&list, r->scattered[i].off);
		buf_varint(&list, r->scattered[i].len);
	}
	fields_put(b, FIELD_SCATTERED, list.data, list.len);
}

void
record_encode(const struct record *r, bool whole, struct buf *b)
{
	put_string(b, FIELD_HOST, r->host);
	put_string(b, FIELD_NAME, r->name);
	fields_put_number(b, FIELD_SEQ, r->seq);
	fields_put_number(b, FIELD_TIME, zigzag(r->time_ns));
	if (whole)
		fields_put_number(b, FIELD_BEGAN, zigzag(r->began_ns));
	fields_put_number(b, FIELD_GENERATION, r->generation);
	if (whole)
		fields_put_number(b, FIELD_ENDED, zigzag(r->ended_ns));
	put_root(b, &r->root, whole);
	fields_put(b, FIELD_PREVIOUS, r->previous, HASH_LEN);
	if (whole && r->root_page) {
		fields_put(b, FIELD_ROOT_PAGE, r->root_page, r->root_page_len);
	}
	for (uint32_t i = 0; i < r->n_tags; i++)
		put_string(b, FIELD_TAG, r->tags[i]);
	if (whole)
		fields_put_number(b, FIELD_NEXT_LINK, r->next_link);
	fields_put_number(b, FIELD_ERRORS, r->n_errors);
	if (r->path)
		put_string(b, FIELD_PATH, r->path);
	put_database(b, r, whole);
	if (r->epoch)
		put_epoch(b, r);
	if (whole && r->n_page_packs)
		put_page_packs(b, r);
	if (whole && r->gc)
		fields_put_number(b, FIELD_GC, r->gc);
	if (whole && r->n_scattered)
		put_scattered(b, r);
}

/* A record, and where the next of its bytes go: there is room for all of it,
 * since a field is longer than what it says by two bytes or more. */
struct decoding {
	struct record *r;
	uint8_t *next;
};

static uint8_t *
keep(struct decoding *d, struct reader *f)
{
	size_t n = reader_left(f);
	uint8_t *kept = memcpy(d->next, f->p, n);

	kept[n] = '\0';
	d->next += n + 1;
	return kept;
}

static bool
is_string(struct reader *f, size_t max)
{
	size_t n = reader_left(f);

	if (n > max || memchr(f->p, 0, n))
		f->bad = true;
	return !f->bad;
}

static void
take_string(struct decoding *d, struct reader *f, size_t max, char **s)
{
	if (is_string(f, max))
		*s = (char *)keep(d, f);
}

static void
take_tag(struct reader *f, struct record *r)
{
	if (r->n_tags == RECORD_TAGS_MAX) {
		f->bad = true;
		return;
	}
	if (!is_string(f, RECORD_TAG_LEN_MAX))
		return;
	r->tags = xrealloc(r->tags, (r->n_tags + 1) * sizeof(*r->tags));
	r->tags[r->n_tags++] = xasprintf("%.*s", (int)reader_left(f), f->p);
}

static void
take_root(struct decoding *d, struct reader *f)
{
	struct record *r = d->r;
	size_t n = reader_left(f);

	if (page_decode_root(keep(d, f), n, &r->root, &r->root_refs, NULL) ||
		!S_ISDIR(r->root.mode))
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
take_pack(struct reader *f, uint8_t id[OBJECT_ID_LEN])
{
	const uint8_t *bytes = read_bytes(f, OBJECT_ID_LEN);

	if (bytes)
		memcpy(id, bytes, OBJECT_ID_LEN);
}

static void
take_page_packs(struct reader *f, struct record *r)
{
	record_reset_page_packs(r);
	while (reader_left(f) && !f->bad) {
		struct page_pack *p;

		if (r->n_page_packs == RECORD_PAGE_PACKS_MAX) {
			f->bad = true;
			return;
		}
		p = &r->page_packs[r->n_page_packs];
		take_pack(f, p->id);
		p->bytes = read_varint(f);
		r->n_page_packs++;
	}
}

static void
take_scattered(struct reader *f, struct record *r)
{
	record_reset_scattered(r);
	while (reader_left(f) && !f->bad) {
		struct scattered *st;

		if (r->n_scattered == RECORD_SCATTERED_MAX) {
			f->bad = true;
			return;
		}
		st = &r->scattered[r->n_scattered++];
		take_pack(f, st->pack);
		st->off = read_varint(f);
		st->len = read_varint(f);
	}
}

static bool
take_field(unsigned tag, struct reader *f, void *ctx)
{
	struct decoding *d = ctx;
	struct record *r = d->r;

	switch (tag) {
	case FIELD_HOST:
		take_string(d, f, NAME_LEN_MAX, &r->host);
		break;
	case FIELD_NAME:
		take_string(d, f, NAME_LEN_MAX, &r->name);
		break;
	case FIELD_SEQ:
		r->seq = fields_take_number(f);
		break;
	case FIELD_TIME:
		r->time_ns = unzigzag(fields_take_number(f));
		break;
	case FIELD_BEGAN:
		r->began_ns = unzigzag(fields_take_number(f));
		break;
	case FIELD_GENERATION:
		r->generation = fields_take_number(f);
		break;
	case FIELD_ENDED:
		r->ended_ns = unzigzag(fields_take_number(f));
		break;
	case FIELD_ROOT:
		take_root(d, f);
		break;
	case FIELD_PREVIOUS:
		fields_take_hash(f, r->previous);
		break;
	case FIELD_ROOT_PAGE:
		take_bytes(f, PAGE_LEN_MAX, &r->root_page, &r->root_page_len);
		break;
	case FIELD_TAG:
		take_tag(f, r);
		break;
	case FIELD_NEXT_LINK:
		r->next_link = fields_take_number(f);
		break;
	case FIELD_ERRORS:
		r->n_errors = fields_take_number(f);
		break;
	case FIELD_PATH:
		take_string(d, f, 4096 * 4, &r->path);
		break;
	case FIELD_DATABASE:
		take_database(f, r);
		break;
	case FIELD_EPOCH:
		take_epoch(f, r);
		break;
	case FIELD_ORIGINAL:
		fields_take_hash(f, r->original);
		break;
	case FIELD_OPAQUE:
		take_bytes(f, DATABASE_OPAQUE_MAX, &r->opaque, &r->opaque_len);
		break;
	case FIELD_PAGE_PACKS:
		take_page_packs(f, r);
		break;
	case FIELD_GC:
		r->gc = fields_take_number(f);
		break;
	case FIELD_SCATTERED:
		take_scattered(f, r);
		break;
	default:
		return false;
	}
	return true;
}

static bool
component_ok(const char *s)
{
	return s && *s && !strchr(s, '/') && strcmp(s, ".") && strcmp(s, "..");
}

static int
record_take(const uint8_t *data, size_t len, struct record *r, struct err *e)
{
	struct decoding d = { .r = r };
	struct fields fs = { .of = "record", .repeated = FIELD_BIT(FIELD_TAG),
		.take = take_field, .ctx = &d };
	int rc;

	d.next = r->bytes = xmalloc(len + 1);
	rc = fields_each(&fs, data, len, e);
	if (rc)
		return rc;
	if (!component_ok(r->host) || !component_ok(r->name) || !r->seq ||
		!r->root.mode || !r->generation || r->generation > r->seq)
		return err_set(e, EUCLEAN, "record lacks a field");
	if (!r->epoch == !(fs.seen & FIELD_BIT(FIELD_ORIGINAL)) &&
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

/* At least so many digits; returns where they end. */
static char *
put_digits(char *out, uint64_t v, size_t least)
{
	char digits[20];
	size_t n = 0;

	for (; v > 0 || n < least; v /= 10)
		digits[n++] = (char)('0' + v % 10);
	while (n > 0)
		*out++ = digits[--n];
	return out;
}

/* As 20261120T103215Z, for people who look into the store. */
static char *
put_time(char *out, int64_t t_ns)
{
	time_t t = (time_t)(t_ns / 1000000000);
	struct tm tm;

	if (!gmtime_r(&t, &tm))
		return stpcpy(out, "0");
	out = put_digits(out, (uint64_t)tm.tm_year + 1900, 4);
	out = put_digits(out, (uint64_t)tm.tm_mon + 1, 2);
	out = put_digits(out, (uint64_t)tm.tm_mday, 2);
	*out++ = 'T';
	out = put_digits(out, (uint64_t)tm.tm_hour, 2);
	out = put_digits(out, (uint64_t)tm.tm_min, 2);
	out = put_digits(out, (uint64_t)tm.tm_sec, 2);
	*out++ = 'Z';
	return out;
}

/* Without printf: a mount does it for every snapshot. */
void
record_name(char out[OBJECT_NAME_MAX * 2],
	const uint8_t source[SOURCE_KEY_LEN], const struct record *r)
{
	out = stpcpy(out, "snap/");
	hex_encode(out, source, SOURCE_KEY_LEN);
	out += SOURCE_KEY_LEN * 2;
	*out++ = '/';
	out = put_digits(out, r->seq, 12);
	*out++ = '-';
	out = put_time(out, r->time_ns);
	*out++ = '-';
	hex_encode(out, r->id, OBJECT_ID_LEN);
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
