/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <string.h>
#include <time.h>
#include "repo/base/auto.h"
#include "repo/base/clock.h"
#include "repo/fetch/flights.h"

/* How often a waiting thread looks whether it was cancelled. */
#define LOOK_MS 20u

void
flights_init(struct flights *fs)
{
	pthread_condattr_t monotonic;

	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_mutex_init(&fs->lock, NULL);
	pthread_cond_init(&fs->landed, &monotonic);
	pthread_condattr_destroy(&monotonic);
	fs->first = NULL;
	fs->n = 0;
}

void
flights_release(struct flights *fs)
{
	pthread_cond_destroy(&fs->landed);
	pthread_mutex_destroy(&fs->lock);
}

void
flights_begin(struct flights *fs, struct flight *f)
{
	auto_lock(&fs->lock);

	f->next = fs->first;
	fs->first = f;
	fs->n++;
}

void
flights_end(struct flights *fs, struct flight *f)
{
	auto_lock(&fs->lock);
	struct flight **at = &fs->first;

	while (*at != f)
		at = &(*at)->next;
	*at = f->next;
	fs->n--;
	pthread_cond_broadcast(&fs->landed);
}

static bool
touches(const struct flight *f, const struct flight *wanted)
{
	return wanted->off < f->off + f->len && f->off < wanted->off + wanted->len &&
	       (!f->owner || f->owner != wanted->owner) &&
	       strcmp(f->name, wanted->name) == 0;
}

/* With the lock held. */
static bool
is_flying(const struct flights *fs, const struct flight *wanted)
{
	const struct flight *f = fs->first;

	while (f && !touches(f, wanted))
		f = f->next;
	return f != NULL;
}

/* Sleep until something lands, but not long. */
static void
doze(struct flights *fs)
{
	int64_t until = clock_mono_ns() + LOOK_MS * 1000000LL;
	struct timespec ts = { .tv_sec = until / NS_PER_S,
		.tv_nsec = until % NS_PER_S };

	pthread_cond_timedwait(&fs->landed, &fs->lock, &ts);
}

bool
flights_wait(struct flights *fs, const struct flight *f, unsigned max_ms,
	struct cancel *cancel)
{
	int64_t end = clock_mono_ns() + max_ms * 1000000LL;
	bool waited = false;

	if (fs->n == 0)
		return false;
	auto_lock(&fs->lock);
	while (is_flying(fs, f)) {
		if (cancel_raised(cancel) || clock_mono_ns() >= end)
			return false;
		waited = true;
		doze(fs);
	}
	return waited;
}
