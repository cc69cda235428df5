/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * databases REPO [big]: a repository with a database that grows, shrinks, is
 * rewritten, and is followed by a second base; big has indexes of many leaves.
 * How tests/golden/database-1 was made.
 */
#include <stdio.h>
#include "repo/base/buf.h"
#include "tests/unit/pages_model.h"

static void
change(struct model *m, unsigned i, bool big)
{
	unsigned n = big ? 250 : 3;

	if (i % 11 == 5)
		model_resize(m, m->now.n + 7);
	if (i % 13 == 9)
		model_resize(m, m->now.n - 9);
	if (i % 31 == 17) {
		for (uint32_t p = 1; p <= m->now.n; p++)
			model_touch(m, p);
	}
	while (n--)
		model_touch(m, 1 + model_random(m, m->now.n));
}

static int
make(struct model *m, bool big)
{
	int r;

	model_init(m, 512, big ? 9000 : 24);
	model_open(m);
	r = model_put_base(m, false, &m->e);
	for (unsigned i = 0; i < 80 && !r; i++) {
		change(m, i, big);
		r = i == 70 ? model_put_base(m, true, &m->e)
			    : model_put_delta(m, &m->e);
		if (i % 30 == 20) {
			model_close(m);
			model_open(m);
		}
	}
	return r;
}

int
main(int argc, char **argv)
{
	auto_free char *copy = NULL;
	struct model m;
	int r;

	if (argc < 2)
		return 2;
	r = make(&m, argc > 2);
	if (r)
		fprintf(stderr, "databases: %s\n", m.e.text);
	copy = xasprintf("cp -r %s %s", m.repo, argv[1]);
	r = r || system(copy);
	model_release(&m);
	return r;
}
