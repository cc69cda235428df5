/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <sys/stat.h>
#include "tests/unit/unit.h"
#include "repo/base/buf.h"
#include "repo/sqlite/database_view.h"

#define SIZE 8192

/* A database in memory whose reads come in pieces of a given length. */
struct memory {
	struct database database;
	uint8_t bytes[SIZE];
	size_t piece;
	bool fails;
};

static int held, freed, reads;

static void
let_go(void *owner)
{
	free(owner);
	held--;
}

static int
read_memory(struct database *d, uint64_t off, size_t len,
	struct view_data *data, struct err *e)
{
	struct memory *m = (struct memory *)d;
	size_t end = off + len;

	reads++;
	assert_true(off + len <= d->size && len > 0);
	if (m->fails)
		return err_set(e, EBADMSG, "0/1.ltx does not verify");
	data->release_owner = let_go;
	for (data->n = 0, data->len = 0;
		off < end && data->n < VIEW_DATA_PIECES; data->n++) {
		size_t n = end - off < m->piece ? end - off : m->piece;
		uint8_t *copy = xmemdup(m->bytes + off, n);

		data->iov[data->n] = (struct iovec){ copy, n };
		data->owner[data->n] = copy;
		held++;
		off += n;
		data->len += n;
	}
	data->before = end - data->len;
	data->after = SIZE - off;
	return 0;
}

static ssize_t
answer(struct database *d, const char *name, void *value, size_t size,
	struct err *e)
{
	(void)d;
	if (strcmp(name, "user.yore.unverified") == 0)
		return database_answer("0/1.ltx", value, size, e);
	return err_set(e, ENODATA, "no such attribute");
}

static void
free_memory(struct database *d)
{
	free(d->name);
	free(d);
	freed++;
}

static const struct database_ops ops = {
	.read = read_memory, .xattr_get = answer, .free = free_memory
};

static struct memory *
make(const char *name, size_t piece)
{
	struct memory *m = xcalloc(1, sizeof(*m));

	for (size_t i = 0; i < SIZE; i++)
		m->bytes[i] = (uint8_t)(i * 7 + i / 256);
	memcpy(m->bytes, "SQLite format 3", 16);
	m->bytes[18] = m->bytes[19] = 2;
	m->piece = piece;
	m->database = (struct database){ .ops = &ops,
		.name = xstrdup(name),
		.size = SIZE,
		.page_size = 4096,
		.mtime = { .tv_sec = 1700000000, .tv_nsec = 5 },
		.mode = 0444,
		.uid = 1000,
		.gid = 1001 };
	return m;
}

static struct view *
open_view(struct memory *m)
{
	struct view *v = NULL;

	assert_int_equal(database_view_new(&m->database, &v, NULL), 0);
	return v;
}

static bool
collect(void *ctx, const struct view_dirent *d)
{
	struct buf *b = ctx;

	buf_printf(b, "%.*s=%lu ", (int)d->name_len, d->name, d->attr.node);
	return true;
}

static void
a_view_holds_the_database_and_its_raw_bytes(void **state)
{
	auto_view struct view *v = open_view(make("orders.db", 512));
	auto_buf struct buf b = BUF_INIT;
	struct view_attr a;

	(void)state;
	assert_int_equal(view_list(v, VIEW_ROOT, 0, collect, &b, NULL), 0);
	buf_append(&b, "", 1);
	assert_string_equal(b.data, "orders.db=1 orders.db.raw=2 ");
	b.len = 0;
	assert_int_equal(view_list(v, VIEW_ROOT, 1, collect, &b, NULL), 0);
	buf_append(&b, "", 1);
	assert_string_equal(b.data, "orders.db.raw=2 ");
	assert_int_equal(view_resolve(v, "orders.db.raw", &a, NULL), 0);
	assert_int_equal(a.node, DATABASE_RAW_NODE);
	assert_int_equal(a.mode, S_IFREG | 0444);
	assert_int_equal(a.size, SIZE);
	assert_int_equal(a.blocks, SIZE / 512);
	assert_int_equal(a.uid, 1000);
	assert_int_equal(a.mtime.tv_nsec, 5);
	assert_int_equal(view_attr(v, VIEW_ROOT, &a, NULL), 0);
	assert_int_equal(a.mode, S_IFDIR | 0555);
}

