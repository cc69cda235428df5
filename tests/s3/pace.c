/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/s3/pace.h"

#include <stdlib.h>
#include <string.h>
#include "repo/base/auto.h"
#include "tests/s3/net.h"

/* How far behind its rate a direction may catch up: sleeping is inexact. */
#define SLACK 2000000

static const char *const names[N_SETTINGS] = { "delay", "jitter", "connect",
	"rate", "each", "reset", "stall", "busy", "seed" };

static struct {
	pthread_mutex_t lock;
	pthread_cond_t moved;
	double setting[N_SETTINGS];
	enum line line;
	struct drand48_data random;
} pace = {
	.lock = PTHREAD_MUTEX_INITIALIZER,
	.moved = PTHREAD_COND_INITIALIZER,
};

static bool
set_one(const char *word)
{
	const char *equals = strchr(word, '=');
	char *end;
	double value;

	if (!equals)
		return false;
	value = strtod(equals + 1, &end);
	if (end == equals + 1 || *end || !(value >= 0))
		return false;
	for (int i = 0; i < N_SETTINGS; i++) {
		if (strlen(names[i]) != (size_t)(equals - word) ||
			memcmp(names[i], word, (size_t)(equals - word)))
			continue;
		pace.setting[i] = value;
		if (i == SEED)
			srand48_r((long)value, &pace.random);
		return true;
	}
	return false;
}

bool
pace_set(char *words)
{
	auto_lock(&pace.lock);
	char *rest = words, *word;

	while ((word = strsep(&rest, " ")))
		if (*word && !set_one(word))
			return false;
	return true;
}

double
pace_get(enum pace_setting s)
{
	auto_lock(&pace.lock);

	return pace.setting[s];
}

/* When n bytes are through at this rate of Mbit/s. */
static int64_t
take(struct pace *p, double rate, size_t n)
{
	auto_lock(&p->lock);
	int64_t now = net_now();

	if (rate <= 0)
		return 0;
	if (p->next < now - SLACK)
		p->next = now - SLACK;
	p->next += (int64_t)((double)n * 8000 / rate);
	return p->next;
}

void
pace_take(struct pace *own, struct pace *all, size_t n)
{
	int64_t a = take(own, pace_get(EACH), n);
	int64_t b = take(all, pace_get(RATE), n);

	if (a < b)
		a = b;
	if (a > net_now())
		net_sleep_until(a);
}

static double
draw(void)
{
	double d;

	drand48_r(&pace.random, &d);
	return d;
}

double
pace_random(void)
{
	auto_lock(&pace.lock);

	return draw();
}

enum accident
pace_accident(void)
{
	auto_lock(&pace.lock);
	double d = draw();

	if ((d -= pace.setting[RESET]) < 0)
		return ACCIDENT_RESET;
	if ((d -= pace.setting[STALL]) < 0)
		return ACCIDENT_STALL;
	return d < pace.setting[BUSY] ? ACCIDENT_BUSY : NO_ACCIDENT;
}

void
pace_line(enum line l)
{
	auto_lock(&pace.lock);

	pace.line = l;
	pthread_cond_broadcast(&pace.moved);
}

enum line
pace_line_now(void)
{
	auto_lock(&pace.lock);

	return pace.line;
}

void
pace_gate(void)
{
	auto_lock(&pace.lock);

	while (pace.line == LINE_HOLE || pace.line == LINE_DROP)
		pthread_cond_wait(&pace.moved, &pace.lock);
}
