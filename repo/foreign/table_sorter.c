/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "repo/foreign/table_sorter.h"

#include <errno.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>
#include "repo/base/cancel.h"
#include "repo/base/clock.h"

#define MEMORY_DEFAULT (8u << 20)
/* Stretches that are merged at once: a block in memory each. */
#define RUNS_MAX 64
#define STEPS_BETWEEN_LOOKS 4096

struct item {
	size_t at; /* in the arena: key, then value */
	uint32_t key_len;
	uint32_t value_len;
};

struct table_sorter {
	struct kept *kept;
	size_t memory;
	struct buf arena;
	struct item *items;
	size_t n, room;
	char *runs[RUNS_MAX + 1]; /* names of tables, the oldest first */
	unsigned n_runs;
};

struct table_sorter *
table_sorter_new(struct kept *k, size_t memory)
{
	struct table_sorter *s = xcalloc(1, sizeof(*s));

	s->kept = k;
	s->memory = memory ? memory : MEMORY_DEFAULT;
	return s;
}

static void
drop_run(struct table_sorter *s, unsigned i)
{
	auto_free char *index = table_index_name(s->runs[i]);

	kept_forget(s->kept, s->runs[i]);
	kept_forget(s->kept, index);
	free(s->runs[i]);
}

void
table_sorter_free(struct table_sorter *s)
{
	if (!s)
		return;
	for (unsigned i = 0; i < s->n_runs; i++)
		drop_run(s, i);
	buf_release(&s->arena);
	free(s->items);
	free(s);
}

/* -- What is in memory -------------------------------------------------------
 */

static struct table_record
record_of(const struct table_sorter *s, size_t i)
{
	const struct item *it = &s->items[i];

	return (struct table_record){ .key = (const char *)s->arena.data +
					     it->at,
		.key_len = it->key_len,
		.value = s->arena.data + it->at + it->key_len,
		.value_len = it->value_len };
}

static int
compare_items(const void *a, const void *b, void *ctx)
{
	const struct item *x = a, *y = b;
	const char *arena = ctx;
	int order = table_compare(
		arena + x->at, x->key_len, arena + y->at, y->key_len);

	/* what came later lies further behind */
	return order ? order : (x->at > y->at) - (x->at < y->at);
}

/* In order, of one key the last. */
static void
sort(struct table_sorter *s)
{
	size_t n = 0;

	if (s->n > 0)
		qsort_r(s->items, s->n, sizeof(*s->items), compare_items,
			s->arena.data);
	for (size_t i = 0; i < s->n; i++) {
		struct table_record r = record_of(s, i);
		struct table_record last = n ? record_of(s, n - 1) : r;

		if (n > 0 && table_compare(last.key, last.key_len, r.key,
				     r.key_len) == 0)
			n--;
		s->items[n++] = s->items[i];
	}
	s->n = n;
}

/* -- Merging ----------------------------------------------------------------
 */

/* Where the next record of each source comes from: tables, the oldest first,
 * then what is in memory. */
struct merge {
	struct table_sorter *s;
	struct table *tables[RUNS_MAX + 2];
	struct table_cursor cursors[RUNS_MAX + 2];
	bool ended[RUNS_MAX + 2];
	unsigned n;
	size_t in_memory; /* the next item */
};

static void
release(struct merge *m)
{
	for (unsigned i = 0; i < m->n; i++)
		table_cursor_release(&m->cursors[i]);
	/* the base, if there is one, is the caller's */
	for (unsigned i = 0; i < m->n; i++)
		table_free(m->tables[i]);
}

#define auto_merge AUTO(release)

static int
advance(struct merge *m, unsigned i, struct err *e)
{
	int r = table_cursor_next(&m->cursors[i], e);

	m->ended[i] = r == 0;
	return r < 0 ? r : 0;
}

static int
add_source(struct merge *m, struct table *t, bool own, struct err *e)
{
	unsigned i = m->n++;

	m->tables[i] = own ? t : NULL;
	table_cursor_init(&m->cursors[i], t);
	return advance(m, i, e);
}

static int
open_sources(struct merge *m, struct table *base, struct err *e)
{
	int r = base ? add_source(m, base, false, e) : 0;

	for (unsigned i = 0; !r && i < m->s->n_runs; i++) {
		struct table *t;

		r = table_open(m->s->kept, m->s->runs[i], &t, e);
		if (!r)
			r = add_source(m, t, true, e);
	}
	return r;
}

