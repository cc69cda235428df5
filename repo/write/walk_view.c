/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The walk through a view, to be copied: every directory beside its counterpart
 * in the view that the snapshot before was copied from (source before) and in
 * that snapshot (target before).  What has the same mark in the source as before
 * is what the target has already: a whole directory costs one look.
 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include "repo/base/auto.h"
#include "repo/write/copy_read.h"
#include "repo/write/rehint.h"

/* Bytes of a chunk that may stay as it was cut. */
#define CHUNK_COPIED_MAX (4u << 20)

static const uint8_t unknown[VIEW_MARK_LEN];

/* -- The stack of directories ---------------------------------------------------- */

struct level {
	struct copy_dir *now, *before, *target;
	struct parent_dir *old;
	char *name;
};

struct walk {
	struct run *run;
	const struct backup_copy *c;
	struct view *before; /* or NULL, as target */
	struct level *levels;
	size_t n, cap;
	struct parent_walk parents;
	bool skips; /* directories that are the same */
};

/* An entry beside what it was. */
struct beside {
	const struct copy_entry *now;
	const char *name;
	uint64_t before, target; /* nodes */
	bool was;		 /* it was there */
	const struct entry *old; /* in the target; NULL: new */
	struct view_mark mark, mark_before;
};

static void
push(struct walk *w, const char *name, struct copy_dir *now, struct copy_dir *before,
	struct copy_dir *target, struct parent_dir *old)
{
	if (w->n == w->cap) {
		w->cap = w->cap ? w->cap * 2 : 64;
		w->levels = xrealloc(w->levels, w->cap * sizeof(*w->levels));
	}
	w->levels[w->n++] = (struct level){ .now = now,
		.before = before,
		.target = target,
		.old = old,
		.name = xstrdup(name) };
}

static void
pop(struct walk *w)
{
	struct level *l = &w->levels[--w->n];

	parent_dir_free(l->old);
	copy_dir_free(l->now);
	copy_dir_free(l->before);
	copy_dir_free(l->target);
	free(l->name);
}

/* What failed, whose sentence names it: there is no copy, unless that may
 * lack it. */
static int
failed(struct walk *w, const char *name, int r, struct err *e)
{
	auto_buf struct buf path = BUF_INIT;

	if (!w->c->lenient || r == -ECANCELED || r == -EINTR)
		return r;
	for (size_t i = 1; i < w->n; i++)
		buf_printf(&path, "%s/", w->levels[i].name);
	buf_printf(&path, "%s", name);
	run_report(w->run, (char *)path.data, -r, e->text);
	return 0;
}

/* -- Items ------------------------------------------------------------------------- */

static bool
same(const uint8_t a[VIEW_MARK_LEN], const uint8_t b[VIEW_MARK_LEN])
{
	return memcmp(a, unknown, VIEW_MARK_LEN) &&
	       !memcmp(a, b, VIEW_MARK_LEN);
}

static bool
same_content(const struct beside *b)
{
	return b->was && b->old &&
	       (b->old->mode & S_IFMT) == (b->now->attr.mode & S_IFMT) &&
	       (!S_ISREG(b->now->attr.mode) ||
		       b->old->size == b->now->attr.size) &&
	       same(b->mark.content, b->mark_before.content);
}

static void
set_attributes(struct run *run, struct entry *en, const struct view_attr *a,
	const struct view_mark *m)
{
	en->mode = a->mode;
	en->uid = a->uid;
	en->gid = a->gid;
	en->size = a->size;
	en->blocks = a->blocks;
	en->mtime_s = a->mtime.tv_sec;
	en->mtime_ns = (uint32_t)a->mtime.tv_nsec;
	en->ctime_s = a->ctime.tv_sec;
	en->ctime_ns = (uint32_t)a->ctime.tv_nsec;
	en->nlink = a->nlink;
	en->ino = m->ino;
	if (S_ISCHR(a->mode) || S_ISBLK(a->mode))
		en->rdev = a->rdev;
	if (S_ISDIR(a->mode) || !(a->ino & VIEW_INO_LINK))
		return;
	en->link = a->ino & (VIEW_INO_LINK - 1);
	if (en->link >= run->next_link)
		run->next_link = en->link + 1;
}

