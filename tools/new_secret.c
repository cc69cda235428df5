/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/new_secret.h"

#include <getopt.h>
#include "tools/parse.h"
#include "tools/tool.h"

int
new_secret_take(struct unlock *u, int i)
{
	uint64_t fd;

	switch (i) {
	case 0:
		u->password_file = optarg;
		return 0;
	case 1:
		u->password_command = optarg;
		return 0;
	case 2:
		if (parse_number(optarg, 0, 1 << 20, &fd) < 0)
			return tool_usage("--new-password-fd %s: not a "
					  "descriptor", optarg);
		u->password_fd = (int)fd;
		return 0;
	case 3:
		u->key_file = optarg;
		return 0;
	default:
		u->no_passphrase = true;
		return 0;
	}
}

bool
new_secret_is_named(const struct unlock *u)
{
	return u->key_file || u->password_file || u->password_command ||
	       u->password_fd >= 0 || u->no_passphrase;
}
