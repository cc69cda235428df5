/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a delta writer does when others write too, when things get lost, and
 * when calls fail. */
#include "tests/unit/pages_model.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include "repo/base/buf.h"
#include "repo/format/delta.h"
#include "repo/store/fault.h"
#include "repo/write/delta_private.h"

static struct model m;

static int
set_up(void **state)
{
	(void)state;
	model_init(&m, 4096, 40);
	model_open(&m);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	model_release(&m);
	return 0;
}

static void
must(int r, const struct err *e)
{
	if (r)
		fail_msg("%s", e->text);
}

static void
base(void)
{
	struct err e = ERR_INIT;

	must(model_put_base(&m, true, &e), &e);
}

static void
delta(void)
{
	struct err e = ERR_INIT;

	model_touch(&m, 1 + model_random(&m, m.now.n));
	must(model_put_delta(&m, &e), &e);
}

static struct delta_writer_state
state_of(void)
{
	struct delta_writer_state s;

	delta_writer_state(m.dw, &s);
	return s;
}

static void
check_all(void)
{
	struct history *h = model_history(&m);

	for (size_t i = 0; i < m.n_past; i++)
		model_check(&m, h, i);
	history_free(h);
}

/* A second writer of the same database, with a state directory of its own. */
static struct delta_writer *
rival(struct writer **w)
{
	auto_free char *dir = xasprintf("%s/rival", m.dir);
	const struct delta_writer_options o = { .host = MODEL_HOST,
		.name = MODEL_NAME,
		.file = MODEL_NAME,
		.path = "/elsewhere",
		.state_dir = dir };
	const struct history_open_options how = { .memory = 0 };
	struct delta_writer *dw;
	struct err e = ERR_INIT;

	assert_int_equal(mkdir(dir, 0700), 0);
	must(writer_open(m.repo, &how, w, &e), &e);
	must(delta_writer_open(*w, &o, &dw, &e), &e);
	return dw;
}

/* -- State ----------------------------------------------------------------- */

static void
nothing_is_there_at_first(void **state)
{
	struct delta_writer_state s = state_of();
	const struct delta_writer_delta d = model_delta(&m);
	struct err e = ERR_INIT;

	(void)state;
	assert_false(s.exists);
	assert_false(s.can_delta);
	assert_int_equal(delta_writer_delta(m.dw, &d, &e), -ESTALE);
}

static void
what_was_given_is_given_back(void **state)
{
	struct delta_writer_state s;
	int64_t time_ns;

	(void)state;
	base();
	s = state_of();
	assert_true(s.exists && s.can_delta && !s.closed);
	assert_int_equal(s.n, 0);
	assert_int_equal(s.pages, 40);
	assert_int_equal(s.opaque_len, 4);
	assert_memory_equal(s.opaque, "base", 4);
	time_ns = m.now.time_ns;
	delta();
	model_close(&m);
	model_open(&m);
	s = state_of();
	assert_true(s.can_delta);
	assert_int_equal(s.n, 1);
	assert_int_equal(s.time_ns, time_ns);
	assert_memory_equal(s.opaque, &time_ns, sizeof(time_ns));
}

static void
a_tree_is_no_database(void **state)
{
	const struct backup_options o = { .path = m.state_dir,
		.host = MODEL_HOST,
		.name = MODEL_NAME };
	struct backup_result result;
	struct err e = ERR_INIT;

	(void)state;
	must(writer_backup(m.w, &o, &result, &e), &e);
	assert_int_equal(delta_writer_refresh(m.dw, &e), -EUCLEAN);
}

static void
pages_out_of_order_are_refused(void **state)
{
	static const uint32_t wrong[][2] = { { 2, 1 }, { 1, 1 }, { 0, 1 },
		{ 1, 41 } };
	struct delta_writer_delta d;
	struct err e = ERR_INIT;

	(void)state;
	base();
	for (size_t i = 0; i < n_elements(wrong); i++) {
		model_touch(&m, 1);
		model_touch(&m, 2);
		d = model_delta(&m);
		d.pgno = wrong[i];
		assert_int_equal(delta_writer_delta(m.dw, &d, &e), -EINVAL);
	}
	must(model_put_delta(&m, &e), &e);
	check_all();
}

/* -- Rivals ------------------------------------------------------------------ */