static struct item *
item_of(struct run *run, enum item_op op, const struct beside *b)
{
	struct item *it = run_item(run, op);

	it->name_at = job_keep(run->job, b->name, b->now->name_len + 1);
	it->en.name_len = (uint32_t)b->now->name_len;
	set_attributes(run, &it->en, &b->now->attr, &b->mark);
	it->node = b->now->attr.node;
	memcpy(it->theirs, b->mark.content, sizeof(it->theirs));
	return it;
}

static int
take_xattrs(struct walk *w, struct item *it, const struct beside *b,
	struct err *e)
{
	auto_buf struct buf x = BUF_INIT;
	struct run *run = w->run;
	int r;

	if (!b->now->attr.has_xattrs)
		return 0;
	if (b->was && b->old && b->old->xattrs_ref &&
		same(b->mark.xattrs, b->mark_before.xattrs)) {
		it->xattrs_ref = *b->old->xattrs_ref;
		it->reuse_xattrs_ref = !avoid_move(
			&run->avoid, run->w->index, &it->xattrs_ref);
		if (it->reuse_xattrs_ref)
			return 0;
	}
	r = copy_dir_xattrs(w->c->view, b->now->attr.node, &x, e);
	if (r)
		return failed(w, b->name, r, e);
	if (x.len) {
		it->xattrs_at = job_keep(run->job, x.data, x.len);
		it->en.xattrs_len = (uint32_t)x.len;
	}
	return 0;
}

/* As it is in the target: content, or all of a directory. */
static int
take_old(struct walk *w, const struct beside *b, const struct ref *at,
	struct err *e)
{
	struct item *it = item_of(w->run, ITEM_ENTRY, b);

	it->en.content = b->old->content;
	it->en.ref = *at;
	it->en.totals = b->old->totals;
	if (b->old->content == CONTENT_INLINE)
		it->data_at = job_keep(w->run->job, b->old->data, b->old->size);
	return take_xattrs(w, it, b, e);
}

/* -- Files ---------------------------------------------------------------------------- */

/* Whether chunks may stay as they are cut. */
static bool
is_cut(const struct view_extent *x)
{
	return x->hole || (x->len <= CHUNK_COPIED_MAX &&
				  memcmp(x->mark, unknown, VIEW_MARK_LEN));
}

struct big {
	struct walk *w;
	uint64_t node;
	struct copy_extents now, before, target;
};

static void
chunk(struct big *b, const struct view_extent *x)
{
	struct run *run = b->w->run;
	const struct view_extent *was = copy_extents_find(&b->before, x->off);
	const struct view_extent *has = copy_extents_find(&b->target, x->off);
	struct item *it = run_item(run, x->hole ? ITEM_HOLE : ITEM_CHUNK);

	it->en.size = x->len;
	if (x->hole)
		return;
	it->node = b->node;
	it->off = x->off;
	memcpy(it->theirs, x->mark, sizeof(it->theirs));
	it->ours = was && has && same(x->mark, was->mark) &&
		   has->len == x->len && !has->hole &&
		   memcmp(has->mark, unknown, VIEW_MARK_LEN);
	if (it->ours)
		memcpy(it->en.ref.id, has->mark, CHUNK_ID_LEN);
	run->job->bytes += x->len;
}

/* Chunk by chunk, as the other repository has cut it. */
static int
walk_chunks(struct big *b, uint64_t size, struct err *e)
{
	struct run *run = b->w->run;
	const struct view_extent *x;
	uint64_t off = 0;
	int r = run_flush(run, e);

	while (!r && off < size) {
		r = copy_extents_peek(&b->now, &x, e);
		if (!r && (!x || x->off != off || !is_cut(x)))
			r = err_set(e, EUCLEAN, "the extents of a file "
				"contradict each other");
		if (r)
			break;
		chunk(b, x);
		off += x->len;
		b->now.i++;
		if (run->job->bytes >= CHUNK_JOB_LEN ||
			run->job->n_items >= JOB_ITEMS / 2)
			r = run_flush(run, e);
		if (!r && run->o->interrupted && *run->o->interrupted)
			r = err_set(e, ECANCELED, "interrupted");
	}
	return r ? r : run_flush(run, e);
}

