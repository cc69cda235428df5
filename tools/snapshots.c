/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * yore snapshots: the snapshots of a repository, or every point, oldest first.
 * A database may have millions of points: they are printed as they come.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "repo/address.h"
#include "tools/json.h"
#include "tools/options.h"
#include "tools/parse.h"
#include "tools/spot.h"
#include "tools/print.h"

struct filter {
	const char *host;
	const char *tag;
	uint64_t latest; /* the newest so many of each source; 0: all */
	char **sources;
	int n_sources;
	bool points;
	bool json;
	int id_len; /* characters of the longest id that is shown */
};

#define ID_SHOWN 8 /* of ids that are random, as those of repositories */

/* Ids of other programs' replicas may differ in their last character. */
static int
shown_len(const char *id)
{
	int n = (int)strlen(id);

	return strspn(id, "0123456789abcdef") == 32 && n == 32 ? ID_SHOWN : n;
}

static void
print_point(const struct filter *f, const struct history_listing *l,
	const struct history_point *p)
{
	const struct history_source *s = &l->sources[p->source];
	char size[PRINT_MAX];

	printf("%-22s %-*.*s %9" PRIu64 " %10s  ", p->name, f->id_len,
		shown_len(p->id), p->id, p->totals.entries,
		print_size(size, p->totals.bytes));
	print_name(s->host, strlen(s->host), false);
	putchar('/');
	print_name(s->name, strlen(s->name), false);
	for (uint32_t i = 0; i < p->n_tags; i++) {
		fputs(i ? "," : "  [", stdout);
		print_name(p->tags[i], strlen(p->tags[i]), false);
	}
	printf("%s%s\n", p->n_tags ? "]" : "", p->damaged ? "  DAMAGED" : "");
}

static void
json_snapshot(const struct history_listing *l, const struct history_point *p)
{
	json_t *line = json_line("snapshot"), *tags = json_array();

	json_point(line, l, p);
	json_u64(line, "sequence", p->seq);
	json_text(line, "generation", l->generations[p->generation].name);
	json_u64(line, "entries", p->totals.entries);
	json_u64(line, "files", p->totals.files);
	json_u64(line, "bytes", p->totals.bytes);
	for (uint32_t i = 0; i < p->n_tags; i++)
		json_array_append_new(tags, json_string(p->tags[i]));
	json_object_set_new(line, "tags", tags);
	json_flag(line, "damaged", p->damaged);
	json_print(line);
}

static bool
wanted(const struct filter *f, const struct history_listing *l,
	const struct history_point *p)
{
	const struct history_source *s = &l->sources[p->source];

	if (f->host && strcmp(f->host, s->host) != 0)
		return false;
	return !f->tag || history_has_tag(p, f->tag);
}

static void
print_source(
	const struct filter *f, const struct history_listing *l, size_t source)
{
	const struct history_source *s = &l->sources[source];
	uint32_t n = 0, skip, seen = 0;

	for (uint32_t i = 0; i < s->n_points; i++)
		n += wanted(f, l, &l->points[s->first_point + i]);
	skip = f->latest && n > f->latest ? n - (uint32_t)f->latest : 0;
	for (uint32_t i = 0; i < s->n_points; i++) {
		const struct history_point *p = &l->points[s->first_point + i];

		if (!wanted(f, l, p) || seen++ < skip)
			continue;
		if (f->json)
			json_snapshot(l, p);
		else
			print_point(f, l, p);
	}
}

/* -- Points -------------------------------------------------------------- */

struct points {
	const struct filter *f;
	const struct history_listing *l;
	bool counting;
	uint64_t n; /* of those wanted */
	uint64_t skip;
};

static void
json_one(const struct history_listing *l, const struct history_point *p)
{
	json_t *line = json_line("point");

	json_point(line, l, p);
	json_u64(line, "sequence", p->seq);
	json_text(line, "generation", l->generations[p->generation].name);
	json_flag(line, "is_snapshot",
		history_moment_snapshot(l, p) != HISTORY_NONE);
	json_print(line);
}

static void
print_one(const struct history_listing *l, const struct history_point *p)
{
	const struct history_source *s = &l->sources[p->source];
	bool whole = history_moment_snapshot(l, p) != HISTORY_NONE;

	printf("%-26s %-32s  ", p->name, p->id);
	print_name(s->host, strlen(s->host), false);
	putchar('/');
	print_name(s->name, strlen(s->name), false);
	puts(whole ? "  snapshot" : "");
}

