/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "repo/upkeep/check_page.h"

#include <errno.h>
#include <string.h>
#include "repo/base/buf.h"
#include "repo/base/bytes.h"
#include "repo/crypto/id.h"

/* -- Pages that were looked at
 * ------------------------------------------------------ */

static void
mix(uint64_t *h, uint64_t v)
{
	*h = (*h ^ v) * 0x9e3779b97f4a7c15;
	*h ^= *h >> 29;
}

uint32_t
check_sum_hash(const struct check_sum *s)
{
	uint64_t h = s->directory;

	mix(&h, s->off);
	mix(&h, s->len);
	mix(&h, s->totals.entries);
	mix(&h, s->totals.files);
	mix(&h, s->totals.bytes);
	mix(&h, (uint64_t)s->totals.newest_ns);
	mix(&h, s->totals.flags);
	return (uint32_t)h & ~CHECK_TAINTED;
}

void
check_seen_key(const struct ref *r, uint8_t key[CHECK_SEEN_KEY])
{
	uint64_t h = r->place.off;

	mix(&h, get_be64(r->place.pack));
	mix(&h, r->chunk_off);
	mix(&h, get_be64(r->id));
	memcpy(key, r->id, CHECK_SEEN_KEY);
	put_be64(key, h);
	key[CHECK_SEEN_KEY - 1] |= 1; /* not all zeros */
}

static struct check_seen *
seen_slot(const struct check_pages *all, const uint8_t key[CHECK_SEEN_KEY])
{
	static const uint8_t none[CHECK_SEEN_KEY];
	struct check_seen *table = all->table.data;
	size_t i = get_be64(key) & (all->cap - 1);

	while (memcmp(table[i].key, none, CHECK_SEEN_KEY) &&
		memcmp(table[i].key, key, CHECK_SEEN_KEY))
		i = (i + 1) & (all->cap - 1);
	return &table[i];
}

static int
seen_grow(struct check_pages *all, struct err *e)
{
	struct check_pages more = { .n = all->n,
		.cap = all->cap ? 2 * all->cap : 4096 };
	const struct check_seen *old = all->table.data;
	static const uint8_t none[CHECK_SEEN_KEY];
	int r = scratch_new(&more.table, more.cap * sizeof(*old), e);

	if (r)
		return r;
	for (size_t i = 0; i < all->cap; i++) {
		if (memcmp(old[i].key, none, CHECK_SEEN_KEY))
			*seen_slot(&more, old[i].key) = old[i];
	}
	scratch_release(&all->table);
	*all = more;
	return 0;
}

/* The page's, or NULL: it has not been looked at. */
struct check_seen *
check_seen_find(
	const struct check_pages *all, const uint8_t key[CHECK_SEEN_KEY])
{
	struct check_seen *s = all->cap ? seen_slot(all, key) : NULL;

	return s && !memcmp(s->key, key, CHECK_SEEN_KEY) ? s : NULL;
}

int
check_seen_add(struct check_pages *all, const uint8_t key[CHECK_SEEN_KEY],
	uint32_t sum, struct err *e)
{
	struct check_seen *s;
	int r = all->n * 3 >= all->cap * 2 ? seen_grow(all, e) : 0;

	if (r)
		return r;
	s = seen_slot(all, key);
	all->n += memcmp(s->key, key, CHECK_SEEN_KEY) != 0;
	memcpy(s->key, key, CHECK_SEEN_KEY);
	s->sum = sum;
	return 0;
}

/* -- Pages
 * ---------------------------------------------------------------------------
 */

/* The chunk at r, if it is what it should be: a fault's errno if not. */
static int
read_at(struct check *c, const struct ref *r, struct frame **frame,
	const uint8_t **data, struct err *e)
{
	uint8_t id[CHUNK_ID_LEN];
	int rc;

	if (r->chunk_len > PAGE_LEN_MAX)
		return err_set(e, EUCLEAN, "a page is too long");
	rc = fetch_chunk(c->fetch, r, frame, data, e);
	if (rc)
		return rc;
	chunk_id(c->rp->keys, CHUNK_PAGE, *data, r->chunk_len, id);
	if ((*frame)->type == FRAME_PAGES && !memcmp(id, r->id, CHUNK_ID_LEN))
		return 0;
	frame_put(steal(*frame));
	return err_set(e, EUCLEAN, "there is another chunk in a page's place");
}