static int
big_file(struct walk *w, const struct beside *b, struct err *e)
{
	const struct view_attr *a = &b->now->attr;
	struct big *big = xcalloc(1, sizeof(*big));
	const struct view_extent *x;
	struct item *it;
	int bad = 0;
	int r;

	*big = (struct big){ .w = w, .node = a->node };
	big->now = (struct copy_extents){ .view = w->c->view, .node = a->node };
	if (b->was) {
		big->before.view = w->before;
		big->before.node = b->before;
		big->target.view = w->c->target;
		big->target.node = b->target;
	}
	item_of(w->run, ITEM_BEGIN, b);
	r = copy_extents_peek(&big->now, &x, NULL);
	if (!r && x && is_cut(x))
		r = walk_chunks(big, a->size, e);
	else
		r = run_walk_big_view(
			w->run, w->c->view, a->node, a->size, &bad, e);
	free(big);
	if (r || bad)
		r = failed(w, b->name, r ? r : -bad, e);
	if (r)
		return r;
	it = item_of(w->run, ITEM_END, b);
	it->dropped = bad;
	return take_xattrs(w, it, b, e);
}

/* Whether the file is one piece that fits a job of small files. */
static bool
is_small(struct walk *w, const struct beside *b)
{
	struct copy_extents one = { .view = w->c->view,
		.node = b->now->attr.node };
	const struct view_extent *x;

	if (b->now->attr.size > SMALL_FILE_MAX)
		return false;
	/* where it lies may not be known, or it lies in the entry */
	return copy_extents_peek(&one, &x, NULL) || !x ||
	       (!x->hole && x->len >= b->now->attr.size);
}

static int
regular(struct walk *w, const struct beside *b, struct err *e)
{
	struct run *run = w->run;
	uint64_t size = b->now->attr.size;
	struct item *it;
	int r = 0;

	run->result->files++;
	run->result->bytes += size;
	/* what lies where it must not be referred to goes by its chunks */
	if (same_content(b)) {
		struct ref at = b->old->ref;

		run->result->files_unchanged++;
		if (rehint_content(run, &w->parents, b->old, &at) ==
			REHINT_AS_IS)
			return take_old(w, b, &at, e);
	}
	if (b->old)
		run->result->files_changed++;
	else
		run->result->files_new++;
	if (size && !is_small(w, b))
		return big_file(w, b, e);
	if (run->job && run->job->bytes && run->job->bytes + size > SOLID_LEN)
		r = run_flush(run, e);
	if (r)
		return r;
	it = item_of(run, ITEM_FILE, b);
	run->job->bytes += size;
	return take_xattrs(w, it, b, e);
}

/* -- Everything else ------------------------------------------------------------------ */

static int
other(struct walk *w, const struct beside *b, struct err *e)
{
	struct item *it = item_of(w->run, ITEM_ENTRY, b);
	char target[4096];
	ssize_t n;

	w->run->result->others++;
	if (S_ISLNK(b->now->attr.mode)) {
		n = view_readlink(w->c->view, it->node, target, sizeof(target),
			e);
		if (n < 0) {
			it->dropped = true;
			return failed(w, b->name, (int)n, e);
		}
		it->en.content = CONTENT_INLINE;
		it->en.size = (uint64_t)n;
		it->data_at = job_keep(w->run->job, target, (size_t)n);
	}
	return take_xattrs(w, it, b, e);
}

static int
enter(struct walk *w, const struct beside *b, struct err *e)
{
	const struct view_attr *a = &b->now->attr;
	struct run *run = w->run;
	bool was = b->was && b->old && S_ISDIR(b->old->mode);
	struct item *it;
	int r;

	run->result->dirs++;
	if (w->skips && same_content(b) && b->old->content == CONTENT_MAP) {
		run->result->files += b->old->totals.files;
		run->result->files_unchanged += b->old->totals.files;
		run->result->bytes += b->old->totals.bytes;
		return take_old(w, b, &b->old->ref, e);
	}
	it = item_of(run, ITEM_ENTER, b);
	r = take_xattrs(w, it, b, e);
	if (r)
		return r;
	push(w, b->name, copy_dir_new(w->c->view, a->node),
		copy_dir_new(was ? w->before : NULL, b->before),
		copy_dir_new(was ? w->c->target : NULL, b->target),
		parent_dir_open(&w->parents, was ? b->old : NULL, NULL, 0));
	return 0;
}

