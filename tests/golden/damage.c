/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include "repo/base/auto.h"
#include "repo/base/hex.h"
#include "tests/golden/damage.h"

#define HOLE_END (64u << 10)
#define ERRORS_WANTED 8

/* -- Places ------------------------------------------------------------------
 */

/* Undo \xNN, in place. */
static char *
unescape(char *text)
{
	char *to = text;

	for (const char *p = text; *p; to++) {
		char digits[3] = { 0 };

		if (*p != '\\') {
			*to = *p++;
			continue;
		}
		memcpy(digits, p + 2, 2);
		*to = (char)strtoul(digits, NULL, 16);
		p += 4;
	}
	*to = 0;
	return text;
}

static bool
parse(char *line, struct place *p)
{
	char what[16], path[8192], first[1100] = "", last[1100] = "";
	int n = sscanf(line,
		"%95s %" SCNu64 " %" SCNu64 " %40s %15s %8191s %1099s %1099s",
		p->object, &p->off, &p->len, p->id, what, path, first, last);

	if (n != 6 && n != 8)
		return false;
	p->what = what[0];
	p->path = unescape(xstrdup(path));
	p->first = unescape(xstrdup(first));
	p->last = unescape(xstrdup(last));
	return true;
}

int
places_load(const char *path, struct places *p)
{
	auto_fclose FILE *f = fopen(path, "r");
	auto_free char *line = xmalloc(16384);

	memset(p, 0, sizeof(*p));
	while (f && fgets(line, 16384, f)) {
		p->list = xrealloc(p->list, (p->n + 1) * sizeof(*p->list));
		if (!parse(line, &p->list[p->n]))
			return -1;
		p->n++;
	}
	return p->n ? 0 : -1;
}

void
places_release(struct places *p)
{
	for (size_t i = 0; i < p->n; i++) {
		free(p->list[i].path);
		free(p->list[i].first);
		free(p->list[i].last);
	}
	free(p->list);
}

/* -- What a frame may cost
 * ---------------------------------------------------------- */

void
damage_init(struct damage *d, const struct image *im)
{
	memset(d, 0, sizeof(*d));
	d->hidden = SIZE_MAX;
	d->may_lose = xcalloc(im->n + 1, sizeof(*d->may_lose));
	for (size_t i = 0; i < im->n; i++)
		d->may_lose[i] = xcalloc(im->trees[i].n, 1);
}

void
damage_release(struct damage *d, const struct image *im)
{
	for (size_t i = 0; i < im->n; i++)
		free(d->may_lose[i]);
	free(d->may_lose);
}

static void
mark(const struct image_tree *t, const struct place *p, uint8_t *may_lose)
{
	size_t at = 0;

	while (at < t->n && strcmp(t->entries[at].path, p->path))
		at++;
	if (at == t->n)
		return;
	may_lose[at] |= LEADS_TO_LOSS;
	for (size_t i = at; i; i = t->entries[i].parent)
		may_lose[t->entries[i].parent] |= LEADS_TO_LOSS;
	if (p->what == 'c')
		may_lose[at] |= MAY_LOSE_CONTENT;
	if (p->what == 'x')
		may_lose[at] |= MAY_LOSE_XATTRS;
	for (size_t i = at + 1; p->what == 'e' && i < t->n; i++) {
		const struct image_entry *en = &t->entries[i];

		if (en->parent == at && strcmp(en->name, p->first) >= 0 &&
			strcmp(en->name, p->last) <= 0)
			may_lose[i] |= MAY_LOSE_ENTRY;
	}
}

void
damage_set(struct damage *d, const struct image *im, const struct places *p,
	const char *object, uint64_t off)
{
	if (!strcmp(d->object, object) && d->off == off)
		return;
	snprintf(d->object, sizeof(d->object), "%s", object);
	d->off = off;
	d->any = false;
	for (size_t t = 0; t < im->n; t++) {
		memset(d->may_lose[t], 0, im->trees[t].n);
		for (size_t i = 0; i < p->n; i++) {
			if (strcmp(p->list[i].object, object) ||
				p->list[i].off != off ||
				strcmp(p->list[i].id, im->trees[t].id))
				continue;
			mark(&im->trees[t], &p->list[i], d->may_lose[t]);
			d->any = true;
		}
	}
}

/* -- Comparing
 * ------------------------------------------------------------------------ */

struct check {
	const struct image_tree *t;
	const struct damage *d;
	const uint8_t *may_lose;
	struct view *v;
	struct verdict *verdict;
};

static bool
wrong(struct check *c, size_t i, const char *what, int r)
{
	if (!*c->verdict->why)
		snprintf(c->verdict->why, sizeof(c->verdict->why),
			"%s %s: %s (%d)", c->t->id, c->t->entries[i].path, what,
			r);
	return false;
}

static bool
passed_over(const struct check *c, size_t i)
{
	return c->d->only && !c->may_lose[i];
}

