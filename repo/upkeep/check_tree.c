/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Everything below a record.  Each page is read once over all records; what it
 * is in sum stays in memory (struct check_seen), so that what any other page
 * says of it is compared without reading it again.  Only what a fault lies
 * below is gone through again for each snapshot, in order to name what the
 * fault touches.
 *
 * Pages lie behind what they lead to, in the order of the walk, so that reading
 * them takes few requests (stretch.h).
 */
#include "repo/upkeep/check_page.h"

#include <sys/stat.h>
#include <errno.h>
#include <string.h>
#include "repo/base/bytes.h"
#include "repo/base/hex.h"

/* Memory for the path that is being walked: children that are still to come. */
#define PENDING_MAX (32u << 20)

struct level {
	struct check_page *children;
	size_t n, i, cap;
	struct buf names;
	size_t path_len; /* of what the page belongs to */
	uint8_t key[CHECK_SEEN_KEY];
	bool tainted;
	size_t memory;
};

struct walk {
	struct check *c;
	const struct record *rec;
	char *label;
	char id[HISTORY_ID_MAX + 1];
	struct buf path; /* terminated */
	struct level *levels;
	size_t n, cap;
	size_t pending;		   /* bytes in levels */
	struct check_fault *fault; /* the last that was met */
};

static void
taint(struct check_pages *all, const uint8_t key[CHECK_SEEN_KEY])
{
	struct check_seen *s = check_seen_find(all, key);

	if (s)
		s->sum |= CHECK_TAINTED;
}

/* -- Naming
 * ------------------------------------------------------------------------ */

static void
set_path(struct walk *w, size_t len, const uint8_t *name, size_t name_len)
{
	w->path.len = len;
	if (len && name_len)
		buf_u8(&w->path, '/');
	if (name_len)
		buf_append(&w->path, name, name_len);
	*buf_reserve(&w->path, 1) = '\0';
}

/* What lies at the path that is set cannot be read, for that fault. */
static void
touch(struct walk *w, struct check_fault *f, enum check_part part)
{
	struct check_touched t = { .part = part,
		.snapshot = w->label,
		.path = w->path.len ? (char *)w->path.data
				    : (char *)(uintptr_t) "." };

	memcpy(t.id, w->id, sizeof(t.id));
	check_fault_touches(w->c, f, &t);
}

/* -- References to what is not read
 * -------------------------------------------------- */

/*
 * A chunk of content or attributes.  Its place is noted the first time
 * (unless the page it stands in is only gone through again).  Returns 1 when it
 * cannot be read, -errno.
 */
static int
refer(struct walk *w, const struct ref *r, enum check_part part, bool again,
	struct err *e)
{
	struct check *c = w->c;
	struct check_fault *f;
	struct ref better;
	int rc = 0;

	if (!again) {
		c->res->chunks++;
		rc = check_note(c, r, 0, e);
	}
	if (rc)
		return rc;
	if (check_place(c, &r->place, &f, e) == PLACE_GOOD)
		return 0;
	if (e->code)
		return -e->code;
	if (check_elsewhere(c, r, &better))
		return 0;
	touch(w, f, part);
	w->fault = f;
	return 1;
}

/* So much of a database's base is not to be had, for the fault that was met
 * last. */
static void
note_range(struct walk *w, uint64_t off, uint64_t len)
{
	struct check_ranges *bad = &w->c->bad;

	if (!w->rec->is_database || !w->fault)
		return;
	if (bad->n == bad->cap) {
		bad->cap = bad->cap ? 2 * bad->cap : 16;
		bad->r = xrealloc(bad->r, bad->cap * sizeof(*bad->r));
	}
	bad->r[bad->n++] = (struct check_range){ off, len, w->fault->number };
}

/* -- Levels
 * ------------------------------------------------------------------------------
 */

static struct level *
push(struct walk *w, const struct check_page *of, size_t path_len)
{
	struct level *l;

	if (w->n == w->cap) {
		w->cap = w->cap ? 2 * w->cap : 64;
		w->levels = xrealloc(w->levels, w->cap * sizeof(*w->levels));
	}
	l = &w->levels[w->n++];
	*l = (struct level){ .path_len = path_len };
	check_seen_key(&of->ref, l->key);
	return l;
}

