/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Thinning, against a model of every state there was: points that stay read as
 * they did, those that go resolve to the one before that stayed, and it takes
 * less room.
 */
#include "tests/unit/pages_model.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include "repo/base/clock.h"
#include "repo/base/hex.h"
#include "repo/store/store.h"
#include "repo/upkeep/thin.h"
#include "repo/write/run.h"

#define MINUTE (60 * NS_PER_S)

static struct model m;
static bool is_base[5000];
static size_t last_base; /* of the past */

static void
put_base(void)
{
	is_base[m.n_past] = true;
	last_base = m.n_past;
	model_add_base(&m, true);
}

static void
put_delta(void)
{
	is_base[m.n_past] = false;
	model_add_delta(&m);
}

static void
change(void)
{
	uint32_t was = m.now.n;

	/* within two points it may have shrunk and grown again */
	if (model_random(&m, 14) == 0) {
		model_resize(&m, was - model_random(&m, was / 2));
		put_delta();
		model_resize(&m, was);
	}
	model_change(&m);
}

static void
grow_past(unsigned bases, unsigned deltas)
{
	model_open(&m);
	for (unsigned b = 0; b <= bases; b++) {
		put_base();
		for (unsigned i = 0; i < (b < bases ? deltas : 3); i++) {
			change();
			put_delta();
		}
	}
	model_close(&m);
}

/* -- What there is -------------------------------------------------------------- */

/* Bytes below a folder of the repository. */
static uint64_t
bytes_below(const char *folder)
{
	auto_free char *command = xasprintf(
		"find %s/%s -type f -printf '%%s\\n' 2>/dev/null | "
		"awk '{ n += $1 } END { print n + 0 }'", m.repo, folder);
	FILE *f = popen(command, "r");
	uint64_t n = 0;

	assert_int_equal(fscanf(f, "%" SCNu64, &n), 1);
	pclose(f);
	return n;
}

static struct thin_result
thin(const char *rules, int64_t now_ns)
{
	struct thin_options o = { .now_ns = now_ns };
	const struct history_open_options how = { .memory = 0 };
	auto_writer struct writer *w = NULL;
	struct thin_result r;
	struct err e = ERR_INIT;

	assert_int_equal(thin_rules_parse(rules, &o.rules, &e), 0);
	if (writer_open(m.repo, &how, &w, &e) || thin_run(w, &o, &r, &e))
		fail_msg("%s", e.text);
	assert_int_equal(r.failed, 0);
	return r;
}

/* The end of the stretch that a state belongs to. */
static size_t
stretch_end(size_t i)
{
	while (++i < m.n_past && !is_base[i])
		;
	return i;
}

/* Whether a rule of one period, whatever its age, holds a state. */
static bool
stays(size_t i, int64_t every_ns)
{
	return is_base[i] || i >= last_base || i + 1 == stretch_end(i) ||
	       m.past[i].time_ns / every_ns != m.past[i + 1].time_ns / every_ns;
}

/* Of every state there was. */
static void
check_all(int64_t every_ns)
{
	struct history *h = model_history(&m);
	size_t last = 0;

	for (size_t i = 0; i < m.n_past; i++) {
		auto_listing struct history_listing *l = history_listing(h);
		struct history_point p;
		struct err e = ERR_INIT;

		if (stays(i, every_ns)) {
			model_check(&m, h, i);
			last = i;
			continue;
		}
		if (history_moment_at(h, l, 0, m.past[i].time_ns, &p, &e))
			fail_msg("%s", e.text);
		assert_int_equal(p.time_ns, m.past[last].time_ns);
	}
	history_free(h);
}

/* -- Tests ----------------------------------------------------------------------- */

