/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Entries, extents and references as a hostile file system and an unlucky
 * packer would make them: chosen by a seed from the values at the bounds.
 * What a sample borrows lives in its struct samples.
 */
#ifndef YORE_TESTS_SAMPLES_H
#define YORE_TESTS_SAMPLES_H

#include <string.h>
#include <sys/stat.h>
#include "repo/format/entry.h"

#define SAMPLES_MAX 64

struct samples {
	uint64_t state; /* of the generator; not 0 */
	uint8_t names[SAMPLES_MAX][NAME_LEN_MAX];
	uint8_t data[SYMLINK_LEN_MAX + 1];
	struct ref xattrs[SAMPLES_MAX];
	struct ref interior[SAMPLES_MAX];
	struct ref last; /* what the next reference may be near to */
};

static inline uint64_t
sample_below(struct samples *s, uint64_t n)
{
	s->state ^= s->state << 13;
	s->state ^= s->state >> 7;
	s->state ^= s->state << 17;
	return (s->state >> 11) % n;
}

static inline uint64_t
sample_one(struct samples *s, const uint64_t *of, size_t n)
{
	return of[sample_below(s, n)];
}

#define SAMPLE(s, ...)                                     \
	sample_one((s), (const uint64_t[]){ __VA_ARGS__ }, \
		sizeof((const uint64_t[]){ __VA_ARGS__ }) / 8)

/* Near the reference before in one of all the ways hints distinguish. */
static inline struct ref
sample_ref(struct samples *s, enum object_type object, uint32_t len)
{
	struct ref r = s->last;
	uint32_t room = (16u << 20) - len;

	switch (sample_below(s, 5)) {
	case 0:
		break; /* the same frame, same chunk */
	case 1:
		r.chunk_off += r.chunk_len;
		break;
	case 2:
		r.place.off += r.place.len;
		r.place.len = (uint32_t)SAMPLE(s, 32, 4096, 17u << 20);
		break;
	case 3:
		r.place.off = SAMPLE(s, 64, 65536, 1ULL << 47);
		break;
	default:
		memset(r.place.pack, (int)sample_below(s, 4), OBJECT_ID_LEN);
	}
	if (sample_below(s, 3) == 0)
		r.chunk_off = (uint32_t)SAMPLE(s, 0, 1, 128, room);
	if (r.chunk_off > room)
		r.chunk_off = 0;
	for (size_t i = 0; i < CHUNK_ID_LEN; i++)
		r.id[i] = (uint8_t)sample_below(s, 256);
	r.place.object = (uint8_t)object;
	r.chunk_len = len;
	if (r.place.off > 1ULL << 47)
		r.place.off = 64;
	s->last = r;
	return r;
}

static inline int64_t
sample_time(struct samples *s)
{
	return (int64_t)SAMPLE(s, 0, 1, (uint64_t)-1, 0x7fffffff, 0x80000000,
		0xffffffff, 0x100000000, 1763000000, (uint64_t)INT64_MAX,
		(uint64_t)INT64_MIN, (uint64_t)-2000000000);
}

static inline struct totals
sample_totals(struct samples *s)
{
	struct totals t = { .entries = SAMPLE(s, 1, 2, 1000, 1ULL << 31),
		.bytes = SAMPLE(s, 0, 1, 1ULL << 40, (uint64_t)INT64_MAX),
		.newest_ns = (int64_t)SAMPLE(s, 0, 1, (uint64_t)INT64_MAX),
		.flags = (uint8_t)sample_below(s, 4) };

	t.files = t.entries / (1 + sample_below(s, 3));
	return t;
}

