/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A whole LTX file gone through: its sum is right, its parts agree. */
#ifndef YORE_FOREIGN_LTX_VERIFY_H
#define YORE_FOREIGN_LTX_VERIFY_H

#include "repo/foreign/ltx.h"

/* Bytes of a file; read gives exactly len of them or -errno. */
struct ltx_input {
	uint64_t size;
	int (*read)(
		void *ctx, uint64_t off, size_t len, void *buf, struct err *e);
	void *ctx;
};

/* What is remembered of a page: enough to know it again. */
#define LTX_PAGE_SUM(page, page_size) ((uint32_t)ltx_crc(0, page, page_size))

/*
 * Read a file from its beginning to its end, in memory of a fixed size:
 * pages ascend, lie inside the database, are the ones and where the index
 * says; all of them in a file that begins with TXID 1; the sum is right.
 * Calls each (NULL is allowed) for every page as it comes, before the sum is
 * known, until one returns false (-ECANCELED then).  *h is filled.  -EBADMSG,
 * -EUCLEAN, -errno of the input.
 */
int ltx_verify(const struct ltx_input *in, struct ltx_header *h,
	bool (*each)(void *ctx, const struct ltx_entry *x, uint32_t sum),
	void *ctx, struct err *e);

#endif
