/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A store that misbehaves once, at every call in turn. */
#include "tests/unit/model.h"

#include <errno.h>
#include <stdio.h>
#include "repo/base/log.h"
#include "repo/native/history.h"
#include "repo/store/fault.h"

static char host[] = "h", name[] = "n";

/* Opened over the fault, and compared; false when the fault never came. */
static bool
survives(const struct forge *f, const struct model *m, const char *spec)
{
	struct repository *rp = NULL;
	struct fault *fault = NULL;
	struct history *h = NULL;
	struct err e = ERR_INIT;
	bool happened;

	assert_int_equal(fault_new(spec, &fault, &e), 0);
	assert_int_equal(repository_open(f->repo, NULL, &rp, &e), 0);
	rp->store = fault_store(fault, rp->store);
	if (!native_history_new(rp, 0, &h, &e)) {
		auto_listing struct history_listing *l = history_listing(h);
		struct view *v;

		if (l->n_points && !history_open(h, l, 0, &v, &e)) {
			model_compare(m, v, 1);
			view_put(v);
			/* A fault that has passed leaves nothing behind. */
			if (!strchr(spec, '+') && fault_happened(fault) &&
				!history_open(h, l, 0, &v, &e)) {
				assert_int_equal(model_compare(m, v, 2), 0);
				view_put(v);
			}
		}
		history_free(h);
	} else {
		assert_true(e.text[0]);
	}
	happened = fault_happened(fault);
	fault_free(fault);
	return happened;
}

static void
at_every_call(const char *kind)
{
	struct record r = { .host = host, .name = name, .seq = 1,
		.generation = 1 };
	char spec[64];
	struct forge f;
	struct model m;
	unsigned n = 0;

	forge_init(&f, 4);
	model_init(&m, 3, 8);
	model_forge(&m, &f, &r, false);
	forge_record(&f, &r, NULL, NULL);
	forge_flush(&f);
	do
		snprintf(spec, sizeof(spec), "%s@%u", kind, ++n);
	while (survives(&f, &m, spec));
	assert_true(n > 20);
	snprintf(spec, sizeof(spec), "%s@%u+", kind, n / 2);
	assert_true(survives(&f, &m, spec));
	model_release(&m);
	forge_release(&f);
}

static void
calls_may_fail(void **state)
{
	(void)state;
	at_every_call("eio");
}

static void
objects_may_be_missing(void **state)
{
	(void)state;
	at_every_call("enoent");
}

static void
answers_may_be_short(void **state)
{
	(void)state;
	at_every_call("short");
}

static void
bits_may_flip(void **state)
{
	(void)state;
	at_every_call("flip");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(calls_may_fail),
		cmocka_unit_test(objects_may_be_missing),
		cmocka_unit_test(answers_may_be_short),
		cmocka_unit_test(bits_may_flip),
	};

	log_set_level(LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
