/* SPDX-License-Identifier: GPL-2.0-or-later */
/* yore ls: what a directory in a snapshot holds. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "repo/base/log.h"
#include "tools/dirlist.h"
#include "tools/json.h"
#include "tools/options.h"
#include "tools/spot.h"
#include "tools/print.h"
#include "tools/walk.h"

struct ls {
	bool lengthy; /* -l */
	bool recursive;
	bool human;
	bool raw;
	bool json;
	const struct history_listing *listing;
	const struct spot *spot;
	bool failed; /* something could not be read */
};

static void
survive(struct ls *ls, const struct err *e)
{
	log_error("%s", e->text);
	ls->failed = true;
}

/* A symlink's target, -> in front; or in JSON. */
static void
add_target(struct ls *ls, uint64_t node, json_t *line)
{
	char target[4096];
	struct err e = ERR_INIT;
	ssize_t n =
		view_readlink(ls->spot->view, node, target, sizeof(target), &e);

	if (n < 0) {
		survive(ls, &e);
	} else if (line) {
		json_name(line, "target", target, (size_t)n);
	} else {
		fputs(" -> ", stdout);
		print_name(target, (size_t)n, ls->raw);
	}
}

static void
print_json(
	struct ls *ls, const char *path, size_t len, const struct view_attr *a)
{
	json_t *line = json_line("entry");

	json_point(line, ls->listing, &ls->spot->point);
	json_name(line, "path", path, len);
	json_attr(line, a);
	if (S_ISLNK(a->mode))
		add_target(ls, a->node, line);
	json_print(line);
}

static void
print_entry(
	struct ls *ls, const char *path, size_t len, const struct view_attr *a)
{
	if (ls->json) {
		print_json(ls, path, len, a);
		return;
	}
	if (ls->lengthy)
		print_long(a, ls->human);
	print_name(path, len, ls->raw);
	if (ls->lengthy && S_ISLNK(a->mode))
		add_target(ls, a->node, NULL);
	print_end(ls->raw);
}

static void
list_directory(struct ls *ls)
{
	auto_dirlist struct dirlist d;
	const struct view_dirent *entry;
	struct err e = ERR_INIT;
	int r;

	dirlist_init(&d, ls->spot->view, ls->spot->attr.node, DIRLIST_BATCH);
	while ((r = dirlist_next(&d, &entry, &e)) > 0)
		print_entry(ls, entry->name, entry->name_len, &entry->attr);
	if (r < 0)
		survive(ls, &e);
}

static void
list_tree(struct ls *ls)
{
	auto_walk struct walk *w =
		walk_new(ls->spot->view, ls->spot->attr.node);
	const struct walk_entry *entry;
	struct err e = ERR_INIT;
	int r;

	while ((r = walk_next(w, &entry, &e)) != 0)
		if (r < 0)
			survive(ls, &e);
		else if (!entry->leaving)
			print_entry(
				ls, entry->path, entry->path_len, &entry->attr);
}

static int
list(struct ls *ls, struct history *h, const char *address)
{
	auto_spot struct spot p = { .view = NULL };
	struct err e = ERR_INIT;

	if (spot_open(h, ls->listing, address, &p, &e) < 0)
		return tool_fail(&e);
	ls->spot = &p;
	if (!S_ISDIR(p.attr.mode))
		print_entry(ls, p.path, strlen(p.path), &p.attr);
	else if (ls->recursive)
		list_tree(ls);
	else
		list_directory(ls);
	return ls->failed ? STATUS_PARTLY : STATUS_DONE;
}

/* Without an address: the sources there are. */
static int
list_sources(const struct ls *ls)
{
	for (size_t i = 0; i < ls->listing->n_sources; i++) {
		const struct history_source *s = &ls->listing->sources[i];

		if (ls->json) {
			json_t *line = json_line("source");

			json_name(line, "host", s->host, strlen(s->host));
			json_name(line, "source", s->name, strlen(s->name));
			json_u64(line, "snapshots", s->n_points);
			json_print(line);
			continue;
		}
		print_name(s->host, strlen(s->host), ls->raw);
		putchar('/');
		print_name(s->name, strlen(s->name), ls->raw);
		print_end(ls->raw);
	}
	return STATUS_DONE;
}

static int
take_options(struct options *o, struct ls *ls)
{
	int opt;

	while ((opt = options_next(o)) != -1)
		switch (opt) {
		case 'l':
			ls->lengthy = true;
			break;
		case 'R':
			ls->recursive = true;
			break;
		case 'h':
			ls->human = true;
			break;
		case '0':
			ls->raw = true;
			break;
		default:
			return STATUS_USAGE;
		}
	ls->json = o->json;
	return options_arguments(o, 0, 1);
}

static int
run(const struct command *c, int argc, char **argv)
{
	static const struct option own[] = {
		{ "long", no_argument, NULL, 'l' },
		{ "recursive", no_argument, NULL, 'R' },
		{ "human", no_argument, NULL, 'h' },
		{ "null", no_argument, NULL, '0' },
		{ NULL, 0, NULL, 0 },
	};
	struct options o;
	struct ls ls = { .lengthy = false };
	auto_history struct history *h = NULL;
	auto_listing struct history_listing *l = NULL;
	int status;

	options_begin(&o, c, argc, argv, "lRh0", own);
	status = take_options(&o, &ls);
	if (status == 0)
		status = spot_open_repository(&o, &h);
	if (status)
		return status;
	ls.listing = l = history_listing(h);
	return optind < argc ? list(&ls, h, argv[optind]) : list_sources(&ls);
}

const struct command command_ls = {
	.name = "ls",
	.synopsis = "[-r REPO] [-lRh0] [ADDRESS]",
	.summary = "List a directory of a snapshot, or the sources",
	.help = "  -l, --long                 mode, links, owner, size, time\n"
		"  -R, --recursive            everything below\n"
		"  -h, --human                sizes in KiB, MiB, ...\n"
		"  -0, --null                 names raw, each ended by NUL\n",
	.run = run,
};
