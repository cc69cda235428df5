/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * make_ltx MIN MAX TIME_MS BEFORE AFTER >FILE
 *
 * An LTX file from TXID MIN to MAX: the pages of the database AFTER that are
 * not the same in BEFORE ("-": all of them, as in a snapshot), as LZ4 blocks.
 */
#include <sys/mman.h>
#include <sys/stat.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <lz4.h>
#include "repo/base/buf.h"
#include "repo/base/bytes.h"
#include "repo/foreign/ltx.h"

struct input {
	const uint8_t *data;
	size_t len;
};

static uint64_t crc, written;

static void
emit(const void *data, size_t len)
{
	if (fwrite(data, 1, len, stdout) != len)
		abort();
	written += len;
}

/* What the sum covers as it stands in the file. */
static void
emit_summed(const void *data, size_t len)
{
	crc = ltx_crc(crc, data, len);
	emit(data, len);
}

static struct input
map(const char *path)
{
	int fd = open(path, O_RDONLY);
	struct stat st;
	struct input in;

	if (fd < 0 || fstat(fd, &st) < 0)
		abort();
	in.len = (size_t)st.st_size;
	in.data = mmap(NULL, in.len, PROT_READ, MAP_PRIVATE, fd, 0);
	close(fd);
	if (in.data == MAP_FAILED)
		abort();
	return in;
}

static void
emit_header(uint32_t page_size, uint32_t commit, char **argv)
{
	uint8_t h[LTX_HEADER_LEN] = "LTX1";

	put_be32(h + 4, 2);
	put_be32(h + 8, page_size);
	put_be32(h + 12, commit);
	put_be64(h + 16, strtoull(argv[1], NULL, 16));
	put_be64(h + 24, strtoull(argv[2], NULL, 16));
	put_be64(h + 32, strtoull(argv[3], NULL, 10));
	emit_summed(h, sizeof(h));
}

static void
emit_page(uint32_t pgno, const uint8_t *page, int page_size, struct buf *index)
{
	static char block[2 * LTX_PAGE_SIZE_MAX];
	uint64_t at = written;
	uint8_t h[10] = { 0 };
	int n = LZ4_compress_default(
		(const char *)page, block, page_size, sizeof(block));

	put_be32(h, pgno);
	put_be16(h + 4, 1);
	put_be32(h + 6, (uint32_t)n);
	emit_summed(h, sizeof(h));
	crc = ltx_crc(crc, page, (size_t)page_size);
	emit(block, (size_t)n);
	buf_varint(index, pgno);
	buf_varint(index, at);
	buf_varint(index, written - at);
}

static void
emit_end(struct buf *index)
{
	static const uint8_t zeros[8];

	emit_summed(zeros, LTX_PAGE_HEADER_LEN);
	buf_u8(index, 0);
	buf_be64(index, index->len);
	emit_summed(index->data, index->len);
	emit_summed(zeros, 8);
	crc |= LTX_SUM_FLAG;
	put_be64(index->data, crc);
	emit(index->data, 8);
}

int
main(int argc, char **argv)
{
	struct input before = { NULL, 0 }, after;
	struct buf index = BUF_INIT;
	uint32_t page_size, commit;

	if (argc != 6)
		return 2;
	if (argv[4][0] != '-')
		before = map(argv[4]);
	after = map(argv[5]);
	page_size = get_be16(after.data + 16);
	page_size = page_size == 1 ? 65536 : page_size;
	commit = (uint32_t)(after.len / page_size);
	emit_header(page_size, commit, argv);
	for (uint32_t i = 0; i < commit; i++) {
		size_t off = (size_t)i * page_size;

		if (i + 1 == ltx_lock_page(page_size) ||
			(off + page_size <= before.len &&
				memcmp(before.data + off, after.data + off,
					page_size) == 0))
			continue;
		emit_page(i + 1, after.data + off, (int)page_size, &index);
	}
	emit_end(&index);
	buf_release(&index);
	return fflush(stdout) != 0;
}
