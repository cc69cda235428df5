/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "repo/native/whose.h"

#include <stdio.h>
#include <string.h>
#include "repo/base/buf.h"
#include "repo/format/object.h"

struct names {
	char name[WHOSE_LOOK_MAX][STORE_NAME_MAX + 1];
	unsigned n, max;
};

static void
swap(struct whose *w, unsigned i)
{
	uint8_t id[REPOSITORY_ID_LEN];
	unsigned count = w->count[i];

	memcpy(id, w->id[i], sizeof(id));
	memcpy(w->id[i], w->id[i - 1], sizeof(id));
	memcpy(w->id[i - 1], id, sizeof(id));
	w->count[i] = w->count[i - 1];
	w->count[i - 1] = count;
}

static void
add(struct whose *w, const uint8_t id[REPOSITORY_ID_LEN])
{
	unsigned i = 0;

	while (i < w->n && memcmp(w->id[i], id, REPOSITORY_ID_LEN) != 0)
		i++;
	if (i == WHOSE_MAX)
		return;
	if (i == w->n) {
		memcpy(w->id[i], id, REPOSITORY_ID_LEN);
		w->count[i] = 0;
		w->n++;
	}
	w->count[i]++;
	for (; i > 0 && w->count[i] > w->count[i - 1]; i--)
		swap(w, i);
}

static bool
take_name(void *ctx, const char *name, uint64_t size)
{
	struct names *all = ctx;

	(void)size;
	snprintf(all->name[all->n++], sizeof(all->name[0]), "%s", name);
	return all->n < all->max;
}

/* What cannot be read says nothing. */
static void
look_at(struct store *s, const char *name, struct whose *w)
{
	uint8_t head[OBJECT_HEADER_LEN];
	struct object_header h;
	size_t got = 0;

	if (!store_get(s, name, 0, sizeof(head), head, &got, NULL) &&
		got == sizeof(head) && !object_header_decode(head, &h, NULL))
		add(w, h.repository_id);
}

int
whose_look(struct store *s, unsigned n, struct whose *w, struct err *e)
{
	static const char *const below[] = { "snap/", "cat/", "meta/",
		"data/" };
	struct names *all = xcalloc(1, sizeof(*all));
	int r = 0;

	*w = (struct whose){ .n = 0 };
	all->max = n < WHOSE_LOOK_MAX ? n : WHOSE_LOOK_MAX;
	for (size_t i = 0; i < n_elements(below) && all->n < all->max && !r;
		i++)
		r = store_list_few(s, below[i], take_name, all, e);
	for (unsigned i = 0; i < all->n && !r; i++)
		look_at(s, all->name[i], w);
	free(all);
	return r;
}

bool
whose_has(const struct whose *w, const uint8_t id[REPOSITORY_ID_LEN])
{
	for (unsigned i = 0; i < w->n; i++) {
		if (!memcmp(w->id[i], id, REPOSITORY_ID_LEN))
			return true;
	}
	return false;
}
