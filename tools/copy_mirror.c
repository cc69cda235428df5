/* SPDX-License-Identifier: GPL-2.0-or-later */
/* yore copy --mirror: a repository's objects as they are. */
#include <inttypes.h>
#include <stdio.h>
#include "repo/base/clock.h"
#include "repo/base/log.h"
#include "repo/upkeep/mirror.h"
#include "tools/copy.h"
#include "tools/json.h"
#include "tools/print.h"
#include "tools/progress.h"

#define GRACE_DEFAULT_NS (7 * 24 * 3600 * NS_PER_S)

struct shown {
	const struct copy_command *cc;
	struct progress_state s;
};

static const char *const words[] = {
	[MIRROR_COPIED] = "copied",
	[MIRROR_REMOVED] = "removed",
	[MIRROR_DIFFERS] = "differs",
};

static void
each(void *ctx, enum mirror_action a, const char *name, uint64_t size)
{
	struct shown *sh = ctx;

	sh->s.files++;
	sh->s.bytes += size;
	progress_show(&sh->s);
	if (a == MIRROR_DIFFERS) {
		progress_clear();
		log_error("%s: not the same in both", name);
	} else if (sh->cc->dry_run || sh->cc->o.verbose) {
		progress_clear();
		printf("%s %s%s\n", name, sh->cc->dry_run ? "to be " : "",
			words[a]);
	}
}

static void
print_result(const struct copy_command *cc, const struct mirror_result *res)
{
	char size[PRINT_MAX];

	progress_clear();
	if (cc->o.json) {
		json_t *line = json_line("mirror");

		json_u64(line, "copied", res->copied);
		json_u64(line, "bytes", res->bytes);
		json_u64(line, "there", res->there);
		json_u64(line, "removed", res->removed);
		json_u64(line, "differ", res->differ);
		json_print(line);
	} else if (!cc->o.quiet) {
		printf("%" PRIu64 " objects copied (%s), %" PRIu64
		       " there already, %" PRIu64 " removed\n", res->copied,
			print_size(size, res->bytes), res->there, res->removed);
	}
}

int
copy_mirror_run(struct copy_command *cc)
{
	struct shown sh = { .cc = cc };
	struct mirror_options o = { .from = cc->o.repo,
		.to = cc->to,
		.dry_run = cc->dry_run,
		.verify = cc->verify,
		.remove = cc->remove,
		.grace_ns = cc->grace_ns < 0 ? GRACE_DEFAULT_NS : cc->grace_ns,
		.limit_upload = cc->limit_upload,
		.interrupted = interrupt_flag(),
		.each = each,
		.ctx = &sh };
	struct mirror_result res = { .copied = 0 };
	struct err e = ERR_INIT;
	int r;

	interrupt_defer();
	progress_begin(!cc->o.quiet && !cc->o.json);
	r = mirror_run(&o, &res, &e);
	print_result(cc, &res);
	if (interrupt_came())
		return interrupt_status();
	if (r)
		return tool_fail_open(&e);
	return res.differ ? STATUS_FAILED : STATUS_DONE;
}
