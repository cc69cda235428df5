/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the proxy does to traffic: delays, bandwidth, outages, accidents.
 *
 * Settings, words NAME=NUMBER:
 *   delay    ms from a request to the first byte of its response
 *   jitter   up to so many ms more
 *   connect  ms until the first request of a connection is passed on
 *   rate     Mbit/s of all connections together, each direction
 *   each     Mbit/s of one connection, each direction
 *   reset    probability that a response is cut by a reset
 *   stall    probability that a response stops for good
 *   busy     probability that a request is answered "503 SlowDown"
 *   seed     of the random numbers
 * 0 switches each of them off.
 */
#ifndef YORE_TESTS_S3_PACE_H
#define YORE_TESTS_S3_PACE_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Set what the words say, which are cut; false at the first that is wrong. */
bool pace_set(char *words);

enum pace_setting {
	DELAY,
	JITTER,
	CONNECT,
	RATE,
	EACH,
	RESET,
	STALL,
	BUSY,
	SEED,
	N_SETTINGS
};
double pace_get(enum pace_setting s);

/* One direction of one connection, or of all. */
struct pace {
	pthread_mutex_t lock;
	int64_t next; /* when the next byte may go */
};
#define PACE_INIT                                            \
	{                                                    \
		.lock = PTHREAD_MUTEX_INITIALIZER, .next = 0 \
	}

/* Wait until n bytes may have gone through both, own at the rate of EACH. */
void pace_take(struct pace *own, struct pace *all, size_t n);

/* What happens to a request. */
enum accident { NO_ACCIDENT, ACCIDENT_RESET, ACCIDENT_STALL, ACCIDENT_BUSY };
enum accident pace_accident(void);
double pace_random(void); /* [0, 1) */

/*
 * The state of the line:
 *   normal
 *   hole     nothing moves, new connections are accepted and never answered
 *   drop     nothing moves, new connections are not even accepted
 *   refuse   new connections are reset
 */
enum line { LINE_NORMAL, LINE_HOLE, LINE_DROP, LINE_REFUSE };
void pace_line(enum line l);
enum line pace_line_now(void);
/* Wait while nothing moves. */
void pace_gate(void);

#endif
