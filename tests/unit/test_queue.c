/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The queue between capturing and uploading. */
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include "repo/base/buf.h"
#include "repo/write/replicate/queue.h"
#include "tests/unit/scratch.h"

#define PAGE 512

static char dir[64];
static struct position at = { .page_size = PAGE, .pages = 1000 };

static int
set_up(void **state)
{
	(void)state;
	snprintf(dir, sizeof(dir), "/tmp/yore-test-queue-XXXXXX");
	return mkdtemp(dir) ? 0 : -1;
}

static int
tear_down(void **state)
{
	(void)state;
	return !scratch_remove(dir);
}

static struct queue *
open_queue(uint64_t limit)
{
	struct queue *q = NULL;
	struct err e = ERR_INIT;

	if (queue_open(dir, limit, &q, &e))
		fail_msg("%s", e.text);
	return q;
}

static int
add(struct queue *q, uint32_t pgno, uint8_t fill)
{
	uint8_t page[PAGE];

	memset(page, fill, sizeof(page));
	return queue_pages(q, PAGE, &pgno, 1, page, NULL);
}

static int
commit(struct queue *q, uint32_t frames)
{
	at.frames = frames;
	return queue_commit(q, &at, NULL);
}

/* Units of one commit each, with a page whose bytes are the unit's number. */
static void
add_units(struct queue *q, unsigned from, unsigned to)
{
	uint64_t unit;

	for (unsigned i = from; i <= to; i++) {
		assert_int_equal(add(q, i, (uint8_t)i), 0);
		assert_int_equal(commit(q, i), 0);
		assert_int_equal(queue_cut(q, &unit, NULL), 0);
		assert_int_equal(unit, i);
	}
}

static void
expect_unit(struct queue *q, unsigned number)
{
	struct queue_unit u = QUEUE_UNIT_INIT;
	uint8_t page[PAGE];

	assert_int_equal(queue_oldest(q, &u, NULL), 0);
	assert_int_equal(u.number, number);
	assert_int_equal(u.at.frames, number);
	assert_int_equal(u.n, 1);
	assert_int_equal(u.pages[0].pgno, number);
	assert_int_equal(queue_unit_read(&u, 0, page, NULL), 0);
	assert_int_equal(page[PAGE - 1], (uint8_t)number);
	queue_unit_release(&u);
}

static void
units_come_out_in_order_also_after_opening_again(void **state)
{
	struct queue *q = open_queue(1 << 30);

	(void)state;
	assert_false(queue_is_begun(q));
	assert_int_equal(queue_begin(q, &at, NULL), 0);
	add_units(q, 1, 5);
	queue_free(q);
	q = open_queue(1 << 30);
	assert_true(queue_is_begun(q));
	for (unsigned i = 1; i <= 5; i++) {
		expect_unit(q, i);
		assert_int_equal(queue_remove(q, i, NULL), 0);
	}
	add_units(q, 6, 6);
	expect_unit(q, 6);
	queue_free(q);
}

static void
of_the_pages_of_a_unit_the_newest_counts(void **state)
{
	struct queue *q = open_queue(1 << 30);
	struct queue_unit u = QUEUE_UNIT_INIT;
	uint8_t page[PAGE];

	(void)state;
	assert_int_equal(queue_begin(q, &at, NULL), 0);
	at.pages = 50;
	for (uint8_t i = 0; i < 9; i++) {
		assert_int_equal(add(q, 60 - i % 3 * 20u, i), 0);
		assert_int_equal(commit(q, i), 0);
	}
	at.pages = 1000;
	assert_int_equal(add(q, 1, 1), 0);
	queue_rollback(q);
	assert_int_equal(queue_cut(q, NULL, NULL), 0);
	assert_int_equal(queue_oldest(q, &u, NULL), 0);
	/* 60 lies beyond the end, 1 was never committed */
	assert_int_equal(u.n, 2);
	assert_int_equal(u.pages[0].pgno, 20);
	assert_int_equal(u.pages[1].pgno, 40);
	assert_int_equal(queue_unit_read(&u, 0, page, NULL), 0);
	assert_int_equal(page[0], 8);
	queue_unit_release(&u);
	queue_free(q);
}

static void
what_is_committed_without_pages_is_no_unit(void **state)
{
	struct queue *q = open_queue(1 << 30);
	struct queue_stats s;
	struct position last;
	uint64_t unit;

	(void)state;
	assert_int_equal(queue_begin(q, &at, NULL), 0);
	assert_int_equal(commit(q, 77), 0);
	assert_int_equal(queue_cut(q, &unit, NULL), 0);
	assert_int_equal(unit, 0);
	queue_stats(q, &s);
	assert_int_equal(s.since_ns, 0);
	queue_free(q);
	q = open_queue(1 << 30);
	queue_last(q, &last);
	assert_int_equal(last.frames, 77);
	add_units(q, 1, 1);
	queue_free(q);
}

