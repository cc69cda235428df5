/* SPDX-License-Identifier: GPL-2.0-or-later */
/* yore stats: what sources would take as they are, and what they take. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "repo/store/store.h"
#include "repo/address.h"
#include "tools/json.h"
#include "tools/options.h"
#include "tools/spot.h"
#include "tools/print.h"

struct sizes {
	uint64_t objects, bytes; /* everything */
	uint64_t data, meta;	 /* bytes of packs */
};

static bool
add_object(void *ctx, const char *name, uint64_t size)
{
	struct sizes *s = ctx;

	s->objects++;
	s->bytes += size;
	if (strncmp(name, "data/", 5) == 0)
		s->data += size;
	else if (strncmp(name, "meta/", 5) == 0)
		s->meta += size;
	return true;
}

static int
measure(const char *repo, struct sizes *s, struct err *e)
{
	auto_store struct store *store = NULL;
	int r = store_open(repo, &store, e);

	return r < 0 ? r : store_list(store, "", "", add_object, s, e);
}

struct sums {
	uint64_t snapshots, bytes; /* of all snapshots together */
};

static struct sums
print_source(const struct history_listing *l, size_t source, bool json)
{
	const struct history_source *s = &l->sources[source];
	const struct history_point *p =
		&l->points[s->first_point + s->n_points - 1];
	struct sums sum = { .snapshots = s->n_points };
	char newest[PRINT_MAX], all[PRINT_MAX];

	for (uint32_t i = 0; i < s->n_points; i++)
		sum.bytes += l->points[s->first_point + i].totals.bytes;
	if (json) {
		json_t *line = json_line("source");

		json_name(line, "host", s->host, strlen(s->host));
		json_name(line, "source", s->name, strlen(s->name));
		json_u64(line, "snapshots", s->n_points);
		json_text(line, "latest", p->name);
		json_u64(line, "latest_entries", p->totals.entries);
		json_u64(line, "latest_bytes", p->totals.bytes);
		json_u64(line, "logical_bytes", sum.bytes);
		json_print(line);
		return sum;
	}
	printf("%9" PRIu64 " %11" PRIu64 " %11s %11s  ", sum.snapshots,
		p->totals.entries, print_size(newest, p->totals.bytes),
		print_size(all, sum.bytes));
	print_name(s->host, strlen(s->host), false);
	putchar('/');
	print_name(s->name, strlen(s->name), false);
	putchar('\n');
	return sum;
}

static void
print_whole(const struct sums *sum, const struct sizes *s, bool json)
{
	char logical[PRINT_MAX], stored[PRINT_MAX];
	char n[PRINT_MAX], objects[PRINT_MAX];
	double ratio = s->bytes ? (double)sum->bytes / (double)s->bytes : 0;

	if (json) {
		json_t *line = json_line("repository");

		json_u64(line, "snapshots", sum->snapshots);
		json_u64(line, "logical_bytes", sum->bytes);
		json_u64(line, "stored_bytes", s->bytes);
		json_u64(line, "data_bytes", s->data);
		json_u64(line, "metadata_bytes", s->meta);
		json_u64(line, "objects", s->objects);
		json_object_set_new(line, "ratio", json_real(ratio));
		json_print(line);
		return;
	}
	printf("\n%s of %s in %s (%.1f to 1), %s\n",
		print_number(n, sum->snapshots, "snapshot", "snapshots"),
		print_size(logical, sum->bytes), print_size(stored, s->bytes),
		ratio, print_number(objects, s->objects, "object", "objects"));
}

static int
print_all(const struct options *o, const struct history_listing *l)
{
	struct sums all = { .snapshots = 0 };
	struct sizes sizes = { .bytes = 0 };
	struct err e = ERR_INIT;

	if (measure(o->repo, &sizes, &e) < 0)
		return tool_fail(&e);
	if (!o->json)
		printf("%9s %11s %11s %11s  %s\n", "SNAPSHOTS", "ENTRIES",
			"LATEST", "ALL", "SOURCE");
	for (size_t i = 0; i < l->n_sources; i++) {
		struct sums one = print_source(l, i, o->json);

		all.snapshots += one.snapshots;
		all.bytes += one.bytes;
	}
	print_whole(&all, &sizes, o->json);
	return STATUS_DONE;
}

static int
print_some(const struct options *o, const struct history_listing *l)
{
	struct err e = ERR_INIT;
	size_t source;

	for (int i = optind; i < o->argc; i++) {
		if (address_find_source(
			    l, o->argv[i], address_host(), &source, &e) < 0)
			return tool_fail(&e);
		print_source(l, source, o->json);
	}
	return STATUS_DONE;
}

static int
run(const struct command *c, int argc, char **argv)
{
	struct options o;
	auto_history struct history *h = NULL;
	auto_listing struct history_listing *l = NULL;
	int status;

	options_begin(&o, c, argc, argv, "", NULL);
	while (options_next(&o) != -1)
		;
	status = spot_open_repository(&o, &h);
	if (status)
		return status;
	l = history_listing(h);
	return optind < argc ? print_some(&o, l) : print_all(&o, l);
}

const struct command command_stats = {
	.name = "stats",
	.synopsis = "[-r REPO] [SOURCE...]",
	.summary = "Tell sizes of sources and of the repository",
	.help = "",
	.run = run,
};
