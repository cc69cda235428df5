/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/restore.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "repo/base/auto.h"
#include "repo/base/log.h"
#include "tools/print.h"
#include "tools/progress.h"

#define EXIST_SHOWN 5 /* existing files named one by one */

static const char *const kinds[LOST_KINDS] = {
	[LOST_OWNER] = "owner or group",
	[LOST_SETID] = "setuid or setgid bit (owner not restored)",
	[LOST_MODE] = "mode",
	[LOST_TIMES] = "time",
	[LOST_DEVICE] = "device file",
	[LOST_ACL] = "ACL",
	[LOST_CAPABILITY] = "file capability",
	[LOST_XATTR] = "extended attribute",
};

void
restore_report_init(struct restore_report *r)
{
	memset(r, 0, sizeof(*r));
	pthread_mutex_init(&r->lock, NULL);
}

void
restore_report_release(struct restore_report *r)
{
	for (int i = 0; i < LOST_KINDS; i++)
		free(r->lost[i].first);
	pthread_mutex_destroy(&r->lock);
}

void
restore_lost(struct restore_report *r, enum restore_kind kind, int code,
	struct rdir *dir, const char *name)
{
	auto_lock(&r->lock);
	if (r->lost[kind].n++ == 0) {
		auto_free char *path = rdir_path(dir, name);

		r->lost[kind].code = code;
		r->lost[kind].first = print_escaped(path, strlen(path));
	}
}

/* After these nothing else would succeed either. */
static bool
is_fatal(int code)
{
	return code == ENOSPC || code == EDQUOT || code == EROFS;
}

void
restore_failed_text(struct restore_report *r, const struct err *e)
{
	auto_lock(&r->lock);
	if (is_fatal(e->code) && !r->fatal.code) {
		r->fatal = *e;
		r->stop = true;
	}
	if (r->n_errors++ < UINT64_MAX && r->stop)
		return; /* one line is enough: the fatal one */
	if (e->code == EEXIST && r->n_exist++ >= EXIST_SHOWN)
		return;
	progress_clear();
	log_error("%s", e->text);
}

void
restore_failed(struct restore_report *r, struct rdir *dir, const char *name,
	const struct err *e)
{
	auto_free char *path = rdir_path(dir, name);
	struct err full = *e;

	tool_prefix(&full, path, path);
	restore_failed_text(r, &full);
}

bool
restore_report_print(struct restore_report *r)
{
	bool any = false;

	for (int i = 0; i < LOST_KINDS; i++) {
		if (r->lost[i].n == 0)
			continue;
		any = true;
		log_warn("%s not restored: %s (%" PRIu64 " times, first %s)",
			kinds[i], strerror(r->lost[i].code), r->lost[i].n,
			r->lost[i].first);
	}
	if (r->n_exist > EXIST_SHOWN)
		log_error("%" PRIu64 " more exist; --overwrite replaces them",
			r->n_exist - EXIST_SHOWN);
	return any;
}
