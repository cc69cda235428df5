/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names, ids and states of Litestream 0.3; what is missing; what is new. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include "repo/foreign/litestream03/id.h"
#include "tests/foreign/litestream03_replica.h"
#include "tests/unit/scratch.h"

#define A "10fecc8c20264bfa"
#define B "659262bdca7d241d"
#define S(name) "generations/" A "/" name

static void
only_what_names_an_object_is_a_name(void **state)
{
	static const char *const good[] = { A
		"/snapshots/00000000.snapshot.lz4",
		A "/snapshots/000000000000000a.snapshot.lz4",
		A "/wal/00000001_0000a110.wal.lz4",
		A "/wal/00000001_1234567890.wal.lz4",
		A "/wal/00000001/0000a110.wal.lz4",
		A "/wal/0000000000000001/000000000000a110.wal.lz4",
		A "/wal/00000001.wal.lz4", A "/wal/7fffffff.wal" };
	static const char *const bad[] = { "", A, A "/", A "/wal/",
		"10fecc8c20264bf/wal/00000001.wal",
		"10FECC8C20264BFA/wal/00000001.wal", A "0/wal/00000001.wal",
		A "/wal/0000001.wal", A "/wal/000000001.wal",
		A "/wal/80000000.wal", A "/wal/0000000A.wal",
		A "/wal/00000001.wal.lz4.tmp", A "/wal/00000001_a110.wal.lz4",
		A "/wal/00000001_00000a110.wal.lz4",
		A "/wal/00000001_ffffffffffffffff.wal.lz4",
		A "/wal/00000001/000000000000a110.wal.lz4",
		A "/snapshots/00000000.wal.lz4",
		A "/snapshots/00000000.snapshot" };
	struct ls03_name n;
	char again[LS03_NAME_MAX];
	(void)state;

	for (size_t i = 0; i < n_elements(good); i++) {
		if (!ls03_name_parse(good[i], &n))
			fail_msg("%s", good[i]);
		ls03_name_print(again, &n);
		assert_string_equal(again, good[i]);
	}
	for (size_t i = 0; i < n_elements(bad); i++)
		if (ls03_name_parse(bad[i], &n))
			fail_msg("%s", bad[i]);
}

struct told {
	struct buf ids;
	int64_t last;
	uint64_t seq;
	unsigned n;
};

static bool
take_moment(void *ctx, const struct history_point *p)
{
	struct told *x = ctx;

	assert_true(p->time_ns >= x->last && p->seq > x->seq);
	assert_true(p->key >> 47 == 1 || strstr(p->id, "snapshot"));
	x->last = p->time_ns;
	x->seq = p->seq;
	x->n++;
	buf_printf(&x->ids, "%s ", p->id + LS03_GENERATION_LEN + 1);
	return true;
}

static void
assert_moments(struct history *h, size_t generation, const char *expected)
{
	auto_listing struct history_listing *l = history_listing(h);
	struct told x = { .last = INT64_MIN };

	assert_int_equal(history_moments(h, l, generation, INT64_MIN,
				 take_moment, &x, NULL),
		0);
	buf_append(&x.ids, "", 1);
	assert_string_equal((char *)x.ids.data, expected);
	buf_release(&x.ids);
}

static void
states_are_told_in_the_order_in_which_they_were(void **state)
{
	struct history *h;
	(void)state;

	replica_make(LS03_SEGMENT);
	h = replica_open(NULL);
	assert_moments(h, 1,
		"snapshot-00000000 00000000-00000000 00000000-00001038 "
		"00000000-000070c8 00000000-0000a110 00000000-0000d158 "
		"00000000-000121d0 00000000-00015218 00000000 "
		"00000001-00000000 00000001-00001038 snapshot-00000001 "
		"00000001-0000a110 00000001-0000c140 00000001-000121d0 "
		"00000001-00014200 ");
	history_free(h);
}

