/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "repo/native/id_set.h"

#include <stdlib.h>
#include <string.h>
#include "repo/base/buf.h"

void
id_set_add(struct id_set *s, const uint8_t id[OBJECT_ID_LEN])
{
	if (s->n == s->cap) {
		s->cap = s->cap ? s->cap * 2 : 64;
		s->ids = xrealloc(s->ids, s->cap * sizeof(*s->ids));
	}
	memcpy(s->ids[s->n++], id, OBJECT_ID_LEN);
}

static int
compare(const void *a, const void *b)
{
	return memcmp(a, b, OBJECT_ID_LEN);
}

void
id_set_sort(struct id_set *s)
{
	size_t kept = 0;

	if (s->n)
		qsort(s->ids, s->n, sizeof(*s->ids), compare);
	for (size_t i = 0; i < s->n; i++) {
		if (kept && !compare(s->ids[kept - 1], s->ids[i]))
			continue;
		if (kept != i)
			memcpy(s->ids[kept], s->ids[i], OBJECT_ID_LEN);
		kept++;
	}
	s->n = kept;
}

bool
id_set_has(const struct id_set *s, const uint8_t id[OBJECT_ID_LEN])
{
	return s->n && bsearch(id, s->ids, s->n, sizeof(*s->ids), compare);
}

void
id_set_copy(struct id_set *to, const struct id_set *from)
{
	id_set_release(to);
	for (size_t i = 0; i < from->n; i++)
		id_set_add(to, from->ids[i]);
}

void
id_set_release(struct id_set *s)
{
	free(s->ids);
	*s = (struct id_set){ .n = 0 };
}
