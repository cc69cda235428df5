/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A write-ahead log of a zlayer replica: which page is where in it, as far as
 * it was committed.
 *
 * zlayer copies the file as it is, with frames of older logs behind those of
 * its own.  A frame whose salts are the log's but whose sum is not is damage,
 * or was being written: either way the log is not used, for what comes before
 * it may be older than what the log stood for.
 */
#ifndef YORE_FOREIGN_ZLAYER_LOG_H
#define YORE_FOREIGN_ZLAYER_LOG_H

#include "repo/foreign/unpacked.h"
#include "repo/sqlite/wal.h"

#define ZLAYER_FRAMES_MAX (2u << 20)

struct zlayer_page {
	uint32_t pgno;
	uint64_t off; /* of its bytes in the log */
};

struct zlayer_log {
	bool empty; /* no bytes at all; then all else is zero */
	struct wal_header header;
	uint64_t n_frames;     /* that the file has room for, older ones too */
	uint32_t commit_pages; /* 0: nothing was committed */
	struct zlayer_page *pages; /* by number, each once, up to that many */
	size_t n_pages;
};

#define ZLAYER_LOG_INIT                     \
	{                                   \
		.pages = NULL, .n_pages = 0 \
	}

/* Only the header, from the beginning of the object.  -EUCLEAN, -EBADMSG it is
 * none. */
int zlayer_log_head(const struct unpacked_source *src, struct zlayer_log *log,
	struct err *e);
/* All of it, read to its end and kept.  -EBADMSG, -EUCLEAN damaged. */
int zlayer_log_load(const struct unpacked_source *src, struct zlayer_log *log,
	struct err *e);
/* NULL: the log has no such page. */
const struct zlayer_page *zlayer_log_find(
	const struct zlayer_log *log, uint32_t pgno);
void zlayer_log_release(struct zlayer_log *log);

#define auto_zlayer_log AUTO(zlayer_log_release)

#endif
