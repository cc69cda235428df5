/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Each object of a repository taken away in turn: idx/ and cat/ cost nothing,
 * a record its snapshot, a pack what lies in it.
 */
#include "tests/fault/world.h"

#include <errno.h>
#include <stdio.h>
#include "repo/base/buf.h"
#include "repo/base/log.h"
#include "repo/open.h"
#include "repo/store/directory.h"

static struct world world;

struct objects {
	char **names;
	size_t n;
};

struct cost {
	unsigned snapshots; /* that do not open */
	unsigned paths;	    /* that are not read in whole */
};

static bool
add_object(void *ctx, const char *name, uint64_t size)
{
	struct objects *os = ctx;

	(void)size;
	os->names = xrealloc(os->names, (os->n + 1) * sizeof(*os->names));
	os->names[os->n++] = xstrdup(name);
	return true;
}

/* What is left reads as it was; what that costs. */
static struct cost
read_what_is_left(const char *missing)
{
	struct cost cost = { 0 };
	struct history *h = NULL;
	struct err e = ERR_INIT;
	char wrong[SURVEY_WRONG_MAX];

	if (history_open_repository(world.repo, NULL, &h, &e))
		fail_msg("without %s: %s", missing, e.text);
	for (uint64_t seq = 1; seq <= world.n; seq++) {
		auto_survey struct survey s = { .n = 0 };

		if (survey_point(&s, h, seq, &e))
			cost.snapshots++;
		else if (!survey_same(&world.right[seq], &s, wrong))
			fail_msg("without %s: snapshot %u: %s", missing,
				(unsigned)seq, wrong);
		cost.paths += s.errors;
	}
	history_free(h);
	return cost;
}

/* Without each of the objects below prefix: most and least that it cost. */
static void
take_away(const char *prefix, struct cost *least, struct cost *most)
{
	auto_store struct store *st = NULL;
	struct objects os = { .n = 0 };

	*least = (struct cost){ UINT32_MAX, UINT32_MAX };
	*most = (struct cost){ 0 };
	assert_int_equal(store_directory_open(world.base, &st, NULL), 0);
	assert_int_equal(store_list(st, prefix, "", add_object, &os, NULL), 0);
	assert_true(os.n > 0);
	for (size_t i = 0; i < os.n; i++) {
		auto_free char *path =
			xasprintf("%s/%s", world.repo, os.names[i]);
		struct cost c;

		world_reset(&world);
		assert_int_equal(remove(path), 0);
		c = read_what_is_left(os.names[i]);
		if (c.snapshots + c.paths > most->snapshots + most->paths)
			*most = c;
		if (c.snapshots + c.paths < least->snapshots + least->paths)
			*least = c;
		free(os.names[i]);
	}
	printf("%s: %zu objects, cost up to %u snapshots, %u paths\n", prefix,
		os.n, most->snapshots, most->paths);
	free(os.names);
}

static void
index_and_catalog_cost_nothing(void **state)
{
	static const char *const prefixes[] = { "idx/", "cat/" };
	struct cost least, most;

	(void)state;
	for (size_t i = 0; i < n_elements(prefixes); i++) {
		take_away(prefixes[i], &least, &most);
		assert_int_equal(most.snapshots + most.paths, 0);
	}
}

static void
all_of_index_and_catalog_cost_nothing(void **state)
{
	auto_free char *command =
		xasprintf("rm -r %s/idx %s/cat", world.repo, world.repo);
	struct cost c;

	(void)state;
	world_reset(&world);
	assert_int_equal(system(command), 0);
	c = read_what_is_left("idx/ and cat/");
	assert_int_equal(c.snapshots + c.paths, 0);
}

static void
a_record_costs_its_snapshot(void **state)
{
	struct cost least, most;

	(void)state;
	take_away("snap/", &least, &most);
	/* none where the catalog has it */
	assert_true(most.snapshots <= 1);
	assert_int_equal(most.paths, 0);
}

static void
a_pack_costs_what_lies_in_it(void **state)
{
	static const char *const prefixes[] = { "data/", "meta/" };
	struct cost least, most;

	(void)state;
	for (size_t i = 0; i < n_elements(prefixes); i++) {
		take_away(prefixes[i], &least, &most);
		assert_int_equal(most.snapshots, 0);
		assert_true(most.paths > 0);
		assert_true(most.paths < world.right[1].n);
	}
}

static int
set_up(void **state)
{
	(void)state;
	log_set_level(LOG_LEVEL_ERROR);
	world_init(&world, WORLD_MIXED);
	world_next(&world);
	world_next(&world);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	world_release(&world);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(index_and_catalog_cost_nothing),
		cmocka_unit_test(all_of_index_and_catalog_cost_nothing),
		cmocka_unit_test(a_record_costs_its_snapshot),
		cmocka_unit_test(a_pack_costs_what_lies_in_it),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
