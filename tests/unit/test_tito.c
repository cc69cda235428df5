/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <zlib.h>
#include "tests/unit/foreign_fixture.h"
#include "repo/foreign/stem.h"
#include "repo/base/hex.h"
#include "repo/foreign/tito.h"
#include "repo/foreign/tito_roll.h"

/* -- Making backups ----------------------------------------------------------
 */

static void
put_gzip(const char *name, const char *text, size_t len)
{
	size_t room = compressBound(len) + 32;
	auto_free uint8_t *out = xmalloc(room);
	z_stream z = { .next_in = (Bytef *)(uintptr_t)text,
		.avail_in = (uInt)len,
		.next_out = out,
		.avail_out = (uInt)room };

	assert_int_equal(Z_OK,
		deflateInit2(&z, 6, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY));
	assert_int_equal(Z_STREAM_END, deflate(&z, Z_FINISH));
	deflateEnd(&z);
	fixture_put(name, out, room - z.avail_out);
}

/* A chunk, modified at the second it is named after.  text: "key=value,..."
 * puts, "key-" deletes; values as they are to stand there. */
static void
put_chunk(const char *kind, unsigned seconds, unsigned number, const char *text)
{
	auto_free char *name =
		xasprintf("%s/%u/chunk-%04u.json.gz", kind, seconds, number);
	auto_buf struct buf b = BUF_INIT;

	while (*text) {
		size_t n = strcspn(text, ","), key = strcspn(text, "=-");

		buf_printf(&b, b.len ? "," : "[");
		if (text[key] == '=')
			buf_printf(&b,
				"{\"op\":\"put\",\"key\":\"%.*s\","
				"\"data\":%.*s}",
				(int)key, text, (int)(n - key - 1),
				text + key + 1);
		else
			buf_printf(&b,
				"{\"op\":\"delete\",\"key\":\"%.*s\","
				"\"data\":null}",
				(int)key, text);
		text += n + (text[n] == ',');
	}
	buf_printf(&b, b.len ? "]" : "[]");
	put_gzip(name, (char *)b.data, b.len);
	fixture_touch(name, seconds);
}

static void
put_marks(unsigned latest_full, unsigned latest)
{
	auto_free char *full = xasprintf("%u", latest_full);
	auto_free char *log = xasprintf("%u123", latest);

	fixture_put_text("LATEST_FULL", full);
	fixture_touch("LATEST_FULL", latest_full);
	fixture_put_text("LATEST", log);
}

static struct history *
open_backups(void)
{
	struct history *h = NULL;

	assert_int_equal(0, fixture_history(&tito_format, "", "shop", &h));
	return h;
}

/* What a snapshot shows: "path=value;...", "-" when it cannot be opened. */
static void
assert_state(
	struct history *h, const char *source, const char *id, const char *want)
{
	auto_view struct view *v = fixture_open(h, source, id);
	auto_buf struct buf b = BUF_INIT;

	if (v)
		fixture_walk(v, &b);
	assert_string_equal(want, v ? (char *)b.data : "-");
}

static void
assert_ids(struct history *h, const char *source, const char *want)
{
	auto_listing struct history_listing *l = history_listing(h);
	size_t s = history_find_source(l, "tito", source);
	auto_buf struct buf b = BUF_INIT;

	for (uint32_t i = 0; s != HISTORY_NONE && i < l->sources[s].n_points;
		i++)
		buf_printf(
			&b, "%s,", l->points[l->sources[s].first_point + i].id);
	buf_append(&b, "", 1);
	assert_string_equal(want, (char *)b.data);
}

/* -- Tests -------------------------------------------------------------------
 */

