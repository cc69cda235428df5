/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/forge.h"

#include <errno.h>
#include <inttypes.h>
#include <malloc.h>
#include <stdio.h>
#include <sys/stat.h>
#include "repo/base/clock.h"

#define DAY (86400 * NS_PER_S)
#define T0 (1700000000 * NS_PER_S)

static struct forge f;

static int
set_up(void **state)
{
	(void)state;
	forge_init(&f, 4);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	forge_release(&f);
	return 0;
}

/* A snapshot of an empty tree, written; the chain goes on from *hash, which
 * becomes its own. */
struct made {
	char name[OBJECT_NAME_MAX * 2];
	uint8_t hash[HASH_LEN];
	struct record r;
};

static struct made
make(const char *host, const char *source, uint64_t seq, int64_t time_ns,
	const struct made *before)
{
	struct made m = { .r = { .host = (char *)(uintptr_t)host,
				  .name = (char *)(uintptr_t)source,
				  .seq = seq,
				  .generation = 1,
				  .time_ns = time_ns,
				  .root = { .mode = S_IFDIR | 0700,
					  .nlink = 2,
					  .uid = 7 } } };

	if (before)
		memcpy(m.r.previous, before->hash, HASH_LEN);
	return m;
}

static struct made
put(struct made m)
{
	forge_record(&f, &m.r, m.hash, m.name);
	return m;
}

static struct made
snapshot(const char *host, const char *source, uint64_t seq, int64_t time_ns,
	const struct made *before)
{
	return put(make(host, source, seq, time_ns, before));
}

static struct history_stats
stats_of(struct history *h)
{
	struct history_stats s;

	history_stats(h, &s);
	return s;
}

/* What is written to standard error while this is in force. */
static struct {
	FILE *file;
	int old;
	char text[4000];
} caught;

static void
catch_log(void)
{
	caught.file = tmpfile();
	fflush(stderr);
	caught.old = dup(2);
	dup2(fileno(caught.file), 2);
}

static const char *
caught_log(void)
{
	size_t n;

	fflush(stderr);
	dup2(caught.old, 2);
	close(caught.old);
	rewind(caught.file);
	n = fread(caught.text, 1, sizeof(caught.text) - 1, caught.file);
	caught.text[n] = '\0';
	fclose(caught.file);
	return caught.text;
}

static unsigned
count_lines(const char *text)
{
	unsigned n = 0;

	for (; *text; text++)
		n += *text == '\n';
	return n;
}

/* -- Listings ------------------------------------------------------------------- */

static void
an_empty_repository_has_no_sources(void **state)
{
	struct history *h = forge_open(&f, 0);
	struct err e = ERR_INIT;

	(void)state;
	{
		auto_listing struct history_listing *l = history_listing(h);

		assert_int_equal(l->n_points, 0);
		assert_int_equal(l->n_sources, 0);
	}
	assert_int_equal(history_refresh(h, &e), 0);
	history_free(h);
}

static void
sources_points_and_generations_are_in_order(void **state)
{
	struct made a = snapshot("web2", "home", 1, T0, NULL);
	struct made b = make("web2", "home", 2, T0 - DAY, &a), c;
	struct history *h;

	(void)state;
	b.r.generation = 2;
	b = put(b);
	c = make("web2", "home", 3, T0 + DAY, &b);
	c.r.generation = 2;
	put(c);
	snapshot("web1", "www", 1, T0, NULL);
	snapshot("web1", "home", 5, T0, NULL);
	h = forge_open(&f, 0);
	auto_listing struct history_listing *l = history_listing(h);
	assert_int_equal(l->n_sources, 3);
	assert_string_equal(l->sources[0].host, "web1");
	assert_string_equal(l->sources[0].name, "home");
	assert_string_equal(l->sources[1].name, "www");
	assert_string_equal(l->sources[2].host, "web2");
	assert_int_equal(l->sources[2].first_point, 2);
	assert_int_equal(l->sources[2].n_points, 3);
	assert_int_equal(l->sources[2].n_generations, 2);
	assert_int_equal(l->n_generations, 4);
	assert_int_equal(l->generations[2].n_points, 1);
	assert_int_equal(l->generations[3].first_point, 3);
	assert_int_equal(l->generations[3].n_points, 2);
	assert_string_equal(l->generations[3].name, l->points[3].name);
	for (uint64_t i = 0; i < 3; i++) {
		assert_int_equal(l->points[2 + i].seq, i + 1);
		assert_int_equal(l->points[2 + i].source, 2);
		assert_int_equal(l->points[2 + i].root.uid, 7);
	}
	assert_int_equal(l->points[4].generation, 3);
	assert_int_equal(history_find_at(l, 2, T0 - 1), 3);
	assert_int_equal(history_find_at(l, 2, T0), 3);
	history_free(h);
}

