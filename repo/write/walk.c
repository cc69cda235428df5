/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The walk: every directory beside its counterpart in the snapshot before.
 * A file with the same size, times and inode is taken over as it is; all
 * others become jobs.  No recursion: trees may be deeper than stacks.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "repo/base/auto.h"
#include "repo/write/rehint.h"

struct level {
	struct scan_dir *dir;
	struct parent_dir *before;
	uint32_t i;
};

struct walk {
	struct run *run;
	struct level *levels;
	size_t n, cap;
	struct parent_walk before;
};

static void
push(struct walk *w, struct scan_dir *dir, struct parent_dir *before)
{
	if (w->n == w->cap) {
		w->cap = w->cap ? w->cap * 2 : 64;
		w->levels = xrealloc(w->levels, w->cap * sizeof(*w->levels));
	}
	w->levels[w->n++] = (struct level){ .dir = dir, .before = before };
}

static void
pop(struct walk *w)
{
	struct level *l = &w->levels[--w->n];

	parent_dir_free(l->before);
	scan_dir_put(w->run->scan, l->dir);
}

static void
report(struct run *run, struct scan_dir *d, const char *name, int code,
	const char *what)
{
	auto_buf struct buf path = BUF_INIT;
	struct err e = ERR_INIT;

	scan_dir_path(d, name, &path);
	err_sys(&e, code, "%s: %s", (char *)path.data, what);
	run_report(run, (char *)path.data, code, e.text);
}

static void
set_attributes(struct entry *en, const struct attributes *a)
{
	en->mode = a->mode;
	en->uid = a->uid;
	en->gid = a->gid;
	en->size = a->size;
	en->blocks = a->blocks;
	en->mtime_s = a->mtime_s;
	en->mtime_ns = a->mtime_ns;
	en->ctime_s = a->ctime_s;
	en->ctime_ns = a->ctime_ns;
	en->nlink = a->nlink;
	en->ino = a->ino;
	if (S_ISCHR(a->mode) || S_ISBLK(a->mode))
		en->rdev = a->rdev;
}

static bool
unchanged(const struct run *run, const struct entry *old,
	const struct attributes *a)
{
	return old && !run->o->force && (old->mode & S_IFMT) == (a->mode & S_IFMT) &&
	       old->ino == a->ino && old->mtime_s == a->mtime_s &&
	       old->mtime_ns == a->mtime_ns && old->ctime_s == a->ctime_s &&
	       old->ctime_ns == a->ctime_ns &&
	       (!S_ISREG(a->mode) || old->size == a->size);
}

/* An item with name and attributes of an entry. */
static struct item *
item_of(struct run *run, enum item_op op, const struct scan_dir *d,
	const struct scan_entry *se)
{
	struct item *it = run_item(run, op);

	it->name_at = job_keep(run->job, scan_name(d, se), se->name_len + 1u);
	it->en.name_len = se->name_len;
	set_attributes(&it->en, &se->a);
	return it;
}

/* -- Extended attributes ----------------------------------------------------- */

static void
take_xattrs_of(struct run *run, struct item *it, struct scan_dir *d,
	const char *name)
{
	auto_buf struct buf x = BUF_INIT;
	struct err e = ERR_INIT;
	int fd, r = scan_dir_open(run->scan, d, &fd, &e);

	if (!r) {
		r = attributes_xattrs(fd, name, &x, &e);
		scan_dir_close(run->scan, d);
	}
	if (r) {
		report(run, d, *name ? name : NULL, -r, "extended attributes");
	} else if (x.len) {
		it->xattrs_at = job_keep(run->job, x.data, x.len);
		it->en.xattrs_len = (uint32_t)x.len;
	}
}

/* As they were in the snapshot before; false: they are not there any more. */
static bool
reuse_xattrs(struct run *run, struct item *it, const struct entry *old)
{
	if (old->xattrs) {
		it->xattrs_at =
			job_keep(run->job, old->xattrs, old->xattrs_len);
		it->en.xattrs_len = old->xattrs_len;
	} else if (old->xattrs_ref) {
		it->xattrs_ref = *old->xattrs_ref;
		it->en.xattrs_len = 0;
		it->reuse_xattrs_ref = true;
		return !avoid_move(
			&run->avoid, run->w->index, &it->xattrs_ref);
	}
	return true;
}

static void
take_xattrs(struct run *run, struct item *it, struct scan_dir *d,
	const char *name, const struct entry *old, const struct attributes *a)
{
	if (unchanged(run, old, a) && reuse_xattrs(run, it, old))
		return;
	it->reuse_xattrs_ref = false;
	take_xattrs_of(run, it, d, name);
}

/* -- Files with several names ------------------------------------------------- */

