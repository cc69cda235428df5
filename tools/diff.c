/* SPDX-License-Identifier: GPL-2.0-or-later */
/* yore diff: two snapshots, or a snapshot and a local directory. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "repo/base/buf.h"
#include "repo/base/log.h"
#include "tools/compare.h"
#include "tools/dirlist.h"
#include "tools/json.h"
#include "tools/local_view.h"
#include "tools/options.h"
#include "tools/spot.h"
#include "tools/print.h"
#include "tools/walk.h"

#define DEPTH_MAX 4000 /* one frame of compare_directories each */

struct diff {
	struct view *a, *b;
	struct buf path; /* of the directory at hand, "" or ending in '/' */
	bool content;
	bool raw;
	bool json;
	uint64_t n_added, n_removed, n_changed, n_errors;
};

static void
survive(struct diff *d, const char *name, size_t len, const struct err *e)
{
	log_error("%.*s%.*s: %s", (int)d->path.len,
		d->path.len ? (const char *)d->path.data : "", (int)len, name,
		e->text);
	d->n_errors++;
}

/* -- Printing
 * ------------------------------------------------------------------- */

static void
print_path(const struct diff *d, char sign, const char *name, size_t len)
{
	printf("%c ", sign);
	print_name((const char *)d->path.data, d->path.len, d->raw);
	print_name(name, len, d->raw);
}

static void
json_path(const struct diff *d, json_t *line, const char *name, size_t len)
{
	auto_buf struct buf path = BUF_INIT;

	if (d->path.len)
		buf_append(&path, d->path.data, d->path.len);
	buf_append(&path, name, len);
	json_name(line, "path", (char *)path.data, path.len);
}

static void
print_one(struct diff *d, char sign, const struct view_attr *a,
	const char *name, size_t len)
{
	uint64_t *n = sign == '+' ? &d->n_added : &d->n_removed;

	(*n)++;
	if (d->json) {
		json_t *line = json_line(sign == '+' ? "added" : "removed");

		json_path(d, line, name, len);
		json_attr(line, a);
		json_print(line);
		return;
	}
	print_path(d, sign, name, len);
	if (S_ISDIR(a->mode))
		putchar('/');
	print_end(d->raw);
}

static void
print_details(int bits, const struct view_attr *a, const struct view_attr *b)
{
	const char *comma = " (";

	for (int i = 0; i < COMPARE_BITS; i++) {
		int bit = bits & (1 << i);

		if (!bit)
			continue;
		printf("%s%s", comma, compare_words[i]);
		comma = ", ";
		if (bit == COMPARE_TYPE)
			printf(" %s -> %s", print_type(a->mode),
				print_type(b->mode));
		else if (bit == COMPARE_SIZE)
			printf(" %" PRIu64 " -> %" PRIu64, a->size, b->size);
		else if (bit == COMPARE_MODE)
			printf(" %04o -> %04o", a->mode & 07777,
				b->mode & 07777);
		else if (bit == COMPARE_OWNER)
			printf(" %u:%u -> %u:%u", a->uid, a->gid, b->uid,
				b->gid);
	}
	putchar(')');
}

static void
print_changed(struct diff *d, int bits, const struct view_dirent *a,
	const struct view_dirent *b)
{
	json_t *line, *before, *after, *what;

	d->n_changed++;
	if (!d->json) {
		print_path(d, 'M', a->name, a->name_len);
		if (!d->raw)
			print_details(bits, &a->attr, &b->attr);
		print_end(d->raw);
		return;
	}
	line = json_line("changed");
	json_path(d, line, a->name, a->name_len);
	what = json_array();
	for (int i = 0; i < COMPARE_BITS; i++)
		if (bits & (1 << i))
			json_array_append_new(
				what, json_string(compare_words[i]));
	json_object_set_new(line, "what", what);
	json_attr(before = json_object(), &a->attr);
	json_attr(after = json_object(), &b->attr);
	json_object_set_new(line, "before", before);
	json_object_set_new(line, "after", after);
	json_print(line);
}