static inline void
sample_attributes(struct samples *s, struct entry *en)
{
	en->mode |= (uint32_t)SAMPLE(s, 0, 0644, 0755, 07777, 04755);
	en->uid = (uint32_t)SAMPLE(s, 0, 1000, 65534, UINT32_MAX);
	en->gid = (uint32_t)SAMPLE(s, 0, 1000, UINT32_MAX);
	en->ino = SAMPLE(s, 0, 1, 2, 1ULL << 40, UINT64_MAX);
	en->mtime_s = sample_time(s);
	en->mtime_ns = (uint32_t)SAMPLE(s, 0, 1, 999999999);
	en->ctime_s = sample_below(s, 2) ? en->mtime_s : sample_time(s);
	en->ctime_ns = sample_below(s, 2) ? en->mtime_ns : 123456789;
	en->nlink = (uint32_t)SAMPLE(s, 0, 1, 2, 3, UINT32_MAX);
	if (!S_ISDIR(en->mode) && sample_below(s, 2))
		en->link = SAMPLE(s, 1, 2, 128, (1ULL << 38) - 1);
	if (S_ISCHR(en->mode) || S_ISBLK(en->mode))
		en->rdev = SAMPLE(s, 0, 0x103, 0x801, UINT64_MAX);
}

static inline void
sample_content(struct samples *s, struct entry *en)
{
	en->size = SAMPLE(s, 0, 4096, 123);
	if (S_ISLNK(en->mode)) {
		en->content = CONTENT_INLINE;
		en->size = SAMPLE(s, 1, 11, SYMLINK_LEN_MAX);
	} else if (S_ISDIR(en->mode)) {
		en->content = sample_below(s, 2) ? CONTENT_MAP : CONTENT_NONE;
		if (en->content)
			en->totals = sample_totals(s);
	} else if (S_ISREG(en->mode)) {
		en->content = (uint8_t)sample_below(s, 4);
		en->size =
			en->content == CONTENT_NONE ? 0
			: en->content == CONTENT_INLINE
				? SAMPLE(s, 1, 7, INLINE_LEN_MAX)
			: en->content == CONTENT_CHUNK
				? SAMPLE(s, 1, 129, 4096, 16u << 20)
				: SAMPLE(s, 1, 1ULL << 40, (uint64_t)INT64_MAX);
	}
	en->data = en->content == CONTENT_INLINE ? s->data : NULL;
	if (en->content == CONTENT_CHUNK)
		en->ref = sample_ref(s, OBJECT_DATA, (uint32_t)en->size);
	else if (en->content == CONTENT_MAP)
		en->ref = sample_ref(
			s, OBJECT_META, (uint32_t)SAMPLE(s, 1, PAGE_LEN_MAX));
	en->blocks = SAMPLE(s, 0, 8, (en->size + 4095) / 4096 * 8, 1ULL << 60);
}

/* Sample i without its name. */
static inline struct entry
sample_entry(struct samples *s, size_t i)
{
	struct entry en = { .mode = (uint32_t)SAMPLE(s, S_IFREG, S_IFREG,
				    S_IFDIR, S_IFLNK, S_IFCHR, S_IFBLK, S_IFIFO,
				    S_IFSOCK) };

	memset(s->data, 'x', sizeof(s->data));
	sample_attributes(s, &en);
	sample_content(s, &en);
	switch (sample_below(s, 4)) {
	case 0:
		en.xattrs = s->data;
		en.xattrs_len = (uint32_t)SAMPLE(s, 1, 100, INLINE_XATTRS_MAX);
		break;
	case 1:
		s->xattrs[i] = sample_ref(s, OBJECT_META,
			(uint32_t)SAMPLE(s, 1, 300, XATTRS_LEN_MAX));
		en.xattrs_ref = &s->xattrs[i];
	}
	if (S_ISREG(en.mode) && en.content == CONTENT_MAP && SAMPLE(s, 0, 1)) {
		s->interior[i] = sample_ref(s, OBJECT_META,
			(uint32_t)SAMPLE(s, 1, 300, PAGE_LEN_MAX));
		en.interior = &s->interior[i];
	}
	return en;
}

/* Name i of a series that ascends: any bytes, up to 255 of them. */
static inline uint32_t
sample_name(struct samples *s, size_t i, const uint8_t **name)
{
	uint8_t *to = s->names[i];
	uint32_t len = (uint32_t)SAMPLE(s, 2, 3, 20, 254, 255);

	to[0] = (uint8_t)(i / 8 + 48); /* past '/' */
	to[1] = (uint8_t)(i % 8 * 30 + 1 + sample_below(s, 14));
	for (uint32_t k = 2; k < len; k++) {
		to[k] = (uint8_t)(1 + sample_below(s, 255));
		if (to[k] == '/')
			to[k] = 0xff;
	}
	*name = to;
	return len;
}

#endif