static void
each_stamp_is_the_state_after_it(void **state)
{
	(void)state;
	put_chunk("full", 1000, 0, "table:a:1=1,table:a:2={\"x\":[1.50]}");
	put_chunk("full", 1000, 1, "table:b:1=\"b\"");
	put_chunk("changelog", 1010, 0, "table:a:1-,table:a:3=3");
	put_chunk("changelog", 1020, 0, "table:a:1=11,table:b:1-");
	put_chunk("changelog", 1020, 1, "table:a:1=12,table:c:9-");
	put_marks(1000, 1020);
	struct history *h = open_backups();

	assert_ids(h, "shop", "1000,1010,1020,");
	/* the last first: what comes before is not needed for it */
	assert_state(h, "shop", "1020",
		"table/a/1.json=12;table/a/2.json={\"x\":[1.50]};"
		"table/a/3.json=3;");
	assert_state(h, "shop", "1000",
		"table/a/1.json=1;table/a/2.json={\"x\":[1.50]};"
		"table/b/1.json=\"b\";");
	assert_state(h, "shop", "1010",
		"table/a/2.json={\"x\":[1.50]};table/a/3.json=3;"
		"table/b/1.json=\"b\";");
	history_free(h);
}

static void
entries_that_say_nothing_are_passed_over(void **state)
{
	static const char chunk[] =
		"[{\"op\":\"put\",\"key\":\"a\",\"data\":1},"
		"{\"op\":\"put\",\"key\":\"a\",\"data\":null},"
		"{\"op\":\"put\",\"key\":\"a\"},"
		"{\"op\":\"merge\",\"key\":\"a\",\"data\":2},"
		" {\"data\" : 9007199254740993 , \"key\":\"\\u0062\", "
		"\"more\":{}, \"op\":\"put\"} ]";

	(void)state;
	put_gzip("full/1000/chunk-0000.json.gz", chunk, strlen(chunk));
	put_marks(1000, 0);
	struct history *h = open_backups();

	assert_state(h, "shop", "1000", "a.json=1;b.json=9007199254740993;");
	history_free(h);
}

static void
chunks_of_another_shape_are_refused(void **state)
{
	static const char *const chunks[] = { "{}", "[1]", "[{}]", "",
		"[{\"op\":\"put\",\"data\":1}]",
		"[{\"op\":1,\"key\":\"a\",\"data\":1}]",
		"[{\"op\":\"put\",\"key\":2,\"data\":1}]",
		"[{\"op\":\"put\",\"op\":\"put\",\"key\":\"a\",\"data\":1}]",
		"[{\"op\":\"put\",\"key\":\"a\",\"data\":1}",
		"[{\"op\":\"put\",\"key\":\"\xff\",\"data\":1}]",
		"[{\"op\":\"put\",\"key\":\"a\",\"data\":1}]x" };

	(void)state;
	put_marks(1000, 0);
	for (size_t i = 0; i < n_elements(chunks); i++) {
		put_gzip("full/1000/chunk-0000.json.gz", chunks[i],
			strlen(chunks[i]));
		struct history *h = open_backups();

		assert_state(h, "shop", "1000", "-");
		history_free(h);
	}
}

/* The state at a time: id of the snapshot it leads to, "" none. */
static const char *
id_at(struct history *h, int64_t seconds)
{
	static char id[HISTORY_ID_MAX + 1];
	auto_listing struct history_listing *l = history_listing(h);
	size_t s = history_find_source(l, "tito", "shop");
	size_t i = history_find_at(l, s, seconds * 1000000000);

	snprintf(
		id, sizeof(id), "%s", i == HISTORY_NONE ? "" : l->points[i].id);
	return id;
}

static void
a_full_backup_that_was_not_finished_is_no_state(void **state)
{
	(void)state;
	put_chunk("full", 1000, 0, "a=1,b=1");
	put_chunk("changelog", 1010, 0, "a=2");
	put_chunk("full", 1020, 0, "a=2");
	put_chunk("changelog", 1030, 0, "b=3");
	put_marks(1000, 1030);
	struct history *h = open_backups();

	assert_ids(h, "shop", "1000,1010,1030,");
	assert_ids(h, "shop.unfinished", "1020,");
	assert_state(h, "shop", "1030", "a.json=2;b.json=3;");
	assert_state(h, "shop.unfinished", "1020", "a.json=2;");
	assert_string_equal("", id_at(h, 999));
	assert_string_equal("1010", id_at(h, 1029));
	assert_string_equal("1030", id_at(h, 5000));
	/* it was finished after all */
	put_marks(1020, 1030);
	assert_int_equal(0, history_refresh(h, NULL));
	assert_ids(h, "shop", "1000,1010,1020,1030,");
	assert_ids(h, "shop.unfinished", "");
	assert_state(h, "shop", "1030", "a.json=2;b.json=3;");
	history_free(h);
}

