/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <time.h>
#include "repo/base/clock.h"
#include "repo/format/object.h"
#include "repo/write/pack.h"

/* Packs that are being made durable, at most.  Of a remote store each keeps up
 * to two parts of an upload in memory. */
#define CLOSING_MAX 2

struct pack_writer {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct upload *waiting[CLOSING_MAX]; /* guarded by lock, as all below */
	unsigned n_waiting, n_closing;	     /* those that wait among them */
	bool stop;
	struct err failed;

	/* The adding thread's own. */
	struct sink *sink;
	const struct keyring *keys;
	enum object_type type;
	uint64_t target, limit, total, began_ns;
	pthread_t closers[CLOSING_MAX];
	unsigned n_closers;
	bool open;
	struct upload *up;
	uint8_t id[OBJECT_ID_LEN];
	struct object_key key;
	uint64_t off;
	struct toc toc;
	struct buf sealed;
};

struct pack_writer *
pack_writer_new(struct sink *sink, const struct keyring *keys,
	enum object_type type, uint64_t target, uint64_t limit)
{
	struct pack_writer *pw = xcalloc(1, sizeof(*pw));

	pthread_mutex_init(&pw->lock, NULL);
	pthread_cond_init(&pw->changed, NULL);
	pw->sink = sink;
	pw->keys = keys;
	pw->type = type;
	pw->target = target;
	pw->limit = limit;
	pw->began_ns = (uint64_t)clock_mono_ns();
	return pw;
}

/* Lock is held.  The pack that waits for longest, once there is one; NULL: none
 * will come any more. */
static struct upload *
next_to_close(struct pack_writer *pw)
{
	struct upload *up;

	while (!pw->n_waiting && !pw->stop)
		pthread_cond_wait(&pw->changed, &pw->lock);
	if (!pw->n_waiting)
		return NULL;
	up = pw->waiting[0];
	pw->n_waiting--;
	memmove(pw->waiting, pw->waiting + 1,
		pw->n_waiting * sizeof(pw->waiting[0]));
	return up;
}

static void *
closer_main(void *arg)
{
	struct pack_writer *pw = arg;
	struct upload *up;

	pthread_mutex_lock(&pw->lock);
	while ((up = next_to_close(pw))) {
		struct err e = ERR_INIT;
		int r;

		pthread_mutex_unlock(&pw->lock);
		r = upload_commit(up, &e);
		pthread_mutex_lock(&pw->lock);
		pw->n_closing--;
		if (r && !pw->failed.code)
			pw->failed = e;
		pthread_cond_broadcast(&pw->changed);
	}
	pthread_mutex_unlock(&pw->lock);
	return NULL;
}

/* Start another closer, unless there are enough. */
static int
start_closer(struct pack_writer *pw, struct err *e)
{
	if (pw->n_closers == CLOSING_MAX)
		return 0;
	if (pthread_create(
		    &pw->closers[pw->n_closers], NULL, closer_main, pw) == 0)
		pw->n_closers++;
	return pw->n_closers ? 0 : err_set(e, EAGAIN, "cannot start a thread");
}

/* Hand the upload to a closer; waits while too many are there. */
static int
close_later(struct pack_writer *pw, struct upload *up, struct err *e)
{
	int r = start_closer(pw, e);

	if (r) {
		upload_abort(up);
		return r;
	}
	auto_lock(&pw->lock);
	while (pw->n_closing == CLOSING_MAX)
		pthread_cond_wait(&pw->changed, &pw->lock);
	pw->waiting[pw->n_waiting++] = up;
	pw->n_closing++;
	pthread_cond_broadcast(&pw->changed);
	if (!pw->failed.code)
		return 0;
	*e = pw->failed;
	return -e->code;
}

void
pack_writer_free(struct pack_writer *pw)
{
	if (!pw)
		return;
	pthread_mutex_lock(&pw->lock);
	pw->stop = true;
	pthread_cond_broadcast(&pw->changed);
	pthread_mutex_unlock(&pw->lock);
	for (unsigned i = 0; i < pw->n_closers; i++)
		pthread_join(pw->closers[i], NULL);
	upload_abort(pw->up);
	toc_release(&pw->toc);
	buf_release(&pw->sealed);
	pthread_mutex_destroy(&pw->lock);
	pthread_cond_destroy(&pw->changed);
	free(pw);
}

/* Sleep as long as the limit asks for what has been written by now. */
static void
throttle(const struct pack_writer *pw)
{
	uint64_t due, now;

	if (!pw->limit)
		return;
	due = pw->began_ns +
	      (uint64_t)((double)pw->total / (double)pw->limit * 1e9);
	now = (uint64_t)clock_mono_ns();
	if (due <= now)
		return;
	struct timespec ts = { .tv_sec = (time_t)((due - now) / NS_PER_S),
		.tv_nsec = (long)((due - now) % NS_PER_S) };
	nanosleep(&ts, NULL);
}

