/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "repo/upkeep/compact_out.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include "repo/base/buf.h"
#include "repo/format/object.h"

#define DATA_PACK_LEN (32u << 20) /* as writers (FORMAT, "Packs") */
#define META_PACK_LEN (8u << 20)
#define ZSTD_LEVEL 3
#define THREADS 2
#define JOBS 32
#define OUT_LEN (8u << 20)

struct job {
	uint8_t object;
	bool compress; /* plain, into p */
	struct buf plain;
	struct packed p;
	size_t cost;
	bool done;
	struct err failed;
};

struct compact_out {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	/* Guarded by lock; of a job that a thread works on only its place. */
	struct job ring[JOBS];
	size_t first, begun, end; /* numbers of jobs */
	bool stop;

	/* The adding thread's. */
	struct compact *c;
	struct pack_writer *data, *meta;
	size_t cost; /* of jobs in the ring */
	pthread_t threads[THREADS];
	unsigned n_threads;
};

/* -- The threads --------------------------------------------------- */

static void
pack(struct job *j, struct packer *packer)
{
	enum frame_codec codec = CODEC_RAW;

	if (!j->compress)
		return;
	if (j->p.n_chunks > 1) {
		auto_free uint32_t *lens =
			xcalloc(j->p.n_chunks, sizeof(*lens));

		for (uint32_t i = 0; i < j->p.n_chunks; i++)
			lens[i] = j->p.chunks[i].len;
		solid_table_encode(&j->plain, lens, j->p.n_chunks);
		j->p.flags = FRAME_SOLID;
	}
	j->p.plain_len = (uint32_t)j->plain.len;
	packer_pack(packer, 0, j->plain.data, j->plain.len, &j->p.bytes, &codec,
		&j->failed);
	j->p.codec = (uint8_t)codec;
	buf_release(&j->plain);
}

/* Lock is held. */
static struct job *
next_job(struct compact_out *o)
{
	while (o->begun == o->end && !o->stop)
		pthread_cond_wait(&o->changed, &o->lock);
	return o->stop ? NULL : &o->ring[o->begun++ % JOBS];
}

static void *
packer_main(void *arg)
{
	struct compact_out *o = arg;
	struct packer *packer = packer_new(ZSTD_LEVEL);
	struct job *j;

	pthread_mutex_lock(&o->lock);
	while ((j = next_job(o))) {
		pthread_mutex_unlock(&o->lock);
		pack(j, packer);
		pthread_mutex_lock(&o->lock);
		j->done = true;
		pthread_cond_broadcast(&o->changed);
	}
	pthread_mutex_unlock(&o->lock);
	packer_free(packer);
	return NULL;
}

/* -- Into packs ---------------------------------------------------- */

static void
note_pack(struct compact *c, const struct frame_place *at)
{
	for (uint32_t i = c->n_written; i-- > 0;) {
		if (!memcmp(c->written[i].id, at->pack, OBJECT_ID_LEN))
			return;
	}
	if (c->n_written == c->cap_written) {
		c->cap_written = c->cap_written ? c->cap_written * 2 : 64;
		c->written = xrealloc(
			c->written, c->cap_written * sizeof(*c->written));
	}
	c->written[c->n_written].object = at->object;
	memcpy(c->written[c->n_written++].id, at->pack, OBJECT_ID_LEN);
}

static void
release(struct job *j)
{
	buf_release(&j->plain);
	buf_release(&j->p.bytes);
	free(j->p.chunks);
	*j = (struct job){ .done = false };
}

/* The oldest frame: it is waited for, and appended. */
static int
put_first(struct compact_out *o, struct err *e)
{
	struct job *j = &o->ring[o->first % JOBS];
	struct frame_place at;
	int r;

	pthread_mutex_lock(&o->lock);
	while (!j->done)
		pthread_cond_wait(&o->changed, &o->lock);
	pthread_mutex_unlock(&o->lock);
	o->first++;
	o->cost -= j->cost;
	if (j->failed.code)
		*e = j->failed;
	r = -j->failed.code;
	if (!r)
		r = pack_writer_add(
			j->object == OBJECT_DATA ? o->data : o->meta, &j->p,
			&at, e);
	if (!r)
		note_pack(o->c, &at);
	release(j);
	return r;
}

static int
put_until(struct compact_out *o, size_t jobs, size_t cost, struct err *e)
{
	int r = 0;

	while (!r && o->end > o->first &&
		(o->end - o->first > jobs || o->cost > cost))
		r = put_first(o, e);
	return r;
}

static int
add(struct compact_out *o, struct job *given, struct err *e)
{
	struct job *j;
	int r = put_until(o, JOBS - 1, OUT_LEN, e);

	if (r) {
		release(given);
		return r;
	}
	given->cost = given->plain.len + given->p.bytes.len;
	o->cost += given->cost;
	auto_lock(&o->lock);
	j = &o->ring[o->end++ % JOBS];
	*j = *given;
	pthread_cond_broadcast(&o->changed);
	return 0;
}

int
compact_out_packed(
	struct compact_out *o, uint8_t object, struct packed *p, struct err *e)
{
	struct job j = { .object = object, .p = *p };

	*p = (struct packed){ .n_chunks = 0 };
	return add(o, &j, e);
}

int
compact_out_plain(struct compact_out *o, uint8_t object, struct buf *plain,
	struct packed *p, struct err *e)
{
	struct job j = {
		.object = object, .compress = true, .plain = *plain, .p = *p
	};

	j.p.type = object == OBJECT_DATA ? FRAME_DATA : FRAME_PAGES;
	*plain = (struct buf)BUF_INIT;
	*p = (struct packed){ .n_chunks = 0 };
	return add(o, &j, e);
}

int
compact_out_finish(struct compact_out *o, struct err *e)
{
	int r = put_until(o, 0, 0, e);

	if (!r)
		r = pack_writer_finish(o->data, e);
	return r ? r : pack_writer_finish(o->meta, e);
}

/* -- Beginning and end --------------------------------------------- */

int
compact_out_new(struct compact *c, struct compact_out **out, struct err *e)
{
	const struct compact_options *co = c->o;
	auto_compact_out struct compact_out *o = xcalloc(1, sizeof(*o));

	pthread_mutex_init(&o->lock, NULL);
	pthread_cond_init(&o->changed, NULL);
	o->c = c;
	o->data = pack_writer_new(co->sink, co->rp->keys, OBJECT_DATA,
		co->data_pack_len ? co->data_pack_len : DATA_PACK_LEN, 0);
	o->meta = pack_writer_new(co->sink, co->rp->keys, OBJECT_META,
		co->meta_pack_len ? co->meta_pack_len : META_PACK_LEN, 0);
	while (o->n_threads < THREADS &&
		!pthread_create(
			&o->threads[o->n_threads], NULL, packer_main, o))
		o->n_threads++;
	if (!o->n_threads)
		return err_set(e, EAGAIN, "cannot start a thread");
	*out = steal(o);
	return 0;
}

void
compact_out_free(struct compact_out *o)
{
	if (!o)
		return;
	pthread_mutex_lock(&o->lock);
	o->stop = true;
	pthread_cond_broadcast(&o->changed);
	pthread_mutex_unlock(&o->lock);
	for (unsigned i = 0; i < o->n_threads; i++)
		pthread_join(o->threads[i], NULL);
	for (; o->first < o->end; o->first++)
		release(&o->ring[o->first % JOBS]);
	pack_writer_free(o->data);
	pack_writer_free(o->meta);
	pthread_mutex_destroy(&o->lock);
	pthread_cond_destroy(&o->changed);
	free(o);
}
