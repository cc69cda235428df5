/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/count.h"

#include <ftw.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/stat.h>
#include "repo/base/buf.h"

#define DESCRIPTORS 16

struct count {
	char *path;
	int flags;
	pthread_t thread;
	uint64_t files, bytes; /* the thread's until done */
	atomic_bool stop, done;
};

/* nftw(3) passes no argument: the count that this thread is at. */
static _Thread_local struct count *current;

static int
add(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)path, (void)ftw;
	if (type == FTW_F && S_ISREG(st->st_mode)) {
		current->files++;
		current->bytes += (uint64_t)st->st_size;
	}
	return current->stop;
}

static void *
run(void *arg)
{
	current = arg;
	if (nftw(current->path, add, DESCRIPTORS, current->flags) == 0)
		current->done = true;
	return NULL;
}

struct count *
count_start(const char *path, bool one_file_system)
{
	struct count *c = xcalloc(1, sizeof(*c));

	c->path = xstrdup(path);
	c->flags = FTW_PHYS | (one_file_system ? FTW_MOUNT : 0);
	if (pthread_create(&c->thread, NULL, run, c) == 0)
		return c;
	free(c->path);
	free(c);
	return NULL;
}

bool
count_done(const struct count *c, uint64_t *files, uint64_t *bytes)
{
	if (!c || !c->done)
		return false;
	*files = c->files;
	*bytes = c->bytes;
	return true;
}

void
count_stop(struct count *c)
{
	if (!c)
		return;
	c->stop = true;
	pthread_join(c->thread, NULL);
	free(c->path);
	free(c);
}