static void
ids_name_states_exactly(void **state)
{
	static const struct {
		const char *id, *same;
	} ids[] = {
		{ A "-00000000", A "-00000000-0001c2c0" },
		{ B "-00000001", B "-00000001-00014200" },
		{ A "-snapshot-00000002", A "-00000002-000060b0" },
	};
	static const char *const none[] = { A "-00000003",
		A "-00000000-00000001", A "-snapshot-00000003", A "-0",
		"0000000000000000-00000000", A, "x" };
	struct history *h;
	char a[65], b[65];
	(void)state;

	replica_make(LS03_SEGMENT);
	h = replica_open(NULL);
	for (size_t i = 0; i < n_elements(ids); i++) {
		assert_int_equal(replica_sum_of(h, ids[i].id, 0, a, NULL), 0);
		assert_int_equal(replica_sum_of(h, ids[i].same, 0, b, NULL), 0);
		assert_string_equal(a, b);
	}
	for (size_t i = 0; i < n_elements(none); i++)
		assert_int_equal(
			replica_sum_of(h, none[i], 0, a, NULL), -ENOENT);
	history_free(h);
}

static void
many_logs_from_one_snapshot_on_come_to_the_same(void **state)
{
	struct history *h;
	char a[65], b[65];
	(void)state;

	replica_make(LS03_SEGMENT);
	h = replica_open(NULL);
	assert_int_equal(replica_sum_of(h, A "-00000002", 0, a, NULL), 0);
	history_free(h);
	fixture_remove(S("snapshots/00000001.snapshot.lz4"));
	fixture_remove(S("snapshots/00000002.snapshot.lz4"));
	h = replica_open(NULL);
	assert_int_equal(replica_sum_of(h, A "-00000002", 0, b, NULL), 0);
	history_free(h);
	assert_string_equal(a, b);
}

/* -- What is missing or wrong --------------------------------------------- */

static void
assert_fails(const char *id, int code, const char *words)
{
	struct history *h = replica_open(NULL);
	struct err e = ERR_INIT;
	char sum[65];

	assert_int_equal(replica_sum_of(h, id, 0, sum, &e), -code);
	if (!strstr(e.text, words))
		fail_msg("%s: %s", id, e.text);
	history_free(h);
}

static void
assert_works(const char *id)
{
	struct history *h = replica_open(NULL);
	struct err e = ERR_INIT;
	char sum[65];

	if (replica_sum_of(h, id, 0, sum, &e) < 0)
		fail_msg("%s: %s", id, e.text);
	history_free(h);
}

static void
a_segment_that_is_missing_in_the_middle_is_an_error(void **state)
{
	(void)state;
	replica_make(LS03_SEGMENT);
	fixture_remove(S("wal/00000001_0000a110.wal.lz4"));
	assert_works(A "-00000000");
	assert_works(A "-00000001-000070c8");
	assert_fails(A "-00000001", EUCLEAN,
		"the log lacks what lies between a110 and f188");
	assert_works(B "-00000001");
}

static void
a_beginning_or_a_whole_log_that_is_missing_is_an_error(void **state)
{
	(void)state;
	replica_make(LS03_WHOLE);
	fixture_remove(S("snapshots/00000001.snapshot.lz4"));
	fixture_remove(S("snapshots/00000002.snapshot.lz4"));
	assert_works(A "-00000002");
	fixture_remove(S("wal/00000001.wal.lz4"));
	assert_works(A "-00000000");
	assert_fails(
		A "-00000002", EUCLEAN, "whole of log 00000001 is missing");
	fixture_remove(S("wal/00000000.wal.lz4"));
	assert_fails(
		A "-00000002", EUCLEAN, "whole of log 00000000 is missing");
}

static void
a_log_without_its_beginning_is_an_error(void **state)
{
	(void)state;
	replica_make(LS03_SEGMENT);
	fixture_remove(S("wal/00000000_00000000.wal.lz4"));
	assert_fails(
		A "-00000000", EUCLEAN, "beginning of log 00000000 is missing");
}

