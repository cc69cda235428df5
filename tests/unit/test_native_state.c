/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/forge.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include "repo/native/state.h"
#include "repo/native/state_later.h"
#include "repo/write/init.h"

static struct forge f;

static int
set_up(void **state)
{
	(void)state;
	forge_init(&f, 4);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	forge_release(&f);
	return 0;
}

static void
put(const char *source, uint64_t seq, char name[OBJECT_NAME_MAX * 2])
{
	static char host[] = "h";
	struct record r = { .host = host,
		.name = (char *)(uintptr_t)source,
		.seq = seq,
		.generation = 1,
		.root = { .mode = S_IFDIR | 0700, .nlink = 2 } };

	/* One file system's second is like another. */
	r.time_ns = (int64_t)seq * 1000000000;
	forge_record(&f, &r, NULL, name);
}

/* Open and close; returns what was said. */
static const char *
said_when_opened(void)
{
	static char text[4000];
	FILE *file = tmpfile();
	int old = dup(2);
	size_t n;

	dup2(fileno(file), 2);
	history_free(forge_open(&f, 0));
	fflush(stderr);
	dup2(old, 2);
	close(old);
	rewind(file);
	n = fread(text, 1, sizeof(text) - 1, file);
	text[n] = '\0';
	fclose(file);
	return text;
}

/* -- Going back ------------------------------------------------------------------ */

static void
a_store_that_goes_back_is_reported(void **state)
{
	char second[OBJECT_NAME_MAX * 2];
	struct err e = ERR_INIT;
	const char *said;

	(void)state;
	put("n", 10, NULL);
	put("m", 7, NULL);
	assert_string_equal(said_when_opened(), "");
	put("n", 20, second);
	assert_string_equal(said_when_opened(), "");
	assert_int_equal(sink_remove(f.sink, second, &e), 0);
	said = said_when_opened();
	assert_non_null(strstr(said, "h/n"));
	assert_non_null(strstr(said, "number 10, but number 20"));
	assert_null(strchr(strchr(said, '\n') + 1, '\n'));
	/* Not one that has the number again. */
	put("n", 20, second);
	assert_non_null(strstr(said_when_opened(),
		"number 20 of h/n is not the one"));
	put("n", 30, NULL);
	assert_string_equal(said_when_opened(), "");
}

static void
a_source_that_vanished_is_reported(void **state)
{
	char name[OBJECT_NAME_MAX * 2];
	struct err e = ERR_INIT;

	(void)state;
	put("line\nbreak", 4, name);
	put("m", 1, NULL);
	assert_string_equal(said_when_opened(), "");
	assert_int_equal(sink_remove(f.sink, name, &e), 0);
	assert_non_null(strstr(said_when_opened(),
		"h/line\\x0abreak has no snapshot, but number 4"));
}

static void
state_that_cannot_be_kept_is_no_error(void **state)
{
	auto_free char *blocked = xasprintf("%s/format", f.repo);

	(void)state;
	put("n", 1, NULL);
	setenv("XDG_STATE_HOME", blocked, 1);
	assert_string_equal(said_when_opened(), "");
	unsetenv("XDG_STATE_HOME");
	setenv("HOME", "relative", 1);
	assert_string_equal(said_when_opened(), "");
}

static void
state_that_is_rubbish_is_forgotten(void **state)
{
	auto_free char *command = xasprintf("d=%s/state/yore; for x in $d/*/*; "
					    "do head -c 3000 /dev/urandom >$x; "
					    "done",
		f.dir);

	(void)state;
	put("n", 1, NULL);
	assert_string_equal(said_when_opened(), "");
	state_later_wait(NULL);
	assert_int_equal(system(command), 0);
	assert_string_equal(said_when_opened(), "");
}

/* -- Another repository ------------------------------------------------------------ */

static const char passphrase[] = "correct horse";

static int
give_secret(void *ctx, struct slot_secret *out, struct err *e)
{
	(void)ctx;
	(void)e;
	*out = (struct slot_secret){ .type = SLOT_SCRYPT,
		.bytes = passphrase, .len = sizeof(passphrase) - 1 };
	return 0;
}

static int
open_at(const char *repo, struct err *e)
{
	const struct history_open_options o = { .secret = give_secret };
	struct history *h;
	int r = history_open_repository(repo, &o, &h, e);

	if (!r)
		history_free(h);
	return r;
}

