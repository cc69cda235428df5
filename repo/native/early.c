/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "repo/native/early.h"

#include <string.h>

void
early_list(struct early *ea, struct store *s)
{
	ea->listed = !newest_list(s, &ea->newest, NULL);
	if (!ea->listed)
		ea->newest.n = 0;
}

void
early_get(struct early *ea, struct store *s, size_t i)
{
	if (store_get_all(s, ea->newest.names[i], NEWEST_SEALED_MAX,
		    &ea->catalog[i].bytes, &ea->catalog[i].len, NULL))
		ea->catalog[i].bytes = NULL;
}

bool
early_take_newest(struct early *ea, struct newest *nw)
{
	if (!ea || !ea->listed)
		return false;
	*nw = ea->newest;
	ea->listed = false;
	return true;
}

uint8_t *
early_take(struct early *ea, const char *name, size_t *len)
{
	for (unsigned i = 0; ea && i < ea->newest.n; i++) {
		if (strcmp(ea->newest.names[i], name))
			continue;
		*len = ea->catalog[i].len;
		return steal(ea->catalog[i].bytes);
	}
	return NULL;
}

void
early_free(struct early *ea)
{
	for (unsigned i = 0; ea && i < NEWEST_MAX; i++)
		free(ea->catalog[i].bytes);
	free(ea);
}
