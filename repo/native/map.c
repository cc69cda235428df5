/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include "repo/native/map.h"

enum by { BY_NAME, BY_NODE, BY_POSITION, BY_OFFSET };

struct search {
	enum by by;
	const uint8_t *name;
	size_t name_len;
	uint64_t key;
};

/* What is known of a page before it is looked at. */
struct claim {
	const struct ref *ref;
	uint64_t span;
	uint64_t n;   /* map entries below it; 0 not known */
	uint64_t off; /* extents */
	const uint8_t *first; /* directories: its first name, or NULL */
	uint32_t first_len;
	const uint8_t *end; /* names in it are smaller, or NULL */
	uint32_t end_len;
};

void
map_at_release(struct map_at *at)
{
	cached_page_put(steal(at->leaf));
}

static bool
is_leaf(const struct page *p)
{
	return p->kind == PAGE_DIR_LEAF || p->kind == PAGE_EXTENT_LEAF;
}

static int
compare(const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len)
{
	int c = memcmp(a, b, a_len < b_len ? a_len : b_len);

	return c ? c : (a_len > b_len) - (a_len < b_len);
}

/* -- Comparing a page with what the page above says ------------------------ */

static bool
directory_fits(const struct page *p, const struct claim *c)
{
	const struct entry *first = p->entries, *last = p->entries + p->n - 1;

	if (p->nodes_before[p->n] != c->span)
		return false;
	if (p->kind == PAGE_DIR_INNER) {
		const struct inner *in = p->inners;

		return (!c->first || !compare(in->first, in->first_len,
						 c->first, c->first_len)) &&
		       (!c->end || compare(in[p->n - 1].first,
					   in[p->n - 1].first_len, c->end,
					   c->end_len) < 0);
	}
	return (!c->first || !compare(first->name, first->name_len, c->first,
				     c->first_len)) &&
	       (!c->end || compare(last->name, last->name_len, c->end,
				   c->end_len) < 0);
}

static bool
extents_fit(const struct page *p, const struct claim *c)
{
	return p->off == c->off && p->end - p->off == c->span;
}

static int
check(const struct map *m, const struct page *p, const struct claim *c,
	struct err *e)
{
	bool dir = p->kind == PAGE_DIR_LEAF || p->kind == PAGE_DIR_INNER;
	bool extents = p->kind == PAGE_EXTENT_LEAF ||
		       p->kind == PAGE_EXTENT_INNER;
	uint64_t n;

	if (m->kind == MAP_DIRECTORY ? !dir : !extents)
		return err_set(e, EUCLEAN, "a page is of the wrong kind");
	if (p->n == 0)
		return err_set(e, EUCLEAN, "a page is empty");
	n = is_leaf(p) ? p->n : p->n_before[p->n];
	if ((c->n && n != c->n) ||
		!(dir ? directory_fits(p, c) : extents_fit(p, c)))
		return err_set(e, EUCLEAN,
			"a page is not what the page above it says");
	return 0;
}

/* -- Choosing within a page ------------------------------------------------ */

/* The last i below n with sums[i] <= key. */
static uint32_t
last_not_above(const uint64_t *sums, uint32_t n, uint64_t key)
{
	uint32_t lo = 0;

	while (n - lo > 1) {
		uint32_t mid = lo + (n - lo) / 2;

		if (sums[mid] <= key)
			lo = mid;
		else
			n = mid;
	}
	return lo;
}

static uint32_t
choose_by_name(const struct page *p, const struct search *s)
{
	bool leaf = is_leaf(p);
	uint32_t lo = 0, n = p->n;

	while (n - lo > 1) {
		uint32_t mid = lo + (n - lo) / 2;
		const uint8_t *name =
			leaf ? p->entries[mid].name : p->inners[mid].first;
		size_t len = leaf ? p->entries[mid].name_len
				  : p->inners[mid].first_len;

		if (compare(name, len, s->name, s->name_len) <= 0)
			lo = mid;
		else
			n = mid;
	}
	return lo;
}

static uint32_t
choose_by_offset(const struct page *p, uint64_t off)
{
	uint32_t lo = 0, n = p->n;

	while (n - lo > 1) {
		uint32_t mid = lo + (n - lo) / 2;

		if (p->inners[mid].off <= off)
			lo = mid;
		else
			n = mid;
	}
	return lo;
}