static void
make_at(const char *repo, bool sealed)
{
	const struct slot_secret open = { .type = SLOT_OPEN };
	const struct slot_secret secret = { .type = SLOT_SCRYPT,
		.bytes = passphrase,
		.len = sizeof(passphrase) - 1,
		.log_n = 15 };
	struct err e = ERR_INIT;
	char id[33];

	assert_int_equal(repository_init(repo, sealed ? &secret : &open, id,
				 &e),
		0);
}

/* Open what is at a place, put another repository there, open that. */
static int
replace(bool sealed_before, bool sealed_now, struct err *e)
{
	auto_free char *repo = xasprintf("%s/other", f.dir);
	auto_free char *gone = xasprintf("%s/gone", f.dir);
	auto_free char *new = xasprintf("%s/new", f.dir);

	make_at(repo, sealed_before);
	assert_int_equal(open_at(repo, e), 0);
	assert_int_equal(rename(repo, gone), 0);
	make_at(new, sealed_now);
	assert_int_equal(rename(new, repo), 0);
	return open_at(repo, e);
}

static void
a_new_repository_may_be_made_where_another_was(void **state)
{
	auto_free char *repo = xasprintf("%s/other", f.dir);
	auto_free char *gone = xasprintf("%s/gone", f.dir);
	struct err e = ERR_INIT;

	(void)state;
	make_at(repo, true);
	assert_int_equal(open_at(repo, &e), 0);
	assert_int_equal(rename(repo, gone), 0);
	make_at(repo, false);
	assert_int_equal(open_at(repo, &e), 0);
}

static void
a_sealed_repository_swapped_for_an_open_one_is_refused(void **state)
{
	struct err e = ERR_INIT;
	char *file;

	(void)state;
	assert_int_equal(replace(true, false, &e), -EBADMSG);
	assert_non_null(strstr(e.text, "another repository was here before"));
	/* The way out is what it says. */
	file = strstr(e.text, "remove ") + strlen("remove ");
	assert_int_equal(unlink(file), 0);
	auto_free char *repo = xasprintf("%s/other", f.dir);
	assert_int_equal(open_at(repo, &e), 0);
}

static void
a_repository_the_own_secret_unlocks_is_a_warning(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(replace(true, true, &e), 0);
}

static void
an_open_repository_in_an_open_ones_place_is_a_warning(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(replace(false, false, &e), 0);
}

static void
other_keys_under_the_same_id_are_refused(void **state)
{
	auto_free char *copy = xasprintf("cat %s/state/yore/pins/* | "
					 "sed 's/ ..../ 0000/' >%s/x && "
					 "mv %s/x %s/state/yore/pins/*",
		f.dir, f.dir, f.dir, f.dir);
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(open_at(f.repo, &e), 0);
	assert_int_equal(system(copy), 0);
	assert_int_equal(open_at(f.repo, &e), -EBADMSG);
}

static void
the_id_last_seen_at_an_address_needs_no_opening(void **state)
{
	auto_store struct store *s = NULL;
	char id[REPOSITORY_ID_LEN * 2 + 1] = "";
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(store_open(f.repo, &s, &e), 0);
	assert_int_equal(state_last_id(s, id), -ENOENT);
	assert_int_equal(open_at(f.repo, &e), 0);
	assert_int_equal(state_last_id(s, id), 0);
	assert_string_equal(id, f.rp->id_text);
	state_pin_forget(f.repo);
	assert_int_equal(state_last_id(s, id), -ENOENT);
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_store_that_goes_back_is_reported),
		TEST(a_source_that_vanished_is_reported),
		TEST(state_that_is_rubbish_is_forgotten),
		TEST(a_sealed_repository_swapped_for_an_open_one_is_refused),
		TEST(a_repository_the_own_secret_unlocks_is_a_warning),
		TEST(an_open_repository_in_an_open_ones_place_is_a_warning),
		TEST(a_new_repository_may_be_made_where_another_was),
		TEST(other_keys_under_the_same_id_are_refused),
		TEST(state_that_cannot_be_kept_is_no_error),
		TEST(the_id_last_seen_at_an_address_needs_no_opening),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
