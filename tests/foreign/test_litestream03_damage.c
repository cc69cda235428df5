/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whatever happens to an object of a replica: each index is as it was, or an
 * error; those of the other generation are as they were.
 *
 * One loss nobody can notice, because nothing of a replica says how long a log
 * was: that of the last segment of a log.
 */
#include <errno.h>
#include <stdio.h>
#include "tests/foreign/litestream03_replica.h"

#define INDEX_STEP sanitized_step(3)

struct checking {
	struct history *h;
	const char *name; /* of the damaged object */
	enum fixture_damage how;
	unsigned n_seen, n, n_right;
	unsigned n_elsewhere; /* errors in the other generation */
};

static bool
is_last_of_its_log(const char *name)
{
	static const char *const last[] = {
		"10fecc8c20264bfa/wal/00000000_0001c2",
		"10fecc8c20264bfa/wal/00000001_0001b2",
		"10fecc8c20264bfa/wal/00000002_000060",
		"659262bdca7d241d/wal/00000000_0001b2",
		"659262bdca7d241d/wal/00000001_000142"
	};

	for (size_t i = 0; i < n_elements(last); i++)
		if (strstr(name, last[i]))
			return true;
	return false;
}

/* Whether the index is not before that of the last segment which is lost. */
static bool
is_lost_unnoticed(const struct checking *c, char *columns[REPLICA_COLUMNS])
{
	const char *index = strstr(c->name, "/wal/");

	return c->how == REMOVED && index && strstr(c->name, columns[0]) &&
	       is_last_of_its_log(c->name) &&
	       strncmp(columns[1], index + 5, 8) >= 0;
}

static void
check_index(void *ctx, char *columns[REPLICA_COLUMNS])
{
	struct checking *c = ctx;
	auto_free char *id = xasprintf("%s-%s", columns[0], columns[1]);
	bool hit = strstr(c->name, columns[0]) != NULL;
	struct err e = ERR_INIT;
	char sum[65];
	int r;

	if (c->n_seen++ % INDEX_STEP)
		return;
	/* now and then those of the other generation, too */
	if (!hit && c->how != EXCHANGED && c->n % 50 != 0)
		return;
	r = replica_sum_of(c->h, id, 0, sum, &e);
	c->n++;
	if (is_lost_unnoticed(c, columns))
		return;
	if (r == 0 && strcmp(sum, columns[2]) != 0)
		fail_msg("%s: wrong bytes of %s", c->name, id);
	c->n_elsewhere += r < 0 && r != -ENOENT && !hit;
	c->n_right += r == 0;
}

static void
check(void *ctx, const char *name, enum fixture_damage how)
{
	struct checking *c = ctx;

	c->how = how;
	c->h = replica_open(NULL);
	c->name = name;
	replica_lines("expected-index.tsv", check_index, c);
	history_free(c->h);
}

static void
no_damage_gives_a_wrong_byte(void **state)
{
	struct checking c = { .n = 0 };
	(void)state;

	replica_make(LS03_SEGMENT);
	fixture_damage(check, &c);
	print_message("%u states, %u as they were\n", c.n, c.n_right);
	assert_true(c.n > 5000 / FIXTURE_DAMAGE_STEP / INDEX_STEP &&
		    c.n_right < c.n - c.n / 10);
	assert_true(c.n_right > c.n / 4);
	/* objects exchanged between generations */
	assert_true(c.n_elsewhere <= 20);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		IN_FIXTURE(no_damage_gives_a_wrong_byte),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
