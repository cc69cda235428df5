/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where records come from, and what is made of those that are wrong. */
#include "tests/unit/snapshots.h"

#include "repo/base/hex.h"

/* -- Catalogs ------------------------------------------------------------------------ */

static void
a_removed_snapshot_disappears_and_is_stale(void **state)
{
	struct made a = snapshot("h", "n", 1, T0, NULL);
	struct made b = snapshot("h", "n", 2, T0 + 1, &a);
	struct catalog c = { .n = 0 };
	struct history_listing *l;
	struct history *h;
	struct err e = ERR_INIT;
	struct view *v, *held;

	(void)state;
	add_to_catalog(&c, &a);
	add_to_catalog(&c, &b);
	forge_catalog(&f, 2, 'f', &c);
	catalog_release(&c);
	h = forge_open(&f, 0);
	held = forge_view(h, 1);
	l = history_listing(h);
	assert_int_equal(sink_remove(f.sink, a.name, &e), 0);
	assert_int_equal(sink_remove(f.sink, b.name, &e), 0);
	assert_int_equal(history_open(h, l, 0, &v, &e), -ESTALE);
	assert_non_null(strstr(e.text, a.name));
	/* What is open stays open. */
	assert_int_equal(history_open(h, l, 1, &v, &e), 0);
	assert_ptr_equal(v, held);
	view_put(v);
	history_listing_put(l);
	assert_int_equal(history_refresh(h, &e), 0);
	l = history_listing(h);
	assert_int_equal(l->n_points, 0);
	assert_int_equal(l->n_sources, 0);
	history_listing_put(l);
	view_put(held);
	history_free(h);
}

static void
catalogs_spare_the_records_they_have(void **state)
{
	struct catalog full = { .n = 0 }, tail = { .n = 0 };
	struct made last = { .r = { .seq = 0 } }, gone;
	struct history *h;
	struct history_stats before, after;
	struct err e = ERR_INIT;

	(void)state;
	h = forge_open(&f, 0);
	before = stats_of(h);
	history_free(h);
	for (uint64_t seq = 1; seq <= 40; seq++) {
		last = snapshot("h", "n", seq, T0 + (int64_t)seq,
			seq > 1 ? &last : NULL);
		if (seq <= 30)
			add_to_catalog(&full, &last);
		else if (seq <= 38)
			add_to_catalog(&tail, &last);
		if (seq == 10)
			gone = last;
	}
	assert_int_equal(sink_remove(f.sink, gone.name, &e), 0);
	forge_catalog(&f, 7, 'f', &(struct catalog){ .n = 0 });
	forge_catalog(&f, 30, 'f', &full);
	forge_catalog(&f, 29, 't', &(struct catalog){ .n = 0 });
	forge_catalog(&f, 38, 't', &tail);
	h = forge_open(&f, 0);
	after = stats_of(h);
	/* two catalogs, and the two records that neither has */
	assert_int_equal(after.store_gets, before.store_gets + 4);
	auto_listing struct history_listing *l = history_listing(h);
	assert_int_equal(l->n_points, 39);
	assert_int_equal(l->points[9].seq, 11);
	for (size_t i = 0; i < l->n_points; i++)
		view_put(forge_view(h, i));
	catalog_release(&full);
	catalog_release(&tail);
	history_free(h);
}

static void
a_damaged_catalog_is_left_out(void **state)
{
	struct catalog full = { .n = 0 };
	struct made last = { .r = { .seq = 0 } };
	auto_free char *path = NULL;
	struct history *h;

	(void)state;
	for (uint64_t seq = 1; seq <= 40; seq++) {
		last = snapshot("h", "n", seq, T0, seq > 1 ? &last : NULL);
		add_to_catalog(&full, &last);
	}
	forge_catalog(&f, 40, 'f', &full);
	catalog_release(&full);
	path = xasprintf("cd %s/cat && chmod u+w * && truncate -s -1 *",
		f.repo);
	assert_int_equal(system(path), 0);
	catch_log();
	h = forge_open(&f, 0);
	assert_non_null(strstr(caught_log(), "cat/999999999959-f-"));
	assert_int_equal(count_lines(caught.text), 1);
	auto_listing struct history_listing *l = history_listing(h);
	assert_int_equal(l->n_points, 40);
	history_free(h);
}

static void
a_catalog_may_not_say_what_the_names_do_not(void **state)
{
	struct made a = snapshot("h", "n", 1, T0, NULL), lie;
	struct catalog c = { .n = 0 };
	struct history *h;

	(void)state;
	lie = a;
	lie.r.time_ns += DAY;
	add_to_catalog(&c, &lie);
	forge_catalog(&f, 1, 'f', &c);
	catalog_release(&c);
	h = forge_open(&f, 0);
	auto_listing struct history_listing *l = history_listing(h);
	assert_int_equal(l->n_points, 1);
	assert_int_equal(l->points[0].time_ns, T0);
	history_free(h);
}

