/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "repo/write/delta_object.h"

#include <errno.h>
#include <string.h>

static int
append(struct delta_object *o, const void *data, size_t len, struct err *e)
{
	o->off += len;
	if (o->keep && o->kept.len + len <= DELTA_OBJECT_KEPT)
		buf_append(&o->kept, data, len);
	else
		o->keep = false;
	return upload_append(o->up, data, len, e);
}

int
delta_object_begin(struct delta_object *o, struct sink *sink,
	const struct keyring *keys, const struct delta_object_id *id,
	struct err *e)
{
	const struct delta_place place = delta_place_of(id->base, id->n);
	struct object_header h = { .type = OBJECT_DELTA };
	uint8_t head[OBJECT_HEADER_LEN];
	int r;

	*o = (struct delta_object){ .packer = packer_new(6) };
	memcpy(o->trailer.base, id->base->id, OBJECT_ID_LEN);
	memcpy(o->trailer.writer, id->writer, WRITER_ID_LEN);
	delta_name(o->name, &place);
	delta_id(keys, id->writer, id->base->id, id->n, h.id);
	memcpy(h.repository_id, keys->repository_id, REPOSITORY_ID_LEN);
	object_key_init(&o->key, keys, OBJECT_DELTA, h.id);
	object_header_encode(head, &h);
	r = sink_begin(sink, o->name, &o->up, e);
	return r ? r : append(o, head, sizeof(head), e);
}

int
delta_object_frame(struct delta_object *o, enum frame_type type, int level,
	const struct buf *plain, uint32_t *len, struct err *e)
{
	struct frame_prefix p = { .type = (uint8_t)type,
		.plain_len = (uint32_t)plain->len };
	enum frame_codec codec;
	int r = packer_pack(o->packer, level, plain->data, plain->len,
		&o->packed, &codec, e);

	if (r)
		return r;
	p.codec = (uint8_t)codec;
	o->sealed.len = 0;
	r = frame_seal(&o->key, o->off, &p, &o->packed, &o->sealed, e);
	if (r)
		return r;
	*len = (uint32_t)o->sealed.len;
	return append(o, o->sealed.data, o->sealed.len, e);
}

void
delta_object_keep(struct delta_object *o)
{
	o->keep = true;
	o->kept_off = o->off;
	o->kept.len = 0;
}

int
delta_object_commit(struct delta_object *o, uint64_t record_off,
	struct err *e)
{
	uint8_t tail[DELTA_TRAILER_LEN];
	int r;

	o->trailer.record = (struct object_trailer){ .toc_off = record_off,
		.toc_len = (uint32_t)(o->off - record_off) };
	delta_trailer_encode(tail, &o->trailer);
	r = append(o, tail, sizeof(tail), e);
	if (r)
		return r;
	return upload_commit(steal(o->up), e);
}

void
delta_object_release(struct delta_object *o)
{
	upload_abort(o->up);
	packer_free(o->packer);
	buf_release(&o->packed);
	buf_release(&o->sealed);
	buf_release(&o->kept);
	secret_wipe(&o->key, sizeof(o->key));
	*o = (struct delta_object){ .up = NULL };
}
