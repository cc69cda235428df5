/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/cache_fixture.h"

#include <errno.h>
#include <stdio.h>
#include "repo/base/buf.h"
#include "repo/cache/pins.h"

static struct keyring *keys;

static void
pin(struct cache *c, const char *name, unsigned pack, uint64_t len)
{
	const struct cache_place at = { pack_name(pack), 0, len };

	assert_int_equal(pins_add(c, keys, name, &at, 1, NULL), 0);
}

struct seen {
	char names[8][PIN_NAME_MAX + 1];
	uint64_t wanted[8];
	unsigned n;
	unsigned foreign;
};

static void
see(void *ctx, const char *name, uint64_t wanted, uint64_t present)
{
	struct seen *s = ctx;

	(void)present;
	if (!name) {
		s->foreign++;
		return;
	}
	snprintf(s->names[s->n], PIN_NAME_MAX + 1, "%s", name);
	s->wanted[s->n++] = wanted;
}

static bool
lists(struct cache *c, const char *name, uint64_t wanted)
{
	struct seen s = { .n = 0 };

	assert_int_equal(pins_each(c, keys, see, &s, NULL), 0);
	for (unsigned i = 0; i < s.n; i++)
		if (strcmp(s.names[i], name) == 0)
			return s.wanted[i] == wanted;
	return false;
}

static void
a_pin_is_found_by_its_name(void **state)
{
	struct cache *c = open_cache();
	struct err e = ERR_INIT;
	(void)state;

	pin(c, "home-ann:mail", 1, MIB);
	pin(c, "x", 2, MIB);
	pin(c, "home-ann:mail", 2, 2 * MIB);
	assert_true(lists(c, "home-ann:mail", 3 * MIB));
	assert_true(lists(c, "x", MIB));
	assert_int_equal(pins_remove(c, keys, "home-ann", &e), -ENOENT);
	assert_string_equal(e.text, "there is no pin named home-ann");
	assert_int_equal(pins_remove(c, keys, "home-ann:mail", NULL), 0);
	assert_false(lists(c, "home-ann:mail", 3 * MIB));
	assert_true(lists(c, "x", MIB));
	cache_close(c);
}

static void
a_name_is_1_to_1024_bytes_long(void **state)
{
	const struct cache_place at = { pack_name(1), 0, MIB };
	struct cache *c = open_cache();
	char name[PIN_NAME_MAX + 2];
	(void)state;

	memset(name, 'n', sizeof(name));
	name[PIN_NAME_MAX + 1] = '\0';
	assert_int_equal(pins_add(c, keys, name, &at, 1, NULL), -EINVAL);
	assert_int_equal(pins_add(c, keys, "", &at, 1, NULL), -EINVAL);
	name[PIN_NAME_MAX] = '\0';
	pin(c, name, 1, MIB);
	assert_true(lists(c, name, MIB));
	cache_close(c);
}

/* Whether the bytes lie anywhere in the ledger. */
static bool
ledger_has(const char *bytes)
{
	auto_free char *command =
		xasprintf("grep -rqaF -- '%s' '%s'", bytes, cache_dir);

	return system(command) == 0;
}

static void
no_name_can_be_read_on_the_disk(void **state)
{
	const struct cache_place at = { pack_name(1), 0, MIB };
	struct cache *c = open_cache();
	(void)state;

	assert_int_equal(cache_pin(c, "plain words", &at, 1, NULL), 0);
	pin(c, "sealed words", 1, MIB);
	cache_close(c);
	assert_true(ledger_has("plain words"));
	assert_false(ledger_has("sealed words"));
}

static void
other_keys_read_no_names(void **state)
{
	static const uint8_t root[KEY_LEN] = { 2 };
	struct keyring *other = keyring_new(cache_repository, root);
	struct cache *c = open_cache();
	struct seen s = { .n = 0 };
	(void)state;

	pin(c, "a name", 1, MIB);
	assert_int_equal(pins_each(c, other, see, &s, NULL), 0);
	assert_int_equal(s.n, 0);
	assert_int_equal(s.foreign, 1);
	assert_int_equal(pins_remove(c, other, "a name", NULL), -ENOENT);
	cache_close(c);
	keyring_free(other);
}

static void
clearing_leaves_what_leads_to_pins(void **state)
{
	struct cache *c = open_cache();
	uint8_t *data;
	size_t len;
	(void)state;

	keep(c, pack_name(1), 0, MIB);
	keep(c, pack_name(2), 0, MIB);
	pin(c, "a name", 1, MIB);
	cache_put(c, "format", "whole", 5);
	assert_int_equal(cache_clear(c, false, NULL), 0);
	assert_true(is_kept(c, pack_name(1), 0, MIB));
	assert_false(is_kept(c, pack_name(2), 0, MIB));
	assert_int_equal(cache_get(c, "format", 100, &data, &len), 0);
	free(data);
	assert_int_equal(cache_clear(c, true, NULL), 0);
	assert_false(is_kept(c, pack_name(1), 0, MIB));
	assert_int_equal(cache_get(c, "format", 100, &data, &len), -ENOENT);
	cache_close(c);
}

int
main(void)
{
	static const uint8_t root[KEY_LEN] = { 1 };
	const struct CMUnitTest tests[] = {
		WITH_CACHE(a_pin_is_found_by_its_name),
		WITH_CACHE(a_name_is_1_to_1024_bytes_long),
		WITH_CACHE(no_name_can_be_read_on_the_disk),
		WITH_CACHE(other_keys_read_no_names),
		WITH_CACHE(clearing_leaves_what_leads_to_pins),
	};
	int r;

	keys = keyring_new(cache_repository, root);
	r = cmocka_run_group_tests(tests, NULL, NULL);
	keyring_free(keys);
	return r;
}
