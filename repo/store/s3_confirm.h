/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether an object that the service says it has stored is there. */
#ifndef YORE_STORE_S3_CONFIRM_H
#define YORE_STORE_S3_CONFIRM_H

#include "repo/store/s3_upload.h"

/* Whether losing the object would lose what nothing else can bring back; then
 * it is looked for before anything is let go. */
bool s3_confirm_wants(const char *name);

/*
 * Look for an object that was put: 0 if it is there, so long and with that ETag
 * ("": of any), or if this key may not look.  -ENODATA it is not, though it was
 * looked for again for a moment; -EBADMSG it is another one; other errors of
 * s3_call.
 */
int s3_confirm(struct s3_sink *s, const char *name, uint64_t len,
	const char *etag, struct err *e);

#endif