/* s->key counts from the page's first entry. */
static uint32_t
choose(const struct page *p, const struct search *s)
{
	switch (s->by) {
	case BY_NAME:
		return choose_by_name(p, s);
	case BY_NODE:
		return last_not_above(p->nodes_before, p->n, s->key);
	case BY_POSITION:
		return is_leaf(p) ? (uint32_t)s->key
				  : last_not_above(p->n_before, p->n, s->key);
	default:
		return choose_by_offset(p, s->key);
	}
}

static void
choose_in_leaf(
	const struct page *p, const struct search *s, struct map_at *at)
{
	if (s->by == BY_OFFSET) {
		at->i = page_extent_at(p, s->key, &at->extent);
		return;
	}
	at->i = choose(p, s);
	if (p->kind == PAGE_EXTENT_LEAF)
		page_extent(p, at->i, &at->extent);
}

/* -- Going down -------------------------------------------------------------- */

/* How long a page is with what comes along. */
static size_t
spine_of(const struct map *m, const struct claim *c)
{
	if (c->ref != m->ref)
		return 0;
	return !m->spine && m->kind == MAP_DIRECTORY ? PAGE_SPINE_LEN
						      : m->spine;
}

static int
fetch_page(const struct map *m, const struct claim *c,
	struct cached_page **cp, struct err *e)
{
	int r = 0;

	if (c->ref && m->passed)
		m->passed(m->passed_ctx, c->ref);
	if (!c->ref) {
		*cp = cached_page_get(m->root);
	} else if (m->missing) {
		*cp = page_cache_take(m->pages, c->ref);
		if (!*cp) {
			*m->missing = *c->ref;
			return -EAGAIN;
		}
	} else {
		r = page_cache_get_root(
			m->pages, c->ref, spine_of(m, c), cp, e);
	}
	if (!r)
		r = check(m, (*cp)->page, c, e);
	if (r)
		cached_page_put(steal(*cp));
	return r;
}

/* What page p says about its child i. */
static void
claim_child(const struct map *m, const struct page *p, uint32_t i,
	struct claim *c)
{
	const struct inner *in = &p->inners[i];

	c->ref = &in->ref;
	c->n = in->n;
	if (m->kind == MAP_EXTENTS) {
		c->off = in->off;
		c->span = in->len;
		return;
	}
	c->span = in->totals.entries;
	c->first = in->first;
	c->first_len = in->first_len;
	if (i + 1 < p->n) {
		c->end = in[1].first;
		c->end_len = in[1].first_len;
	}
}

/* Add what lies before child i, and make the key count from the child. */
static void
pass_before(const struct page *p, uint32_t i, struct search *s,
	struct map_at *at)
{
	at->n_before += p->n_before[i];
	at->nodes_before += p->nodes_before[i];
	if (s->by == BY_NODE)
		s->key -= p->nodes_before[i];
	else if (s->by == BY_POSITION)
		s->key -= p->n_before[i];
}

/* To the leaf that has what is searched, if the map has it; at->i is chosen. */
static int
descend(const struct map *m, struct search *s, struct map_at *at,
	struct err *e)
{
	struct claim c = { .ref = m->root ? NULL : m->ref, .span = m->span };
	/* Pages above, because claims borrow names from them. */
	auto_cached_page struct cached_page *above = NULL;
	auto_cached_page struct cached_page *cp = NULL;
	int r = fetch_page(m, &c, &cp, e);

	at->n_before = at->nodes_before = 0;
	at->depth = 0;
	for (int depth = 1; !r && !is_leaf(cp->page); depth++) {
		uint32_t i = choose(cp->page, s);

		if (depth == MAP_DEPTH_MAX)
			return err_set(e, EUCLEAN, "a map is too deep");
		if (s->by == BY_POSITION &&
			s->key >= cp->page->n_before[cp->page->n])
			return -ENOENT;
		pass_before(cp->page, i, s, at);
		at->depth++;
		c.end = NULL;
		claim_child(m, cp->page, i, &c);
		cached_page_put(above);
		above = steal(cp);
		r = fetch_page(m, &c, &cp, e);
	}
	if (r)
		return r;
	if (s->by == BY_POSITION && s->key >= cp->page->n)
		return -ENOENT;
	choose_in_leaf(cp->page, s, at);
	at->leaf = steal(cp);
	return 0;
}

