/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One delta on its way into the store: frames, one after the other, each
 * compressed, sealed, unsealed again and compared, then appended to an upload;
 * the trailer; and the name, which is given only if nobody has it.
 */
#ifndef YORE_WRITE_DELTA_OBJECT_H
#define YORE_WRITE_DELTA_OBJECT_H

#include "repo/crypto/seal.h"
#include "repo/native/deltas.h"
#include "repo/store/store.h"

/* The end of an object is kept in memory up to here, for the disk cache. */
#define DELTA_OBJECT_KEPT (4u << 20)

struct delta_object {
	struct upload *up;
	char name[OBJECT_NAME_MAX];
	struct delta_trailer trailer;
	struct object_key key;
	struct packer *packer;
	uint64_t off; /* of the next frame */
	struct buf packed, sealed;
	bool keep;	 /* frames go to kept as well, from now on */
	uint64_t kept_off;
	struct buf kept;
};

struct delta_object_id {
	const struct delta_base *base; /* borrowed, as is */
	const uint8_t *writer;	       /* WRITER_ID_LEN bytes */
	uint64_t n;
};

int delta_object_begin(struct delta_object *o, struct sink *sink,
	const struct keyring *keys, const struct delta_object_id *id,
	struct err *e);
/* The next frame; *len is its sealed length, o->off is behind it afterwards. */
int delta_object_frame(struct delta_object *o, enum frame_type type, int level,
	const struct buf *plain, uint32_t *len, struct err *e);
/* The end of the object begins here: keep it. */
void delta_object_keep(struct delta_object *o);
/* Trailer and name; the record's frame, which was the last, lies at record_off.
 * -EEXIST: the name is taken. */
int delta_object_commit(struct delta_object *o, uint64_t record_off,
	struct err *e);
/* Forgets what was not committed. */
void delta_object_release(struct delta_object *o);

#define auto_delta_object AUTO(delta_object_release)

#endif