static bool
take_point(void *ctx, const struct history_point *p)
{
	struct points *x = ctx;

	if (!wanted(x->f, x->l, p))
		return true;
	if (x->counting)
		x->n++;
	else if (x->skip > 0)
		x->skip--;
	else if (x->f->json)
		json_one(x->l, p);
	else
		print_one(x->l, p);
	return !ferror(stdout);
}

static int
each_point(struct history *h, struct points *x, size_t source, bool counting,
	struct err *e)
{
	const struct history_source *s = &x->l->sources[source];
	int r = 0;

	x->counting = counting;
	for (uint32_t g = 0; g < s->n_generations && r == 0; g++)
		r = history_moments(h, x->l, s->first_generation + g, INT64_MIN,
			take_point, x, e);
	return r;
}

static int
print_points(struct history *h, const struct filter *f,
	const struct history_listing *l, size_t source, struct err *e)
{
	struct points x = { .f = f, .l = l };
	int r = 0;

	if (f->latest) {
		r = each_point(h, &x, source, true, e);
		x.skip = x.n > f->latest ? x.n - f->latest : 0;
	}
	return r ? r : each_point(h, &x, source, false, e);
}

/* -- The command --------------------------------------------------------- */

static int
print_sources(struct history *h, const struct filter *f,
	const struct history_listing *l, const size_t *sources, size_t n)
{
	struct err e = ERR_INIT;

	for (size_t i = 0; i < n; i++) {
		size_t source = sources ? sources[i] : i;

		if (!f->points)
			print_source(f, l, source);
		else if (print_points(h, f, l, source, &e) < 0)
			return tool_fail(&e);
	}
	return STATUS_DONE;
}

static void
print_head(struct filter *f, const struct history_listing *l)
{
	f->id_len = ID_SHOWN;
	for (size_t i = 0; i < l->n_points; i++) {
		int n = shown_len(l->points[i].id);

		f->id_len = n > f->id_len ? n : f->id_len;
	}
	if (f->json || l->n_points == 0)
		return;
	if (f->points)
		printf("%-26s %-32s  %s\n", "TIME", "ID", "SOURCE");
	else
		printf("%-22s %-*s %9s %10s  %s\n", "TIME", f->id_len, "ID",
			"ENTRIES", "SIZE", "SOURCE");
}

static int
print_all(struct history *h, struct filter *f, const struct history_listing *l)
{
	auto_free size_t *sources =
		xcalloc((size_t)f->n_sources + 1, sizeof(*sources));
	struct err e = ERR_INIT;

	for (int i = 0; i < f->n_sources; i++)
		if (address_find_source(l, f->sources[i],
			    f->host ? f->host : address_host(), &sources[i],
			    &e) < 0)
			return tool_fail(&e);
	print_head(f, l);
	if (f->n_sources == 0)
		return print_sources(h, f, l, NULL, l->n_sources);
	return print_sources(h, f, l, sources, (size_t)f->n_sources);
}

static int
take_options(struct options *o, struct filter *f)
{
	int opt;

	while ((opt = options_next(o)) != -1)
		switch (opt) {
		case 'H':
			f->host = optarg;
			break;
		case 't':
			f->tag = optarg;
			break;
		case 'n':
			if (parse_number(optarg, 1, 1u << 31, &f->latest) < 0)
				return tool_usage(
					"--latest %s: not a number", optarg);
			break;
		case 'p':
			f->points = true;
			break;
		default:
			return STATUS_USAGE;
		}
	f->json = o->json;
	f->sources = o->argv + optind;
	f->n_sources = o->argc - optind;
	return 0;
}

static int
run(const struct command *c, int argc, char **argv)
{
	static const struct option own[] = {
		{ "host", required_argument, NULL, 'H' },
		{ "tag", required_argument, NULL, 't' },
		{ "latest", required_argument, NULL, 'n' },
		{ "points", no_argument, NULL, 'p' },
		{ NULL, 0, NULL, 0 },
	};
	struct options o;
	struct filter f = { .latest = 0 };
	auto_history struct history *h = NULL;
	auto_listing struct history_listing *l = NULL;
	int status;

	options_begin(&o, c, argc, argv, "t:n:", own);
	status = take_options(&o, &f);
	if (status == 0)
		status = spot_open_repository(&o, &h);
	if (status)
		return status;
	l = history_listing(h);
	return print_all(h, &f, l);
}

const struct command command_snapshots = {
	.name = "snapshots",
	.synopsis = "[-r REPO] [--points] [SOURCE...]",
	.summary = "List snapshots, or every point",
	.help = "      --host H               only of this host\n"
		"  -t, --tag T                only those that carry the tag\n"
		"  -n, --latest N             only the newest N of each "
		"source\n"
		"      --points               every moment of a database, not "
		"only\n"
		"                             its snapshots\n",
	.run = run,
};
