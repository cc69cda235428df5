/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A database that is missing is brought back before it is replicated. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "repo/base/auto.h"
#include "repo/base/log.h"
#include "tools/replicate.h"
#include "tools/restore.h"
#include "tools/spot.h"

static bool
is_missing(const char *path)
{
	return access(path, F_OK) < 0 && errno == ENOENT;
}

static char *
address_of(const struct replicate *r, const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;

	return xasprintf("%s/%s", r->host, r->source ? r->source : name);
}

/* One that was never replicated is for the application to make. */
static int
bring_back(const struct replicate *r, struct history *h,
	const struct history_listing *l, const char *path, struct err *e)
{
	const struct restore_options ro = { .if_missing = true };
	struct restore rs = { .options = &ro };
	auto_spot struct spot p = { .view = NULL };
	auto_free char *address = address_of(r, path);
	int code = spot_open(h, l, address, &p, e);

	if (code == -ENOENT) {
		log_info("%s: nothing to restore: %s", path, e->text);
		return 0;
	}
	if (!code && (l->sources[p.point.source].kind != HISTORY_DATABASE ||
			     *p.path))
		code = err_set(e, EINVAL, "%s is no database", address);
	if (code)
		return code;
	rs.view = p.view;
	restore_report_init(&rs.report);
	code = restore_database(&rs, path, e);
	restore_report_release(&rs.report);
	if (!code)
		log_warn("%s was not there: restored from %s", path, address);
	return code;
}

int
replicate_restore(struct replicate *r, int n, char **paths)
{
	auto_history struct history *h = NULL;
	struct history_listing *l;
	struct err e = ERR_INIT;
	int status = 0, missing = 0;

	for (int i = 0; i < n; i++)
		missing += is_missing(paths[i]);
	if (!missing)
		return 0;
	status = spot_open_repository(&r->options, &h);
	if (status)
		return status;
	l = history_listing(h);
	for (int i = 0; i < n && !status; i++) {
		if (is_missing(paths[i]) && bring_back(r, h, l, paths[i], &e))
			status = tool_fail(&e);
	}
	history_listing_put(l);
	return status;
}