static void
what_programs_look_for_beside_it_is_not_there(void **state)
{
	static const char *const names[] = { "orders.db-wal", "orders.db-shm",
		"orders.db-journal", "orders.dbxraw", "orders.d",
		"orders.db.ra", "orders.db.raw2", "x", "Orders.db" };
	auto_view struct view *v = open_view(make("orders.db", 512));
	struct view_attr a;

	(void)state;
	for (size_t i = 0; i < n_elements(names); i++)
		assert_int_equal(view_lookup(v, VIEW_ROOT, names[i],
					 strlen(names[i]), &a, NULL),
			-ENOENT);
	assert_int_equal(
		view_lookup(v, DATABASE_NODE, "x", 1, &a, NULL), -ENOTDIR);
	assert_int_equal(view_attr(v, 3, &a, NULL), -ENOENT);
}

/* Read [off, off + len) and compare with `want`; bytes said to lie around it in
 * memory must not reach the header. */
static void
reads_as(struct view *v, uint64_t node, uint64_t off, size_t len,
	const uint8_t *want)
{
	size_t end = off + len < SIZE ? off + len : SIZE;

	while (off < end) {
		auto_view_data struct view_data d = VIEW_DATA_INIT;
		size_t at = off;

		assert_int_equal(
			view_read(v, node, off, end - off, &d, NULL), 0);
		assert_true(d.len > 0 && d.len <= end - off);
		for (int i = 0; i < d.n; i++) {
			assert_memory_equal(
				d.iov[i].iov_base, want + at, d.iov[i].iov_len);
			at += d.iov[i].iov_len;
		}
		assert_int_equal(at - off, d.len);
		assert_true(node != DATABASE_NODE || d.before == 0 ||
			    off - d.before >= 20);
		off = at;
	}
}

static void
every_range_reads_with_just_two_bytes_changed(void **state)
{
	static const size_t pieces[] = { 1, 3, 19, 20, 21, 512, SIZE };
	static const uint64_t offs[] = { 0, 1, 17, 18, 19, 20, 21, 4096, 8191 };
	static const size_t lens[] = { 1, 2, 19, 20, 21, 41, 4096, SIZE };

	(void)state;
	for (size_t p = 0; p < n_elements(pieces); p++) {
		struct memory *m = make("db", pieces[p]);
		auto_view struct view *v = open_view(m);
		uint8_t shown[SIZE];

		memcpy(shown, m->bytes, SIZE);
		shown[18] = shown[19] = 1;
		for (size_t i = 0; i < n_elements(offs); i++) {
			for (size_t j = 0; j < n_elements(lens); j++) {
				reads_as(v, DATABASE_NODE, offs[i], lens[j],
					shown);
				reads_as(v, DATABASE_RAW_NODE, offs[i], lens[j],
					m->bytes);
			}
		}
	}
	assert_int_equal(held, 0);
}

static void
what_has_no_header_of_sqlite_reads_as_stored(void **state)
{
	struct memory *m = make("db", 7);
	auto_view struct view *v = open_view(m);

	(void)state;
	m->bytes[3] ^= 1;
	reads_as(v, DATABASE_NODE, 0, SIZE, m->bytes);
	reads_as(v, DATABASE_NODE, 18, 2, m->bytes);
}

static void
a_rollback_journal_stays_one(void **state)
{
	struct memory *m = make("db", 512);
	auto_view struct view *v = open_view(m);

	(void)state;
	m->bytes[18] = m->bytes[19] = 1;
	reads_as(v, DATABASE_NODE, 0, SIZE, m->bytes);
}

static void
a_database_of_less_than_a_header_reads_as_stored(void **state)
{
	struct memory *m = make("db", 512);
	auto_view struct view *v = open_view(m);
	auto_view_data struct view_data d = VIEW_DATA_INIT;

	(void)state;
	m->database.size = 0;
	assert_int_equal(view_read(v, DATABASE_NODE, 0, 100, &d, NULL), 0);
	assert_int_equal(d.len, 0);
	m->database.size = 19;
	assert_int_equal(view_read(v, DATABASE_NODE, 0, 100, &d, NULL), 0);
	assert_int_equal(d.len, 19);
}

