/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How far to read ahead in one stream of bytes (a file, or a pack that files
 * are read from in order).  Pure arithmetic: no I/O, no lock of its own.
 *
 * A stream has several windows, one for each reader that goes through it.  A
 * read belongs to the window whose front is nearest, if that is at most
 * READAHEAD_SLACK away in either direction: the kernel reorders its own
 * read-ahead by about that much.  A read that belongs to none is a miss and
 * starts a window of its own.
 *
 * A window may ask for bytes ahead as soon as at least half of what it has
 * passed has been read, by more than one read (a first read of 64 KiB or more
 * at offset 0 is enough).  It asks for 128 KiB ahead at first, because files
 * are often left after their first megabyte; from then on it doubles each time
 * as much as it reaches has been read.  After three misses in a row no window
 * asks until reads are sequential again.
 */
#ifndef YORE_FETCH_READAHEAD_H
#define YORE_FETCH_READAHEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define READAHEAD_WINDOWS 4
#define READAHEAD_SLACK (1u << 20)
#define READAHEAD_FIRST (128u << 10)
#define READAHEAD_HOLD (5u << 18) /* bytes read before it doubles first */
#define READAHEAD_MISSES 3

struct readahead_window {
	uint64_t front;	 /* end of the furthest read */
	uint64_t asked;	 /* bytes before here have been asked for */
	uint64_t passed; /* bytes between its (recent) start and its front */
	uint64_t read;	 /* of those, read; at most passed */
	uint64_t since;	 /* passed since it last doubled */
	uint64_t reach;	 /* how far ahead it asks; 0 an unused window */
	uint32_t reads;
	uint32_t used; /* stream.clock when last used */
};

/* All zeros is a new stream. */
struct stream {
	struct readahead_window windows[READAHEAD_WINDOWS];
	uint32_t clock;
	uint32_t misses; /* in a row */
	bool near; /* what is asked for comes at once */
};

/* Bytes to ask for now: [from, to); none when equal. */
struct readahead {
	bool sequential;
	uint64_t from;
	uint64_t to;
};

/*
 * A read of [off, off + len), len > 0, of a stream that ends at `size`.  Asks
 * at most reach_max (at least READAHEAD_FIRST) bytes ahead of the read's end,
 * and in strides, so that what is asked for can be joined: half a window, of
 * long ones 1 MiB or an eighth; 256 KiB of what is near.
 */
struct readahead stream_read(struct stream *s, uint64_t off, size_t len,
	uint64_t size, size_t reach_max);
/* Whether a read at off belongs to a window; *front (NULL is allowed) is how far
 * that has come. */
bool stream_is_near(const struct stream *s, uint64_t off, uint64_t *front);
/*
 * A reader whose window in `from` has its front at `front`, or at most `past`
 * bytes behind that, goes on at off in another stream: the window moves there.
 * False: there is none.
 */
bool stream_move(struct stream *from, uint64_t front, uint64_t past,
	struct stream *to, uint64_t off);
/* What lies ahead of the readers was asked for in vain: ask anew. */
void stream_start_over(struct stream *s);
/* Of what ra asks for, only the bytes before `until` could be; a later read is
 * to ask for the others. */
void stream_ask_again(struct stream *s, const struct readahead *ra,
	uint64_t until);

#endif