static void
of_two_writers_of_one_delta_one_wins(void **state)
{
	struct writer *w;
	struct delta_writer *other;
	struct delta_writer_pages p;
	struct delta_writer_delta d;
	struct err e = ERR_INIT;

	(void)state;
	base();
	other = rival(&w);
	p = model_pages(&m);
	must(delta_writer_adopt(other, &p, &e), &e);
	delta();
	model_touch(&m, 3);
	d = model_delta(&m);
	assert_int_equal(delta_writer_delta(other, &d, &e), -EEXIST);
	assert_int_equal(delta_writer_delta(other, &d, &e), -EEXIST);
	must(model_put_delta(&m, &e), &e);
	delta_writer_free(other);
	writer_free(w);
	check_all();
}

static void
who_makes_a_base_stops_the_one_before(void **state)
{
	struct writer *w;
	struct delta_writer *other;
	struct delta_writer_base b = { .time_ns = m.now.time_ns };
	struct backup_result result;
	struct err e = ERR_INIT;

	(void)state;
	base();
	delta();
	other = rival(&w);
	b.pages = model_pages(&m);
	b.time_ns = m.now.time_ns;
	must(delta_writer_base(other, &b, &result, &e), &e);
	model_keep(&m);
	model_touch(&m, 3);
	assert_int_equal(model_put_delta(&m, &e), -EEXIST);
	assert_int_equal(model_put_base(&m, true, &e), -EEXIST);
	delta_writer_free(other);
	writer_free(w);
	check_all();
}

static void
a_base_continues_its_generation_if_told_so(void **state)
{
	struct history *h;

	(void)state;
	base();
	delta();
	base();
	delta();
	m.now.time_ns -= 5000000000; /* clocks go back: the moments do not */
	h = model_history(&m);
	auto_listing struct history_listing *l = history_listing(h);
	assert_int_equal(l->n_generations, 1);
	assert_int_equal(l->n_points, 2);
	assert_int_equal(l->sources[0].kind, HISTORY_DATABASE);
	history_free(h);
	check_all();
}

/* -- Losses -------------------------------------------------------------------- */

static void
lost_hashes_are_made_anew_from_the_database(void **state)
{
	auto_free char *file = xasprintf("%s/pages", m.state_dir);
	struct delta_writer_pages p;
	struct err e = ERR_INIT;

	(void)state;
	base();
	delta();
	model_close(&m);
	assert_int_equal(unlink(file), 0);
	model_open(&m);
	assert_false(state_of().can_delta);
	p = model_pages(&m);
	must(delta_writer_adopt(m.dw, &p, &e), &e);
	assert_true(state_of().can_delta);
	delta();
	check_all();
}

static void
another_state_is_not_adopted(void **state)
{
	struct delta_writer_pages p;
	struct err e = ERR_INIT;

	(void)state;
	base();
	model_touch(&m, 7);
	p = model_pages(&m);
	assert_int_equal(delta_writer_adopt(m.dw, &p, &e), -ESTALE);
	assert_true(state_of().can_delta);
	must(model_put_delta(&m, &e), &e);
	check_all();
}

/* Killed between the put and the table: what was put is found in pages.next. */
static void
hashes_follow_a_delta_that_was_stored(void **state)
{
	auto_free char *save = xasprintf(
		"cp %s/pages %s/pages.old", m.state_dir, m.dir);
	auto_free char *back = xasprintf(
		"cp %s/pages.old %s/pages", m.dir, m.state_dir);

	(void)state;
	base();
	delta();
	assert_int_equal(system(save), 0);
	model_resize(&m, 60);
	delta();
	model_close(&m);
	assert_int_equal(system(back), 0);
	model_open(&m);
	assert_true(state_of().can_delta);
	model_resize(&m, 30);
	delta();
	check_all();
}

/* -- Calls that fail ----------------------------------------------------------- */

/* A sink that stores deltas and says that it failed, while `lies` lasts. */
struct liar {
	struct sink sink;
	struct sink *inner;
	int lies;
};

struct lying_upload {
	struct upload upload;
	struct upload *inner;
	struct liar *liar; /* NULL: it does not lie about this one */
};

static const struct sink_ops liar_ops;

static int
liar_begin(struct sink *s, const char *name, struct upload **up, struct err *e)
{
	struct liar *l = (struct liar *)s;
	struct lying_upload *u = xcalloc(1, sizeof(*u));

	u->upload.ops = &liar_ops;
	u->liar = strncmp(name, "db/", 3) == 0 ? l : NULL;
	*up = &u->upload;
	return sink_begin(l->inner, name, &u->inner, e);
}

