/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/unit.h"
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include "repo/base/buf.h"

static void
bytes_survive_growing(void **state)
{
	auto_buf struct buf b = BUF_INIT;

	(void)state;
	for (unsigned i = 0; i < 100000; i++) {
		uint8_t byte = (uint8_t)(i * 7);

		buf_append(&b, &byte, 1);
	}
	assert_int_equal(b.len, 100000);
	assert_true(b.cap >= b.len);
	for (unsigned i = 0; i < 100000; i++)
		assert_int_equal(b.data[i], (uint8_t)(i * 7));
}

static void
reserving_leaves_the_length_alone(void **state)
{
	auto_buf struct buf b = BUF_INIT;
	uint8_t *at;

	(void)state;
	buf_append(&b, "ab", 2);
	at = buf_reserve(&b, 5000);
	assert_ptr_equal(at, b.data + 2);
	assert_int_equal(b.len, 2);
	assert_true(b.cap >= 5002);
	memset(at, 'x', 5000);
	assert_memory_equal(b.data, "ab", 2);
}

static void
appending_nothing_needs_no_bytes(void **state)
{
	auto_buf struct buf b = BUF_INIT;

	(void)state;
	assert_non_null(buf_append(&b, NULL, 0));
	assert_non_null(buf_zeros(&b, 0));
	assert_int_equal(b.len, 0);
}

static void
zeros_overwrite_what_was_there(void **state)
{
	static const uint8_t zeros[40];
	auto_buf struct buf b = BUF_INIT;

	(void)state;
	memset(buf_reserve(&b, sizeof(zeros)), 0xff, sizeof(zeros));
	assert_memory_equal(buf_zeros(&b, sizeof(zeros)), zeros,
		sizeof(zeros));
	assert_int_equal(b.len, sizeof(zeros));
}

static void
printing_appends_without_the_terminator(void **state)
{
	auto_buf struct buf b = BUF_INIT;

	(void)state;
	buf_printf(&b, "%s", "");
	assert_int_equal(b.len, 0);
	buf_printf(&b, "%d-", 42);
	buf_printf(&b, "%0300d", 7);
	assert_int_equal(b.len, 303);
	assert_memory_equal(b.data, "42-000", 6);
	assert_int_equal(b.data[302], '7');
	assert_int_equal(b.data[303], '\0');
}

static void
stolen_bytes_belong_to_the_caller(void **state)
{
	auto_buf struct buf b = BUF_INIT;
	auto_free uint8_t *bytes = NULL;
	size_t len = 0;

	(void)state;
	buf_append(&b, "abc", 3);
	bytes = buf_steal(&b, &len);
	assert_int_equal(len, 3);
	assert_memory_equal(bytes, "abc", 3);
	assert_null(b.data);
	assert_int_equal(b.len, 0);
	assert_int_equal(b.cap, 0);
	buf_append(&b, "d", 1);
	assert_memory_equal(bytes, "abc", 3);
}

static void
a_released_buffer_can_be_used_again(void **state)
{
	auto_buf struct buf b = BUF_INIT;

	(void)state;
	buf_append(&b, "abc", 3);
	buf_release(&b);
	buf_release(&b);
	assert_null(b.data);
	buf_append(&b, "de", 2);
	assert_memory_equal(b.data, "de", 2);
}

static void
copies_are_copies(void **state)
{
	char text[] = "text";
	auto_free char *s = xstrdup(text);
	auto_free char *m = xmemdup(text, 2);
	auto_free void *nothing = xmemdup(NULL, 0);
	auto_free char *f = xasprintf("%s-%d", text, 3);
	auto_free uint8_t *z = xcalloc(3, 5);

	(void)state;
	text[0] = 'X';
	assert_string_equal(s, "text");
	assert_memory_equal(m, "te", 2);
	assert_non_null(nothing);
	assert_string_equal(f, "text-3");
	for (int i = 0; i < 15; i++)
		assert_int_equal(z[i], 0);
}

/* The signal that ends a child which asks for n bytes; 0 when none does. */
static int
signal_after(void (*ask)(size_t n), size_t n)
{
	const struct rlimit no_core = { 0, 0 };
	int status = 0;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		setrlimit(RLIMIT_CORE, &no_core);
		signal(SIGABRT, SIG_DFL);
		if (!freopen("/dev/null", "w", stderr))
			_exit(2);
		ask(n);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void
ask_reserve(size_t n)
{
	struct buf b = BUF_INIT;

	buf_append(&b, "x", 1);
	buf_reserve(&b, n);
}

static void
ask_little(size_t n)
{
	free(xmalloc(n));
}

static void
a_size_that_would_wrap_around_aborts(void **state)
{
	(void)state;
	assert_int_equal(signal_after(ask_reserve, SIZE_MAX), SIGABRT);
	assert_int_equal(signal_after(ask_reserve, SIZE_MAX / 2), SIGABRT);
	assert_int_equal(signal_after(ask_little, 100), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_survive_growing),
		cmocka_unit_test(reserving_leaves_the_length_alone),
		cmocka_unit_test(appending_nothing_needs_no_bytes),
		cmocka_unit_test(zeros_overwrite_what_was_there),
		cmocka_unit_test(printing_appends_without_the_terminator),
		cmocka_unit_test(stolen_bytes_belong_to_the_caller),
		cmocka_unit_test(a_released_buffer_can_be_used_again),
		cmocka_unit_test(copies_are_copies),
		cmocka_unit_test(a_size_that_would_wrap_around_aborts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
