/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A database as plain pages in memory, and its whole past: what a delta writer
 * is given, and what each point must read as.
 */
#ifndef YORE_TESTS_PAGES_MODEL_H
#define YORE_TESTS_PAGES_MODEL_H

#include "repo/history.h"
#include "repo/open.h"
#include "repo/write/delta_writer.h"
#include "tests/unit/unit.h"

#define MODEL_HOST "h"
#define MODEL_NAME "orders.db"

/* A past state; pages are shared between states. */
struct model_state {
	uint8_t **page; /* n pointers; NULL: zeros */
	uint32_t n;
	int64_t time_ns;
};

struct model {
	char dir[200]; /* scratch; repo and state are in it */
	char *repo, *state_dir;
	uint32_t page_size;
	struct model_state now;
	uint32_t *changed; /* since the state before, each once */
	size_t n_changed;
	uint8_t *is_changed; /* by page - 1 */
	struct model_state *past; /* past[0] is the first base's */
	size_t n_past;
	uint8_t **all; /* every page there was, to be freed */
	size_t n_all, cap_all;
	uint64_t seed;
	struct writer *w;
	struct delta_writer *dw;
	struct err e;
};

/* A repository without a secret and a database of n pages. */
void model_init(struct model *m, uint32_t page_size, uint32_t n);
void model_release(struct model *m);
/* Open the writer. */
void model_open(struct model *m);
/* The same, true and m->e if it fails. */
bool model_try_open(struct model *m);
void model_close(struct model *m);

uint32_t model_random(struct model *m, uint32_t below);
/* Give a page other bytes. */
void model_touch(struct model *m, uint32_t pgno);
/* The database has n pages from now on; new ones are zeros. */
void model_resize(struct model *m, uint32_t n);
/* Some pages change; now and then it grows, shrinks or is written anew. */
void model_change(struct model *m);
/* The i-th of 40 changes for which an index takes more than one leaf; the
 * database, of 30,000 pages at first, shrinks and grows on the way. */
void model_change_much(struct model *m, unsigned i);

/* What a delta or base of the present state would be given. */
struct delta_writer_delta model_delta(struct model *m);
struct delta_writer_pages model_pages(struct model *m);
/* Hand the present state over; 0 also makes it the last of the past. */
int model_put_base(struct model *m, bool continues, struct err *e);
int model_put_delta(struct model *m, struct err *e);
/* They must succeed. */
void model_add_base(struct model *m, bool continues);
void model_add_delta(struct model *m);
/* It became part of the past by other ways. */
void model_keep(struct model *m);

/* A reader that has seen nothing yet. */
struct history *model_history(const struct model *m);
/* Pour a view of that state: each page that is not zeros comes once, as it was,
 * or what view_pour says. */
int model_pour(struct model *m, struct view *v, const struct model_state *s,
	struct err *e);
/* The moment of past[i] reads as it did, all of it; poured, now and then, too. */
void model_check(struct model *m, struct history *h, size_t i);

#endif