static void
without_a_mark_nothing_was_finished(void **state)
{
	(void)state;
	put_chunk("full", 1000, 0, "a=1");
	put_chunk("changelog", 1010, 0, "a=2");
	struct history *h = open_backups();

	assert_ids(h, "shop", "");
	assert_ids(h, "shop.unfinished", "1000,");
	history_free(h);
}

static void
a_changelog_of_the_same_second_counts_if_it_was_written_later(void **state)
{
	(void)state;
	put_chunk("full", 1000, 0, "a=1,b=1");
	put_chunk("changelog", 1000, 0, "a=0");
	put_chunk("changelog", 1010, 0, "b=2");
	put_marks(1000, 1010);
	struct history *h = open_backups();

	/* before it, for all that can be told */
	assert_ids(h, "shop", "1000,1010,");
	assert_state(h, "shop", "1010", "a.json=1;b.json=2;");
	fixture_touch("changelog/1000/chunk-0000.json.gz", 1001);
	assert_int_equal(0, history_refresh(h, NULL));
	assert_ids(h, "shop", "1000,1000-changelog,1010,");
	assert_state(h, "shop", "1000", "a.json=1;b.json=1;");
	assert_state(h, "shop", "1000-changelog", "a.json=0;b.json=1;");
	assert_state(h, "shop", "1010", "a.json=0;b.json=2;");
	assert_string_equal("1000", id_at(h, 1000));
	assert_string_equal("1000-changelog", id_at(h, 1001));
	history_free(h);
}

static void
chunks_go_by_their_number_beyond_9999(void **state)
{
	(void)state;
	put_marks(1000, 0);
	for (unsigned i = 0; i <= 10000; i++) {
		auto_free char *text = xasprintf("last=%u", i);

		put_chunk("full", 1000, i, text);
	}
	struct history *h = open_backups();

	assert_state(h, "shop", "1000", "last.json=10000;");
	history_free(h);
}

static void
a_missing_chunk_is_no_older_state(void **state)
{
	(void)state;
	put_chunk("full", 1000, 0, "a=1");
	put_chunk("full", 2000, 0, "a=2");
	put_chunk("full", 2000, 2, "b=2");
	put_chunk("changelog", 2010, 0, "a=3");
	put_marks(2000, 2010);
	struct history *h = open_backups();
	auto_listing struct history_listing *l = history_listing(h);

	assert_state(h, "shop", "1000", "a.json=1;");
	assert_state(h, "shop", "2000", "-");
	assert_state(h, "shop", "2010", "-");
	assert_true(l->points[1].damaged && l->points[2].damaged);
	history_free(h);
}

static void
the_layout_of_later_versions_is_refused_by_name(void **state)
{
	struct history *h = NULL;

	(void)state;
	fixture_put_text("LATEST_STATE_FULL", "1000");
	fixture_put_text("state/full/1000/chunk-0000.json.gz", "");
	assert_int_equal(-EPROTONOSUPPORT,
		fixture_history(&tito_format, "", "shop", &h));
}

static uint64_t
gets(struct history *h)
{
	struct history_stats s;

	history_stats(h, &s);
	return s.store_gets;
}