/* What the entry at hand was. */
static int
look_back(struct walk *w, struct level *l, struct beside *b, struct err *e)
{
	const struct copy_entry *before, *target;
	int r = view_mark(w->c->view, b->now->attr.node, &b->mark, e);

	if (r || !w->before)
		return r;
	before = copy_dir_find(l->before, b->name, b->now->name_len);
	target = copy_dir_find(l->target, b->name, b->now->name_len);
	b->old = parent_dir_find(l->old, b->name, b->now->name_len);
	b->was = before && target && b->old;
	if (!b->was)
		return 0;
	b->before = before->attr.node;
	b->target = target->attr.node;
	if (view_mark(w->before, b->before, &b->mark_before, NULL))
		b->was = false;
	return 0;
}

static int
step(struct walk *w, struct err *e)
{
	struct level *l = &w->levels[w->n - 1];
	struct beside b = { .was = false };
	int r = copy_dir_peek(l->now, &b.now, e);

	if (r)
		r = failed(w, "", r, e);
	if (r)
		return r;
	if (!b.now) {
		run_item(w->run, ITEM_LEAVE);
		pop(w);
		return 0;
	}
	b.name = copy_dir_name(l->now, b.now);
	l->now->i++;
	r = look_back(w, l, &b, e);
	if (r)
		return failed(w, b.name, r, e);
	if (S_ISDIR(b.now->attr.mode))
		return enter(w, &b, e);
	if (S_ISREG(b.now->attr.mode))
		return regular(w, &b, e);
	return other(w, &b, e);
}

static int
begin(struct walk *w, struct err *e)
{
	const struct record *p = &w->run->parent;
	struct copy_entry root = { .name_len = 0 };
	struct beside b = { .now = &root, .name = "" };
	struct item *it;
	int r = view_attr(w->c->view, VIEW_ROOT, &root.attr, e);

	if (!r)
		r = view_mark(w->c->view, VIEW_ROOT, &b.mark, e);
	if (r)
		return r;
	it = item_of(w->run, ITEM_ENTER, &b);
	it->name_at = NOWHERE;
	r = take_xattrs(w, it, &b, e);
	if (r)
		return r;
	push(w, "", copy_dir_new(w->c->view, VIEW_ROOT),
		copy_dir_new(w->before, VIEW_ROOT),
		copy_dir_new(w->before ? w->c->target : NULL, VIEW_ROOT),
		parent_dir_open(&w->parents, w->before ? &p->root : NULL,
			w->before ? p->root_page : NULL, p->root_page_len));
	return 0;
}

/* Is the newest snapshot the one that the caller knows? */
static bool
knows_parent(const struct run *run)
{
	const struct backup_copy *c = run->o->copy;
	const struct record *p = &run->parent;

	return c->before && c->target && p->host && c->before_opaque_len &&
	       p->opaque_len == c->before_opaque_len &&
	       !memcmp(p->opaque, c->before_opaque, p->opaque_len);
}

int
run_walk_view(struct run *run, struct err *e)
{
	const struct backup_copy *c = run->o->copy;
	struct walk w = { .run = run,
		.c = c,
		.before = knows_parent(run) ? c->before : NULL,
		.parents = { .fetch = run->w->fetch,
			.spread = &run->spread,
			.avoid = &run->avoid,
			.far = !run->w->rp->store->local_path } };
	int r;

	run->first_link = UINT64_MAX; /* each name says all there is to say */
	/* pages that are to be gathered from many packs, and references to what
	 * is being pruned, have to be met */
	w.skips = !run->spread.n_gather && !run->rehint;
	if (w.before && w.skips)
		spread_carry(&run->spread, &run->parent);
	r = begin(&w, e);
	while (!r && w.n) {
		r = run_between(run, e);
		if (!r)
			r = step(&w, e);
	}
	if (!r)
		r = run_flush(run, e);
	while (w.n)
		pop(&w);
	free(w.levels);
	return r;
}