static void
every_point_that_stays(uint32_t page_size, uint32_t pages, unsigned deltas)
{
	struct thin_result r;
	uint64_t before, packs;

	model_init(&m, page_size, pages);
	grow_past(2, deltas);
	before = bytes_below("db");
	packs = bytes_below("data") + bytes_below("meta");
	r = thin("10s:all", m.now.time_ns);
	assert_int_equal(r.anew, 2);
	check_all(10 * NS_PER_S);
	assert_true(r.new_bytes < r.bytes);
	/* what was is there until it is pruned; nothing else came */
	assert_int_equal(bytes_below("db"), before + r.new_bytes);
	assert_int_equal(bytes_below("data") + bytes_below("meta"), packs);
	/* and once more, of what there is now */
	r = thin("1m:all", m.now.time_ns);
	assert_int_equal(r.anew, 2);
	check_all(MINUTE);
	/* once there is nothing to go, nothing is done */
	before = bytes_below("db");
	r = thin("1m:all", m.now.time_ns);
	assert_int_equal(r.anew, 0);
	assert_int_equal(bytes_below("db"), before);
	model_release(&m);
}

static void
points_of_small_pages_stay_as_they_were(void **state)
{
	(void)state;
	every_point_that_stays(512, 300, 300);
}

static void
points_of_usual_pages_stay_as_they_were(void **state)
{
	(void)state;
	every_point_that_stays(4096, 100, 700);
}

static void
points_of_the_largest_pages_stay_as_they_were(void **state)
{
	(void)state;
	every_point_that_stays(65536, 20, 80);
}

/* More than one leaf of the index, sets. */
static void
points_with_big_indexes_stay_as_they_were(void **state)
{
	struct thin_result r;

	(void)state;
	model_init(&m, 512, 30000);
	model_open(&m);
	put_base();
	for (unsigned i = 0; i < 40; i++) {
		model_change_much(&m, i);
		put_delta();
	}
	put_base();
	model_close(&m);
	r = thin("3s:all", m.now.time_ns);
	assert_int_equal(r.anew, 1);
	assert_true(r.new_bytes < r.bytes);
	check_all(3 * NS_PER_S);
	model_release(&m);
}

static void
nothing_but_snapshots_may_stay(void **state)
{
	struct thin_result r;
	struct history *h;
	struct err e = ERR_INIT;
	struct history_point p;

	(void)state;
	model_init(&m, 4096, 50);
	grow_past(2, 30);
	r = thin("none", m.now.time_ns);
	assert_int_equal(r.anew, 2);
	assert_int_equal(r.kept, 0);
	h = model_history(&m);
	for (size_t i = 0; i < m.n_past; i++) {
		auto_listing struct history_listing *l = history_listing(h);
		size_t base = i;

		while (!is_base[base])
			base--;
		if (i >= last_base || i == base) {
			model_check(&m, h, i);
			continue;
		}
		assert_int_equal(history_moment_at(h, l, 0, m.past[i].time_ns,
					 &p, &e), 0);
		assert_int_equal(p.time_ns, m.past[base].time_ns);
	}
	history_free(h);
	/* it is known without a question */
	assert_int_equal(thin("none", m.now.time_ns).anew, 0);
	model_release(&m);
}

/* Replication goes on, and what it adds is a chain with what was thinned. */
static void
a_replicator_goes_on_as_if_nothing_had_happened(void **state)
{
	struct history *h;
	size_t open;

	(void)state;
	model_init(&m, 4096, 60);
	grow_past(2, 40);
	open = last_base;
	model_open(&m);
	thin("20s:all", m.now.time_ns);
	for (unsigned i = 0; i < 20; i++) {
		change();
		put_delta();
	}
	put_base();
	change();
	put_delta();
	model_close(&m);
	h = model_history(&m);
	for (size_t i = open; i < m.n_past; i++)
		model_check(&m, h, i);
	history_free(h);
	/* what was the newest then is not any more */
	assert_int_equal(thin("20s:all", m.now.time_ns).anew, 1);
	check_all(20 * NS_PER_S);
	model_release(&m);
}

/* A history that was opened before reads on, from what is there until it is
 * pruned, and sees what is new after a refresh. */
