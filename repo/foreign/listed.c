/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "repo/foreign/listed.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include "repo/base/buf.h"
#include "repo/base/clock.h"
#include "repo/base/log.h"

#define NAME_LEN_MAX 255

struct listed_node {
	const char *name; /* within a path; not terminated */
	uint32_t name_len;
	uint32_t parent;
	/* a file: its index; a directory: its first entry and how many */
	uint32_t first;
	uint32_t n;
	bool is_dir;
};

static struct listed *
files_of(struct view *v)
{
	return (struct listed *)v; /* its first member */
}

/* -- Paths ------------------------------------------------------------------
 */

bool
listed_path_ok(const char *path, size_t len)
{
	const char *p = path, *end = path + len;

	if (len == 0 || len > LISTED_PATH_MAX || memchr(path, '\0', len))
		return false;
	for (;;) {
		const char *slash = memchr(p, '/', (size_t)(end - p));
		size_t n = (size_t)((slash ? slash : end) - p);

		if (n == 0 || n > NAME_LEN_MAX || (n == 1 && p[0] == '.') ||
			(n == 2 && p[0] == '.' && p[1] == '.'))
			return false;
		if (!slash)
			return true;
		p = slash + 1;
	}
}

static int
rank(char ch)
{
	return ch == '\0' ? 0 : ch == '/' ? 1 : 2 + (unsigned char)ch;
}

int
listed_compare_paths(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return rank(*a) - rank(*b);
}

static int
compare_files(const void *a, const void *b)
{
	const struct listed_entry *x = a, *y = b;

	return listed_compare_paths(x->path, y->path);
}

/* -- Building ----------------------------------------------------------------
 */

/* A directory whose entries are still to be found: those of files[lo, hi),
 * whose paths have `skip` bytes in common with it. */
struct span {
	uint32_t lo, hi;
	uint32_t skip;
};

struct building {
	struct listed *f;
	struct span *spans; /* one a node */
	size_t room;
};

static uint32_t
add_node(struct building *b, struct listed_node n, struct span s)
{
	struct listed *f = b->f;

	if (f->n_nodes == b->room) {
		b->room = b->room ? 2 * b->room : 64;
		f->nodes = xrealloc(f->nodes, b->room * sizeof(*f->nodes));
		b->spans = xrealloc(b->spans, b->room * sizeof(*b->spans));
	}
	f->nodes[f->n_nodes] = n;
	b->spans[f->n_nodes] = s;
	return (uint32_t)f->n_nodes++;
}

static size_t
name_len(const char *path)
{
	return (size_t)(strchrnul(path, '/') - path);
}

/* Where the files end that have the same next part as file i. */
static uint32_t
span_end(const struct listed *f, uint32_t i, const struct span *s, size_t len)
{
	const char *name = f->files[i].path + s->skip;
	uint32_t end = i + 1;

	while (end < s->hi) {
		const char *other = f->files[end].path + s->skip;

		if (name_len(other) != len || memcmp(name, other, len))
			break;
		end++;
	}
	return end;
}

/* The entry of a directory that begins with file i; returns what follows. */
static uint32_t
add_entry(struct building *b, uint32_t dir, uint32_t i)
{
	struct listed *f = b->f;
	struct span s = b->spans[dir];
	const char *name = f->files[i].path + s.skip;
	size_t len = name_len(name);
	uint32_t end = span_end(f, i, &s, len);
	/* a file comes before what lies below a directory of its name */
	bool is_file = name[len] == '\0';
	uint32_t lo = i + is_file;

	if (is_file && lo < end)
		log_warn("%s: %s is a file and a directory: the file is left "
			 "out",
			f->label, f->files[i].path);
	add_node(b,
		(struct listed_node){ .name = name,
			.name_len = (uint32_t)len,
			.parent = dir,
			.first = i,
			.is_dir = lo < end },
		(struct span){ .lo = lo,
			.hi = end,
			.skip = s.skip + (uint32_t)len + 1 });
	f->nodes[dir].n++;
	return end;
}

