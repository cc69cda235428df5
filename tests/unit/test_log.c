/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "tests/unit/unit.h"
#include "repo/base/buf.h"
#include "repo/base/clock.h"
#include "repo/base/log.h"

static void
note(void *ctx, const struct log_line *l)
{
	assert_true(l->time_ns > 0 && l->time_ns <= clock_wall_ns());
	buf_printf(ctx, "%s*%d ", l->text, (int)l->times);
}

static void
assert_recent(const char *want)
{
	auto_buf struct buf b = BUF_INIT;

	log_recent(note, &b);
	buf_append(&b, "", 1);
	assert_string_equal(want, (char *)b.data);
}

static void
lines_are_remembered_once_that_is_wanted(void **state)
{
	(void)state;
	log_error("before");
	assert_recent("");
	log_remember();
	log_error("a%d", 1);
	log_warn("b");
	log_warn("b");
	log_info("not written, not remembered");
	log_error("a1");
	assert_recent("a1*1 warning: b*2 a1*1 ");
}

static void
count(void *ctx, const struct log_line *l)
{
	unsigned *n = ctx;
	auto_free char *want = xasprintf("line %u", *n);

	assert_string_equal(want, l->text);
	++*n;
}

static void
only_the_last_ones_are(void **state)
{
	unsigned n = 100;

	(void)state;
	for (unsigned i = 0; i < LOG_RECENT + 100; i++)
		log_error("line %u", i);
	log_recent(count, &n);
	assert_int_equal(LOG_RECENT + 100, n);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_are_remembered_once_that_is_wanted),
		cmocka_unit_test(only_the_last_ones_are),
	};

	/* the lines themselves are not looked at */
	if (!freopen("/dev/null", "w", stderr))
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