static struct link *
link_cell(const struct run *run, uint64_t dev, uint64_t ino)
{
	size_t i = (ino * 0x9e3779b97f4a7c15 ^ dev) & (run->cap_links - 1);

	while (run->links[i].number &&
		(run->links[i].ino != ino || run->links[i].dev != dev))
		i = (i + 1) & (run->cap_links - 1);
	return &run->links[i];
}

static void
grow_links(struct run *run)
{
	struct link *old = run->links;
	size_t n = run->cap_links;

	run->cap_links = n ? n * 2 : 1024;
	run->links = xcalloc(run->cap_links, sizeof(*run->links));
	for (size_t i = 0; i < n; i++) {
		if (old[i].number)
			*link_cell(run, old[i].dev, old[i].ino) = old[i];
	}
	free(old);
}

/* The number of the file; *seen: another name of it came before. */
static uint64_t
link_number(struct run *run, const struct attributes *a, bool *seen)
{
	struct link *l;

	if (run->n_links * 2 >= run->cap_links)
		grow_links(run);
	l = link_cell(run, a->dev, a->ino);
	*seen = l->number;
	if (!*seen) {
		*l = (struct link){ .dev = a->dev,
			.ino = a->ino,
			.number = run->next_link++ };
		run->n_links++;
	}
	return l->number;
}

/* -- Entries ------------------------------------------------------------------ */

/* What the small files of a job have goes into one frame: room for one more. */
static int
room_for(struct run *run, uint64_t size, struct err *e)
{
	return run->job && run->job->bytes &&
			       run->job->bytes + size > SOLID_LEN
		       ? run_flush(run, e)
		       : 0;
}

/* The item, which was added last, is read by who works on the job. */
static void
will_read(struct run *run, struct item *it, struct scan_dir *d)
{
	it->dir = scan_dir_get(d);
	run->job->bytes += it->en.size;
}

/* A file as it was in the snapshot before: 1, or 0 when what that has of it is
 * not there any more. */
static int
entry_unchanged(struct walk *w, struct scan_dir *d,
	const struct scan_entry *se, const struct entry *old, struct err *e)
{
	struct run *run = w->run;
	struct ref ref = old->ref;
	enum rehint how = rehint_content(run, &w->before, old, &ref);
	bool again = how == REHINT_AS_IS && scatter_gathers(&run->scatter, old);
	struct item *it;
	int r;

	if (how == REHINT_LOST)
		return 0;
	r = again ? room_for(run, se->a.size, e) : 0;
	if (r)
		return r;
	it = item_of(run,
		how == REHINT_MAP ? ITEM_BEGIN
		: again		  ? ITEM_AGAIN
				  : ITEM_ENTRY,
		d, se);
	it->en.link = old->link;
	if (again)
		will_read(run, it, d);
	if (how == REHINT_MAP) {
		struct entry begun = it->en;

		r = rehint_items(run, &w->before, old, e);
		if (r)
			return r;
		it = run_item(run, ITEM_END);
		it->en = begun;
	} else {
		it->en.content = old->content;
		it->en.ref = ref;
		it->has_interior = old->interior != NULL;
		if (old->interior)
			it->interior = *old->interior;
	}
	if (old->content == CONTENT_INLINE)
		it->data_at = job_keep(run->job, old->data, old->size);
	take_xattrs(run, it, d, scan_name(d, se), old, &se->a);
	run->result->files_unchanged++;
	return 1;
}

