/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Mounts a fake history in the foreground.
 *
 *   fakefs MOUNTPOINT [NAME=VALUE...]
 *
 * Names: points, dirs, files, size, big, xattrs, acls (2: untold), moments,
 * database, control (of struct fake_options); address, refresh, idle,
 * allow_other, store (of the mount).
 */
#include <stdio.h>
#include <string.h>
#include "repo/base/buf.h"
#include "repo/base/log.h"
#include "fs/mount.h"
#include "fs/serve.h"
#include "tests/mount/fake_history.h"

static bool
take_number(const char *arg, const char *name, unsigned int *to)
{
	size_t len = strlen(name);

	if (strncmp(arg, name, len) != 0 || arg[len] != '=')
		return false;
	*to = (unsigned int)strtoul(arg + len + 1, NULL, 10);
	return true;
}

static bool
take_text(const char *arg, const char *name, const char **to)
{
	size_t len = strlen(name);

	if (strncmp(arg, name, len) != 0 || arg[len] != '=')
		return false;
	*to = arg + len + 1;
	return true;
}

static bool
take_flag(const char *arg, const char *name, bool *to)
{
	unsigned int value;

	if (!take_number(arg, name, &value))
		return false;
	*to = value != 0;
	return true;
}

static bool
take(const char *arg, struct fake_options *f, struct mount_options *m)
{
	unsigned int n;

	if (take_number(arg, "refresh", &n))
		m->refresh_s = (int)n;
	else if (take_number(arg, "idle", &n))
		m->idle_s = (int)n;
	else if (take_number(arg, "acls", &n))
		f->acls_untold = (f->acls = n > 0) && n > 1;
	else
		return take_number(arg, "points", &f->points) ||
		       take_number(arg, "dirs", &f->dirs) ||
		       take_number(arg, "files", &f->files) ||
		       take_number(arg, "size", &f->size) ||
		       take_number(arg, "big", &f->big) ||
		       take_flag(arg, "xattrs", &f->xattrs) ||
		       take_flag(arg, "acls", &f->acls) ||
		       take_text(arg, "control", &f->control) ||
		       take_number(arg, "moments", &f->moments) ||
		       take_text(arg, "database", &f->database) ||
		       take_text(arg, "address", &m->address) ||
		       take_flag(arg, "allow_other", &m->allow_other) ||
		       take_flag(arg, "store", &m->store);
	return true;
}

int
main(int argc, char **argv)
{
	struct fake_options f = {
		.points = 10, .dirs = 10, .files = 10, .size = 10000, .big = 100
	};
	struct mount_options o = { .name = "fake" };
	auto_mount struct mount *m = NULL;
	struct err e = ERR_INIT;
	struct history *h;
	sigset_t signals;
	int rc;

	log_set_program("fakefs");
	log_set_level(LOG_LEVEL_INFO);
	for (int i = 2; i < argc; i++) {
		if (!take(argv[i], &f, &o))
			return 2;
	}
	o.mountpoint = argv[1];
	h = fake_history_new(&f);
	serve_block_signals(&signals);
	rc = mount_new(h, &o, &m, &e);
	if (rc == 0)
		rc = mount_attach(m, &e);
	if (rc == 0)
		rc = mount_serve(m, &e);
	if (rc != 0)
		log_error("%s", e.text);
	mount_free(m);
	m = NULL;
	history_free(h);
	return rc != 0;
}
