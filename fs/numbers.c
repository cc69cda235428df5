/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>
#include "fs/nodes.h"
#include "fs/numbers.h"

#define MOMENT_BIT (1ULL << 63)
#define MOMENT_MASK ((1ULL << 60) - 1)
#define KEY_MASK ((1ULL << 48) - 1)
#define CLASS_VIRTUAL (2ULL << 62)
#define CLASS_MOMENT (3ULL << 62)
#define INO_HASHED 3

/* FNV-1a: names are not secrets, and numbers must not differ between runs. */
static uint64_t
hash_more(uint64_t h, const char *text)
{
	for (; *text; text++)
		h = (h ^ (unsigned char)*text) * 0x100000001b3ULL;
	return h;
}

/* Every bit of the result depends on every bit of x (splitmix64). */
static uint64_t
mix(uint64_t x)
{
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
	return x ^ (x >> 31);
}

uint64_t
numbers_of_snapshot(const struct history_point *p)
{
	return p->key;
}

uint64_t
numbers_of_moment(const struct history_source *s, const struct history_point *p)
{
	uint64_t h = hash_more(0xcbf29ce484222325ULL, s->host);

	h = mix(hash_more(hash_more(h, "/"), s->name)) & MOMENT_MASK;
	return MOMENT_BIT | (h ^ (p->key & KEY_MASK));
}

uint64_t
numbers_inode(uint64_t point, uint64_t ino)
{
	if (!(point & MOMENT_BIT))
		return (point << NODE_SHIFT | ino) + 1;
	point &= MOMENT_MASK;
	if (ino < INO_HASHED)
		return CLASS_MOMENT | point << 2 | ino;
	return CLASS_MOMENT | (mix(mix(point) + ino) & MOMENT_MASK) << 2 |
	       INO_HASHED;
}

uint64_t
numbers_virtual(uint64_t parent, const char *name)
{
	uint64_t h = parent ? parent : 0xcbf29ce484222325ULL;

	h = hash_more(hash_more(h, "/"), name);
	return CLASS_VIRTUAL | (h & ~CLASS_MOMENT);
}
