/* SPDX-License-Identifier: GPL-2.0-or-later */
/* yore versions: the different states of one path, oldest first. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "repo/address.h"
#include "repo/base/buf.h"
#include "repo/base/clock.h"
#include "repo/versions/versions.h"
#include "tools/json.h"
#include "tools/options.h"
#include "tools/print.h"
#include "tools/spot.h"

struct printing {
	const struct versions_query *q;
	const char *source; /* host/name */
	bool human;
	bool json;
};

/* The snapshot with that number in the source. */
static const struct history_point *
point_of(const struct printing *p, uint32_t number)
{
	const struct history_listing *l = p->q->listing;

	return &l->points[l->sources[p->q->source].first_point + number];
}

static void
print_json(const struct printing *p, const struct version *v)
{
	json_t *line = json_line("file_version");

	json_point(line, p->q->listing, point_of(p, v->point));
	json_name(line, "path", p->q->path, strlen(p->q->path));
	json_text(line, "last_snapshot", point_of(p, v->last)->name);
	json_text(line, "last_id", point_of(p, v->last)->id);
	json_flag(line, "gone", v->attr.mode == 0);
	json_flag(line, "again", v->again);
	if (v->attr.mode != 0)
		json_attr(line, &v->attr);
	json_print(line);
}

static void
print_line(const struct printing *p, const struct version *v)
{
	printf("%-22s %-22s ", point_of(p, v->point)->name,
		point_of(p, v->last)->name);
	if (v->attr.mode != 0)
		print_long(&v->attr, p->human);
	else
		printf("gone ");
	printf("%.8s%s\n", point_of(p, v->point)->id,
		v->again ? " again" : "");
}

/* Those that some snapshot up to number `until` has. */
static void
print_versions(const struct printing *p, const struct versions *vs,
	uint32_t until)
{
	if (!p->json && vs->n > 0)
		printf("%-22s %-22s %s\n", "FROM", "TO", "STATE, ID");
	for (size_t i = 0; i < vs->n && vs->v[i].point <= until; i++) {
		if (p->json)
			print_json(p, &vs->v[i]);
		else
			print_line(p, &vs->v[i]);
	}
}

static int
find(struct printing *p, struct versions *vs, struct err *e)
{
	const struct versions_query *q = p->q;
	int r;

	if (q->listing->sources[q->source].kind == HISTORY_DATABASE)
		return err_set(e, EINVAL,
			"%s: each point of a database is a version of it:"
			" yore snapshots --points lists them",
			p->source);
	r = versions_find(q, vs, e);
	if (r == 0 && vs->n == 0)
		r = err_set(e, ENOENT, "%s:%s: in no snapshot", p->source,
			q->path);
	return r;
}

static int
list(struct history *h, const struct history_listing *l, const char *address,
	struct printing *p)
{
	struct address_space in = { h, l, address_host(), clock_wall_ns() };
	auto_versions_views struct versions_views *views = versions_views_new();
	struct versions_query q = {
		.history = h, .listing = l, .views = views
	};
	auto_versions struct versions vs = VERSIONS_INIT;
	auto_free char *path = NULL, *source = NULL;
	struct err e = ERR_INIT;
	struct address a;

	if (address_find(&in, address, &a, &e) < 0)
		return tool_fail(&e);
	path = spot_tidy(a.path);
	source = xasprintf("%s/%s", l->sources[a.source].host,
		l->sources[a.source].name);
	q.source = a.source;
	q.path = path;
	p->q = &q;
	p->source = source;
	if (find(p, &vs, &e) < 0)
		return tool_fail(&e);
	print_versions(p, &vs,
		(uint32_t)(history_moment_snapshot(l, &a.point) -
			   l->sources[a.source].first_point));
	return vs.n_unknown > 0 ? STATUS_PARTLY : STATUS_DONE;
}

static int
run(const struct command *c, int argc, char **argv)
{
	static const struct option own[] = {
		{ "human", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	struct options o;
	struct printing p = { .human = false };
	auto_history struct history *h = NULL;
	auto_listing struct history_listing *l = NULL;
	int status, opt;

	options_begin(&o, c, argc, argv, "h", own);
	while ((opt = options_next(&o)) != -1) {
		if (opt != 'h')
			return STATUS_USAGE;
		p.human = true;
	}
	p.json = o.json;
	status = options_arguments(&o, 1, 1);
	if (status == 0)
		status = spot_open_repository(&o, &h);
	if (status)
		return status;
	l = history_listing(h);
	return list(h, l, argv[optind], &p);
}

const struct command command_versions = {
	.name = "versions",
	.synopsis = "[-r REPO] [-h] SOURCE[@TIME]:PATH",
	.summary = "List the different states of a file or directory",
	.help = "  -h, --human                sizes in KiB, MiB, ...\n",
	.run = run,
};