/* -- Deaths -------------------------------------------------------------------
 */

static char *
only_file(void)
{
	return xasprintf("%s/000000000001.q", dir);
}

static size_t
file_len(void)
{
	auto_free char *path = only_file();
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	return (size_t)st.st_size;
}

/* How many units there are, all of which must be right. */
static unsigned
units_there(void)
{
	struct queue *q = open_queue(1 << 30);
	struct queue_stats s;

	queue_stats(q, &s);
	for (unsigned i = 1; i <= s.units; i++) {
		expect_unit(q, i);
		assert_int_equal(queue_remove(q, i, NULL), 0);
	}
	if (queue_is_begun(q))
		add_units(q, (unsigned)s.last + 1, (unsigned)s.last + 1);
	queue_free(q);
	return (unsigned)s.units;
}

static void
a_queue_cut_at_any_byte_keeps_what_came_before(void **state)
{
	auto_free char *path = only_file();
	auto_free char *copy = xasprintf("%s/copy", dir);
	auto_free char *save = xasprintf("cp %s %s", path, copy);
	auto_free char *back = xasprintf("cp %s %s", copy, path);
	auto_free char *clean = xasprintf("rm %s/*.q", dir);
	size_t ends[4] = { 0 };
	struct queue *q = open_queue(1 << 30);
	size_t len;

	(void)state;
	assert_int_equal(queue_begin(q, &at, NULL), 0);
	for (unsigned i = 1; i <= 3; i++) {
		add_units(q, i, i);
		ends[i] = file_len();
	}
	queue_free(q);
	len = file_len();
	assert_int_equal(system(save), 0);
	for (size_t cut = 0; cut <= len; cut += 1 + cut % 13) {
		unsigned whole = 0;

		assert_int_equal(system(clean), 0);
		assert_int_equal(system(back), 0);
		assert_int_equal(truncate(path, (off_t)cut), 0);
		while (whole < 3 && ends[whole + 1] <= cut)
			whole++;
		assert_int_equal(units_there(), whole);
	}
}

static void
a_flipped_bit_ends_the_queue_there(void **state)
{
	struct queue *q = open_queue(1 << 30);
	auto_free char *path = only_file();
	size_t first, len;
	uint8_t byte;

	(void)state;
	assert_int_equal(queue_begin(q, &at, NULL), 0);
	add_units(q, 1, 1);
	first = file_len();
	add_units(q, 2, 2);
	queue_free(q);
	len = file_len();
	for (size_t i = first; i < len; i += 37) {
		auto_close int fd = open(path, O_RDWR);

		assert_true(file_len() >= len - 1);
		assert_int_equal(pread(fd, &byte, 1, (off_t)i), 1);
		byte ^= 4;
		assert_int_equal(pwrite(fd, &byte, 1, (off_t)i), 1);
		q = open_queue(1 << 30);
		expect_unit(q, 1);
		assert_int_equal(queue_remove(q, 1, NULL), 0);
		assert_int_equal(
			queue_oldest(q, &(struct queue_unit){ 0 }, NULL),
			-ENOENT);
		/* written anew for the next round */
		add_units(q, 2, 2);
		queue_free(q);
	}
}

static void
one_process_at_a_time_has_a_queue(void **state)
{
	struct queue *q = open_queue(1 << 30), *other;

	(void)state;
	assert_int_equal(queue_open(dir, 1 << 30, &other, NULL), -EBUSY);
	queue_free(q);
	queue_free(open_queue(1 << 30));
}

static void
files_stay_within_the_limit_and_are_removed(void **state)
{
	auto_free char *count = xasprintf(
		"test $(ls %s/*.q | wc -l) -le 2 && test $(du -s %s | cut -f1)"
		" -le 60",
		dir, dir);
	struct queue *q = open_queue(50000);

	(void)state;
	assert_int_equal(queue_begin(q, &at, NULL), 0);
	for (unsigned i = 1; i <= 250; i++) {
		add_units(q, i, i);
		assert_int_equal(queue_remove(q, i, NULL), 0);
	}
	assert_int_equal(system(count), 0);
	for (unsigned i = 1;; i++) {
		if (add(q, i, 1))
			break;
		assert_true(i < 100);
	}
	queue_rollback(q);
	add_units(q, 251, 255);
	expect_unit(q, 251);
	queue_free(q);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			units_come_out_in_order_also_after_opening_again,
			set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			of_the_pages_of_a_unit_the_newest_counts, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(
			what_is_committed_without_pages_is_no_unit, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(
			a_queue_cut_at_any_byte_keeps_what_came_before, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(
			a_flipped_bit_ends_the_queue_there, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			one_process_at_a_time_has_a_queue, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			files_stay_within_the_limit_and_are_removed, set_up,
			tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
