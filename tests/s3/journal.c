/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/s3/journal.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

static struct {
	pthread_mutex_t lock;
	FILE *file;
	int64_t start;
	uint64_t begun, flying, most;
} journal = { .lock = PTHREAD_MUTEX_INITIALIZER };

void
journal_open(const char *path)
{
	journal.start = net_now();
	if (!path)
		return;
	journal.file = fopen(path, "ae");
	if (!journal.file) {
		perror(path);
		exit(1);
	}
	setvbuf(journal.file, NULL, _IOLBF, 0);
}

void
journal_begin(struct entry *e)
{
	auto_lock(&journal.lock);

	e->begin = net_now();
	journal.begun++;
	if (++journal.flying > journal.most)
		journal.most = journal.flying;
}

static const char *
column(const char *s)
{
	return s && *s && !strpbrk(s, " \t") ? s : "-";
}

void
journal_end(const struct entry *e)
{
	auto_lock(&journal.lock);

	journal.flying--;
	if (!journal.file)
		return;
	fprintf(journal.file, "%.3f %.3f %u %s %d %lu %lu %s %s %s\n",
		(double)(e->begin - journal.start) / 1e6,
		(double)(net_now() - journal.start) / 1e6, e->connection,
		column(e->operation), e->status, e->up, e->down,
		column(e->range), column(e->fault), column(e->target));
}

void
journal_counts(struct buf *reply)
{
	auto_lock(&journal.lock);

	buf_printf(reply, "%lu begun, %lu in flight, %lu at most\n",
		journal.begun, journal.flying, journal.most);
	journal.most = journal.flying;
}
