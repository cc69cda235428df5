/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A store whose listings lie, while pruning: names left out, told twice, out of
 * order, or long gone.  Whatever is listed, nothing that a snapshot refers to
 * is deleted.
 */
#include "tests/unit/forge.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>
#include "repo/store/store.h"
#include "repo/upkeep/prune.h"

#define SNAPSHOTS 6
#define LIVE 3 /* the last ones; the records of the others are removed */

enum lie {
	LIE_NOTHING,
	LIE_SHORT,  /* ends after the first name */
	LIE_SPARSE, /* every other name is left out */
	LIE_LAST,   /* the last one is left out */
	LIE_TWICE,  /* each name comes twice */
	LIE_SWAP,   /* two and two are exchanged */
	LIE_EMPTY,
	LIE_SMALL,  /* half of the size */
	LIES
};

struct liar {
	struct store store; /* first */
	struct store *inner;
	enum lie lie;
	const char *prefix; /* of the listings that lie */
	unsigned honest;    /* from the listing with this number on; 0: never */
	unsigned n;
};

static struct liar *
liar_of(struct store *s)
{
	return (struct liar *)s;
}

/* A listing as it is. */
struct names {
	char names[100][STORE_NAME_MAX + 1];
	struct store_object o[100];
	size_t n;
};

static bool
note(void *ctx, const struct store_object *o)
{
	struct names *l = ctx;

	assert_true(l->n < 100);
	snprintf(l->names[l->n], sizeof(l->names[0]), "%s", o->name);
	l->o[l->n] = *o;
	l->o[l->n].name = l->names[l->n];
	l->n++;
	return true;
}

static bool
tell_lie(enum lie lie, const struct names *l, size_t i,
	bool (*each)(void *ctx, const struct store_object *o), void *ctx)
{
	struct store_object o = l->o[i];

	if (lie == LIE_EMPTY || (lie == LIE_SHORT && i > 0) ||
		(lie == LIE_SPARSE && i % 2 == 0) ||
		(lie == LIE_LAST && i + 1 == l->n))
		return true;
	if (lie == LIE_SWAP && (i ^ 1) < l->n)
		o = l->o[i ^ 1];
	if (lie == LIE_SMALL)
		o.size /= 2;
	return each(ctx, &o) && (lie != LIE_TWICE || each(ctx, &o));
}

static int
list_objects(struct store *s, const struct store_query *q,
	bool (*each)(void *ctx, const struct store_object *o), void *ctx,
	struct err *e)
{
	struct liar *liar = liar_of(s);
	bool lies = strncmp(q->prefix, liar->prefix, strlen(liar->prefix)) == 0;
	struct names *l = xcalloc(1, sizeof(*l));
	int r = q->folder ? store_list_folder(liar->inner, q->prefix, note, l, e)
			  : store_list_objects(liar->inner, q->prefix, q->after,
				    note, l, e);

	if (lies && liar->honest && ++liar->n >= liar->honest)
		lies = false;
	for (size_t i = 0; i < l->n && !r; i++) {
		if (!tell_lie(lies ? liar->lie : LIE_NOTHING, l, i, each, ctx))
			break;
	}
	free(l);
	return r;
}

struct plain {
	bool (*each)(void *ctx, const char *name, uint64_t size);
	void *ctx;
};

static bool
pass_on(void *ctx, const struct store_object *o)
{
	struct plain *p = ctx;

	return p->each(p->ctx, o->name, o->size);
}

static int
list(struct store *s, const char *prefix, const char *after,
	bool (*each)(void *ctx, const char *name, uint64_t size), void *ctx,
	struct err *e)
{
	struct plain p = { each, ctx };

	return list_objects(s,
		&(struct store_query){ .prefix = prefix, .after = after },
		pass_on, &p, e);
}

static int
get(struct store *s, const char *name, uint64_t off, size_t len, void *buf,
	size_t *got, const struct store_call *call, struct err *e)
{
	return store_get_call(
		liar_of(s)->inner, name, off, len, buf, got, call, e);
}

static int
size(struct store *s, const char *name, uint64_t *n, struct err *e)
{
	return store_size(liar_of(s)->inner, name, n, e);
}

static void
stats(struct store *s, struct store_stats *st)
{
	store_stats(liar_of(s)->inner, st);
}

static void
nothing(struct store *s)
{
	(void)s;
}

static const struct store_ops liar_ops = {
	.get = get,
	.size = size,
	.list = list,
	.list_objects = list_objects,
	.stats = stats,
	.free = nothing,
};

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
	liar->inner = f.rp->store;
	liar->store = (struct store){ .ops = &liar_ops,
		.name = f.rp->store->name };
	rp.store = &liar->store;
	r = prune_run(&o, &res, &e);
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
	char command[300];

	(void)state;
	make();
	/* no catalog says what is lacking */
	snprintf(command, sizeof(command), "rm -r %s/cat", f.repo);
	assert_int_equal(system(command), 0);
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
	char command[300];

	(void)state;
	make();
	snprintf(command, sizeof(command), "rm -r %s/cat", f.repo);
	assert_int_equal(system(command), 0);
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
	char command[300];

	(void)state;
	make();
	snprintf(command, sizeof(command), "rm -r %s/cat", f.repo);
	assert_int_equal(system(command), 0);
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
