/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>
#include "repo/base/auto.h"
#include "repo/base/buf.h"
#include "fs/nodes.h"
#include "fs/numbers.h"

TAILQ_HEAD(node_line, node);

struct nodes {
	pthread_mutex_t lock; /* guards everything below */
	struct node **by_number;
	uint32_t n_numbers; /* numbers handed out so far, 0 is never used */
	uint32_t room;
	uint32_t *free_numbers;
	uint32_t n_free;
	struct node **buckets;
	size_t n_buckets; /* a power of two */
	size_t n_nodes;
	struct node_line idle; /* longest idle first */
	size_t n_idle;
	struct node *top;
};

static uint64_t
bucket_hash(uint64_t ino, const char *id)
{
	uint64_t h = numbers_virtual(ino, id);

	return h ^ (h >> 29);
}

static struct node **
bucket_of(struct nodes *t, uint64_t ino, const char *id)
{
	return &t->buckets[bucket_hash(ino, id) & (t->n_buckets - 1)];
}

static void
grow_buckets(struct nodes *t)
{
	size_t n_old = t->n_buckets;
	auto_free struct node **old = t->buckets;

	t->n_buckets *= 2;
	t->buckets = xcalloc(t->n_buckets, sizeof(struct node *));
	for (size_t i = 0; i < n_old; i++) {
		for (struct node *n = old[i], *next; n; n = next) {
			struct node **b = bucket_of(t, n->ino, n->id);

			next = n->next_in_bucket;
			n->next_in_bucket = *b;
			*b = n;
		}
	}
}

static void
insert(struct nodes *t, struct node *n)
{
	struct node **b;

	if (t->n_nodes >= t->n_buckets)
		grow_buckets(t);
	b = bucket_of(t, n->ino, n->id);
	n->next_in_bucket = *b;
	*b = n;
	t->n_nodes++;
	t->by_number[n->number] = n;
}

static void
extract(struct nodes *t, struct node *n)
{
	struct node **at = bucket_of(t, n->ino, n->id);

	while (*at != n)
		at = &(*at)->next_in_bucket;
	*at = n->next_in_bucket;
	t->n_nodes--;
	t->by_number[n->number] = NULL;
	t->free_numbers[t->n_free++] = n->number;
}

/* A number nobody uses, or 0. */
static uint32_t
take_number(struct nodes *t)
{
	if (t->n_free > 0)
		return t->free_numbers[--t->n_free];
	if (t->n_numbers == NODE_NUMBER_MAX)
		return 0;
	if (t->n_numbers + 1 >= t->room) {
		t->room *= 2;
		t->by_number =
			xrealloc(t->by_number, t->room * sizeof(*t->by_number));
		t->free_numbers = xrealloc(
			t->free_numbers, t->room * sizeof(*t->free_numbers));
	}
	return ++t->n_numbers;
}

static void
free_node(struct node *n)
{
	if (n->moment) {
		free(n->moment->host);
		free(n->moment->name);
		free(n->moment);
	}
	free(n->name);
	free(n->text);
	free(n);
}

static void
set_idle(struct nodes *t, struct node *n, bool idle)
{
	if (n->idle == idle)
		return;
	n->idle = idle;
	if (idle) {
		TAILQ_INSERT_TAIL(&t->idle, n, idle_link);
		t->n_idle++;
	} else {
		TAILQ_REMOVE(&t->idle, n, idle_link);
		t->n_idle--;
	}
}

/* Free n, which nobody refers to, and parents that lose their last child. */
static void
drop(struct nodes *t, struct node *n)
{
	struct node *parent = n->parent;

	set_idle(t, n, false);
	extract(t, n);
	free_node(n);
	if (parent && --parent->refs == 0 && parent->lookups == 0)
		set_idle(t, parent, true);
}

/* To be called whenever lookups or refs of n went down. */
static void
settle(struct nodes *t, struct node *n)
{
	if (n->lookups > 0 || n->refs > 0)
		return;
	if (n->kind == NODE_TEXT) {
		drop(t, n);
		return;
	}
	set_idle(t, n, true);
	while (t->n_idle > NODES_IDLE_MAX)
		drop(t, TAILQ_FIRST(&t->idle));
}

/* What a node is known by beside its path. */
static uint64_t
key_of(const struct node_spec *spec)
{
	if (!spec->point)
		return 0;
	return spec->source ? numbers_of_moment(spec->source, spec->point)
			    : numbers_of_snapshot(spec->point);
}

static struct node_moment *
keep_moment(const struct node_spec *spec)
{
	struct node_moment *m;

	if (!spec->source)
		return NULL;
	m = xmalloc(sizeof(*m));
	m->point = *spec->point;
	m->host = xstrdup(spec->source->host);
	m->name = xstrdup(spec->source->name);
	return m;
}

