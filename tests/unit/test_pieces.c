/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>
#include "tests/unit/unit.h"
#include "repo/base/buf.h"
#include "repo/base/cancel.h"
#include "repo/foreign/pieces.h"
#include "tests/unit/scratch.h"

#define SIZE (5u * KEPT_PIECE + 1000)
#define THREADS 16

/* A remote store of one object, whose byte i is i * 7 + i / 65536; counts. */
static struct {
	atomic_uint gets;
	atomic_ullong bytes;
	atomic_bool slow, fails, is_short;
} asked;

static uint8_t
byte_at(uint64_t i)
{
	return (uint8_t)(i * 7 + (i >> 16));
}

static int
get(struct store *s, const char *name, uint64_t off, size_t len, void *buf,
	size_t *got, const struct store_call *call, struct err *e)
{
	uint8_t *p = buf;

	(void)s, (void)name;
	asked.gets++;
	asked.bytes += len;
	if (asked.slow)
		usleep(20000);
	if (call && cancel_raised(call->cancel))
		return err_set(e, EINTR, "interrupted");
	if (asked.fails)
		return err_set(e, EIO, "the store gave up");
	*got = asked.is_short ? len / 2 : len;
	for (size_t i = 0; i < *got; i++)
		p[i] = byte_at(off + i);
	return 0;
}

static void
stats(struct store *s, struct store_stats *st)
{
	(void)s, (void)st;
}

static void
free_store(struct store *s)
{
	free(s->name);
	free(s);
}

static const struct store_ops ops = {
	.get = get, .stats = stats, .free = free_store
};

static char root[100];
static struct foreign_place *place;
static const struct pieces_object object = { "db/1.ltx", SIZE, "db/1.ltx/5" };

/* With a cache in a directory of the test's own; memory for decoded data. */
static void
begin(size_t memory, bool offline)
{
	struct history_open_options o = {
		.memory = memory, .cache_dir = root, .offline = offline
	};
	struct store *s = xcalloc(1, sizeof(*s));

	s->ops = &ops;
	s->name = xstrdup("s3://bucket");
	place = foreign_place_new(s, &o);
	asked.gets = 0;
	asked.bytes = 0;
	asked.slow = asked.fails = asked.is_short = false;
}

static int
set_up(void **state)
{
	(void)state;
	strcpy(root, "/tmp/yore-test-XXXXXX");
	if (!mkdtemp(root))
		return -1;
	unsetenv("XDG_STATE_HOME");
	setenv("HOME", root, 1);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	return !scratch_remove(root);
}

static int
reads(uint64_t off, size_t len)
{
	auto_free uint8_t *buf = xmalloc(len);
	int r = pieces_read(
		foreign_place_pieces(place), &object, off, len, buf, NULL);

	for (size_t i = 0; r == 0 && i < len; i++)
		assert_int_equal(buf[i], byte_at(off + i));
	return r;
}

static void
what_was_read_is_not_asked_for_again(void **state)
{
	(void)state;
	begin(8 << 20, false);
	assert_int_equal(reads(100, 10), 0);
	assert_int_equal(asked.gets, 1);
	assert_int_equal(asked.bytes, KEPT_PIECE);
	assert_int_equal(reads(0, KEPT_PIECE), 0);
	assert_int_equal(asked.gets, 1);
	/* neighbours in one request, but for what is there */
	assert_int_equal(reads(0, SIZE), 0);
	assert_int_equal(asked.gets, 2);
	assert_int_equal(asked.bytes, SIZE);
	foreign_place_put(place);
	/* nor by the next one */
	begin(8 << 20, false);
	assert_int_equal(reads(0, SIZE), 0);
	assert_int_equal(asked.gets, 0);
	foreign_place_put(place);
	begin(8 << 20, true);
	assert_int_equal(reads(SIZE - 1, 1), 0);
	foreign_place_put(place);
}

static void
nothing_is_read_past_the_end(void **state)
{
	(void)state;
	begin(8 << 20, false);
	assert_int_equal(reads(SIZE, 1), -EBADMSG);
	assert_int_equal(reads(SIZE - 1, 2), -EBADMSG);
	assert_int_equal(reads(UINT64_MAX, 2), -EBADMSG);
	assert_int_equal(asked.gets, 0);
	asked.is_short = true;
	assert_int_equal(reads(0, 10), -EBADMSG);
	asked.is_short = false;
	assert_int_equal(reads(0, 10), 0);
	foreign_place_put(place);
}

static void
offline_nothing_is_asked(void **state)
{
	(void)state;
	begin(8 << 20, true);
	assert_int_equal(reads(0, 1), -ENETDOWN);
	assert_int_equal(asked.gets, 0);
	foreign_place_put(place);
}

static void
a_failure_is_told_and_not_remembered(void **state)
{
	(void)state;
	begin(8 << 20, false);
	asked.fails = true;
	assert_int_equal(reads(0, SIZE), -EIO);
	asked.fails = false;
	assert_int_equal(reads(0, SIZE), 0);
	foreign_place_put(place);
}

static void *
read_all(void *arg)
{
	(void)arg;
	for (uint64_t off = 0; off < SIZE; off += 40000)
		reads(off, off + 40000 < SIZE ? 40000 : SIZE - off);
	return NULL;
}

static void
however_many_want_a_piece_it_is_asked_for_once(void **state)
{
	pthread_t threads[THREADS];

	(void)state;
	begin(8 << 20, false);
	asked.slow = true;
	for (size_t i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, read_all, NULL);
	for (size_t i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(asked.bytes, SIZE);
	foreign_place_put(place);
}

static void
what_is_ahead_comes_by_itself(void **state)
{
	(void)state;
	begin(8 << 20, false);
	pieces_ahead(foreign_place_pieces(place), &object, 1000, SIZE);
	for (int i = 0; i < 200 && asked.bytes < SIZE; i++)
		usleep(10000);
	assert_int_equal(asked.bytes, SIZE);
	assert_int_equal(reads(0, SIZE), 0);
	assert_int_equal(asked.bytes, SIZE);
	/* one that ends while it is fetching */
	foreign_place_put(place);
	begin(8 << 20, false);
	asked.slow = true;
	pieces_forget(foreign_place_pieces(place), &object);
	pieces_ahead(foreign_place_pieces(place), &object, 0, SIZE);
	foreign_place_put(place);
}

static void *
cancel_soon(void *arg)
{
	usleep(5000);
	cancel_raise(arg);
	return NULL;
}

static void
who_is_interrupted_leaves_it_to_the_others(void **state)
{
	struct cancel c = CANCEL_INIT;
	pthread_t other, canceller;

	(void)state;
	begin(8 << 20, false);
	asked.slow = true;
	pthread_create(&canceller, NULL, cancel_soon, &c);
	cancel_set_current(&c);
	pthread_create(&other, NULL, read_all, NULL);
	assert_int_equal(reads(0, SIZE), -EINTR);
	cancel_set_current(NULL);
	pthread_join(other, NULL);
	pthread_join(canceller, NULL);
	assert_int_equal(reads(0, SIZE), 0);
	foreign_place_put(place);
}

#define test(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		test(what_was_read_is_not_asked_for_again),
		test(nothing_is_read_past_the_end),
		test(offline_nothing_is_asked),
		test(a_failure_is_told_and_not_remembered),
		test(however_many_want_a_piece_it_is_asked_for_once),
		test(what_is_ahead_comes_by_itself),
		test(who_is_interrupted_leaves_it_to_the_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