static void
a_record_that_is_not_the_catalogs_is_not_opened(void **state)
{
	struct made a = snapshot("h", "n", 1, T0, NULL), other = a;
	struct catalog c = { .n = 0 };
	struct history *h;
	struct err e = ERR_INIT;
	struct view *v;

	(void)state;
	other.hash[3] ^= 1;
	add_to_catalog(&c, &other);
	forge_catalog(&f, 1, 'f', &c);
	catalog_release(&c);
	h = forge_open(&f, 0);
	auto_listing struct history_listing *l = history_listing(h);
	assert_int_equal(history_open(h, l, 0, &v, &e), -EBADMSG);
	history_free(h);
}

/* -- Damage ------------------------------------------------------------------------- */

static void
a_damaged_record_is_a_damaged_point_of_its_source(void **state)
{
	struct made a = snapshot("h", "n", 1, T0, NULL);
	struct made b = snapshot("h", "n", 2, T0 + DAY, &a);
	struct history *h;
	struct err e = ERR_INIT;
	struct view *v;

	(void)state;
	snapshot("h", "n", 3, T0 + 2 * DAY, &b);
	forge_damage(&f, b.name, 100, 1);
	catch_log();
	h = forge_open(&f, 0);
	assert_non_null(strstr(caught_log(), b.name));
	assert_int_equal(count_lines(caught.text), 1);
	auto_listing struct history_listing *l = history_listing(h);
	assert_int_equal(l->n_points, 3);
	assert_true(l->points[1].damaged);
	assert_false(l->points[0].damaged || l->points[2].damaged);
	assert_string_equal(l->points[1].name, "2023-11-15T22-13-20Z");
	assert_int_equal(l->points[1].seq, 2);
	assert_int_equal(l->n_generations, 1);
	assert_int_equal(history_open(h, l, 1, &v, &e), -EBADMSG);
	assert_non_null(strstr(e.text, b.name));
	/* It is not asked for again. */
	struct history_stats before = stats_of(h), after;
	assert_int_equal(history_refresh(h, &e), 0);
	after = stats_of(h);
	assert_int_equal(after.store_gets, before.store_gets);
	history_free(h);
}

static void
a_damaged_record_of_an_unknown_source_is_one_line(void **state)
{
	struct made a = snapshot("h", "n", 1, T0, NULL);
	struct history *h;
	struct err e = ERR_INIT;

	(void)state;
	snapshot("h", "m", 1, T0, NULL);
	forge_damage(&f, a.name, 100, 1);
	catch_log();
	h = forge_open(&f, 0);
	assert_int_equal(history_refresh(h, &e), 0);
	assert_int_equal(count_lines(caught_log()), 1);
	auto_listing struct history_listing *l = history_listing(h);
	assert_int_equal(l->n_points, 1);
	assert_string_equal(l->sources[0].name, "m");
	history_free(h);
}

/* The store calls a record by another name. */
static void
rename_record(const struct made *m, const char *to)
{
	auto_free char *old = forge_path(&f, m->name);
	auto_free char *new = forge_path(&f, to);

	assert_int_equal(rename(old, new), 0);
}

static void
a_record_under_another_name_is_refused(void **state)
{
	struct made a = snapshot("h", "n", 1, T0, NULL);
	struct made b = snapshot("h", "n", 2, T0, &a);
	struct made c = snapshot("h", "m", 1, T0, NULL);
	char moved[OBJECT_NAME_MAX * 2];
	struct history *h;

	(void)state;
	/* a number later */
	strcpy(moved, b.name);
	moved[5 + 20 + 1 + 11] = '9';
	rename_record(&b, moved);
	/* into another source's directory */
	memcpy(moved, a.name, 5 + 20);
	strcpy(moved + 25, c.name + 25);
	rename_record(&c, moved);
	catch_log();
	h = forge_open(&f, 0);
	assert_int_equal(count_lines(caught_log()), 2);
	auto_listing struct history_listing *l = history_listing(h);
	assert_int_equal(l->n_sources, 1);
	assert_int_equal(l->n_points, 3);
	assert_int_equal(l->points[0].damaged + l->points[1].damaged +
				 l->points[2].damaged,
		2);
	history_free(h);
}

