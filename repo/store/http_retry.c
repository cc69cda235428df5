/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "repo/store/http_retry.h"

#include <time.h>
#include "repo/base/auto.h"
#include "repo/base/clock.h"
#include "repo/crypto/keyring.h"

#define FIRST_MS 100
#define LAST_MS 10000
#define ATTEMPT_S 30
#define BYTES_A_S (32u << 10)

static int64_t
time_for(size_t bytes)
{
	return (int64_t)(bytes / BYTES_A_S) * NS_PER_S;
}

void
http_retry_begin(struct http_retry *r, unsigned patience_s, size_t bytes,
	struct cancel *cancel)
{
	r->patience_s = patience_s;
	r->cancel = cancel;
	r->n = 0;
	r->give_up_ns = clock_mono_ns() + patience_s * NS_PER_S;
	r->end_ns = r->give_up_ns + time_for(bytes);
}

void
http_retry_progress(struct http_retry *r)
{
	int64_t more = clock_mono_ns() + r->patience_s * NS_PER_S;

	r->end_ns += r->patience_s * NS_PER_S;
	r->give_up_ns = more < r->end_ns ? more : r->end_ns;
}

int64_t
http_retry_deadline(const struct http_retry *r, size_t bytes)
{
	int64_t now = clock_mono_ns(), left = r->give_up_ns - now, at;

	if (left > ATTEMPT_S * NS_PER_S)
		left = ATTEMPT_S * NS_PER_S;
	at = now + left + time_for(bytes);
	return at < r->end_ns ? at : r->end_ns;
}

struct sleeper {
	struct cancel_waker waker;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool woken;
};

static void
wake(struct cancel_waker *w)
{
	struct sleeper *s = (struct sleeper *)w;
	auto_lock(&s->lock);

	s->woken = true;
	pthread_cond_signal(&s->changed);
}

/* False when woken before its time. */
static bool
sleep_until(struct sleeper *s, int64_t end_ns)
{
	struct timespec at = { .tv_sec = end_ns / NS_PER_S,
		.tv_nsec = (long)(end_ns % NS_PER_S) };
	auto_lock(&s->lock);
	int r = 0;

	while (!s->woken && r == 0)
		r = pthread_cond_clockwait(
			&s->changed, &s->lock, CLOCK_MONOTONIC, &at);
	return !s->woken;
}

static bool
sleep_well(struct cancel *cancel, int64_t end_ns)
{
	struct sleeper s = { .waker = { .wake = wake },
		.lock = PTHREAD_MUTEX_INITIALIZER,
		.changed = PTHREAD_COND_INITIALIZER };
	bool slept;

	if (!cancel)
		return sleep_until(&s, end_ns);
	if (!cancel_watch(cancel, &s.waker))
		return false;
	slept = sleep_until(&s, end_ns);
	cancel_unwatch(cancel, &s.waker);
	return slept;
}

bool
http_retry_wait(struct http_retry *r, unsigned at_least_s)
{
	int64_t ms = r->n < 7 ? (int64_t)FIRST_MS << r->n : LAST_MS, end_ns;
	uint16_t dice;

	random_bytes(&dice, sizeof(dice));
	ms = ms / 2 + ms / 2 * dice / UINT16_MAX;
	if (ms < (int64_t)at_least_s * 1000)
		ms = (int64_t)at_least_s * 1000;
	end_ns = clock_mono_ns() + ms * 1000000;
	if (end_ns >= r->give_up_ns)
		return false;
	r->n++;
	return sleep_well(r->cancel, end_ns);
}
