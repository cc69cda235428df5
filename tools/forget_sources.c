/* SPDX-License-Identifier: GPL-2.0-or-later */
/* yore forget --all: sources that are gone. */
#include "tools/forget.h"

#include <stdio.h>
#include <string.h>
#include "repo/base/buf.h"
#include "tools/agree.h"
#include "tools/print.h"

static int
choose_one(struct forget_command *c, struct forget *f, const char *text)
{
	struct err e = ERR_INIT;
	size_t source, point;

	if (forget_find(c, &f->nl->l, text, &source, &point, &e))
		return tool_fail(&e);
	if (point != HISTORY_NONE)
		return tool_usage("%s is a snapshot: --all is for sources",
			text);
	return forget_all(f, source, c->key_withdrawn, &e) ? tool_fail(&e) : 0;
}

static int
choose(struct forget_command *c, struct forget *f)
{
	const struct history_listing *l = &f->nl->l;
	struct err e = ERR_INIT;
	int status = 0;

	for (int i = optind; i < c->o.argc && !status; i++)
		status = choose_one(c, f, c->o.argv[i]);
	for (size_t i = 0; i < l->n_sources && optind == c->o.argc && !status;
		i++) {
		if (!strcmp(c->host, l->sources[i].host) &&
			forget_all(f, i, c->key_withdrawn, &e))
			status = tool_fail(&e);
	}
	return status;
}

/* One question about all of them. */
static bool
agrees(const struct forget *f)
{
	const struct history_listing *l = &f->nl->l;
	auto_buf struct buf b = BUF_INIT;

	for (size_t i = 0; i < l->n_sources; i++) {
		const struct history_source *s = &l->sources[i];
		auto_free char *plain = xasprintf("%s/%s", s->host, s->name);
		char label[ERR_TEXT_MAX], n[PRINT_MAX];

		if (f->ends[i])
			buf_printf(&b, "%s: all of it, %s\n",
				err_escape(label, sizeof(label), plain,
					strlen(plain)),
				print_number(n, s->n_points, "snapshot",
					"snapshots"));
	}
	buf_printf(&b, "is forgotten, the newest snapshot, too. Go on?");
	*buf_reserve(&b, 1) = '\0';
	return agree_ask((const char *)b.data);
}

static int
carry_out(struct forget_command *c, struct forget *f, struct err *e)
{
	int r = forget_end(f, c->w, e);

	if (!r)
		r = forget_carry_out(f, e);
	if (!r && c->key_withdrawn)
		r = forget_end_marks(f, e);
	return r;
}

int
forget_sources(struct forget_command *c)
{
	auto_forget struct forget *f = NULL;
	struct err e = ERR_INIT;
	int status;

	if (forget_open(&c->u, &f, &e))
		return tool_fail(&e);
	status = choose(c, f);
	if (status)
		return status;
	if (!c->dry_run && f->n_going && !c->yes && !agrees(f))
		return tool_usage("forget --all: not without consent: answer "
				  "y, or give --yes");
	if (!c->dry_run && carry_out(c, f, &e))
		return tool_fail(&e);
	forget_print(c, f);
	return 0;
}
