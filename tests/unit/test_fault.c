/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/directory.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include "repo/base/clock.h"
#include "repo/store/fault.h"

/* A store and a sink on the test's directory that misbehave as spec says. */
struct faulty {
	struct fault *fault;
	struct store *store;
	struct sink *sink;
};

static struct faulty
faulty_open(const char *spec)
{
	struct faulty x;

	assert_int_equal(fault_new(spec, &x.fault, NULL), 0);
	assert_int_equal(store_directory_open(root, &x.store, NULL), 0);
	assert_int_equal(sink_directory_open(root, true, &x.sink, NULL), 0);
	x.store = fault_store(x.fault, x.store);
	x.sink = fault_sink(x.fault, x.sink);
	return x;
}

static void
faulty_close(struct faulty *x)
{
	store_free(x->store);
	sink_free(x->sink);
	fault_free(x->fault);
}
#define auto_faulty AUTO(faulty_close)

static void
a_spec_that_is_none_is_refused_by_name(void **state)
{
	static const char *const bad[] = { "", "eio", "eio@", "eio@0", "eio@x",
		"eio@-1", "eio@1-", "eio@1++", "boom@1", "eio@1,", ",eio@1",
		"eio@1;flip@2", "@1", "eio@99999999999999999999", "delay=@1",
		"delay=x@1", "eio=5@1", "delay=99999999@1", "eio @1",
		("eio@1,eio@1,eio@1,eio@1,eio@1,eio@1,eio@1,eio@1,eio@1,"
		 "eio@1,eio@1,eio@1,eio@1,eio@1,eio@1,eio@1,eio@1") };
	(void)state;

	for (size_t i = 0; i < n_elements(bad); i++) {
		struct fault *f = NULL;
		struct err e = ERR_INIT;

		assert_int_equal(fault_new(bad[i], &f, &e), -EINVAL);
		assert_null(f);
		assert_true(strncmp(e.text, "fault: ", 7) == 0);
	}
}

static void
without_its_call_a_fault_does_nothing(void **state)
{
	auto_faulty struct faulty x = faulty_open("eio@100,flip@200+");
	auto_free uint8_t *data = NULL;
	size_t len;
	(void)state;

	assert_int_equal(sink_put(x.sink, "a", "data", 4, NULL), 0);
	assert_int_equal(store_get_all(x.store, "a", 99, &data, &len, NULL), 0);
	assert_int_equal(len, 4);
	assert_memory_equal(data, "data", 4);
	assert_int_equal(fault_calls(x.fault), 2);
	assert_false(fault_happened(x.fault));
}

static void
the_nth_call_fails_with_its_error_and_no_other(void **state)
{
	static const struct {
		const char *spec;
		int code;
	} cases[] = { { "eio@2", EIO }, { "enospc@2", ENOSPC },
		{ "enoent@2", ENOENT } };
	(void)state;

	for (size_t i = 0; i < n_elements(cases); i++) {
		auto_faulty struct faulty x = faulty_open(cases[i].spec);
		struct err e = ERR_INIT;
		uint64_t size;

		if (i == 0)
			put("a", "data");
		assert_int_equal(store_size(x.store, "a", &size, &e), 0);
		assert_int_equal(
			store_size(x.store, "a", &size, &e), -cases[i].code);
		assert_non_null(strstr(e.text, "a"));
		assert_true(fault_happened(x.fault));
		assert_int_equal(store_size(x.store, "a", &size, &e), 0);
	}
}

static void
a_plus_means_from_then_on(void **state)
{
	auto_faulty struct faulty x = faulty_open("eio@2+");
	uint64_t size;
	(void)state;

	put("a", "data");
	assert_int_equal(store_size(x.store, "a", &size, NULL), 0);
	for (int i = 0; i < 5; i++)
		assert_int_equal(store_size(x.store, "a", &size, NULL), -EIO);
}

static void
store_and_sink_count_together(void **state)
{
	auto_faulty struct faulty x = faulty_open("eio@1,eio@3,enospc@4");
	uint64_t size;
	(void)state;

	assert_int_equal(sink_put(x.sink, "a", "x", 1, NULL), -EIO);
	assert_int_equal(sink_put(x.sink, "a", "x", 1, NULL), 0);
	assert_int_equal(store_size(x.store, "a", &size, NULL), -EIO);
	assert_int_equal(sink_remove(x.sink, "a", NULL), -ENOSPC);
	assert_holds("a", "x");
	assert_int_equal(fault_calls(x.fault), 4);
}

