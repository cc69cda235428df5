/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Backups of tito stand for replicas: their listings need names only. */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include "tests/unit/foreign_fixture.h"
#include "repo/foreign/foreign.h"

#define REPLICAS 20
#define READERS 3

static void
make(const char *folder)
{
	auto_free char *chunk =
		xasprintf("%sfull/1000/chunk-0000.json.gz", folder);
	auto_free char *mark = xasprintf("%sLATEST_FULL", folder);

	fixture_put_text(mark, "1000");
	fixture_put_text(chunk, "");
}

static struct history *
open_all(void)
{
	const struct history_open_options o = { .cache_dir = "" };
	struct history *h = NULL;

	assert_int_equal(
		0, foreign_open_history(fixture_dir, NULL, &o, &h, NULL));
	return h;
}

static void
assert_sources(struct history *h, const char *want)
{
	auto_listing struct history_listing *l = history_listing(h);
	auto_buf struct buf b = BUF_INIT;

	for (size_t i = 0; i < l->n_sources; i++)
		buf_printf(&b, "%s ", l->sources[i].name);
	buf_append(&b, "", 1);
	assert_string_equal(want, (char *)b.data);
}

static void
refresh(struct history *h)
{
	assert_int_equal(0, history_refresh(h, NULL));
}

static void
what_appears_is_shown_after_a_refresh(void **state)
{
	struct history *h;

	(void)state;
	make("deep/one/");
	h = open_all();
	assert_sources(h, "one ");
	make("two/");
	make("other/one/");
	assert_sources(h, "one ");
	refresh(h);
	/* the name that is taken is not given up */
	assert_sources(h, "one other-one two ");
	make("third/one/");
	refresh(h);
	refresh(h);
	assert_sources(h, "one other-one third-one two ");
	history_free(h);
	h = open_all();
	assert_sources(h, "deep-one other-one third-one two ");
	history_free(h);
}

static void
below_a_replica_nothing_is_looked_for(void **state)
{
	struct history *h;

	(void)state;
	make("");
	h = open_all();
	make("below/");
	refresh(h);
	auto_listing struct history_listing *l = history_listing(h);

	assert_int_equal(1, l->n_sources);
	history_free(h);
}

static void
what_cannot_be_opened_is_tried_again(void **state)
{
	struct history *h;

	(void)state;
	make("one/");
	h = open_all();
	make("two/");
	fixture_put_text("two/LATEST_STATE_FULL", "");
	refresh(h);
	refresh(h);
	assert_sources(h, "one ");
	fixture_remove("two/LATEST_STATE_FULL");
	refresh(h);
	assert_sources(h, "one two ");
	history_free(h);
}

/* -- At one time ------------------------------------------------------------
 */

static _Atomic int over;

static void *
read_listings(void *arg)
{
	struct history *h = arg;
	size_t most = 0;

	while (!over) {
		auto_listing struct history_listing *l = history_listing(h);
		struct history_point p;

		assert_true(l->n_sources >= most && l->n_points > 0);
		most = l->n_sources;
		for (size_t i = 0; i < l->n_sources; i++)
			assert_int_equal(0, history_moment_at(h, l, i,
						    INT64_MAX, &p, NULL));
	}
	return NULL;
}

static void *
refresh_often(void *arg)
{
	while (!over)
		refresh(arg);
	return NULL;
}

static void
readers_go_on_while_replicas_appear(void **state)
{
	pthread_t readers[READERS], refresher;
	struct history *h;

	(void)state;
	make("first/");
	h = open_all();
	over = 0;
	for (int i = 0; i < READERS; i++)
		pthread_create(&readers[i], NULL, read_listings, h);
	pthread_create(&refresher, NULL, refresh_often, h);
	for (int i = 0; i < REPLICAS; i++) {
		auto_free char *folder = xasprintf("n%02d/", i);

		make(folder);
		refresh(h);
	}
	over = 1;
	for (int i = 0; i < READERS; i++)
		pthread_join(readers[i], NULL);
	pthread_join(refresher, NULL);
	refresh(h);
	auto_listing struct history_listing *l = history_listing(h);

	assert_int_equal(REPLICAS + 1, l->n_sources);
	history_free(h);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		IN_FIXTURE(what_appears_is_shown_after_a_refresh),
		IN_FIXTURE(below_a_replica_nothing_is_looked_for),
		IN_FIXTURE(what_cannot_be_opened_is_tried_again),
		IN_FIXTURE(readers_go_on_while_replicas_appear),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