static void
a_second_point_replays_only_what_is_new(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 20; i++) {
		auto_free char *text = xasprintf("key%u=%u", i, i);

		put_chunk("full", 1000, i, text);
	}
	put_chunk("changelog", 1010, 0, "key0=100");
	put_chunk("changelog", 1020, 0, "key1=101");
	put_marks(1000, 1020);
	struct history *h = open_backups();
	auto_view struct view *a = fixture_open(h, "shop", "1010");
	uint64_t before = gets(h);
	auto_view struct view *b = fixture_open(h, "shop", "1020");

	assert_non_null(a);
	assert_int_equal(1, gets(h) - before);
	auto_buf struct buf text = BUF_INIT;
	assert_int_equal(0, fixture_read(b, "key19.json", &text));
	assert_int_equal(0, fixture_read(b, "key1.json", &text));
	/* nor is a chunk fetched for its values that was read before */
	assert_int_equal(1, gets(h) - before);
	assert_memory_equal("101", text.data, 3);
	history_free(h);
}

/* Whatever is kept of these backups but for indexes of tables, which views
 * hold in memory. */
static void
forget_all(struct foreign_place *place)
{
	struct tito_roll *r;
	struct kept *k;

	assert_int_equal(0, foreign_place_kept(place, &k, NULL));
	assert_int_equal(0, tito_roll_load(place->store, "", true, &r, NULL));
	for (size_t i = 0; i < r->n_points; i++) {
		char digits[2 * HASH_LEN + 1];
		auto_free char *name = xasprintf("tito-state-%s",
			hex_encode(digits, r->points[i].digest, HASH_LEN));

		kept_forget(k, name);
	}
	for (size_t i = 0; i < r->n_stamps; i++) {
		auto_free char *object = tito_roll_object(
			r, &r->stamps[i], &r->stamps[i].chunks[0]);
		auto_free char *name = xasprintf("unpacked-%s-%lu-%ld", object,
			r->stamps[i].chunks[0].size,
			r->stamps[i].chunks[0].modified_ns);

		kept_forget(k, name);
	}
	assert_int_equal(0, kept_sync(k, NULL));
	tito_roll_put(r);
}

static void
what_is_kept_no_more_is_made_again(void **state)
{
	auto_buf struct buf b = BUF_INIT;

	(void)state;
	put_chunk("full", 1000, 0, "t:a:1=1,t:b:1=2");
	put_chunk("changelog", 1010, 0, "t:a:2=3");
	put_marks(1000, 1010);
	struct history *h = open_backups();
	auto_view struct view *v = fixture_open(h, "shop", "1000");
	auto_view struct view *w = fixture_open(h, "shop", "1010");

	for (int i = 0; i < 2; i++) {
		forget_all(stem_of(h)->place);
		b.len = 0;
		fixture_walk(i ? w : v, &b);
		assert_string_equal(i ? "t/a/1.json=1;t/a/2.json=3;"
					"t/b/1.json=2;"
				      : "t/a/1.json=1;t/b/1.json=2;",
			(char *)b.data);
	}
	history_free(h);
}

static bool
stop_at_once(void *ctx, const struct view_dirent *d)
{
	struct buf *b = ctx;

	buf_printf(b, "%.*s,", (int)d->name_len, d->name);
	b->cap = d->next; /* where to go on */
	return false;
}

static void
listings_go_on_where_they_stopped_and_nodes_have_parents(void **state)
{
	(void)state;
	put_chunk(
		"full", 1000, 0, "t:a:1=1,t:a:2=2,t:a=0,t:b:1:2:3=1,t:c=3,u=4");
	put_marks(1000, 0);
	struct history *h = open_backups();
	auto_view struct view *v = fixture_open(h, "shop", "1000");
	struct view_attr t, a, x;
	char names[64] = "";
	uint64_t dir;

	assert_int_equal(0, view_resolve(v, "t", &t, NULL));
	for (uint64_t from = 0;;) {
		auto_buf struct buf b = BUF_INIT;
		struct buf got = BUF_INIT;

		assert_int_equal(0,
			view_list(v, t.node, from, stop_at_once, &got, NULL));
		if (got.len == 0)
			break;
		strncat(names, (char *)got.data, got.len);
		from = got.cap;
		b.data = got.data; /* to be released */
	}
	assert_string_equal("a,a.json,b,c.json,", names);
	assert_int_equal(0, view_resolve(v, "t/b/1/2/3.json", &a, NULL));
	assert_int_equal(0, view_parent(v, a.node, &dir, NULL));
	assert_int_equal(0, view_resolve(v, "t/b/1/2", &x, NULL));
	assert_true(dir == x.node);
	assert_int_equal(0, view_parent(v, t.node, &dir, NULL));
	assert_true(dir == VIEW_ROOT);
	assert_int_equal(-ENOENT, view_lookup(v, 0, "t\1a", 3, &x, NULL));
	assert_int_equal(-ENOTDIR, view_lookup(v, a.node, "x", 1, &x, NULL));
	struct view_totals all, below;
	assert_int_equal(0, view_totals(v, VIEW_ROOT, &all, NULL));
	assert_int_equal(0, view_totals(v, t.node, &below, NULL));
	assert_int_equal(11, all.entries);
	assert_int_equal(6, all.files);
	assert_int_equal(9, below.entries);
	assert_int_equal(5, below.files);
	assert_string_equal(
		"t:a:2", fixture_xattr(v, "t/a/2.json", "user.yore.key"));
	history_free(h);
}

