/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "repo/base/auto.h"
#include "repo/base/clock.h"
#include "repo/fetch/budget.h"

void
budget_init(struct budget *b, size_t max)
{
	*b = (struct budget){ .max = max };
	pthread_mutex_init(&b->lock, NULL);
}

void
budget_release(struct budget *b)
{
	pthread_mutex_destroy(&b->lock);
}

/* Forget what landed too long ago. */
static void
advance(struct budget *b)
{
	uint64_t now = (uint64_t)(clock_mono_ns() / BUDGET_EPOCH_NS);

	if (now == b->epoch)
		return;
	if (now > b->epoch + 1)
		b->unread[(now + 1) % 2] = 0;
	b->unread[now % 2] = 0;
	b->epoch = now;
}

bool
budget_take(struct budget *b, size_t len)
{
	auto_lock(&b->lock);

	advance(b);
	if (b->coming + b->unread[0] + b->unread[1] + len > b->max)
		return false;
	b->coming += len;
	return true;
}

void
budget_return(struct budget *b, size_t len)
{
	auto_lock(&b->lock);

	b->coming -= len;
}

uint64_t
budget_land(struct budget *b, size_t len, size_t plain)
{
	auto_lock(&b->lock);

	advance(b);
	b->coming -= len;
	b->unread[b->epoch % 2] += plain;
	return b->epoch;
}

void
budget_unload(struct budget *b, uint64_t epoch, size_t plain)
{
	auto_lock(&b->lock);

	advance(b);
	if (epoch == b->epoch || epoch + 1 == b->epoch)
		b->unread[epoch % 2] -= plain;
}
