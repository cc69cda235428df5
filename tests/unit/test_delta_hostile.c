/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Deltas that somebody changed, cut off, exchanged or took away: points fail,
 * or read as they were; never otherwise.  And readers on many threads. */
#include "tests/unit/pages_model.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/stat.h>
#include "repo/base/buf.h"
#include "repo/crypto/id.h"
#include "repo/format/delta.h"
#include "repo/native/history.h"
#include "repo/native/repository.h"
#include "repo/sqlite/database_view.h"
#include "repo/store/fault.h"
#include "repo/write/delta_object.h"
#include "repo/write/delta_private.h"

#define DELTAS 17 /* two chains of two, and one of one */

static struct model m;
static uint8_t source[SOURCE_KEY_LEN];

static int
set_up(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	model_init(&m, 512, 12);
	model_open(&m);
	source_key(m.w->rp->keys, MODEL_HOST, MODEL_NAME, source);
	assert_int_equal(model_put_base(&m, false, &e), 0);
	for (int i = 0; i < DELTAS; i++) {
		model_touch(&m, 1 + model_random(&m, 12));
		model_touch(&m, 1 + model_random(&m, 12));
		assert_int_equal(model_put_delta(&m, &e), 0);
	}
	model_close(&m);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	model_release(&m);
	return 0;
}

static char *
path_of(uint64_t n)
{
	struct delta_place place = { .base_seq = 1, .n = n };
	char name[OBJECT_NAME_MAX];

	memcpy(place.source, source, SOURCE_KEY_LEN);
	delta_name(name, &place);
	return xasprintf("%s/%s", m.repo, name);
}

static struct buf
load(uint64_t n)
{
	auto_free char *path = path_of(n);
	auto_fclose FILE *f = fopen(path, "rb");
	struct buf b = BUF_INIT;
	struct stat st;

	assert_non_null(f);
	assert_int_equal(fstat(fileno(f), &st), 0);
	assert_int_equal(fread(buf_reserve(&b, (size_t)st.st_size), 1,
				 (size_t)st.st_size, f),
		st.st_size);
	b.len = (size_t)st.st_size;
	return b;
}

static void
store(uint64_t n, const void *data, size_t len)
{
	auto_free char *path = path_of(n);
	FILE *f;

	unlink(path);
	f = fopen(path, "wb");
	assert_non_null(f);
	assert_int_equal(fwrite(data, 1, len, f), len);
	fclose(f);
}

/* Whether the whole of a view is one of the states from `least` on. */
static bool
is_state(struct view *v, size_t least, int *r)
{
	struct err e = ERR_INIT;
	uint8_t bytes[12 * 512];
	size_t off = 0;

	while (off < sizeof(bytes)) {
		auto_view_data struct view_data some = VIEW_DATA_INIT;

		*r = view_read(v, DATABASE_RAW_NODE, off, sizeof(bytes) - off,
			&some, &e);
		if (*r)
			return false;
		for (int i = 0; i < some.n; i++) {
			memcpy(bytes + off, some.iov[i].iov_base,
				some.iov[i].iov_len);
			off += some.iov[i].iov_len;
		}
	}
	for (size_t i = least; i < m.n_past; i++) {
		bool same = true;

		for (uint32_t p = 0; p < 12; p++)
			same &= !memcmp(bytes + p * 512, m.past[i].page[p],
				512);
		if (same)
			return true;
	}
	return false;
}

/* Open the point of past[i]: what it reads as must have been, and be that very
 * one unless the newest are gone.  Returns what the first failure said. */
static int
try_point(size_t i, bool exact)
{
	struct history *h = model_history(&m);
	auto_listing struct history_listing *l = history_listing(h);
	struct view *v = NULL;
	struct history_point p;
	struct err e = ERR_INIT;
	int r = history_moment_at(h, l, 0, m.past[i].time_ns, &p, &e);

	if (!r)
		r = history_open_moment(h, l, &p, &v, &e);
	if (!r && !is_state(v, exact ? i : 0, &r) && !r)
		fail_msg("state %zu reads as none", i);
	/* a point that is not the one that was asked for has its own hash */
	if (v && exact)
		assert_int_equal(model_pour(&m, v, &m.past[i], &e) == 0, r == 0);
	assert_true(r == 0 || r == -EBADMSG || r == -EUCLEAN || r == -EIO ||
		    r == -ENOENT || r == -EPROTONOSUPPORT || r == -ESTALE);
	view_put(v);
	history_free(h);
	return r;
}

static void
no_changed_byte_goes_unnoticed(void **state)
{
	static const uint64_t which[] = { 1, 8, 16, 17 };

	(void)state;
	for (size_t k = 0; k < n_elements(which); k++) {
		auto_buf struct buf b = load(which[k]);
		unsigned failed = 0;

		for (size_t at = 0; at < b.len; at += 3) {
			b.data[at] ^= (uint8_t)(1 << at % 8);
			store(which[k], b.data, b.len);
			failed += try_point(DELTAS, true) != 0;
			b.data[at] ^= (uint8_t)(1 << at % 8);
		}
		store(which[k], b.data, b.len);
		assert_int_equal(try_point(DELTAS, true), 0);
		if (which[k] == DELTAS) /* every byte of it is needed */
			assert_true(failed > b.len / 3 * 9 / 10);
	}
}