int
map_find_name(const struct map *m, const void *name, size_t len,
	struct map_at *at, struct err *e)
{
	struct search s = { .by = BY_NAME, .name = name, .name_len = len };
	const struct entry *en;
	int r;

	map_at_release(at);
	r = descend(m, &s, at, e);
	if (r)
		return r;
	en = map_at_entry(at);
	if (en->name_len == len && !memcmp(en->name, name, len))
		return 0;
	map_at_release(at);
	return -ENOENT;
}

int
map_find_node(const struct map *m, uint64_t node, struct map_at *at,
	struct err *e)
{
	struct search s = { .by = BY_NODE, .key = node };

	map_at_release(at);
	if (node >= m->span)
		return -ENOENT;
	return descend(m, &s, at, e);
}

int
map_find_position(const struct map *m, uint64_t position, struct map_at *at,
	struct err *e)
{
	struct search s = { .by = BY_POSITION, .key = position };

	map_at_release(at);
	return descend(m, &s, at, e);
}

int
map_find_offset(const struct map *m, uint64_t off, struct map_at *at,
	struct err *e)
{
	struct search s = { .by = BY_OFFSET, .key = off };

	map_at_release(at);
	if (off >= m->span)
		return -ENOENT;
	return descend(m, &s, at, e);
}

int
map_next(const struct map *m, struct map_at *at, struct err *e)
{
	const struct page *p = at->leaf->page;

	if (at->i + 1 < p->n) {
		at->i++;
		if (m->kind == MAP_EXTENTS)
			page_extent(p, at->i, &at->extent);
		return 0;
	}
	if (m->kind == MAP_DIRECTORY)
		return map_find_position(m, at->n_before + p->n, at, e);
	return map_find_offset(m, p->end, at, e);
}

/* The children of p behind number i that are not in memory. */
static uint32_t
absent_after(const struct map *m, const struct page *p, uint32_t i,
	const struct ref **refs, uint32_t max)
{
	uint32_t n = 0;

	while (n < max && ++i < p->n) {
		const struct ref *r = &p->inners[i].ref;
		struct cached_page *cp = page_cache_peek(m->pages, r);

		if (!cp)
			refs[n++] = r;
		cached_page_put(cp);
	}
	return n;
}

uint32_t
map_following(const struct map *m, uint64_t position, const struct ref **refs,
	uint32_t max, struct cached_page **holder, uint32_t *left)
{
	struct search s = { .by = BY_POSITION, .key = position };
	auto_cached_page struct cached_page *cp =
		m->root ? cached_page_get(m->root)
			: page_cache_peek(m->pages, m->ref);

	*left = 0;
	for (int depth = 1; cp && !is_leaf(cp->page); depth++) {
		const struct page *p = cp->page;
		struct cached_page *child;
		uint32_t i;

		if (p->kind == PAGE_EXTENT_INNER || depth == MAP_DEPTH_MAX ||
			p->n == 0)
			return 0;
		i = choose(p, &s);
		s.key -= p->n_before[i];
		child = page_cache_peek(m->pages, &p->inners[i].ref);
		if (child && is_leaf(child->page)) {
			cached_page_put(child);
			*left = p->n - 1 - i;
			*holder = steal(cp);
			return absent_after(m, p, i, refs, max);
		}
		cached_page_put(cp);
		cp = child;
	}
	return 0;
}

bool
map_leaf(const struct map *m, uint64_t position, unsigned depth, struct ref *r,
	uint64_t *n_before)
{
	struct search s = { .by = BY_POSITION, .key = position };
	auto_cached_page struct cached_page *cp =
		m->root ? cached_page_get(m->root)
			: page_cache_peek(m->pages, m->ref);

	for (; cp && depth > 0; depth--) {
		const struct page *p = cp->page;
		struct cached_page *child;
		uint32_t i;

		if (p->kind != PAGE_DIR_INNER || p->n == 0 ||
			s.key >= p->n_before[p->n])
			return false;
		i = choose(p, &s);
		s.key -= p->n_before[i];
		*r = p->inners[i].ref;
		*n_before = position - s.key;
		if (depth == 1)
			return true;
		child = page_cache_peek(m->pages, r);
		cached_page_put(cp);
		cp = child;
	}
	return false;
}