static void
who_has_it_open_reads_on(void **state)
{
	struct history_point held, again;
	struct history_listing *l;
	struct history *h;
	struct view *v;
	struct err e = ERR_INIT;

	(void)state;
	model_init(&m, 4096, 60);
	grow_past(2, 64);
	h = model_history(&m);
	model_check(&m, h, 33);
	thin("16s:all", m.now.time_ns);
	for (size_t i = 0; i < m.n_past; i++) {
		if (!is_base[i])
			model_check(&m, h, i);
	}
	l = history_listing(h);
	if (history_moment_at(h, l, 0, m.past[34].time_ns, &held, &e))
		fail_msg("%s", e.text);
	history_listing_put(l);
	assert_int_equal(history_refresh(h, &e), 0);
	for (size_t i = 0; i < m.n_past; i++) {
		if (stays(i, 16 * NS_PER_S))
			model_check(&m, h, i);
	}
	/* and what somebody holds of what was there before */
	l = history_listing(h);
	if (history_moment_by_id(h, l, 0, held.id, &again, &e))
		fail_msg("%s: %s", held.id, e.text);
	assert_string_equal(again.id, held.id);
	assert_true(again.time_ns == m.past[34].time_ns);
	assert_true(again.key == held.key);
	if (history_open_moment(h, l, &again, &v, &e))
		fail_msg("%s", e.text);
	view_put(v);
	history_listing_put(l);
	history_free(h);
	model_release(&m);
}

/* -- Somebody prunes while we are stopped ------------------------------------------ */

static struct sink *inner;

static int
put_after_pruning(struct sink *s, const char *name, const void *data,
	size_t len, struct err *e)
{
	auto_free char *command =
		xasprintf("rm %s/db/*/000000000001-0001/*1", m.repo);

	(void)s;
	if (!strncmp(name, "snap/", 5))
		assert_int_equal(system(command), 0);
	return inner->ops->put(inner, name, data, len, e);
}

static int
begin_inner(struct sink *s, const char *name, struct upload **up, struct err *e)
{
	(void)s;
	return inner->ops->begin(inner, name, up, e);
}

static int
remove_inner(struct sink *s, const char *name, struct err *e)
{
	(void)s;
	return inner->ops->remove(inner, name, e);
}

static void
what_was_pruned_meanwhile_is_withdrawn(void **state)
{
	static const struct sink_ops ops = { .put = put_after_pruning,
		.begin = begin_inner,
		.remove = remove_inner };
	struct sink pruning = { .ops = &ops };
	struct thin_options o = { .now_ns = 0 };
	const struct history_open_options how = { .memory = 0 };
	struct thin_result r;
	struct writer *w;
	struct err e = ERR_INIT;
	uint64_t records;

	(void)state;
	model_init(&m, 4096, 40);
	grow_past(1, 30);
	records = bytes_below("snap");
	assert_int_equal(thin_rules_parse("5s:all", &o.rules, &e), 0);
	assert_int_equal(writer_open(m.repo, &how, &w, &e), 0);
	inner = w->sink;
	w->sink = &pruning;
	assert_int_equal(thin_run(w, &o, &r, &e), 0);
	w->sink = inner;
	writer_free(w);
	assert_int_equal(r.failed, 1);
	assert_int_equal(bytes_below("snap"), records);
	check_all(1);
	assert_int_equal(thin("5s:all", m.now.time_ns).anew, 1);
	check_all(5 * NS_PER_S);
	model_release(&m);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(points_of_small_pages_stay_as_they_were),
		cmocka_unit_test(points_of_usual_pages_stay_as_they_were),
		cmocka_unit_test(points_of_the_largest_pages_stay_as_they_were),
		cmocka_unit_test(points_with_big_indexes_stay_as_they_were),
		cmocka_unit_test(nothing_but_snapshots_may_stay),
		cmocka_unit_test(a_replicator_goes_on_as_if_nothing_had_happened),
		cmocka_unit_test(who_has_it_open_reads_on),
		cmocka_unit_test(what_was_pruned_meanwhile_is_withdrawn),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
