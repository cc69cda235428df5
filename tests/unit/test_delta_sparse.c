/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A database beyond the byte that processes lock, at 1 GiB: the page it lies in
 * is read like any other and counts in no hash. */
#include "tests/unit/pages_model.h"

#include <errno.h>

#include "repo/base/buf.h"
#include "repo/format/delta.h"
#include "repo/sqlite/database_view.h"

#define SIZE 65536u
#define LOCK (DATABASE_LOCK_BYTE / SIZE + 1)

static struct model m;

static void
put_delta(void)
{
	struct err e = ERR_INIT;

	if (model_put_delta(&m, &e))
		fail_msg("%s", e.text);
}

/* Feed the check all pages of a state, one of them changed if wanted. */
static int
check_state(struct view *v, const struct model_state *s, uint32_t wrong)
{
	static uint8_t page[SIZE];
	struct view_check *c;
	struct err e = ERR_INIT;

	assert_int_equal(view_check(v, DATABASE_RAW_NODE, &c, &e), 0);
	assert_non_null(c);
	for (uint32_t p = 1; p <= s->n; p++) {
		if (s->page[p - 1])
			memcpy(page, s->page[p - 1], SIZE);
		else
			memset(page, 0, SIZE);
		page[17] ^= p == wrong;
		view_check_add(c, page, 1000); /* in pieces of any length */
		view_check_add(c, page + 1000, SIZE - 1000);
	}
	return view_check_end(c, &e);
}

static struct view *
open_last(struct history *h)
{
	auto_listing struct history_listing *l = history_listing(h);
	struct history_point p;
	struct view *v;
	struct err e = ERR_INIT;

	assert_int_equal(history_moment_at(h, l, 0, INT64_MAX, &p, &e), 0);
	assert_int_equal(history_open_moment(h, l, &p, &v, &e), 0);
	return v;
}

static void
the_page_with_the_lock_byte_counts_in_no_hash(void **state)
{
	struct err e = ERR_INIT;
	struct history *h;
	struct view *v;

	(void)state;
	model_init(&m, SIZE, 3);
	model_open(&m);
	model_resize(&m, LOCK + 4); /* a gibibyte of zeros */
	if (model_put_base(&m, false, &e))
		fail_msg("%s", e.text);
	model_touch(&m, LOCK - 1);
	model_touch(&m, LOCK + 1);
	put_delta();
	model_resize(&m, LOCK + 9);
	model_touch(&m, LOCK + 9);
	put_delta();
	h = model_history(&m);
	v = open_last(h);
	assert_int_equal(check_state(v, &m.now, 0), 0);
	assert_int_equal(check_state(v, &m.now, LOCK), 0);
	assert_int_equal(check_state(v, &m.now, LOCK + 1), -EBADMSG);
	assert_int_equal(check_state(v, &m.now, 2), -EBADMSG);
	view_put(v);
	model_resize(&m, LOCK - 2);
	put_delta();
	model_check(&m, h, 1);
	history_free(h);
	h = model_history(&m);
	v = open_last(h);
	assert_int_equal(check_state(v, &m.now, 0), 0);
	view_put(v);
	history_free(h);
	model_release(&m);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			the_page_with_the_lock_byte_counts_in_no_hash),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
