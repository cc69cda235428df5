/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What an answer means: whether to try again, and which error it is. */
#ifndef YORE_STORE_S3_JUDGE_H
#define YORE_STORE_S3_JUDGE_H

#include "repo/store/s3_client.h"

enum s3_verdict { S3_ENDED, S3_AGAIN_LATER, S3_AGAIN_NOW };

/* Looks at call->rs; sets call->error, and notes in client and call what the
 * next attempt is to know. */
enum s3_verdict s3_judge(struct s3_client *c, struct s3_call *call);

/* The error of the last attempt; 0 when there is none. */
int s3_judge_error(struct s3_client *c, struct s3_call *call, struct err *e);

#endif
