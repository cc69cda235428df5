/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "repo/upkeep/pinned.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "repo/base/hex.h"
#include "repo/base/log.h"

#define PREFIX "gc/pin/"
#define SOURCE_DIGITS (SOURCE_KEY_LEN * 2)
#define SEQ_DIGITS 12
#define NAME_LEN (sizeof(PREFIX) - 1 + SOURCE_DIGITS + 1 + SEQ_DIGITS)

static void
print_name(char out[NAME_LEN + 1], const struct record_place *p)
{
	char hex[SOURCE_DIGITS + 1];

	snprintf(out, NAME_LEN + 1, PREFIX "%s/%012" PRIu64,
		hex_encode(hex, p->source, SOURCE_KEY_LEN), p->seq);
}

static int
parse(const char *name, struct pinned_one *p)
{
	const char *source = name + strlen(PREFIX), *seq;
	char hex[SOURCE_DIGITS + 1];

	if (strlen(name) != NAME_LEN || source[SOURCE_DIGITS] != '/')
		return -EINVAL;
	seq = source + SOURCE_DIGITS + 1;
	if (strspn(seq, "0123456789") != SEQ_DIGITS)
		return -EINVAL;
	memcpy(hex, source, SOURCE_DIGITS);
	hex[SOURCE_DIGITS] = '\0';
	p->seq = strtoull(seq, NULL, 10);
	return hex_decode(p->source, SOURCE_KEY_LEN, hex);
}

static bool
add(void *ctx, const char *name, uint64_t size)
{
	struct pinned *all = ctx;
	struct pinned_one p;

	(void)size;
	if (parse(name, &p)) {
		log_debug("%s: pins nothing", name);
		return true;
	}
	if (all->n == all->cap) {
		all->cap = all->cap ? all->cap * 2 : 16;
		all->p = xrealloc(all->p, all->cap * sizeof(*all->p));
	}
	all->p[all->n++] = p;
	return true;
}

static int
compare(const void *a, const void *b)
{
	const struct pinned_one *x = a, *y = b;
	int c = memcmp(x->source, y->source, SOURCE_KEY_LEN);

	return c ? c : (x->seq > y->seq) - (x->seq < y->seq);
}

int
pinned_list(struct repository *rp, struct pinned *all, struct err *e)
{
	int r = store_list_names(rp->store, PREFIX, "", add, all, e);

	if (!r && all->n)
		qsort(all->p, all->n, sizeof(*all->p), compare);
	return r;
}

void
pinned_release(struct pinned *all)
{
	free(all->p);
	*all = (struct pinned){ .n = 0 };
}

bool
pinned_has(const struct pinned *all, const uint8_t source[SOURCE_KEY_LEN],
	uint64_t seq)
{
	struct pinned_one key = { .seq = seq };

	memcpy(key.source, source, SOURCE_KEY_LEN);
	return all->n &&
	       bsearch(&key, all->p, all->n, sizeof(key), compare) != NULL;
}

int
pinned_put(struct upkeep *u, const struct record_place *p, struct err *e)
{
	char name[NAME_LEN + 1];
	struct err mine = ERR_INIT;
	int r;

	print_name(name, p);
	r = sink_put(u->sink, name, "", 0, &mine);
	if (!r || r == -EEXIST)
		return 0;
	*e = mine;
	return r;
}

int
pinned_remove(struct upkeep *u, const struct record_place *p, struct err *e)
{
	char name[NAME_LEN + 1];
	const char *one = name;

	print_name(name, p);
	return sink_remove_many(u->sink, &one, 1, e);
}