static struct node *
make(struct nodes *t, const struct node_spec *spec, uint64_t ino)
{
	const char *id = spec->point ? spec->point->id : "";
	uint32_t number = take_number(t);
	struct node *n;

	if (number == 0)
		return NULL;
	n = xcalloc(1, sizeof(*n));
	n->kind = spec->kind;
	n->number = number;
	n->ino = ino;
	n->generation = (uint32_t)(bucket_hash(ino, id) >> 32);
	n->parent = spec->parent;
	n->name = xstrdup(spec->name);
	n->time_ns = spec->time_ns;
	n->asked = spec->asked;
	n->base = spec->base;
	n->access = spec->access;
	n->key = key_of(spec);
	n->moment = keep_moment(spec);
	memcpy(n->id, id, strlen(id));
	if (n->parent) {
		n->parent->refs++;
		set_idle(t, n->parent, false);
	}
	insert(t, n);
	return n;
}

static bool
same_access(const struct node_access *a, const struct node_access *b)
{
	return a->some == b->some && a->mode == b->mode && a->uid == b->uid &&
	       a->gid == b->gid;
}

static struct node *
find(struct nodes *t, const struct node_spec *spec, uint64_t ino)
{
	const char *id = spec->point ? spec->point->id : "";
	uint64_t key = key_of(spec);
	struct node *n = *bucket_of(t, ino, id);

	for (; n; n = n->next_in_bucket) {
		if (n->kind == spec->kind && n->parent == spec->parent &&
			strcmp(n->name, spec->name) == 0 && n->key == key &&
			strcmp(n->id, id) == 0 && n->base == spec->base &&
			same_access(&n->access, &spec->access))
			return n;
	}
	return NULL;
}

struct nodes *
nodes_new(void)
{
	struct nodes *t = xcalloc(1, sizeof(*t));
	struct node_spec top = { .kind = NODE_TOP, .name = "" };

	pthread_mutex_init(&t->lock, NULL);
	TAILQ_INIT(&t->idle);
	t->n_buckets = 64;
	t->buckets = xcalloc(t->n_buckets, sizeof(struct node *));
	t->room = 64;
	t->by_number = xcalloc(t->room, sizeof(*t->by_number));
	t->free_numbers = xcalloc(t->room, sizeof(*t->free_numbers));
	t->top = make(t, &top, numbers_virtual(0, ""));
	t->top->lookups = 1;
	return t;
}

void
nodes_free(struct nodes *t)
{
	if (!t)
		return;
	for (uint32_t i = 1; i <= t->n_numbers; i++) {
		if (t->by_number[i])
			free_node(t->by_number[i]);
	}
	free(t->by_number);
	free(t->free_numbers);
	free(t->buckets);
	pthread_mutex_destroy(&t->lock);
	free(t);
}

struct node *
nodes_top(struct nodes *t)
{
	return t->top;
}

struct node *
nodes_enter(struct nodes *t, const struct node_spec *spec)
{
	uint64_t ino = numbers_virtual(spec->parent->ino, spec->name);
	auto_free char *text = spec->text;
	struct node *n = NULL;

	auto_lock(&t->lock);
	if (spec->kind != NODE_TEXT)
		n = find(t, spec, ino);
	if (!n) {
		n = make(t, spec, ino);
		if (!n)
			return NULL;
		n->text = steal(text);
		n->text_len = spec->text_len;
	}
	n->lookups++;
	set_idle(t, n, false);
	return n;
}

void
nodes_lookup_again(struct nodes *t, struct node *n)
{
	auto_lock(&t->lock);
	n->lookups++;
	set_idle(t, n, false);
}

void
nodes_forget(struct nodes *t, struct node *n, uint64_t lookups)
{
	auto_lock(&t->lock);
	n->lookups -= lookups < n->lookups ? lookups : n->lookups;
	settle(t, n);
}

struct node *
nodes_get(struct nodes *t, uint32_t number)
{
	struct node *n = NULL;

	auto_lock(&t->lock);
	if (number > 0 && number <= t->n_numbers)
		n = t->by_number[number];
	if (n) {
		n->refs++;
		set_idle(t, n, false);
	}
	return n;
}

void
nodes_put(struct nodes *t, struct node *n)
{
	if (!n)
		return;
	auto_lock(&t->lock);
	n->refs--;
	settle(t, n);
}

void
nodes_each(struct nodes *t, void (*each)(void *ctx, struct node *n), void *ctx)
{
	auto_lock(&t->lock);
	for (uint32_t i = 1; i <= t->n_numbers; i++) {
		if (t->by_number[i] && t->by_number[i]->lookups > 0)
			each(ctx, t->by_number[i]);
	}
}

size_t
nodes_count(struct nodes *t)
{
	auto_lock(&t->lock);
	return t->n_nodes;
}

void
node_path(const struct node *n, char *out, size_t size)
{
	size_t len;

	if (!n->parent) {
		out[0] = '\0';
		return;
	}
	node_path(n->parent, out, size);
	len = strlen(out);
	snprintf(out + len, size - len, "%s%s", len > 0 ? "/" : "", n->name);
}
