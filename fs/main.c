/* SPDX-License-Identifier: GPL-2.0-or-later */
/* yorefs: opens a repository and mounts it. */
#include <errno.h>
#include <string.h>
#include "repo/base/log.h"
#include "repo/base/memory.h"
#include "repo/open.h"
#include "repo/unlock.h"
#include "fs/daemon.h"
#include "fs/metrics_socket.h"
#include "fs/mount.h"
#include "fs/mountpoint.h"
#include "fs/options.h"
#include "fs/serve.h"

enum {
	FAILED = 1,
	USAGE = 2,
	NO_REPOSITORY = 10,
	LOCKED_OUT = 11,
	INTERRUPTED = 130
};

#define auto_history AUTO(free_history)
static void
free_history(struct history **h)
{
	history_free(*h);
}

static int
exit_status(int rc)
{
	switch (rc) {
	case -ENOENT:
		return NO_REPOSITORY;
	case -EKEYREJECTED:
	case -ENOKEY:
		return LOCKED_OUT;
	case -EINTR:
		return INTERRUPTED;
	default:
		return FAILED;
	}
}

static int
open_history(const struct options *o, struct history **h, struct err *e)
{
	struct unlock unlock = { .key_file = o->key_file,
		.password_file = o->password_file,
		.password_command = o->password_command,
		.password_fd = o->password_fd,
		.what = o->repo };
	struct unlock_asker asker = { .unlock = &unlock };
	struct history_open_options open = {
		.secret = unlock_ask, .ctx = &asker, .memory = o->memory,
		.cache_dir = o->cache_dir ? o->cache_dir
					  : getenv("YORE_CACHE_DIR"),
		.offline = o->offline,
		.format = o->format
	};
	int r = history_open_repository(o->repo, &open, h, e);

	unlock_release(&asker.secret);
	return r;
}

/* Errors of the mount's part are not about the repository: all mean 1. */
static int
attach(const struct options *o, const struct mount_options *mo,
	struct history *h, struct mount **m, struct err *e)
{
	auto_free char *absolute = NULL;
	int rc = 0;

	if (h->local_path) /* once more, now that it is known for sure */
		rc = mountpoint_check(
			o->mountpoint, h->local_path, &absolute, e);
	if (rc == 0)
		rc = mount_new(h, mo, m, e);
	if (rc == 0)
		rc = mount_attach(*m, e);
	return rc;
}

static int
fail(int report, int status, const struct err *e)
{
	log_error("%s", e->text);
	daemon_failed(report, status);
	return status;
}

/* Everything from here on happens in the background unless -f is given. */
static int
run(const struct options *o, const char *mountpoint, int report)
{
	struct mount_options mo = { .name = o->repo,
		.mountpoint = mountpoint,
		.address = o->address,
		.kernel = o->kernel,
		.refresh_s = o->refresh_s,
		.idle_s = o->idle_s,
		.read_ahead_kib = o->read_ahead_kib,
		.allow_other = o->allow_other,
		.default_permissions = o->default_permissions,
		.store = o->store,
		.debug = o->debug };
	auto_history struct history *h = NULL;
	auto_mount struct mount *m = NULL;
	auto_metrics_socket struct metrics_socket *ms = NULL;
	struct err e = ERR_INIT;
	sigset_t signals;
	int rc;

	log_remember();
	daemon_reserve_descriptors();
	rc = open_history(o, &h, &e);
	if (rc != 0)
		return fail(report, exit_status(rc), &e);
	mo.name = h->name;
	serve_block_signals(&signals);
	if (o->metrics && metrics_socket_open(o->metrics, &ms, &e) != 0)
		return fail(report, FAILED, &e);
	if (attach(o, &mo, h, &m, &e) != 0 ||
		(ms && metrics_socket_serve(ms, m, &e) != 0))
		return fail(report, FAILED, &e);
	daemon_notify("READY=1\nSTATUS=mounted");
	if (!o->foreground)
		daemon_ready(report);
	rc = mount_serve(m, &e);
	daemon_notify("STOPPING=1");
	if (rc == 0)
		return 0;
	log_error("%s", e.text);
	return FAILED;
}

static int
start(const struct options *o)
{
	auto_free char *local = options_local_path(o->repo);
	auto_free char *mountpoint = NULL;
	struct err e = ERR_INIT;
	int report = -1;

	if (mountpoint_check(o->mountpoint, local, &mountpoint, &e) != 0 ||
		mountpoint_check_fuse(&e) != 0)
		return fail(-1, FAILED, &e);
	if (!o->foreground) {
		report = daemon_fork(o->password_fd);
		if (report < 0)
			return FAILED;
	}
	return run(o, mountpoint, report);
}

int
main(int argc, char **argv)
{
	auto_options struct options o = { .repo = NULL };
	struct err e = ERR_INIT;

	log_set_program("yorefs");
	memory_return_buffers();
	if (options_parse(argc, argv, &o, &e) != 0) {
		log_error("%s", e.text);
		return USAGE;
	}
	if (o.what != OPTIONS_MOUNT) {
		printf("%s%s", o.what == OPTIONS_HELP ? options_usage : "yore ",
			o.what == OPTIONS_HELP ? "" : PACKAGE_VERSION "\n");
		return 0;
	}
	if (o.verbose)
		log_set_level(LOG_LEVEL_INFO);
	if (o.debug)
		log_set_level(LOG_LEVEL_DEBUG);
	return start(&o);
}
