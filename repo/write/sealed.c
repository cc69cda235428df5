/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>
#include "repo/format/object.h"
#include "repo/write/sealed.h"

void
sealed_init(struct sealed *s, const struct keyring *keys,
	enum object_type type)
{
	struct object_header h = { .type = (uint8_t)type };

	memset(s, 0, sizeof(*s));
	random_bytes(s->id, sizeof(s->id));
	memcpy(h.id, s->id, sizeof(h.id));
	memcpy(h.repository_id, keys->repository_id, sizeof(h.repository_id));
	object_header_encode(buf_reserve(&s->bytes, OBJECT_HEADER_LEN), &h);
	s->bytes.len = OBJECT_HEADER_LEN;
	object_key_init(&s->key, keys, type, s->id);
	s->packer = packer_new(6);
}

void
sealed_release(struct sealed *s)
{
	buf_release(&s->bytes);
	packer_free(s->packer);
	secret_wipe(&s->key, sizeof(s->key));
	s->packer = NULL;
}

int
sealed_add(struct sealed *s, enum frame_type type, const void *plain,
	size_t len, struct err *e)
{
	auto_buf struct buf packed = BUF_INIT;
	struct frame_prefix p = { .type = (uint8_t)type,
		.plain_len = (uint32_t)len };
	enum frame_codec codec;
	int r = packer_pack(s->packer, 0, plain, len, &packed, &codec, e);

	if (r)
		return r;
	p.codec = (uint8_t)codec;
	return frame_seal(&s->key, s->bytes.len, &p, &packed, &s->bytes, e);
}
