/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What tells of a path at two snapshots that it was the same between them.
 *
 * Whatever is written to, renamed or linked gets a new ctime, a directory also
 * when a name in it is created, removed or renamed.  So a file with the same
 * inode number and ctime was neither changed nor moved.  And a name leads to the
 * same directory if that has the same ctime, or if it is the same inode number
 * and the directory above has the same ctime: then no name came or went there.
 * That files come and go in a directory on the way therefore does not matter,
 * unless they do so in the one above, too.
 *
 * Sums are 64 bits, mixed well; whoever can make them collide hides his own
 * files.
 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include "repo/base/auto.h"
#include "repo/versions/look.h"

/* -- Sums ------------------------------------------------------------------ */

/* Every bit of the result depends on every bit of x (splitmix64). */
static uint64_t
mix(uint64_t x)
{
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
	return x ^ (x >> 31);
}

static uint64_t
sum(uint64_t h, uint64_t word)
{
	return mix((h ^ word) * 0xd6e8feb86659fd93ULL + 0x9e3779b97f4a7c15ULL);
}

static uint64_t
sum_time(uint64_t h, const struct timespec *t)
{
	return sum(sum(h, (uint64_t)t->tv_sec), (uint64_t)t->tv_nsec);
}

/*
 * Where the source's inode number is not known nothing tells that a file was
 * not changed and changed back: then no other snapshot is like this one.
 */
static struct versions_level
level_of(const struct versions_state *s)
{
	const struct view_attr *a = &s->attr;
	uint64_t h = sum(s->mark.ino != 0,
		s->mark.ino ? s->mark.ino : (uint64_t)s->point);
	struct versions_level l = { .is = sum(h, a->mode & S_IFMT) };

	h = sum(sum(l.is, a->mode), (uint64_t)a->uid << 32 | a->gid);
	l.self = sum_time(sum_time(h, &a->mtime), &a->ctime);
	return l;
}

static void
add(struct versions_state *s, uint64_t word)
{
	s->end = sum(s->end, word);
}

static void
add_mark(struct versions_state *s, const uint8_t mark[VIEW_MARK_LEN])
{
	uint64_t words[(VIEW_MARK_LEN + 7) / 8] = { 0 };

	memcpy(words, mark, VIEW_MARK_LEN);
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		add(s, words[i]);
}

/* A directory on the way.  Those far down have to be the same in all. */
static void
add_level(struct versions_state *s)
{
	struct versions_level l = level_of(s);

	if (s->n_levels < VERSIONS_LEVELS)
		s->level[s->n_levels++] = l;
	else
		add(s, l.self);
}

/* What is there, all of it. */
static void
add_end(struct versions_state *s, enum versions_of of)
{
	add(s, level_of(s).self);
	if (of == VERSIONS_OF_NAMES && S_ISDIR(s->attr.mode))
		return;
	add(s, s->attr.size);
	add(s, s->attr.rdev);
	add_mark(s, s->mark.content);
	add_mark(s, s->mark.xattrs);
}

/* Nothing is there: the last level has no such name, or is no directory. */
static void
add_nothing(struct versions_state *s)
{
	add(s, level_of(s).self);
	s->attr.mode = 0;
}

bool
look_same_way(const struct versions_state *a, const struct versions_state *b)
{
	if (a->rc != 0 || b->rc != 0 || a->n_levels != b->n_levels ||
		a->end != b->end || !a->attr.mode != !b->attr.mode)
		return false;
	for (uint32_t i = 0; i < a->n_levels; i++) {
		const struct versions_level *x = &a->level[i],
					    *y = &b->level[i];
		bool held = i == 0 || x[-1].self == y[-1].self;

		if (x->self != y->self && !(held && x->is == y->is))
			return false;
	}
	return true;
}

/* -- The way --------------------------------------------------------------- */

/* One step: to the entry called name, if s is a directory that has it. */
static int
step(struct view *v, struct versions_state *s, const char *name, size_t len,
	struct err *e)
{
	struct err why = ERR_INIT;
	struct view_attr a;
	int r = -ENOENT;

	if (S_ISDIR(s->attr.mode))
		r = view_lookup(v, s->attr.node, name, len, &a, &why);
	if (r == 0) {
		add_level(s);
		s->attr = a;
		return view_mark(v, a.node, &s->mark, e);
	}
	if (r == -ENOENT) {
		add_nothing(s);
		return 0;
	}
	if (e)
		*e = why;
	return r;
}

static int
start(struct view *v, struct versions_state *s, struct err *e)
{
	int r = view_attr(v, VIEW_ROOT, &s->attr, e);

	s->n_levels = 0;
	s->end = 0;
	return r ? r : view_mark(v, VIEW_ROOT, &s->mark, e);
}

static int
walk(const struct versions_query *q, struct view *v, struct versions_state *s,
	struct err *e)
{
	size_t at = versions_recall_way(q, s);
	int r = at == 0 ? start(v, s, e) : 0;

	while (r == 0 && q->path[at] && s->attr.mode != 0) {
		size_t len = strcspn(q->path + at, "/");

		if (!q->path[at + len] && at > 0)
			versions_keep_way(q, s, at - 1);
		r = step(v, s, q->path + at, len, e);
		at += len + (q->path[at + len] == '/');
	}
	return r;
}

int
look_at(const struct versions_query *q, struct versions_state *s, struct err *e)
{
	const struct history_source *source =
		&q->listing->sources[q->source];
	auto_view struct view *v = NULL;
	int r;

	if (q->listing->points[source->first_point + s->point].damaged)
		return err_set(e, EBADMSG, "its record is damaged");
	r = versions_open_view(q, s->point, &v, e);
	if (r == 0)
		r = walk(q, v, s, e);
	if (r == 0 && s->attr.mode != 0)
		add_end(s, q->of);
	return r;
}
