/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "repo/native/early.h"

#include <string.h>
#include "repo/base/clock.h"
#include "repo/base/thread.h"

#define LONG_AGO (10 * NS_PER_S)

struct early *
early_new(void)
{
	struct early *ea = xcalloc(1, sizeof(*ea));

	ea->began_ns = clock_mono_ns();
	return ea;
}

static void *
list_records(void *arg)
{
	struct early *ea = arg;

	ea->has_records =
		!records_list(ea->listed_in, "snap/", &ea->records, NULL);
	return NULL;
}

void
early_list_records(struct early *ea, struct repository *rp)
{
	ea->listed_in = rp;
	ea->is_listing = !thread_start(&ea->listing, list_records, ea);
}

static void
end_listing(struct early *ea)
{
	if (ea->is_listing)
		pthread_join(ea->listing, NULL);
	ea->is_listing = false;
}

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

/* Whether it may be given; not once more. */
static bool
take(const struct early *ea, bool *there)
{
	bool was = *there;

	*there = false;
	return was && clock_mono_ns() - ea->began_ns < LONG_AGO;
}

bool
early_take_newest(struct early *ea, struct newest *nw)
{
	if (!ea || !take(ea, &ea->listed))
		return false;
	*nw = ea->newest;
	return true;
}

bool
early_take_records(struct early *ea, struct record_places *all)
{
	if (ea)
		end_listing(ea);
	if (!ea || !take(ea, &ea->has_records))
		return false;
	*all = ea->records;
	ea->records = (struct record_places){ .n = 0 };
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
	if (!ea)
		return;
	end_listing(ea);
	for (unsigned i = 0; i < NEWEST_MAX; i++)
		free(ea->catalog[i].bytes);
	record_places_release(&ea->records);
	free(ea);
}
