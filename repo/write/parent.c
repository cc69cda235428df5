/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <string.h>
#include "repo/base/log.h"
#include "repo/write/parent.h"
#include "repo/write/spread.h"

struct step {
	struct page *page;
	uint8_t *bytes;
	uint32_t i; /* the entry or child that comes next */
};

/* Of pages, sealed; decoded they take a few times as much. */
#define FAR_STRETCH_MAX (1u << 20)

struct parent_dir {
	struct parent_walk *walk;
	struct step steps[MAP_DEPTH_MAX]; /* from the root page down */
	unsigned n;
	struct extent extent; /* given last */
	bool extents; /* of a file, not the entries of a directory */
	bool broken, avoided; /* a page could not be read; lies badly */
};

static const char *
what(const struct parent_dir *pd)
{
	return pd->extents ? "a file" : "a directory";
}

static void
pop(struct parent_dir *pd)
{
	struct step *s = &pd->steps[--pd->n];

	page_free(s->page);
	free(s->bytes);
	memset(s, 0, sizeof(*s));
}

static bool
is_expected(const struct parent_dir *pd, const struct page *p)
{
	return pd->extents ? p->kind == PAGE_EXTENT_LEAF ||
				     p->kind == PAGE_EXTENT_INNER
			   : p->kind == PAGE_DIR_LEAF ||
				     p->kind == PAGE_DIR_INNER;
}

/* Take over bytes as the next page below; forget everything when it is none. */
static bool
push(struct parent_dir *pd, uint8_t *bytes, size_t len)
{
	struct err e = ERR_INIT;
	struct step *s;

	if (pd->n == MAP_DEPTH_MAX) {
		free(bytes);
		return false;
	}
	s = &pd->steps[pd->n];
	if (!page_decode(bytes, len, &s->page, &e) &&
		!is_expected(pd, s->page))
		err_set(&e, EUCLEAN, "a page of another kind");
	if (e.code) {
		log_warn("%s of the snapshot before: %s", what(pd), e.text);
		page_free(steal(s->page));
		free(bytes);
		return false;
	}
	s->bytes = bytes;
	s->i = 0;
	pd->n++;
	return true;
}

/* Every page of the snapshot before is going to be asked for. */
static void
bring(struct parent_walk *pw, const struct ref *r)
{
	auto_frame struct frame *there = NULL;

	if (!pw->far)
		return;
	there = fetch_peek(pw->fetch, &r->place);
	if (!there)
		fetch_stretch(pw->fetch, &r->place,
			stretches_begin(&pw->stretches, &r->place,
				FAR_STRETCH_MAX));
}

/* What cannot be had for one reason is said once. */
static void
complain(const struct parent_dir *pd, int code, const struct err *e)
{
	struct parent_walk *pw = pd->walk;

	if (code != -EACCES)
		log_warn("%s of the snapshot before: %s", what(pd), e->text);
	else if (!pw->complained)
		log_warn("directories of the snapshot before cannot be read; "
			 "files in them are read again: %s",
			e->text);
	pw->complained |= code == -EACCES;
}

static bool
push_ref(struct parent_dir *pd, const struct ref *r)
{
	auto_frame struct frame *frame = NULL;
	struct err e = ERR_INIT;
	const uint8_t *data;
	int code;

	if (pd->walk->avoid)
		pd->avoided |= avoid_has(pd->walk->avoid, &r->place);
	bring(pd->walk, r);
	code = fetch_chunk(pd->walk->fetch, r, &frame, &data, &e);
	if (code) {
		complain(pd, code, &e);
		return false;
	}
	if (pd->walk->spread)
		spread_before(pd->walk->spread, r);
	return push(pd, xmemdup(data, r->chunk_len), r->chunk_len);
}

struct parent_dir *
parent_dir_open(struct parent_walk *pw, const struct entry *dir,
	const uint8_t *page, size_t len)
{
	struct parent_dir *pd = xcalloc(1, sizeof(*pd));

	pd->walk = pw;
	if (page && dir && dir->content == CONTENT_MAP && pw->spread)
		spread_before(pw->spread, &dir->ref);
	if (page)
		push(pd, xmemdup(page, len), len);
	else if (dir && dir->content == CONTENT_MAP)
		push_ref(pd, &dir->ref);
	return pd;
}

void
parent_dir_free(struct parent_dir *pd)
{
	if (!pd)
		return;
	while (pd->n)
		pop(pd);
	free(pd);
}

/* The leaf with entries left, or NULL when the directory is at its end. */
static struct step *
leaf(struct parent_dir *pd)
{
	while (pd->n) {
		struct step *s = &pd->steps[pd->n - 1];

		if (s->i == s->page->n) {
			pop(pd);
		} else if (s->page->kind == PAGE_DIR_LEAF ||
			   s->page->kind == PAGE_EXTENT_LEAF) {
			return s;
		} else if (!push_ref(pd, &s->page->inners[s->i++].ref)) {
			pd->broken = true;
			while (pd->n)
				pop(pd);
		}
	}
	return NULL;
}

static int
compare(const struct entry *en, const char *name, size_t len)
{
	size_t n = en->name_len < len ? en->name_len : len;
	int c = memcmp(en->name, name, n);

	if (c)
		return c;
	return en->name_len < len ? -1 : en->name_len > len;
}

const struct entry *
parent_dir_find(struct parent_dir *pd, const char *name, size_t len)
{
	struct step *s;

	while ((s = leaf(pd))) {
		const struct entry *en = &s->page->entries[s->i];
		int c = compare(en, name, len);

		if (c > 0)
			return NULL;
		if (c == 0)
			return en;
		s->i++;
	}
	return NULL;
}

/* -- The extents of a file ----------------------------------------------- */

struct parent_dir *
parent_extents_open(struct parent_walk *pw, const struct ref *root)
{
	struct parent_dir *pd = xcalloc(1, sizeof(*pd));

	pd->walk = pw;
	pd->extents = true;
	pd->broken = !push_ref(pd, root);
	return pd;
}

const struct extent *
parent_extents_next(struct parent_dir *pd)
{
	struct step *s = leaf(pd);

	if (!s)
		return NULL;
	page_extent(s->page, s->i++, &pd->extent);
	return &pd->extent;
}

bool
parent_extents_whole(const struct parent_dir *pd)
{
	return !pd->broken;
}

bool
parent_extents_avoided(const struct parent_dir *pd)
{
	return pd->avoided;
}