/* -- Comparing
 * -------------------------------------------------------------------- */

/* An entry that one side alone has, and all below it. */
static void
only_one(struct diff *d, struct view *v, char sign,
	const struct view_dirent *entry)
{
	auto_walk struct walk *w = NULL;
	const struct walk_entry *below;
	struct err e = ERR_INIT;
	size_t len = d->path.len;
	int r;

	print_one(d, sign, &entry->attr, entry->name, entry->name_len);
	if (!S_ISDIR(entry->attr.mode))
		return;
	buf_append(&d->path, entry->name, entry->name_len);
	buf_append(&d->path, "/", 1);
	w = walk_new(v, entry->attr.node);
	while ((r = walk_next(w, &below, &e)) != 0)
		if (r < 0)
			survive(d, "", 0, &e);
		else if (!below->leaving)
			print_one(d, sign, &below->attr, below->path,
				below->path_len);
	d->path.len = len;
}

static void compare_directories(
	struct diff *d, uint64_t a, uint64_t b, int depth);

static void
both(struct diff *d, const struct view_dirent *a, const struct view_dirent *b,
	int depth)
{
	struct err e = ERR_INIT;
	size_t len = d->path.len;
	int bits =
		compare_entries(d->a, &a->attr, d->b, &b->attr, d->content, &e);

	if (bits < 0)
		survive(d, a->name, a->name_len, &e);
	if (bits == COMPARE_TYPE) {
		only_one(d, d->a, '-', a);
		only_one(d, d->b, '+', b);
		return;
	}
	if (bits > 0)
		print_changed(d, bits, a, b);
	if (!S_ISDIR(a->attr.mode))
		return;
	buf_append(&d->path, a->name, a->name_len);
	buf_append(&d->path, "/", 1);
	compare_directories(d, a->attr.node, b->attr.node, depth + 1);
	d->path.len = len;
}

/* Like strcmp for entries; an ended list (NULL) comes last. */
static int
order(const struct view_dirent *a, const struct view_dirent *b)
{
	size_t n;
	int c;

	if (!a || !b)
		return !a - !b;
	n = a->name_len < b->name_len ? a->name_len : b->name_len;
	c = memcmp(a->name, b->name, n);
	return c ? c
		 : (a->name_len > b->name_len) - (a->name_len < b->name_len);
}

/* The next entry of a list, NULL at its end; errors are survived. */
static const struct view_dirent *
next(struct diff *d, struct dirlist *list)
{
	const struct view_dirent *entry;
	struct err e = ERR_INIT;
	int r = dirlist_next(list, &entry, &e);

	if (r < 0)
		survive(d, "", 0, &e);
	return r > 0 ? entry : NULL;
}

static void
compare_directories(struct diff *d, uint64_t a, uint64_t b, int depth)
{
	auto_dirlist struct dirlist list_a = { .view = NULL };
	auto_dirlist struct dirlist list_b = { .view = NULL };
	const struct view_dirent *entry_a, *entry_b;
	struct err e = ERR_INIT;

	if (depth > DEPTH_MAX) {
		err_set(&e, ELOOP, "nested deeper than %d", DEPTH_MAX);
		survive(d, "", 0, &e);
		return;
	}
	dirlist_init(&list_a, d->a, a, depth > 48 ? 16 : DIRLIST_BATCH);
	dirlist_init(&list_b, d->b, b, depth > 48 ? 16 : DIRLIST_BATCH);
	entry_a = next(d, &list_a);
	entry_b = next(d, &list_b);
	while (entry_a || entry_b) {
		int c = order(entry_a, entry_b);

		if (c < 0)
			only_one(d, d->a, '-', entry_a);
		else if (c > 0)
			only_one(d, d->b, '+', entry_b);
		else
			both(d, entry_a, entry_b, depth);
		if (c <= 0)
			entry_a = next(d, &list_a);
		if (c >= 0)
			entry_b = next(d, &list_b);
	}
}

