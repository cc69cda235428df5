/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <unistd.h>
#include "tests/unit/fetch_fixture.h"

static struct pack *
pack_called(struct fixture *x, const char *name)
{
	for (size_t i = 0; i < x->n_packs; i++) {
		if (strcmp(x->packs[i].name, name) == 0 && !x->packs[i].gone)
			return &x->packs[i];
	}
	return NULL;
}

static int
memory_get(struct store *s, const char *name, uint64_t off, size_t len,
	void *buf, size_t *got, const struct store_call *call, struct err *e)
{
	struct fixture *x = (struct fixture *)s;
	auto_lock(&x->lock);

	struct pack *p = pack_called(x, name);

	x->gets++;
	if (!p)
		return err_set(e, ENOENT, "%s: no such object", name);
	p->gets++;
	if (len > x->longest)
		x->longest = len;
	if (call && call->arrival && p->come <= len) {
		memcpy(buf, p->bytes.data + off, p->come);
		call->arrival->len = p->come;
	}
	pthread_cond_broadcast(&x->changed);
	while (p->held)
		pthread_cond_wait(&x->changed, &x->lock);
	if (x->failures > 0) {
		x->failures--;
		return err_set(e, EIO, "%s: the store gave up", name);
	}
	size_t left = off < p->bytes.len ? p->bytes.len - off : 0;
	size_t n = len < left ? len : left;
	if (n > 0)
		memcpy(buf, p->bytes.data + off, n);
	x->bytes += n;
	if (got)
		*got = n;
	else if (n < len)
		return err_set(e, EBADMSG, "%s: cut off", name);
	return 0;
}

static const struct store_ops memory_ops = { .get = memory_get };

void
fixture_init(struct fixture *x)
{
	uint8_t repository[REPOSITORY_ID_LEN] = { 1 }, root[KEY_LEN] = { 2 };

	alarm(FIXTURE_HANG_S);
	memset(x, 0, sizeof(*x));
	x->store.ops = &memory_ops;
	x->keys = keyring_new(repository, root);
	x->packer = packer_new(1);
	pthread_mutex_init(&x->lock, NULL);
	pthread_cond_init(&x->changed, NULL);
}

void
fixture_release(struct fixture *x)
{
	for (size_t i = 0; i < x->n_packs; i++) {
		buf_release(&x->packs[i].bytes);
		free(x->packs[i].at);
	}
	packer_free(x->packer);
	keyring_free(x->keys);
	pthread_mutex_destroy(&x->lock);
	pthread_cond_destroy(&x->changed);
	alarm(0);
}

struct pack *
fixture_pack(struct fixture *x, enum object_type type)
{
	assert_true(x->n_packs < FIXTURE_PACKS);
	struct pack *p = &x->packs[x->n_packs++];
	struct object_header h = { .type = (uint8_t)type };

	random_bytes(p->id, sizeof(p->id));
	memcpy(h.id, p->id, sizeof(p->id));
	p->type = type;
	object_pack_name(p->name, type, p->id);
	object_header_encode(buf_reserve(&p->bytes, OBJECT_HEADER_LEN), &h);
	p->bytes.len += OBJECT_HEADER_LEN;
	return p;
}

size_t
pack_add(struct fixture *x, struct pack *p, uint8_t type, uint8_t flags,
	const void *plain, size_t len)
{
	struct frame_prefix prefix = {
		.type = type,
		.flags = flags,
		.plain_len = (uint32_t)len,
	};
	struct frame_place at = { .off = p->bytes.len, .object = p->type };
	enum frame_codec codec;
	auto_buf struct buf packed = BUF_INIT;
	struct object_key key;
	struct err e = ERR_INIT;

	object_key_init(&key, x->keys, p->type, p->id);
	assert_int_equal(0,
		packer_pack(x->packer, 0, plain, len, &packed, &codec, &e));
	prefix.codec = (uint8_t)codec;
	assert_int_equal(0,
		frame_seal(&key, at.off, &prefix, &packed, &p->bytes, &e));
	memcpy(at.pack, p->id, sizeof(at.pack));
	at.len = (uint32_t)(p->bytes.len - at.off);
	p->at = xrealloc(p->at, (p->n + 1) * sizeof(*p->at));
	p->at[p->n] = at;
	return p->n++;
}

uint8_t
frame_byte(const struct pack *p, size_t i, size_t at)
{
	uint64_t z = (p->id[0] + i * 1000003 + at / 8) * 0x9e3779b97f4a7c15;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return (uint8_t)((z ^ (z >> 31)) >> (at % 8 * 8));
}

void
pack_fill(struct fixture *x, struct pack *p, size_t n, size_t len)
{
	auto_free uint8_t *plain = xmalloc(len);
	uint8_t type = p->type == OBJECT_DATA ? FRAME_DATA : FRAME_PAGES;

	for (size_t i = 0; i < n; i++) {
		for (size_t at = 0; at < len; at++)
			plain[at] = frame_byte(p, p->n, at);
		pack_add(x, p, type, 0, plain, len);
	}
}

bool
is_frame(const struct frame *fr, const struct pack *p, size_t i, size_t len)
{
	if (fr->len != len)
		return false;
	for (size_t at = 0; at < len; at += at + 9 < len ? 9 : 1) {
		if (fr->data[at] != frame_byte(p, i, at))
			return false;
	}
	return true;
}

void
hold(struct fixture *x, struct pack *p)
{
	auto_lock(&x->lock);

	p->held = true;
}

void
hold_behind(struct fixture *x, struct pack *p, size_t come)
{
	hold(x, p);
	p->come = come;
}

void
let_go(struct fixture *x, struct pack *p)
{
	auto_lock(&x->lock);

	p->held = false;
	p->come = 0;
	pthread_cond_broadcast(&x->changed);
}

void
wait_gets(struct fixture *x, struct pack *p, unsigned n)
{
	auto_lock(&x->lock);

	while (p->gets < n)
		pthread_cond_wait(&x->changed, &x->lock);
}

void
flip(struct fixture *x, struct pack *p, uint64_t off)
{
	auto_lock(&x->lock);

	p->bytes.data[off] ^= 1;
}

void
set_failures(struct fixture *x, unsigned n)
{
	auto_lock(&x->lock);

	x->failures = n;
}

unsigned
gets_of(struct fixture *x, const struct pack *p)
{
	auto_lock(&x->lock);

	return p->gets;
}
