/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "repo/store/s3_credentials.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include "repo/base/buf.h"
#include "repo/base/clock.h"
#include "repo/crypto/keyring.h"
#include "repo/store/s3_command.h"
#include "repo/store/s3_ini.h"

#define RENEW_S 60

struct s3_credentials {
	pthread_mutex_t lock;
	struct s3_identity now; /* guarded by lock */
	bool stale;		/* so is this */
	char *profile;
};

static void
wipe(char *s)
{
	if (s)
		secret_wipe(s, strlen(s));
	free(s);
}

void
s3_identity_release(struct s3_identity *id)
{
	wipe(id->access_key);
	wipe(id->secret_key);
	wipe(id->session_token);
	*id = (struct s3_identity){ .access_key = NULL };
}

struct s3_credentials *
s3_credentials_new(const char *profile)
{
	struct s3_credentials *c = xcalloc(1, sizeof(*c));

	pthread_mutex_init(&c->lock, NULL);
	c->profile = profile ? xstrdup(profile) : NULL;
	return c;
}

void
s3_credentials_free(struct s3_credentials *c)
{
	if (!c)
		return;
	s3_identity_release(&c->now);
	pthread_mutex_destroy(&c->lock);
	free(c->profile);
	free(c);
}

/* -- Where they come from ------------------------------------------------- */

static const char *
set_variable(const char *name)
{
	const char *value = getenv(name);

	return value && *value ? value : NULL;
}

static const char *
profile_name(const char *profile)
{
	if (!profile)
		profile = set_variable("AWS_PROFILE");
	return profile ? profile : "default";
}

/* The path that a variable names, or one below home; given, may be NULL. */
static char *
file_path(const char *variable, const char *below_home)
{
	const char *path = set_variable(variable), *home = getenv("HOME");

	if (path)
		return xstrdup(path);
	return home ? xasprintf("%s/%s", home, below_home) : NULL;
}

static char *
from_file(const char *path, const char *profile, const char *key)
{
	return path ? s3_ini_file(path, profile_name(profile), key) : NULL;
}

char *
s3_credentials_setting(const char *profile, const char *key)
{
	auto_free char *path = file_path("AWS_CONFIG_FILE", ".aws/config");

	return from_file(path, profile, key);
}

static bool
from_environment(struct s3_identity *id)
{
	const char *access = set_variable("AWS_ACCESS_KEY_ID");
	const char *secret = set_variable("AWS_SECRET_ACCESS_KEY");
	const char *token = set_variable("AWS_SESSION_TOKEN");

	if (!access || !secret)
		return false;
	id->access_key = xstrdup(access);
	id->secret_key = xstrdup(secret);
	id->session_token = token ? xstrdup(token) : NULL;
	id->expires_s = INT64_MAX;
	return true;
}

/* Keys or a command for them; -ENOENT neither is in the file. */
static int
from_profile(const char *path, const char *profile, struct s3_identity *id,
	struct err *e)
{
	auto_free char *command = NULL;

	id->access_key = from_file(path, profile, "aws_access_key_id");
	id->secret_key = from_file(path, profile, "aws_secret_access_key");
	id->session_token = from_file(path, profile, "aws_session_token");
	id->expires_s = INT64_MAX;
	if (id->access_key && id->secret_key)
		return 0;
	s3_identity_release(id);
	command = from_file(path, profile, "credential_process");
	return command ? s3_command_run(command, id, e) : -ENOENT;
}

static int
find(const char *profile, struct s3_identity *id, struct err *e)
{
	auto_free char *credentials =
		file_path("AWS_SHARED_CREDENTIALS_FILE", ".aws/credentials");
	auto_free char *config = file_path("AWS_CONFIG_FILE", ".aws/config");
	const char *command = set_variable("YORE_S3_COMMAND");
	int r;

	if (command)
		return s3_command_run(command, id, e);
	/* a profile that was asked for is meant */
	if (!profile && from_environment(id))
		return 0;
	r = from_profile(credentials, profile, id, e);
	if (r == -ENOENT)
		r = from_profile(config, profile, id, e);
	if (r != -ENOENT)
		return r;
	return err_set(e, EPERM,
		"no S3 keys: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, "
		"or write profile \"%s\" into %s",
		profile_name(profile),
		credentials ? credentials : "AWS_SHARED_CREDENTIALS_FILE");
}

/* -- What is current ------------------------------------------------------ */

/* The lock is held. */
static int
refresh(struct s3_credentials *c, struct err *e)
{
	struct s3_identity id = { .access_key = NULL };
	unsigned serial = c->now.serial;
	int r = find(c->profile, &id, e);

	if (r < 0)
		return r;
	s3_identity_release(&c->now);
	c->now = id;
	c->now.serial = serial + 1;
	c->stale = false;
	return 0;
}

static bool
must_refresh(const struct s3_credentials *c)
{
	int64_t now = clock_wall_ns() / NS_PER_S;

	return !c->now.access_key || c->stale ||
	       (c->now.expires_s != INT64_MAX &&
		       c->now.expires_s - RENEW_S <= now);
}

int
s3_credentials_get(
	struct s3_credentials *c, struct s3_identity *id, struct err *e)
{
	auto_lock(&c->lock);
	int r = must_refresh(c) ? refresh(c, e) : 0;

	if (r < 0)
		return r;
	*id = c->now;
	id->access_key = xstrdup(c->now.access_key);
	id->secret_key = xstrdup(c->now.secret_key);
	if (c->now.session_token)
		id->session_token = xstrdup(c->now.session_token);
	return 0;
}

void
s3_credentials_refused(struct s3_credentials *c, unsigned serial)
{
	auto_lock(&c->lock);

	if (c->now.serial == serial)
		c->stale = true;
}