static void
what_is_cut_off_or_too_long_fails(void **state)
{
	auto_buf struct buf b = load(DELTAS);

	(void)state;
	for (size_t len = 0; len < b.len; len += 1 + len / 9) {
		store(DELTAS, b.data, len);
		assert_int_not_equal(try_point(DELTAS, true), 0);
	}
	buf_zeros(&b, 100);
	store(DELTAS, b.data, b.len);
	assert_int_not_equal(try_point(DELTAS, true), 0);
}

static void
exchanged_deltas_fail(void **state)
{
	auto_buf struct buf a = load(16), b = load(17), c = load(9);

	(void)state;
	store(17, a.data, a.len);
	assert_int_not_equal(try_point(DELTAS, true), 0);
	store(17, b.data, b.len);
	store(16, c.data, c.len);
	assert_int_not_equal(try_point(DELTAS, true), 0);
	store(16, a.data, a.len);
	assert_int_equal(try_point(DELTAS, true), 0);
}

static void
what_is_missing_is_missed_where_it_is_needed(void **state)
{
	auto_free char *path = path_of(16);
	unsigned failed = 0;

	(void)state;
	assert_int_equal(unlink(path), 0);
	assert_int_not_equal(try_point(DELTAS, true), 0);
	for (size_t i = 0; i < 16; i++)
		failed += try_point(i, false) != 0;
	/* it has the times of those before */
	assert_true(failed <= 16);
}

static void
moments_are_told_and_found_again(void **state)
{
	struct history *h = model_history(&m);
	auto_listing struct history_listing *l = history_listing(h);
	struct history_point p, again;
	struct err e = ERR_INIT;
	char before[HISTORY_ID_MAX + 1] = "";

	(void)state;
	for (size_t i = 0; i < m.n_past; i++) {
		assert_int_equal(history_moment_at(h, l, 0,
					 m.past[i].time_ns + 999999999, &p,
					 &e),
			0);
		assert_int_equal(p.time_ns, m.past[i].time_ns);
		assert_string_not_equal(p.id, before);
		strcpy(before, p.id);
		assert_int_equal(
			history_moment_by_id(h, l, 0, p.id, &again, &e), 0);
		assert_int_equal(again.time_ns, p.time_ns);
		assert_int_equal(again.seq, p.seq);
		assert_int_equal(again.key, p.key);
	}
	assert_int_equal(
		history_moment_at(h, l, 0, m.past[0].time_ns - 1, &p, &e),
		-ENOENT);
	strcat(before, "1");
	assert_int_equal(history_moment_by_id(h, l, 0, before, &p, &e),
		-ENOENT);
	assert_int_equal(history_moment_by_id(h, l, 0, "x-1", &p, &e), -ENOENT);
	history_free(h);
}

/* Delta 18, sealed with the right keys, whose index says that page `says` lies
 * where page 5 does. */
static void
forge(uint32_t says)
{
	uint8_t writer[2 * WRITER_ID_LEN] = { 7 }; /* and that of the others */
	uint8_t page[512 + 4] = { 0 };
	auto_buf struct buf plain = BUF_INIT, places = BUF_INIT;
	auto_delta_object struct delta_object o = { .up = NULL };
	auto_delta struct delta *last = NULL;
	struct delta_places_encoder pe = { .n = DELTAS + 1 };
	struct delta_run run = { .first = says, .count = 1, .n = DELTAS + 1,
		.off = OBJECT_HEADER_LEN };
	struct delta_base home = { .seq = 1 };
	struct delta_record rec;
	uint64_t off;
	uint32_t len;
	struct err e = ERR_INIT;

	model_open(&m);
	home = m.dw->home;
	last = delta_get(m.dw->last);
	rec = last->record;
	const struct delta_object_id id = { .base = &home,
		.writer = writer,
		.n = DELTAS + 1 };
	assert_int_equal(delta_object_begin(&o, m.w->sink, m.w->rp->keys, &id,
				 &e),
		0);
	put_be32(page + 512, 5);
	buf_append(&plain, page, sizeof(page));
	assert_int_equal(
		delta_object_frame(&o, FRAME_DATA, 1, &plain, &run.len, &e),
		0);
	delta_places_add(&pe, &run);
	delta_places_finish(&pe, &places);
	delta_places_release(&pe);
	/* of a chain with nothing but 16, like that of 17 */
	rec.n = DELTAS + 1;
	rec.time_ns = m.now.time_ns;
	rec.writers = writer;
	memcpy(writer + WRITER_ID_LEN, last->record.writers, WRITER_ID_LEN);
	rec.n_writers = 2;
	rec.chain[0].writer = 1;
	rec.places = (struct delta_leaves){ .whole = places.data,
		.whole_len = places.len };
	rec.times = (struct delta_leaves){ .whole = places.data };
	plain.len = 0;
	delta_record_encode(&rec, &plain);
	off = o.off;
	assert_int_equal(
		delta_object_frame(&o, FRAME_DELTA, 1, &plain, &len, &e), 0);
	assert_int_equal(delta_object_commit(&o, off, &e), 0);
	delta_put(steal(last));
	model_close(&m);
}

