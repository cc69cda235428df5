/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A repository that is opened and read in whole while the Nth call of its
 * store fails, is cut short, flips a bit, finds nothing or comes late; for
 * every N until nothing happens any more.  Right bytes or an error, and all of
 * it once the fault has passed.
 */
#include "tests/fault/world.h"

#include <errno.h>
#include <stdio.h>
#include "repo/base/buf.h"
#include "repo/base/log.h"
#include "repo/open.h"
#include "repo/store/fault.h"

static struct world world;

struct trouble {
	const char *kind;
	bool onwards;
	uint64_t at;
};

static bool
is_damage(int r)
{
	return r == -EIO || r == -EBADMSG || r == -EUCLEAN;
}

static bool
wrong(struct world_report *rp, uint64_t seq, int r, const struct err *e)
{
	snprintf(rp->wrong, sizeof(rp->wrong), "snapshot %u: %d, %s",
		(unsigned)seq, r, e->text);
	return false;
}

/* Read every snapshot; errors must be of damage, or none must be there. */
static bool
read_all(
	struct world *w, struct world_report *rp, struct history *h, bool whole)
{
	for (uint64_t seq = 1; seq <= w->n; seq++) {
		auto_survey struct survey s = { .n = 0 };
		struct err e = ERR_INIT;
		int r = survey_point(&s, h, seq, &e);

		/* or the listing is what failed, or the record seems gone */
		if (r && (whole || (!is_damage(r) && r != -ENOENT &&
					   r != -ESTALE)))
			return wrong(rp, seq, r, &e);
		if (!r && !survey_same(&w->right[seq], &s, rp->wrong))
			return false;
		rp->errors += s.errors + (r != 0);
		if (whole && s.errors)
			return wrong(rp, seq, s.items[0].error, &e);
	}
	return true;
}

/* What was wrong has passed: it may not have left anything behind. */
static bool
read_again(struct world *w, struct world_report *rp, struct history *h)
{
	struct err e = ERR_INIT;
	int r = history_refresh(h, &e);

	return r ? wrong(rp, 0, r, &e) : read_all(w, rp, h, true);
}

static void
read_in_trouble(struct world *w, struct world_report *rp, const void *arg)
{
	const struct trouble *t = arg;
	auto_free char *repo = xasprintf("fault:%s@%llu%s:%s", t->kind,
		(unsigned long long)t->at, t->onwards ? "+" : "", w->base);
	struct history *h = NULL;
	struct err e = ERR_INIT;
	struct fault *fault;
	const char *inner;
	bool right = true;

	log_set_level(LOG_LEVEL_ERROR);
	rp->r = history_open_repository(repo, NULL, &h, &e);
	snprintf(rp->text, sizeof(rp->text), "%s", e.text);
	if (!rp->r)
		right = read_all(w, rp, h, false);
	fault_parse_repo(repo, &fault, &inner, &e);
	rp->happened = fault_happened(fault);
	if (rp->r && !t->onwards)
		history_open_repository(repo, NULL, &h, &e);
	if (right && rp->happened && !t->onwards && h)
		read_again(w, rp, h);
	else if (!h && !t->onwards)
		wrong(rp, 0, -1, &e);
	if (h)
		history_free(h);
}

/* Whether the fault came; adds the errors it made. */
static bool
read_at(struct world *w, const struct trouble *t, unsigned *errors)
{
	struct world_report rp;
	int status = world_run(w, &rp, read_in_trouble, t);

	if (status)
		fail_msg("%s@%llu: status %x", t->kind,
			(unsigned long long)t->at, (unsigned)status);
	if (*rp.wrong)
		fail_msg("%s@%llu: %s", t->kind, (unsigned long long)t->at,
			rp.wrong);
	if (rp.r && (!*rp.text || strchr(rp.text, '\n') || !rp.happened))
		fail_msg("%s@%llu: %d, \"%s\"", t->kind,
			(unsigned long long)t->at, rp.r, rp.text);
	*errors += rp.errors + (rp.r != 0);
	return rp.happened;
}

static void
read_everywhere(struct trouble t, bool harmless)
{
	unsigned points = 0, errors = 0;

	for (t.at = 1; read_at(&world, &t, &errors); t.at++)
		points++;
	printf("%s: %u points, %u errors\n", t.kind, points, errors);
	assert_true(points > 20);
	assert_true(harmless ? errors == 0 : errors > 0);
}

static void
a_read_that_fails_costs_what_it_was_for(void **state)
{
	(void)state;
	read_everywhere((struct trouble){ .kind = "eio" }, false);
}

static void
a_store_that_fails_for_good_gives_errors(void **state)
{
	(void)state;
	read_everywhere(
		(struct trouble){ .kind = "eio", .onwards = true }, false);
}

static void
a_short_read_is_never_taken_for_whole(void **state)
{
	(void)state;
	read_everywhere((struct trouble){ .kind = "short" }, false);
}

static void
a_flipped_bit_is_never_served(void **state)
{
	(void)state;
	read_everywhere((struct trouble){ .kind = "flip" }, false);
}

static void
bits_that_go_on_flipping_are_never_served(void **state)
{
	(void)state;
	read_everywhere(
		(struct trouble){ .kind = "flip", .onwards = true }, false);
}

static void
an_object_that_is_not_found_costs_its_own(void **state)
{
	(void)state;
	read_everywhere((struct trouble){ .kind = "enoent" }, false);
}

static void
a_late_answer_costs_nothing(void **state)
{
	(void)state;
	read_everywhere((struct trouble){ .kind = "delay=1" }, true);
}

static int
set_up(void **state)
{
	(void)state;
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
		cmocka_unit_test(a_read_that_fails_costs_what_it_was_for),
		cmocka_unit_test(a_store_that_fails_for_good_gives_errors),
		cmocka_unit_test(a_short_read_is_never_taken_for_whole),
		cmocka_unit_test(a_flipped_bit_is_never_served),
		cmocka_unit_test(bits_that_go_on_flipping_are_never_served),
		cmocka_unit_test(an_object_that_is_not_found_costs_its_own),
		cmocka_unit_test(a_late_answer_costs_nothing),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