/* The least key that comes next, as the newest source has it; false: none. */
static bool
least(const struct merge *m, struct table_record *out)
{
	bool found = m->in_memory < m->s->n;

	if (found)
		*out = record_of(m->s, m->in_memory);
	for (unsigned i = m->n; i-- > 0;) {
		const struct table_record *r = &m->cursors[i].r;

		if (m->ended[i] ||
			(found && table_compare(r->key, r->key_len, out->key,
					  out->key_len) >= 0))
			continue;
		*out = *r;
		found = true;
	}
	return found;
}

/* Step over a key, which is borrowed from one of them, everywhere. */
static int
step_over(struct merge *m, const struct table_record *r, struct err *e)
{
	auto_free char *key = xmemdup(r->key, r->key_len);
	size_t len = r->key_len;

	if (m->in_memory < m->s->n) {
		struct table_record own = record_of(m->s, m->in_memory);

		m->in_memory +=
			table_compare(own.key, own.key_len, key, len) == 0;
	}
	for (unsigned i = 0; i < m->n; i++) {
		const struct table_record *x = &m->cursors[i].r;

		if (m->ended[i] || table_compare(x->key, x->key_len, key, len))
			continue;
		int rc = advance(m, i, e);

		if (rc)
			return rc;
	}
	return 0;
}

static int
merge_all(struct table_sorter *s, struct table *base,
	int (*each)(void *ctx, const struct table_record *r, struct err *e),
	void *ctx, struct err *e)
{
	auto_merge struct merge m = { .s = s };
	struct table_record rec;
	int r = open_sources(&m, base, e);

	for (unsigned long n = 0; !r && least(&m, &rec); n++) {
		r = each(ctx, &rec, e);
		if (!r)
			r = step_over(&m, &rec, e);
		if (!r && n % STEPS_BETWEEN_LOOKS == 0 &&
			cancel_raised(cancel_current()))
			r = err_set(e, EINTR, "sorting was interrupted");
	}
	return r;
}

/* -- Stretches that became tables --------------------------------------------
 */

/* No two are called the same, whoever makes them. */
static char *
new_name(void)
{
	static atomic_ullong n;

	return xasprintf("sort-%ld-%" PRId64 "-%llu", (long)getpid(),
		clock_wall_ns(), (unsigned long long)atomic_fetch_add(&n, 1));
}

static int
write_record(void *ctx, const struct table_record *r, struct err *e)
{
	(void)e;
	table_writer_add(ctx, r);
	return 0;
}

/* Everything so far into one table; what it came from is dropped. */
static int
merge_into_one(struct table_sorter *s, struct err *e)
{
	char *name = new_name();
	auto_table_writer struct table_writer *w =
		table_writer_new(s->kept, name);
	int r = merge_all(s, NULL, write_record, w, e);

	if (!r)
		r = table_writer_finish(w, "", 0, e);
	for (unsigned i = 0; i < s->n_runs; i++)
		drop_run(s, i);
	s->runs[0] = name;
	s->n_runs = 1;
	s->n = 0;
	s->arena.len = 0;
	return r;
}

/* What is in memory into a table. */
static int
spill(struct table_sorter *s, struct err *e)
{
	sort(s);
	if (s->n_runs == RUNS_MAX)
		return merge_into_one(s, e);
	char *name = new_name();
	auto_table_writer struct table_writer *w =
		table_writer_new(s->kept, name);

	for (size_t i = 0; i < s->n; i++) {
		struct table_record r = record_of(s, i);

		table_writer_add(w, &r);
	}
	s->runs[s->n_runs++] = name;
	s->n = 0;
	s->arena.len = 0;
	return table_writer_finish(w, "", 0, e);
}

int
table_sorter_add(
	struct table_sorter *s, const struct table_record *r, struct err *e)
{
	if (s->n == s->room) {
		s->room = s->room ? 2 * s->room : 1024;
		s->items = xrealloc(s->items, s->room * sizeof(*s->items));
	}
	s->items[s->n++] = (struct item){ .at = s->arena.len,
		.key_len = (uint32_t)r->key_len,
		.value_len = (uint32_t)r->value_len };
	buf_append(&s->arena, r->key, r->key_len);
	buf_append(&s->arena, r->value, r->value_len);
	if (s->arena.len + s->n * sizeof(*s->items) < s->memory)
		return 0;
	return spill(s, e);
}

int
table_sorter_each(struct table_sorter *s, struct table *base,
	int (*each)(void *ctx, const struct table_record *r, struct err *e),
	void *ctx, struct err *e)
{
	sort(s);
	return merge_all(s, base, each, ctx, e);
}
