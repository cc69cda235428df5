/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is known of the line to a remote store, from how long gets took: how
 * long an answer takes to begin, and how much then comes in a second.
 */
#ifndef YORE_FETCH_LINE_H
#define YORE_FETCH_LINE_H

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

/* Gets of at most LINE_SHORT say how long an answer takes, those of at least
 * LINE_LONG how fast it comes. */
#define LINE_SHORT (64u << 10)
#define LINE_LONG (256u << 10)
#define LINE_GAP_MIN (128u << 10)
#define LINE_GAP_MAX (2u << 20)

/* Zeros are a line that nothing is known of; thread-safe. */
struct line {
	pthread_mutex_t lock; /* a leaf */
	int64_t answer_ns;    /* 0: not known */
	uint64_t len, ns;     /* of long gets, of late, without the wait */
};

void line_init(struct line *l);
void line_release(struct line *l);

/* A get of len bytes took ns. */
void line_note(struct line *l, size_t len, int64_t ns);
/* Bytes a second of one get; 0: not known. */
uint64_t line_rate(struct line *l);
/*
 * Two frames with so much between them are worth one get: what lies between
 * takes no longer than another answer would take to begin, when so much comes
 * in a second as `rate` says, or as is known here if that is more.  Between
 * LINE_GAP_MIN and LINE_GAP_MAX.
 */
uint64_t line_gap(struct line *l, uint64_t rate);

#endif
