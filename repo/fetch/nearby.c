/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "repo/fetch/nearby.h"

#include <stdlib.h>
#include <string.h>
#include "repo/base/buf.h"

void
nearby_init(struct nearby *n)
{
	memset(n, 0, sizeof(*n));
	pthread_mutex_init(&n->lock, NULL);
}

void
nearby_release(struct nearby *n)
{
	for (int i = 0; i < NEARBY_PIECES; i++)
		free(n->pieces[i].bytes);
	pthread_mutex_destroy(&n->lock);
}

void
nearby_put(struct nearby *n, const struct frame_place *at, const uint8_t *bytes,
	size_t len)
{
	uint8_t *copy;

	if (len == 0)
		return;
	copy = xmemdup(bytes, len);
	auto_lock(&n->lock);
	struct nearby_piece *p = &n->pieces[n->next++ % NEARBY_PIECES];

	free(p->bytes);
	p->bytes = copy;
	p->at = *at;
	p->at.off -= len;
	p->at.len = (uint32_t)len;
}

/* With the lock held: where its bytes are, or NULL. */
static const uint8_t *
find(const struct nearby *n, const struct frame_place *at)
{
	for (int i = 0; i < NEARBY_PIECES; i++) {
		const struct nearby_piece *p = &n->pieces[i];

		if (p->bytes && p->at.object == at->object &&
			at->off >= p->at.off &&
			at->off + at->len <= p->at.off + p->at.len &&
			memcmp(p->at.pack, at->pack, OBJECT_ID_LEN) == 0)
			return p->bytes + (at->off - p->at.off);
	}
	return NULL;
}

bool
nearby_has(struct nearby *n, const struct frame_place *at)
{
	auto_lock(&n->lock);

	return find(n, at) != NULL;
}

uint8_t *
nearby_take(struct nearby *n, const struct frame_place *at)
{
	auto_lock(&n->lock);
	const uint8_t *bytes = find(n, at);

	return bytes ? xmemdup(bytes, at->len) : NULL;
}
