/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Packs in memory and a store over them that counts, holds back, fails and
 * flips, for the tests of repo/fetch.
 */
#ifndef YORE_TESTS_FETCH_FIXTURE_H
#define YORE_TESTS_FETCH_FIXTURE_H

#include <pthread.h>
#include "tests/unit/unit.h"
#include "repo/base/buf.h"
#include "repo/crypto/seal.h"
#include "repo/fetch/fetch.h"
#include "repo/format/object.h"

struct pack {
	char name[OBJECT_NAME_MAX];
	uint8_t id[OBJECT_ID_LEN];
	enum object_type type;
	struct buf bytes;
	struct frame_place *at;
	size_t n;
	bool gone;
	bool held; /* its gets wait, */
	size_t come; /* when so much of each has come */
	unsigned gets; /* begun */
};

#define FIXTURE_PACKS 4

struct fixture {
	struct store store;
	struct keyring *keys;
	struct packer *packer;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct pack packs[FIXTURE_PACKS];
	size_t n_packs;
	unsigned gets;
	unsigned failures; /* so many gets fail next, when they may go on */
	uint64_t bytes;
	size_t longest;	   /* get */
};

/* A test that takes longer than this between the two hangs: SIGALRM ends it. */
#define FIXTURE_HANG_S 60
void fixture_init(struct fixture *x);
void fixture_release(struct fixture *x);

/* A new pack without frames. */
struct pack *fixture_pack(struct fixture *x, enum object_type type);
/* Add a frame with these bytes; returns its number. */
size_t pack_add(struct fixture *x, struct pack *p, uint8_t type, uint8_t flags,
	const void *plain, size_t len);
/* Add n frames of len bytes that do not compress; see is_frame. */
void pack_fill(struct fixture *x, struct pack *p, size_t n, size_t len);
/* Whether fr is what pack_fill made as frame i of len bytes. */
bool is_frame(const struct frame *fr, const struct pack *p, size_t i,
	size_t len);
/* The byte of pack_fill's frame i at offset at. */
uint8_t frame_byte(const struct pack *p, size_t i, size_t at);

/* From now on gets of the pack wait, until let_go. */
void hold(struct fixture *x, struct pack *p);
/* The same, when so much of each has come. */
void hold_behind(struct fixture *x, struct pack *p, size_t come);
void let_go(struct fixture *x, struct pack *p);
/* Wait until n gets of the pack have begun. */
void wait_gets(struct fixture *x, struct pack *p, unsigned n);
void flip(struct fixture *x, struct pack *p, uint64_t off);
void set_failures(struct fixture *x, unsigned n);
unsigned gets_of(struct fixture *x, const struct pack *p);

/* Wait until a counter of fetch_stats reaches n: WAIT_STAT(f, joined, 3) */
#define WAIT_STAT(f, field, value) \
	do { \
		struct fetch_stats wait_s_; \
		do { \
			usleep(200); \
			fetch_stats(f, &wait_s_); \
		} while (wait_s_.field < (value)); \
	} while (0)

static inline struct fetch_stats
stats_of(struct fetch *f)
{
	struct fetch_stats s;

	fetch_stats(f, &s);
	return s;
}

#endif
