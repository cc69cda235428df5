/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "repo/write/gc_put.h"

#include <errno.h>
#include "repo/write/sealed.h"

#define GC_FRAME_LEN (4u << 20)

int
gc_put(struct repository *rp, struct sink *sink, const struct gc_state *s,
	uint8_t hash[HASH_LEN], struct err *e)
{
	auto_sealed struct sealed out = { .packer = NULL };
	auto_buf struct buf plain = BUF_INIT;
	char name[GC_NAME_LEN + 1];
	int r = gc_state_encode(s, &plain, e);

	if (r)
		return r;
	sealed_init(&out, rp->keys, OBJECT_GC);
	for (size_t off = 0; off < plain.len && !r; off += GC_FRAME_LEN) {
		size_t left = plain.len - off;

		r = sealed_add(&out, FRAME_GC, plain.data + off,
			left < GC_FRAME_LEN ? left : GC_FRAME_LEN, e);
	}
	if (r)
		return r;
	gc_name(name, s->n);
	r = sink_put(sink, name, out.bytes.data, out.bytes.len, e);
	if (r == -EEXIST)
		return err_set(e, EEXIST, "%s exists: another prune is at work",
			name);
	if (!r && hash)
		sha256(out.bytes.data, out.bytes.len, hash);
	return r;
}