static int
big_file(struct run *run, struct scan_dir *d, const struct scan_entry *se,
	uint64_t link, struct err *e)
{
	const char *name = scan_name(d, se);
	struct big_file f = { .job = &run->job, .dir = d, .name = name };
	struct item *it;
	int dirfd, fd, r = scan_dir_open(run->scan, d, &dirfd, e);

	if (r) {
		report(run, d, name, -r, "cannot be read");
		return 0;
	}
	fd = openat(dirfd, name,
		O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NOATIME | O_NONBLOCK);
	if (fd < 0 && errno == EPERM)
		fd = openat(dirfd, name,
			O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	r = errno;
	scan_dir_close(run->scan, d);
	if (fd < 0) {
		report(run, d, name, r, "cannot be read");
		return 0;
	}
	it = item_of(run, ITEM_BEGIN, d, se);
	it->en.link = link;
	f.begun = it->en;
	f.fd = fd;
	it->aside = aside_takes(run, se->a.size);
	if (it->aside)
		return aside_begin(run, &f, e);
	f.apart = aside_has_company(run, se->a.size, name);
	r = run_walk_big(run, &f, e);
	close(fd);
	return r;
}

static int
regular(struct walk *w, struct scan_dir *d, const struct scan_entry *se,
	const struct entry *old, struct err *e)
{
	struct run *run = w->run;
	bool sparse = se->a.blocks * 512 + 4095 < se->a.size;
	bool seen = false;
	uint64_t link = 0;
	struct item *it;
	int r;

	run->result->files++;
	run->result->bytes += se->a.size;
	if (unchanged(run, old, &se->a)) {
		r = entry_unchanged(w, d, se, old, e);
		if (r)
			return r < 0 ? r : 0;
	}
	if (old)
		run->result->files_changed++;
	else
		run->result->files_new++;
	if (se->a.nlink > 1)
		link = link_number(run, &se->a, &seen);
	if (seen) {
		it = item_of(run, ITEM_LINK, d, se);
		it->en.link = link;
		return 0;
	}
	r = aside_pass(run, se->a.size, e);
	if (r)
		return r;
	if (se->a.size > SMALL_FILE_MAX || sparse)
		return big_file(run, d, se, link, e);
	r = room_for(run, se->a.size, e);
	if (r)
		return r;
	it = item_of(run, ITEM_FILE, d, se);
	it->en.link = link;
	will_read(run, it, d);
	return 0;
}

static void
other(struct run *run, struct scan_dir *d, const struct scan_entry *se,
	const struct entry *old)
{
	struct item *it;
	bool seen;

	if (S_ISDIR(se->a.mode))
		run->result->dirs++;
	else
		run->result->others++;
	if (se->a.nlink > 1 && !S_ISDIR(se->a.mode) &&
		!unchanged(run, old, &se->a)) {
		uint64_t link = link_number(run, &se->a, &seen);

		it = item_of(run, seen ? ITEM_LINK : ITEM_ENTRY, d, se);
		it->en.link = link;
		if (seen)
			return;
	} else {
		it = item_of(run, ITEM_ENTRY, d, se);
		it->en.link = old && !S_ISDIR(se->a.mode) &&
					      unchanged(run, old, &se->a)
				      ? old->link
				      : 0;
	}
	if (S_ISLNK(se->a.mode)) {
		const char *target = scan_target(d, se);

		it->en.content = CONTENT_INLINE;
		it->en.size = strlen(target);
		it->data_at = job_keep(run->job, target, it->en.size);
	}
	take_xattrs(run, it, d, scan_name(d, se), old, &se->a);
}

/* Enter directory i of the top level; one that cannot be read is kept empty. */
static int
directory(struct walk *w, uint32_t i, const struct entry *old, struct err *e)
{
	struct run *run = w->run;
	struct scan_dir *d = w->levels[w->n - 1].dir, *child;
	const struct scan_entry *se = &d->entries[i];
	struct item *it;
	int r;

	if (se->flags & SCAN_MOUNT) {
		other(run, d, se, old);
		return 0;
	}
	r = scan_child(run->scan, d, i, &child, e);
	if (r) {
		report(run, d, scan_name(d, se), -r, "cannot be read");
		if (r == -ENOENT)
			return 0;
		other(run, d, se, old);
		return 0;
	}
	run->result->dirs++;
	it = item_of(run, ITEM_ENTER, d, se);
	set_attributes(&it->en, &child->a);
	take_xattrs(run, it, child, "", old, &child->a);
	if (old && !S_ISDIR(old->mode))
		old = NULL;
	push(w, child, parent_dir_open(&w->before, old, NULL, 0));
	return 0;
}

static int
step(struct walk *w, struct err *e)
{
	struct level *l = &w->levels[w->n - 1];
	struct run *run = w->run;
	const struct scan_entry *se;
	const struct entry *old;

	if (l->i == l->dir->n) {
		run_item(run, ITEM_LEAVE);
		pop(w);
		return 0;
	}
	se = &l->dir->entries[l->i++];
	old = parent_dir_find(l->before, scan_name(l->dir, se), se->name_len);
	if (S_ISDIR(se->a.mode))
		return directory(w, l->i - 1, old, e);
	if (S_ISREG(se->a.mode))
		return regular(w, l->dir, se, old, e);
	other(run, l->dir, se, old);
	return 0;
}

static int
begin(struct walk *w, struct err *e)
{
	struct run *run = w->run;
	const struct record *p = &run->parent;
	struct scan_dir *d;
	struct item *it;
	int r = scan_root(run->scan, &d, e);

	if (r)
		return r;
	it = run_item(run, ITEM_ENTER);
	set_attributes(&it->en, &d->a);
	take_xattrs(run, it, d, "", p->host ? &p->root : NULL, &d->a);
	push(w, d,
		parent_dir_open(&w->before, p->host ? &p->root : NULL,
			p->root_page, p->root_page_len));
	return 0;
}

int
run_walk(struct run *run, struct err *e)
{
	struct walk w = { .run = run,
		.before = { .fetch = run->w->fetch,
			.spread = &run->spread,
			.avoid = &run->avoid,
			.far = !run->w->rp->store->local_path } };
	int r = begin(&w, e);

	while (!r && w.n) {
		r = run_between(run, e);
		if (!r)
			r = step(&w, e);
	}
	if (!r)
		r = run_flush(run, e);
	r = aside_end(run, r, e);
	while (w.n)
		pop(&w);
	free(w.levels);
	return r;
}
