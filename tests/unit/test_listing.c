/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/directory.h"

#include <errno.h>
#include <fcntl.h>

struct names {
	struct buf text; /* each name and a space */
	unsigned n;
	unsigned stop_at; /* 0: never */
	char last[STORE_NAME_MAX + 1];
};

static bool
collect(void *ctx, const char *name, uint64_t size)
{
	struct names *x = ctx;

	(void)size;
	assert_true(x->n == 0 || strcmp(x->last, name) < 0);
	strcpy(x->last, name);
	if (x->n < 100)
		buf_printf(&x->text, "%s ", name);
	return ++x->n != x->stop_at;
}

static void
assert_lists(const char *prefix, const char *after, unsigned stop_at,
	const char *want)
{
	struct names x = { .stop_at = stop_at };

	assert_int_equal(
		store_list(store, prefix, after, collect, &x, NULL), 0);
	buf_append(&x.text, "", 1);
	assert_string_equal((char *)x.text.data, want);
	buf_release(&x.text);
}

static void
objects_are_listed_in_byte_order_of_whole_names(void **state)
{
	(void)state;
	put("a/x", "");
	put("a.b", "");
	put("a0", "");
	put("a/b/c", "");
	put("a/b-", "");
	put("Z", "");
	assert_lists("", "", 0, "Z a.b a/b- a/b/c a/x a0 ");
	assert_lists("a/", "", 0, "a/b- a/b/c a/x ");
	assert_lists("a/b/", "", 0, "a/b/c ");
}

static void
a_listing_begins_after_any_name(void **state)
{
	(void)state;
	put("a/b", "");
	put("a/d", "");
	put("b", "");
	put("c/a", "");
	assert_lists("", "a/b", 0, "a/d b c/a ");
	assert_lists("", "a/c", 0, "a/d b c/a ");
	assert_lists("", "a/", 0, "a/b a/d b c/a ");
	assert_lists("", "a", 0, "a/b a/d b c/a ");
	assert_lists("", "a0", 0, "b c/a ");
	assert_lists("a/", "a/b", 0, "a/d ");
	assert_lists("a/", "b", 0, "");
	assert_lists("c/", "b", 0, "c/a ");
}

static void
a_listing_ends_when_the_caller_has_enough(void **state)
{
	(void)state;
	put("a/b", "");
	put("a/d", "");
	put("b", "");
	assert_lists("", "", 1, "a/b ");
	assert_lists("", "", 2, "a/b a/d ");
}

static void
what_is_no_object_is_not_listed(void **state)
{
	auto_free char *link = path_of("link"), *fifo = path_of("fifo"),
		       *around = path_of("around");
	(void)state;

	put("good", "");
	make_directory("tmp2");
	make_directory(".hidden");
	make_directory("lost+found");
	write_file(".hidden/x", "");
	write_file(".dot", "");
	write_file("with space", "");
	write_file("bell\a", "");
	write_file("tmp/left", "");
	assert_int_equal(symlink("good", link), 0);
	assert_int_equal(symlink(".", around), 0);
	assert_int_equal(mkfifo(fifo, 0600), 0);
	assert_lists("", "", 0, "good ");
}

static void
what_does_not_exist_holds_nothing(void **state)
{
	(void)state;
	assert_lists("nothing/", "", 0, "");
	assert_lists("nothing/at/all/", "", 0, "");
}

static void
a_prefix_ends_in_a_slash(void **state)
{
	struct names x = { .n = 0 };
	(void)state;

	assert_int_equal(
		store_list(store, "data", "", collect, &x, NULL), -EINVAL);
	assert_int_equal(
		store_list(store, "../", "", collect, &x, NULL), -EINVAL);
	assert_int_equal(
		store_list(store, "/", "", collect, &x, NULL), -EINVAL);
}

static bool
add_size(void *ctx, const char *name, uint64_t size)
{
	(void)name;
	*(uint64_t *)ctx += size;
	return true;
}