static void
nothing_is_asked_before_something_is_read(void **state)
{
	auto_view struct view *v = NULL;
	struct view_totals t;
	struct view_attr a;
	uint64_t at;

	(void)state;
	reads = 0;
	v = open_view(make("db", 512));
	assert_int_equal(view_attr(v, DATABASE_NODE, &a, NULL), 0);
	assert_int_equal(view_totals(v, VIEW_ROOT, &t, NULL), 0);
	assert_int_equal(t.files, 2);
	assert_int_equal(view_seek(v, 1, 5, SEEK_DATA, &at, NULL), 0);
	assert_int_equal(at, 5);
	assert_int_equal(view_seek(v, 1, 5, SEEK_HOLE, &at, NULL), 0);
	assert_int_equal(at, SIZE);
	assert_int_equal(view_seek(v, 1, SIZE, SEEK_HOLE, &at, NULL), -ENXIO);
	assert_int_equal(reads, 0);
}

static void
a_failing_read_is_an_error_and_holds_nothing(void **state)
{
	struct memory *m = make("db", 512);
	auto_view struct view *v = open_view(m);
	auto_view_data struct view_data d = VIEW_DATA_INIT;
	struct err e = ERR_INIT;

	(void)state;
	m->fails = true;
	assert_int_equal(view_read(v, 1, 0, 4096, &d, &e), -EBADMSG);
	assert_int_equal(view_read(v, 1, 18, 1, &d, &e), -EBADMSG);
	assert_int_equal(view_read(v, 0, 0, 1, &d, &e), -EISDIR);
	assert_int_equal(held, 0);
}

static void
attributes_are_answered_and_not_listed(void **state)
{
	auto_view struct view *v = open_view(make("db", 512));
	char out[32] = "";

	(void)state;
	assert_int_equal(view_xattr_get(v, 1, "user.yore.page_size", out,
				 sizeof(out), NULL),
		4);
	assert_string_equal(out, "4096");
	assert_int_equal(
		view_xattr_get(v, 2, "user.yore.unverified", out, 3, NULL),
		-ERANGE);
	assert_int_equal(
		view_xattr_get(v, 2, "user.yore.unverified", NULL, 0, NULL), 7);
	assert_int_equal(
		view_xattr_get(v, 2, "user.x", out, 3, NULL), -ENODATA);
	assert_int_equal(
		view_xattr_get(v, 0, "user.yore.page_size", out, 3, NULL),
		-ENODATA);
	assert_int_equal(view_xattr_list(v, 1, out, sizeof(out), NULL), 0);
}

static void
a_name_that_is_none_is_refused(void **state)
{
	char longest[DATABASE_NAME_MAX + 2];
	const char *const bad[] = { "", ".", "..", "a/b", longest };

	(void)state;
	memset(longest, 'x', sizeof(longest));
	longest[DATABASE_NAME_MAX + 1] = '\0';
	freed = 0;
	for (size_t i = 0; i < n_elements(bad); i++) {
		struct view *v = NULL;

		assert_int_equal(
			database_view_new(&make(bad[i], 1)->database, &v, NULL),
			-EINVAL);
	}
	assert_int_equal(freed, n_elements(bad));
	longest[DATABASE_NAME_MAX] = '\0';
	view_put(open_view(make(longest, 1)));
	assert_int_equal(freed, n_elements(bad) + 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_view_holds_the_database_and_its_raw_bytes),
		cmocka_unit_test(what_programs_look_for_beside_it_is_not_there),
		cmocka_unit_test(every_range_reads_with_just_two_bytes_changed),
		cmocka_unit_test(what_has_no_header_of_sqlite_reads_as_stored),
		cmocka_unit_test(a_rollback_journal_stays_one),
		cmocka_unit_test(
			a_database_of_less_than_a_header_reads_as_stored),
		cmocka_unit_test(nothing_is_asked_before_something_is_read),
		cmocka_unit_test(a_failing_read_is_an_error_and_holds_nothing),
		cmocka_unit_test(attributes_are_answered_and_not_listed),
		cmocka_unit_test(a_name_that_is_none_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