static int
decode(const struct ref *r, const uint8_t *data, struct page **p,
	uint8_t **copy, struct err *e)
{
	int rc;

	*copy = xmemdup(data, r->chunk_len);
	rc = page_decode(*copy, r->chunk_len, p, e);
	if (rc)
		free(steal(*copy));
	return rc;
}

/* Read it at r; 1: it is not there as it should be, which is a fault now. */
static int
try_at(struct check *c, const struct ref *r, struct page **p, uint8_t **copy,
	struct check_fault **f, struct err *e)
{
	auto_frame struct frame *frame = NULL;
	struct err why = ERR_INIT;
	const uint8_t *data;
	int rc = read_at(c, r, &frame, &data, &why);

	if (!rc)
		rc = decode(r, data, p, copy, &why);
	if (!rc)
		return 0;
	if (!check_is_fault(rc)) {
		*e = why;
		return rc;
	}
	*f = check_fault_frame(c, CHECK_DAMAGED, &r->place, why.text);
	return 1;
}

int
check_page_read(struct check *c, const struct ref *r, struct page **p,
	uint8_t **copy, struct check_fault **f, struct err *e)
{
	struct check_fault *other;
	struct ref better;
	int rc = 1;

	if (check_place(c, &r->place, f, e) == PLACE_GOOD)
		rc = try_at(c, r, p, copy, f, e);
	else if (e->code)
		rc = -e->code;
	/* one that turns out bad is not found again */
	while (rc == 1 && check_elsewhere(c, r, &better))
		rc = try_at(c, &better, p, copy, &other, e);
	return rc;
}

int
check_page_decode(struct check *c, const struct ref *r, const uint8_t *data,
	struct page **p, uint8_t **copy, struct err *e)
{
	uint8_t id[CHUNK_ID_LEN];

	chunk_id(c->rp->keys, CHUNK_PAGE, data, r->chunk_len, id);
	if (memcmp(id, r->id, CHUNK_ID_LEN))
		return err_set(e, EUCLEAN, "another page");
	return decode(r, data, p, copy, e);
}

/* -- Comparing a page with what is said of it
 * ------------------------------------------ */

static void
sum_page(const struct page *p, struct check_sum *s, uint64_t *n)
{
	struct totals one;

	*s = (struct check_sum){ .directory = p->kind == PAGE_DIR_LEAF ||
					      p->kind == PAGE_DIR_INNER };
	*n = p->kind == PAGE_DIR_LEAF || p->kind == PAGE_EXTENT_LEAF ? p->n : 0;
	s->off = p->off;
	s->len = p->end - p->off;
	for (uint32_t i = 0; i < p->n; i++) {
		switch (p->kind) {
		case PAGE_DIR_LEAF:
			entry_totals(&p->entries[i], &one);
			totals_add(&s->totals, &one);
			break;
		case PAGE_DIR_INNER:
			totals_add(&s->totals, &p->inners[i].totals);
			*n += p->inners[i].n;
			break;
		case PAGE_EXTENT_INNER:
			*n += p->inners[i].n;
			break;
		default:
			break;
		}
	}
}

static bool
begins_with(const struct page *p, const struct check_page *said)
{
	const uint8_t *first;
	uint32_t len;

	if (!said->first)
		return true;
	if (p->kind == PAGE_DIR_LEAF) {
		first = p->entries[0].name;
		len = p->entries[0].name_len;
	} else {
		first = p->inners[0].first;
		len = p->inners[0].first_len;
	}
	return len == said->first_len && !memcmp(first, said->first, len);
}

const char *
check_page_differs(const struct page *p, const struct check_page *said)
{
	struct check_sum s;
	uint64_t n;

	if (p->kind == PAGE_ROOT || p->n == 0)
		return "a page is empty or of the wrong kind";
	sum_page(p, &s, &n);
	if (s.directory != said->sum.directory)
		return "a page is of the wrong kind";
	if (check_sum_hash(&s) != check_sum_hash(&said->sum) ||
		(said->n && n != said->n) || !begins_with(p, said))
		return "a page is not what is said of it above";
	if (said->depth >= MAP_DEPTH_MAX)
		return "a map is too deep";
	return NULL;
}