/* -- Damage ------------------------------------------------------------------
 */

static const char *const states[][2] = { { "1000", "a.json=1;b.json=\"bb\";" },
	{ "1010", "a.json=1;b.json=\"bb\";c.json=[3];" },
	{ "2000", "a.json=5;" }, { "2010", "" } };

/* Chunks say neither which they are nor how many there are: of one that is
 * exchanged or, being the last, removed nothing can be told. */
static bool
can_be_told(const char *name, enum fixture_damage how)
{
	return how == CUT_OFF || how == BIT_FLIPPED ||
	       (how == REMOVED && strstr(name, "chunk-0000"));
}

static void
check_damaged(void *ctx, const char *name, enum fixture_damage how)
{
	unsigned *whole = ctx;
	struct history *h = NULL;

	if (fixture_history(&tito_format, "", "shop", &h))
		return;
	for (size_t i = 0; i < n_elements(states); i++) {
		auto_view struct view *v =
			fixture_open(h, "shop", states[i][0]);
		auto_buf struct buf b = BUF_INIT;

		if (!v)
			continue;
		fixture_walk(v, &b);
		if (can_be_told(name, how) &&
			strcmp(states[i][1], (char *)b.data) != 0)
			fail_msg("%s damaged (%d): %s is %s", name, how,
				states[i][0], (char *)b.data);
		++*whole;
	}
	history_free(h);
}

static void
no_damage_is_read_as_data(void **state)
{
	unsigned whole = 0;

	(void)state;
	put_chunk("full", 1000, 0, "a=1");
	put_chunk("full", 1000, 1, "b=\"bb\"");
	put_chunk("changelog", 1010, 0, "c=[3]");
	put_chunk("full", 2000, 0, "a=5");
	put_chunk("changelog", 2010, 0, "a-");
	put_marks(2000, 2010);
	fixture_damage(check_damaged, &whole);
	assert_true(whole > 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		IN_FIXTURE(each_stamp_is_the_state_after_it),
		IN_FIXTURE(entries_that_say_nothing_are_passed_over),
		IN_FIXTURE(chunks_of_another_shape_are_refused),
		IN_FIXTURE(a_full_backup_that_was_not_finished_is_no_state),
		IN_FIXTURE(without_a_mark_nothing_was_finished),
		IN_FIXTURE(
			a_changelog_of_the_same_second_counts_if_it_was_written_later),
		IN_FIXTURE(chunks_go_by_their_number_beyond_9999),
		IN_FIXTURE(a_missing_chunk_is_no_older_state),
		IN_FIXTURE(the_layout_of_later_versions_is_refused_by_name),
		IN_FIXTURE(a_second_point_replays_only_what_is_new),
		IN_FIXTURE(what_is_kept_no_more_is_made_again),
		IN_FIXTURE(
			listings_go_on_where_they_stopped_and_nodes_have_parents),
		IN_FIXTURE(no_damage_is_read_as_data),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