static struct check_page *
add_child(struct level *l, const struct ref *r, unsigned depth)
{
	if (l->n == l->cap) {
		l->cap = l->cap ? 2 * l->cap : 8;
		l->children =
			xrealloc(l->children, l->cap * sizeof(*l->children));
	}
	l->children[l->n] =
		(struct check_page){ .ref = *r, .depth = (uint8_t)depth };
	return &l->children[l->n++];
}

static size_t
keep_name(struct level *l, const uint8_t *name, size_t len)
{
	size_t at = l->names.len;

	buf_append(&l->names, name, len);
	return at;
}

/* The map of a directory or of a file's extents. */
static void
add_map(struct level *l, const struct entry *en)
{
	struct check_page *ch = add_child(l, &en->ref, 0);

	ch->sum.directory = S_ISDIR(en->mode);
	if (ch->sum.directory)
		ch->sum.totals = en->totals;
	else
		ch->sum.len = en->size;
	ch->name_len = en->name_len;
	ch->name_at = keep_name(l, en->name, en->name_len);
}

/* Content and attributes of an entry; what lies in pages is added to the level.
 * 1: something of it cannot be read. */
static int
look_at_entry(struct walk *w, struct level *l, const struct entry *en,
	bool again, struct err *e)
{
	bool bad = false;
	int r = 0;

	set_path(w, l->path_len, en->name, en->name_len);
	if (en->content == CONTENT_CHUNK) {
		r = refer(w, &en->ref, CHECK_CONTENT, again, e);
		bad |= r == 1;
		if (r == 1)
			note_range(w, 0, en->size);
	}
	if (r >= 0 && en->xattrs_ref) {
		r = refer(w, en->xattrs_ref, CHECK_XATTRS, again, e);
		bad |= r == 1;
	}
	if (en->content == CONTENT_MAP)
		add_map(l, en);
	return r < 0 ? r : bad;
}

static void
add_inner(struct level *l, const struct page *p, const struct check_page *of,
	uint32_t i)
{
	const struct inner *in = &p->inners[i];
	struct check_page *ch = add_child(l, &in->ref, of->depth + 1u);

	ch->n = in->n;
	ch->sum.directory = p->kind == PAGE_DIR_INNER;
	if (!ch->sum.directory) {
		ch->sum.off = in->off;
		ch->sum.len = in->len;
		return;
	}
	ch->sum.totals = in->totals;
	/* no name: it is compared when the page is read */
	ch->first_len = in->first_len;
	ch->name_at = keep_name(l, in->first, in->first_len);
}

static int
look_at_extent(struct walk *w, const struct page *p, uint32_t i, bool again,
	struct err *e)
{
	struct extent x;
	int r;

	page_extent(p, i, &x);
	r = x.hole ? 0 : refer(w, &x.ref, CHECK_CONTENT, again, e);
	if (r == 1)
		note_range(w, x.off, x.len);
	return r;
}

static int
look_at_page(struct walk *w, struct level *l, const struct page *p,
	const struct check_page *of, bool again, struct err *e)
{
	int r = 0;

	for (uint32_t i = 0; i < p->n && r >= 0; i++) {
		if (p->kind == PAGE_DIR_LEAF)
			r = look_at_entry(w, l, &p->entries[i], again, e);
		else if (p->kind == PAGE_EXTENT_LEAF)
			r = look_at_extent(w, p, i, again, e);
		else
			add_inner(l, p, of, i);
		l->tainted |= r == 1;
	}
	l->memory = l->cap * sizeof(*l->children) + l->names.cap;
	w->pending += l->memory;
	if (r >= 0 && w->pending > PENDING_MAX)
		r = err_set(e, EFBIG,
			"%s: directories are too large and too deep", w->label);
	return r < 0 ? r : 0;
}

static void
pop(struct walk *w)
{
	struct level *l = &w->levels[--w->n];

	if (l->tainted) {
		taint(&w->c->pages, l->key);
		if (w->n)
			w->levels[w->n - 1].tainted = true;
	}
	w->pending -= l->memory;
	buf_release(&l->names);
	free(l->children);
}

/* -- The walk
 * ------------------------------------------------------------------------------
 */

/* What lies at the path is not to be had, for that fault. */
static int
lost_page(struct walk *w, const struct check_page *ch, struct check_fault *f,
	struct err *e)
{
	uint8_t key[CHECK_SEEN_KEY];
	int r;