static void
add_totals(struct listed *f)
{
	struct view_totals *t = &f->totals;

	for (size_t i = 1; i < f->n_nodes; i++) {
		t->entries++;
		if (f->nodes[i].is_dir)
			continue;
		t->files++;
		t->bytes += f->files[f->nodes[i].first].size;
		if (f->files[f->nodes[i].first].modified_ns > t->newest_ns)
			t->newest_ns = f->files[f->nodes[i].first].modified_ns;
	}
}

static void
build(struct listed *f)
{
	struct building b = { .f = f };

	add_node(&b, (struct listed_node){ .is_dir = true, .name = "" },
		(struct span){ .hi = (uint32_t)f->n_files });
	for (uint32_t dir = 0; dir < f->n_nodes; dir++) {
		if (!f->nodes[dir].is_dir)
			continue;
		f->nodes[dir].first = (uint32_t)f->n_nodes;
		for (uint32_t i = b.spans[dir].lo; i < b.spans[dir].hi;)
			i = add_entry(&b, dir, i);
	}
	free(b.spans);
	add_totals(f);
}

/* -- Nodes ------------------------------------------------------------------
 */

static const struct listed_node *
find(struct listed *f, uint64_t node, struct err *e)
{
	if (node < f->n_nodes)
		return &f->nodes[node];
	err_set(e, ENOENT, "%s has no node %" PRIu64, f->label, node);
	return NULL;
}

static const struct listed_node *
find_dir(struct listed *f, uint64_t node, int *r, struct err *e)
{
	const struct listed_node *n = find(f, node, e);

	*r = n ? 0 : -ENOENT;
	if (n && !n->is_dir) {
		*r = err_set(e, ENOTDIR, "%s:%s is not a directory", f->label,
			f->files[n->first].path);
		return NULL;
	}
	return n;
}

static const struct listed_node *
find_file(struct listed *f, uint64_t node, int *r, struct err *e)
{
	const struct listed_node *n = find(f, node, e);

	*r = n ? 0 : -ENOENT;
	if (n && n->is_dir) {
		*r = err_set(e, EISDIR, "%s: a directory", f->label);
		return NULL;
	}
	return n;
}

static struct timespec
time_of(int64_t t_ns)
{
	int64_t s = t_ns / NS_PER_S, ns = t_ns % NS_PER_S;

	return (struct timespec){ .tv_sec = ns < 0 ? s - 1 : s,
		.tv_nsec = ns < 0 ? ns + NS_PER_S : ns };
}

void
listed_root_attr(struct view_attr *a, int64_t time_ns)
{
	*a = (struct view_attr){ .mode = S_IFDIR | 0555,
		.nlink = 1,
		.uid = geteuid(),
		.gid = getegid(),
		.mtime = time_of(time_ns),
		.ctime = time_of(time_ns) };
}

static void
attr_of(const struct listed *f, uint64_t node, struct view_attr *a)
{
	const struct listed_node *n = &f->nodes[node];

	listed_root_attr(a, 0);
	a->node = a->ino = node;
	a->mtime = a->ctime = f->mtime;
	if (n->is_dir)
		return;
	const struct listed_entry *file = &f->files[n->first];

	a->mode = S_IFREG | file->mode;
	a->has_xattrs = true;
	a->size = file->size;
	a->blocks = (file->size + 511) / 512;
	if (file->modified_ns != INT64_MIN)
		a->mtime = a->ctime = time_of(file->modified_ns);
}

static int
attr(struct view *v, uint64_t node, struct view_attr *a, struct err *e)
{
	struct listed *f = files_of(v);

	if (!find(f, node, e))
		return -ENOENT;
	attr_of(f, node, a);
	return 0;
}

static int
compare_name(const struct listed_node *n, const char *name, size_t len)
{
	size_t least = n->name_len < len ? n->name_len : len;
	int order = memcmp(n->name, name, least);

	return order ? order : (n->name_len > len) - (n->name_len < len);
}