static void
the_bit_that_litestream_finds_flipped_is_found(void **state)
{
	auto_free char *from =
		replica_file("bitflip-00000001_0000a110.wal.lz4");
	auto_free char *command =
		xasprintf("cp %s %s/" S("wal/00000001_0000a110.wal.lz4"), from,
			fixture_dir);
	(void)state;

	replica_make(LS03_SEGMENT);
	assert_int_equal(system(command), 0);
	assert_works(A "-00000001-000070c8");
	assert_fails(A "-00000001", EBADMSG, "00000001_0000a110.wal.lz4");
}

static void
what_age_encrypted_is_refused_by_name(void **state)
{
	(void)state;
	replica_make(LS03_SEGMENT);
	fixture_put_text(S("snapshots/00000000.snapshot.lz4"),
		"age-encryption.org/v1\n-> X25519 what follows is random\n");
	assert_fails(A "-00000000", EPROTONOSUPPORT, "encrypted with age");
	fixture_put_text(S("wal/00000002_00001038.wal.lz4"),
		"age-encryption.org/v1\n-> X25519 what follows is random\n");
	assert_fails(A "-00000002", EPROTONOSUPPORT,
		"00000002_00001038.wal.lz4 is encrypted with age");
}

/* But at its time. */
static void
replace_snapshot(const char *index, const char *by)
{
	auto_free char *command = xasprintf(
		"cd %s/generations/" A "/snapshots && cp %s.snapshot.lz4 x && "
		"touch -r %s.snapshot.lz4 x && mv x %s.snapshot.lz4",
		fixture_dir, by, index, index);

	assert_int_equal(system(command), 0);
}

/* What needs no page of it is told all the same, as it was. */
static unsigned n_found_out;

static void
assert_same_or_found_out(const char *id, const char *index, const char *by)
{
	struct history *h;
	char right[65], sum[65];
	int r;

	replica_make(LS03_SEGMENT);
	h = replica_open(NULL);
	assert_int_equal(replica_sum_of(h, id, 0, right, NULL), 0);
	history_free(h);
	replace_snapshot(index, by);
	h = replica_open(NULL);
	r = replica_sum_of(h, id, 0, sum, NULL);
	if (r == 0 && strcmp(sum, right) != 0)
		fail_msg("%s with snapshot %s for %s", id, by, index);
	assert_true(r == 0 || r == -EUCLEAN);
	n_found_out += r < 0;
	history_free(h);
}

static void
assert_found_out(const char *index, const char *by)
{
	auto_free char *state = xasprintf(A "-snapshot-%s", index);
	auto_free char *end = xasprintf(A "-%s", index);

	assert_same_or_found_out(state, index, by);
	assert_same_or_found_out(end, index, by);
}

static void
a_snapshot_of_another_index_is_found_out(void **state)
{
	(void)state;
	assert_found_out("00000001", "00000002");
	assert_found_out("00000001", "00000000");
	assert_found_out("00000000", "00000001");
	assert_found_out("00000002", "00000001");
	print_message("%u found out\n", n_found_out);
	assert_true(n_found_out >= 3);
}

/* -- What is new ---------------------------------------------------------- */

/* Take an object of the replica away, or put it back, at its time. */
static void
hide(const char *name, bool away)
{
	auto_free char *command =
		away ? xasprintf("mv %s/%s %s.away", fixture_dir, name,
			       fixture_dir)
		     : xasprintf("mv %s.away %s/%s", fixture_dir, fixture_dir,
			       name);

	assert_int_equal(system(command), 0);
}

