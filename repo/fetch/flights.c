/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <string.h>
#include <time.h>
#include "repo/base/auto.h"
#include "repo/base/clock.h"
#include "repo/fetch/flights.h"

/* How often a waiting thread looks what has come and whether it was cancelled. */
#define LOOK_MS 5u

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
	fs->ended = 0;
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
	fs->ended++;
	pthread_cond_broadcast(&fs->landed);
}

static bool
touches(const struct flight *f, const struct flight *wanted)
{
	return !f->spoiled && wanted->off < f->off + f->len && f->off < wanted->off + wanted->len &&
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

/* -- What has come of a flight; with the lock held ------------------------- */

/* Copy what is wanted from it if all of that has come. */
static bool
copy(const struct flight *f, const struct flight *wanted, void *into)
{
	uint64_t skip = wanted->off - f->bytes_off;

	if (!f->arrival || wanted->off < f->bytes_off)
		return false;
	auto_lock(&f->arrival->lock);
	if (skip + wanted->len > f->arrival->len)
		return false;
	memcpy(into, f->bytes + skip, (size_t)wanted->len);
	return true;
}

static bool
take(const struct flights *fs, const struct flight *wanted, void *into)
{
	const struct flight *f = fs->first;

	while (f && (!touches(f, wanted) || !copy(f, wanted, into)))
		f = f->next;
	return f != NULL;
}

/* A number that changes when something comes or lands. */
static uint64_t
progress(const struct flights *fs)
{
	uint64_t sum = fs->ended << 40;

	for (const struct flight *f = fs->first; f; f = f->next)
		sum += f->arrival ? f->arrival->len : 0;
	return sum;
}

void
flights_show(struct flights *fs, struct flight *f, uint64_t bytes_off,
	const uint8_t *bytes, struct store_arrival *arrival)
{
	auto_lock(&fs->lock);

	f->bytes_off = bytes_off;
	f->bytes = bytes;
	f->arrival = arrival;
}

void
flights_hide(struct flights *fs, struct flight *f)
{
	auto_lock(&fs->lock);

	f->arrival = NULL;
}

void
flights_spoil(
	struct flights *fs, const char *name, uint64_t off, uint64_t len)
{
	const struct flight wrong = { .name = name, .off = off, .len = len };
	auto_lock(&fs->lock);

	for (struct flight *f = fs->first; f; f = f->next)
		if (f->arrival && touches(f, &wrong))
			f->spoiled = true;
}

enum flights_outcome
flights_wait(struct flights *fs, const struct flight *f, void *into,
	struct cancel *cancel)
{
	int64_t now = clock_mono_ns(), moved = now,
		end = now + FLIGHTS_WAIT_MS * 1000000LL;
	enum flights_outcome outcome = FLIGHTS_NONE;
	uint64_t seen;

	if (fs->n == 0)
		return FLIGHTS_NONE;
	auto_lock(&fs->lock);
	seen = progress(fs);
	while (is_flying(fs, f)) {
		if (into && take(fs, f, into))
			return FLIGHTS_TAKEN;
		if (progress(fs) != seen) {
			seen = progress(fs);
			moved = now;
		}
		if (cancel_raised(cancel) || now >= end ||
			now - moved >= FLIGHTS_STILL_MS * 1000000LL)
			return FLIGHTS_NONE;
		outcome = FLIGHTS_LANDED;
		doze(fs);
		now = clock_mono_ns();
	}
	return outcome;
}
