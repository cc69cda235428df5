/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is kept of a log's frames, encoded and back; for log.c. */
#ifndef YORE_FOREIGN_LITESTREAM03_LOG_RECORD_H
#define YORE_FOREIGN_LITESTREAM03_LOG_RECORD_H

#include "repo/base/buf.h"
#include "repo/foreign/litestream03/log.h"

/* But for `first`, which is of a timeline. */
void ls03_log_record_encode(const struct ls03_log *log, struct buf *out);
/* *log is given; -EUCLEAN it is no record. */
int ls03_log_record_decode(const uint8_t *in, size_t len, struct ls03_log *log);

#endif