/* An error r of entry i: of the right kind, and where it may be. */
static bool
forgiven(struct check *c, size_t i, unsigned what, int r)
{
	if (r != -EBADMSG && r != -EUCLEAN)
		return wrong(c, i, "an error that does not say damage", r);
	if (!(c->may_lose[i] & (what | MAY_LOSE_ENTRY)))
		return wrong(c, i, "lost, and the frame has nothing of it", r);
	c->verdict->errors++;
	return true;
}

/* Whether to ask for what may be lost: each time costs an unsealing in vain,
 * so that of many that share a frame only some are asked for. */
static bool
worth_asking(const struct check *c, size_t i, unsigned what)
{
	return !(c->may_lose[i] & (what | MAY_LOSE_ENTRY)) ||
	       c->verdict->errors < ERRORS_WANTED || i % 97 == 0;
}

static bool
same_attr(const struct view_attr *a, const struct view_attr *b)
{
	return a->node == b->node && a->ino == b->ino && a->size == b->size &&
	       a->blocks == b->blocks && a->rdev == b->rdev &&
	       a->mtime.tv_sec == b->mtime.tv_sec &&
	       a->mtime.tv_nsec == b->mtime.tv_nsec &&
	       a->ctime.tv_sec == b->ctime.tv_sec &&
	       a->ctime.tv_nsec == b->ctime.tv_nsec && a->mode == b->mode &&
	       a->uid == b->uid && a->gid == b->gid && a->nlink == b->nlink &&
	       a->has_xattrs == b->has_xattrs;
}

static bool
same_totals(const struct view_totals *a, const struct view_totals *b)
{
	return a->entries == b->entries && a->files == b->files &&
	       a->bytes == b->bytes && a->newest_ns == b->newest_ns &&
	       a->has_xattrs == b->has_xattrs && a->has_acl == b->has_acl;
}

/* 0 and all bytes right, 1 a wrong byte, or an error. */
static int
compare_range(struct check *c, const struct image_entry *en, uint64_t off,
	uint64_t end)
{
	while (off < end) {
		auto_view_data struct view_data d = VIEW_DATA_INIT;
		int r = view_read(
			c->v, en->attr.node, off, end - off, &d, NULL);

		if (r)
			return r;
		if (d.len == 0)
			return 1;
		for (int i = 0; i < d.n; i++) {
			size_t len = d.iov[i].iov_len;

			if (len > end - off ||
				memcmp(d.iov[i].iov_base, en->data + off, len))
				return 1;
			off += len;
		}
	}
	return 0;
}

/* Of a long hole both ends. */
static int
compare_extent(struct check *c, const struct image_entry *en,
	const struct view_extent *x)
{
	uint64_t end = x->off + x->len;
	int r;

	if (!x->hole || x->len <= 2 * HOLE_END)
		return compare_range(c, en, x->off, end);
	r = compare_range(c, en, x->off, x->off + HOLE_END);
	return r ? r : compare_range(c, en, end - HOLE_END, end);
}

/* In each piece that lies in one frame: right, or lost with that frame. */
static bool
check_content(struct check *c, size_t i)
{
	const struct image_entry *en = &c->t->entries[i];
	bool map = !strncmp(c->d->object, "meta/", 5);

	if (!worth_asking(c, i, MAY_LOSE_CONTENT))
		return true;
	for (size_t k = 0; k < en->n_extents; k++) {
		const struct view_extent *x = &en->extents[k];
		int r = compare_extent(c, en, x);

		if (r > 0)
			return wrong(c, i, "A WRONG BYTE IS SERVED", r);
		if (r && !forgiven(c, i, MAY_LOSE_CONTENT, r))
			return false;
		if (r && !map && !(c->may_lose[i] & MAY_LOSE_ENTRY) &&
			(x->hole || strcmp(x->object, c->d->object) ||
				x->object_off != c->d->off))
			return wrong(c, i, "lost beyond the frame", r);
	}
	return true;
}

static bool
check_xattrs(struct check *c, size_t i)
{
	const struct image_entry *en = &c->t->entries[i];
	auto_buf struct buf x = BUF_INIT;
	int r;

	if (!en->attr.has_xattrs) /* a promise: nobody needs to ask */
		return true;
	r = image_xattrs(c->v, en->attr.node, &x, NULL);
	if (r)
		return forgiven(c, i, MAY_LOSE_XATTRS, r);
	if (x.len != en->xattrs.len ||
		(x.len && memcmp(x.data, en->xattrs.data, x.len)))
		return wrong(c, i, "other extended attributes", 0);
	return true;
}

static bool check_below(struct check *c, size_t dir);

static bool
check_entry(struct check *c, size_t i)
{
	const struct image_entry *en = &c->t->entries[i];
	struct view_totals t;
	char target[4096];
	ssize_t n = 0;
	int r = 0;

	if (!check_xattrs(c, i))
		return false;
	if (S_ISREG(en->attr.mode))
		return check_content(c, i);
	if (S_ISLNK(en->attr.mode)) {
		n = view_readlink(
			c->v, en->attr.node, target, sizeof(target), NULL);
		if (n < 0)
			return forgiven(c, i, 0, (int)n);
		if ((size_t)n != strlen(en->target) ||
			memcmp(target, en->target, (size_t)n))
			return wrong(c, i, "another target", 0);
		return true;
	}
	if (!S_ISDIR(en->attr.mode))
		return true;
	r = view_totals(c->v, en->attr.node, &t, NULL);
	if (r)
		return forgiven(c, i, 0, r);
	if (!same_totals(&t, &en->totals))
		return wrong(c, i, "other totals", 0);
	return check_below(c, i);
}