static void
a_broken_chain_is_one_line_and_a_gap_is_none(void **state)
{
	struct made a = snapshot("h", "n", 1, T0, NULL);
	struct made b = snapshot("h", "n", 2, T0, &a);
	struct made c = snapshot("h", "n", 3, T0, &b);
	struct made d = snapshot("h", "n", 4, T0, &c);
	struct history *h;
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(sink_remove(f.sink, b.name, &e), 0);
	catch_log();
	h = forge_open(&f, 0);
	assert_string_equal(caught_log(), "");
	memset(d.hash, 1, sizeof(d.hash));
	snapshot("h", "n", 5, T0, &d);
	catch_log();
	assert_int_equal(history_refresh(h, &e), 0);
	assert_non_null(strstr(caught_log(), "h/n: snapshot 5"));
	assert_int_equal(count_lines(caught.text), 1);
	history_free(h);
}

/* The record of a database at seq, in the epoch'th place of `original`. */
static struct made
thinned(const char *name, uint64_t seq, const struct made *before,
	uint32_t epoch, const struct made *original)
{
	struct made m = make("h", name, seq, T0 + (int64_t)seq * DAY, before);

	m.r.is_database = true;
	m.r.database = (struct database_state){ .page_size = 512 };
	m.r.epoch = epoch;
	m.r.n_deltas = epoch ? 1 : 0;
	if (epoch)
		memcpy(m.r.original, original->hash, HASH_LEN);
	return put(m);
}

static void
assert_shows(struct history *h, const struct made *m)
{
	auto_listing struct history_listing *l = history_listing(h);
	char id[OBJECT_ID_LEN * 2 + 1];

	assert_int_equal(l->n_points, 3);
	assert_string_equal(l->points[1].id,
		hex_encode(id, m->r.id, OBJECT_ID_LEN));
}

static uint64_t
version_of(struct history *h)
{
	auto_listing struct history_listing *l = history_listing(h);

	return l->version;
}

/* Also while the one in whose place it is has not gone yet, or is back. */
static void
of_one_seq_the_highest_epoch_is_shown(void **state)
{
	struct made first, second, again, once, last;
	struct history *h;
	uint64_t version;
	(void)state;

	first = thinned("db", 1, NULL, 0, NULL);
	second = thinned("db", 2, &first, 0, NULL);
	last = thinned("db", 3, &second, 0, NULL);
	catch_log();
	h = forge_open(&f, 0);
	assert_shows(h, &second);
	again = thinned("db", 2, &first, 2, &second);
	once = thinned("db", 2, &first, 1, &second);
	assert_int_equal(history_refresh(h, NULL), 0);
	assert_shows(h, &again);
	version = version_of(h);
	assert_int_equal(history_refresh(h, NULL), 0);
	assert_int_equal(version_of(h), version);
	assert_int_equal(sink_remove(f.sink, again.name, NULL), 0);
	assert_int_equal(history_refresh(h, NULL), 0);
	assert_shows(h, &once);
	assert_int_equal(sink_remove(f.sink, second.name, NULL), 0);
	assert_int_equal(history_refresh(h, NULL), 0);
	assert_shows(h, &once);
	history_free(h);
	h = forge_open(&f, 0);
	assert_shows(h, &once);
	history_free(h);
	/* and the chain still holds: 3 names what 2 was first */
	assert_string_equal(caught_log(), "");
	(void)last;
}

static void
foreign_names_below_snap_are_passed_over(void **state)
{
	static const char *const names[] = { "snap/x",
		"snap/0123456789abcdef0123/000000000001-x",
		"snap/0123456789abcdef0123/1-20231114T221320Z-"
		"00000000000000000000000000000000",
		"snap/0123456789abcdef012/000000000001-20231114T221320Z-"
		"00000000000000000000000000000000",
		"cat/x", "cat/000000000001-f-x" };
	struct err e = ERR_INIT;
	struct history *h;

	(void)state;
	snapshot("h", "n", 1, T0, NULL);
	for (size_t i = 0; i < n_elements(names); i++)
		assert_int_equal(sink_put(f.sink, names[i], "x", 1, &e), 0);
	catch_log();
	h = forge_open(&f, 0);
	assert_string_equal(caught_log(), "");
	auto_listing struct history_listing *l = history_listing(h);
	assert_int_equal(l->n_points, 1);
	history_free(h);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_removed_snapshot_disappears_and_is_stale),
		TEST(catalogs_spare_the_records_they_have),
		TEST(a_damaged_catalog_is_left_out),
		TEST(a_catalog_may_not_say_what_the_names_do_not),
		TEST(a_record_that_is_not_the_catalogs_is_not_opened),
		TEST(a_damaged_record_is_a_damaged_point_of_its_source),
		TEST(a_damaged_record_of_an_unknown_source_is_one_line),
		TEST(a_record_under_another_name_is_refused),
		TEST(a_broken_chain_is_one_line_and_a_gap_is_none),
		TEST(of_one_seq_the_highest_epoch_is_shown),
		TEST(foreign_names_below_snap_are_passed_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
