/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading one object, the same for S3 and static trees. */
#ifndef YORE_STORE_S3_OBJECT_H
#define YORE_STORE_S3_OBJECT_H

#include "repo/store/s3_client.h"

#define S3_READ_PATIENCE_S 60
#define S3_WRITE_PATIENCE_S 600

/* As get, size and metadata of struct store_ops. */
int s3_object_get(struct s3_client *c, const char *name, uint64_t off,
	size_t len, void *buf, size_t *got, const struct store_call *how,
	struct err *e);
int s3_object_size(
	struct s3_client *c, const char *name, uint64_t *size, struct err *e);
int s3_object_metadata(struct s3_client *c, const char *name, const char *key,
	char *out, size_t size, struct err *e);

#endif
