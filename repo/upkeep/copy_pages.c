/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Two moments differ where their bytes come from different places: of a
 * repository's own databases that is told page by page, without reading any.
 * Where places are not told so exactly, bytes are compared.
 */
#include "repo/upkeep/copy_pages.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "repo/base/auto.h"
#include "repo/base/buf.h"
#include "repo/sqlite/database_view.h"
#include "repo/write/copy_read.h"
#include "repo/write/delta_writer.h"

#define PIECE (1u << 20)
#define HEADER_LEN 100

/* -- Reading ------------------------------------------------------------------- */

static int
read_exactly(struct copy_pages *p, uint64_t off, size_t len, uint8_t *to,
	struct err *e)
{
	while (len) {
		auto_view_data struct view_data d = VIEW_DATA_INIT;
		int r = view_read(p->view, p->node, off, len, &d, e);

		if (r)
			return r;
		if (!d.len)
			return err_set(e, EUCLEAN, "%s is shorter than it says",
				p->file);
		for (int i = 0; i < d.n; i++) {
			memcpy(to, d.iov[i].iov_base, d.iov[i].iov_len);
			to += d.iov[i].iov_len;
			off += d.iov[i].iov_len;
			len -= d.iov[i].iov_len;
		}
	}
	return 0;
}

int
copy_pages_read(void *ctx, uint32_t first, uint32_t n, void *buf, struct err *e)
{
	struct copy_pages *p = ctx;
	size_t len = (size_t)n * p->page_size;
	int r = read_exactly(
		p, (uint64_t)(first - 1) * p->page_size, len, buf, e);

	if (!r && p->check && first == p->checked + 1) {
		view_check_add(p->check, buf, len);
		p->checked += n;
	}
	return r;
}

static bool
take_name(void *ctx, const struct view_dirent *d)
{
	struct copy_pages *p = ctx;

	if (d->attr.node == DATABASE_NODE) {
		memcpy(p->file, d->name, d->name_len);
		p->file[d->name_len] = '\0';
	}
	return true;
}

/* As its header says; 0 there is none. */
static int
read_page_size(struct copy_pages *p, struct err *e)
{
	uint8_t head[HEADER_LEN];
	int r = p->attr.size < HEADER_LEN
			? 0
			: read_exactly(p, 0, HEADER_LEN, head, e);

	p->page_size = 0;
	if (!r && p->attr.size >= HEADER_LEN &&
		!memcmp(head, "SQLite format 3", 16))
		p->page_size = head[16] << 8 | head[17];
	if (p->page_size == 1)
		p->page_size = 65536;
	return r;
}

int
copy_pages_open(struct view *v, struct copy_pages **out, struct err *e)
{
	struct copy_pages *p = xcalloc(1, sizeof(*p));
	char text[16] = "";
	struct view_about about;
	int r;

	p->view = view_get(v);
	p->node = DATABASE_RAW_NODE;
	r = view_list(v, VIEW_ROOT, 0, take_name, p, e);
	if (!r)
		r = view_attr(v, p->node, &p->attr, e);
	if (!r && view_xattr_get(v, p->node, "user.yore.page_size", text,
			  sizeof(text) - 1, NULL) > 0)
		p->page_size = (uint32_t)strtoul(text, NULL, 10);
	else if (!r)
		r = read_page_size(p, e);
	if (!r && (!*p->file || p->page_size < 512 || p->page_size > 65536 ||
			  p->page_size & (p->page_size - 1) ||
			  p->attr.size % p->page_size ||
			  p->attr.size / p->page_size > UINT32_MAX))
		r = -EUCLEAN;
	if (r == -EUCLEAN)
		err_set(e, EUCLEAN, "this is no database that can be copied");
	if (r) {
		copy_pages_free(p);
		return r;
	}
	p->n = (uint32_t)(p->attr.size / p->page_size);
	view_about(v, &about);
	p->path = about.path;
	*out = p;
	return 0;
}

void
copy_pages_free(struct copy_pages *p)
{
	if (!p)
		return;
	if (p->check)
		(void)view_check_end(p->check, NULL);
	view_put(p->view);
	free(p);
}

/* -- Proof --------------------------------------------------------------------------- */

int
copy_pages_prove(struct copy_pages *p, struct err *e)
{
	p->checked = 0;
	return view_check(p->view, p->node, &p->check, e);
}

int
copy_pages_proved(struct copy_pages *p, struct err *e)
{
	struct view_check *c = steal(p->check);
	int r;

	if (!c)
		return 0;
	r = view_check_end(c, e);
	return p->checked == p->n ? r : 0;
}

int
copy_pages_adopt(struct copy_pages *p, struct delta_writer *dw, struct err *e)
{
	const struct delta_writer_pages pages = { .page_size = p->page_size,
		.n = p->n,
		.read = copy_pages_read,
		.ctx = p };
	int r = copy_pages_prove(p, e);

	if (!r)
		r = delta_writer_adopt(dw, &pages, e);
	return r ? r : copy_pages_proved(p, e);
}

