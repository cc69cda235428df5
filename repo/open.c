/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "repo/open.h"

#include <errno.h>
#include <string.h>
#include "repo/foreign/foreign.h"
#include "repo/native/open.h"

#define YORE "yore"

/* No repository: somebody else's replica?  e says what there is not. */
static int
open_other(const char *repo, const struct history_open_options *o,
	struct history **h, struct err *e)
{
	struct err why = ERR_INIT;
	int r = foreign_open_history(repo, NULL, o, h, &why);

	switch (-r) {
	case 0:
		return 0;
	case ENOENT: /* neither: say both */
		if (strstr(why.text, "; looked for"))
			return err_set(e, ENOENT, "%s%s", e->text,
				strstr(why.text, "; looked for"));
		return -e->code;
	case EOPNOTSUPP: /* cannot be listed, nor be made */
		if (strstr(why.text, "a web server lists"))
			return err_set(e, ENOENT,
				"%s: no yore repository there; %s", repo,
				strstr(why.text, "a web server lists"));
		return -e->code;
	case ENETDOWN:
		return -e->code;
	default:
		return err_set(e, -r, "%s", why.text);
	}
}

int
history_open_repository(const char *repo, const struct history_open_options *o,
	struct history **h, struct err *e)
{
	const char *format = o ? o->format : NULL;
	struct err why = ERR_INIT;
	int r;

	if (format && strcmp(format, YORE) != 0)
		return foreign_open_history(repo, format, o, h, e);
	r = history_open_native(repo, o, h, &why);
	if (!format && (r == -ENOENT || (r == -ENETDOWN && o->offline)))
		r = open_other(repo, o, h, &why);
	return r < 0 ? err_set(e, -r, "%s", why.text) : 0;
}