static int
lookup(struct view *v, uint64_t dir, const char *name, size_t len,
	struct view_attr *a, struct err *e)
{
	struct listed *f = files_of(v);
	int r;
	const struct listed_node *d = find_dir(f, dir, &r, e);

	if (!d)
		return r;
	for (uint32_t lo = d->first, hi = d->first + d->n; lo < hi;) {
		uint32_t mid = lo + (hi - lo) / 2;
		int order = compare_name(&f->nodes[mid], name, len);

		if (order == 0) {
			attr_of(f, mid, a);
			return 0;
		}
		if (order < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return err_set(e, ENOENT, "no such file or directory");
}

static int
list(struct view *v, uint64_t dir, uint64_t from,
	bool (*each)(void *ctx, const struct view_dirent *d), void *ctx,
	struct err *e)
{
	struct listed *f = files_of(v);
	int r;
	const struct listed_node *d = find_dir(f, dir, &r, e);

	for (; d && from < d->n; from++) {
		const struct listed_node *n = &f->nodes[d->first + from];
		struct view_dirent en = { .name = n->name,
			.name_len = n->name_len,
			.next = from + 1 };

		attr_of(f, d->first + from, &en.attr);
		if (!each(ctx, &en))
			break;
	}
	return r;
}

static int
parent(struct view *v, uint64_t node, uint64_t *dir, struct err *e)
{
	const struct listed_node *n = find(files_of(v), node, e);

	if (n)
		*dir = n->parent;
	return n ? 0 : -ENOENT;
}

/* -- Content ----------------------------------------------------------------
 */

void
listed_give(struct view_data *data, void *owner, void *bytes, size_t len)
{
	data->iov[data->n] =
		(struct iovec){ .iov_base = bytes, .iov_len = len };
	data->owner[data->n++] = owner;
	data->len += len;
	data->release_owner = free;
}

static int
read_(struct view *v, uint64_t node, uint64_t off, size_t len,
	struct view_data *data, struct err *e)
{
	struct listed *f = files_of(v);
	int r;
	const struct listed_node *n = find_file(f, node, &r, e);

	if (!n)
		return r;
	uint64_t size = f->files[n->first].size;

	if (off >= size)
		return 0;
	if (len > size - off)
		len = (size_t)(size - off);
	return len ? f->ops->read(f, n->first, off, len, data, e) : 0;
}

static ssize_t
readlink_(struct view *v, uint64_t node, char *out, size_t size, struct err *e)
{
	(void)out, (void)size;
	if (!find(files_of(v), node, e))
		return -ENOENT;
	return err_set(e, EINVAL, "not a symlink");
}

static int
seek(struct view *v, uint64_t node, uint64_t off, int whence, uint64_t *found,
	struct err *e)
{
	struct listed *f = files_of(v);
	int r;
	const struct listed_node *n = find_file(f, node, &r, e);

	if (!n)
		return r;
	if (off >= f->files[n->first].size)
		return err_set(e, ENXIO, "past the end");
	*found = whence == SEEK_DATA ? off : f->files[n->first].size;
	return 0;
}

static int
extents(struct view *v, uint64_t node, uint64_t from,
	bool (*each)(void *ctx, const struct view_extent *x), void *ctx,
	struct err *e)
{
	struct listed *f = files_of(v);
	int r;
	const struct listed_node *n = find_file(f, node, &r, e);
	const char *object =
		n && f->ops->object ? f->ops->object(f, n->first) : NULL;

	if (!object || from >= f->files[n->first].size)
		return r;
	struct view_extent x = { .off = from,
		.len = f->files[n->first].size - from,
		.object_off = from,
		.object_len = f->files[n->first].size - from };

	snprintf(x.object, sizeof(x.object), "%s", object);
	each(ctx, &x);
	return 0;
}

ssize_t
listed_answer(const char *text, void *value, size_t size, struct err *e)
{
	size_t len = strlen(text);

	if (size > 0 && size < len)
		return err_set(e, ERANGE, "the value has %zu bytes", len);
	if (size > 0)
		memcpy(value, text, len);
	return (ssize_t)len;
}

static ssize_t
xattr_get(struct view *v, uint64_t node, const char *name, void *value,
	size_t size, struct err *e)
{
	struct listed *f = files_of(v);
	const struct listed_node *n = find(f, node, e);

	if (!n)
		return -ENOENT;
	if (!n->is_dir && f->ops->xattr_get)
		return f->ops->xattr_get(f, n->first, name, value, size, e);
	if (node == VIEW_ROOT && f->ops->root_xattr)
		return f->ops->root_xattr(f, name, value, size, e);
	return err_set(e, ENODATA, "no attribute %s", name);
}

static ssize_t
xattr_list(
	struct view *v, uint64_t node, char *names, size_t size, struct err *e)
{
	(void)names, (void)size;
	return find(files_of(v), node, e) ? 0 : -ENOENT;
}

static void
add_below(const struct listed *f, const struct listed_node *d,
	struct view_totals *t)
{
	for (uint32_t i = d->first; i < d->first + d->n; i++) {
		const struct listed_node *n = &f->nodes[i];

		t->entries++;
		if (n->is_dir) {
			add_below(f, n, t);
			continue;
		}
		t->files++;
		t->bytes += f->files[n->first].size;
		if (f->files[n->first].modified_ns > t->newest_ns)
			t->newest_ns = f->files[n->first].modified_ns;
	}
}

static int
totals(struct view *v, uint64_t dir, struct view_totals *t, struct err *e)
{
	struct listed *f = files_of(v);
	int r;
	const struct listed_node *d = find_dir(f, dir, &r, e);

	if (!d)
		return r;
	*t = dir == VIEW_ROOT ? f->totals : (struct view_totals){ .files = 0 };
	if (dir != VIEW_ROOT)
		add_below(f, d, t);
	return 0;
}

/* -- Life -------------------------------------------------------------------
 */

static void
free_(struct view *v)
{
	struct listed *f = files_of(v);

	f->ops->free(f);
}

static const struct view_ops view_ops = {
	.attr = attr,
	.lookup = lookup,
	.list = list,
	.parent = parent,
	.read = read_,
	.readlink = readlink_,
	.seek = seek,
	.xattr_get = xattr_get,
	.xattr_list = xattr_list,
	.totals = totals,
	.extents = extents,
	.free = free_,
};

/* Of files that have one path keep the first. */
static void
drop_doubles(struct listed *f)
{
	size_t n = 0;

	for (size_t i = 0; i < f->n_files; i++) {
		if (n > 0 && !strcmp(f->files[n - 1].path, f->files[i].path)) {
			log_warn("%s: %s is there twice", f->label,
				f->files[i].path);
			free((char *)(uintptr_t)f->files[i].path);
		} else {
			f->files[n++] = f->files[i];
		}
	}
	f->n_files = n;
}

void
listed_init(struct listed *f, const struct listed_ops *ops, const char *label,
	int64_t time_ns, const struct listed_entry *files, size_t n)
{
	f->view.ops = &view_ops;
	f->view.refs = 1;
	f->ops = ops;
	f->label = xstrdup(label);
	f->mtime = time_of(time_ns);
	f->files = xcalloc(n + 1, sizeof(*f->files));
	f->n_files = n;
	for (size_t i = 0; i < n; i++) {
		f->files[i] = files[i];
		f->files[i].path = xstrdup(files[i].path);
	}
	qsort(f->files, n, sizeof(*f->files), compare_files);
	drop_doubles(f);
	build(f);
}

void
listed_release(struct listed *f)
{
	for (size_t i = 0; i < f->n_files; i++)
		free((char *)(uintptr_t)f->files[i].path);
	free(f->files);
	free(f->nodes);
	free(f->label);
}
