/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The keys to an S3 service.  The first of these that is there:
 *
 *   1. YORE_S3_COMMAND, run by /bin/sh -c; its output is JSON as AWS defines it
 *      for credential_process (AccessKeyId, SecretAccessKey, SessionToken,
 *      Expiration)
 *   2. AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN
 *   3. the profile (of the address, AWS_PROFILE or "default") in
 *      AWS_SHARED_CREDENTIALS_FILE or ~/.aws/credentials, then in
 *      AWS_CONFIG_FILE or ~/.aws/config: aws_access_key_id,
 *      aws_secret_access_key, aws_session_token, or credential_process
 *
 * Read when first needed, and again a minute before they expire or when the
 * server says that they have.  Never logged.  Thread-safe; while a command runs
 * other threads wait.
 */
#ifndef YORE_STORE_S3_CREDENTIALS_H
#define YORE_STORE_S3_CREDENTIALS_H

#include <stdint.h>
#include "repo/base/err.h"

struct s3_identity {
	char *access_key; /* owned strings */
	char *secret_key;
	char *session_token; /* or NULL */
	int64_t expires_s;   /* since 1970; INT64_MAX: never */
	unsigned serial;     /* counts how often they were read */
};

struct s3_credentials;

/* profile is borrowed for the call; NULL: AWS_PROFILE or "default". */
struct s3_credentials *s3_credentials_new(const char *profile);
void s3_credentials_free(struct s3_credentials *c);

/* A copy of what is current; owes s3_identity_release.  -EPERM there are
 * none, or what was found is no use. */
int s3_credentials_get(
	struct s3_credentials *c, struct s3_identity *id, struct err *e);

/* Those with this serial were refused: the next get reads anew. */
void s3_credentials_refused(struct s3_credentials *c, unsigned serial);

/* Wiped. */
void s3_identity_release(struct s3_identity *id);

/* A setting of the profile in the configuration file, such as "region"; given,
 * NULL when there is none. */
char *s3_credentials_setting(const char *profile, const char *key);

#endif