	check_seen_key(&ch->ref, key);
	r = check_seen_add(
		&w->c->pages, key, check_sum_hash(&ch->sum) | CHECK_TAINTED, e);
	touch(w, f, ch->sum.directory ? CHECK_ENTRIES : CHECK_CONTENT);
	w->fault = f;
	/* points have the base's directory in their records */
	if (!ch->sum.directory)
		note_range(w, ch->sum.off, ch->sum.len);
	if (w->n)
		w->levels[w->n - 1].tainted = true;
	return r;
}

/* A page that is what it should be becomes a level. */
static int
enter(struct walk *w, const struct check_page *ch, const struct page *p,
	bool again, struct err *e)
{
	size_t path_len = w->path.len;
	struct level *l = push(w, ch, path_len);
	int r = 0;

	if (!again) {
		w->c->res->pages++;
		r = check_seen_add(
			&w->c->pages, l->key, check_sum_hash(&ch->sum), e);
	}
	if (!r)
		r = look_at_page(w, l, p, ch, again, e);
	return r;
}

/* The root page may stand in the record too, which is where readers take it
 * from.  0, or 1: it does not. */
static int
read_inline(
	struct walk *w, const struct ref *r, struct page **p, uint8_t **copy)
{
	const struct record *rec = w->rec;

	if (w->n != 1 || !rec->root_page || rec->root_page_len != r->chunk_len)
		return 1;
	return check_page_decode(w->c, r, rec->root_page, p, copy, NULL) ? 1
									 : 0;
}

/* The page that a child is, at the path that is set. */
static int
visit(struct walk *w, const struct check_page *ch, bool again, struct err *e)
{
	auto_free uint8_t *copy = NULL;
	struct check_fault *f = NULL;
	struct page *p = NULL;
	const char *why;
	int r = again ? 0 : check_note(w->c, &ch->ref, 0, e);

	if (!r)
		r = check_page_read(w->c, &ch->ref, &p, &copy, &f, e);
	if (r == 1)
		r = read_inline(w, &ch->ref, &p, &copy);
	if (r)
		return r == 1 ? lost_page(w, ch, f, e) : r;
	why = check_page_differs(p, ch);
	if (why) {
		f = check_fault_frame(w->c, CHECK_DAMAGED, &ch->ref.place, why);
		r = lost_page(w, ch, f, e);
	} else {
		r = enter(w, ch, p, again, e);
	}
	page_free(p);
	return r;
}

/* The next child of the uppermost level. */
static int
step(struct walk *w, struct err *e)
{
	struct level *l = &w->levels[w->n - 1];
	struct check_page ch = l->children[l->i++];
	const uint8_t *name = l->names.data + ch.name_at;
	uint8_t key[CHECK_SEEN_KEY];
	const struct check_seen *s;

	if (ch.first_len)
		ch.first = name;
	set_path(w, l->path_len, name, ch.name_len);
	check_seen_key(&ch.ref, key);
	s = check_seen_find(&w->c->pages, key);
	if (!s)
		return visit(w, &ch, false, e);
	if ((s->sum & ~CHECK_TAINTED) != check_sum_hash(&ch.sum)) {
		touch(w,
			check_fault_frame(w->c, CHECK_DAMAGED, &ch.ref.place,
				"a page is not what is said of it above"),
			CHECK_ENTRIES);
		l->tainted = true;
		return 0;
	}
	return s->sum & CHECK_TAINTED ? visit(w, &ch, true, e) : 0;
}

static int
walk_levels(struct walk *w, struct err *e)
{
	int r = 0;

	while (!r && w->n) {
		struct level *l = &w->levels[w->n - 1];

		r = check_tick(w->c, w->c->res->pages, 0, e);
		if (r)
			break;
		if (l->i == l->n)
			pop(w);
		else
			r = step(w, e);
	}
	while (w->n)
		pop(w);
	return r;
}

/* The root stands in the record: a level with its one entry. */
static int
walk_root(struct walk *w, struct err *e)
{
	static const struct check_page none;
	struct level *l = push(w, &none, 0);
	int r = look_at_entry(w, l, &w->rec->root, false, e);

	if (r < 0)
		return r;
	return walk_levels(w, e);
}

int
check_tree(struct check *c, const struct record *rec, struct err *e)
{
	struct walk w = { .c = c, .rec = rec, .label = check_label(rec) };
	int r;

	hex_encode(w.id, rec->id, OBJECT_ID_LEN);
	c->bad.n = 0;
	r = walk_root(&w, e);
	while (w.n)
		pop(&w);
	free(w.levels);
	free(w.label);
	buf_release(&w.path);
	return r;
}
