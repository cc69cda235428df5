/* SPDX-License-Identifier: GPL-2.0-or-later */
/* yore forget --undo: what was forgotten, and (only if it is named) what was
 * thinned. */
#include "tools/forget.h"

#include "repo/base/log.h"

static void
choose_source(struct undo *x, size_t source)
{
	const struct history_source *s = &x->nl->l.sources[source];

	for (uint32_t i = s->first_point; i < s->first_point + s->n_points;
		i++) {
		if (!x->replaced[i])
			undo_choose(x, i);
	}
}

/* A run that died, and is repeated, has done some of it. */
static bool
is_back(const struct forget_command *c, const struct undo *x, const char *text)
{
	for (size_t i = 0; i < x->there.n; i++) {
		if (!forget_names(c, text, &x->there.p[i]))
			continue;
		log_warn("%s is there", text);
		return true;
	}
	return false;
}

static int
choose_one(struct forget_command *c, struct undo *x, const char *text)
{
	struct err e = ERR_INIT;
	size_t source, point;

	if (forget_find(c, &x->nl->l, text, &source, &point, &e))
		return is_back(c, x, text) ? 0 : tool_fail(&e);
	if (point == HISTORY_NONE)
		choose_source(x, source);
	else
		undo_choose(x, point);
	return 0;
}

static int
choose(struct forget_command *c, struct undo *x)
{
	const struct history_listing *l = &x->nl->l;
	int status = 0;

	for (int i = optind; i < c->o.argc && !status; i++)
		status = choose_one(c, x, c->o.argv[i]);
	for (size_t i = 0; i < l->n_sources && optind == c->o.argc; i++) {
		if (!c->host || !strcmp(c->host, l->sources[i].host))
			choose_source(x, i);
	}
	return status;
}

int
forget_undo(struct forget_command *c)
{
	auto_undo struct undo *x = NULL;
	struct err e = ERR_INIT;
	int status;

	if (undo_open(&c->u, &x, &e))
		return tool_fail(&e);
	status = choose(c, x);
	if (!status && !c->dry_run && undo_carry_out(x, &e))
		status = tool_fail(&e);
	if (!status)
		forget_print_undo(c, x);
	return !status && x->n_gone ? STATUS_FAILED : status;
}