static int
liar_append(struct upload *up, const void *data, size_t len, struct err *e)
{
	return upload_append(
		((struct lying_upload *)up)->inner, data, len, e);
}

static int
liar_commit(struct upload *up, struct err *e)
{
	struct lying_upload *u = (struct lying_upload *)up;
	int r = upload_commit(u->inner, e);

	if (!r && u->liar && u->liar->lies-- > 0)
		r = err_set(e, EIO, "no answer");
	free(u);
	return r;
}

static void
liar_abort(struct upload *up)
{
	struct lying_upload *u = (struct lying_upload *)up;

	if (u)
		upload_abort(u->inner);
	free(u);
}

static int
liar_put(struct sink *s, const char *name, const void *data, size_t len,
	struct err *e)
{
	return sink_put(((struct liar *)s)->inner, name, data, len, e);
}

static const struct sink_ops liar_ops = { .put = liar_put,
	.begin = liar_begin,
	.append = liar_append,
	.commit = liar_commit,
	.abort = liar_abort };

static void
an_answer_that_was_lost_is_found_out(void **state)
{
	struct liar liar = { .sink.ops = &liar_ops, .lies = 1 };
	struct err e = ERR_INIT;
	struct sink *real;

	(void)state;
	base();
	delta();
	real = liar.inner = m.w->sink;
	m.w->sink = &liar.sink;
	model_touch(&m, 5);
	assert_int_equal(model_put_delta(&m, &e), -EIO);
	assert_int_equal(state_of().n, 1);
	assert_int_equal(model_put_delta(&m, &e), -EALREADY);
	assert_int_equal(state_of().n, 2);
	assert_true(state_of().can_delta);
	model_keep(&m);
	delta();
	/* and when what is closed was closed already */
	liar.lies = 1;
	assert_int_equal(model_put_base(&m, true, &e), -EIO);
	assert_int_equal(model_put_delta(&m, &e), -EALREADY);
	assert_true(state_of().closed);
	assert_int_equal(model_put_delta(&m, &e), -ESTALE);
	base();
	delta();
	m.w->sink = real;
	check_all();
}

/* Deltas and a base over a store whose nth call fails; whether one did. */
static bool
one_fault(unsigned nth)
{
	auto_free char *spec = xasprintf("eio@%u", nth);
	struct fault *f;
	bool happened;
	struct err e = ERR_INIT;

	must(fault_new(spec, &f, &e), &e);
	m.w->rp->store = fault_store(f, m.w->rp->store);
	m.w->sink = fault_sink(f, m.w->sink);
	for (unsigned i = 0; i < 3; i++) {
		model_touch(&m, 1 + model_random(&m, m.now.n));
		if (!(i == 1 ? model_put_base(&m, true, &e)
			     : model_put_delta(&m, &e)))
			continue;
		must(delta_writer_refresh(m.dw, &e), &e);
		/* what it was about is in the store, or can be put there */
		if (state_of().time_ns == m.now.time_ns && !state_of().closed)
			model_keep(&m);
		else if (state_of().can_delta)
			must(model_put_delta(&m, &e), &e);
		else
			must(model_put_base(&m, true, &e), &e);
	}
	happened = fault_happened(f);
	model_close(&m);
	fault_free(f);
	check_all();
	return happened;
}

static void
whatever_call_fails_the_next_goes_on(void **state)
{
	unsigned nth = 1;

	(void)state;
	base();
	while (one_fault(nth++)) {
		model_release(&m);
		model_init(&m, 4096, 8);
		model_open(&m);
		base();
	}
	assert_true(nth > 20);
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(nothing_is_there_at_first),
		TEST(what_was_given_is_given_back),
		TEST(a_tree_is_no_database),
		TEST(pages_out_of_order_are_refused),
		TEST(of_two_writers_of_one_delta_one_wins),
		TEST(who_makes_a_base_stops_the_one_before),
		TEST(a_base_continues_its_generation_if_told_so),
		TEST(lost_hashes_are_made_anew_from_the_database),
		TEST(another_state_is_not_adopted),
		TEST(hashes_follow_a_delta_that_was_stored),
		TEST(an_answer_that_was_lost_is_found_out),
		TEST(whatever_call_fails_the_next_goes_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
