/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Names of a Litestream 0.3 replica's objects, below generations/.  Programs
 * of that line wrote four dialects (I index, O offset, G generation: 16 digits;
 * all digits are lower-case hexadecimal):
 *
 *	G/snapshots/IIIIIIII.snapshot.lz4	and, of 0.3.5 to 0.3.14:
 *	G/wal/IIIIIIII_OOOOOOOO.wal.lz4
 *	G/wal/IIIIIIII.wal.lz4			0.3.0 to 0.3.4 in directories: a
 *	G/wal/IIIIIIII.wal			finished log; the one under way,
 *						neither compressed nor final
 *	G/wal/IIIIIIII/OOOOOOOO.wal.lz4		between 0.3 and 0.4
 *	the last with 16 digits for I and O, snapshots too: 0.4 betas
 *
 * An offset too big for 8 digits has more.
 */
#ifndef YORE_FOREIGN_LITESTREAM03_NAME_H
#define YORE_FOREIGN_LITESTREAM03_NAME_H

#include <stdbool.h>
#include <stdint.h>

#define LS03_GENERATION_LEN 16
#define LS03_INDEX_MAX 0x7fffffffu
#define LS03_NAME_MAX 80 /* with the terminator */

enum ls03_kind {
	LS03_SNAPSHOT,
	LS03_SNAPSHOT_16, /* digits */
	LS03_SEGMENT,	  /* I_O */
	LS03_SEGMENT_8,	  /* I/O */
	LS03_SEGMENT_16,
	LS03_WHOLE, /* a log in one object */
	LS03_LIVE,  /* the same while it grows */
};

struct ls03_name {
	char generation[LS03_GENERATION_LEN + 1];
	enum ls03_kind kind;
	uint32_t index; /* at most LS03_INDEX_MAX */
	uint64_t off;	/* of the segment's first byte in its log */
};

/* False: it is no such name. */
bool ls03_name_parse(const char *name, struct ls03_name *n);
void ls03_name_print(char out[LS03_NAME_MAX], const struct ls03_name *n);
/* 16 lower-case hexadecimal digits, and then the end or a '/'. */
bool ls03_name_is_generation(const char *text);

#endif
