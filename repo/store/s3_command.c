/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "repo/store/s3_command.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include "repo/base/buf.h"
#include "repo/base/clock.h"
#include "repo/base/jansson.h"
#include "repo/crypto/keyring.h"

#define OUTPUT_MAX (64u << 10)
#define PATIENCE_MS 60000

extern char **environ;

/* -- What it said --------------------------------------------------------- */

static char *
copy_of(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s && *s ? xstrdup(s) : NULL;
}

/* 2026-11-21T03:00:00Z or with an offset; INT64_MAX when it does not say. */
static bool
parse_expiration(const char *text, int64_t *out)
{
	struct tm tm = { .tm_isdst = 0 };
	char *end;

	*out = INT64_MAX;
	if (!text)
		return true;
	end = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
	if (!end)
		return false;
	if (*end == '.')
		end += 1 + strspn(end + 1, "0123456789");
	*out = (int64_t)timegm(&tm);
	if (strcmp(end, "Z") == 0)
		return true;
	end = strptime(end, "%z", &tm);
	if (!end || *end)
		return false;
	*out -= tm.tm_gmtoff;
	return true;
}

int
s3_command_parse(
	const char *json, size_t len, struct s3_identity *id, struct err *e)
{
	json_t *o = json_loadb(json, len, 0, NULL);
	bool good;

	*id = (struct s3_identity){
		.access_key = copy_of(o, "AccessKeyId"),
		.secret_key = copy_of(o, "SecretAccessKey"),
		.session_token = copy_of(o, "SessionToken"),
	};
	good = parse_expiration(
		json_string_value(json_object_get(o, "Expiration")),
		&id->expires_s);
	json_decref(o);
	if (id->access_key && id->secret_key && good)
		return 0;
	s3_identity_release(id);
	return err_set(e, EPERM,
		"the command for S3 keys did not print JSON with AccessKeyId "
		"and SecretAccessKey");
}

/* -- Running it ----------------------------------------------------------- */

static int
spawn(const char *command, int out, pid_t *pid)
{
	char sh[] = "sh", c[] = "-c";
	auto_free char *text = xstrdup(command);
	char *argv[] = { sh, c, text, NULL };
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t none;
	int r;

	sigemptyset(&none);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&actions, out, 1);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
	r = posix_spawn(pid, "/bin/sh", &actions, &attributes, argv, environ);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	return r;
}

/* Read to the end; false when that takes too long or is too much. */
static bool
read_output(int fd, char *text, size_t *len)
{
	int64_t end = clock_mono_ns() + PATIENCE_MS * 1000000LL;

	while (*len < OUTPUT_MAX) {
		int64_t left = (end - clock_mono_ns()) / 1000000;
		struct pollfd p = { .fd = fd, .events = POLLIN };
		int r = left > 0 ? poll(&p, 1, (int)left) : 0;
		ssize_t n;

		if (r < 0 && errno == EINTR)
			continue;
		if (r <= 0)
			return false;
		n = read(fd, text + *len, OUTPUT_MAX - *len);
		if (n == 0)
			return true;
		if (n < 0 && errno != EINTR)
			return false;
		*len += n > 0 ? (size_t)n : 0;
	}
	return false;
}

static bool
ended_well(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return false;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

int
s3_command_run(const char *command, struct s3_identity *id, struct err *e)
{
	char *text;
	size_t len = 0;
	int fds[2], r;
	bool whole, well;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_sys(e, errno, "cannot make a pipe");
	auto_close int from = fds[0];
	r = spawn(command, fds[1], &pid);
	close(fds[1]);
	if (r != 0)
		return err_sys(e, r, "cannot run the command for S3 keys");
	text = xmalloc(OUTPUT_MAX);
	whole = read_output(from, text, &len);
	if (!whole)
		kill(pid, SIGKILL);
	well = ended_well(pid);
	r = whole && well ? s3_command_parse(text, len, id, e)
			  : err_set(e, EPERM, "the command for S3 keys %s",
				    whole ? "failed" : "did not end in time");
	secret_wipe(text, len);
	free(text);
	return r;
}