struct cursor {
	struct check *c;
	size_t at;  /* the entry that comes next */
	size_t end; /* behind the directory's last */
	bool ok;
};

static size_t
after(const struct image_tree *t, size_t i)
{
	return i + 1 + t->entries[i].totals.entries;
}

static bool
compare_next(void *ctx, const struct view_dirent *d)
{
	struct cursor *cu = ctx;
	const struct image_entry *en = &cu->c->t->entries[cu->at];

	cu->ok = cu->at < cu->end && strlen(en->name) == d->name_len &&
		 !memcmp(en->name, d->name, d->name_len) &&
		 same_attr(&en->attr, &d->attr);
	if (cu->ok)
		cu->at = after(cu->c->t, cu->at);
	return cu->ok;
}

/* List; what the list did not come to is looked up. */
static bool
check_below(struct check *c, size_t dir)
{
	const struct image_entry *d = &c->t->entries[dir];
	struct cursor cu = { c, dir + 1, after(c->t, dir), true };
	int r = view_list(c->v, d->attr.node, 0, compare_next, &cu, NULL);

	if (!cu.ok)
		return wrong(c, dir, "lists something else", r);
	if (!r && cu.at != cu.end)
		return wrong(c, dir, "lists less, without an error", r);
	if (r && cu.at == cu.end)
		return wrong(c, dir, "an error behind its last entry", r);
	if (r && !forgiven(c, cu.at, MAY_LOSE_ENTRY, r))
		return false;
	for (size_t i = dir + 1; i < cu.end; i = after(c->t, i)) {
		const struct image_entry *en = &c->t->entries[i];
		struct view_attr a;

		r = 0;
		if (passed_over(c, i))
			continue;
		if (i >= cu.at) {
			if (!worth_asking(c, i, MAY_LOSE_ENTRY))
				continue;
			r = view_lookup(c->v, d->attr.node, en->name,
				strlen(en->name), &a, NULL);
			if (r && !forgiven(c, i, MAY_LOSE_ENTRY, r))
				return false;
			if (!r && !same_attr(&a, &en->attr))
				return wrong(c, i, "other attributes", 0);
		}
		if (!r && !check_entry(c, i))
			return false;
	}
	return true;
}

static bool
check_tree(struct history *h, const struct history_listing *l, size_t point,
	struct check *c)
{
	auto_view struct view *v = NULL;
	struct view_attr a;
	int r = 0;

	if (passed_over(c, 0))
		return true;
	r = history_open(h, l, point, &v, NULL);
	if (r)
		return wrong(c, 0, "does not open", r);
	c->v = v;
	r = view_attr(v, VIEW_ROOT, &a, NULL);
	if (r || !same_attr(&a, &c->t->entries[0].attr))
		return wrong(c, 0, "another root", r);
	return check_entry(c, 0);
}

static bool
same_point(const struct history_listing *l, const struct history_point *p,
	const struct image_tree *t)
{
	const struct history_source *s = &l->sources[p->source];
	auto_free char *source = xasprintf("%s/%s", s->host, s->name);

	if (strcmp(source, t->source) || p->seq != t->seq ||
		p->time_ns != t->time_ns || p->n_tags != t->n_tags ||
		p->damaged || !same_totals(&p->totals, &t->entries[0].totals))
		return false;
	for (size_t i = 0; i < t->n_tags; i++) {
		if (strcmp(p->tags[i], t->tags[i]))
			return false;
	}
	return true;
}

static bool
check_trees(struct history *h, const struct image *im, const struct damage *d,
	struct verdict *v, bool whole)
{
	auto_listing struct history_listing *l = history_listing(h);

	memset(v, 0, sizeof(*v));
	for (size_t i = 0; i < im->n; i++) {
		struct check c = { .t = &im->trees[i],
			.d = d,
			.may_lose = d->may_lose[i],
			.verdict = v };
		size_t point = history_find_id(l, c.t->id);

		if (d->hidden == i &&
			(point == HISTORY_NONE || l->points[point].damaged)) {
			v->errors++;
			continue;
		}
		if (point == HISTORY_NONE ||
			!same_point(l, &l->points[point], c.t))
			return wrong(&c, 0, "is missing, or another", 0);
		if (whole && d->hidden != i && !check_tree(h, l, point, &c))
			return false;
	}
	if (l->n_points > im->n)
		snprintf(v->why, sizeof(v->why), "there are more snapshots");
	return !*v->why;
}

bool
damage_check(struct history *h, const struct image *im, const struct damage *d,
	struct verdict *v)
{
	return check_trees(h, im, d, v, true);
}

bool
damage_check_listing(struct history *h, const struct image *im,
	const struct damage *d, struct verdict *v)
{
	return check_trees(h, im, d, v, false);
}
