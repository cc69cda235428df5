/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From sealed bytes to a decoded frame, with everything a reader may rely on
 * checked: it lies where its place says, is as long, has the type that its
 * object holds, and a solid frame's table adds up.  Keeps the keys of a few
 * objects, because deriving one costs as much as unsealing a small frame.
 */
#ifndef YORE_FETCH_UNSEALER_H
#define YORE_FETCH_UNSEALER_H

#include <pthread.h>
#include <stdint.h>
#include "repo/crypto/seal.h"
#include "repo/fetch/fetch.h"
#include "repo/format/object.h"
#include "repo/format/ref.h"

#define UNSEALER_KEYS 32 /* they fit a page of locked memory */

struct unsealer {
	const struct keyring *ring; /* immutable, as these two: */
	fetch_namer *namer; /* of deltas; NULL: there are none */
	void *namer_ctx;
	_Atomic uint64_t unsealed;
	pthread_mutex_t lock;	 /* innermost */
	struct object_key *keys; /* by object id; type 0 is empty */
};

/* A decoded frame; plain is given. */
struct opened {
	uint8_t *plain;
	uint32_t len;
	uint32_t content; /* bytes before a solid frame's table */
	uint8_t type;
	uint8_t flags;
};

void unsealer_init(struct unsealer *u, const struct keyring *ring);
void unsealer_release(struct unsealer *u);

/* The name of the object that a place lies in. */
void unsealer_name(const struct unsealer *u, const struct frame_place *at,
	char name[OBJECT_NAME_MAX]);

/* Whether an object may have frames of this type. */
bool unsealer_type_ok(uint8_t object, uint8_t frame_type);

/* -EUCLEAN when no frame of a pack or delta can be at that place. */
int unsealer_check(const struct unsealer *u, const struct frame_place *at,
	struct err *e);

/*
 * Unseal the at->len bytes of the frame at a place that unsealer_check let
 * pass; sealed is overwritten.  -EBADMSG, -EUCLEAN; the sentence names the
 * object.
 */
int unsealer_open(struct unsealer *u, const struct frame_place *at,
	uint8_t *sealed, struct opened *o, struct err *e);

#endif