static int
append(struct pack_writer *pw, const void *data, size_t len, struct err *e)
{
	pw->off += len;
	pw->total += len;
	throttle(pw);
	return pw->sink ? upload_append(pw->up, data, len, e) : 0;
}

static int
begin(struct pack_writer *pw, struct err *e)
{
	struct object_header h = { .type = (uint8_t)pw->type };
	uint8_t head[OBJECT_HEADER_LEN];
	char name[OBJECT_NAME_MAX];
	int r;

	random_bytes(pw->id, sizeof(pw->id));
	memcpy(h.id, pw->id, sizeof(h.id));
	memcpy(h.repository_id, pw->keys->repository_id, REPOSITORY_ID_LEN);
	object_pack_name(name, pw->type, pw->id);
	object_key_init(&pw->key, pw->keys, pw->type, pw->id);
	object_header_encode(head, &h);
	pw->off = 0;
	if (pw->sink) {
		r = sink_begin(pw->sink, name, &pw->up, e);
		if (r)
			return r;
	}
	pw->open = true;
	return append(pw, head, sizeof(head), e);
}

/* Seal packed bytes as the next frame. */
static int
add_frame(struct pack_writer *pw, const struct packed *p,
	struct frame_place *at, struct err *e)
{
	struct frame_prefix prefix = { .type = p->type,
		.codec = p->codec,
		.flags = p->flags,
		.body_len = (uint32_t)p->bytes.len + FRAME_TAG_LEN,
		.plain_len = p->plain_len };
	int r;

	memcpy(at->pack, pw->id, OBJECT_ID_LEN);
	at->off = pw->off;
	at->object = (uint8_t)pw->type;
	pw->sealed.len = 0;
	r = frame_seal(&pw->key, pw->off, &prefix, &p->bytes, &pw->sealed, e);
	if (r)
		return r;
	at->len = (uint32_t)pw->sealed.len;
	return append(pw, pw->sealed.data, pw->sealed.len, e);
}

static int
end(struct pack_writer *pw, struct err *e)
{
	auto_buf struct buf plain = BUF_INIT;
	struct packed toc = { .type = FRAME_TOC };
	struct packer *packer = packer_new(3);
	enum frame_codec codec = CODEC_RAW;
	uint8_t tail[OBJECT_TRAILER_LEN];
	struct object_trailer t;
	struct frame_place at;
	int r;

	toc_encode(&pw->toc, &plain);
	toc.plain_len = (uint32_t)plain.len;
	r = packer_pack(packer, 0, plain.data, plain.len, &toc.bytes, &codec, e);
	packer_free(packer);
	toc.codec = (uint8_t)codec;
	if (!r)
		r = add_frame(pw, &toc, &at, e);
	buf_release(&toc.bytes);
	if (!r) {
		t.toc_off = at.off;
		t.toc_len = at.len;
		object_trailer_encode(tail, &t);
		r = append(pw, tail, sizeof(tail), e);
	}
	toc_release(&pw->toc);
	pw->open = false;
	if (!pw->sink)
		return r;
	if (r) {
		upload_abort(steal(pw->up));
		return r;
	}
	return close_later(pw, steal(pw->up), e);
}

int
pack_writer_add(struct pack_writer *pw, const struct packed *p,
	struct frame_place *at, struct err *e)
{
	int r = pw->open ? 0 : begin(pw, e);

	if (!r)
		r = add_frame(pw, p, at, e);
	if (r)
		return r;
	toc_add_frame(&pw->toc, p->type, at->off, at->len, p->plain_len);
	for (uint32_t i = 0; i < p->n_chunks; i++)
		toc_add_chunk(&pw->toc, p->chunks[i].id, p->chunks[i].off,
			p->chunks[i].len);
	return pw->off >= pw->target ? end(pw, e) : 0;
}

int
pack_writer_end(struct pack_writer *pw, struct err *e)
{
	return pw->open ? end(pw, e) : 0;
}

int
pack_writer_finish(struct pack_writer *pw, struct err *e)
{
	int r = pack_writer_end(pw, e);

	if (r)
		return r;
	auto_lock(&pw->lock);
	while (pw->n_closing)
		pthread_cond_wait(&pw->changed, &pw->lock);
	if (!pw->failed.code)
		return 0;
	*e = pw->failed;
	return -e->code;
}

uint64_t
pack_writer_bytes(const struct pack_writer *pw)
{
	return pw->total;
}