static void
points_of_the_same_second_get_suffixes(void **state)
{
	struct made a = snapshot("h", "n", 1, T0 + 5, NULL);
	struct made b = snapshot("h", "n", 2, T0 + DAY, &a);
	struct made c = snapshot("h", "n", 3, T0, &b);
	struct history *h;

	(void)state;
	snapshot("h", "n", 4, T0 + 7, &c);
	h = forge_open(&f, 0);
	auto_listing struct history_listing *l = history_listing(h);
	assert_string_equal(l->points[0].name, "2023-11-14T22-13-20Z");
	assert_string_equal(l->points[1].name, "2023-11-15T22-13-20Z");
	assert_string_equal(l->points[2].name, "2023-11-14T22-13-20Z-2");
	assert_string_equal(l->points[3].name, "2023-11-14T22-13-20Z-3");
	history_free(h);
}

static void
tags_are_sorted_and_there_once(void **state)
{
	static char x[] = "x", a[] = "a", m[] = "m";
	char *both[] = { x, a, x }, *one[] = { m };
	struct made first = make("h", "n", 1, T0, NULL), second;
	struct history *h;
	struct err e = ERR_INIT;

	(void)state;
	first.r.tags = both;
	first.r.n_tags = 3;
	first = put(first);
	h = forge_open(&f, 0);
	second = make("h", "n", 2, T0 + 1, &first);
	second.r.tags = one;
	second.r.n_tags = 1;
	put(second);
	assert_int_equal(history_refresh(h, &e), 0);
	auto_listing struct history_listing *l = history_listing(h);
	assert_int_equal(l->n_tags, 3);
	assert_string_equal(l->tags[0], "a");
	assert_string_equal(l->tags[1], "m");
	assert_string_equal(l->tags[2], "x");
	assert_int_equal(l->points[0].n_tags, 2);
	assert_true(history_has_tag(&l->points[0], "a"));
	assert_true(history_has_tag(&l->points[0], "x"));
	assert_false(history_has_tag(&l->points[0], "m"));
	assert_true(history_has_tag(&l->points[1], "m"));
	history_free(h);
}

/* -- Refreshing ------------------------------------------------------------------- */

static void
a_refresh_costs_one_list_and_one_get_a_new_snapshot(void **state)
{
	struct made a = snapshot("h", "n", 1, T0, NULL);
	struct history *h = forge_open(&f, 0);
	struct history_listing *before = history_listing(h), *after;
	struct history_stats s = stats_of(h), t;
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(history_refresh(h, &e), 0);
	after = history_listing(h);
	assert_ptr_equal(after, before);
	history_listing_put(after);
	t = stats_of(h);
	assert_int_equal(t.store_lists, s.store_lists + 1);
	assert_int_equal(t.store_gets, s.store_gets);

	snapshot("h", "n", 2, T0 + DAY, &a);
	snapshot("a", "n", 1, T0, NULL);
	assert_int_equal(history_refresh(h, &e), 0);
	after = history_listing(h);
	assert_true(after->version > before->version);
	assert_int_equal(after->n_points, 3);
	assert_int_equal(after->points[1].key, before->points[0].key);
	assert_string_equal(after->points[1].id, before->points[0].id);
	s = stats_of(h);
	assert_int_equal(s.store_lists, t.store_lists + 1);
	assert_int_equal(s.store_gets, t.store_gets + 2);
	/* Who holds the old one keeps it. */
	assert_int_equal(before->n_points, 1);
	assert_string_equal(before->sources[0].host, "h");
	history_listing_put(after);
	history_listing_put(before);
	history_free(h);
}

static void
keys_are_unique_below_24_bits_and_stay(void **state)
{
	uint64_t keys[50];
	struct history *h;
	struct err e = ERR_INIT;

	(void)state;
	for (uint64_t i = 1; i <= 50; i++)
		snapshot("h", i % 2 ? "n" : "m", i, T0 + (int64_t)i, NULL);
	h = forge_open(&f, 0);
	for (int round = 0; round < 2; round++) {
		auto_listing struct history_listing *l = history_listing(h);

		for (size_t i = 0; i < l->n_points; i++) {
			assert_true(l->points[i].key < 1 << 24);
			for (size_t k = 0; k < i; k++)
				assert_int_not_equal(l->points[i].key,
					l->points[k].key);
			if (round == 0)
				keys[i] = l->points[i].key;
			else if (i > 0)
				assert_int_equal(l->points[i].key, keys[i - 1]);
		}
		snapshot("a", "first", 1 + 10 * (uint64_t)round, T0, NULL);
		assert_int_equal(history_refresh(h, &e), 0);
	}
	history_free(h);
}

/* -- Catalogs ------------------------------------------------------------------------ */

