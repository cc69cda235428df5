/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One line on the terminal (standard error) that tells how far a long run is
 * and when it will be done.  Nothing when standard error is no terminal.
 */
#ifndef YORE_TOOLS_PROGRESS_H
#define YORE_TOOLS_PROGRESS_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct progress_state {
	uint64_t files, bytes;		   /* done */
	uint64_t total_files, total_bytes; /* 0: unknown */
	uint64_t errors;
};

/* Begin to count time; wanted is false with --quiet and --json. */
void progress_begin(bool wanted);
bool progress_is_shown(void);
/* Seconds left, or -1 when that cannot be told yet. */
int64_t progress_eta(const struct progress_state *s);
/* Show the line; at most a few times a second, else it does nothing. */
void progress_show(const struct progress_state *s);
/* Take the line away before something else is printed. */
void progress_clear(void);

/* A thread that asks sample and shows its answer until stopped. */
struct progress_ticker {
	void (*sample)(void *ctx, struct progress_state *s);
	void *ctx;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	bool running, stopping;
};

void progress_ticker_start(struct progress_ticker *t);
void progress_ticker_stop(struct progress_ticker *t);

#endif
