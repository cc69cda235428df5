/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The index begins with two copies of a header, written one after the other;
 * they count when they are equal and the sum in them verifies.  Integers are in
 * the machine's order, but for the salts, which are as in the log.
 */
#include <errno.h>
#include <string.h>
#include "repo/base/bytes.h"
#include "repo/sqlite/wal.h"
#include "repo/write/replicate/index.h"

#define REGION_LEN 32768
#define HEADER_WORDS 12
#define COPIED_WORD (2 * HEADER_WORDS)
#define VERSION 3007000u
#define TRIES 100

/* Words of one copy. */
enum {
	WORD_VERSION,
	WORD_UNUSED,
	WORD_CHANGE,
	WORD_FLAGS, /* bytes: initialised, big-endian sums, u16 page size */
	WORD_FRAMES,
	WORD_PAGES,
	WORD_SUM,
	WORD_SALT = 8,
	WORD_OWN_SUM = 10,
};

static volatile uint32_t *
map(sqlite3 *db, sqlite3_file **file)
{
	void volatile *region = NULL;

	*file = NULL;
	if (sqlite3_file_control(db, "main", SQLITE_FCNTL_FILE_POINTER, file) ||
		!*file || !(*file)->pMethods ||
		(*file)->pMethods->iVersion < 2 ||
		(*file)->pMethods->xShmMap(*file, 0, REGION_LEN, 0, &region))
		return NULL;
	return region;
}

static void
copy_header(const volatile uint32_t *from, uint32_t *to)
{
	for (int i = 0; i < HEADER_WORDS; i++)
		to[i] = __atomic_load_n(from + i, __ATOMIC_ACQUIRE);
}

static bool
verifies(const uint32_t *h)
{
	uint32_t sum[2] = { 0, 0 };
	const bool big = __BYTE_ORDER == __BIG_ENDIAN;
	uint8_t bytes[HEADER_WORDS * 4];

	memcpy(bytes, h, sizeof(bytes));
	wal_sum(big, bytes, WORD_OWN_SUM * 4, sum);
	return !memcmp(sum, h + WORD_OWN_SUM, sizeof(sum)) &&
	       h[WORD_VERSION] == VERSION && bytes[WORD_FLAGS * 4];
}

static void
decode(const uint32_t *h, uint32_t copied, struct wal_index *ix)
{
	uint8_t bytes[HEADER_WORDS * 4];
	uint16_t page;

	memcpy(bytes, h, sizeof(bytes));
	memcpy(&page, bytes + WORD_FLAGS * 4 + 2, sizeof(page));
	*ix = (struct wal_index){
		/* 65536 is coded as 1 */
		.page_size = (page & 0xfe00u) + ((page & 1u) << 16),
		.salt = { get_be32(bytes + WORD_SALT * 4),
			get_be32(bytes + WORD_SALT * 4 + 4) },
		.frames = h[WORD_FRAMES],
		.pages = h[WORD_PAGES],
		.sum = { h[WORD_SUM], h[WORD_SUM + 1] },
		.big_endian = bytes[WORD_FLAGS * 4 + 1],
		.copied = copied,
	};
}

int
wal_index_read(sqlite3 *db, struct wal_index *ix, struct err *e)
{
	sqlite3_file *file;
	volatile uint32_t *p = map(db, &file);
	uint32_t first[HEADER_WORDS], second[HEADER_WORDS], copied;

	if (!p)
		return err_set(e, ENOTSUP,
			"the index of its write-ahead log "
			"is not shared");
	for (int i = 0; i < TRIES; i++) {
		copy_header(p, first);
		file->pMethods->xShmBarrier(file);
		copy_header(p + HEADER_WORDS, second);
		copied = __atomic_load_n(p + COPIED_WORD, __ATOMIC_ACQUIRE);
		if (!memcmp(first, second, sizeof(first)) && verifies(first)) {
			decode(first, copied, ix);
			return 0;
		}
		sqlite3_sleep(1);
	}
	return err_set(e, EAGAIN,
		"the index of its write-ahead log is being "
		"changed");
}
