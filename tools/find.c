/* SPDX-License-Identifier: GPL-2.0-or-later */
/* yore find: names in one snapshot, or in all of them. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include "repo/base/clock.h"
#include "repo/base/log.h"
#include "repo/when.h"
#include "repo/address.h"
#include "tools/json.h"
#include "tools/match.h"
#include "tools/options.h"
#include "tools/spot.h"
#include "tools/print.h"
#include "tools/walk.h"

enum {
	OPT_NAME = OPTION_OWN,
	OPT_INAME,
	OPT_PATH,
	OPT_TYPE,
	OPT_SIZE,
	OPT_MTIME,
	OPT_NEWER,
	OPT_OLDER,
	OPT_ALL,
};

struct find {
	struct match match;
	bool all; /* every snapshot */
	bool lengthy;
	bool raw;
	bool json;
	bool full; /* print addresses, not paths */
	struct history *history;
	const struct history_listing *listing;
	bool failed;
};

static void
print_found(const struct find *f, const struct spot *p, const char *path,
	size_t len, const struct view_attr *a)
{
	if (f->json) {
		json_t *line = json_line("entry");

		json_point(line, f->listing, &p->point);
		json_name(line, "path", path, len);
		json_attr(line, a);
		json_print(line);
		return;
	}
	if (f->lengthy)
		print_long(a, false);
	if (f->full) {
		print_name(p->source, strlen(p->source), f->raw);
		printf("@%s:", p->point.name);
	}
	print_name(path, len, f->raw);
	print_end(f->raw);
}

static void
find_below(struct find *f, const struct spot *p)
{
	auto_walk struct walk *w = walk_new(p->view, p->attr.node);
	auto_buf struct buf path = BUF_INIT;
	const struct walk_entry *entry;
	struct err e = ERR_INIT;
	size_t base;
	int r;

	buf_printf(&path, "%s%s", p->path, *p->path ? "/" : "");
	base = path.len;
	while ((r = walk_next(w, &entry, &e)) != 0) {
		if (r < 0) {
			log_error(
				"%s@%s: %s", p->source, p->point.name, e.text);
			f->failed = true;
		}
		if (r < 0 || entry->leaving)
			continue;
		path.len = base;
		buf_append(&path, entry->path, entry->path_len + 1);
		if (match_entry(&f->match, (char *)path.data, entry->name,
			    &entry->attr))
			print_found(f, p, (char *)path.data, path.len - 1,
				&entry->attr);
	}
}

static void
find_in(struct find *f, const struct spot *p)
{
	const char *slash = strrchr(p->path, '/');
	const char *name = slash ? slash + 1 : p->path;

	if (*name && match_entry(&f->match, p->path, name, &p->attr))
		print_found(f, p, p->path, strlen(p->path), &p->attr);
	if (S_ISDIR(p->attr.mode))
		find_below(f, p);
}

/* Every snapshot of a source; one that cannot be opened is reported. */
static void
find_in_source(struct find *f, size_t source, const char *path)
{
	const struct history_source *s = &f->listing->sources[source];

	for (uint32_t i = 0; i < s->n_points; i++) {
		auto_spot struct spot p = { .view = NULL };
		struct err e = ERR_INIT;
		int r = spot_open_point(f->history, f->listing,
			&f->listing->points[s->first_point + i], path, &p, &e);

		if (r == 0) {
			find_in(f, &p);
		} else if (!p.view && r != -ENOENT && r != -ENOTDIR) {
			tool_fail(&e);
			f->failed = true;
		}
	}
}

static int
find_all(struct find *f, int argc, char **argv)
{
	struct address_space in = { f->history, f->listing, address_host(),
		clock_wall_ns() };
	struct address a;
	struct err e = ERR_INIT;

	f->full = true;
	for (size_t i = 0; argc == 0 && i < f->listing->n_sources; i++)
		find_in_source(f, i, "");
	for (int i = 0; i < argc; i++) {
		if (address_find(&in, argv[i], &a, &e) < 0)
			return tool_fail(&e);
		find_in_source(f, a.source, a.path);
	}
	return STATUS_DONE;
}

static int
find_addresses(struct find *f, int argc, char **argv)
{
	f->full = argc > 1;
	for (int i = 0; i < argc; i++) {
		auto_spot struct spot p = { .view = NULL };
		struct err e = ERR_INIT;

		if (spot_open(f->history, f->listing, argv[i], &p, &e) < 0)
			return tool_fail(&e);
		find_in(f, &p);
	}
	return STATUS_DONE;
}

