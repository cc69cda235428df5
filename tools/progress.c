/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/progress.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "repo/base/auto.h"
#include "repo/base/clock.h"
#include "tools/print.h"

#define INTERVAL_NS (NS_PER_S / 5)
#define ETA_AFTER_NS (2 * NS_PER_S)

static bool shown_at_all; /* standard error is a terminal, and it is wanted */
static int64_t began_ns;
static _Atomic int64_t last_ns;
static atomic_bool on_screen;

void
progress_begin(bool wanted)
{
	shown_at_all = wanted && isatty(STDERR_FILENO);
	began_ns = clock_mono_ns();
	last_ns = began_ns;
}

bool
progress_is_shown(void)
{
	return shown_at_all;
}

/* How much is done, 0..1; files count too, for trees of tiny ones. */
static double
share_done(const struct progress_state *s)
{
	double done = (double)s->bytes + 4096.0 * (double)s->files;
	double total = (double)s->total_bytes + 4096.0 * (double)s->total_files;

	return total > 0 ? done / total : 0;
}

int64_t
progress_eta(const struct progress_state *s)
{
	int64_t spent = clock_mono_ns() - began_ns;
	double share = share_done(s);

	if (spent < ETA_AFTER_NS || share < 0.005)
		return -1;
	return share >= 1 ? 0
			  : (int64_t)((double)spent / NS_PER_S * (1 - share) /
				      share) +
				    1;
}

static void
put_line(const struct progress_state *s)
{
	char size[PRINT_MAX], spent[PRINT_MAX], left[PRINT_MAX], line[256];
	int64_t now = clock_mono_ns(), eta = progress_eta(s);
	double share = share_done(s);
	int n;

	n = snprintf(line, sizeof(line), "[%s] %" PRIu64 " files, %s",
		print_duration(spent, now - began_ns), s->files,
		print_size(size, s->bytes));
	if (share > 0)
		n += snprintf(line + n, sizeof(line) - (size_t)n, ", %.0f%%",
			share >= 0.99 ? 99.0 : 100 * share);
	if (eta >= 0)
		n += snprintf(line + n, sizeof(line) - (size_t)n, ", %s left",
			print_duration(left, eta * NS_PER_S));
	if (s->errors)
		n += snprintf(line + n, sizeof(line) - (size_t)n,
			", %" PRIu64 " errors", s->errors);
	dprintf(STDERR_FILENO, "\r%s\033[K", line);
	on_screen = true;
}

void
progress_show(const struct progress_state *s)
{
	int64_t now = clock_mono_ns();

	if (!shown_at_all || now - last_ns < INTERVAL_NS)
		return;
	last_ns = now;
	put_line(s);
}

void
progress_clear(void)
{
	if (on_screen)
		dprintf(STDERR_FILENO, "\r\033[K");
	on_screen = false;
}

/* -- The ticker
 * ----------------------------------------------------------------- */

static void *
tick(void *arg)
{
	struct progress_ticker *t = arg;

	auto_lock(&t->lock);
	while (!t->stopping) {
		struct progress_state s = { .files = 0 };
		struct timespec until;

		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_nsec += INTERVAL_NS;
		until.tv_sec += until.tv_nsec / NS_PER_S;
		until.tv_nsec %= NS_PER_S;
		pthread_cond_timedwait(&t->wake, &t->lock, &until);
		t->sample(t->ctx, &s);
		progress_show(&s);
	}
	return NULL;
}

void
progress_ticker_start(struct progress_ticker *t)
{
	pthread_mutex_init(&t->lock, NULL);
	pthread_cond_init(&t->wake, NULL);
	t->stopping = false;
	t->running =
		shown_at_all && pthread_create(&t->thread, NULL, tick, t) == 0;
}

void
progress_ticker_stop(struct progress_ticker *t)
{
	if (t->running) {
		pthread_mutex_lock(&t->lock);
		t->stopping = true;
		pthread_cond_signal(&t->wake);
		pthread_mutex_unlock(&t->lock);
		pthread_join(t->thread, NULL);
	}
	progress_clear();
	pthread_cond_destroy(&t->wake);
	pthread_mutex_destroy(&t->lock);
}
