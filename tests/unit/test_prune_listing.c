/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A store whose listings lie, while pruning: names left out, told twice, out of
 * order, or long gone.  Whatever is listed, nothing that a snapshot refers to
 * is deleted.
 */
#include "tests/unit/forge.h"
#include "tests/unit/liar.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>
#include "repo/upkeep/prune.h"

#define SNAPSHOTS 6
#define LIVE 3 /* the last ones; the records of the others are removed */

/* -- The repository ------------------------------------------------------------- */

static struct forge f;
static struct ref files[SNAPSHOTS];
static char records[SNAPSHOTS][OBJECT_NAME_MAX * 2];

/* Snapshot i has files i and i - 1, each in a pack of its own, as its page. */
static void
make(void)
{
	static char host[] = "h", name[] = "n", file[] = "0";
	struct catalog all = { .n = 0 };
	uint8_t hash[HASH_LEN] = { 0 };

	forge_init(&f, 10);
	for (unsigned i = 0; i < SNAPSHOTS; i++) {
		struct forge_chunk c = { &"some content"[i], 6 };
		struct entry en[2] = { { .name_len = 1, .mode = S_IFREG,
			.nlink = 1, .content = CONTENT_CHUNK, .size = 6 } };
		struct entry root = { .mode = S_IFDIR, .nlink = 2 };
		struct record r = { .host = host, .name = name, .seq = i + 1,
			.generation = 1 };
		auto_buf struct buf b = BUF_INIT;
		struct record copy;
		struct err e = ERR_INIT;

		forge_frame(&f, OBJECT_DATA, FRAME_DATA, &c, 1, &files[i]);
		en[1] = en[0];
		en[0].name = (const uint8_t *)file;
		en[1].name = (const uint8_t *)"1";
		en[0].ref = files[i ? i - 1 : 0];
		en[1].ref = files[i];
		forge_dir(&f, en, 2, &root, NULL);
		/* in the place of a table of contents */
		buf_zeros(&f.data.bytes, OBJECT_TRAILER_LEN);
		buf_zeros(&f.meta.bytes, OBJECT_TRAILER_LEN);
		forge_flush(&f);
		r.root = root;
		memcpy(r.previous, hash, HASH_LEN);
		forge_record(&f, &r, hash, records[i]);
		record_encode(&r, false, &b);
		assert_int_equal(record_decode(b.data, b.len, &copy, &e), 0);
		memcpy(copy.id, r.id, OBJECT_ID_LEN);
		if (i >= SNAPSHOTS - LIVE)
			catalog_add(&all, &copy, hash);
		else
			record_release(&copy);
	}
	forge_catalog(&f, 1, 'f', &all);
	catalog_release(&all);
	for (unsigned i = 0; i < SNAPSHOTS - LIVE; i++)
		assert_int_equal(sink_remove(f.sink, records[i], NULL), 0);
}

/* The same, of which no catalog says what there is. */
static void
make_without_catalogs(void)
{
	make();
	auto_free char *command = xasprintf("rm -r %s/cat", f.repo);

	assert_int_equal(system(command), 0);
}

static bool
there(unsigned i)
{
	char name[OBJECT_NAME_MAX];
	auto_free char *path = NULL;

	object_pack_name(name, OBJECT_DATA, files[i].place.pack);
	path = forge_path(&f, name);
	return access(path, F_OK) == 0;
}

static int
prune(struct liar *liar)
{
	struct repository rp = *f.rp;
	struct prune_result res;
	struct err e = ERR_INIT;
	const struct prune_options o = { .rp = &rp, .sink = f.sink,
		.grace_ns = 1, .unsafe = true };
	int r;

	usleep(8000); /* times of files are told in ticks */
	liar_init(liar, f.rp->store);
	rp.store = &liar->store;
	r = prune_run(&o, &res, &e);
	if (rp.store != &liar->store)
		store_free(rp.store); /* what prune has put before it */
	assert_true(r == 0 || *e.text);
	return r;
}

