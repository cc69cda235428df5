/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "repo/fetch/line.h"

#include "repo/base/auto.h"

/* What is older counts less. */
#define LEN_MAX (64u << 20)
#define GAP_UNKNOWN (512u << 10)

void
line_init(struct line *l)
{
	*l = (struct line){ .answer_ns = 0 };
	pthread_mutex_init(&l->lock, NULL);
}

void
line_release(struct line *l)
{
	pthread_mutex_destroy(&l->lock);
}

/* With the lock held.  What a busy line or server adds is no part of it: it
 * falls at once and rises slowly. */
static void
note_answer(struct line *l, int64_t ns)
{
	if (l->answer_ns == 0 || ns < l->answer_ns)
		l->answer_ns = ns > 0 ? ns : 1;
	else
		l->answer_ns += (ns - l->answer_ns) / 16;
}

void
line_note(struct line *l, size_t len, int64_t ns)
{
	auto_lock(&l->lock);

	if (len <= LINE_SHORT)
		note_answer(l, ns);
	if (len < LINE_LONG || l->answer_ns == 0)
		return;
	l->len += len;
	l->ns += ns > l->answer_ns ? (uint64_t)(ns - l->answer_ns) : 1;
	if (l->len > LEN_MAX) {
		l->len /= 2;
		l->ns /= 2;
	}
}

/* With the lock held. */
static uint64_t
rate(const struct line *l)
{
	uint64_t us = l->ns / 1000;

	return l->len ? l->len * 1000000 / (us ? us : 1) : 0;
}

uint64_t
line_rate(struct line *l)
{
	auto_lock(&l->lock);

	return rate(l);
}

uint64_t
line_gap(struct line *l, uint64_t most)
{
	auto_lock(&l->lock);
	uint64_t gap;

	if (rate(l) > most)
		most = rate(l);
	if (most == 0 || l->answer_ns == 0)
		return GAP_UNKNOWN;
	gap = most / 1000 * (uint64_t)(l->answer_ns / 1000) / 1000;
	return gap < LINE_GAP_MIN   ? LINE_GAP_MIN
	       : gap > LINE_GAP_MAX ? LINE_GAP_MAX
				    : gap;
}