static void
a_new_segment_appears_with_few_listings(void **state)
{
	static const char last[] =
		"generations/" B "/wal/00000001_00014200.wal.lz4";
	struct history_stats before, after;
	struct history *h;
	char a[65], b[65];
	(void)state;

	replica_make(LS03_SEGMENT);
	hide(last, true);
	h = replica_open(NULL);
	assert_int_equal(replica_sum_of(h, B "-00000001", 0, a, NULL), 0);
	assert_int_equal(replica_sum_of(h, A "-00000001", 0, b, NULL), 0);
	hide(last, false);
	history_stats(h, &before);
	assert_int_equal(history_refresh(h, NULL), 0);
	assert_int_equal(replica_sum_of(h, B "-00000001", 0, b, NULL), 0);
	assert_string_not_equal(a, b);
	assert_int_equal(replica_sum_of(h, A "-00000001", 0, a, NULL), 0);
	history_stats(h, &after);
	/* generations, snapshots of both, segments of the newest; no object but
	 * the new one was fetched */
	assert_int_equal(after.store_lists - before.store_lists, 4);
	assert_int_equal(after.store_gets - before.store_gets, 1);
	history_free(h);
}

static void
what_was_decoded_once_is_not_fetched_again(void **state)
{
	auto_free char *cache = xasprintf("%s.cache", fixture_dir);
	struct history_stats s;
	struct history *h;
	char a[65], b[65];
	(void)state;

	replica_make(LS03_SEGMENT);
	h = replica_open(cache);
	assert_int_equal(replica_sum_of(h, A "-00000001", 0, a, NULL), 0);
	history_free(h);
	h = replica_open(cache);
	assert_int_equal(replica_sum_of(h, A "-00000001", 0, b, NULL), 0);
	history_stats(h, &s);
	assert_string_equal(a, b);
	assert_int_equal(s.store_gets, 0);
	history_free(h);
	assert_true(scratch_remove(cache));
}

static void
what_retention_removes_disappears_and_what_is_open_stays(void **state)
{
	auto_free char *expire = xasprintf("cd %s/generations/" A " && rm "
					   "snapshots/00000000.* wal/00000000*",
		fixture_dir);
	struct history *h;
	struct history_point p;
	struct view *v = NULL;
	char a[65], b[65];
	(void)state;

	replica_make(LS03_SEGMENT);
	h = replica_open(NULL);
	struct history_listing *l = history_listing(h);

	assert_int_equal(history_moment_by_id(
				 h, l, HISTORY_NONE, A "-00000000", &p, NULL),
		0);
	assert_int_equal(history_open_moment(h, l, &p, &v, NULL), 0);
	assert_int_equal(replica_sum(v, a), 0);
	assert_int_equal(system(expire), 0);
	assert_int_equal(history_refresh(h, NULL), 0);
	assert_int_equal(replica_sum_of(h, A "-00000000", 0, b, NULL), -ENOENT);
	assert_int_equal(history_open_moment(h, l, &p, &v, NULL), -ESTALE);
	assert_int_equal(replica_sum(v, b), 0);
	assert_string_equal(a, b);
	assert_int_equal(replica_sum_of(h, A "-00000001", 0, b, NULL), 0);
	history_listing_put(l);
	view_put(v);
	history_free(h);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_what_names_an_object_is_a_name),
		IN_FIXTURE(states_are_told_in_the_order_in_which_they_were),
		IN_FIXTURE(ids_name_states_exactly),
		IN_FIXTURE(many_logs_from_one_snapshot_on_come_to_the_same),
		IN_FIXTURE(a_segment_that_is_missing_in_the_middle_is_an_error),
		IN_FIXTURE(
			a_beginning_or_a_whole_log_that_is_missing_is_an_error),
		IN_FIXTURE(a_log_without_its_beginning_is_an_error),
		IN_FIXTURE(the_bit_that_litestream_finds_flipped_is_found),
		IN_FIXTURE(what_age_encrypted_is_refused_by_name),
		IN_FIXTURE(a_snapshot_of_another_index_is_found_out),
		IN_FIXTURE(a_new_segment_appears_with_few_listings),
		IN_FIXTURE(what_was_decoded_once_is_not_fetched_again),
		IN_FIXTURE(
			what_retention_removes_disappears_and_what_is_open_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