static void
what_is_read_comes_back_short_or_flipped(void **state)
{
	auto_faulty struct faulty x = faulty_open("short@1,short@2,flip@3,"
						  "short@4,flip@5");
	char buf[10];
	size_t got = 0;
	uint64_t size = 0;
	(void)state;

	put("a", "0123456789");
	assert_int_equal(store_get(x.store, "a", 0, 10, buf, &got, NULL), 0);
	assert_int_equal(got, 5);
	assert_int_equal(
		store_get(x.store, "a", 0, 10, buf, NULL, NULL), -EBADMSG);
	assert_int_equal(store_get(x.store, "a", 0, 10, buf, NULL, NULL), 0);
	assert_memory_equal(buf, "01234%6789", 10); /* '5' ^ 0x10 */
	assert_int_equal(store_size(x.store, "a", &size, NULL), 0);
	assert_int_equal(size, 5);
	assert_int_equal(store_size(x.store, "a", &size, NULL), 0);
	assert_int_equal(size, 26);
}

struct seen {
	unsigned n;
	uint64_t bytes;
};

static bool
see(void *ctx, const char *name, uint64_t size)
{
	struct seen *s = ctx;

	(void)name;
	s->n++;
	s->bytes += size;
	return true;
}

static void
a_listing_comes_back_short_or_flipped(void **state)
{
	auto_faulty struct faulty x = faulty_open("short@1,flip@2,short@3");
	struct seen s = { 0 };
	(void)state;

	put("a/1", "x");
	put("a/2", "x");
	assert_int_equal(store_list(x.store, "", "", see, &s, NULL), 0);
	assert_int_equal(s.n, 1);
	s = (struct seen){ 0 };
	assert_int_equal(store_list(x.store, "", "", see, &s, NULL), 0);
	assert_int_equal(s.n, 2);
	assert_int_equal(s.bytes, 18);
	assert_int_equal(store_list(x.store, "none/", "", see, &s, NULL), -EIO);
}

static void
what_is_written_is_kept_short_or_flipped(void **state)
{
	auto_faulty struct faulty x = faulty_open("short@1,flip@2,short@4,"
						  "flip@5");
	struct upload *up = NULL;
	(void)state;

	assert_int_equal(sink_put(x.sink, "a", "01234567", 8, NULL), 0);
	assert_int_equal(sink_put(x.sink, "b", "01234567", 8, NULL), 0);
	assert_int_equal(sink_begin(x.sink, "c", &up, NULL), 0);
	assert_int_equal(upload_append(up, "0123", 4, NULL), 0);
	assert_int_equal(upload_append(up, "0123", 4, NULL), 0);
	assert_int_equal(upload_commit(up, NULL), 0);
	assert_holds("a", "0123");
	assert_holds("b", "0123$567");
	assert_holds("c", "0101\"3");
}

static void
each_step_of_an_upload_can_fail(void **state)
{
	(void)state;
	for (unsigned n = 1;; n++) {
		auto_free char *spec = xasprintf("enospc@%u", n);
		auto_faulty struct faulty x = faulty_open(spec);
		struct upload *up = NULL;
		struct seen s = { 0 };
		int r = sink_begin(x.sink, "a/b", &up, NULL);

		if (r == 0)
			r = upload_append(up, "x", 1, NULL);
		if (r == 0)
			r = upload_commit(up, NULL);
		else
			upload_abort(up);
		assert_int_equal(r, fault_happened(x.fault) ? -ENOSPC : 0);
		assert_int_equal(count_temporaries(), 0);
		assert_int_equal(store_list(store, "", "", see, &s, NULL), 0);
		assert_int_equal(s.n, r == 0);
		if (r < 0)
			continue;
		assert_int_equal(n, 4);
		break;
	}
}

static void
what_cannot_be_spoilt_fails(void **state)
{
	auto_faulty struct faulty x = faulty_open("flip@1,short@2,flip@4,"
						  "flip@5,short@6");
	struct upload *up = NULL;
	char c;
	size_t got;
	(void)state;

	put("empty", "");
	assert_int_equal(
		store_get(x.store, "empty", 0, 1, &c, &got, NULL), -EIO);
	assert_int_equal(sink_begin(x.sink, "a", &up, NULL), -EIO);
	assert_int_equal(sink_begin(x.sink, "a", &up, NULL), 0);
	assert_int_equal(upload_commit(up, NULL), -EIO);
	assert_int_equal(sink_remove(x.sink, "empty", NULL), -EIO);
	assert_int_equal(sink_put(x.sink, "b", "", 0, NULL), -EIO);
}