static void
add_to_catalog(struct catalog *c, const struct made *m)
{
	auto_buf struct buf b = BUF_INIT;
	struct record copy;
	struct err e = ERR_INIT;

	record_encode(&m->r, false, &b);
	assert_int_equal(record_decode(b.data, b.len, &copy, &e), 0);
	memcpy(copy.id, m->r.id, OBJECT_ID_LEN);
	catalog_add(c, &copy, m->hash);
}

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
	forge_catalog(&f, "cat/000000000002-f-", &c);
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
	forge_catalog(&f, "cat/000000000007-f-", &(struct catalog){ .n = 0 });
	forge_catalog(&f, "cat/000000000030-f-", &full);
	forge_catalog(&f, "cat/000000000029-t-", &(struct catalog){ .n = 0 });
	forge_catalog(&f, "cat/000000000038-t-", &tail);
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
	forge_catalog(&f, "cat/000000000040-f-", &full);
	catalog_release(&full);
	path = xasprintf("cd %s/cat && chmod u+w * && truncate -s -1 *",
		f.repo);
	assert_int_equal(system(path), 0);
	catch_log();
	h = forge_open(&f, 0);
	assert_non_null(strstr(caught_log(), "cat/000000000040-f-"));
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
	forge_catalog(&f, "cat/000000000001-f-", &c);
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
	forge_catalog(&f, "cat/000000000001-f-", &c);
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

/* -- Threads -------------------------------------------------------------------------- */

struct user {
	pthread_t thread;
	struct history *h;
	bool refreshes;
};

static void *
use_history(void *arg)
{
	struct user *u = arg;
	struct err e = ERR_INIT;

	for (int i = 0; i < 200; i++) {
		auto_listing struct history_listing *l = history_listing(u->h);
		struct view_attr a;
		struct view *v;

		if (u->refreshes)
			assert_int_equal(history_refresh(u->h, &e), 0);
		assert_int_equal(history_open(u->h, l,
					 (size_t)i % l->n_points, &v, &e),
			0);
		assert_int_equal(view_attr(v, VIEW_ROOT, &a, &e), 0);
		assert_int_equal(a.uid, 7);
		view_put(v);
	}
	return NULL;
}

static void
threads_share_a_history_that_grows(void **state)
{
	struct made last = snapshot("h", "n", 1, T0, NULL);
	struct history *h = forge_open(&f, 0);
	struct user users[4];

	(void)state;
	for (unsigned i = 0; i < n_elements(users); i++) {
		users[i] = (struct user){ .h = h, .refreshes = i % 2 };
		assert_int_equal(pthread_create(&users[i].thread, NULL,
					 use_history, &users[i]),
			0);
	}
	for (uint64_t seq = 2; seq <= 40; seq++)
		last = snapshot("h", "n", seq, T0 + (int64_t)seq, &last);
	for (unsigned i = 0; i < n_elements(users); i++)
		pthread_join(users[i].thread, NULL);
	history_free(h);
}

/* -- Many ------------------------------------------------------------------------------ */

static void
ten_thousand_snapshots_take_little_memory_and_time(void **state)
{
	struct catalog full = { .n = 0 };
	struct made last = { .r = { .seq = 0 } };
	struct history *h;
	size_t before, after;
	int64_t began;

	(void)state;
	for (uint64_t seq = 1; seq <= 10000; seq++) {
		last = snapshot("h", "n", seq, T0 + (int64_t)seq * NS_PER_S,
			seq > 1 ? &last : NULL);
		add_to_catalog(&full, &last);
	}
	forge_catalog(&f, "cat/000000010000-f-", &full);
	catalog_release(&full);
	before = mallinfo2().uordblks + mallinfo2().hblkhd;
	began = clock_mono_ns();
	h = forge_open(&f, 0);
	assert_true(clock_mono_ns() - began < 5 * NS_PER_S);
	auto_listing struct history_listing *l = history_listing(h);
	assert_int_equal(l->n_points, 10000);
	/* The orders for look-ups are part of it. */
	assert_int_equal(history_find_at(l, 0, INT64_MAX), 9999);
	after = mallinfo2().uordblks + mallinfo2().hblkhd;
	/* A sanitizer's allocator does not say. */
	assert_true(after - before < 10000 * 400);
	history_free(h);
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_empty_repository_has_no_sources),
		TEST(sources_points_and_generations_are_in_order),
		TEST(points_of_the_same_second_get_suffixes),
		TEST(tags_are_sorted_and_there_once),
		TEST(a_refresh_costs_one_list_and_one_get_a_new_snapshot),
		TEST(a_removed_snapshot_disappears_and_is_stale),
		TEST(keys_are_unique_below_24_bits_and_stay),
		TEST(catalogs_spare_the_records_they_have),
		TEST(a_damaged_catalog_is_left_out),
		TEST(a_catalog_may_not_say_what_the_names_do_not),
		TEST(a_record_that_is_not_the_catalogs_is_not_opened),
		TEST(a_damaged_record_is_a_damaged_point_of_its_source),
		TEST(a_damaged_record_of_an_unknown_source_is_one_line),
		TEST(a_record_under_another_name_is_refused),
		TEST(a_broken_chain_is_one_line_and_a_gap_is_none),
		TEST(foreign_names_below_snap_are_passed_over),
		TEST(threads_share_a_history_that_grows),
		TEST(ten_thousand_snapshots_take_little_memory_and_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