static int
set_time(const char *option, bool *has, int64_t *t_ns)
{
	*has = true;
	if (when_parse(optarg, clock_wall_ns(), t_ns) < 0)
		return tool_usage("%s %s: not a time", option, optarg);
	return 0;
}

static int
take_test(struct match *m, int opt)
{
	switch (opt) {
	case OPT_NAME:
		m->name = optarg;
		return 0;
	case OPT_INAME:
		m->iname = optarg;
		return 0;
	case OPT_PATH:
		m->path = optarg;
		return 0;
	case OPT_TYPE:
		return match_set_type(m, optarg) < 0
			       ? tool_usage("-type %s: one of f d l p s c b",
					 optarg)
			       : 0;
	case OPT_SIZE:
		return match_set_size(m, optarg) < 0
			       ? tool_usage("-size %s: not a size", optarg)
			       : 0;
	case OPT_MTIME:
		return match_set_days(m, optarg, clock_wall_ns()) < 0
			       ? tool_usage("-mtime %s: not a number of days",
					 optarg)
			       : 0;
	case OPT_NEWER:
		return set_time("-newer", &m->has_newer, &m->newer_ns);
	case OPT_OLDER:
		return set_time("-older", &m->has_older, &m->older_ns);
	default:
		return STATUS_USAGE;
	}
}

static int
take_options(struct options *o, struct find *f)
{
	int opt, status;

	while ((opt = options_next(o)) != -1)
		switch (opt) {
		case OPT_ALL:
			f->all = true;
			break;
		case 'l':
			f->lengthy = true;
			break;
		case '0':
			f->raw = true;
			break;
		default:
			status = take_test(&f->match, opt);
			if (status)
				return status;
		}
	f->json = o->json;
	return options_arguments(o, f->all ? 0 : 1, -1);
}

static int
run(const struct command *c, int argc, char **argv)
{
	static const struct option own[] = {
		{ "name", required_argument, NULL, OPT_NAME },
		{ "iname", required_argument, NULL, OPT_INAME },
		{ "path", required_argument, NULL, OPT_PATH },
		{ "type", required_argument, NULL, OPT_TYPE },
		{ "size", required_argument, NULL, OPT_SIZE },
		{ "mtime", required_argument, NULL, OPT_MTIME },
		{ "newer", required_argument, NULL, OPT_NEWER },
		{ "older", required_argument, NULL, OPT_OLDER },
		{ "all", no_argument, NULL, OPT_ALL },
		{ "long", no_argument, NULL, 'l' },
		{ "null", no_argument, NULL, '0' },
		{ NULL, 0, NULL, 0 },
	};
	struct options o;
	struct find f = { .match = MATCH_INIT };
	auto_history struct history *h = NULL;
	auto_listing struct history_listing *l = NULL;
	int status;

	options_begin(&o, c, argc, argv, "l0", own);
	o.long_only = true;
	status = take_options(&o, &f);
	if (status == 0)
		status = spot_open_repository(&o, &h);
	if (status)
		return status;
	f.history = h;
	f.listing = l = history_listing(h);
	status = f.all ? find_all(&f, argc - optind, argv + optind)
		       : find_addresses(&f, argc - optind, argv + optind);
	return status ? status : f.failed ? STATUS_PARTLY : STATUS_DONE;
}

const struct command command_find = {
	.name = "find",
	.synopsis = "[-r REPO] [--all] [TESTS] ADDRESS...",
	.summary = "Find names in a snapshot, or in all snapshots",
	.help = "      --all                  in every snapshot of the source\n"
		"  -name PATTERN              last component of the path\n"
		"  -iname PATTERN             the same, letter case ignored\n"
		"  -path PATTERN              the whole path\n"
		"  -type f|d|l|p|s|c|b        kind of file\n"
		"  -size [+-]SIZE             bytes, or with k, M, G, T\n"
		"  -mtime [+-]DAYS            changed so many days ago\n"
		"  -newer TIME, -older TIME   changed after, not after TIME\n"
		"  -l, --long                 mode, owner, size, time too\n"
		"  -0, --null                 names raw, each ended by NUL\n",
	.run = run,
};
