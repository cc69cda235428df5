/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "repo/base/state_dir.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "repo/base/auto.h"
#include "repo/base/buf.h"

char *
state_dir(const char *below)
{
	const char *xdg = getenv("XDG_STATE_HOME");
	const char *home = getenv("HOME");

	if (xdg && xdg[0] == '/')
		return xasprintf("%s/yore/%s", xdg, below);
	if (home && home[0] == '/')
		return xasprintf("%s/.local/state/yore/%s", home, below);
	return xstrdup("");
}

void
state_dir_make(const char *path)
{
	auto_free char *copy = xstrdup(path);

	for (char *p = strchr(copy + 1, '/'); p; p = strchr(p + 1, '/')) {
		*p = '\0';
		mkdir(copy, 0700);
		*p = '/';
	}
}
