/* SPDX-License-Identifier: GPL-2.0-or-later */
/* yore needs: the objects that what addresses name is made of, for stores
 * whose objects have to be woken before they can be read. */
#include <stdio.h>
#include <string.h>
#include "tools/json.h"
#include "tools/keep.h"
#include "tools/print.h"

struct needs {
	struct options o;
	struct keep keep;
	bool only_missing;
};

struct object {
	const char *name;
	uint64_t bytes; /* needed of it */
	uint64_t cached;
	bool whole; /* all of it is needed, however much that is */
};

static const char *
state_of(const struct object *x)
{
	if (x->whole ? x->cached > 0 : x->cached == x->bytes)
		return "cached";
	return x->cached ? "partly" : "missing";
}

static void
print_object(const struct needs *n, const struct object *x)
{
	char size[PRINT_MAX];

	if (n->only_missing && strcmp(state_of(x), "cached") == 0)
		return;
	if (n->o.json) {
		json_t *line = json_line("object");

		json_text(line, "name", x->name);
		if (!x->whole || x->cached)
			json_u64(line, "bytes", x->bytes);
		json_flag(line, "whole", x->whole);
		if (n->keep.cache) {
			json_u64(line, "cached_bytes", x->cached);
			json_text(line, "state", state_of(x));
		}
		json_print(line);
		return;
	}
	printf("%10s  %-7s  %s\n",
		x->whole && !x->cached ? "whole" : print_size(size, x->bytes),
		n->keep.cache ? state_of(x) : "-", x->name);
}

/* Places are in the order of objects. */
static void
print_objects(const struct needs *n)
{
	const struct places *all = &n->keep.places;

	for (size_t i = 0; i < all->n;) {
		struct object x = { .name = all->at[i].object };

		for (; i < all->n && all->at[i].object == x.name; i++) {
			const struct view_place *p = &all->at[i];
			uint64_t cached = keep_cached(&n->keep, p);

			x.whole |= p->len == UINT64_MAX;
			x.cached += cached;
			x.bytes += p->len == UINT64_MAX ? cached : p->len;
		}
		print_object(n, &x);
	}
}

static int
act(struct needs *n)
{
	int status = keep_open(&n->keep, &n->o, true);

	for (int i = optind; status == 0 && i < n->o.argc; i++)
		status = keep_gather(&n->keep, n->o.argv[i], true);
	if (status)
		return status;
	if (n->keep.cache)
		cache_sync(n->keep.cache, NULL);
	print_objects(n);
	return n->keep.failed ? STATUS_PARTLY : STATUS_DONE;
}

static int
run(const struct command *c, int argc, char **argv)
{
	static const struct option own[] = {
		{ "missing", no_argument, NULL, 'm' },
		{ NULL, 0, NULL, 0 },
	};
	struct needs n = { .keep = KEEP_INIT };
	int opt, status;

	options_begin(&n.o, c, argc, argv, "m", own);
	while ((opt = options_next(&n.o)) != -1)
		n.only_missing |= opt == 'm';
	status = options_arguments(&n.o, 1, -1);
	if (status == 0)
		status = act(&n);
	keep_release(&n.keep);
	return status;
}

const struct command command_needs = {
	.name = "needs",
	.synopsis = "[-r REPO] [-m] ADDRESS...",
	.summary = "List the objects that what addresses name is made of",
	.help = "  -m, --missing              only those that are not in the"
		" cache\n",
	.run = run,
};