static void
nothing_of_use_is_gone(void)
{
	for (unsigned i = SNAPSHOTS - LIVE - 1; i < SNAPSHOTS; i++)
		assert_true(there(i));
}

static void
a_listing_that_says_all_lets_go_of_the_rest(void **state)
{
	struct liar liar = { .lie = LIE_NOTHING, .prefix = "" };

	(void)state;
	make();
	assert_int_equal(prune(&liar), 0);
	assert_true(there(0));
	assert_int_equal(prune(&liar), 0);
	assert_false(there(0));
	assert_false(there(1));
	nothing_of_use_is_gone();
	forge_release(&f);
}

static void
whatever_a_listing_says_nothing_of_use_goes(void **state)
{
	static const char *const prefixes[] = { "", "snap/", "data/", "meta/",
		"idx/", "cat/", "gc/" };
	unsigned refused = 0;

	(void)state;
	for (unsigned i = 0; i < n_elements(prefixes); i++) {
		for (enum lie lie = LIE_SHORT; lie < LIES; lie++) {
			struct liar liar = { .lie = lie,
				.prefix = prefixes[i] };

			make();
			for (unsigned k = 0; k < 3; k++)
				refused += prune(&liar) != 0;
			/* cat/ and snap/ lie alike: then what is hidden
			 * from both is not known to exist */
			if (i > 0)
				nothing_of_use_is_gone();
			liar.lie = LIE_NOTHING;
			assert_int_equal(i > 0 ? prune(&liar) : 0, 0);
			forge_release(&f);
		}
	}
	assert_true(refused > 40);
}

static void
a_record_that_a_listing_hides_is_found_by_its_name(void **state)
{
	struct liar liar = { .lie = LIE_LAST, .prefix = "snap/" };

	(void)state;
	make();
	assert_int_equal(prune(&liar), -EUCLEAN);
	assert_int_equal(prune(&liar), -EUCLEAN);
	nothing_of_use_is_gone();
	forge_release(&f);
}

/* One prune is told the truth after one that was not: what that one condemned
 * is used again. */
static void
what_was_condemned_wrongly_is_resurrected(void **state)
{
	struct liar liar = { .lie = LIE_SHORT, .prefix = "snap/" };

	(void)state;
	make_without_catalogs();
	assert_int_equal(prune(&liar), 0);
	liar.lie = LIE_NOTHING;
	assert_int_equal(prune(&liar), 0);
	nothing_of_use_is_gone();
	assert_int_equal(prune(&liar), 0);
	nothing_of_use_is_gone();
	assert_false(there(0));
	forge_release(&f);
}

static void
no_snapshot_at_all_is_no_reason_to_delete_everything(void **state)
{
	struct liar liar = { .lie = LIE_EMPTY, .prefix = "snap/" };

	(void)state;
	make_without_catalogs();
	assert_int_equal(prune(&liar), -EUCLEAN);
	assert_int_equal(prune(&liar), -EUCLEAN);
	assert_true(there(0));
	nothing_of_use_is_gone();
	forge_release(&f);
}

/* It was put after records were listed, and before the sentence could be
 * seen. */
static void
a_record_that_comes_while_packs_are_sentenced_saves_them(void **state)
{
	struct liar liar = { .lie = LIE_LAST, .prefix = "snap/" };

	(void)state;
	make_without_catalogs();
	assert_int_equal(prune(&liar), 0);
	liar.honest = 2;
	assert_int_equal(prune(&liar), 0);
	assert_int_equal(liar.n, 2);
	nothing_of_use_is_gone();
	assert_false(there(0));
	forge_release(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_listing_that_says_all_lets_go_of_the_rest),
		cmocka_unit_test(whatever_a_listing_says_nothing_of_use_goes),
		cmocka_unit_test(
			a_record_that_a_listing_hides_is_found_by_its_name),
		cmocka_unit_test(what_was_condemned_wrongly_is_resurrected),
		cmocka_unit_test(
			no_snapshot_at_all_is_no_reason_to_delete_everything),
		cmocka_unit_test(
			a_record_that_comes_while_packs_are_sentenced_saves_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