static void
a_listing_knows_sizes(void **state)
{
	uint64_t sum = 0;
	(void)state;

	put("a/b", "123");
	put("c", "4567");
	assert_int_equal(store_list(store, "", "", add_size, &sum, NULL), 0);
	assert_int_equal(sum, 7);
}

/* More than two batches of the listing, made as links to one file. */
static void
a_directory_of_100000_is_listed_whole(void **state)
{
	auto_free char *one = path_of("many/000000"), *dir = path_of("many");
	struct names x = { .n = 0 };
	(void)state;

	put("many/000000", "x");
	put("many/050000x/inside", "y");
	auto_close int fd = open(dir, O_RDONLY | O_DIRECTORY);

	for (unsigned i = 1; i < 100000; i++) {
		char name[8];

		snprintf(name, sizeof(name), "%06u", i * 61 % 100000);
		if (linkat(AT_FDCWD, one, fd, name, 0) == 0)
			continue;
		/* ext4: 65000 links a file */
		assert_int_equal(errno, EMLINK);
		close(openat(fd, name, O_CREAT | O_WRONLY, 0600));
	}
	assert_int_equal(store_list(store, "many/", "", collect, &x, NULL), 0);
	assert_int_equal(x.n, 100001);
	assert_string_equal(x.last, "many/099999");
	buf_release(&x.text);
	x = (struct names){ .n = 0 };
	assert_int_equal(
		store_list(store, "", "many/099997", collect, &x, NULL), 0);
	assert_int_equal(x.n, 2);
	buf_release(&x.text);
}

/* Who wants few gets all the same what he asks for, in several batches. */
static void
the_first_few_of_2000_are_listed_and_the_others_too(void **state)
{
	struct names x = { .stop_at = 3 };
	(void)state;

	for (unsigned i = 0; i < 2000; i++) {
		char name[16];

		snprintf(name, sizeof(name), "many/%04u", i * 61 % 2000);
		put(name, "");
	}
	assert_int_equal(store_list_few(store, "many/", collect, &x, NULL), 0);
	buf_append(&x.text, "", 1);
	assert_string_equal(
		(char *)x.text.data, "many/0000 many/0001 many/0002 ");
	buf_release(&x.text);
	x = (struct names){ .n = 0 };
	assert_int_equal(store_list_few(store, "many/", collect, &x, NULL), 0);
	assert_int_equal(x.n, 2000);
	assert_string_equal(x.last, "many/1999");
	buf_release(&x.text);
}

static void
a_directory_that_cannot_be_read_is_an_error(void **state)
{
	auto_free char *dir = path_of("secret");
	struct names x = { .n = 0 };
	struct err e = ERR_INIT;
	bool is_root = geteuid() == 0;
	(void)state;

	put("a", "");
	make_directory("secret");
	assert_int_equal(chmod(dir, 0), 0);
	assert_int_equal(chmod(root, 0755), 0);
	if (is_root)
		assert_int_equal(seteuid(65534), 0);
	int r = store_list(store, "", "", collect, &x, &e);

	if (is_root)
		assert_int_equal(seteuid(0), 0);
	assert_int_equal(r, -EACCES);
	assert_non_null(strstr(e.text, "secret"));
	chmod(dir, 0700);
	buf_release(&x.text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		IN_DIRECTORY(objects_are_listed_in_byte_order_of_whole_names),
		IN_DIRECTORY(a_listing_begins_after_any_name),
		IN_DIRECTORY(a_listing_ends_when_the_caller_has_enough),
		IN_DIRECTORY(
			the_first_few_of_2000_are_listed_and_the_others_too),
		IN_DIRECTORY(what_is_no_object_is_not_listed),
		IN_DIRECTORY(what_does_not_exist_holds_nothing),
		IN_DIRECTORY(a_prefix_ends_in_a_slash),
		IN_DIRECTORY(a_listing_knows_sizes),
		IN_DIRECTORY(a_directory_of_100000_is_listed_whole),
		IN_DIRECTORY(a_directory_that_cannot_be_read_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
