/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "repo/native/history.h"
#include "repo/native/state.h"
#include "repo/native/open.h"

int
history_open_native(const char *repo, const struct history_open_options *o,
	struct history **h, struct err *e)
{
	auto_repository struct repository *rp = NULL;
	int r = repository_open_early(repo, o, &rp, e);

	if (!r)
		r = state_pin(rp, e);
	if (r)
		return r;
	return native_history_new(steal(rp), o ? o->memory : 0, h, e);
}
