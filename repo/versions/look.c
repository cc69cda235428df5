/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The sum of the way: of each directory from the root to the path, and of the
 * path, what changes when something is created, removed, renamed or written
 * there: inode number, ctime, mtime and what goes with them.  Two lanes of 64
 * bits, mixed well; whoever can make them collide hides his own files.
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

static void
add(struct versions_state *s, uint64_t word)
{
	s->way[0] = mix(s->way[0] + word + 0x9e3779b97f4a7c15ULL);
	s->way[1] = mix((s->way[1] ^ word) * 0xd6e8feb86659fd93ULL + 1);
}

static void
add_time(struct versions_state *s, const struct timespec *t)
{
	add(s, (uint64_t)t->tv_sec);
	add(s, (uint64_t)t->tv_nsec);
}

static void
add_mark(struct versions_state *s, const uint8_t mark[VIEW_MARK_LEN])
{
	uint64_t words[(VIEW_MARK_LEN + 7) / 8] = { 0 };

	memcpy(words, mark, VIEW_MARK_LEN);
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		add(s, words[i]);
}

/*
 * Where the source's inode number is not known nothing tells that a file was
 * not changed and changed back: then no other snapshot is like this one.
 */
static void
add_node(struct versions_state *s, const struct view_attr *a,
	const struct view_mark *m)
{
	add(s, m->ino ? m->ino : ~(uint64_t)s->point);
	add(s, (uint64_t)a->mode << 32 | (m->ino != 0));
	add(s, (uint64_t)a->uid << 32 | a->gid);
	add_time(s, &a->mtime);
	add_time(s, &a->ctime);
}

/* The end of the way: what is there, all of it. */
static void
add_end(struct versions_state *s, enum versions_of of)
{
	add(s, 1);
	if (of == VERSIONS_OF_NAMES && S_ISDIR(s->attr.mode))
		return;
	add(s, s->attr.size);
	add(s, s->attr.rdev);
	add_mark(s, s->mark.content);
	add_mark(s, s->mark.xattrs);
}

/* -- The way --------------------------------------------------------------- */

/* One step: to the entry called name, if s is a directory that has it. */
static int
step(struct view *v, struct versions_state *s, const char *name, size_t len,
	struct err *e)
{
	struct err none = ERR_INIT;
	int r = -ENOENT;

	if (S_ISDIR(s->attr.mode))
		r = view_lookup(
			v, s->attr.node, name, len, &s->attr, e ? e : &none);
	if (r != -ENOENT)
		return r;
	if (e)
		*e = none;
	s->attr.mode = 0;
	return 0;
}

static int
walk(struct view *v, const char *path, struct versions_state *s, struct err *e)
{
	int r = view_attr(v, VIEW_ROOT, &s->attr, e);

	while (r == 0 && s->attr.mode != 0) {
		size_t len = strcspn(path, "/");

		r = view_mark(v, s->attr.node, &s->mark, e);
		if (r == 0)
			add_node(s, &s->attr, &s->mark);
		if (r != 0 || len == 0)
			break;
		r = step(v, s, path, len, e);
		path += len + (path[len] == '/');
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

	s->way[0] = s->way[1] = 0;
	if (q->listing->points[source->first_point + s->point].damaged)
		return err_set(e, EBADMSG, "its record is damaged");
	r = versions_open_view(q, s->point, &v, e);
	if (r == 0)
		r = walk(v, q->path, s, e);
	if (r == 0 && s->attr.mode != 0)
		add_end(s, q->of);
	return r;
}