/* Reading that page of the newest point; or all of it, verified. */
static int
read_forged(uint32_t says, bool pour)
{
	auto_free char *path = path_of(DELTAS + 1);
	auto_view_data struct view_data d = VIEW_DATA_INIT;
	struct history *h;
	struct history_listing *l;
	struct view *v;
	struct history_point p;
	struct err e = ERR_INIT;
	int r;

	forge(says);
	h = model_history(&m);
	l = history_listing(h);
	r = history_moment_at(h, l, 0, INT64_MAX, &p, &e);
	assert_int_equal(r, 0);
	r = history_open_moment(h, l, &p, &v, &e);
	if (!r) {
		r = pour ? model_pour(&m, v, &m.now, &e)
			 : view_read(v, DATABASE_RAW_NODE, (says - 1) * 512,
				   512, &d, &e);
		view_data_release(&d);
		d.n = 0;
		view_put(v);
	}
	history_listing_put(l);
	history_free(h);
	unlink(path);
	return r;
}

static void
a_frame_that_has_other_pages_than_said_is_found_out(void **state)
{
	(void)state;
	assert_int_equal(read_forged(3, false), -EUCLEAN);
	assert_int_equal(read_forged(3, true), -EUCLEAN);
}

static void
a_page_that_the_whole_was_not_hashed_of_is_found_out(void **state)
{
	(void)state;
	assert_int_equal(read_forged(5, false), 0);
	assert_int_equal(read_forged(5, true), -EBADMSG);
}

/* -- A store that fails --------------------------------------------------------- */

/* Every point read while the nth call fails: what fails is told, and is there
 * the next time.  Whether a call failed. */
static bool
read_with_fault(unsigned nth)
{
	auto_free char *spec = xasprintf("eio@%u", nth);
	struct repository *rp;
	struct history *h;
	struct fault *f;
	struct err e = ERR_INIT;
	bool happened;

	assert_int_equal(repository_open(m.repo, NULL, &rp, &e), 0);
	assert_int_equal(fault_new(spec, &f, &e), 0);
	rp->store = fault_store(f, rp->store);
	if (native_history_new(rp, 0, &h, &e)) {
		fault_free(f);
		return true;
	}
	auto_listing struct history_listing *l = history_listing(h);
	for (size_t i = 0; i < m.n_past && l->n_sources; i += 3) {
		for (int attempt = 0;; attempt++) {
			struct view *v = NULL;
			struct history_point p;
			int r = history_moment_at(
				h, l, 0, m.past[i].time_ns, &p, &e);

			if (!r)
				r = history_open_moment(h, l, &p, &v, &e);
			if (!r && !is_state(v, i, &r) && !r)
				fail_msg("state %zu reads as none", i);
			view_put(v);
			if (!r)
				break;
			assert_int_equal(r, -EIO);
			assert_int_equal(attempt, 0);
		}
	}
	happened = fault_happened(f);
	history_free(h);
	history_listing_put(steal(l));
	fault_free(f);
	return happened;
}

static void
whatever_call_fails_is_told_and_made_again(void **state)
{
	unsigned nth = 1;

	(void)state;
	while (read_with_fault(nth))
		nth++;
	assert_true(nth > 15);
}

/* -- Threads ------------------------------------------------------------------ */

static void *
read_points(void *ctx)
{
	struct history *h = ctx;
	auto_listing struct history_listing *l = history_listing(h);

	for (size_t k = 0; k < 3 * m.n_past; k++) {
		size_t i = k * 7 % m.n_past;
		auto_view struct view *v = NULL;
		struct history_point p;
		struct err e = ERR_INIT;
		int r = history_moment_at(
			h, l, 0, m.past[i].time_ns, &p, &e);

		if (!r)
			r = history_open_moment(h, l, &p, &v, &e);
		if (r || !is_state(v, i, &r))
			return "wrong";
		if (k % 10 == 0 && history_refresh(h, &e))
			return "not refreshed";
	}
	return NULL;
}

static void
many_threads_read_the_same_points(void **state)
{
	struct history *h = model_history(&m);
	pthread_t threads[6];

	(void)state;
	for (size_t i = 0; i < n_elements(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, read_points,
					 h),
			0);
	for (size_t i = 0; i < n_elements(threads); i++) {
		void *wrong;

		pthread_join(threads[i], &wrong);
		assert_null(wrong);
	}
	history_free(h);
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(no_changed_byte_goes_unnoticed),
		TEST(what_is_cut_off_or_too_long_fails),
		TEST(exchanged_deltas_fail),
		TEST(what_is_missing_is_missed_where_it_is_needed),
		TEST(a_frame_that_has_other_pages_than_said_is_found_out),
		TEST(a_page_that_the_whole_was_not_hashed_of_is_found_out),
		TEST(whatever_call_fails_is_told_and_made_again),
		TEST(moments_are_told_and_found_again),
		TEST(many_threads_read_the_same_points),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