static void
a_delay_takes_as_long_as_it_says(void **state)
{
	auto_faulty struct faulty x = faulty_open("delay=120@1,delay@3");
	uint64_t size;
	(void)state;

	put("a", "x");
	int64_t from = clock_mono_ns();

	assert_int_equal(store_size(x.store, "a", &size, NULL), 0);
	assert_true(clock_mono_ns() - from >= 120 * 1000000);
	assert_true(fault_happened(x.fault));
	assert_int_equal(store_size(x.store, "a", &size, NULL), 0);
	from = clock_mono_ns();
	assert_int_equal(store_size(x.store, "a", &size, NULL), 0);
	assert_true(clock_mono_ns() - from >= 200 * 1000000);
}

static void
a_kill_kills(void **state)
{
	int status = 0;
	pid_t pid = fork();
	(void)state;

	assert_true(pid >= 0);
	if (pid == 0) {
		struct faulty x = faulty_open("kill@2");

		if (sink_put(x.sink, "a", "x", 1, NULL) < 0)
			_exit(1);
		sink_put(x.sink, "b", "x", 1, NULL);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	assert_holds("a", "x");
	uint64_t size;

	assert_int_equal(store_size(store, "b", &size, NULL), -ENOENT);
}

static void
a_repository_argument_names_spec_and_place(void **state)
{
	struct fault *a = NULL, *b = NULL, *none = NULL;
	const char *repo = NULL;
	(void)state;

	assert_int_equal(fault_parse_repo("/srv", &none, &repo, NULL), 0);
	assert_null(none);
	assert_string_equal(repo, "/srv");
	assert_int_equal(
		fault_parse_repo("fault:eio@1", &none, &repo, NULL), -EINVAL);
	assert_int_equal(
		fault_parse_repo("fault:boom@1:/srv", &none, &repo, NULL),
		-EINVAL);
	assert_int_equal(
		fault_parse_repo("fault:eio@9:file:///srv", &a, &repo, NULL),
		0);
	assert_string_equal(repo, "file:///srv");
	assert_int_equal(
		fault_parse_repo("fault:eio@9:/x", &b, &repo, NULL), 0);
	assert_ptr_equal(a, b);
	assert_int_equal(
		fault_parse_repo("fault:eio@8:/x", &b, &repo, NULL), -EINVAL);
}

static void
a_wrapped_store_is_called_what_it_wraps(void **state)
{
	auto_faulty struct faulty x = faulty_open("eio@9");
	struct store_stats st;
	uint64_t size;
	char c;
	(void)state;

	put("a", "x");
	assert_string_equal(x.store->name, store->name);
	assert_string_equal(x.store->local_path, store->local_path);
	assert_int_equal(store_size(x.store, "a", &size, NULL), 0);
	assert_int_equal(store_get(x.store, "a", 0, 1, &c, NULL, NULL), 0);
	store_stats(x.store, &st);
	assert_int_equal(st.gets, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		IN_DIRECTORY(a_spec_that_is_none_is_refused_by_name),
		IN_DIRECTORY(without_its_call_a_fault_does_nothing),
		IN_DIRECTORY(the_nth_call_fails_with_its_error_and_no_other),
		IN_DIRECTORY(a_plus_means_from_then_on),
		IN_DIRECTORY(store_and_sink_count_together),
		IN_DIRECTORY(what_is_read_comes_back_short_or_flipped),
		IN_DIRECTORY(a_listing_comes_back_short_or_flipped),
		IN_DIRECTORY(what_is_written_is_kept_short_or_flipped),
		IN_DIRECTORY(each_step_of_an_upload_can_fail),
		IN_DIRECTORY(what_cannot_be_spoilt_fails),
		IN_DIRECTORY(a_delay_takes_as_long_as_it_says),
		IN_DIRECTORY(a_kill_kills),
		IN_DIRECTORY(a_repository_argument_names_spec_and_place),
		IN_DIRECTORY(a_wrapped_store_is_called_what_it_wraps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