/* -- What differs ---------------------------------------------------------------------- */

static void
add_page(struct copy_changes *ch, uint32_t pgno)
{
	if (ch->n && ch->pgno[ch->n - 1] >= pgno)
		return;
	if (ch->n == ch->cap) {
		ch->cap = ch->cap ? ch->cap * 2 : 256;
		ch->pgno = xrealloc(ch->pgno, ch->cap * sizeof(*ch->pgno));
	}
	ch->pgno[ch->n++] = pgno;
}

static void
add_range(struct copy_changes *ch, uint64_t off, uint64_t end)
{
	uint32_t size = ch->now->page_size;

	for (uint64_t i = off / size; i * size < end; i++)
		add_page(ch, (uint32_t)i + 1);
}

static bool
same_place(const struct view_extent *a, const struct view_extent *b)
{
	if (a->hole || b->hole)
		return a->hole && b->hole;
	return a->object[0] && a->object_off == b->object_off &&
	       a->object_len == b->object_len && !strcmp(a->object, b->object);
}

/* The extent around off; NULL: places are not told for each byte once. */
static const struct view_extent *
extent_at(struct copy_extents *xs, uint64_t off, struct err *e)
{
	const struct view_extent *x;

	while (!copy_extents_peek(xs, &x, e) && x && x->off + x->len <= off)
		xs->i++;
	return x && x->off <= off && x->len ? x : NULL;
}

/* By places; -EOPNOTSUPP they do not suffice. */
static int
find_by_place(struct copy_changes *ch, struct copy_pages *before)
{
	struct copy_extents a = { .view = before->view, .node = before->node };
	struct copy_extents b = { .view = ch->now->view,
		.node = ch->now->node };
	uint64_t both = before->attr.size < ch->now->attr.size
				? before->attr.size
				: ch->now->attr.size;
	uint64_t off = 0, last_a = 0, last_b = 0, end;

	while (off < both) {
		const struct view_extent *x = extent_at(&a, off, NULL);
		const struct view_extent *y = extent_at(&b, off, NULL);

		/* layers over layers begin where others do, too */
		if (!x || !y || x->off < last_a || y->off < last_b)
			return -EOPNOTSUPP;
		last_a = x->off;
		last_b = y->off;
		end = x->off + x->len < y->off + y->len ? x->off + x->len
							: y->off + y->len;
		end = end < both ? end : both;
		if (!same_place(x, y))
			add_range(ch, off, end);
		off = end;
	}
	add_range(ch, both, ch->now->attr.size);
	return 0;
}

static int
find_by_bytes(struct copy_changes *ch, struct copy_pages *before, struct err *e)
{
	auto_free uint8_t *a = xmalloc(PIECE), *b = xmalloc(PIECE);
	struct copy_pages *now = ch->now;
	uint32_t size = now->page_size, per = PIECE / size, n;
	int r = 0;

	for (uint32_t i = 0; i < now->n && !r; i += n) {
		uint32_t old = i < before->n ? before->n - i : 0;

		n = now->n - i < per ? now->n - i : per;
		old = old < n ? old : n;
		r = copy_pages_read(now, i + 1, n, b, e);
		if (!r && old)
			r = copy_pages_read(before, i + 1, old, a, e);
		for (uint32_t k = 0; k < n && !r; k++) {
			if (k >= old || memcmp(a + (size_t)k * size,
						b + (size_t)k * size, size))
				add_page(ch, i + k + 1);
		}
	}
	return r;
}

static bool
look_at_places(struct copy_pages *p)
{
	struct copy_extents xs = { .view = p->view, .node = p->node };
	const struct view_extent *x;
	uint64_t off = 0;

	while (!copy_extents_peek(&xs, &x, NULL) && x) {
		if (x->off != off || (!x->hole && !x->object[0]))
			return false;
		off += x->len;
		xs.i++;
	}
	return off == p->attr.size;
}

/* Places are exact where a repository tells them: each byte has one. */
static bool
tells_places(struct copy_pages *p)
{
	if (p->places == PLACES_UNKNOWN)
		p->places = look_at_places(p) ? PLACES_TOLD : PLACES_NOT_TOLD;
	return p->places == PLACES_TOLD;
}

int
copy_changes_find(struct copy_changes *ch, struct copy_pages *before,
	struct err *e)
{
	if (before->page_size == ch->now->page_size && tells_places(before) &&
		tells_places(ch->now) && !find_by_place(ch, before))
		return 0;
	ch->n = 0;
	return find_by_bytes(ch, before, e);
}

void
copy_changes_release(struct copy_changes *ch)
{
	free(ch->pgno);
}

int
copy_changes_read(void *ctx, size_t i, void *buf, struct err *e)
{
	struct copy_changes *ch = ctx;

	return copy_pages_read(ch->now, ch->pgno[i], 1, buf, e);
}
