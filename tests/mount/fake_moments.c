/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "repo/base/auto.h"
#include "repo/base/cancel.h"
#include "repo/base/clock.h"
#include "tests/mount/fake_moments.h"

#define FIRST_TIME_S 1767311400LL /* 2026-01-01T23:50:00Z */
#define ID_PREFIX "00000009"

void
fake_moments_init(struct fake_moments *m, unsigned int n, const char *control)
{
	memset(m, 0, sizeof(*m));
	pthread_mutex_init(&m->lock, NULL);
	m->n = n;
	m->half = n / 2;
	m->control = control;
	fake_tree_build_database(&m->tree);
}

void
fake_moments_release(struct fake_moments *m)
{
	pthread_mutex_destroy(&m->lock);
	fake_tree_release(&m->tree);
}

void
fake_moments_refresh(struct fake_moments *m)
{
	auto_fclose FILE *c = m->control ? fopen(m->control, "r") : NULL;
	char how[8] = "";
	unsigned int n;

	if (!c || fscanf(c, "%u %7s", &n, how) < 1)
		return;
	auto_lock(&m->lock);
	m->n = n;
	m->fails = strcmp(how, "fail") == 0;
	m->hangs = strcmp(how, "hang") == 0;
}

static int64_t
time_of(unsigned int number)
{
	static const int64_t within[] = { 0, 1000000, 1400000, 500000000 };

	return (FIRST_TIME_S + number / 4) * NS_PER_S + within[number % 4];
}

static void
fill(const struct fake_moments *m, const struct history_listing *l,
	size_t source, unsigned int number, struct history_point *p)
{
	const struct history_source *s = &l->sources[source];

	memset(p, 0, sizeof(*p));
	snprintf(p->id, sizeof(p->id), ID_PREFIX "%08x", number);
	p->time_ns = time_of(number);
	p->seq = number;
	p->source = (uint32_t)source;
	p->generation = s->first_generation + (number >= m->half);
	p->key = (1ULL << 47) + number;
	p->root = m->tree.nodes[0].attr;
	p->totals = m->tree.totals;
}

void
fake_moments_list(const struct fake_moments *m, struct history_listing *l)
{
	struct history_source *s = &l->sources[l->n_sources];
	unsigned int numbers[] = { 0, m->half };

	*s = (struct history_source){ .host = "web2",
		.name = "orders.db",
		.kind = HISTORY_DATABASE,
		.first_point = (uint32_t)l->n_points,
		.n_points = 2,
		.first_generation = (uint32_t)l->n_generations,
		.n_generations = 2 };
	for (unsigned int i = 0; i < 2; i++) {
		struct history_point *p = &l->points[l->n_points];
		struct history_generation *g =
			&l->generations[l->n_generations++];

		fill(m, l, l->n_sources, numbers[i], p);
		p->key = 9000000 + i;
		p->seq = i;
		history_print_time(p->name, p->time_ns);
		g->source = (uint32_t)l->n_sources;
		g->first_point = (uint32_t)l->n_points++;
		g->n_points = 1;
		memcpy(g->name, p->name, sizeof(g->name));
	}
	l->n_sources++;
}

/* How many there are now, once the store has answered. */
static int
ask(struct fake_moments *m, unsigned int *n, struct err *e)
{
	bool fails, hangs;

	pthread_mutex_lock(&m->lock);
	*n = m->n;
	fails = m->fails;
	hangs = m->hangs;
	pthread_mutex_unlock(&m->lock);
	while (hangs && !cancel_raised(cancel_current()))
		usleep(5000);
	if (hangs)
		return err_set(e, EINTR, "interrupted");
	return fails ? err_set(e, EIO, "the store is told to fail") : 0;
}

/* The first moment in [lo, hi) that is not before t_ns. */
static unsigned int
first_from(unsigned int lo, unsigned int hi, int64_t t_ns)
{
	while (lo < hi) {
		unsigned int mid = lo + (hi - lo) / 2;

		if (time_of(mid) < t_ns)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

int
fake_moments_tell(struct fake_moments *m, const struct history_listing *l,
	size_t generation, int64_t from_ns, history_each *each, void *ctx,
	struct err *e)
{
	size_t source = l->generations[generation].source;
	bool second = generation > l->sources[source].first_generation;
	struct history_point p;
	unsigned int n, end;
	int rc = ask(m, &n, e);

	if (rc != 0)
		return rc;
	end = second ? n : m->half;
	for (unsigned int i = first_from(second ? m->half : 0, end, from_ns);
		i < end; i++) {
		fill(m, l, source, i, &p);
		if (!each(ctx, &p))
			break;
	}
	return 0;
}

int
fake_moments_at(struct fake_moments *m, const struct history_listing *l,
	size_t source, int64_t t_ns, struct history_point *p, struct err *e)
{
	unsigned int n, i;
	int rc = ask(m, &n, e);

	if (rc != 0)
		return rc;
	i = t_ns == INT64_MAX ? n : first_from(0, n, t_ns + 1);
	if (i == 0)
		return err_set(e, ENOENT, "nothing so early");
	fill(m, l, source, i - 1, p);
	return 0;
}

int
fake_moments_by_id(struct fake_moments *m, const struct history_listing *l,
	size_t source, const char *id, struct history_point *p, struct err *e)
{
	unsigned int n, number;
	int rc = ask(m, &n, e);

	if (rc != 0)
		return rc;
	if (sscanf(id, ID_PREFIX "%8x", &number) != 1 || number >= n)
		return err_set(e, ENOENT, "no moment %s", id);
	fill(m, l, source, number, p);
	return strcmp(p->id, id) == 0 ? 0 : -ENOENT;
}

struct view *
fake_moments_open(const struct fake_moments *m, const struct history_point *p)
{
	unsigned int number;

	sscanf(p->id, ID_PREFIX "%8x", &number);
	return fake_tree_open(&m->tree, number);
}