static void
compare_spots(struct diff *d, const struct spot *a, const struct spot *b)
{
	const char *slash = strrchr(a->path, '/');
	struct view_dirent root_a = { .name = slash ? slash + 1 : a->path,
		.attr = a->attr };
	struct view_dirent root_b = { .attr = b->attr };

	d->a = a->view;
	d->b = b->view;
	if (S_ISDIR(a->attr.mode) && S_ISDIR(b->attr.mode)) {
		compare_directories(d, a->attr.node, b->attr.node, 0);
		return;
	}
	root_a.name_len = strlen(root_a.name);
	root_b.name = root_a.name;
	root_b.name_len = root_a.name_len;
	both(d, &root_a, &root_b, 0);
}

/* -- The command
 * --------------------------------------------------------------------- */

/* /x, ./x, ../x, . and .. are local; everything else is an address. */
static bool
is_local(const char *text)
{
	return *text == '/' || strcmp(text, ".") == 0 ||
	       strcmp(text, "..") == 0 || strncmp(text, "./", 2) == 0 ||
	       strncmp(text, "../", 3) == 0;
}

static int
open_side(struct history *h, const struct history_listing *l, const char *text,
	struct spot *p, struct err *e)
{
	int r;

	if (!is_local(text)) {
		r = spot_open(h, l, text, p, e);
		if (r < 0 && access(text, F_OK) == 0) {
			struct err why = *e;

			err_set(e, -r, "%s; for the directory here write ./%s",
				why.text, text);
		}
		return r;
	}
	r = local_view_open(text, &p->view, e);
	if (r < 0)
		return r;
	p->path = xstrdup("");
	return view_attr(p->view, VIEW_ROOT, &p->attr, e);
}

static void
summarise(const struct diff *d)
{
	if (d->json) {
		json_t *line = json_line("summary");

		json_u64(line, "added", d->n_added);
		json_u64(line, "removed", d->n_removed);
		json_u64(line, "changed", d->n_changed);
		json_u64(line, "errors", d->n_errors);
		json_print(line);
		return;
	}
	log_info("%" PRIu64 " added, %" PRIu64 " removed, %" PRIu64 " changed",
		d->n_added, d->n_removed, d->n_changed);
}

static int
compare(struct diff *d, struct history *h, const char *text_a,
	const char *text_b)
{
	auto_listing struct history_listing *l = history_listing(h);
	auto_spot struct spot a = { .view = NULL }, b = { .view = NULL };
	struct err e = ERR_INIT;

	if (open_side(h, l, text_a, &a, &e) < 0 ||
		open_side(h, l, text_b, &b, &e) < 0)
		return tool_fail(&e);
	compare_spots(d, &a, &b);
	summarise(d);
	return d->n_errors ? STATUS_PARTLY : STATUS_DONE;
}

static int
run(const struct command *c, int argc, char **argv)
{
	static const struct option own[] = {
		{ "content", no_argument, NULL, 'c' },
		{ "null", no_argument, NULL, '0' },
		{ NULL, 0, NULL, 0 },
	};
	struct options o;
	struct diff d = { .path = BUF_INIT };
	auto_history struct history *h = NULL;
	int opt, status;

	options_begin(&o, c, argc, argv, "c0", own);
	while ((opt = options_next(&o)) != -1)
		*(opt == 'c' ? &d.content : &d.raw) = true;
	d.json = o.json;
	status = options_arguments(&o, 2, 2);
	if (status == 0)
		status = spot_open_repository(&o, &h);
	if (status == 0)
		status = compare(&d, h, argv[optind], argv[optind + 1]);
	buf_release(&d.path);
	return status;
}

const struct command command_diff = {
	.name = "diff",
	.synopsis = "[-r REPO] [-c0] ADDRESS ADDRESS|DIRECTORY",
	.summary = "Tell what differs between two snapshots or directories",
	.help = "  -c, --content              compare content, not only size\n"
		"                             and time\n"
		"  -0, --null                 names raw, each ended by NUL\n",
	.run = run,
};
