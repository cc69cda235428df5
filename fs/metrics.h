/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the mount has been asked and how long it took.  Requests about .yore/
 * itself are not counted, so that looking does not change what is seen.
 */
#ifndef YORE_FS_METRICS_H
#define YORE_FS_METRICS_H

#include <stdbool.h>
#include <stdint.h>
#include "repo/base/buf.h"
#include "repo/base/histogram.h"

enum op {
	OP_LOOKUP,
	OP_GETATTR,
	OP_READLINK,
	OP_OPEN,
	OP_READ,
	OP_OPENDIR,
	OP_READDIR,
	OP_READDIRPLUS,
	OP_GETXATTR,
	OP_LISTXATTR,
	OP_LSEEK,
	OP_STATFS,
	OP_FORGET,
	OP_OTHER, /* ioctl, and what a read-only mount refuses */
	N_OPS
};

struct metrics {
	struct {
		_Atomic uint64_t n;
		struct histogram seconds;
	} op[N_OPS];
	_Atomic uint64_t read_bytes;   /* answered to READ */
	_Atomic uint64_t stored_files; /* handed to the kernel unasked */
	_Atomic uint64_t stored_bytes;
	_Atomic uint64_t errors; /* answered EIO or ESTALE */
	_Atomic uint64_t refreshes;
	_Atomic uint64_t refresh_errors;
	_Atomic int64_t last_request_ns; /* monotonic */
};

/* A request has come at now_ns (monotonic): counted before it is answered,
 * so that whoever has the answer finds it counted. */
void metrics_begin(struct metrics *m, enum op op, int64_t now_ns);
/* It has been answered ns nanoseconds later. */
void metrics_end(struct metrics *m, enum op op, int64_t ns);
const char *metrics_op_name(enum op op);

/* One more number that a caller wants shown beside the above. */
struct metric {
	const char *name; /* without the leading yore_ */
	const char *help;
	bool counter; /* only grows */
	uint64_t value;
};

/* What is shown beside the above. */
struct metrics_more {
	const struct metric *numbers;
	size_t n;
	struct histogram_counts store_seconds;
};

/* Append everything, and more, as Prometheus text or JSON. */
void metrics_prometheus(const struct metrics *m,
	const struct metrics_more *more, struct buf *out);
void metrics_json(const struct metrics *m, const struct metrics_more *more,
	struct buf *out);

#endif
