/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between the parts of the S3 sink: writing one object. */
#ifndef YORE_STORE_S3_UPLOAD_H
#define YORE_STORE_S3_UPLOAD_H

#include "repo/store/s3_object.h"

struct s3_sink {
	struct sink sink;
	struct s3_client *client;
	atomic_bool unconditional; /* the service cannot refuse taken names */
	atomic_bool blind; /* this key may not look at what it has put */

	/* What all uploads have in memory, sent or not; the lock is a leaf. */
	pthread_mutex_t lock;
	pthread_cond_t changed;
	uint64_t bytes; /* guarded by lock */
};

/* A whole object, as put of struct sink_ops. */
int s3_upload_whole(struct s3_sink *s, const char *name, const void *data,
	size_t len, struct err *e);

/* As in struct sink_ops; ops is what the upload is given. */
int s3_upload_begin(struct s3_sink *s, const struct sink_ops *ops,
	const char *name, struct upload **up, struct err *e);
int s3_upload_append(
	struct upload *up, const void *data, size_t len, struct err *e);
int s3_upload_commit(struct upload *up, struct err *e);
void s3_upload_abort(struct upload *up);

/* Append text with what XML would take for its own as references. */
void s3_upload_escape(struct buf *out, const char *text);

#endif
